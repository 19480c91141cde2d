// A client's memory of sessions: RFC 9846 section 4.7.1, appendix C.4 (a ticket is used once).

import { type ClientSession, type ClientSessionStore, isExpired } from "./session.ts"

export interface MemorySessionStoreOptions {
  /** Servers remembered; the one unused for longest is forgotten first. Default 256. */
  readonly servers?: number
  /** Tickets kept for each; the oldest goes first. Default 4. */
  readonly ticketsPerServer?: number
}

export class MemorySessionStore implements ClientSessionStore {
  readonly #servers: number
  readonly #ticketsPerServer: number
  /** In order of use: the last is the latest. */
  readonly #sessions = new Map<string, ClientSession[]>()

  constructor(options: MemorySessionStoreOptions = {}) {
    this.#servers = options.servers ?? 256
    this.#ticketsPerServer = options.ticketsPerServer ?? 4
  }

  take(key: string, now: number): ClientSession | undefined {
    const sessions = this.#sessions.get(key)?.filter((session) => !isExpired(session, now)) ?? []
    const newest = sessions.pop()
    this.#sessions.delete(key)
    if (sessions.length > 0) this.#sessions.set(key, sessions)
    return newest
  }

  put(key: string, session: ClientSession): void {
    const sessions = [...(this.#sessions.get(key) ?? []), session].slice(-this.#ticketsPerServer)
    this.#sessions.delete(key)
    this.#sessions.set(key, sessions)
    if (this.#sessions.size > this.#servers) this.#sessions.delete(this.#sessions.keys().next().value!)
  }
}
