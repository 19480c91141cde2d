import { InvalidMessage } from "./errors.ts"

/**
 * Reads the presentation language of RFC 9846 section 3 from bytes that a peer sent.
 * Never reads past the end: a structure that is cut short, or a length outside the vector's range, is an
 * `InvalidMessage` (alert `decode_error`) that names the structure. Returned arrays are views, not copies.
 */
export class Reader {
  readonly #bytes: Uint8Array
  readonly #what: string
  #at = 0

  /** @param what the structure's name in the RFC, for error messages, such as `ClientHello` */
  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes
    this.#what = what
  }

  /** Bytes not read yet. */
  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#at
  }

  uint8(): number {
    this.#need(1)
    return this.#bytes[this.#at++]!
  }

  uint16(): number {
    this.#need(2)
    const value = (this.#bytes[this.#at]! << 8) | this.#bytes[this.#at + 1]!
    this.#at += 2
    return value
  }

  uint24(): number {
    return (this.uint8() << 16) | this.uint16()
  }

  uint32(): number {
    return this.uint16() * 0x10000 + this.uint16()
  }

  /** The next `length` bytes. */
  bytes(length: number): Uint8Array {
    this.#need(length)
    const view = this.#bytes.subarray(this.#at, this.#at + length)
    this.#at += length
    return view
  }

  /** Everything that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining)
  }

  /** `opaque field<least..most>` with a one-byte length. */
  vector8(field: string, least = 0, most = 0xff): Uint8Array {
    return this.#vector(this.uint8(), field, least, most)
  }

  /** `opaque field<least..most>` with a two-byte length. */
  vector16(field: string, least = 0, most = 0xffff): Uint8Array {
    return this.#vector(this.uint16(), field, least, most)
  }

  /** `opaque field<least..most>` with a three-byte length. */
  vector24(field: string, least = 0, most = 0xffffff): Uint8Array {
    return this.#vector(this.uint24(), field, least, most)
  }

  /** A list of 16-bit code points with a two-byte length: suites, groups, schemes. */
  uint16List(field: string, least = 2, most = 0xfffe): number[] {
    return this.#codePoints(this.vector16(field, least, most), field)
  }

  /** A list of 16-bit code points with a one-byte length: supported_versions. */
  uint16ShortList(field: string, least = 2, most = 0xfe): number[] {
    return this.#codePoints(this.vector8(field, least, most), field)
  }

  /** Every structure ends where its length says. */
  expectEnd(): void {
    if (this.remaining > 0) throw new InvalidMessage(`${this.#what} has ${this.remaining} bytes after its end`)
  }

  #codePoints(bytes: Uint8Array, field: string): number[] {
    if (bytes.length % 2 !== 0) throw new InvalidMessage(`${this.#what}.${field} has an odd length, ${bytes.length}`)
    const list: number[] = []
    for (let i = 0; i < bytes.length; i += 2) list.push((bytes[i]! << 8) | bytes[i + 1]!)
    return list
  }

  #vector(length: number, field: string, least: number, most: number): Uint8Array {
    if (length < least || length > most) {
      throw new InvalidMessage(`${this.#what}.${field} has ${length} bytes; the RFC allows ${least} to ${most}`)
    }
    return this.bytes(length)
  }

  #need(length: number): void {
    if (this.remaining < length) {
      throw new InvalidMessage(`${this.#what} is cut short: ${length} bytes wanted, ${this.remaining} left`)
    }
  }
}
