import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../../aead-arguments.ts"
import type { Aead, AeadKey } from "../../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT } from "../../suites.ts"
import { encryptCounters, type KeptStates, keptStates } from "./aes-bitsliced.ts"
import { expandKey } from "./aes-bitsliced-key.ts"
import { expandGhashKey, Ghash } from "./ghash.ts"

// AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, over the bit-sliced AES of aes-bitsliced.ts and the GHASH
// of ghash.ts, both without tables. Nothing is allocated for a record but two views of its bytes.

const TAG_LENGTH = 16
const BLOCK = 16
/** Bytes of text from which on states after two rounds are kept: a half more than there are of. */
const LONG = 6144

/** What one record needs while it is sealed or opened; all keys of an AEAD share it. */
interface Workspace {
  readonly state: Int32Array
  /** Key stream, two blocks of it. */
  readonly stream: Int32Array
  readonly tag: Int32Array
  readonly ghash: Ghash
  /** For long texts; made for the first one. */
  kept: KeptStates | undefined
}

class Key implements AeadKey {
  readonly #workspace: Workspace
  #keys: Int32Array | undefined
  readonly #h: Int32Array

  constructor(key: Uint8Array, workspace: Workspace) {
    const { state, stream } = workspace
    this.#workspace = workspace
    this.#keys = expandKey(key)
    // H = E(K, 0): the first block of the counters from 0 with a zero nonce.
    encryptCounters(this.#keys, state, 0, 0, 0, 0, stream)
    this.#h = expandGhashKey(stream)
    state.fill(0)
    stream.fill(0)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    const keys = this.#keys
    if (!keys) throw wipedKey()
    const { tag } = this.#workspace
    const to = viewOf(out)
    this.#xor(keys, nonce, viewOf(plaintext), 0, to, at, length)
    this.#authenticate(keys, nonce, aad, to, at, length)
    for (let i = 0; i < 4; i++) to.setInt32(at + length + 4 * i, tag[i]!, true)
    this.#forget(length)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    const keys = this.#keys
    if (!keys) throw wipedKey()
    const { tag } = this.#workspace
    const from = viewOf(ciphertext)
    this.#authenticate(keys, nonce, aad, from, 0, length)
    let difference = 0
    for (let i = 0; i < 4; i++) difference |= from.getInt32(length + 4 * i, true) ^ tag[i]!
    if (difference === 0) this.#xor(keys, nonce, from, 0, viewOf(out), at, length)
    this.#forget(length)
    return difference === 0 ? length : -1
  }

  wipe(): void {
    this.#keys?.fill(0)
    this.#keys = undefined
    this.#h.fill(0)
  }

  /** The tag is GHASH exclusive-or E(K, J0), and J0 is the nonce with counter 1. */
  #authenticate(
    keys: Int32Array,
    nonce: Uint8Array,
    aad: Uint8Array,
    text: DataView,
    at: number,
    length: number,
  ): void {
    const { state, stream, tag, ghash } = this.#workspace
    ghash.start(this.#h)
    if (aad.length > 0) ghash.updatePadded(viewOf(aad), 0, aad.length)
    ghash.updatePadded(text, at, length)
    ghash.updateLengths(aad.length, length)
    ghash.finish(tag)
    encryptCounters(keys, state, littleEndian(nonce, 0), littleEndian(nonce, 4), littleEndian(nonce, 8), 1, stream)
    for (let i = 0; i < 4; i++) tag[i]! ^= stream[i]!
  }

  /** GCTR from counter 2 on; `from` and `to` may be the same place. */
  #xor(
    keys: Int32Array,
    nonce: Uint8Array,
    from: DataView,
    fromAt: number,
    to: DataView,
    toAt: number,
    length: number,
  ): void {
    const { state, stream } = this.#workspace
    const n0 = littleEndian(nonce, 0)
    const n1 = littleEndian(nonce, 4)
    const n2 = littleEndian(nonce, 8)
    const kept = length < LONG ? undefined : this.#kept()
    let counter = 2
    let at = 0
    for (; at + 2 * BLOCK <= length; at += 2 * BLOCK, counter += 2) {
      encryptCounters(keys, state, n0, n1, n2, counter, stream, kept)
      for (let i = 0; i < 8; i++) {
        const offset = at + 4 * i
        to.setInt32(toAt + offset, from.getInt32(fromAt + offset, true) ^ stream[i]!, true)
      }
    }
    if (at === length) return
    encryptCounters(keys, state, n0, n1, n2, counter, stream)
    for (let i = 0; at < length; at++, i++) {
      to.setUint8(toAt + at, from.getUint8(fromAt + at) ^ (stream[i >> 2]! >>> (8 * (i & 3))))
    }
  }

  #kept(): KeptStates {
    this.#workspace.kept ??= keptStates()
    this.#workspace.kept.upper = 0
    return this.#workspace.kept
  }

  #forget(length: number): void {
    const { state, stream, tag, kept } = this.#workspace
    if (length >= LONG) {
      kept?.states.fill(0)
      kept?.difference.fill(0)
    }
    state.fill(0)
    stream.fill(0)
    tag.fill(0)
  }
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * AES-GCM in TypeScript alone.
 * @param bits of the key
 */
export function createPlainAesGcm(bits: 128 | 256): Aead {
  const name = `AES-${bits}-GCM`
  const keyLength = bits / 8
  let workspace: Workspace | undefined
  return {
    name,
    keyLength,
    nonceLength: 12,
    tagLength: TAG_LENGTH,
    confidentialityLimit: AES_GCM_CONFIDENTIALITY_LIMIT,
    key(key) {
      checkKeyLength(key, keyLength, name)
      workspace ??= {
        state: new Int32Array(8),
        stream: new Int32Array(8),
        tag: new Int32Array(4),
        ghash: new Ghash(),
        kept: undefined,
      }
      return new Key(key, workspace)
    },
  }
}
