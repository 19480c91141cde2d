// Who is told what changes of that which outlives connections, and when it is kept. Changes are kept in turns, all of a turn or
// none of it; what a client is sent and depends on a turn does not leave before that is committed.

import type { Change, Sequence } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"

export interface Recorder {
  /** To be kept with this turn. */
  record(change: Change): void
  /** Says the message, if that has not been done yet; returns its number. @param account of who sets it as a retained message */
  keep(message: Message, account?: string): Sequence
  /** In a cluster: the message goes to all nodes with this turn. @param clientId who has published it; "": the broker itself */
  publish(message: Message, clientId: string, retain: boolean): void
  /** The number of the last message that was said. */
  readonly said: Sequence
  /** That of the last one that was said before this turn: nobody may keep it any more. */
  readonly saidBefore: Sequence
  /** How many Changes there have been. */
  readonly made: number
  /** The last turn that has Changes: this one, or one before. */
  readonly turn: number
  /** All turns up to this one are committed. */
  readonly committed: number
  /** The store has not answered about the turn before this one, which goes on until then. */
  readonly busy: boolean
  /** Nothing new can be kept at the moment: what would have to be is refused. */
  readonly failing: boolean
  /** Not even what ends something can be kept; else that is taken while it is failing, as it makes room. */
  readonly broken: boolean
  /** Whether something new of so many bytes can be kept now; of what is small `failing` says that. */
  takes(bytes: number): boolean
  /** Whether what follows of what was taken, and adds so many bytes, has room: wills that are published, retained messages that are owed. */
  mayGrow(bytes: number): boolean
  /** Bytes of a message, at most, that can be kept; undefined: any. */
  readonly largest?: number | undefined
  /** So much is not committed that who waits for it is not read meanwhile. */
  readonly behind: boolean
}

/** Keeps nothing: for a session that ends with its connection. */
export const forgetful: Recorder = {
  record: () => undefined,
  keep: () => 0,
  publish: () => undefined,
  said: 0,
  saidBefore: 0,
  made: 0,
  turn: 0,
  committed: 0,
  busy: false,
  failing: false,
  takes: () => true,
  mayGrow: () => true,
  broken: false,
  behind: false,
}
