// Files that change on disk (certificates, keys, authorities, revocation lists, users, access control list): all taken at
// SIGHUP, and, when asked for, as soon as they change; or none of them. Connections stay.

import { statSync } from "node:fs"
import { type BrokerConfig, ConfigError, type ListenerConfig } from "../config/config.ts"
import { everyOption } from "../config/schema/option.ts"
import { options } from "../config/schema/options.ts"
import type { RenewedCertificate } from "../listen/listener.ts"
import type { PureMqBroker } from "../platform/node.ts"

export interface ReloadOptions {
  readonly broker: Pick<PureMqBroker, "reload">
  /** What the broker was started with. */
  readonly started: BrokerConfig
  /** Reads the configuration and its files again. Throws ConfigError. */
  readonly read: () => BrokerConfig
  readonly files: readonly string[]
  /** Seconds between two looks at the files; undefined: only SIGHUP counts. */
  readonly every: number | undefined
  /** Gets one sentence when what is there cannot be used. */
  readonly refused: (text: string) => void
  /** Settled once there is something to reload: a signal that comes before waits for it, and does not end the process. */
  readonly ready: Promise<unknown>
  /** Gets one sentence when something has changed that a reload does not take. */
  readonly warn: (text: string) => void
}

/** Begins to listen and to look; the returned function ends it. */
export function reloadFiles({ broker, started, read, files, every, refused, ready, warn }: ReloadOptions): () => void {
  const reload = () => {
    try {
      const next = read()
      refuseWhatNeedsARestart(started, next)
      const { login, acl, listeners = [] } = next
      broker.reload({ certificates: listeners.map(certificateOf), login, acl })
      const others = othersThatChanged(started, next)
      if (others.length > 0) warn(`changed, but taken at the next start only: ${others.join(", ")}`)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      refused(`nothing was reloaded, ${whatStays(started)} stay as they were: ${why}`)
    }
  }
  const signalled = () => void ready.then(reload, () => undefined)
  process.on("SIGHUP", signalled)
  const timer = every === undefined ? undefined : setInterval(lookAt(files, reload), every * 1000)
  timer?.unref()
  return () => {
    process.off("SIGHUP", signalled)
    clearInterval(timer)
  }
}

function whatStays({ listeners = [], login, acl }: BrokerConfig): string {
  const certificates = listeners.map(certificateOf).filter((each) => each !== undefined)
  const kinds = [
    ...(certificates.length === 0 ? [] : ["the certificates"]),
    ...(certificates.every(({ ca }) => ca === undefined) ? [] : ["the authorities"]),
    ...(certificates.every(({ crl }) => crl === undefined) ? [] : ["the revocation lists"]),
    ...(login?.passwords === undefined ? [] : ["the users"]),
    ...(acl === undefined ? [] : ["the access control list"]),
  ]
  const last = kinds.pop()
  if (last === undefined) return "all settings"
  return kinds.length === 0 ? last : `${kinds.join(", ")} and ${last}`
}

/** A configuration file may have changed too. Throws ConfigError for a change that would open doors, or move them. */
function refuseWhatNeedsARestart(started: BrokerConfig, next: BrokerConfig): void {
  const doors = ({ listeners = [] }: BrokerConfig) =>
    listeners.map(({ type, host, port }) => `${type} ${host} ${port}`).join()
  if (doors(started) !== doors(next)) throw new ConfigError("the listeners are others now; that needs a restart")
  next.listeners?.forEach((listener, i) => {
    const before = certificateOf(started.listeners?.[i])
    if (before?.ca !== undefined && certificateOf(listener)?.ca === undefined)
      throw new ConfigError("there is no authority for clients any more; that needs a restart")
  })
  if (started.acl !== undefined && next.acl === undefined)
    throw new ConfigError("there is no access control list any more; that needs a restart")
  if (started.login?.passwords !== undefined && next.login?.passwords === undefined)
    throw new ConfigError("there is no password file any more; that needs a restart")
}

/** Names of settings that are others than at the start and that a reload leaves as they are. */
function othersThatChanged(started: BrokerConfig, next: BrokerConfig): string[] {
  const values = [started, next].map((config) => new Map<string, unknown>(Object.entries(config)))
  const [before, after] = values.map((config) => (name: string) => JSON.stringify(config.get(name)))
  const names = new Set(values.flatMap((config) => [...config.keys()]))
  const changed = [...names].filter((name) => !taken.includes(name) && before?.(name) !== after?.(name))
  const [old, now] = [started, next].map(({ listeners = [] }) => listeners.map(withoutFiles))
  old?.forEach((one, i) => {
    if (one !== now?.[i]) changed.push(`listeners[${i}]`)
  })
  return changed
}

/** What a reload takes, or looks at by itself. */
const taken: readonly string[] = ["listeners", "login", "acl", "onEvent"]

const filesOfListeners = new Set(
  everyOption({ listeners: options.listeners }).flatMap(({ path, option }) => (option.kind.file ? path.slice(-1) : [])),
)

function withoutFiles(listener: ListenerConfig): string {
  return JSON.stringify(listener, (name, value) => (filesOfListeners.has(name) ? undefined : value))
}

function certificateOf(listener: ListenerConfig | undefined): RenewedCertificate | undefined {
  if (listener === undefined || listener.type === "tcp" || listener.type === "ws") return undefined
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

/** Follows links, which some tools put in the place of files. What cannot be looked at is a state too: reading it says why. */
function stateOf(files: readonly string[]): string {
  return files
    .map((path) => {
      try {
        const { ino, size, mtimeMs } = statSync(path)
        return `${ino} ${size} ${mtimeMs}`
      } catch (error) {
        return error instanceof Error && "code" in error ? String(error.code) : "unknown"
      }
    })
    .join()
}
