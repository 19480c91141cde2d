import { copyOf } from "../../../bytes/copy.ts"
import type { Hash, HashState, HmacKey } from "../../provider.ts"
import { createPlainSha256 } from "../sha256.ts"
import { type Exported, type KernelExports, kernels, type WebAssemblyChoice } from "./engine.ts"
import { sha2Module } from "./modules/sha2.ts"

// SHA-2 and HMAC over packages/tls13/assembly/sha2. A running hash owns its eight words and the block that is being filled; a
// key of HMAC owns its two states. Each use copies them in, which is one `set`, and takes the result out, leaving zeros.

interface Sha2Exports extends KernelExports {
  readonly TEXT: Exported
  readonly TEXT_ROOM: Exported
  begin256(size: number): void
  update256(length: number): void
  last256(length: number, total: number): void
  whole256(length: number, size: number): void
  macOf256(length: number, size: number): void
  macKey256(length: number, size: number): void
  begin512(size: number): void
  update512(length: number): void
  last512(length: number, total: number): void
  whole512(length: number, size: number): void
  macOf512(length: number, size: number): void
  macKey512(length: number, size: number): void
}

/** Up to this, a loop is faster than `set`. */
const SHORT = 8

/** The functions of one hash, and where its bytes are. */
export interface Sha2Kernel {
  readonly bytes: Uint8Array
  readonly text: number
  readonly textRoom: number
  /** Bytes of the eight words, which stand before the text. */
  readonly words: number
  /** Bytes of a block. */
  readonly block: number
  /** Bytes of a digest. */
  readonly size: number
  readonly begin: (size: number) => void
  readonly update: (length: number) => void
  readonly last: (length: number, total: number) => void
  readonly whole: (length: number, size: number) => void
  readonly macOf: (length: number, size: number) => void
  readonly macKey: (length: number, size: number) => void
}

export type Sha2Name = Hash["name"]

/** One instance for all three, made when it is first asked for; undefined where there is none. */
export type Sha2KernelSource = (name: Sha2Name) => Sha2Kernel | undefined

const sizes: Readonly<Record<Sha2Name, number>> = { sha256: 32, sha384: 48, sha512: 64 }

export function sha2Kernel(choice: WebAssemblyChoice): Sha2KernelSource {
  const instance = kernels<Sha2Exports>(choice, "sha2", sha2Module)
  const made: { [Name in Sha2Name]?: Sha2Kernel } = {}
  return (name) => {
    const exports = instance()
    if (exports === undefined) return undefined
    made[name] ??= kernel(exports, name)
    return made[name]
  }
}

function kernel(exports: Sha2Exports, name: Sha2Name): Sha2Kernel {
  const wide = name !== "sha256"
  const words = wide ? 64 : 32
  const { begin256, update256, last256, whole256, macOf256, macKey256 } = exports
  const { begin512, update512, last512, whole512, macOf512, macKey512 } = exports
  return {
    bytes: new Uint8Array(exports.memory.buffer),
    text: exports.TEXT.value,
    textRoom: exports.TEXT_ROOM.value,
    words,
    block: 2 * words,
    size: sizes[name],
    ...(wide
      ? { begin: begin512, update: update512, last: last512, whole: whole512, macOf: macOf512, macKey: macKey512 }
      : { begin: begin256, update: update256, last: last256, whole: whole256, macOf: macOf256, macKey: macKey256 }),
  }
}

/** A hash in WebAssembly, or `plain` where that is not possible. */
export function sha2Over(plain: Hash, source: Sha2KernelSource): Hash {
  const { name, length } = plain
  return {
    name,
    length,
    digest(message) {
      const own = source(name)
      return own === undefined ? plain.digest(message) : digest(own, message)
    },
    start() {
      const own = source(name)
      return own === undefined ? plain.start() : start(own)
    },
    hmac(key) {
      const own = source(name)
      return own === undefined ? plain.hmac(key) : new MacKey(own, key)
    },
  }
}

class State implements HashState {
  readonly #kernel: Sha2Kernel
  /** The words, and the beginning of a block. */
  readonly #state: Uint8Array
  /** Bytes so far. */
  #length: number

  constructor(kernel: Sha2Kernel, state: Uint8Array, length: number) {
    this.#kernel = kernel
    this.#state = state
    this.#length = length
  }

  update(bytes: Uint8Array): void {
    const { block, words, text, textRoom, bytes: memory } = this.#kernel
    const state = this.#state
    let filled = this.#length % block
    this.#length += bytes.length
    if (filled + bytes.length < block) {
      for (let i = 0; i < bytes.length; i++) state[words + filled + i] = bytes[i]!
      return
    }
    memory.set(state, text - words)
    let whole = 0
    for (let at = 0; at < bytes.length; ) {
      // A piece that is not the last one ends with a block, as the room does.
      const taken = Math.min(textRoom - filled, bytes.length - at)
      copyIn(memory, text + filled, taken === bytes.length ? bytes : bytes.subarray(at, at + taken))
      at += taken
      whole = filled + taken - ((filled + taken) % block)
      this.#kernel.update(whole)
      filled += taken - whole
    }
    move(memory, text - words, words, state, 0)
    move(memory, text + whole, filled, state, words)
  }

  digest(): Uint8Array {
    const { block, words, text, size, bytes: memory, last } = this.#kernel
    memory.set(this.#state, text - words)
    last(this.#length % block, this.#length)
    return result(memory, text - words, size, words)
  }

  clone(): HashState {
    return new State(this.#kernel, copyOf(this.#state), this.#length)
  }

  wipe(): void {
    this.#state.fill(0)
  }
}

function start(kernel: Sha2Kernel): State {
  const { words, block, text, size, bytes: memory } = kernel
  const state = new Uint8Array(words + block)
  kernel.begin(size)
  move(memory, text - words, words, state, 0)
  return new State(kernel, state, 0)
}

function digest(kernel: Sha2Kernel, message: Uint8Array): Uint8Array {
  const { words, text, textRoom, size, bytes: memory } = kernel
  if (message.length > textRoom) {
    const state = start(kernel)
    state.update(message)
    return state.digest()
  }
  copyIn(memory, text, message)
  kernel.whole(message.length, size)
  return result(memory, text - words, size, words)
}

class MacKey implements HmacKey {
  readonly #kernel: Sha2Kernel
  /** The states after the block of the key with opad, and with ipad (RFC 2104 section 4). */
  #states: Uint8Array | undefined

  constructor(kernel: Sha2Kernel, key: Uint8Array) {
    const { words, block, text, size, bytes: memory } = kernel
    const short = key.length > block ? digest(kernel, key) : key
    copyIn(memory, text, short)
    kernel.macKey(short.length, size)
    this.#kernel = kernel
    this.#states = new Uint8Array(2 * words)
    move(memory, text - 2 * words, 2 * words, this.#states, 0)
  }

  mac(...parts: readonly Uint8Array[]): Uint8Array {
    const states = this.#states
    if (!states) throw new Error("the HMAC key was wiped and cannot be used any more")
    const { words, text, textRoom, size, bytes: memory } = this.#kernel
    let length = 0
    for (const part of parts) length += part.length
    if (length > textRoom) return this.#macOfMany(states, parts)
    memory.set(states, text - 2 * words)
    let at = text
    for (const part of parts) {
      copyIn(memory, at, part)
      at += part.length
    }
    this.#kernel.macOf(length, size)
    return result(memory, text - words, size, words)
  }

  wipe(): void {
    this.#states?.fill(0)
    this.#states = undefined
  }

  #macOfMany(states: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
    const { words } = this.#kernel
    const inner = this.#after(states.subarray(words))
    for (const part of parts) inner.update(part)
    const outer = this.#after(states.subarray(0, words))
    outer.update(inner.digest())
    const tag = outer.digest()
    inner.wipe()
    outer.wipe()
    return tag
  }

  /** A hash that has taken the block of the key. */
  #after(words: Uint8Array): State {
    const { block } = this.#kernel
    const state = new Uint8Array(words.length + block)
    state.set(words)
    return new State(this.#kernel, state, block)
  }
}

function copyIn(memory: Uint8Array, at: number, from: Uint8Array): void {
  const length = from.length
  if (length > SHORT) memory.set(from, at)
  else for (let i = 0; i < length; i++) memory[at + i] = from[i]!
}

/** Leaves zeros. */
function move(memory: Uint8Array, from: number, length: number, out: Uint8Array, at: number): void {
  for (let i = 0; i < length; i++) {
    out[at + i] = memory[from + i]!
    memory[from + i] = 0
  }
}

/** The digest, of a state of which nothing is left. */
function result(memory: Uint8Array, from: number, size: number, words: number): Uint8Array {
  const out = new Uint8Array(size)
  move(memory, from, size, out, 0)
  // Of SHA-384 the last two words.
  for (let i = size; i < words; i++) memory[from + i] = 0
  return out
}

/** SHA-256 in WebAssembly, or in TypeScript where that is not possible. */
export function createSha256(webAssembly: WebAssemblyChoice = "auto"): Hash {
  return sha2Over(createPlainSha256(), sha2Kernel(webAssembly))
}
