// Hands turns to a store as a hub does, and looks at what a store has afterwards.

import type { Change } from "../../src/packet/change.ts"
import { Pause } from "../../src/ports/pause.ts"
import type { Committed, Store } from "../../src/ports/store.ts"

export function answerOf<T>(answer: T | Pause<T>): Promise<T> {
  if (!(answer instanceof Pause)) return Promise.resolve(answer)
  return new Promise((resolve) => answer.onAnswer(resolve))
}

export async function restored(store: Store): Promise<Change[]> {
  const changes: Change[] = []
  const answer = await answerOf(store.restore((change) => changes.push(change)))
  if (answer !== "restored") throw new Error(answer.failed)
  return changes
}

export interface Handed {
  /** How many turns were committed. */
  committed: number
  /** What the store said when it failed. */
  readonly failures: string[]
}

/**
 * Hands over `turns`, at most `ahead` of them without answer. Those that fail are handed over again, in their order, until it
 * has failed `patience` times.
 */
export async function handOver(
  store: Store,
  turns: readonly (readonly Change[])[],
  ahead = 1,
  patience = 50,
): Promise<Handed> {
  const result: Handed = { committed: 0, failures: [] }
  while (result.committed < turns.length && result.failures.length < patience) {
    const answers: Promise<Committed>[] = []
    for (const turn of turns.slice(result.committed, result.committed + ahead)) {
      const answer = store.commit(turn)
      answers.push(answerOf(answer))
      // Who is told at once hands over nothing that comes after it.
      if (typeof answer === "object" && "failed" in answer) break
    }
    await new Promise((resolve) => setImmediate(resolve)) // what else the store does goes on
    let failed = false
    for (const answer of await Promise.all(answers)) {
      if (answer !== "committed") {
        result.failures.push(answer.failed)
        failed = true
      } else if (failed) throw new Error("a turn was committed after one that was not")
      else result.committed++
    }
    if (failed) await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return result
}
