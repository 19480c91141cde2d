import { randomBytes } from "node:crypto"
import { p256 as nobleP256, p384 as nobleP384 } from "@noble/curves/nist.js"
import { describe, expect, it } from "vitest"
import { curve25519Kernel } from "../../src/crypto/fast/webassembly/curve25519.ts"
import { p256Kernel } from "../../src/crypto/fast/webassembly/p256.ts"
import { p384Kernel } from "../../src/crypto/fast/webassembly/p384.ts"
import { expectNothingLeft, watched } from "./watched-memory.ts"

// What is left in the memory of the curves' instances after a call: nothing that was secret.

/** Whether the first 8 of these bytes are anywhere. */
function includes(memory: Uint8Array, bytes: Uint8Array): boolean {
  return Buffer.from(memory).includes(Buffer.from(bytes.subarray(0, 8)))
}

describe("memory of curve25519", () => {
  const { kernel, memory } = watched(curve25519Kernel("auto"))

  it.each([
    ["X25519", () => kernel.x25519(randomBytes(32), randomBytes(32))],
    ["public values", () => kernel.x25519Base(randomBytes(32))],
    ["multiples of the base point", () => kernel.ed25519Base(randomBytes(32))],
    ["numbers modulo L", () => kernel.ed25519Reduce(randomBytes(64))],
    ["answers", () => kernel.ed25519Answer(randomBytes(32), randomBytes(64), randomBytes(32))],
  ])("holds nothing of %s", (_, call) => expectNothingLeft(memory, call))

  it("holds tables only where something was computed: no number that a call had is found", () => {
    const [scalar, u] = [randomBytes(32), randomBytes(32)]
    const numbers = [scalar, u, kernel.x25519(scalar, u), kernel.x25519Base(scalar), kernel.ed25519Base(scalar)]
    for (const number of numbers) expect(includes(memory, number)).toBe(false)
  })
})

describe.each([
  { name: "P-256", source: p256Kernel("auto"), noble: nobleP256, length: 32 },
  { name: "P-384", source: () => p384Kernel("auto")()!, noble: nobleP384, length: 48 },
])("memory of $name", ({ source, noble, length }) => {
  const { kernel, memory } = watched(source)
  // The highest bit is not set: below the order.
  const scalar = (): Uint8Array => randomBytes(length).fill(0x5a, 0, 1)
  const point = (): Uint8Array => noble.getPublicKey(scalar(), false).slice(1)

  it.each([
    ["public values", () => kernel.multiplyBase(scalar())],
    ["shared secrets", () => kernel.multiply(scalar(), point())],
    ["signatures", () => kernel.sign(scalar(), scalar(), randomBytes(length), randomBytes)],
  ])("holds nothing of %s", (_, call) => expectNothingLeft(memory, call))

  it("holds no number that a call had", () => {
    const [secret, nonce, other] = [scalar(), scalar(), point()]
    const signature = kernel.sign(nonce, secret, randomBytes(length), randomBytes)!
    const numbers = [secret, nonce, signature, kernel.multiply(secret, other)!, kernel.multiplyBase(secret)]
    for (const number of numbers) {
      for (const bytes of [number, Buffer.from(number.subarray(0, 32)).reverse()]) {
        expect(includes(memory, bytes)).toBe(false)
      }
    }
  })
})
