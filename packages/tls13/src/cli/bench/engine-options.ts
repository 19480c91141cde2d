// What an engine is made of: where the server is, and what is offered to it.

import type { Worse } from "./byte-path.ts"
import type { Plan, Scenario } from "./plan.ts"

/** PEM texts for a server of our own, and for its clients. */
export interface OwnCertificates {
  readonly ca: string
  /** One for each kind of key. */
  readonly servers: readonly { readonly cert: string; readonly key: string }[]
  readonly client: { readonly cert: string; readonly key: string }
}

export interface Target {
  /** As it was named: what the certificate has to be for. */
  readonly host: string
  /** What it is connected to by: an IP address, so that no name is looked up in a measurement. */
  readonly address: string
  readonly port: number
}

export interface EngineSetup {
  /** The command line. */
  readonly args: readonly string[]
  readonly plan: Plan
  readonly scenario: Scenario
  readonly target: Target
  readonly own: OwnCertificates | undefined
  readonly worse: Worse | undefined
}
