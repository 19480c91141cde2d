// Where the broker keeps what outlives connections. The in-memory store forgets everything when the process ends.

import type { Message } from "../packet/message.ts"
import type { RetainedWalk } from "../routing/retained-tree.ts"
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
  /** Heap that they take, in bytes, whatever it is that keeps them included. */
  readonly bytes: number
  /**
   * `account` is whose memory it is on from now on. When `fits` then says no, what was there before is there again, and the
   * answer is false.
   */
  set(message: Message, account?: { retained: number }, fits?: () => boolean): boolean
  delete(topic: string): boolean
  /** A walk over the messages that are there now and whose topic this filter matches. */
  walk(path: string): RetainedWalk
}

export interface Store {
  readonly sessions: SessionStore
  readonly retained: RetainedStore
}
