import { createHmac, hkdfSync } from "node:crypto"
import { describe, expect, it } from "vitest"
import { toHex } from "../bytes/hex.ts"
import { sha256, sha384 } from "../crypto/noble/index.ts"
import { deriveSecret, emptyHash, hkdfExpandLabel, hkdfExtract } from "./labels.ts"

const salt = Uint8Array.from({ length: 48 }, (_, i) => i)
const ikm = Uint8Array.from({ length: 32 }, (_, i) => 255 - i)

function hkdfLabel(label: string, context: Uint8Array, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`)
  return Buffer.concat([Buffer.of(length >> 8, length & 255, name.length), name, Buffer.of(context.length), context])
}

describe.each([sha256, sha384])("RFC 9846 7.1: HKDF of $name against node:crypto", (hash) => {
  it("HKDF-Extract", () => {
    expect(toHex(hkdfExtract(hash, salt, ikm))).toBe(createHmac(hash.name, salt).update(ikm).digest("hex"))
  })

  // Below one block, one block, one past it, the longest.
  it.each([0, 1, 12, hash.length, hash.length + 1, 3 * hash.length, 255 * hash.length])(
    "HKDF-Expand-Label of %i bytes",
    (length) => {
      const context = hash.digest(ikm)
      // OpenSSL of Node 26 refuses to derive no bytes at all.
      const info = hkdfLabel("some label", context, length)
      const expected = length === 0 ? new ArrayBuffer(0) : hkdfSync(hash.name, ikm, salt, info, length)
      const secret = hkdfExtract(hash, salt, ikm)
      expect(toHex(hkdfExpandLabel(hash, secret, "some label", context, length))).toBe(toHex(new Uint8Array(expected)))
    },
  )

  it("Derive-Secret is HKDF-Expand-Label over the transcript hash, Hash.length bytes", () => {
    const secret = hkdfExtract(hash, salt, ikm)
    const expanded = hkdfExpandLabel(hash, secret, "derived", emptyHash(hash), hash.length)
    expect(toHex(deriveSecret(hash, secret, "derived", emptyHash(hash)))).toBe(toHex(expanded))
  })
})

describe("RFC 9846 7.1: the ranges of HkdfLabel", () => {
  const secret = hkdfExtract(sha256, salt, ikm)
  const nothing = new Uint8Array(0)

  it("a label has 1 to 249 characters of ASCII", () => {
    expect(hkdfExpandLabel(sha256, secret, "x".repeat(249), nothing, 16)).toHaveLength(16)
    expect(() => hkdfExpandLabel(sha256, secret, "x".repeat(250), nothing, 16)).toThrow("1 to 249 characters, not 250")
    expect(() => hkdfExpandLabel(sha256, secret, "", nothing, 16)).toThrow("1 to 249 characters, not 0")
    expect(() => hkdfExpandLabel(sha256, secret, "schlüssel", nothing, 16)).toThrow(RangeError)
  })

  it("a context has 0 to 255 bytes", () => {
    expect(hkdfExpandLabel(sha256, secret, "x", new Uint8Array(255), 16)).toHaveLength(16)
    expect(() => hkdfExpandLabel(sha256, secret, "x", new Uint8Array(256), 16)).toThrow("0 to 255 bytes, not 256")
  })

  it("RFC 5869 2.3: at most 255 * Hash.length bytes", () => {
    expect(() => hkdfExpandLabel(sha256, secret, "x", nothing, 255 * 32 + 1)).toThrow("at most 8160 bytes")
    expect(() => hkdfExpandLabel(sha256, secret, "x", nothing, -1)).toThrow("not a length")
    expect(() => hkdfExpandLabel(sha256, secret, "x", nothing, 1.5)).toThrow("not a length")
  })
})
