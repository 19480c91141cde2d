import type { Random } from "./random.ts"

/** A way into the stack. */
export interface Target {
  readonly name: string
  /**
   * One execution.
   * @returns what became of it, in words without numbers: executions of one outcome are alike, and a new one is worth keeping
   * @throws anything at all: a crash
   */
  run(random: Random): Outcome
  /** Of one with a state machine: every step that was taken in any execution, and the rows of the table. */
  readonly steps?: { readonly walked: ReadonlySet<string>; readonly rows: readonly string[] }
}

export interface Outcome {
  readonly words: string
  /** What to keep in the corpus when the outcome is new; undefined: the execution's seed is it. */
  readonly input?: Uint8Array
  /** Holds what the execution made, for a measurement of what it retains. */
  readonly kept?: unknown
}

/** A rule was broken without an exception. */
export class Violation extends Error {
  override readonly name = "Violation"
}

/** The sentence of an error, without its numbers and names: what errors have in common. */
export function wordsOf(error: {
  readonly name: string
  readonly message: string
  readonly alert?: string | undefined
}): string {
  const sentence = error.message.replace(/"[^"]*"/g, '""').replace(/0x[0-9a-f]+|\d+/g, "#")
  return `${error.name} ${error.alert ?? ""}: ${sentence}`
}
