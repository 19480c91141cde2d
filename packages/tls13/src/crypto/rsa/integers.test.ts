import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { invertMod } from "./integers.ts"

/** Step by step. */
function euclid(value: bigint, modulus: bigint): bigint | undefined {
  let [old, rest] = [value % modulus, modulus]
  let [oldFactor, factor] = [1n, 0n]
  while (rest !== 0n) {
    const quotient = old / rest
    ;[old, rest] = [rest, old - quotient * rest]
    ;[oldFactor, factor] = [factor, oldFactor - quotient * factor]
  }
  return old === 1n ? ((oldFactor % modulus) + modulus) % modulus : undefined
}

const random = (bits: number): bigint =>
  BigInt(`0x0${randomBytes(Math.ceil(bits / 8)).toString("hex")}`) % 2n ** BigInt(bits)

describe("inverses by leading bits are those of Euclid's algorithm", () => {
  it("for all numbers below 200, with those that have none", () => {
    for (let modulus = 2n; modulus < 200n; modulus++)
      for (let value = 0n; value < 2n * modulus; value++)
        expect(invertMod(value, modulus), `${value} modulo ${modulus}`).toBe(euclid(value, modulus))
  })

  it.each([8, 30, 51, 52, 53, 54, 64, 105, 128, 256, 521, 2048])(
    "for any of %i bits, and what they have in common",
    (bits) => {
      for (let round = 0; round < 200; round++) {
        const modulus = random(bits) + 2n
        for (const value of [random(bits), random(bits >> 1), modulus - 1n, modulus - random(bits >> 1)])
          if (value >= 0n) expect(invertMod(value, modulus)).toBe(euclid(value, modulus))
      }
    },
  )

  it("for those whose quotients are all 1, are large, or look alike from above", () => {
    let [before, fibonacci] = [1n, 2n]
    for (let i = 0; i < 400; i++) {
      ;[before, fibonacci] = [fibonacci, before + fibonacci]
      expect(invertMod(before, fibonacci)).toBe(euclid(before, fibonacci))
    }
    for (let bits = 2n; bits < 600n; bits++) {
      const modulus = 2n ** bits - 1n
      for (const value of [
        2n,
        3n,
        2n ** (bits / 2n),
        2n ** (bits / 2n) + 1n,
        modulus - 1n,
        modulus - 2n,
        modulus / 2n,
        modulus / 3n,
      ])
        expect(invertMod(value, modulus), `${value} modulo ${modulus}`).toBe(euclid(value, modulus))
    }
  })
})
