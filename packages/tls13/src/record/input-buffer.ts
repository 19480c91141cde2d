import { nothing } from "../bytes/nothing.ts"

/**
 * The bytes of a transport, first in, first out, copied only when they must be.
 * `push` takes a view of the caller's bytes; what is not taken by `settle` is copied then. A record that began in an
 * earlier receive is completed by copying just what it lacks, and the rest of the input is read where it is.
 */
export class InputBuffer {
  /** Our own bytes: they come before those of `#input`. */
  #held: Uint8Array = nothing
  #heldStart = 0
  #heldEnd = 0
  /** The caller's bytes. */
  #input: Uint8Array = nothing
  #inputStart = 0

  /** Bytes not taken yet. */
  get length(): number {
    return this.#heldEnd - this.#heldStart + this.#input.length - this.#inputStart
  }

  push(bytes: Uint8Array): void {
    this.settle()
    this.#input = bytes
    this.#inputStart = 0
  }

  settle(): void {
    if (this.#inputStart < this.#input.length) this.#hold(this.#input.length - this.#inputStart)
    this.#input = nothing
    this.#inputStart = 0
  }

  /** Whether there are `count` bytes; when there are, `byte` and `take` may ask for so many. */
  ensure(count: number): boolean {
    const held = this.#heldEnd - this.#heldStart
    if (held === 0) return this.#input.length - this.#inputStart >= count
    if (held >= count) return true
    this.#hold(Math.min(count - held, this.#input.length - this.#inputStart))
    return this.#heldEnd - this.#heldStart >= count
  }

  /** The byte at `index` of those not taken yet. */
  byte(index: number): number {
    return this.#heldEnd > this.#heldStart
      ? this.#held[this.#heldStart + index]!
      : this.#input[this.#inputStart + index]!
  }

  /** Takes `count` bytes: a view, valid until the next call. */
  take(count: number): Uint8Array {
    if (this.#heldEnd === this.#heldStart) {
      const view = this.#input.subarray(this.#inputStart, this.#inputStart + count)
      this.#inputStart += count
      return view
    }
    const view = this.#held.subarray(this.#heldStart, this.#heldStart + count)
    this.#heldStart += count
    // An idle connection keeps no buffer.
    if (this.#heldStart === this.#heldEnd) this.#release()
    return view
  }

  wipe(): void {
    // Of ciphertext there is nothing to erase, and what was opened where it lay is somebody's data.
    this.#release()
    this.#input = nothing
    this.#inputStart = 0
  }

  /** Moves `count` bytes from the input to the end of our own. */
  #hold(count: number): void {
    this.#room(count)
    this.#held.set(this.#input.subarray(this.#inputStart, this.#inputStart + count), this.#heldEnd)
    this.#heldEnd += count
    this.#inputStart += count
  }

  /**
   * Makes room for `count` bytes. The buffer grows with what has come, never with what a header announces; doubling, so
   * that a peer which sends byte by byte costs no more than twice the copying.
   */
  #room(count: number): void {
    if (this.#heldEnd + count <= this.#held.length) return
    const length = this.#heldEnd - this.#heldStart
    const larger = new Uint8Array(Math.max(length + count, 2 * length))
    larger.set(this.#held.subarray(this.#heldStart, this.#heldEnd))
    this.#held = larger
    this.#heldStart = 0
    this.#heldEnd = length
  }

  #release(): void {
    this.#held = nothing
    this.#heldStart = 0
    this.#heldEnd = 0
  }
}
