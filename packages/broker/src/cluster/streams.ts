// What a node of a cluster needs of its servers: streams that are kept on several of them, whose appends may say what they expect,
// and messages that nobody keeps. buses and stores above it know subjects and sequences; who is below it speaks to the servers.
// No call throws; all answers come by Pauses or by the callbacks, one after the other.

import type { Pause } from "../ports/pause.ts"

/** They grow, and with them goes the order; some are the servers' own. 0: none. */
export type StreamSequence = number

/**
 * What goes beside the data of a message; names as they are written, values of printable ASCII without spaces at their ends. Names that
 * begin with `Nats-` are for the servers, and are not told.
 */
export type Headers = Readonly<Record<string, string>>

export interface Append {
  readonly subject: string
  readonly headers: Headers
  readonly data: Uint8Array
  /** The last message of the subject must be this one; 0: there must be none. Undefined: it may be any. */
  readonly expected?: StreamSequence | undefined
  /** It takes the place of all that the subject has. */
  readonly rollup?: boolean | undefined
  /** Seconds after which it is gone, at least 1; undefined: it stays as long as the stream keeps things. */
  readonly lifetime?: number | undefined
}

/** All of a batch are there, with the sequences up to `last` in their order; or none. */
export type Appended =
  | { readonly last: StreamSequence }
  /** One of them expected another last message of its subject. */
  | { readonly refused: string }
  /**
   * Nobody knows whether they are there, or will be: they may still come, also behind what is appended later. So a batch that must not
   * be there twice expects something that it changes itself. One line: what failed, where, what to do. `final`: none is there, and none
   * ever will be, as one of them is not what servers take.
   */
  | { readonly failed: string; readonly final?: true | undefined }

export interface StreamMessage {
  readonly sequence: StreamSequence
  readonly subject: string
  readonly headers: Headers
  /** The receiver's. */
  readonly data: Uint8Array
  /** Of what is retained: where the partitions have it. */
  readonly origin?: { readonly partition: number; readonly sequence: StreamSequence } | undefined
}

export interface Failed {
  readonly failed: string
}

export interface Fetched {
  readonly messages: readonly StreamMessage[]
  /** All that there was up to this one, of what was asked for, has been told now. */
  readonly through: StreamSequence
  /** There may be some behind it that are there already: it ended as there were so many, or so many bytes. */
  readonly more: boolean
}

/** What a partition has for this node, from where it begins to follow it: each message once, in its order, whatever servers end. */
export interface Following {
  /**
   * From now on messages of these subjects come, which do not contain each other. What was asked for before and is asked for now has
   * no gap. Answers, when the servers know, with the last sequence that the stream had then: all later ones come, of the subjects that
   * are new; earlier ones may. A call before the last one was answered takes its place, and both are answered together. Failed: the
   * servers do not know yet, and are told by themselves as soon as they can be.
   */
  subjects(subjects: readonly string[]): Pause<{ readonly through: StreamSequence } | Failed>
  /** Nothing comes until it is resumed; what was under way may. */
  pause(): void
  resume(): void
}

export interface Streams {
  /** How many partitions there are: streams that are alike, named from 0. */
  readonly partitions: number
  /** Bytes of data that a message has at most. It may become another. */
  readonly largest: number
  /** Messages of one batch at most. */
  readonly batch: number
  /** The servers can be reached. */
  readonly reachable: boolean
  /** Why no messages should be appended any more; what is appended all the same is taken. Undefined: there is room. */
  readonly full: string | undefined
  /** Called when that changes. One at a time. */
  onReachable: (reachable: boolean) => void

  /** Appends all of them or none. Several may be under way; they come in the order in which they were handed over. */
  append(partition: number, batch: readonly Append[]): Pause<Appended>
  /** The last message of a subject; undefined: there is none. */
  last(partition: number, subject: string): Pause<StreamMessage | undefined | Failed>
  /** All messages of a subject, the oldest first: no more than a snapshot and what came after it. */
  all(partition: number, subject: string): Pause<readonly StreamMessage[] | Failed>
  /** The message with this sequence; undefined: it is gone. */
  at(partition: number, sequence: StreamSequence): Pause<StreamMessage | undefined | Failed>
  /**
   * Up to `most` messages of these subjects, which do not contain each other, after `after`, the oldest first; fewer where they are
   * large.
   */
  fetch(partition: number, subjects: readonly string[], after: StreamSequence, most: number): Pause<Fetched | Failed>
  /** Follows a partition from its end on, at first with no subjects. Once for each partition. */
  follow(partition: number, arrived: (message: StreamMessage) => void): Following

  /**
   * Follows the last message of each topic that is retained, which servers copy from all partitions: first those that there are, and
   * `arrived` with undefined behind the last of these; then each that comes.
   */
  followRetained(arrived: (message: StreamMessage | undefined) => void): void

  /** To whoever listens now, on other nodes; nobody keeps it. In the order of the calls. */
  tell(subject: string, headers: Headers, data: Uint8Array): void
  /** What others tell on a subject that matches; NATS's wildcards. Once for each of them that is listened to. */
  listen(subject: string, told: (message: Omit<StreamMessage, "sequence">) => void): { stop(): void }
  /** The listeners that there are now stand at the servers. */
  settled(): Pause<undefined | Failed>

  /** Asks another node. @param timeout milliseconds */
  ask(subject: string, data: Uint8Array, timeout: number): Pause<Uint8Array | Failed>
  /** Answers what others ask. */
  answer(subject: string, asked: (data: Uint8Array, answer: (data: Uint8Array) => void) => void): void

  /** Ends the connection, after what is under way. */
  close(): Pause<void>
}
