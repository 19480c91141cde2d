import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../aead-arguments.ts"
import type { Aead, AeadKey } from "../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT } from "../suites.ts"
import { AesCounterKey } from "./aes-bitsliced.ts"
import { GhashKey } from "./ghash.ts"

// AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, over the bit-sliced AES of aes-bitsliced.ts and
// the GHASH of ghash.ts, both without tables: under 1 KiB a key. Nothing is allocated for a record but two views of its bytes.

const TAG_LENGTH = 16
const BLOCK = 16

class Key implements AeadKey {
  #aes: AesCounterKey | undefined
  readonly #ghash: GhashKey
  /** Key stream, two blocks of it. */
  readonly #stream: Int32Array = new Int32Array((2 * BLOCK) / 4)
  readonly #tag: Int32Array = new Int32Array(4)

  constructor(key: Uint8Array) {
    const aes = new AesCounterKey(key)
    this.#aes = aes
    // H = E(K, 0): the first block of the counters from 0 with a zero nonce.
    aes.encryptCounters(0, 0, 0, 0, this.#stream)
    const h = new DataView(new ArrayBuffer(BLOCK))
    for (let i = 0; i < 4; i++) h.setInt32(4 * i, this.#stream[i]!, true)
    this.#ghash = new GhashKey(h)
    for (let i = 0; i < 4; i++) h.setInt32(4 * i, 0)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    if (!this.#aes) throw wipedKey()
    const to = viewOf(out)
    this.#xor(this.#aes, nonce, viewOf(plaintext), 0, to, at, length)
    this.#authenticate(aad, to, at, length)
    this.#mask(this.#aes, nonce)
    for (let i = 0; i < 4; i++) to.setInt32(at + length + 4 * i, this.#tag[i]!, true)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    if (!this.#aes) throw wipedKey()
    const from = viewOf(ciphertext)
    this.#authenticate(aad, from, 0, length)
    this.#mask(this.#aes, nonce)
    let difference = 0
    for (let i = 0; i < 4; i++) difference |= from.getInt32(length + 4 * i, true) ^ this.#tag[i]!
    if (difference !== 0) return -1
    this.#xor(this.#aes, nonce, from, 0, viewOf(out), at, length)
    return length
  }

  wipe(): void {
    this.#aes?.wipe()
    this.#aes = undefined
    this.#ghash.wipe()
    this.#stream.fill(0)
    this.#tag.fill(0)
  }

  #authenticate(aad: Uint8Array, text: DataView, at: number, length: number): void {
    const ghash = this.#ghash
    ghash.start()
    if (aad.length > 0) ghash.updatePadded(viewOf(aad), 0, aad.length)
    ghash.updatePadded(text, at, length)
    ghash.updateLengths(aad.length, length)
    ghash.finish(this.#tag)
  }

  /** The tag is GHASH exclusive-or E(K, J0), and J0 is the nonce with counter 1. */
  #mask(aes: AesCounterKey, nonce: Uint8Array): void {
    aes.encryptCounters(littleEndian(nonce, 0), littleEndian(nonce, 4), littleEndian(nonce, 8), 1, this.#stream)
    for (let i = 0; i < 4; i++) this.#tag[i]! ^= this.#stream[i]!
  }

  /** GCTR from counter 2 on; `from` and `to` may be the same place. */
  #xor(
    aes: AesCounterKey,
    nonce: Uint8Array,
    from: DataView,
    fromAt: number,
    to: DataView,
    toAt: number,
    length: number,
  ): void {
    const stream = this.#stream
    const n0 = littleEndian(nonce, 0)
    const n1 = littleEndian(nonce, 4)
    const n2 = littleEndian(nonce, 8)
    let counter = 2
    let at = 0
    for (; at + 2 * BLOCK <= length; at += 2 * BLOCK, counter += 2) {
      aes.encryptCounters(n0, n1, n2, counter, stream)
      for (let i = 0; i < 8; i++) {
        const offset = at + 4 * i
        to.setInt32(toAt + offset, from.getInt32(fromAt + offset, true) ^ stream[i]!, true)
      }
    }
    if (at === length) return
    aes.encryptCounters(n0, n1, n2, counter, stream)
    for (let i = 0; at < length; at++, i++) {
      to.setUint8(toAt + at, from.getUint8(fromAt + at) ^ (stream[i >> 2]! >>> (8 * (i & 3))))
    }
  }
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function aesGcm(name: string, keyLength: number): Aead {
  return {
    name,
    keyLength,
    nonceLength: 12,
    tagLength: TAG_LENGTH,
    confidentialityLimit: AES_GCM_CONFIDENTIALITY_LIMIT,
    key(key) {
      checkKeyLength(key, keyLength, name)
      return new Key(key)
    },
  }
}

export const aes128Gcm: Aead = /* @__PURE__ */ aesGcm("AES-128-GCM", 16)
export const aes256Gcm: Aead = /* @__PURE__ */ aesGcm("AES-256-GCM", 32)
