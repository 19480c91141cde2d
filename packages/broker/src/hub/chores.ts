// Work for many clients at once that nobody waits for: it is done in turns, so that what clients send is answered between
// them. What is dear in such work is routing, wills above all, and that is what a turn is measured by.

/** Nodes of the subscription tree, deliveries and steps that one turn may cost: some 10 milliseconds. */
export const workPerTurn = 20_000

/** One step each time it is asked, which says what it has cost beside routing; 1 when it says nothing. One that throws is over. */
export type Chore = Iterator<number | undefined, void, undefined>

export class Chores {
  readonly #waiting: Chore[] = []
  readonly #routed: () => number

  /** @param routed what routing has cost since the beginning */
  constructor(routed: () => number) {
    this.#routed = routed
  }

  /** True when there is something left to do. */
  get due(): boolean {
    return this.#waiting.length > 0
  }

  /** To be done after those that wait already. */
  add(chore: Chore): void {
    this.#waiting.push(chore)
  }

  /** Does one turn's share. */
  run(): void {
    const before = this.#routed()
    for (let steps = 0; steps + this.#routed() - before < workPerTurn; ) {
      const chore = this.#waiting[0]
      if (chore === undefined) return
      let goesOn = false
      try {
        const { done, value } = chore.next()
        goesOn = done !== true
        steps += value ?? 1
      } finally {
        if (!goesOn) this.#waiting.shift()
      }
    }
  }
}
