// Checks that can be left out, one at a time: the build puts `isCut(NAME)` in front of the condition of each (build/checks.mjs).

class Cuts {
  #name: string | undefined

  get name(): string | undefined {
    return this.#name
  }

  /** Runs `work` as if the check did not exist. */
  without<T>(name: string | undefined, work: () => T): T {
    const before = this.#name
    this.#name = name
    try {
      return work()
    } finally {
      this.#name = before
    }
  }
}

const cuts: Cuts = new Cuts()

/** Whether the check of this name is left out now. */
export function isCut(name: string): boolean {
  return cuts.name === name
}

export function withoutCheck<T>(name: string | undefined, work: () => T): T {
  return cuts.without(name, work)
}
