import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import { bulk } from "../../src/crypto/fast/chacha20-poly1305/bulk.ts"
import { Poly1305 } from "../../src/crypto/fast/chacha20-poly1305/poly1305.ts"
import * as field25519 from "../../src/crypto/fast/curve25519/field25519.ts"
import * as products25519 from "../../src/crypto/fast/curve25519/field25519-products.ts"
import * as field256 from "../../src/crypto/fast/p256/field256.ts"
import * as products256 from "../../src/crypto/fast/p256/field256-products.ts"

// The floating-point arithmetic of crypto/fast against BigInt, at the limits that its files claim: if any sum needed more
// than 53 bits, these numbers would round.

/** The number that limbs stand for; each is a whole multiple of its unit, so nothing is lost. */
function numberOf(limbs: Float64Array): bigint {
  return limbs.reduce((sum, limb) => sum + BigInt(limb), 0n)
}

/** Limbs of up to `loose` times the reduced size: all at the limit with one sign, with both, or random. */
function limbs(exponents: readonly number[], loose: number, kind: number): Float64Array {
  return Float64Array.from({ length: 12 }, (_, i) => {
    const half = 2 ** (exponents[i + 1]! - exponents[i]! - 1)
    const share =
      kind === 0 ? 1 : kind === 1 ? -1 : kind === 2 ? (i % 2 ? 1 : -1) : randomBytes(4).readInt32BE() / 2 ** 31
    return Math.round(share * half * loose) * 2 ** exponents[i]!
  })
}

const modulo = (value: bigint, p: bigint): bigint => ((value % p) + p) % p

describe("field25519", () => {
  const p = 2n ** 255n - 19n
  const exponents = [0, 22, 43, 64, 85, 107, 128, 149, 170, 192, 213, 234, 255]
  /** A carry leaves a limb at half of the next unit, and the two that end the chains a little above. */
  const reduced = (a: Float64Array): boolean =>
    a.every((limb, i) => Math.abs(limb) <= 2 ** (exponents[i + 1]! - 1) + 2 ** exponents[i]! * 2 ** 12)

  it("multiplies k- and l-loose elements with k * l = 16 exactly, and reduces the result", () => {
    for (let round = 0; round < 400; round++) {
      const k = [1, 2, 4, 8][round % 4]!
      const [a, b] = [limbs(exponents, k, round % 5), limbs(exponents, 16 / k, Math.floor(round / 5) % 5)]
      const out = field25519.element()
      products25519.multiply(out, a, b)
      expect(modulo(numberOf(out) - numberOf(a) * numberOf(b), p)).toBe(0n)
      expect(reduced(out)).toBe(true)
      const d = limbs(exponents, 4, round % 5)
      products25519.square(out, d)
      expect(modulo(numberOf(out) - numberOf(d) ** 2n, p)).toBe(0n)
      expect(reduced(out)).toBe(true)
      const c = limbs(exponents, 1, round % 3)
      products25519.multiplySmallAndAdd(out, a, 121665, c)
      expect(modulo(numberOf(out) - numberOf(a) * 121665n - numberOf(c), p)).toBe(0n)
      expect(reduced(out)).toBe(true)
    }
  })

  it("writes the one representation below p, also of numbers around multiples of p and of negative ones", () => {
    const toBytes = (value: bigint): string => {
      const element = field25519.element()
      let rest = value
      for (let i = 11; i >= 0; i--) {
        const unit = 2n ** BigInt(exponents[i]!)
        const limb = i === 0 ? rest : rest / unit
        element[i] = Number(limb * unit)
        rest -= limb * unit
      }
      return Buffer.from(field25519.toBytes(element)).reverse().toString("hex")
    }
    for (const near of [0n, p, -p, 2n * p]) {
      for (const step of [-20n, -19n, -1n, 0n, 1n, 18n, 19n, 20n]) {
        expect(toBytes(near + step)).toBe(
          modulo(near + step, p)
            .toString(16)
            .padStart(64, "0"),
        )
      }
    }
  })
})

describe("field256", () => {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
  const r = 2n ** 264n
  const exponents = Array.from({ length: 13 }, (_, i) => 22 * i)
  // The highest limb holds what is left of a value below p.
  const element = (loose: number, kind: number): Float64Array => {
    const result = limbs(exponents, loose, kind)
    result[11] = Math.round(result[11]! / 2 ** (242 + 8)) * 2 ** 242
    return result
  }
  const reduced = (a: Float64Array): boolean =>
    a.every((limb, i) => Math.abs(limb) <= 2 ** (22 * i) * (i === 11 ? 2 ** 14 : 2 ** 21 + 2 ** 12))

  it("multiplies k- and l-loose elements with k * l = 64 exactly, and reduces the result", () => {
    const columns = new Float64Array(24)
    for (let round = 0; round < 500; round++) {
      const k = [1, 2, 4, 8][round % 4]!
      const [a, b] = [element(k, round % 5), element(64 / k, Math.floor(round / 5) % 5)]
      const out = field256.element()
      products256.multiply(out, a, b, columns)
      expect(modulo(numberOf(out) * r - numberOf(a) * numberOf(b), p)).toBe(0n)
      expect(reduced(out)).toBe(true)
      const c = element(8, round % 5)
      products256.square(out, c, columns)
      expect(modulo(numberOf(out) * r - numberOf(c) ** 2n, p)).toBe(0n)
      expect(reduced(out)).toBe(true)
    }
  })

  it("carries sums of sixteen without changing them", () => {
    for (let round = 0; round < 50; round++) {
      const a = element(16, round % 5)
      const out = field256.element()
      products256.carry(out, a)
      expect(numberOf(out)).toBe(numberOf(a))
    }
  })

  it("reads and writes bytes, those of p and above reduced", () => {
    const field = field256.createField()
    const bytes = (value: bigint): Uint8Array => Buffer.from(value.toString(16).padStart(64, "0"), "hex")
    for (const value of [0n, 1n, p - 1n, p, p + 1n, 2n ** 256n - 1n, 2n ** 96n, 2n ** 224n - 1n]) {
      const back = field256.toBytes(field, field256.fromBytes(field, bytes(value)))
      expect(Buffer.from(back).toString("hex")).toBe(modulo(value, p).toString(16).padStart(64, "0"))
    }
    expect(Buffer.from(field256.toBytes(field, field256.one(field))).toString("hex")).toBe("1".padStart(64, "0"))
  })

  it("inverts", () => {
    const field = field256.createField()
    for (let round = 0; round < 20; round++) {
      const a = field256.fromBytes(field, randomBytes(32))
      const inverse = field256.element()
      field256.invert(field, inverse, a)
      products256.multiply(inverse, inverse, a, field.columns)
      expect(field256.toBytes(field, inverse)).toEqual(field256.toBytes(field, field256.one(field)))
    }
  })
})

describe("Poly1305", () => {
  const p = 2n ** 130n - 5n

  /** RFC 8439 section 2.5.1, on whole blocks. */
  function reference(key: Uint8Array, message: Uint8Array): string {
    const little = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).reverse().toString("hex") || "0"}`)
    const r = little(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
    let a = 0n
    for (let at = 0; at < message.length; at += 16) {
      a = ((a + little(message.subarray(at, at + 16)) + 2n ** 128n) * r) % p
    }
    const tag = (a + little(key.subarray(16))) % 2n ** 128n
    return Buffer.from(tag.toString(16).padStart(32, "0"), "hex").reverse().toString("hex")
  }

  /** @param together whether the key stream, which is of no matter here, is computed with it for what is whole blocks of it */
  function ours(mac: Poly1305, key: Uint8Array, message: Uint8Array, together = false): string {
    const words = new Int32Array(8)
    for (let i = 0; i < 8; i++) words[i] = Buffer.from(key).readInt32LE(4 * i)
    mac.start(words)
    const whole = together ? message.length - (message.length % 64) : 0
    bulk(new Int32Array(16), mac, new Int32Array(Uint8Array.from(message.subarray(0, whole)).buffer), whole / 4, true)
    const rest = message.subarray(whole)
    mac.updatePadded(new DataView(rest.buffer, rest.byteOffset, rest.length), 0, rest.length)
    const tag = new Int32Array(4)
    mac.finish(tag)
    const bytes = Buffer.alloc(16)
    for (let i = 0; i < 4; i++) bytes.writeInt32LE(tag[i]!, 4 * i)
    return bytes.toString("hex")
  }

  it("RFC 8439 2.5: keys and messages of ones, zeros and random bytes, alone and mixed", () => {
    const mac = new Poly1305()
    for (let round = 0; round < 600; round++) {
      const fill = (length: number, kind: number): Uint8Array =>
        kind === 0
          ? new Uint8Array(length).fill(0xff)
          : kind === 1
            ? new Uint8Array(length)
            : new Uint8Array(randomBytes(length))
      const key = fill(32, round % 3)
      const message = fill(16 * (round % 40), Math.floor(round / 3) % 3)
      expect(ours(mac, key, message)).toBe(reference(key, message))
    }
  })

  it("RFC 8439 2.5: limbs of r and of h at their limits, alone and together with ChaCha20", () => {
    const mac = new Poly1305()
    const [most, half] = [2 ** 26 - 1, 2 ** 25]
    const kinds = [most, half - 2, half - 1, half, half + 1, half + 2, 0]
    for (let round = 0; round < 1500; round++) {
      // Numbers made of limbs of 26 bits that are all at one limit, or at any.
      const atLimits = (length: number, kind: number): Uint8Array => {
        let number = 0n
        for (let i = 0; 26 * i < 8 * length; i++) {
          number |= BigInt(kinds[(kind < kinds.length ? kind : randomBytes(1)[0]!) % kinds.length]!) << BigInt(26 * i)
        }
        const text = BigInt.asUintN(8 * length, number)
          .toString(16)
          .padStart(2 * length, "0")
        return new Uint8Array(Buffer.from(text, "hex").reverse())
      }
      const key = atLimits(32, round % 11)
      const block = atLimits(16, Math.floor(round / 11) % 11)
      const message = new Uint8Array(16 * (round % 30))
      for (let at = 0; at < message.length; at += 16) message.set(at % 48 === 0 ? block : atLimits(16, round % 11), at)
      const expected = reference(key, message)
      expect(ours(mac, key, message)).toBe(expected)
      expect(ours(mac, key, message, true)).toBe(expected)
    }
  })

  it("RFC 8439 A.3: sums that wrap around 2^130 - 5 and 2^128, tests 7 to 9 among them", () => {
    const mac = new Poly1305()
    const r = (first: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? first : 0))
    for (const [first, text] of [
      [1, `${"ff".repeat(16)}f0${"ff".repeat(15)}11${"00".repeat(15)}`],
      [1, `${"ff".repeat(16)}fb${"fe".repeat(15)}${"01".repeat(16)}`],
      [2, `fd${"ff".repeat(15)}`],
      [2, "ff".repeat(16)],
      [5, `${"ff".repeat(15)}3f`],
    ] as const) {
      const message = new Uint8Array(Buffer.from(text, "hex"))
      expect(ours(mac, r(first), message)).toBe(reference(r(first), message))
    }
  })
})
