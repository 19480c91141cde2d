import { cbc, ctr } from "@noble/ciphers/aes.js"
import { copyOf } from "../../bytes/copy.ts"
import { constantTimeEqual } from "../../bytes/equal.ts"
import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../aead-arguments.ts"
import type { Aead, AeadKey, CipherSuiteAlgorithms } from "../provider.ts"
import { cipherSuite } from "../suites.ts"
import { sha256 } from "./hash.ts"

// AES-128-CCM (NIST SP 800-38C, RFC 5116 section 5.3) and its form with a tag of 8 bytes (RFC 6655), for small devices
// that have an AES block and nothing else. Of noble come CBC, whose last block is the MAC, and CTR.
// Not in the default provider: CCM_8's tag lets one of 2^64 forgeries through, so whoever wants it says so.

const KEY_LENGTH = 16
const BLOCK = 16
/** Bytes of the length field, L: a nonce of 12 bytes leaves 3, and a record needs 15 bits. */
const LENGTH_FIELD = 3

/** RFC 9147 section 4.5.3 and appendix B.1 for AES-CCM; RFC 9846 names no number. */
const CONFIDENTIALITY_LIMIT = 2 ** 23

class CcmKey implements AeadKey {
  readonly #tagLength: number
  #key: Uint8Array | undefined

  constructor(key: Uint8Array, tagLength: number) {
    this.#key = copyOf(key)
    this.#tagLength = tagLength
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + this.#tagLength)
    if (!this.#key) throw wipedKey()
    const tag = mac(this.#key, nonce, aad, plaintext, this.#tagLength)
    const sealed = crypt(this.#key, nonce, tag, plaintext)
    out.set(sealed.subarray(BLOCK), at)
    out.set(sealed.subarray(0, this.#tagLength), at + length)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - this.#tagLength
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#key) throw wipedKey()
    const tag = new Uint8Array(BLOCK)
    tag.set(ciphertext.subarray(length))
    const opened = crypt(this.#key, nonce, tag, ciphertext.subarray(0, length))
    const expected = mac(this.#key, nonce, aad, opened.subarray(BLOCK), this.#tagLength)
    const right = constantTimeEqual(opened.subarray(0, this.#tagLength), expected.subarray(0, this.#tagLength))
    if (right) out.set(opened.subarray(BLOCK), at)
    opened.fill(0)
    return right ? length : -1
  }

  wipe(): void {
    this.#key?.fill(0)
    this.#key = undefined
  }
}

/** SP 800-38C section 6.1, steps 1 to 4: CBC-MAC over B0, the additional data with its length, and the payload. */
function mac(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, payload: Uint8Array, tagLength: number): Uint8Array {
  const aadLength = aad.length === 0 ? 0 : padded(2 + aad.length)
  const blocks = new Uint8Array(BLOCK + aadLength + padded(payload.length))
  // A.2.1: the flags say whether there is additional data, the tag's length and the size of the length field.
  blocks[0] = (aad.length > 0 ? 0x40 : 0) | (((tagLength - 2) / 2) << 3) | (LENGTH_FIELD - 1)
  blocks.set(nonce, 1)
  blocks[13] = payload.length >>> 16
  blocks[14] = payload.length >>> 8
  blocks[15] = payload.length
  if (aad.length >= 0xff00) throw new RangeError("the additional data has 65,280 bytes or more")
  if (aad.length > 0) {
    blocks[16] = aad.length >>> 8
    blocks[17] = aad.length
    blocks.set(aad, 18)
  }
  blocks.set(payload, BLOCK + aadLength)
  const chained = cbc(key, new Uint8Array(BLOCK), { disablePadding: true }).encrypt(blocks)
  const last = copyOf(chained.subarray(-BLOCK))
  blocks.fill(0)
  return last
}

/** Steps 5 to 8: the MAC is encrypted with counter 0 and the payload from counter 1 on. */
function crypt(key: Uint8Array, nonce: Uint8Array, tag: Uint8Array, payload: Uint8Array): Uint8Array {
  const counter = new Uint8Array(BLOCK)
  counter[0] = LENGTH_FIELD - 1
  counter.set(nonce, 1)
  const text = new Uint8Array(BLOCK + payload.length)
  text.set(tag)
  text.set(payload, BLOCK)
  const result = ctr(key, counter).encrypt(text)
  text.fill(0)
  return result
}

function padded(length: number): number {
  return Math.ceil(length / BLOCK) * BLOCK
}

function ccm(name: string, tagLength: 8 | 16): Aead {
  return {
    name,
    keyLength: KEY_LENGTH,
    nonceLength: 12,
    tagLength,
    confidentialityLimit: CONFIDENTIALITY_LIMIT,
    key(key) {
      checkKeyLength(key, KEY_LENGTH, name)
      return new CcmKey(key, tagLength)
    },
  }
}

export const TLS_AES_128_CCM_SHA256: CipherSuiteAlgorithms = /* @__PURE__ */ cipherSuite(
  "TLS_AES_128_CCM_SHA256",
  /* @__PURE__ */ ccm("AES-128-CCM", 16),
  sha256,
)
export const TLS_AES_128_CCM_8_SHA256: CipherSuiteAlgorithms = /* @__PURE__ */ cipherSuite(
  "TLS_AES_128_CCM_8_SHA256",
  /* @__PURE__ */ ccm("AES-128-CCM-8", 8),
  sha256,
)
