// Files that change on disk (certificates, keys, authorities, revocation lists, users, access control list, and the configuration
// with its limits): all taken at SIGHUP, and, when asked for, as soon as they change; or none of them. Connections stay.

import { statSync } from "node:fs"
import type { Steps } from "../access/lines.ts"
import { type BrokerConfig, ConfigError, type ListenerConfig } from "../config/config.ts"
import type { LoadedConfig } from "../config/load.ts"
import { options } from "../config/schema/options.ts"
import { leftForTheNextStart } from "../config/schema/reload.ts"
import type { RenewedCertificate } from "../listen/listener.ts"
import type { PureMqBroker } from "../platform/node.ts"
import { inTurns, Paced } from "./turns.ts"

/** What a configuration file says, with what is in the files that it names. */
export type Settings = Pick<LoadedConfig, "config" | "log" | "reload">

export interface ReloadOptions {
  readonly broker: Pick<PureMqBroker, "reload">
  /** What the broker was started with. */
  readonly started: Settings
  /** Reads the configuration and its files again. Throws ConfigError. */
  readonly read: () => Steps<Settings>
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

export interface Reloads {
  /** Reads again; resolves with a sentence when nothing was taken. */
  ask(): Promise<string | undefined>
  end(): void
}

/** Begins to listen and to look. */
export function reloadFiles({ broker, started, read, files, every, refused, ready, warn }: ReloadOptions): Reloads {
  let ended = false
  let waiting: ((problem: string | undefined) => void)[] = []
  const reload = async () => {
    // Who asks while it is under way is answered by the next.
    const answered = waiting
    waiting = []
    const problem = await reloadOnce()
    for (const answer of answered) answer(problem)
  }
  const reloadOnce = async (): Promise<string | undefined> => {
    try {
      const next = await inTurns(read())
      if (ended) return closing
      refuseWhatNeedsARestart(started.config, next.config)
      const { login, acl, limits = {}, disconnectRevoked = false, listeners = [], metrics, admin } = next.config
      const { webhooks = [] } = next.config
      const certificates = listeners.map(certificateOf)
      const handshakes = listeners.map((one) => (one.type === "tls" || one.type === "wss" ? one : undefined))
      const listenerLimits = listeners.map((one) => one.limits ?? {})
      const listenerLogins = listeners.map(({ login: own = {} }) => own)
      const ofListeners = { certificates, handshakes, listenerLimits, listenerLogins }
      broker.reload({ ...ofListeners, login, acl, limits, disconnectRevoked, metrics, webhooks, admin })
      const others = leftForTheNextStart(options, inOne(started), inOne(next))
      if (others.length > 0) warn(`changed, but taken at the next start only: ${others.join(", ")}`)
      return undefined
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      const problem = `nothing was reloaded, ${whatStays(started.config)} stay as they were: ${why}`
      refused(problem)
      return problem
    }
  }
  const reloads = new Paced(reload)
  const asked = () =>
    void ready.then(
      () => reloads.ask(),
      () => undefined,
    )
  process.on("SIGHUP", asked)
  const looking = lookAt(files, asked)
  const timer = every === undefined ? undefined : setInterval(looking, every * 1000)
  timer?.unref()
  return {
    ask: () =>
      new Promise((resolve) => {
        if (ended) return resolve(closing)
        waiting.push(resolve)
        asked()
      }),
    end() {
      process.off("SIGHUP", asked)
      clearInterval(timer)
      ended = true
      reloads.end()
      for (const answer of waiting) answer(closing)
      waiting = []
    },
  }
}

const closing = "nothing was reloaded: the broker is closing"

function whatStays({ listeners = [], login, acl, admin }: BrokerConfig): string {
  const certificates = listeners.map(certificateOf).filter((each) => each !== undefined)
  const kinds = [
    ...(certificates.length === 0 ? [] : ["the certificates"]),
    ...(certificates.every(({ ca }) => ca === undefined) ? [] : ["the authorities"]),
    ...(certificates.every(({ crl }) => crl === undefined) ? [] : ["the revocation lists"]),
    ...(login?.passwords === undefined ? [] : ["the users"]),
    ...(acl === undefined ? [] : ["the access control list"]),
    ...(admin === undefined ? [] : ["the tokens"]),
    "the limits",
  ]
  const last = kinds.pop()
  return kinds.length === 0 ? "all settings" : `${kinds.join(", ")} and ${last}`
}

/** A configuration file may have changed too. Throws ConfigError for a change that would open doors, or move them. */
function refuseWhatNeedsARestart(started: BrokerConfig, next: BrokerConfig): void {
  const doors = ({ listeners = [] }: BrokerConfig) =>
    listeners.map(({ name, type, host = "127.0.0.1", port }) => `${name} ${type} ${host} ${port}`).join()
  if (doors(started) !== doors(next)) throw new ConfigError("the listeners are others now; that needs a restart")
  next.listeners?.forEach((listener, i) => {
    const before = certificateOf(started.listeners?.[i])
    if (before?.ca !== undefined && certificateOf(listener)?.ca === undefined)
      throw new ConfigError("there is no authority for clients any more; that needs a restart")
    if (before?.ticketKeys !== undefined && certificateOf(listener)?.ticketKeys === undefined)
      throw new ConfigError("there is no file of ticket keys any more; that needs a restart")
    const [had, has] = [before?.echKeys !== undefined, certificateOf(listener)?.echKeys !== undefined]
    if (had !== has)
      throw new ConfigError(`there are ${has ? "" : "no "}ECH keys ${has ? "now" : "any more"}; that needs a restart`)
  })
  if (started.acl !== undefined && next.acl === undefined)
    throw new ConfigError("there is no access control list any more; that needs a restart")
  if (started.login?.passwords !== undefined && next.login?.passwords === undefined)
    throw new ConfigError("there is no password file any more; that needs a restart")
  // Without them clients may be let in whom nobody knows.
  if (started.login?.jwt !== undefined && next.login?.jwt === undefined)
    throw new ConfigError("tokens (login.jwt) are no login any more; that needs a restart")
  if (started.login?.http !== undefined && next.login?.http === undefined)
    throw new ConfigError("no server is asked about logins (login.http) any more; that needs a restart")
}

/** As the file has it. */
function inOne({ config, log, reload }: Settings): object {
  return { ...config, log, reload }
}

function certificateOf(listener: ListenerConfig | undefined): RenewedCertificate | undefined {
  if (listener === undefined || listener.type === "tcp" || listener.type === "ws") return undefined
  const { cert, key, ca, crl, ocsp, tickets, ech } = listener
  return { cert, key, ca, crl, ocsp, ticketKeys: tickets?.keys, echKeys: ech?.keys }
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
