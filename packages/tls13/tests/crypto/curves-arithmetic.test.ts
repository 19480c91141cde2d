import { randomBytes } from "node:crypto"
import { beforeAll, describe, expect, it } from "vitest"
import { type AssemblyModule, assemblyModule, manyTimes } from "./assembly-module.ts"

// The fields and orders of the WebAssembly kernels against BigInt, at the limits that their files claim: if any column needed
// more than 64 bits, or any limb more than 32, these numbers would wrap. PUREMQ_KERNEL_CASES=1000000 makes it so many of each kernel.

const modulo = (value: bigint, p: bigint): bigint => ((value % p) + p) % p

const [curve25519, p256, order, inverses] = await Promise.all([
  assemblyModule("curve25519/field", "curve25519/products"),
  assemblyModule("p256/field", "p256/products"),
  assemblyModule("curves/bytes", "curves/order", "curves/order-products"),
  assemblyModule("curves/inverse"),
])

/** Addresses for elements, and for bytes behind them. */
function places(module: AssemblyModule): readonly number[] {
  return Array.from({ length: 8 }, (_, i) => module.room + 64 * i)
}

function numberAt({ words }: AssemblyModule, at: number): bigint {
  let sum = 0n
  for (let i = 8; i >= 0; i--) sum = (sum << 29n) + BigInt(words[at / 4 + i]!)
  return sum
}

function write({ words }: AssemblyModule, at: number, limbs: readonly number[]): void {
  words.set(limbs, at / 4)
}

/** Limbs of a number, from 0 to 2^29; the highest with its sign. */
function limbsOf(value: bigint): number[] {
  return Array.from({ length: 9 }, (_, i) => Number(i < 8 ? (value >> BigInt(29 * i)) & 0x1fffffffn : value >> 232n))
}

/** A limb that is in the reach of `limit`, 0 to 1 times: all at the limit with one sign, with both, random, few, or none. */
function share(kind: number, i: number): number {
  if (kind < 3) return kind === 0 ? 1 : kind === 1 ? -1 : i % 2 ? 1 : -1
  if (kind === 3) return i % 3 === 0 ? -1 : 0
  const random = randomBytes(4).readInt32BE() / 2 ** 31
  return kind === 4 ? Math.sign(random) : random
}

const kinds = 7
const pairs = [
  [1, 7],
  [2, 7],
  [3, 5],
  [5, 3],
  [7, 2],
] as const

const smallPairs = [
  [1, 1],
  [1, 7],
  [2, 4],
  [4, 2],
] as const

/** Limbs as loose as is said, of one of the kinds. */
function loose(limits: readonly number[], looseness: number, kind: number): number[] {
  return limits.map((limit, i) => Math.round(share(kind, i) * limit * looseness))
}

describe("curve25519", () => {
  const p = 2n ** 255n - 19n
  const { call, bytes } = curve25519
  const [a, b, out, text] = places(curve25519) as [number, number, number, number]
  // A word holds 7 times these.
  const limits = [2 ** 28, 2 ** 28 + 2 ** 15, ...Array(6).fill(2 ** 28), 2 ** 22]
  const expectReduced = (): void => {
    for (const [i, limit] of limits.entries()) {
      expect(Math.abs(curve25519.words[out / 4 + i]!)).toBeLessThanOrEqual(limit)
    }
  }

  it("multiplies k- and l-loose elements with k * l to 15, and reduces the result", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      const [k, l] = pairs[round % pairs.length]!
      write(curve25519, a, loose(limits, k, round % kinds))
      write(curve25519, b, loose(limits, l, Math.floor(round / kinds) % kinds))
      call.multiply!(out, a, b)
      expect(modulo(numberAt(curve25519, out) - numberAt(curve25519, a) * numberAt(curve25519, b), p)).toBe(0n)
      expectReduced()
      const product = curve25519.words.slice(out / 4, out / 4 + 9)
      // In place.
      call.multiply!(b, a, b)
      expect(curve25519.words.slice(b / 4, b / 4 + 9)).toEqual(product)
    }
  })

  it("squares 3-loose elements, and reduces the result", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      write(curve25519, a, loose(limits, 3, round % kinds))
      call.square!(out, a)
      expect(modulo(numberAt(curve25519, out) - numberAt(curve25519, a) ** 2n, p)).toBe(0n)
      expectReduced()
    }
  })

  it("multiplies 7-loose elements by a small number and adds", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      write(curve25519, a, loose(limits, 7, round % kinds))
      write(curve25519, b, loose(limits, 7, Math.floor(round / kinds) % kinds))
      const factor = round % 2 ? 121665n : 2n ** 20n - 1n
      call.multiplySmallAndAdd!(out, a, factor, b)
      const expected = numberAt(curve25519, a) * factor + numberAt(curve25519, b)
      expect(modulo(numberAt(curve25519, out) - expected, p)).toBe(0n)
      expectReduced()
    }
  })

  it("writes the one representation below p, also of numbers around multiples of p and of negative and loose ones", () => {
    const expectBytes = (): void => {
      const value = numberAt(curve25519, a)
      call.toBytes!(text, a)
      expect(
        Buffer.from(bytes.slice(text, text + 32))
          .reverse()
          .toString("hex"),
      ).toBe(modulo(value, p).toString(16).padStart(64, "0"))
    }
    for (const near of [0n, p, -p, 2n * p, -2n * p, 2n ** 255n, 2n ** 256n - 1n]) {
      for (const step of [-20n, -19n, -1n, 0n, 1n, 18n, 19n, 20n]) {
        write(curve25519, a, limbsOf(near + step))
        expectBytes()
      }
    }
    for (let round = 0; round < 200 * manyTimes; round++) {
      write(curve25519, a, loose(limits, 7, round % kinds))
      expectBytes()
    }
  })

  it("reads bytes without their highest bit, and inverts", () => {
    for (let round = 0; round < 20 * manyTimes; round++) {
      const source = round === 0 ? Buffer.alloc(32, 0xff) : randomBytes(32)
      bytes.set(source, text)
      call.fromBytes!(a, text)
      const value = BigInt(`0x${Buffer.from(source).reverse().toString("hex")}`) % 2n ** 255n
      expect(numberAt(curve25519, a)).toBe(value)
      call.invert!(out, a)
      expect(modulo(numberAt(curve25519, out) * value, p)).toBe(1n)
    }
    write(curve25519, a, limbsOf(p))
    call.invert!(out, a)
    expect(modulo(numberAt(curve25519, out), p)).toBe(0n)
  })
})

describe("p256", () => {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
  const r = 2n ** 261n
  const { call, bytes, words } = p256
  const [a, b, out, sum, text] = places(p256) as [number, number, number, number, number]
  const limits = [...Array(8).fill(2 ** 28), 2 ** 25]
  const expectReduced = (): void => {
    for (const [i, limit] of limits.entries()) expect(Math.abs(words[out / 4 + i]!)).toBeLessThanOrEqual(limit)
  }
  const expectBetween0AndP = (): void => {
    const value = numberAt(p256, out)
    expect(value > -(2n ** 240n) && value < 2n ** 256n + 2n ** 240n).toBe(true)
  }

  it("multiplies k- and l-loose elements with k * l to 8, and reduces the result", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      const [k, l] = smallPairs[round % smallPairs.length]!
      write(p256, a, loose(limits, k, round % kinds))
      write(p256, b, loose(limits, l, Math.floor(round / kinds) % kinds))
      const product = numberAt(p256, a) * numberAt(p256, b)
      call.multiply!(out, a, b)
      expect(modulo(numberAt(p256, out) * r - product, p)).toBe(0n)
      expectReduced()
    }
  })

  it("adds a multiple of a sum to a product, and brings it between 0 and p", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      const [k, l] = pairs[round % pairs.length]!
      const factor = [-8, -6, -3, -1, 1, 3, 8][round % 7]!
      write(p256, a, loose(limits, k, round % kinds))
      write(p256, b, loose(limits, l, Math.floor(round / kinds) % kinds))
      write(p256, sum, loose(limits, 4, Math.floor(round / kinds / kinds) % kinds))
      const addend = numberAt(p256, sum) * BigInt(factor) * r
      call.multiplyAndAdd!(out, a, b, BigInt(factor), sum)
      expect(modulo(numberAt(p256, out) * r - numberAt(p256, a) * numberAt(p256, b) - addend, p)).toBe(0n)
      expectReduced()
      expectBetween0AndP()
      write(p256, a, loose(limits, 3, round % kinds))
      call.squareAndAdd!(out, a, BigInt(factor), sum)
      expect(modulo(numberAt(p256, out) * r - numberAt(p256, a) ** 2n - addend, p)).toBe(0n)
      expectReduced()
      expectBetween0AndP()
    }
  })

  it("squares 2-loose elements, and reduces the result", () => {
    for (let round = 0; round < 1000 * manyTimes; round++) {
      write(p256, a, loose(limits, 2, round % kinds))
      call.square!(out, a)
      expect(modulo(numberAt(p256, out) * r - numberAt(p256, a) ** 2n, p)).toBe(0n)
      expectReduced()
    }
  })

  it("reads and writes bytes, those of p and above reduced, and writes loose and negative elements", () => {
    const hexAt = (at: number): string => Buffer.from(bytes.slice(at, at + 32)).toString("hex")
    const hexOf = (value: bigint): string => modulo(value, p).toString(16).padStart(64, "0")
    const values = [
      0n,
      1n,
      2n,
      p - 2n,
      p - 1n,
      p,
      p + 1n,
      2n ** 256n - 1n,
      2n ** 96n,
      2n ** 224n - 1n,
      2n ** 224n,
      2n ** 192n,
    ]
    for (const value of values) {
      bytes.set(Buffer.from(value.toString(16).padStart(64, "0"), "hex"), text)
      call.fromBytes!(a, text)
      call.toBytes!(text, a)
      expect(hexAt(text)).toBe(hexOf(value))
      expect(call.isZero!(a) === 1).toBe(modulo(value, p) === 0n)
    }
    const inverse = modularInverse(r, p)
    for (let round = 0; round < 200 * manyTimes; round++) {
      write(p256, a, loose(limits, 7, round % kinds))
      call.toBytes!(text, a)
      expect(hexAt(text)).toBe(hexOf(numberAt(p256, a) * inverse))
    }
    for (const multiple of [-7n, -2n, -1n, 0n, 1n, 2n, 7n]) {
      write(p256, a, limbsOf(multiple * p))
      expect(call.isZero!(a)).toBe(1)
    }
  })

  it("inverts", () => {
    for (let round = 0; round < 20 * manyTimes; round++) {
      const value = round === 0 ? p - 1n : BigInt(`0x${randomBytes(32).toString("hex")}`) % p
      write(p256, a, limbsOf(value))
      call.invert!(out, a)
      expect(modulo(numberAt(p256, out) * value - r * r, p)).toBe(0n)
    }
  })
})

describe.each([
  { name: "L", modulus: 2n ** 252n + 27742317777372353535851937790883648493n },
  { name: "n", modulus: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
])("numbers modulo $name", ({ modulus }) => {
  const r = 2n ** 261n
  const { call } = order
  const [a, b, out, at, squared] = places(order) as [number, number, number, number, number]
  const inverse = 2n ** 29n - modularInverse(modulus, 2n ** 29n)
  beforeAll(() => {
    write(order, at, limbsOf(modulus))
    write(order, squared, limbsOf((r * r) % modulus))
  })
  const edges = [0n, 1n, 2n, modulus - 1n, modulus, modulus + 1n, 2n ** 255n, 2n ** 256n - 1n]
  const number = (round: number): bigint => edges[round] ?? BigInt(`0x${randomBytes(32).toString("hex")}`)

  it("multiplies, with a result below the modulus and a sixteenth, and limbs to 2^30 in one factor", () => {
    for (let round = 0; round < 300 * manyTimes; round++) {
      const x = number(round % 10)
      write(order, a, round % 3 ? limbsOf(x) : [...Array(8).fill(2 ** 30 - 1), 2 ** 25 - 1])
      write(order, b, limbsOf(round % 7 ? number(Math.floor(round / 10) % 10) : modulus + (modulus >> 4n)))
      call.orderMultiply!(out, a, b, at, inverse)
      const result = numberAt(order, out)
      expect(modulo(result * r - numberAt(order, a) * numberAt(order, b), modulus)).toBe(0n)
      if (numberAt(order, a) < 2n ** 257n && numberAt(order, b) < 2n ** 253n)
        expect(result < modulus + modulus / 16n).toBe(true)
    }
  })

  it("reduces numbers below 2^261, whose limbs may reach 2^30, and multiplies plainly", () => {
    for (let round = 0; round < 300 * manyTimes; round++) {
      write(order, a, round % 3 ? limbsOf(number(round % 10)) : [...Array(8).fill(2 ** 30 - 1), 2 ** 28])
      call.orderReduce!(out, a, at, squared, inverse)
      expect(numberAt(order, out)).toBe(modulo(numberAt(order, a), modulus))
      write(order, b, limbsOf(number(Math.floor(round / 10) % 10)))
      call.orderProduct!(out, b, out, at, squared, inverse)
      expect(modulo(numberAt(order, out) - numberAt(order, a) * numberAt(order, b), modulus)).toBe(0n)
    }
  })

  it("inverts: the product with R / a divides", () => {
    for (let round = 1; round < 300 * manyTimes; round++) {
      const value = number(round % 20) % modulus
      write(order, a, limbsOf(value))
      call.orderInvert!(out, a, at, squared, inverse)
      const expected = value === 0n ? 0n : r
      expect(modulo(numberAt(order, out) * value - expected, modulus)).toBe(0n)
    }
  })

  it("subtracts once, exactly from the modulus on", () => {
    for (const value of [0n, 1n, modulus - 1n, modulus, modulus + 1n, 2n * modulus - 1n]) {
      write(order, a, limbsOf(value))
      call.subtractOnce!(a, at)
      expect(numberAt(order, a)).toBe(value % modulus)
    }
  })
})

function modularInverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [modulo(value, modulus), modulus, 1n, 0n]
  while (b !== 0n) {
    const q = a / b
    ;[a, b, x, y] = [b, a - q * b, y, x - q * y]
  }
  return modulo(x, modulus)
}

describe.each([
  { name: "p of curve25519", modulus: 2n ** 255n - 19n },
  { name: "p of P-256", modulus: 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n },
  { name: "n of P-256", modulus: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  { name: "L", modulus: 2n ** 252n + 27742317777372353535851937790883648493n },
  { name: "the largest odd number", modulus: 2n ** 256n - 1n },
])("inverses modulo $name", ({ modulus }) => {
  const { call } = inverses
  const [a, out, at] = places(inverses) as [number, number, number]
  const negative = 2n ** 29n - modularInverse(modulus, 2n ** 29n)
  beforeAll(() => write(inverses, at, limbsOf(modulus)))

  const expectInverse = (value: bigint): void => {
    write(inverses, a, limbsOf(value))
    call.invertNumber!(out, a, at, negative)
    const inverse = numberAt(inverses, out)
    // For 2^256 - 1, which is no prime, some have none.
    if (greatestCommonDivisor(value, modulus) === 1n) expect((inverse * value) % modulus).toBe(1n)
    if (value === 0n) expect(inverse).toBe(0n)
    expect(inverse >= 0n && inverse < modulus).toBe(true)
    for (let i = 0; i < 9; i++) expect(inverses.words[out / 4 + i]! >>> 29).toBe(0)
    call.invertNumber!(a, a, at, negative)
    expect(numberAt(inverses, a)).toBe(inverse)
  }

  it("of powers of two, of what is beside them, and of what is beside them from above", () => {
    for (let bit = 0n; bit < 256n; bit++) {
      for (const beside of [-1n, 0n, 1n]) {
        const value = 2n ** bit + beside
        if (value < modulus) expectInverse(value)
        if (value < modulus && value > 0n) expectInverse(modulus - value)
      }
    }
  })

  it("of halves, thirds, numbers with many zeros or ones, and any", () => {
    for (const part of [2n, 3n, 5n, 7n, 2n ** 29n, 2n ** 128n]) expectInverse(modulus / part)
    for (let round = 0; round < 300 * manyTimes; round++) {
      const random = BigInt(`0x${randomBytes(32).toString("hex")}`)
      const length = BigInt(round % 257)
      const value = round % 3 === 0 ? random >> length : round % 3 === 1 ? (random >> length) << length : random
      expectInverse(value % modulus)
    }
  })
})

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b)
}
