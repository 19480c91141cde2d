/** How many there are of each, by a name. */
export class Tally {
  readonly #counts: Map<string, number> = new Map()

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  add(name: string): void {
    this.#counts.set(name, this.of(name) + 1)
  }

  /** One less; what nobody is counted for takes no memory. */
  remove(name: string): void {
    const left = this.of(name) - 1
    if (left > 0) this.#counts.set(name, left)
    else this.#counts.delete(name)
  }
}
