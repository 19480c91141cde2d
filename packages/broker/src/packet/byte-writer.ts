// Puts the data representations of MQTT (section 1.5) one after the other.

import { copy, textLength, variableByteIntegerLength, writeText, writeVariableByteInteger } from "./bytes.ts"

/** Grows with what is written. Text and Binary Data of more than 65,535 bytes throw RangeError: MQTT has no room for them. */
export class ByteWriter {
  #out = new Uint8Array(64)
  #length = 0

  get length(): number {
    return this.#length
  }

  bytes(part: Uint8Array): this {
    const at = this.#room(part.length)
    copy(this.#out, at, part, 0, part.length)
    return this
  }

  byte(value: number): this {
    const at = this.#room(1)
    this.#out[at] = value
    return this
  }

  uint16(value: number): this {
    const at = this.#room(2)
    this.#out[at] = value >> 8
    this.#out[at + 1] = value
    return this
  }

  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value & 0xffff)
  }

  /** A Variable Byte Integer. */
  variable(value: number): this {
    const at = this.#room(variableByteIntegerLength(value))
    writeVariableByteInteger(this.#out, at, value)
    return this
  }

  /** Binary Data: its length, and at most 65,535 bytes. */
  binary(value: Uint8Array): this {
    return this.#ofLength(value.length).bytes(value)
  }

  /** A UTF-8 Encoded String. */
  text(value: string): this {
    const length = textLength(value)
    this.#ofLength(length)
    const at = this.#room(length)
    writeText(this.#out, at, value)
    return this
  }

  /** All of it, after `first` and its length when that is given: a packet. */
  take(first?: number): Uint8Array {
    const head = first === undefined ? 0 : 1 + variableByteIntegerLength(this.#length)
    const out = new Uint8Array(head + this.#length)
    if (first !== undefined) {
      out[0] = first
      writeVariableByteInteger(out, 1, this.#length)
    }
    copy(out, head, this.#out, 0, this.#length)
    return out
  }

  #ofLength(length: number): this {
    if (length > 0xffff) throw new RangeError(`${length} bytes; 65535 are the most that MQTT has room for`)
    return this.uint16(length)
  }

  /** Makes room for so many bytes more; returns where they begin. */
  #room(more: number): number {
    const at = this.#length
    this.#length += more
    if (this.#length > this.#out.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#out.length))
      copy(grown, 0, this.#out, 0, at)
      this.#out = grown
    }
    return at
  }
}
