import { createHash } from "node:crypto"
import { ed25519 as nobleEd25519, x25519 as nobleX25519 } from "@noble/curves/ed25519.js"
import { p256 as nobleP256 } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { curve25519Kernel } from "../../src/crypto/fast/webassembly/curve25519.ts"
import { p256Kernel } from "../../src/crypto/fast/webassembly/p256.ts"
import { hostRandom as random } from "../../src/crypto/noble/index.ts"
import { manyPoints } from "./assembly-module.ts"
import { describeFast } from "./fast-variants.ts"

// The kernels of both curves, in both languages, against noble and BigInt: numbers at edges, and random ones, of which
// PUREMQ_KERNEL_CASES makes more.

const p25519 = 2n ** 255n - 19n
const orderL = 2n ** 252n + 27742317777372353535851937790883648493n
const p256 = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const orderN = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const bigEndian = (value: bigint, length = 32): Uint8Array =>
  new Uint8Array(Buffer.from(value.toString(16).padStart(2 * length, "0"), "hex"))
const littleEndian = (value: bigint, length = 32): Uint8Array => bigEndian(value, length).reverse()
const fromBigEndian = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`)
const fromLittleEndian = (bytes: Uint8Array): bigint => fromBigEndian(bytes.slice().reverse())
const modulo = (value: bigint, p: bigint): bigint => ((value % p) + p) % p

/** Numbers below 2^bits that reach carries which random ones seldom do. */
function edges(bits: bigint, ...moduli: readonly bigint[]): bigint[] {
  const limit = 1n << bits
  const near = [0n, limit, ...moduli].flatMap((value) =>
    [-20n, -19n, -2n, -1n, 0n, 1n, 2n, 18n, 19n, 20n].map((step) => value + step),
  )
  const powers = Array.from({ length: Number(bits) }, (_, i) => 1n << BigInt(i)).filter(
    (_, i) => i % 8 === 0 || i % 29 < 2,
  )
  const runs = powers.flatMap((power) => [power - 1n, power, power + 1n, limit - power])
  const patterns = [3n, 5n, 15n, 17n, 255n, 257n, 65535n, 65537n].map((divisor) => (limit - 1n) / divisor)
  return [...near, ...runs, ...patterns].filter((value) => value >= 0n && value < limit)
}

/** The edges, and random numbers. */
function* numbers(bits: bigint, moduli: readonly bigint[], randomOnes: number): Generator<bigint> {
  yield* edges(bits, ...moduli)
  for (let i = 0; i < randomOnes * manyPoints; i++) yield fromBigEndian(random(Number(bits) / 8))
}

describeFast((_, webAssembly) => {
  describe("curve25519", () => {
    const kernel = curve25519Kernel(webAssembly)()

    /** RFC 7748 5, by noble; which refuses points of small order, whose result is zero. */
    function expected(scalar: Uint8Array, u: Uint8Array): Uint8Array {
      try {
        return nobleX25519.getSharedSecret(scalar, u)
      } catch {
        return new Uint8Array(32)
      }
    }

    it("RFC 7748 5: u not canonical, with its highest bit, of small order, on the twist, and random; results in copies", () => {
      const scalars = [new Uint8Array(32), new Uint8Array(32).fill(0xff), random(32), random(32)]
      let count = 0
      for (const value of numbers(256n, [p25519, 2n * p25519, 2n ** 255n], 100)) {
        const u = littleEndian(value)
        const scalar = scalars[count++ % scalars.length]!
        expect(kernel.x25519(scalar, u)).toEqual(expected(scalar, u))
      }
      // RFC 7748 section 7 and its errata: the points of small order, of curve and twist.
      const small = [
        0n,
        1n,
        325606250916557431795983626356110631294008115727848805560023387167927233504n,
        39382357235489614581723060781553021112529911719440698176882885853963445705823n,
        p25519 - 1n,
      ]
      const forms = small.flatMap((u) => [u, u + p25519]).filter((u) => u < 2n ** 255n)
      for (const value of forms.flatMap((u) => [u, u | (1n << 255n)])) {
        expect(kernel.x25519(random(32), littleEndian(value)).every((byte) => byte === 0)).toBe(true)
      }
      const [scalar, first] = [random(32), kernel.x25519Base(random(32))]
      const before = first.slice()
      kernel.x25519(scalar, first)
      expect(first).toEqual(before)
    })

    it("the public value is X25519 with 9", () => {
      const nine = new Uint8Array(32)
      nine[0] = 9
      for (const value of numbers(256n, [orderL, 4n * orderL, 8n * orderL], 100)) {
        const scalar = littleEndian(value)
        expect(kernel.x25519Base(scalar)).toEqual(expected(scalar, nine))
      }
    })

    it("RFC 8032 5.1.4: multiples of the base point by any number of 256 bits, those of L among them", () => {
      for (const value of numbers(256n, [orderL, 2n * orderL, 8n * orderL, 15n * orderL], 50)) {
        const k = value % orderL
        const point = k === 0n ? nobleEd25519.Point.ZERO : nobleEd25519.Point.BASE.multiply(k)
        expect(kernel.ed25519Base(littleEndian(value))).toEqual(point.toBytes())
      }
    })

    it("numbers modulo L, of 64 bytes, and r + k a", () => {
      const wide = [...numbers(512n, [orderL, orderL << 256n, orderL << 259n], 100)]
      const narrow = [...numbers(256n, [orderL, 2n * orderL], 100)]
      for (const [i, value] of wide.entries()) {
        expect(fromLittleEndian(kernel.ed25519Reduce(littleEndian(value, 64)))).toBe(value % orderL)
        const [r, a] = [narrow[i % narrow.length]!, narrow[(7 * i + 3) % narrow.length]!]
        const answer = kernel.ed25519Answer(littleEndian(r), littleEndian(value, 64), littleEndian(a))
        expect(fromLittleEndian(answer)).toBe((r + value * a) % orderL)
      }
    })

    it("RFC 8032 5.1.7: S B - k A, at edges of S and of k, and with an A that is B, its opposite, or of small order", () => {
      const base = nobleEd25519.Point.BASE
      const small = nobleEd25519.Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
      const points = [
        base,
        base.negate(),
        base.double(),
        small,
        base.add(small),
        base.multiply(fromBigEndian(random(31))),
      ]
      const scalars = [0n, 1n, 2n, 3n, 15n, 16n, 17n, 63n, 64n, 65n, orderL - 1n, orderL - 2n, orderL >> 1n]
      for (let i = 0; i < 60 * manyPoints; i++) {
        const point = points[i % points.length]!
        const s = scalars[i % 17] ?? fromBigEndian(random(31))
        const k = scalars[Math.floor(i / 2) % 19] ?? fromBigEndian(random(64))
        const result = kernel.ed25519Verify(point.toBytes(), littleEndian(s), littleEndian(k, 64))
        const kA = k % orderL === 0n ? nobleEd25519.Point.ZERO : point.multiplyUnsafe(k % orderL)
        const sB = s === 0n ? nobleEd25519.Point.ZERO : base.multiply(s)
        expect(result).toEqual(sB.subtract(kA).toBytes())
      }
    })

    it("RFC 8032 5.1.3: which encodings are points", () => {
      let points = 0
      for (const value of numbers(256n, [p25519, p25519 + 2n ** 255n, 2n ** 255n], 100)) {
        const bytes = littleEndian(value)
        let expected = true
        try {
          nobleEd25519.Point.fromBytes(bytes)
        } catch {
          expected = false
        }
        expect(kernel.ed25519Verify(bytes, new Uint8Array(32), new Uint8Array(64)) !== undefined).toBe(expected)
        if (expected) points++
      }
      expect(points).toBeGreaterThan(50)
    })
  })

  describe("P-256", () => {
    const kernel = p256Kernel(webAssembly)()
    const base = nobleP256.Point.BASE
    const coordinates = (point: typeof base): Uint8Array => point.toBytes(false).slice(1)
    const scalars = [...edges(256n, orderN)].filter((value) => value > 0n && value < orderN)

    it("multiples of the base point, and of other points: scalars at edges, near 0 and near n", () => {
      const others = [
        base,
        base.negate(),
        base.double(),
        base.multiply(orderN - 16n),
        base.multiply(fromBigEndian(random(31))),
      ]
      const randomOnes = Array.from({ length: 60 * manyPoints }, () => (fromBigEndian(random(32)) % (orderN - 1n)) + 1n)
      for (const [i, scalar] of [...scalars, ...randomOnes].entries()) {
        const product = base.multiply(scalar)
        expect(kernel.multiplyBase(bigEndian(scalar))).toEqual(coordinates(product))
        const other = i % 3 === 0 ? product : others[i % others.length]!
        const x = other.multiply(scalar).toAffine().x
        expect(kernel.multiply(bigEndian(scalar), coordinates(other))).toEqual(bigEndian(x))
      }
      // All that the last windows can be.
      for (let i = 1n; i <= 70n; i++) {
        for (const scalar of [i, orderN - i]) {
          expect(kernel.multiply(bigEndian(scalar), coordinates(base))).toEqual(
            bigEndian(base.multiply(scalar).toAffine().x),
          )
        }
      }
    })

    it("RFC 9846 4.3.8.2: points are points of the curve with coordinates below p", () => {
      const good = coordinates(base.multiply(fromBigEndian(random(31))))
      expect(kernel.isPoint(good)).toBe(true)
      // x = 0 has a y: the root of b.
      const root = nobleP256.Point.Fp.sqrt(nobleP256.Point.CURVE().b)
      const zero = new Uint8Array([...bigEndian(0n), ...bigEndian(root)])
      expect(kernel.isPoint(zero)).toBe(true)
      expect(kernel.isPoint(new Uint8Array([...bigEndian(p256), ...bigEndian(root)]))).toBe(false)
      expect(kernel.isPoint(new Uint8Array(64))).toBe(false)
      expect(kernel.isPoint(new Uint8Array(64).fill(0xff))).toBe(false)
      for (let i = 0; i < 64; i++) {
        const bad = good.slice()
        bad[i]! ^= 1 << (i % 8)
        expect(kernel.isPoint(bad)).toBe(false)
        expect(kernel.multiply(bigEndian(2n), bad)).toBe(undefined)
        expect(kernel.verify(bigEndian((1n << 256n) + 1n, 64), bigEndian(3n), bad)).toBe(false)
      }
    })

    it("FIPS 186-5 6.4.1: r and s, with nonces, keys and hashes at edges", () => {
      const hashes = edges(256n, orderN, p256)
      for (let i = 0; i < 250 * manyPoints; i++) {
        const nonce = scalars[i] ?? (fromBigEndian(random(32)) % (orderN - 1n)) + 1n
        const secret = scalars[(5 * i) % (scalars.length + 50)] ?? (fromBigEndian(random(32)) % (orderN - 1n)) + 1n
        const hash = hashes[(3 * i) % (hashes.length + 50)] ?? fromBigEndian(random(32))
        const r = base.multiply(nonce).toAffine().x % orderN
        const s = modulo(nobleP256.Point.Fn.inv(nonce) * (hash + r * secret), orderN)
        const numbers = kernel.sign(bigEndian(nonce), bigEndian(secret), bigEndian(hash), random)
        expect(numbers).toEqual(s === 0n ? undefined : new Uint8Array([...bigEndian(r), ...bigEndian(s)]))
        if (numbers) {
          const key = coordinates(base.multiply(secret))
          expect(kernel.verify(numbers, bigEndian(hash), key)).toBe(true)
          numbers[i % 64]! ^= 1 << (i % 8)
          expect(kernel.verify(numbers, bigEndian(hash), key)).toBe(false)
        }
      }
    })

    it("FIPS 186-5 6.4.1: an s of zero is no signature", () => {
      const [nonce, secret] = [5n, 7n]
      const r = base.multiply(nonce).toAffine().x % orderN
      const hash = modulo(-r * secret, orderN)
      expect(kernel.sign(bigEndian(nonce), bigEndian(secret), bigEndian(hash), random)).toBe(undefined)
    })

    it("FIPS 186-5 6.4.2: sums that double, that end at infinity, and an r that is the x of a point less n", () => {
      // The point that is checked is u1 G + u2 Q. With Q = q G it is (u1 + u2 q) G.
      const check = (q: bigint, u1: bigint, u2: bigint, r?: bigint): boolean => {
        const sum = modulo(u1 + u2 * q, orderN)
        const x = r ?? (sum === 0n ? 1n : base.multiply(sum).toAffine().x % orderN)
        // u2 = r / s and u1 = e / s.
        const s = modulo(x * nobleP256.Point.Fn.inv(u2), orderN)
        const e = modulo(u1 * s, orderN)
        const numbers = new Uint8Array([...bigEndian(x), ...bigEndian(s)])
        return kernel.verify(numbers, bigEndian(e), coordinates(base.multiply(q)))
      }
      const small = [1n, 2n, 3n, 7n, 15n, 16n, 31n, 63n, orderN - 1n, orderN - 2n, orderN - 31n]
      for (const q of small) {
        for (const u1 of [0n, ...small]) {
          for (const u2 of small) {
            const infinite = modulo(u1 + u2 * q, orderN) === 0n
            expect(check(q, u1, u2), `${u1} + ${u2} * ${q}`).toBe(!infinite)
          }
        }
      }
      expect(check(1n, 5n, 6n, 4n)).toBe(false)
      // A point whose x is between n and p, so that r is x - n, and the key that makes a signature of it right.
      const { Fp, Fn } = nobleP256.Point
      let x = orderN
      let y: bigint | undefined
      while (y === undefined) {
        x++
        try {
          y = Fp.sqrt(modulo(x ** 3n - 3n * x + nobleP256.Point.CURVE().b, p256))
        } catch {}
      }
      const sum = nobleP256.Point.fromAffine({ x, y })
      const r = x - orderN
      // Q = (R - u1 G) / u2
      const [u1, s] = [11n, 13n]
      const u2 = Fn.mul(r, Fn.inv(s))
      const key = sum.subtract(base.multiply(u1)).multiply(Fn.inv(u2))
      const signature = (value: bigint): Uint8Array => new Uint8Array([...bigEndian(value), ...bigEndian(s)])
      expect(kernel.verify(signature(r), bigEndian(u1 * s), coordinates(key))).toBe(true)
      expect(kernel.verify(signature(r + 1n), bigEndian(u1 * s), coordinates(key))).toBe(false)
    })

    it("FIPS 186-5 6.4.2: r and s are from 1 to n - 1", () => {
      const secret = 77n
      const hash = createHash("sha256").update("message").digest()
      const numbers = kernel.sign(bigEndian(99n), bigEndian(secret), hash, random)!
      const key = coordinates(base.multiply(secret))
      const [r, s] = [fromBigEndian(numbers.subarray(0, 32)), fromBigEndian(numbers.subarray(32))]
      const verdict = (a: bigint, b: bigint): boolean =>
        kernel.verify(new Uint8Array([...bigEndian(a), ...bigEndian(b)]), hash, key)
      expect(verdict(r, s)).toBe(true)
      // High and low s are both right.
      expect(verdict(r, orderN - s)).toBe(true)
      for (const wrong of [0n, orderN, orderN + 1n, 2n ** 256n - 1n]) {
        expect(verdict(wrong, s)).toBe(false)
        expect(verdict(r, wrong)).toBe(false)
      }
    })
  })
})
