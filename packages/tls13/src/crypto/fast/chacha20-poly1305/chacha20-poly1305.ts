import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../../aead-arguments.ts"
import type { Aead, AeadKey } from "../../provider.ts"
import { CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT } from "../../suites.ts"
import { bulk } from "./bulk.ts"
import { chachaBlock, chachaInput, chachaXor } from "./chacha20.ts"
import { Poly1305 } from "./poly1305.ts"

// AEAD_CHACHA20_POLY1305, RFC 8439 section 2.8, with nothing allocated for a record but some views of its bytes.

const KEY_LENGTH = 32
const TAG_LENGTH = 16
/** Bytes of a block of ChaCha20. */
const BLOCK = 64
/** Bytes of text from which on both are computed together, and up to which: those of the longest record. */
const LONG = 256
const LONGEST = 16_640

/** What one record needs while it is sealed or opened; all keys of an AEAD share it. */
interface Workspace {
  readonly block: Int32Array
  readonly tag: Int32Array
  readonly mac: Poly1305
  /** For long texts, whose bytes it takes as words; made for the first one. */
  text: Int32Array | undefined
  /** Bytes of the longest of them; 0: words do not begin with their lowest byte here. */
  readonly longest: number
}

class Key implements AeadKey {
  readonly #workspace: Workspace
  #input: Int32Array | undefined

  constructor(key: Uint8Array, workspace: Workspace) {
    this.#workspace = workspace
    this.#input = chachaInput(key)
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    const { block, tag } = this.#workspace
    const input = this.#start(nonce, aad)
    const to = viewOf(out)
    const whole = this.#wholeOf(length)
    if (whole > 0) out.set(this.#bulk(input, plaintext, whole, false), at)
    chachaXor(input, this.#workspace.mac, block, viewOf(plaintext), whole, to, at + whole, length - whole)
    // The MAC has not had the last whole block.
    this.#authenticate(aad, to, at, Math.max(0, whole - BLOCK), length)
    for (let i = 0; i < 4; i++) to.setInt32(at + length + 4 * i, tag[i]!, true)
    block.fill(0)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    const { block, tag } = this.#workspace
    const input = this.#start(nonce, aad)
    const from = viewOf(ciphertext)
    const whole = this.#wholeOf(length)
    const text = whole > 0 ? this.#bulk(input, ciphertext, whole, true) : undefined
    this.#authenticate(aad, from, 0, whole, length)
    let difference = 0
    for (let i = 0; i < 4; i++) difference |= from.getInt32(length + 4 * i, true) ^ tag[i]!
    if (difference === 0) {
      if (text) out.set(text, at)
      chachaXor(input, this.#workspace.mac, block, from, whole, viewOf(out), at + whole, length - whole)
    }
    text?.fill(0)
    block.fill(0)
    return difference === 0 ? length : -1
  }

  wipe(): void {
    this.#input?.fill(0)
    this.#input = undefined
  }

  /** RFC 8439 2.6: the one-time key of the MAC is the first half of the block with counter 0. */
  #start(nonce: Uint8Array, aad: Uint8Array): Int32Array {
    const input = this.#input
    if (!input) throw wipedKey()
    input[12] = 0
    for (let i = 0; i < 3; i++) {
      input[13 + i] = nonce[4 * i]! | (nonce[4 * i + 1]! << 8) | (nonce[4 * i + 2]! << 16) | (nonce[4 * i + 3]! << 24)
    }
    const { block, mac } = this.#workspace
    chachaBlock(input, mac, block)
    mac.start(block)
    if (aad.length > 0) mac.updatePadded(viewOf(aad), 0, aad.length)
    return input
  }

  /** Encrypts or decrypts the first `length` bytes, whole blocks, into a place of its own, and takes them into the MAC; see `bulk`. */
  #bulk(input: Int32Array, from: Uint8Array, length: number, before: boolean): Uint8Array {
    this.#workspace.text ??= new Int32Array(LONGEST / 4)
    const { mac, text } = this.#workspace
    const bytes = new Uint8Array(text.buffer, 0, length)
    bytes.set(from.subarray(0, length))
    bulk(input, mac, text, length / 4, before)
    return bytes
  }

  /** Bytes of a text, from its first on, that are computed together. */
  #wholeOf(length: number): number {
    return length >= LONG && length <= this.#workspace.longest ? length - (length % BLOCK) : 0
  }

  /** Takes the text from `taken` on into the MAC, and makes the tag. */
  #authenticate(aad: Uint8Array, text: DataView, at: number, taken: number, length: number): void {
    const { mac, tag } = this.#workspace
    mac.updatePadded(text, at + taken, length - taken)
    mac.updateLengths(aad.length, length)
    mac.finish(tag)
  }
}

function makeWorkspace(): Workspace {
  const isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1
  return {
    block: new Int32Array(16),
    tag: new Int32Array(4),
    mac: new Poly1305(),
    text: undefined,
    longest: isLittleEndian ? LONGEST : 0,
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** The AEAD in TypeScript alone. */
export function createPlainChaCha20Poly1305(): Aead {
  let workspace: Workspace | undefined
  return {
    name: "ChaCha20-Poly1305",
    keyLength: KEY_LENGTH,
    nonceLength: 12,
    tagLength: TAG_LENGTH,
    confidentialityLimit: CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT,
    key(key) {
      checkKeyLength(key, KEY_LENGTH, "ChaCha20-Poly1305")
      workspace ??= makeWorkspace()
      return new Key(key, workspace)
    },
  }
}
