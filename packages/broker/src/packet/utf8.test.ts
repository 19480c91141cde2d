import { expect, it } from "vitest"
import { isWellFormed } from "./utf8.ts"

it("says of bytes what TextDecoder says", () => {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
  const known = (bytes: Uint8Array) => {
    try {
      decoder.decode(bytes)
      return true
    } catch {
      return false
    }
  }
  // Every first byte beyond ASCII, and after it up to three of each kind that makes a difference.
  const ends = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff]
  let good = 0
  for (let first = 0x7f; first <= 0xff; first++) {
    for (const second of ends) {
      const tails = [
        [],
        ...ends.map((third) => [third]),
        ...ends.flatMap((third) => ends.map((fourth) => [third, fourth])),
      ]
      for (const tail of tails) {
        const bytes = Uint8Array.of(0x61, first, second, ...tail)
        const is = known(bytes)
        if (is) good++
        if (isWellFormed(bytes, 0, bytes.length) !== is) expect(`${bytes} is well-formed: ${!is}`).toBe(`${is}`)
      }
    }
  }
  expect(good).toBeGreaterThan(500)
})

it("looks at a part of the bytes, and nothing beyond it", () => {
  const bytes = Uint8Array.of(0xff, 0xc3, 0xa4, 0xff)
  expect(isWellFormed(bytes, 1, 3)).toBe(true)
  expect(isWellFormed(bytes, 1, 2)).toBe(false)
  expect(isWellFormed(bytes, 1, 1)).toBe(true)
})
