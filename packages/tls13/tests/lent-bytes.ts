import { expect } from "vitest"

// Byte arrays as callers have them, and the promise that they stay the caller's: read, not written, not kept.

/** An array among guard bytes, with what all of its memory was when it was lent. */
interface Loan {
  readonly memory: Uint8Array
  readonly before: Uint8Array
}

const guard = 0xa5
/** Odd, so that nothing is aligned. */
const [ahead, behind] = [7, 5]

export const shapes = ["a Uint8Array", "a sub-array", "a Buffer", "a Buffer that is part of another"] as const
export type Shape = (typeof shapes)[number]

export class Lender {
  readonly #shape: Shape
  readonly #loans: Loan[] = []

  constructor(shape: Shape) {
    this.#shape = shape
  }

  lend(bytes: Uint8Array): Uint8Array {
    const isPart = this.#shape === "a sub-array" || this.#shape === "a Buffer that is part of another"
    const [from, after] = isPart ? [ahead, behind] : [0, 0]
    const memory = new Uint8Array(from + bytes.length + after).fill(guard)
    memory.set(bytes, from)
    this.#loans.push({ memory, before: new Uint8Array(memory) })
    return this.#shape.startsWith("a Buffer")
      ? Buffer.from(memory.buffer, from, bytes.length)
      : memory.subarray(from, from + bytes.length)
  }

  /** Nobody wrote into what was lent. */
  expectUntouched(what = ""): void {
    for (const { memory, before } of this.#loans) {
      if (!Buffer.from(memory).equals(before)) {
        expect.fail(`${what}: ${this.#shape} of the caller was ${toHex(before)} and is ${toHex(memory)}`)
      }
    }
  }

  /** `result` shares no memory with what was lent. */
  expectApart(result: Uint8Array, what = ""): void {
    const shared = this.#loans.some(({ memory }) => memory.buffer === result.buffer)
    if (shared) expect.fail(`${what}: the result is a view of ${this.#shape} that the caller gave`)
  }

  /** What a caller may do once a call is over: use its memory for something else. */
  reuse(): void {
    for (const { memory, before } of this.#loans) {
      memory.fill(0x3c)
      before.set(memory)
    }
  }
}

type Result = Uint8Array | boolean | number | undefined | readonly Uint8Array[]

/**
 * Calls `use` with the inputs in every shape, three times with the same arrays: each time it gives what it gives for plain
 * arrays, leaves the inputs as they are, and answers with plain arrays of its own, which may be wiped.
 */
export function expectLent<Name extends string>(
  what: string,
  inputs: Readonly<Record<Name, Uint8Array>>,
  use: (given: Record<Name, Uint8Array>) => Result,
): void {
  const inShape = (lend: (bytes: Uint8Array) => Uint8Array): Record<Name, Uint8Array> => {
    const given: Partial<Record<Name, Uint8Array>> = {}
    for (const name of Object.keys(inputs) as Name[]) given[name] = lend(inputs[name])
    return given as Record<Name, Uint8Array>
  }
  const wanted = copied(use(inShape((bytes) => new Uint8Array(bytes))))
  for (const shape of shapes) {
    const lender = new Lender(shape)
    const given = inShape((bytes) => lender.lend(bytes))
    for (let time = 1; time <= 3; time++) {
      const label = `${what}, ${shape}, time ${time}`
      const result = use(given)
      expect(copied(result), label).toEqual(wanted)
      lender.expectUntouched(label)
      for (const array of arraysOf(result)) {
        expect(Object.getPrototypeOf(array), `${label}: the result is a plain Uint8Array`).toBe(Uint8Array.prototype)
        lender.expectApart(array, label)
        array.fill(0)
      }
      lender.expectUntouched(`${label}, its result wiped`)
    }
  }
}

function arraysOf(result: Result): readonly Uint8Array[] {
  if (result instanceof Uint8Array) return [result]
  return typeof result === "object" ? result : []
}

function copied(result: Result): Result {
  if (result instanceof Uint8Array) return new Uint8Array(result)
  return typeof result === "object" ? result.map((each) => new Uint8Array(each)) : result
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex")
}
