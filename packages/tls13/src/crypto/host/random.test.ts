import { describe, expect, it } from "vitest"
import { toHex } from "../../bytes/hex.ts"
import { pooledRandom } from "./random.ts"

describe("random bytes in bulk", () => {
  it("are of the length that is asked for, and never come twice", () => {
    const random = pooledRandom()
    const seen = new Set<string>()
    for (let round = 0; round < 500; round++) {
      const bytes = random(16)
      expect(bytes).toHaveLength(16)
      seen.add(toHex(bytes))
    }
    expect(seen.size).toBe(500)
  })

  it.each([0, 1, 127, 128, 129, 1024, 5000])("of %i bytes are in memory of their own", (length) => {
    const random = pooledRandom()
    for (let round = 0; round < 40; round++) {
      const bytes = random(length)
      expect([bytes.length, bytes.buffer.byteLength]).toEqual([length, length])
    }
  })

  it("fill all of it: no byte stays zero", () => {
    const random = pooledRandom()
    for (const length of [7, 100, 128, 300]) {
      const missing = new Set(Array.from({ length }, (_, at) => at))
      for (let round = 0; round < 40; round++)
        random(length).forEach((byte, at) => void (byte !== 0 && missing.delete(at)))
      expect([...missing]).toEqual([])
    }
  })
})
