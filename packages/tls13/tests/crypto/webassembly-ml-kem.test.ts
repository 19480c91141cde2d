import { randomBytes } from "node:crypto"
import { __tests as noble } from "@noble/post-quantum/ml-kem.js"
import { describe, expect, it } from "vitest"
import { createMlKem768, createMlKem1024 } from "../../src/crypto/fast-pq/index.ts"
import { mlKem768, mlKem1024 } from "../../src/crypto/noble-pq/index.ts"
import { assemblyModule, manyPoints, manyTimes } from "./assembly-module.ts"
import { expectNothingLeft, watched } from "./watched-memory.ts"

// The kernel of ML-KEM against noble and plain arithmetic: polynomials at the limits that polynomials.ts claims, coding of every
// number, and whole operations.

const q = 3329
const modulo = (value: number): number => ((value % q) + q) % q
const parts = await assemblyModule("ml-kem/polynomials", "ml-kem/coding", "ml-kem/sample", "ml-kem/sponge")

describe("parts of ML-KEM", () => {
  const { call, bytes, room } = parts
  // Four factors, and what else there is: more than the room that is promised, far behind all that is used.
  const [f, out, text] = [room - 1024, room - 512, room] as const
  const factors = text
  const words = new Int16Array(bytes.buffer)
  const at = (address: number): number[] => [...words.subarray(address / 2, address / 2 + 256)]
  const write = (address: number, values: readonly number[]): void => words.set(values, address / 2)
  /** Coefficients up to a limit: all there with one sign, with both, few, or random. */
  const polynomial = (limit: number, kind: number): number[] =>
    Array.from({ length: 256 }, (_, i) => {
      const share = [1, -1, i % 2 ? 1 : -1, i % 3 ? 0 : -1, (randomBytes(1)[0]! & 2) - 1][kind % 6]
      return Math.trunc(limit * (share ?? randomBytes(4).readInt32BE() / 2 ** 31))
    })
  const expectBelow = (values: readonly number[], limit: number): void => {
    for (const value of values) expect(Math.abs(value)).toBeLessThanOrEqual(limit)
  }

  it("FIPS 203 algorithm 9: NTT of coefficients up to 1.1 q, reduced", () => {
    for (let round = 0; round < 60 * manyTimes; round++) {
      const from = polynomial(1.1 * q, round)
      write(f, from)
      call.transform!(f)
      expectBelow(at(f), 0.64 * q)
      expect(at(f).map(modulo)).toEqual([...noble.NTT(from.map(modulo))])
    }
  })

  it("FIPS 203 algorithm 10: the inverse of NTT of coefficients up to q, times 2^16", () => {
    for (let round = 0; round < 60 * manyTimes; round++) {
      const from = polynomial(q, round)
      write(f, from)
      call.restore!(f)
      expectBelow(at(f), 0.65 * q)
      const wanted = [...noble.NTT_inv(from.map(modulo))].map((value) => modulo(value * 2 ** 16))
      expect(at(f).map(modulo)).toEqual(wanted)
    }
  })

  it("FIPS 203 algorithm 11: sums of one product to four, of coefficients up to 4095 and reduced ones", () => {
    for (let round = 0; round < 60 * manyTimes; round++) {
      const [a, b] = [polynomial(4095, round), polynomial(0.64 * q, Math.floor(round / 6))]
      const count = 1 + (round % 4)
      write(f, a)
      write(out, b)
      call.factorOf!(factors, out)
      expectBelow(at(factors), 0.64 * q)
      // A stride of nothing takes the polynomial again.
      for (let i = 1; i < count; i++) bytes.copyWithin(factors + 1024 * i, factors, factors + 1024)
      call.innerProduct!(out, f, 0, factors, count)
      expectBelow(at(out), 0.82 * q)
      const product = [...noble.MultiplyNTTs(a.map(modulo), b.map(modulo))]
      expect(at(out).map((value) => modulo(value * 2 ** 16))).toEqual(product.map((value) => modulo(value * count)))
      const before = at(out)
      call.fromMontgomery!(out)
      expect(at(out).map(modulo)).toEqual(before.map((value) => modulo(value * 2 ** 16)))
    }
  })

  it("adds, subtracts and makes canonical", () => {
    for (let round = 0; round < 60 * manyTimes; round++) {
      const [a, b] = [polynomial(4 * q, round), polynomial(4 * q, Math.floor(round / 6))]
      for (const [name, wanted] of [
        ["add", a.map((value, i) => modulo(value + b[i]!))],
        ["subtractFrom", a.map((value, i) => modulo(b[i]! - value))],
      ] as const) {
        write(f, a)
        write(out, b)
        call[name]!(f, out)
        expectBelow(at(f), 0.64 * q)
        call.canonical!(f)
        expect(at(f)).toEqual(wanted)
      }
    }
  })

  it("FIPS 203 section 4.2.1: compresses every number, and restores every one", () => {
    for (const d of [1, 4, 5, 10, 11]) {
      for (let from = 0; from < 4096; from += 256) {
        const numbers = Array.from({ length: 256 }, (_, i) => Math.min(from + i, q - 1))
        write(f, numbers)
        call.compress!(text, f, BigInt(d))
        const wanted = numbers.map((value) => Math.round((2 ** d * value) / q) % 2 ** d)
        expect(bytes.slice(text, text + 32 * d)).toEqual(noble.ByteEncode_d(Uint16Array.from(wanted), d))
        call.decompress!(f, text, BigInt(d))
        expect(at(f)).toEqual(wanted.map((value) => Math.round((q * value) / 2 ** d)))
      }
    }
  })

  it("FIPS 203 section 7.2: encodes every number, and tells those that are not below q wherever they are", () => {
    for (let from = 0; from < 4096; from += 256) {
      const numbers = Array.from({ length: 256 }, (_, i) => from + i)
      write(f, numbers)
      call.encode!(text, f)
      const isGood = numbers.every((value) => value < q)
      write(f, numbers.fill(0))
      expect(call.decode!(f, text) === 1).toBe(isGood)
      expect(at(f)).toEqual(numbers.map((_, i) => from + i))
    }
    for (let i = 0; i < 256; i++) {
      for (const value of [q - 1, q, 4095]) {
        const numbers = polynomial(q - 1, 5).map(Math.abs)
        numbers[i] = value
        write(f, numbers)
        call.encode!(text, f)
        expect(call.decode!(f, text) === 1).toBe(value < q)
      }
    }
  })
})

const { kernel: first, memory } = watched(() => {
  const mlKem = createMlKem768()
  expect(mlKem.kernel()).toBe("WebAssembly")
  return mlKem
})

describe.each([
  { name: "ML-KEM-768", own: first, other: mlKem768() },
  { name: "ML-KEM-1024", own: createMlKem1024(), other: mlKem1024() },
])("$name", ({ own, other }) => {
  const edges = (length: number): readonly Uint8Array[] => [new Uint8Array(length), new Uint8Array(length).fill(255)]

  it("FIPS 203 6.1 to 6.3: is noble's, with random numbers and at edges; a wrong ciphertext gives the same other secret", () => {
    for (let i = 0; i < 24 * manyPoints; i++) {
      const [seed, m] = [edges(64)[i] ?? randomBytes(64), edges(32)[i] ?? randomBytes(32)]
      const { publicKey, secretKey } = own.keygen(seed)
      expect({ publicKey, secretKey }).toEqual(other.keygen(seed))
      const { cipherText, sharedSecret } = own.encapsulate(publicKey, m)
      expect({ cipherText, sharedSecret }).toEqual(other.encapsulate(publicKey, m))
      expect(own.decapsulate(cipherText, secretKey)).toEqual(sharedSecret)
      const wrong = i % 8 === 0 ? randomBytes(cipherText.length) : cipherText
      wrong[(i * 37) % wrong.length]! ^= 1 << (i % 8)
      const rejected = own.decapsulate(wrong, secretKey)
      expect(rejected).toEqual(other.decapsulate(wrong, secretKey))
      expect(rejected).not.toEqual(sharedSecret)
    }
  })

  it("FIPS 203 6.3: every bit of the first and the last bytes of a ciphertext counts", () => {
    const { publicKey, secretKey } = own.keygen(randomBytes(64))
    const { cipherText, sharedSecret } = own.encapsulate(publicKey, randomBytes(32))
    for (const at of [0, 1, 7, 8, cipherText.length - 9, cipherText.length - 1]) {
      for (let bit = 0; bit < 8; bit++) {
        const wrong = cipherText.slice()
        wrong[at]! ^= 1 << bit
        expect(own.decapsulate(wrong, secretKey)).not.toEqual(sharedSecret)
      }
    }
  })

  it("FIPS 203 7.2 and 7.3: refuses lengths, coefficients of q and more at each place, and a key that is not its hash's", () => {
    const { publicKey, secretKey } = own.keygen(randomBytes(64))
    const m = randomBytes(32)
    const { cipherText } = own.encapsulate(publicKey, m)
    for (let i = 0; i + 32 < publicKey.length; i += 3) {
      const bad = publicKey.slice()
      // q is 0xd01: the lower coefficient of three bytes, or the upper.
      bad.set(i % 2 ? [0x01, (bad[i + 1]! & 0xf0) | 0x0d] : [(bad[i + 1]! & 0x0f) | 0x10, 0xd0], i % 2 ? i : i + 1)
      expect(() => own.encapsulate(bad, m)).toThrow(RangeError)
      expect(() => other.encapsulate(bad, m)).toThrow()
    }
    for (const wrong of [publicKey.subarray(1), new Uint8Array(0), new Uint8Array(publicKey.length + 1)]) {
      expect(() => own.encapsulate(wrong, m)).toThrow(RangeError)
    }
    expect(() => own.encapsulate(publicKey, m.subarray(1))).toThrow(RangeError)
    expect(() => own.keygen(m)).toThrow(RangeError)
    expect(() => own.decapsulate(cipherText.subarray(1), secretKey)).toThrow(RangeError)
    expect(() => own.decapsulate(cipherText, secretKey.subarray(1))).toThrow(RangeError)
    const changed = secretKey.slice()
    changed[secretKey.length - 100]! ^= 1
    expect(() => own.decapsulate(cipherText, changed)).toThrow(RangeError)
  })

  it("leaves nothing of a call in its memory, but the matrix that the public seed makes", () => {
    const seed = randomBytes(64)
    const { publicKey, secretKey } = own.keygen(seed)
    const { cipherText } = own.encapsulate(publicKey, randomBytes(32))
    const matrix = memory.slice()
    const wrong = cipherText.slice().fill(1, 0, 9)
    // The same key has the same matrix; the vector of the key is public, too, and is forgotten.
    for (const call of [
      () => own.keygen(new Uint8Array([...seed.subarray(0, 32), ...randomBytes(32)])),
      () => own.encapsulate(publicKey, randomBytes(32)),
      () => own.decapsulate(cipherText, secretKey),
      () => own.decapsulate(wrong, secretKey),
    ]) {
      expectNothingLeft(memory, call)
      expect(Buffer.compare(memory, matrix)).toBe(0)
    }
  })
})
