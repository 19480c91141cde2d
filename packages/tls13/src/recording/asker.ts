// What a connection asks of what was passed in with its options: answered by that, and written down; or, in a replay, answered
// by what was written. The code in between (callbacks.ts) is the same for both.

import type { Pause } from "../bytes/pause.ts"

export interface Asker {
  /** True in a replay: what was passed in is not there, and is not asked. */
  readonly replays: boolean
  /** @param what names the question, such as `verifier.verify` */
  ask<Answer>(what: string, work: () => Answer | Pause<Answer>, form?: Form<Answer>): Answer | Pause<Answer>
}

/** How an answer is written that is more than plain data. */
export interface Form<Answer> {
  /** What is written: plain data, and bytes. */
  plain(answer: Answer): unknown
  /** The answer that the connection gets while it is recorded, in the place of what was answered. */
  live(answer: Answer): Answer
  /** The answer in a replay, of what was written. */
  revive(plain: unknown): Answer
}

/** Plain data is written as it is. What a file has is of no type that anybody could vouch for: the core takes it as it takes any callback's. */
export function asItIs<Answer>(): Form<Answer> {
  return { plain: (answer) => answer, live: (answer) => answer, revive: (plain) => plain as Answer }
}
