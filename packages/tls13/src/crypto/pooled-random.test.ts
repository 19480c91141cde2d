import { describe, expect, it } from "vitest"
import { toHex } from "../bytes/hex.ts"
import { hostRandom } from "./noble/index.ts"
import { pooledRandom } from "./pooled-random.ts"

describe("random bytes in bulk", () => {
  it("are of the length that is asked for, and never come twice", () => {
    const random = pooledRandom(hostRandom)
    const seen = new Set<string>()
    for (let round = 0; round < 500; round++) {
      const bytes = random(16)
      expect(bytes).toHaveLength(16)
      seen.add(toHex(bytes))
    }
    expect(seen.size).toBe(500)
  })

  it.each([0, 1, 127, 128, 129, 1024, 5000])("of %i bytes are in memory of their own", (length) => {
    const random = pooledRandom(hostRandom)
    for (let round = 0; round < 40; round++) {
      const bytes = random(length)
      expect([bytes.length, bytes.buffer.byteLength]).toEqual([length, length])
    }
  })

  it("fill all of it: no byte stays zero", () => {
    const random = pooledRandom(hostRandom)
    for (const length of [7, 100, 128, 300]) {
      const missing = new Set(Array.from({ length }, (_, at) => at))
      for (let round = 0; round < 40; round++)
        random(length).forEach((byte, at) => void (byte !== 0 && missing.delete(at)))
      expect([...missing]).toEqual([])
    }
  })

  it("are asked of the source a kilobyte at a time, and are no longer in it when they are given", () => {
    const drawn: Uint8Array[] = []
    const source = (length: number) => {
      drawn.push(hostRandom(length))
      return drawn.at(-1)!
    }
    const random = pooledRandom(source)
    const given = Array.from({ length: 33 }, () => random(32))
    expect(drawn.map(({ length }) => length)).toEqual([1024, 1024])
    // The source's own arrays stay as they are.
    expect(toHex(given[0]!)).toBe(toHex(drawn[0]!.subarray(0, 32)))
    expect(toHex(given[32]!)).toBe(toHex(drawn[1]!.subarray(0, 32)))
  })

  it("are none of a source that gives another length", () => {
    expect(() => pooledRandom(() => new Uint8Array(3))(4)).toThrow(RangeError)
  })
})
