// Certificates that change on disk: taken at SIGHUP, and, when asked for, as soon as the files change. Connections stay.

import { statSync } from "node:fs"
import type { BrokerConfig, ListenerConfig } from "../config/config.ts"
import type { PureMqBroker } from "../node-broker.ts"
import type { RenewedCertificate } from "../transport/listener.ts"

export interface ReloadOptions {
  readonly broker: Pick<PureMqBroker, "renewCertificate">
  /** Reads the configuration and its files again. Throws ConfigError. */
  readonly read: () => BrokerConfig
  readonly files: readonly string[]
  /** Seconds between two looks at the files; undefined: only SIGHUP counts. */
  readonly every: number | undefined
  /** Gets one sentence when what is there cannot be used. */
  readonly refused: (text: string) => void
}

/** Begins to listen and to look; the returned function ends it. */
export function reloadCertificates({ broker, read, files, every, refused }: ReloadOptions): () => void {
  const reload = () => {
    try {
      broker.renewCertificate((read().listeners ?? []).map(certificateOf))
    } catch (error) {
      refused(`the certificates stay as they were: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  process.on("SIGHUP", reload)
  const timer = every === undefined ? undefined : setInterval(lookAt(files, reload), every * 1000)
  timer?.unref()
  return () => {
    process.off("SIGHUP", reload)
    clearInterval(timer)
  }
}

function certificateOf(listener: ListenerConfig): RenewedCertificate | undefined {
  if (listener.type === "tcp" || listener.type === "ws") return undefined
  const { cert, key, ca, crl } = listener
  return { cert, key, ca, crl }
}

/** Calls `changed` once the files are others than before, and the same at two looks: whoever writes them is done then. */
export function lookAt(files: readonly string[], changed: () => void): () => void {
  let taken = stateOf(files)
  let seen = taken
  return () => {
    const state = stateOf(files)
    const settled = state === seen
    seen = state
    if (!settled || state === taken) return
    taken = state
    changed()
  }
}

/** Follows links, which some tools put in the place of files. */
function stateOf(files: readonly string[]): string {
  return files
    .map((path) => {
      const state = statSync(path, { throwIfNoEntry: false })
      return state === undefined ? "none" : `${state.ino} ${state.size} ${state.mtimeMs}`
    })
    .join()
}
