// Chance that can be had again: the same seed asks the same questions, so that a class has one quiz.

import { seededRandom } from "../run/seeded.ts"

export interface Chance {
  /** 0 to `below` - 1. */
  below(below: number): number
  /** @throws RangeError when there is nothing to take */
  one<Value>(values: readonly Value[]): Value
  /** In another order. */
  shuffled<Value>(values: readonly Value[]): readonly Value[]
}

/** @param seed 0 to 2^32-1 */
export function chanceOf(seed: number, purpose: string): Chance {
  const random = seededRandom(seed, purpose)
  const below = (limit: number) => random(4).reduce((sum, byte) => 256 * sum + byte, 0) % limit
  return {
    below,
    one(values) {
      if (values.length === 0) throw new RangeError("there is nothing to choose from")
      return values[below(values.length)]!
    },
    shuffled(values) {
      const rest = [...values]
      return values.map(() => rest.splice(below(rest.length), 1)[0]!)
    },
  }
}
