// What was seen of the metrics, one look after the other: the newest, those of lately, and the points of the charts between them.

import { type Numbers, type Point, pointOf } from "./numbers.ts"

/** Milliseconds: what is "lately" is since then, or since it was begun to look. */
export const lately = 300_000

export class History {
  readonly #mostPoints: number
  readonly #leastBetween: number
  #last: Numbers | undefined
  #lately: readonly Numbers[] = []
  #points: readonly Point[] = []

  /** @param leastBetween milliseconds: of a look that comes sooner after another no rate could be told */
  constructor(mostPoints: number, leastBetween: number = 0) {
    this.#mostPoints = mostPoints
    this.#leastBetween = leastBetween
  }

  /** The newest; undefined: there was no look yet. */
  get last(): Numbers | undefined {
    return this.#last
  }

  /** The oldest of lately. */
  get earlier(): Numbers | undefined {
    return this.#lately[0]
  }

  get points(): readonly Point[] {
    return this.#points
  }

  add(taken: Numbers): void {
    const before = this.#lately.at(-1)
    this.#last = taken
    // It was started anew: what it counts begins again.
    if (before === undefined || before.uptimeSeconds > taken.uptimeSeconds) {
      this.#lately = [taken]
      return
    }
    if (taken.at - before.at < this.#leastBetween) return
    this.#points = [...this.#points.slice(1 - this.#mostPoints), pointOf(taken, before)]
    this.#lately = [...this.#lately.filter(({ at }) => at > taken.at - lately), taken]
  }

  /** Nothing is seen from here on: lines of the charts are broken. */
  gap(): void {
    const { at } = this.#points.at(-1) ?? {}
    if (at !== undefined) this.#points = [...this.#points.slice(1 - this.#mostPoints), { at: at + 1, values: {} }]
  }
}
