import { checkNonceAndRoom, wipedKey } from "../../aead-arguments.ts"
import type { AeadKey } from "../../provider.ts"
import { type Exported, type KernelExports, type KernelModule, kernels, type WebAssemblyChoice } from "./engine.ts"

// An AEAD key over a module that has the exports below: packages/tls13/assembly/{aes-gcm,chacha20-poly1305}. The key's own
// words are copied in for each record, and the module forgets them before it returns; what is left in its memory after a
// record is opened is overwritten here. A whole record is one call; what is longer than the module's room goes in pieces.

export interface AeadExports extends KernelExports {
  /** Where the nonce goes, and behind it the expanded key. */
  readonly INPUT: Exported
  /** Where the text is. The additional data ends before it, padded to whole blocks. */
  readonly TEXT: Exported
  readonly AAD_ROOM: Exported
  readonly TEXT_ROOM: Exported
  seal(aadLength: number, length: number): void
  open(aadLength: number, length: number): number
  begin(): void
  crypt(counter: number, length: number): void
  absorb(length: number): void
  tag(aadLength: number, length: number): void
  end(): void
}

const TAG_LENGTH = 16
/** Words of INPUT before those of the key. */
export const NONCE_WORDS = 3
/** Up to these, bytes in and bytes out, a loop is faster than `set`, which for bytes out needs a view. */
const SHORT_IN = 8
const SHORT_OUT = 32

/** A module's memory, as it is read and written here; all keys of an AEAD share it. */
export interface AeadKernel<Exports extends AeadExports = AeadExports> extends TextStream {
  readonly exports: Exports
  readonly bytes: Uint8Array
  /** Of the nonce and the expanded key. */
  readonly input: Int32Array
  readonly text: number
  readonly aadRoom: number
  readonly textRoom: number
}

interface TextStream {
  /** The first counter of the text: 1 of RFC 8439, 2 of SP 800-38D. */
  readonly counter: number
  /** Bytes of a block of key stream. */
  readonly block: number
}

/** One instance, made when it is first asked for; undefined where there is none. */
export type AeadKernelSource<Exports extends AeadExports = AeadExports> = () => AeadKernel<Exports> | undefined

export function aeadKernelSource<Exports extends AeadExports>(
  choice: WebAssemblyChoice,
  name: KernelModule,
  embedded: string,
  stream: TextStream,
): AeadKernelSource<Exports> {
  const instance = kernels<Exports>(choice, name, embedded)
  let kernel: AeadKernel<Exports> | undefined
  return () => {
    const exports = instance()
    if (exports === undefined) return undefined
    kernel ??= {
      ...stream,
      exports,
      bytes: new Uint8Array(exports.memory.buffer),
      input: new Int32Array(exports.memory.buffer, exports.INPUT.value),
      text: exports.TEXT.value,
      aadRoom: exports.AAD_ROOM.value,
      textRoom: exports.TEXT_ROOM.value,
    }
    return kernel
  }
}

export class WebAssemblyAeadKey implements AeadKey {
  readonly #kernel: AeadKernel
  #words: Int32Array | undefined

  /** @param words the expanded key, which is kept and not copied */
  constructor(kernel: AeadKernel, words: Int32Array) {
    this.#kernel = kernel
    this.#words = words
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
    const length = plaintext.length
    checkNonceAndRoom(nonce, out, at, length + TAG_LENGTH)
    const kernel = this.#kernel
    this.#start(nonce)
    if (length > kernel.textRoom || aad.length > kernel.aadRoom) {
      sealInPieces(kernel, aad, plaintext, out, at)
      return
    }
    const { bytes, text } = kernel
    copyIn(bytes, text - ((aad.length + 15) & ~15), aad)
    copyIn(bytes, text, plaintext)
    kernel.exports.seal(aad.length, length)
    copyOut(bytes, text, length + TAG_LENGTH, out, at)
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, out: Uint8Array, at: number): number {
    const length = ciphertext.length - TAG_LENGTH
    if (length < 0) return -1
    checkNonceAndRoom(nonce, out, at, length)
    const kernel = this.#kernel
    this.#start(nonce)
    if (length > kernel.textRoom || aad.length > kernel.aadRoom) return openInPieces(kernel, aad, ciphertext, out, at)
    const { bytes, text } = kernel
    copyIn(bytes, text - ((aad.length + 15) & ~15), aad)
    copyIn(bytes, text, ciphertext)
    if (kernel.exports.open(aad.length, length) === 0) return -1
    moveOut(bytes, text, length, out, at)
    return length
  }

  wipe(): void {
    this.#words?.fill(0)
    this.#words = undefined
  }

  #start(nonce: Uint8Array): void {
    const words = this.#words
    if (!words) throw wipedKey()
    const { input } = this.#kernel
    for (let i = 0; i < NONCE_WORDS; i++) {
      input[i] = nonce[4 * i]! | (nonce[4 * i + 1]! << 8) | (nonce[4 * i + 2]! << 16) | (nonce[4 * i + 3]! << 24)
    }
    input.set(words, NONCE_WORDS)
  }
}

function sealInPieces(kernel: AeadKernel, aad: Uint8Array, plaintext: Uint8Array, out: Uint8Array, at: number): void {
  const { exports, bytes, text, textRoom } = kernel
  exports.begin()
  absorbAll(kernel, aad, aad.length)
  for (let i = 0; i < plaintext.length; i += textRoom) {
    const piece = plaintext.subarray(i, i + textRoom)
    bytes.set(piece, text)
    exports.crypt(kernel.counter + i / kernel.block, piece.length)
    copyOut(bytes, text, piece.length, out, at + i)
    exports.absorb(piece.length)
  }
  exports.tag(aad.length, plaintext.length)
  moveOut(bytes, text, TAG_LENGTH, out, at + plaintext.length)
  exports.end()
}

function openInPieces(
  kernel: AeadKernel,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  out: Uint8Array,
  at: number,
): number {
  const { exports, bytes, text, textRoom } = kernel
  const length = ciphertext.length - TAG_LENGTH
  exports.begin()
  absorbAll(kernel, aad, aad.length)
  absorbAll(kernel, ciphertext, length)
  exports.tag(aad.length, length)
  let difference = 0
  for (let i = 0; i < TAG_LENGTH; i++) difference |= bytes[text + i]! ^ ciphertext[length + i]!
  bytes.fill(0, text, text + TAG_LENGTH)
  for (let i = 0; difference === 0 && i < length; i += textRoom) {
    const size = Math.min(textRoom, length - i)
    bytes.set(ciphertext.subarray(i, i + size), text)
    exports.crypt(kernel.counter + i / kernel.block, size)
    moveOut(bytes, text, size, out, at + i)
  }
  exports.end()
  return difference === 0 ? length : -1
}

function absorbAll({ exports, bytes, text, textRoom }: AeadKernel, data: Uint8Array, length: number): void {
  for (let i = 0; i < length; i += textRoom) {
    const size = Math.min(textRoom, length - i)
    bytes.set(data.subarray(i, i + size), text)
    exports.absorb(size)
  }
}

function copyIn(memory: Uint8Array, at: number, from: Uint8Array): void {
  const length = from.length
  if (length > SHORT_IN) memory.set(from, at)
  else for (let i = 0; i < length; i++) memory[at + i] = from[i]!
}

function copyOut(memory: Uint8Array, from: number, length: number, out: Uint8Array, at: number): void {
  if (length > SHORT_OUT) out.set(memory.subarray(from, from + length), at)
  else for (let i = 0; i < length; i++) out[at + i] = memory[from + i]!
}

/** Leaves zeros. */
function moveOut(memory: Uint8Array, from: number, length: number, out: Uint8Array, at: number): void {
  if (length > SHORT_OUT) {
    const view = memory.subarray(from, from + length)
    out.set(view, at)
    view.fill(0)
  } else {
    for (let i = 0; i < length; i++) {
      out[at + i] = memory[from + i]!
      memory[from + i] = 0
    }
  }
}
