import { randomBytes } from "node:crypto"
import { describe, expect, it } from "vitest"
import type { AeadExports } from "../../src/crypto/fast/webassembly/aead.ts"
import { aesGcmKernel } from "../../src/crypto/fast/webassembly/aes-gcm.ts"
import { chacha20Poly1305Kernel } from "../../src/crypto/fast/webassembly/chacha20-poly1305.ts"
import type { Exported } from "../../src/crypto/fast/webassembly/engine.ts"

// The authenticators of the WebAssembly kernels against BigInt, with keys and blocks that no nonce and no cipher would make:
// the greatest limbs, numbers around the modulus, single bits.

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x00${Buffer.from(bytes).reverse().toString("hex")}`)
const bigEndian = (bytes: Uint8Array): bigint => BigInt(`0x00${Buffer.from(bytes).toString("hex")}`)

/** Blocks of one kind each, and of all kinds in turn. */
function messages(): Uint8Array[] {
  const ones = Buffer.alloc(16, 0xff)
  const kinds = [
    ones,
    Buffer.alloc(16),
    Buffer.from(`fb${"ff".repeat(15)}`, "hex"),
    Buffer.from("01".padEnd(32, "0"), "hex"),
  ]
  const uniform = kinds.flatMap((block) =>
    [1, 2, 3, 15, 16, 17, 64, 65].map((count) => Buffer.concat(Array(count).fill(block))),
  )
  const mixed = Array.from({ length: 20 }, (_, i) =>
    Buffer.concat(Array.from({ length: 4 * i }, (_, k) => kinds[(k * (i + 1)) % 4]!)),
  )
  return [...uniform, ...mixed, ...Array.from({ length: 20 }, (_, i) => randomBytes(16 * i))]
}

describe("Poly1305 in WebAssembly", () => {
  const kernel = chacha20Poly1305Kernel("auto")()!
  const exports = kernel.exports as AeadExports & { readonly STREAM: Exported; beginMac(): void }
  const p = 2n ** 130n - 5n

  /** RFC 8439 section 2.5.1, with the block of lengths at the end. */
  function reference(key: Uint8Array, message: Uint8Array, aadLength: number): bigint {
    const r = littleEndian(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn
    let sum = 0n
    for (let at = 0; at < message.length; at += 16) {
      sum = ((sum + littleEndian(message.subarray(at, at + 16)) + 2n ** 128n) * r) % p
    }
    sum = ((sum + BigInt(aadLength) + (BigInt(message.length) << 64n) + 2n ** 128n) * r) % p
    return (sum + littleEndian(key.subarray(16))) % 2n ** 128n
  }

  function ours(key: Uint8Array, message: Uint8Array, aadLength: number): bigint {
    kernel.bytes.set(key, exports.STREAM.value)
    exports.beginMac()
    kernel.bytes.set(message, kernel.text)
    exports.absorb(message.length)
    exports.tag(aadLength, message.length)
    const tag = littleEndian(kernel.bytes.subarray(kernel.text, kernel.text + 16))
    exports.end()
    return tag
  }

  it("is exact with the greatest r and s, with the least, and with single bits of r", () => {
    const keys = [Buffer.alloc(32, 0xff), Buffer.alloc(32), Buffer.concat([Buffer.alloc(16, 0xff), Buffer.alloc(16)])]
    for (let bit = 0; bit < 128; bit += 3) {
      const key = Buffer.alloc(32).fill(bit % 2 === 0 ? 0xff : 0, 16)
      key[bit >> 3] = 1 << (bit & 7)
      keys.push(key)
    }
    for (let i = 0; i < 20; i++) keys.push(randomBytes(32))
    for (const key of keys) {
      for (const message of messages()) {
        const aadLength = message.length % 7
        expect(ours(key, message, aadLength)).toBe(reference(key, message, aadLength))
      }
    }
  })

  it("reduces sums at and around 2^130 - 5", () => {
    // With r = 1 the sum is that of five blocks, 2^128 each and what they hold; it passes 2^130 once, and ends where it should.
    const key = Buffer.alloc(32)
    key[0] = 1
    const lengths = 64n << 64n
    for (let above = -8n; above < 12n; above++) {
      const third = 2n ** 128n - 8n + above - lengths
      const block = Buffer.from((third % 2n ** 128n).toString(16).padStart(32, "0"), "hex").reverse()
      const message = Buffer.concat([Buffer.alloc(32, 0xff), block, Buffer.alloc(16)])
      for (const s of [0, 0xff]) {
        key.fill(s, 16)
        expect(ours(key, message, 0)).toBe(reference(key, message, 0))
      }
      key.fill(0, 16)
      if (above >= 0n && above < 5n) expect(reference(key, message, 0)).toBe(above)
    }
  })
})

describe("GHASH in WebAssembly", () => {
  const kernel = aesGcmKernel("auto")()!
  const { exports, bytes, text } = kernel
  const H = exports.INPUT.value + 16

  /** SP 800-38D section 6.3; bit 127 is x^0. */
  function times(x: bigint, y: bigint): bigint {
    let [sum, shifted] = [0n, y]
    for (let bit = 127n; bit >= 0n; bit--) {
      if ((x >> bit) & 1n) sum ^= shifted
      shifted = shifted & 1n ? (shifted >> 1n) ^ (0xe1n << 120n) : shifted >> 1n
    }
    return sum
  }

  function reference(h: bigint, message: Uint8Array, aadLength: number): bigint {
    let sum = 0n
    for (let at = 0; at < message.length; at += 16) sum = times(sum ^ bigEndian(message.subarray(at, at + 16)), h)
    return times(sum ^ (BigInt(8 * aadLength) << 64n) ^ BigInt(8 * message.length), h)
  }

  /** Without what covers the tag, which is the tag for H = 0. */
  function ours(h: Uint8Array, message: Uint8Array, aadLength: number): bigint {
    const [covered, cover] = [h, new Uint8Array(16)].map((factor) => {
      kernel.input[3] = 10
      bytes.set(factor, H)
      exports.begin()
      bytes.set(message, text)
      exports.absorb(message.length)
      exports.tag(aadLength, message.length)
      const tag = bigEndian(bytes.subarray(text, text + 16))
      exports.end()
      return tag
    })
    return covered! ^ cover!
  }

  it("is exact with H of all ones, with single bits, and at random", () => {
    const factors = [Buffer.alloc(16, 0xff)]
    for (let bit = 0; bit < 128; bit += 5) {
      const h = Buffer.alloc(16)
      h[bit >> 3] = 0x80 >> (bit & 7)
      factors.push(h)
    }
    for (let i = 0; i < 10; i++) factors.push(randomBytes(16))
    for (const [i, h] of factors.entries()) {
      for (const message of messages().filter((_, k) => (i + k) % 4 === 0)) {
        const aadLength = message.length % 7
        expect(ours(h, message, aadLength)).toBe(reference(bigEndian(h), message, aadLength))
      }
    }
  })
})
