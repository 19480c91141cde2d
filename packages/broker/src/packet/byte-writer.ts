// Puts the data representations of MQTT (section 1.5) one after the other.

import { copy, encodeText, variableByteIntegerLength, writeVariableByteInteger } from "./bytes.ts"

export class ByteWriter {
  readonly #parts: Uint8Array[] = []
  #length = 0

  bytes(part: Uint8Array): this {
    this.#parts.push(part)
    this.#length += part.length
    return this
  }

  byte(value: number): this {
    return this.bytes(Uint8Array.of(value))
  }

  uint16(value: number): this {
    return this.bytes(Uint8Array.of(value >> 8, value & 0xff))
  }

  uint32(value: number): this {
    return this.uint16(Math.floor(value / 0x1_0000)).uint16(value % 0x1_0000)
  }

  /** A Variable Byte Integer. */
  variable(value: number): this {
    const out = new Uint8Array(variableByteIntegerLength(value))
    writeVariableByteInteger(out, 0, value)
    return this.bytes(out)
  }

  /** Binary Data: its length, and at most 65,535 bytes. */
  binary(value: Uint8Array): this {
    return this.uint16(value.length).bytes(value)
  }

  text(value: string): this {
    return this.binary(encodeText(value))
  }

  /** All of it, after `first` and its length when that is given: a packet. */
  take(first?: number): Uint8Array {
    const head = first === undefined ? 0 : 1 + variableByteIntegerLength(this.#length)
    const out = new Uint8Array(head + this.#length)
    if (first !== undefined) {
      out[0] = first
      writeVariableByteInteger(out, 1, this.#length)
    }
    let at = head
    for (const part of this.#parts) at = copy(out, at, part, 0, part.length)
    return out
  }
}
