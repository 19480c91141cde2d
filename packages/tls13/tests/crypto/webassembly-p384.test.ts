import { randomBytes } from "node:crypto"
import { p384 as noble } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { p384Kernel } from "../../src/crypto/fast/webassembly/p384.ts"
import { assemblyModule, manyPoints, manyTimes } from "./assembly-module.ts"

// The kernel of P-384 against noble and BigInt: products at the limits that field.ts claims, and signatures at edges.

const p = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n
const order = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n
const r392 = 2n ** 392n
const modulo = (value: bigint, by: bigint): bigint => ((value % by) + by) % by
const bytesOf = (value: bigint): Uint8Array => new Uint8Array(Buffer.from(value.toString(16).padStart(96, "0"), "hex"))
const randomNumber = (): bigint => BigInt(`0x${randomBytes(48).toString("hex")}`)

const arithmetic = await assemblyModule("p384/field", "p384/products", "p384/order-products")

describe("arithmetic of P-384", () => {
  const { call, words, bytes, room } = arithmetic
  const [a, b, out, text] = [room, room + 64, room + 128, room + 192] as const
  const numberAt = (at: number): bigint => {
    let sum = 0n
    for (let i = 13; i >= 0; i--) sum = (sum << 28n) + BigInt(words[at / 4 + i]!)
    return sum
  }
  const limits = [...Array(13).fill(2 ** 27), 2 ** 21]
  /** Limbs as loose as is said: all at the limit with one sign, with both, few, or random. */
  const write = (at: number, looseness: number, kind: number): void => {
    for (const [i, limit] of limits.entries()) {
      const random = randomBytes(4).readInt32BE() / 2 ** 31
      const share = [1, -1, i % 2 ? 1 : -1, i % 3 ? 0 : -1, Math.sign(random), random][kind]!
      words[at / 4 + i] = Math.round(share * limit * looseness)
    }
  }
  const writeNumber = (at: number, value: bigint): void => {
    for (let i = 0; i < 14; i++)
      words[at / 4 + i] = Number(i < 13 ? (value >> BigInt(28 * i)) & 0xfffffffn : value >> 364n)
  }
  const expectReduced = (): void => {
    for (let i = 0; i < 13; i++) expect(Math.abs(words[out / 4 + i]!)).toBeLessThanOrEqual(2 ** 27)
    const value = numberAt(out)
    expect(value > -p && value < 2n * p).toBe(true)
  }

  it("multiplies k- and l-loose elements with k * l to 30, and squares 5-loose ones", () => {
    const pairs = [
      [2, 15],
      [3, 10],
      [5, 6],
      [6, 5],
      [15, 2],
      [1, 1],
    ] as const
    for (let round = 0; round < 1500 * manyTimes; round++) {
      const [k, l] = pairs[round % pairs.length]!
      write(a, k, round % 6)
      write(b, l, Math.floor(round / 6) % 6)
      call.multiply!(out, a, b)
      expect(modulo(numberAt(out) * r392 - numberAt(a) * numberAt(b), p)).toBe(0n)
      expectReduced()
      write(a, 5, round % 6)
      call.square!(out, a)
      expect(modulo(numberAt(out) * r392 - numberAt(a) ** 2n, p)).toBe(0n)
      expectReduced()
    }
  })

  it("carries sums without changing them", () => {
    for (let round = 0; round < 60 * manyTimes; round++) {
      write(out, 14, round % 6)
      const value = numberAt(out)
      call.reduceLimbs!(out)
      expect(numberAt(out)).toBe(value)
      for (let i = 0; i < 13; i++) expect(Math.abs(words[out / 4 + i]!)).toBeLessThanOrEqual(2 ** 27)
    }
  })

  it("reduces sums modulo p: to less than p in amount, with limbs that stay loose enough", () => {
    for (let round = 0; round < 120 * manyTimes; round++) {
      write(out, 14, round % 6)
      const value = numberAt(out)
      call.reduce!(out)
      expect(modulo(numberAt(out) - value, p)).toBe(0n)
      const amount = numberAt(out)
      expect(amount > -p && amount < p).toBe(true)
      for (let i = 0; i < 14; i++) expect(Math.abs(words[out / 4 + i]!)).toBeLessThanOrEqual(2 ** 27 + 2 ** 22)
    }
  })

  it("tells the one number that an element stands for, and its inverse", () => {
    const elements = [-15n, -2n, -1n, 0n, 1n, 2n, 15n].flatMap((multiple) =>
      [-2n, -1n, 0n, 1n, 2n, randomNumber()].map((step) => multiple * p + (step % p)),
    )
    const inverse = modulo(noble.Point.Fp.inv(r392 % p), p)
    for (const value of elements) {
      if (value > 15n * p || value < -15n * p) continue
      writeNumber(a, value)
      call.numberOfElement!(out, a)
      expect(numberAt(out)).toBe(modulo(value * inverse, p))
      call.toBytes!(text, out)
      expect(bytes.slice(text, text + 48)).toEqual(bytesOf(modulo(value * inverse, p)))
      call.reduce!(a)
      call.invert!(b, a)
      call.multiply!(out, b, a)
      call.numberOfElement!(out, out)
      expect(numberAt(out)).toBe(modulo(value, p) === 0n ? 0n : 1n)
    }
  })

  it("takes a number off once, where it can be", () => {
    for (let round = 0; round < 100 * manyTimes; round++) {
      const from = [0n, 1n, order - 1n, order, order + 1n, 2n * order - 1n][round] ?? randomNumber() % (2n * order)
      writeNumber(a, from)
      writeNumber(b, order)
      call.subtractOnce!(a, b)
      expect(numberAt(a)).toBe(from < order ? from : from - order)
    }
  })

  it("tells zero, which sums of elements can be in many ways", () => {
    for (const multiple of [-15n, -2n, -1n, 0n, 1n, 2n, 15n]) {
      for (const step of [-1n, 0n, 1n, 1n << 28n]) {
        writeNumber(a, multiple * p + step)
        expect(call.isZero!(a) === 1).toBe(step === 0n)
      }
    }
  })

  it("reads and writes numbers, and multiplies modulo the order", () => {
    const edges = [0n, 1n, order - 1n, order, order + 1n, p, 2n ** 384n - 1n, 2n ** 383n]
    for (let round = 0; round < 200 * manyTimes; round++) {
      const [x, y] = [edges[round % 12] ?? randomNumber(), edges[Math.floor(round / 12) % 12] ?? randomNumber()]
      for (const [at, value] of [
        [a, x],
        [b, y],
      ] as const) {
        bytes.set(bytesOf(value), text)
        call.numberOf!(at, text)
        expect(numberAt(at)).toBe(value)
        call.bytesOf!(text, at)
        expect(
          Buffer.from(bytes.slice(text, text + 48))
            .reverse()
            .equals(bytesOf(value)),
        ).toBe(true)
      }
      expect(call.isBelow!(a, b) === 1).toBe(x < y)
      expect(call.isCoordinate!(a) === 1).toBe(x < p)
      call.orderMultiply!(out, a, b)
      expect(modulo(numberAt(out) * r392 - x * y, order)).toBe(0n)
      expect(numberAt(out) < 2n * order).toBe(true)
    }
  })
})

const kernel = p384Kernel("auto")()!
const { BASE: base, Fp, Fn } = noble.Point
const coordinates = (point: typeof base): Uint8Array => point.toBytes(false).slice(1)

describe("multiples of points of P-384", () => {
  const powers = Array.from({ length: 383 }, (_, i) => 1n << BigInt(i)).filter((_, i) => i % 16 < 2 || i % 20 === 0)
  const near = Array.from({ length: 40 }, (_, i) => BigInt(i)).flatMap((i) => [i, order - i, (order >> 1n) + i])
  const patterns = [3n, 5n, 15n, 17n, 31n, 33n, 255n, 257n].map((divisor) => (2n ** 384n - 1n) / divisor)
  const edges = [...near, ...patterns, ...powers.flatMap((power) => [power - 1n, power, order - power])]
  const scalars = edges.filter((value) => value > 0n && value < order)
  const randomOnes = Array.from({ length: 40 * manyPoints }, () => (randomNumber() % (order - 1n)) + 1n)

  it("are noble's: of the base point and of others, by scalars at edges, near 0 and near n", {
    timeout: 60_000,
  }, () => {
    const others = [base, base.negate(), base.double(), base.multiply(order - 16n), base.multiply(randomOnes[0]!)]
    for (const [i, scalar] of [...scalars, ...randomOnes].entries()) {
      const product = base.multiply(scalar)
      expect(kernel.multiplyBase(bytesOf(scalar))).toEqual(coordinates(product))
      const other = i % 3 === 0 ? product : others[i % others.length]!
      expect(kernel.multiply(bytesOf(scalar), coordinates(other))).toEqual(bytesOf(other.multiply(scalar).toAffine().x))
    }
  })

  it("RFC 9846 4.3.8.2: points are points of the curve with coordinates below p", () => {
    const good = coordinates(base.multiply(randomOnes[0]!))
    expect(kernel.isPoint(good)).toBe(true)
    // x = 0 has a y: the root of b.
    const root = Fp.sqrt(noble.Point.CURVE().b)
    expect(kernel.isPoint(new Uint8Array([...bytesOf(0n), ...bytesOf(root)]))).toBe(true)
    expect(kernel.isPoint(new Uint8Array([...bytesOf(p), ...bytesOf(root)]))).toBe(false)
    expect(kernel.isPoint(new Uint8Array(96))).toBe(false)
    expect(kernel.isPoint(new Uint8Array(96).fill(0xff))).toBe(false)
    for (let i = 0; i < 96; i++) {
      const bad = good.slice()
      bad[i]! ^= 1 << (i % 8)
      expect(kernel.isPoint(bad)).toBe(false)
      expect(kernel.multiply(bytesOf(2n), bad)).toBe(undefined)
    }
  })

  it("FIPS 186-5 6.4.1: s is (e + r d) / k, and none where it would be 0; hashes of n and more", () => {
    const hashes = [0n, 1n, order - 1n, order, order + 1n, 2n ** 384n - 1n]
    for (const [i, k] of [...scalars, ...randomOnes].entries()) {
      const d = scalars[(7 * i + 3) % scalars.length]!
      const e = hashes[i % 8] ?? randomNumber()
      const r = base.multiply(k).toAffine().x % order
      const s = Fn.mul(Fn.inv(k), modulo(e + r * d, order))
      expect(kernel.sign(bytesOf(k), bytesOf(d), bytesOf(e), randomBytes)).toEqual(
        new Uint8Array([...bytesOf(r), ...bytesOf(s)]),
      )
      // e = -r d.
      const none = bytesOf(modulo(-r * d, order))
      expect(kernel.sign(bytesOf(k), bytesOf(d), none, randomBytes)).toBe(undefined)
    }
  })
})

describe("signatures by keys of P-384", () => {
  const pair = (r: bigint, s: bigint): Uint8Array => new Uint8Array([...bytesOf(r), ...bytesOf(s)])

  it("FIPS 186-5 6.4.2: right and damaged ones, with hashes of 32, 48 and fewer bytes", () => {
    for (let i = 0; i < 40 * manyPoints; i++) {
      const secret = noble.utils.randomSecretKey()
      const hash =
        i === 0 ? new Uint8Array(48) : i === 1 ? new Uint8Array(48).fill(0xff) : randomBytes([48, 32, 20][i % 3]!)
      const padded = new Uint8Array([...new Uint8Array(48 - hash.length), ...hash])
      const signature = noble.sign(padded, secret, { prehash: false, lowS: false })
      const key = coordinates(noble.Point.fromBytes(noble.getPublicKey(secret)))
      expect(kernel.verify(signature, padded, key)).toBe(true)
      signature[i % 96]! ^= 1 << (i % 8)
      expect(kernel.verify(signature, padded, key)).toBe(false)
      signature[i % 96]! ^= 1 << (i % 8)
      key[(7 * i) % 96]! ^= 1 << (i % 8)
      expect(kernel.verify(signature, padded, key)).toBe(false)
    }
  })

  it("FIPS 186-5 6.4.2: sums that double, and that end at infinity", () => {
    const small = [1n, 2n, 3n, 15n, 63n, order - 1n, order - 2n]
    for (const q of small) {
      for (const u1 of [0n, ...small]) {
        for (const u2 of small) {
          const sum = modulo(u1 + u2 * q, order)
          const r = sum === 0n ? 1n : base.multiply(sum).toAffine().x % order
          // u2 = r / s and u1 = e / s.
          const s = Fn.mul(r, Fn.inv(u2))
          const verdict = kernel.verify(pair(r, s), bytesOf(Fn.mul(u1, s)), coordinates(base.multiply(q)))
          expect(verdict, `${u1} + ${u2} * ${q}`).toBe(sum !== 0n)
        }
      }
    }
  })

  it("FIPS 186-5 6.4.2: an r that is the x of a point less n; r and s are from 1 to n - 1; keys are points", () => {
    let x = order
    let y: bigint | undefined
    while (y === undefined) {
      x++
      try {
        y = Fp.sqrt(modulo(x ** 3n - 3n * x + noble.Point.CURVE().b, p))
      } catch {}
    }
    const r = x - order
    const [u1, s] = [11n, 13n]
    const u2 = Fn.mul(r, Fn.inv(s))
    const key = noble.Point.fromAffine({ x, y }).subtract(base.multiply(u1)).multiply(Fn.inv(u2))
    const hash = bytesOf(u1 * s)
    expect(kernel.verify(pair(r, s), hash, coordinates(key))).toBe(true)
    expect(kernel.verify(pair(r + 1n, s), hash, coordinates(key))).toBe(false)
    // High and low s are both right.
    expect(kernel.verify(pair(r, order - s), hash, coordinates(key))).toBe(true)
    for (const wrong of [0n, order, order + r, 2n ** 384n - 1n]) {
      expect(kernel.verify(pair(wrong, s), hash, coordinates(key))).toBe(false)
      expect(kernel.verify(pair(r, wrong), hash, coordinates(key))).toBe(false)
    }
    // The same point with a coordinate that is not below p: x = 0 has a y.
    const root = Fp.sqrt(noble.Point.CURVE().b)
    expect(kernel.verify(pair(r, s), hash, pair(p, root))).toBe(false)
    expect(kernel.verify(pair(r, s), hash, new Uint8Array(96))).toBe(false)
  })
})
