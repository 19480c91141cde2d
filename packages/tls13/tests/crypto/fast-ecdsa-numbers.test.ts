import { p256, p384 } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { readSignature, writeSignature } from "../../src/crypto/fast/curves/der.ts"
import { p256Scalars } from "../../src/crypto/fast/p256/scalars.ts"
import { p384Scalars } from "../../src/crypto/fast/p384/algorithms.ts"
import { hostRandom as random } from "../../src/crypto/noble/index.ts"
import { hex } from "./wycheproof.ts"

// The numbers of ECDSA as bytes: DER against noble, and ranges against BigInt.

const bytesOf = (value: bigint, length = 32): Uint8Array => hex(value.toString(16).padStart(2 * length, "0"))
const edges = [
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  (1n << 247n) - 1n,
  1n << 247n,
  (1n << 255n) - 1n,
  1n << 255n,
]

describe.each([
  { name: "P-256", curve: p256, length: 32 },
  { name: "P-384", curve: p384, length: 48 },
])("RFC 3279 2.2.3, X.690 8.3 and 10.1: signatures of $name in DER", ({ curve, length }) => {
  const numbers = [
    ...edges,
    curve.Point.CURVE().n - 1n,
    ...Array.from({ length: 20 }, () => BigInt(`0x${Buffer.from(random(length - 1)).toString("hex")}`)),
  ]

  it("are written and read as by noble: short numbers, and those whose top bit is set", () => {
    for (const [i, r] of numbers.entries()) {
      const s = numbers[(7 * i + 3) % numbers.length]!
      const der = new curve.Signature(r, s).toBytes("der")
      const pair = new Uint8Array([...bytesOf(r, length), ...bytesOf(s, length)])
      expect(writeSignature(pair)).toEqual(der)
      expect(readSignature(der, length)).toEqual(pair)
    }
  })

  it("are refused when they are cut, longer, changed in a length or a tag, or not the shortest; never with an exception", () => {
    const der = new curve.Signature(numbers.at(-1)!, 0x80n).toBytes("der")
    for (let i = 0; i < der.length; i++) expect(readSignature(der.subarray(0, i), length)).toBe(undefined)
    expect(readSignature(new Uint8Array([...der, 0]), length)).toBe(undefined)
    for (const at of [0, 1, 2, 3]) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = der.slice()
        changed[at]! ^= 1 << bit
        expect(readSignature(changed, length)).toBe(undefined)
      }
    }
    for (const text of [
      "3006020100020101", // zero is a number; whoever verifies refuses it
      "30070202000102 0101",
      "3006020181020101",
      "300702020001020101",
      "3081060201010201 01",
      "30050201010200",
      "3080020101020101 0000",
      "30060301010201 01",
    ]) {
      const bytes = hex(text.replaceAll(" ", ""))
      const expected = text.startsWith("3006020100") ? new Uint8Array(2 * length).fill(1, 2 * length - 1) : undefined
      expect(readSignature(bytes, length), text).toEqual(expected)
    }
  })

  it("have numbers of no more bytes than the curve's", () => {
    const longest = new Uint8Array(length).fill(0xff)
    const der = (number: Uint8Array): Uint8Array =>
      new Uint8Array([0x30, number.length + 5, 2, number.length, ...number, 2, 1, 1])
    expect(readSignature(der(new Uint8Array([0, ...longest])), length)?.subarray(0, length)).toEqual(longest)
    expect(readSignature(der(new Uint8Array([1, ...longest])), length)).toBe(undefined)
    expect(readSignature(der(new Uint8Array([0, 0xff, ...longest])), length)).toBe(undefined)
  })
})

describe.each([
  { name: "P-256", curve: p256, scalars: p256Scalars },
  { name: "P-384", curve: p384, scalars: p384Scalars },
])("numbers beside the order of $name", ({ curve, scalars: { length, isScalar, modOrder } }) => {
  const order = curve.Point.CURVE().n
  const largest = (1n << BigInt(8 * length)) - 1n

  it("FIPS 186-5 A.4.2: private keys and nonces are from 1 to n - 1, in as many bytes", () => {
    for (const value of [1n, 2n, 255n, 256n, order - 1n, ...edges]) expect(isScalar(bytesOf(value, length))).toBe(true)
    for (const value of [0n, order, order + 1n, largest]) expect(isScalar(bytesOf(value, length))).toBe(false)
    for (const other of [0, length - 1, length + 1]) expect(isScalar(new Uint8Array(other).fill(1))).toBe(false)
  })

  it("RFC 6979 2.3.4: hashes are taken modulo n", () => {
    const randomOnes = Array.from({ length: 50 }, () => BigInt(`0x${Buffer.from(random(length)).toString("hex")}`))
    for (const value of [0n, 1n, order - 1n, order, order + 1n, largest, ...edges, ...randomOnes]) {
      expect(modOrder(bytesOf(value, length))).toEqual(bytesOf(value % order, length))
    }
  })
})
