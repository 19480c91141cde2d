// What the command and the processes that it starts tell each other.

import type { ClientCpu } from "./child-side.ts"
import type { Attempt } from "./engine.ts"
import type { EngineSetup, OwnCertificates } from "./engine-options.ts"
import type { LoadSums } from "./load.ts"
import type { OwnServer } from "./plan.ts"

/** The first message to a process: what it is. */
export type Task = ClientTask | ServerTask

export interface ClientTask {
  readonly role: "client"
  readonly setup: Omit<EngineSetup, "worse">
  readonly worker: number
  readonly sources: readonly string[]
}

export interface ServerTask {
  readonly role: "server"
  readonly args: readonly string[]
  readonly server: OwnServer
  readonly certificates: OwnCertificates
}

/** `start` comes when all processes are ready. `t0`: on the clock that they share (clock.ts). */
export type Order = { readonly order: "start"; readonly t0: number } | { readonly order: "stop" }

/** What one handshake before the measurement showed. */
export interface Look {
  readonly agreed: Readonly<Record<string, string>>
  readonly unverified: string | undefined
  readonly wire: Attempt["wire"]
}

export type Told =
  | { readonly told: "listening"; readonly port: number; readonly mtlsPort: number }
  | { readonly told: "ready"; readonly look: Look }
  | { readonly told: "samples"; readonly rows: Float64Array; readonly reasons: readonly string[] }
  | {
      readonly told: "done"
      readonly sums: LoadSums
      readonly cpu: ClientCpu
      readonly primings: number
      /** Milliseconds that the delayed bytes were late beyond what was asked, on average; null: none were delayed. */
      readonly timersLate: number | null
    }
