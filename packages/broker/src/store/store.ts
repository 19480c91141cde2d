// Where the broker keeps what outlives connections. The in-memory store forgets everything when the process ends.

import type { Message } from "../packet/message.ts"
import type { Session } from "../session/session.ts"

/** Sessions by Client Identifier. */
export interface SessionStore {
  readonly size: number
  get(clientId: string): Session | undefined
  set(session: Session): void
  delete(clientId: string): void
  values(): Iterable<Session>
}

/** Retained messages by Topic Name. */
export interface RetainedStore {
  readonly size: number
  /** Bytes of topics, properties and payloads. */
  readonly bytes: number
  get(topic: string): Message | undefined
  set(message: Message): void
  delete(topic: string): boolean
  /** Calls `visit` for every message whose topic these filter levels match. */
  match(levels: readonly string[], visit: (message: Message) => void): void
}

export interface Store {
  readonly sessions: SessionStore
  readonly retained: RetainedStore
}
