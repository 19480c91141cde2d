import { checkKeyLength, checkNonceAndRoom, wipedKey } from "../../aead-arguments.ts"
import type { Aead, AeadKey } from "../../provider.ts"
import { CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT } from "../../suites.ts"
import { chachaBlock, chachaInput, chachaXor } from "./chacha20.ts"
import { Poly1305 } from "./poly1305.ts"

// AEAD_CHACHA20_POLY1305, RFC 8439 section 2.8, with nothing allocated for a record but two views of its bytes.

const KEY_LENGTH = 32
const TAG_LENGTH = 16

/** What one record needs while it is sealed or opened; all keys of an AEAD share it. */
interface Workspace {
  readonly block: Int32Array
  readonly tag: Int32Array
  readonly mac: Poly1305
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
    const input = this.#start(nonce)
    const to = viewOf(out)
    chachaXor(input, block, viewOf(plaintext), 0, to, at, length)
    this.#authenticate(aad, to, at, length)
    for (let i = 0; i < 4; i++) to.setInt32(at + length + 4 * i, tag[i]!, true)
    block.fill(0)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    const { block, tag } = this.#workspace
    const input = this.#start(nonce)
    const from = viewOf(ciphertext)
    this.#authenticate(aad, from, 0, length)
    let difference = 0
    for (let i = 0; i < 4; i++) difference |= from.getInt32(length + 4 * i, true) ^ tag[i]!
    if (difference === 0) chachaXor(input, block, from, 0, viewOf(out), at, length)
    block.fill(0)
    return difference === 0 ? length : -1
  }

  wipe(): void {
    this.#input?.fill(0)
    this.#input = undefined
  }

  /** RFC 8439 2.6: the one-time key of the MAC is the first half of the block with counter 0. */
  #start(nonce: Uint8Array): Int32Array {
    const input = this.#input
    if (!input) throw wipedKey()
    input[12] = 0
    for (let i = 0; i < 3; i++) {
      input[13 + i] = nonce[4 * i]! | (nonce[4 * i + 1]! << 8) | (nonce[4 * i + 2]! << 16) | (nonce[4 * i + 3]! << 24)
    }
    const { block, mac } = this.#workspace
    chachaBlock(input, block)
    mac.start(block)
    return input
  }

  #authenticate(aad: Uint8Array, text: DataView, at: number, length: number): void {
    const { mac, tag } = this.#workspace
    if (aad.length > 0) mac.updatePadded(viewOf(aad), 0, aad.length)
    mac.updatePadded(text, at, length)
    mac.updateLengths(aad.length, length)
    mac.finish(tag)
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
      workspace ??= { block: new Int32Array(16), tag: new Int32Array(4), mac: new Poly1305() }
      return new Key(key, workspace)
    },
  }
}
