import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../../aead-arguments.ts"
import type { Aead, AeadKey } from "../../provider.ts"
import { AES_GCM_CONFIDENTIALITY_LIMIT } from "../../suites.ts"
import { BLOCKS, type KeptStates, keptStates, xorCounters } from "./aes-bitsliced.ts"
import { expandKey, SLICES } from "./aes-bitsliced-key.ts"
import { clear, Ghash, swapBytes } from "./ghash.ts"

// AES-GCM (NIST SP 800-38D) with 96-bit nonces and 128-bit tags, over the bit-sliced AES of aes-bitsliced.ts and the GHASH
// of ghash.ts, both without tables. They compute on a copy of the text, as words, which costs less than access to bytes in
// their place. Nothing is allocated for a record but some views of its bytes.

const TAG_LENGTH = 16
const BLOCK = 16
/** Bytes that one call of `xorCounters` makes. */
const BATCH = BLOCK * BLOCKS
/** The blocks with counters 0, which is not used, and 1, for the tag: the text has those from 2 on. */
const HEAD = 2 * BLOCK
/** Bytes of the copy, first and where more is wanted: the longest record and what is before it in whole batches. */
const SMALL = 8 * BATCH
const ROOM = 131 * BATCH
/** Bytes of text from which on states after two rounds are kept: a half more than there are of. */
const LONG = 6144

/** What one record needs while it is sealed or opened; all keys of an AEAD share it. */
interface Workspace {
  readonly state: Int32Array
  readonly ghash: Ghash
  readonly tag: Int32Array
  /** Zeros, but while it is used. */
  text: Int32Array
  /** The same memory. */
  bytes: Uint8Array
  /** For long texts; made for the first one. */
  kept: KeptStates | undefined
  /** Whether words begin with their lowest byte here. */
  readonly isLittleEndian: boolean
}

class Key implements AeadKey {
  readonly #workspace: Workspace
  #keys: Int32Array | undefined
  /** E(K, 0). */
  readonly #h: Int32Array = new Int32Array(4)

  constructor(key: Uint8Array, workspace: Workspace) {
    const { state, text } = workspace
    this.#workspace = workspace
    this.#keys = expandKey(key)
    // The first block of the counters from 0 with a zero nonce.
    xorCounters(this.#keys, state, 0, 0, 0, 0, text, 0)
    this.#h.set(text.subarray(0, 4))
    clear(text, 0, BATCH / 4)
    clear(state, 0, SLICES)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    const keys = this.#keys
    if (!keys) throw wipedKey()
    this.#start(aad, length)
    const { text, bytes, tag } = this.#workspace
    let end = 0
    for (let counter = 0; counter === 0 || end < length; counter += ROOM / BLOCK) {
      const begin = end
      const head = counter === 0 ? HEAD : 0
      end = this.#load(plaintext, begin, length, head)
      const last = head + end - begin
      this.#xor(keys, nonce, counter, 0, last, length)
      // What is behind the text is key stream that is not used.
      clear(bytes, last, ceiling(last, 4))
      clear(text, ceiling(last, 4) >> 2, ceiling(last, BATCH) >> 2)
      if (counter === 0) this.#cover()
      this.#absorb(head, last)
      this.#inOrder(last)
      out.set(bytes.subarray(head, last), at + begin)
    }
    this.#finish(aad.length, length)
    const view = new DataView(out.buffer, out.byteOffset + at + length, TAG_LENGTH)
    for (let i = 0; i < 4; i++) view.setInt32(4 * i, tag[i]!, true)
    this.#forget(length)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    const keys = this.#keys
    if (!keys) throw wipedKey()
    this.#start(aad, length)
    const { bytes, tag } = this.#workspace
    let end = 0
    for (let head = HEAD; head > 0 || end < length; head = 0) {
      const begin = end
      end = this.#load(ciphertext, begin, length, head)
      this.#absorb(head, head + end - begin)
    }
    // The whole text is there unless it is longer than a record.
    const isThere = length <= ROOM - HEAD
    end = isThere ? length : this.#load(ciphertext, 0, length, HEAD)
    this.#xor(keys, nonce, 0, 0, BATCH, length)
    this.#cover()
    this.#finish(aad.length, length)
    const view = new DataView(ciphertext.buffer, ciphertext.byteOffset + length, TAG_LENGTH)
    let difference = 0
    for (let i = 0; i < 4; i++) difference |= view.getInt32(4 * i, true) ^ tag[i]!
    if (difference === 0) {
      this.#xor(keys, nonce, 0, BATCH, HEAD + end, length)
      this.#inOrder(HEAD + end)
      out.set(bytes.subarray(HEAD, HEAD + end), at)
      for (let counter = ROOM / BLOCK; end < length; counter += ROOM / BLOCK) {
        const begin = end
        end = this.#load(ciphertext, begin, length, 0)
        this.#xor(keys, nonce, counter, 0, end - begin, length)
        this.#inOrder(end - begin)
        out.set(bytes.subarray(0, end - begin), at + begin)
      }
    }
    this.#forget(length)
    return difference === 0 ? length : -1
  }

  wipe(): void {
    this.#keys?.fill(0)
    this.#keys = undefined
    this.#h.fill(0)
  }

  /** Begins the MAC with the additional data. */
  #start(aad: Uint8Array, length: number): void {
    const workspace = this.#workspace
    if (HEAD + length > workspace.bytes.length && workspace.bytes.length < ROOM) {
      workspace.text = new Int32Array(ROOM / 4)
      workspace.bytes = new Uint8Array(workspace.text.buffer)
    }
    workspace.ghash.start(this.#h)
    for (let at = 0; at < aad.length; ) {
      const end = this.#load(aad, at, aad.length, 0)
      this.#absorb(0, end - at)
      at = end
    }
  }

  /** Copies bytes of `from` from `begin` on, as many as there is room for behind `head` zeros, with zeros behind them to the end of a block; returns where they end. */
  #load(from: Uint8Array, begin: number, length: number, head: number): number {
    const { text, bytes } = this.#workspace
    const end = Math.min(length, begin + bytes.length - head)
    const last = head + end - begin
    clear(text, 0, head / 4)
    bytes.set(from.subarray(begin, end), head)
    clear(bytes, last, ceiling(last, BLOCK))
    this.#inOrder(last)
    return end
  }

  /** GCTR of what has been copied, in batches from `begin` to `end`; `counter` is that of the first block. */
  #xor(keys: Int32Array, nonce: Uint8Array, counter: number, begin: number, end: number, length: number): void {
    const { state, text } = this.#workspace
    const n0 = littleEndian(nonce, 0)
    const n1 = littleEndian(nonce, 4)
    const n2 = littleEndian(nonce, 8)
    const kept = length < LONG ? undefined : this.#kept(counter + begin)
    for (let at = begin; at < end; at += BATCH) {
      xorCounters(keys, state, n0, n1, n2, counter + (at >> 4), text, at >> 2, kept)
    }
  }

  #kept(begin: number): KeptStates {
    this.#workspace.kept ??= keptStates()
    if (begin === 0) this.#workspace.kept.upper = 0
    return this.#workspace.kept
  }

  /** The block that covers the tag: that of the nonce with counter 1. */
  #cover(): void {
    const { text, tag } = this.#workspace
    for (let i = 0; i < 4; i++) tag[i] = text[4 + i]!
    clear(text, 0, HEAD / 4)
  }

  /** Takes bytes of the copy, and zeros up to the next whole block, into the MAC. */
  #absorb(begin: number, end: number): void {
    this.#workspace.ghash.update(this.#workspace.text, begin >> 2, ceiling(end - begin, BLOCK) >> 4)
  }

  /** The tag is GHASH, at last of both lengths, exclusive-or its cover. */
  #finish(aadLength: number, length: number): void {
    const { ghash, tag } = this.#workspace
    const sum = ghash.finish(aadLength, length)
    for (let i = 0; i < 4; i++) tag[i]! ^= sum[i]!
  }

  /** Puts the bytes of words in the order in which they are computed with, and back. */
  #inOrder(end: number): void {
    const { text, isLittleEndian } = this.#workspace
    if (isLittleEndian) return
    for (let i = 0; 4 * i < end; i++) text[i] = swapBytes(text[i]!)
  }

  #forget(length: number): void {
    const { state, text, bytes, tag, kept } = this.#workspace
    if (length >= LONG) {
      kept?.states.fill(0)
      kept?.difference.fill(0)
    }
    clear(text, 0, ceiling(Math.min(bytes.length, HEAD + length), BATCH) >> 2)
    clear(state, 0, SLICES)
    clear(tag, 0, 4)
  }
}

/** @param length below 2^31 @param unit a power of two */
function ceiling(length: number, unit: number): number {
  return (length + unit - 1) & -unit
}

function littleEndian(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
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
      workspace ??= makeWorkspace()
      return new Key(key, workspace)
    },
  }
}

function makeWorkspace(): Workspace {
  const text = new Int32Array(SMALL / 4)
  return {
    state: new Int32Array(SLICES),
    ghash: new Ghash(),
    tag: new Int32Array(4),
    text,
    bytes: new Uint8Array(text.buffer),
    kept: undefined,
    isLittleEndian: new Uint8Array(Int32Array.of(1).buffer)[0] === 1,
  }
}
