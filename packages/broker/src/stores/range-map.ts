/**
 * A Map of numbers that mostly grow, in parts of 4,096: one Map of a million would hold everything up for 100 ms when it grows.
 * Its order is that of the parts, and in each that in which keys came.
 */
export class RangeMap<Value> {
  readonly #parts: Map<number, Map<number, Value>> = new Map()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(key: number): Value | undefined {
    return this.#parts.get(Math.floor(key / range))?.get(key)
  }

  set(key: number, value: Value): void {
    const number = Math.floor(key / range)
    let part = this.#parts.get(number)
    if (part === undefined) {
      part = new Map()
      this.#parts.set(number, part)
    }
    const before = part.size
    part.set(key, value)
    this.#size += part.size - before
  }

  delete(key: number): void {
    const number = Math.floor(key / range)
    const part = this.#parts.get(number)
    if (part?.delete(key) !== true) return
    this.#size--
    if (part.size === 0) this.#parts.delete(number)
  }

  *entries(): Generator<[number, Value], void, undefined> {
    for (const part of this.#parts.values()) yield* part
  }
}

const range = 4096
