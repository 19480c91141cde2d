import { randomBytes } from "node:crypto"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createFastProvider } from "../../src/crypto/fast/index.ts"
import { type AeadKernel, WebAssemblyAeadKey } from "../../src/crypto/fast/webassembly/aead.ts"
import { aesGcmKernel } from "../../src/crypto/fast/webassembly/aes-gcm.ts"
import { chacha20Poly1305Kernel } from "../../src/crypto/fast/webassembly/chacha20-poly1305.ts"
import { sha2Kernel, sha2Over } from "../../src/crypto/fast/webassembly/sha2.ts"
import { sha256, sha384, sha512 } from "../../src/crypto/noble/index.ts"
import { RetainedBuffers } from "../tools/retained.ts"

// What is left in the memory of a WebAssembly instance after a call: nothing that was secret.

const randomWords = (count: number): Int32Array => new Int32Array(new Uint8Array(randomBytes(4 * count)).buffer)

const aeads: readonly { name: string; kernel: AeadKernel; words: () => Int32Array }[] = [
  { name: "ChaCha20-Poly1305", kernel: chacha20Poly1305Kernel("auto")()!, words: () => randomWords(8) },
  { name: "AES-GCM", kernel: aesGcmKernel("auto")()!, words: () => Int32Array.of(14, ...randomWords(64)) },
  {
    name: "AES-GCM with tables",
    kernel: aesGcmKernel("auto")()!,
    words: () => Int32Array.of(14 | (1 << 16), ...randomWords(64)),
  },
]

describe.each(aeads)("memory of $name", ({ kernel, words }) => {
  const empty = kernel.bytes.slice()
  const nonce = randomBytes(12)
  const lengths = [0, 1, 64, 100, 192, 193, 511, 512, 1000, 3000, 5119, 5120, 16_384, 16_896, 16_897, 50_000]
  const key = (): WebAssemblyAeadKey => new WebAssemblyAeadKey(kernel, words())

  /** Clears what is public, and compares the rest with the memory of a new instance. */
  const expectEmpty = (...publicBytes: readonly [from: number, length: number][]): void => {
    for (const [from, length] of publicBytes) kernel.bytes.fill(0, from, from + length)
    expect(Buffer.compare(kernel.bytes, empty)).toBe(0)
  }

  it("holds ciphertext, tag and additional data after a record is sealed, and nothing else", () => {
    for (const length of lengths) {
      const [own, aad, plaintext] = [key(), randomBytes(length % 41), randomBytes(length)]
      const out = new Uint8Array(length + 16)
      own.seal(nonce, aad, plaintext, out, 0)
      const { text, textRoom, bytes } = kernel
      if (length <= textRoom) expect(Buffer.compare(bytes.subarray(text, text + length + 16), out)).toBe(0)
      expectEmpty([text - 64, 64 + Math.min(length, textRoom) + 32])
    }
  })

  it("holds additional data after a record is opened, and nothing else; a forged one leaves no tag", () => {
    for (const length of lengths) {
      const [own, aad, plaintext] = [key(), randomBytes(length % 41), randomBytes(length)]
      const [sealed, out] = [new Uint8Array(length + 16), new Uint8Array(length)]
      own.seal(nonce, aad, plaintext, sealed, 0)
      expect(own.open(nonce, aad, sealed, out, 0)).toBe(length)
      // What was plaintext is overwritten; the block of the lengths stands behind it.
      const { text, textRoom, bytes } = kernel
      expectEmpty([text - 64, 64], [text + 16 * Math.ceil(Math.min(length, textRoom) / 16), 16])

      const right = Buffer.from(sealed.subarray(length))
      sealed[length]! ^= 1
      expect(own.open(nonce, aad, sealed, out, 0)).toBe(-1)
      expect(Buffer.from(bytes).includes(right)).toBe(false)
      expectEmpty([text - 64, 64 + Math.min(length, textRoom) + 32])
    }
  })
})

describe.each(["sha256", "sha384", "sha512"] as const)("memory of %s", (name) => {
  const plain = { sha256, sha384, sha512 }
  const source = sha2Kernel("auto")
  const kernel = source(name)!
  const hash = sha2Over(plain[name], source)
  const empty = kernel.bytes.slice()

  it("is empty after digests, running hashes and MACs", () => {
    for (const length of [0, 1, 55, 56, 63, 64, 111, 112, 128, 200, 16_383, 16_384, 16_385, 40_000]) {
      const [message, secret] = [randomBytes(length), randomBytes(Math.min(length, 300))]
      const state = hash.start()
      const used: readonly (() => unknown)[] = [
        () => hash.digest(message),
        () => state.update(message),
        () => state.clone().digest(),
        () => state.update(message.subarray(length >> 1)),
        () => hash.hmac(secret).mac(message, message.subarray(length >> 1)),
      ]
      for (const use of used) {
        use()
        expect(Buffer.compare(kernel.bytes, empty)).toBe(0)
      }
    }
  })
})

describe("what keys and running hashes keep", () => {
  let buffers: RetainedBuffers

  beforeAll(() => {
    buffers = new RetainedBuffers()
  })
  afterAll(() => buffers.stop())

  /** Bytes of buffers for each of a hundred. */
  async function kept(make: () => unknown): Promise<number> {
    make()
    const before = await buffers.bytes()
    const all = Array.from({ length: 100 }, make)
    const after = await buffers.bytes()
    expect(all.length).toBe(100)
    return (after - before) / 100
  }

  it("is at most a third of a kilobyte, and no block more than with kernels in TypeScript", async () => {
    const [own, plain] = [createFastProvider(), createFastProvider({ webAssembly: "off" })]
    for (const [i, { aead, hash }] of own.cipherSuites.entries()) {
      const other = plain.cipherSuites[i]!
      const secret = new Uint8Array(aead.keyLength).fill(7)
      const key = await kept(() => aead.key(secret))
      expect(key, aead.name).toBeLessThanOrEqual(320)
      expect(key, aead.name).toBeLessThanOrEqual(16 + (await kept(() => other.aead.key(secret))))
      expect(await kept(() => hash.start()), hash.name).toBeLessThanOrEqual(192)
      expect(await kept(() => hash.hmac(secret)), hash.name).toBeLessThanOrEqual(128)
    }
  })
})
