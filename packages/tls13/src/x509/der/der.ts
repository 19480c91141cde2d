// A strict reader of DER (ITU-T X.690 sections 8 to 11), as far as certificates, CRLs, OCSP and keys need it.
// Refuses what is BER only: indefinite lengths, lengths and integers longer than needed, TRUE other than 0xff, constructed
// strings, tags above 30, padding bits that are not zero. Returned arrays are views of the input, never copies.

import { malformed } from "../errors.ts"
import * as Tag from "./tags.ts"

/** The identifier octet of `[number] EXPLICIT`, or of an IMPLICIT SEQUENCE. */
export function contextConstructed(number: number): number {
  return 0xa0 | number
}

/** The identifier octet of `[number] IMPLICIT` over a primitive type. */
export function contextPrimitive(number: number): number {
  return 0x80 | number
}

/** The text `2.5.29.19` of an object identifier's content octets. */
function oidText(bytes: Uint8Array, from: number, to: number, what: string): string {
  // The extension arc 2.5.29 and the attribute arc 2.5.4 are nearly all that a certificate has.
  if (to - from === 3 && bytes[from] === 0x55 && bytes[from + 2]! < 0x80) {
    const arc = bytes[from + 1]!
    if (arc === 0x1d) return `2.5.29.${bytes[from + 2]}`
    if (arc === 0x04) return `2.5.4.${bytes[from + 2]}`
  }
  if (from === to) throw malformed(`${what}: an empty object identifier`)
  let text = ""
  let value = 0
  let begins = true
  for (let i = from; i < to; i++) {
    const byte = bytes[i]!
    if (begins && byte === 0x80) throw malformed(`${what}: an object identifier component is padded`)
    // Components of more than 2^46 exist in no registry; UUID arcs (2.25) are refused here.
    if (value > 0x3f_ffff_ffff) throw malformed(`${what}: an object identifier component is too large`)
    value = value * 128 + (byte & 0x7f)
    begins = byte < 0x80
    if (!begins) continue
    if (text === "") {
      const first = value < 40 ? 0 : value < 80 ? 1 : 2
      text = `${first}.${value - 40 * first}`
    } else text += `.${value}`
    value = 0
  }
  if (!begins) throw malformed(`${what}: an object identifier is cut short`)
  return text
}

/** Reads one DER value after another between two places of `bytes`. Throws `X509Error` of reason `malformed`. */
export class Der {
  readonly bytes: Uint8Array
  readonly end: number
  at: number

  constructor(bytes: Uint8Array, at = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return this.at >= this.end
  }

  /** The next identifier octet, or -1 at the end. */
  peek(): number {
    return this.at < this.end ? this.bytes[this.at]! : -1
  }

  /** Steps over the next value's header, which must have this identifier octet; returns where its content ends. */
  #open(tag: number, what: string): number {
    const bytes = this.bytes
    let at = this.at
    if (at >= this.end) throw malformed(`${what} is missing`)
    const found = bytes[at++]!
    if (found !== tag) throw malformed(`${what} has the tag 0x${hex(found)} where 0x${hex(tag)} must be`)
    return this.#length(at, what)
  }

  #length(from: number, what: string): number {
    const bytes = this.bytes
    let at = from
    if (at >= this.end) throw malformed(`${what} is cut short`)
    let length = bytes[at++]!
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets === 0) throw malformed(`${what} has an indefinite length; DER wants a definite one`)
      if (octets > 4) throw malformed(`${what} has a length of ${octets} octets`)
      if (at + octets > this.end) throw malformed(`${what} is cut short`)
      length = 0
      for (let i = 0; i < octets; i++) length = length * 256 + bytes[at++]!
      // X.690 10.1: the length is encoded in the fewest octets.
      if (length < 0x80 || length < 2 ** (8 * (octets - 1)))
        throw malformed(`${what} has a length in more octets than needed`)
    }
    if (at + length > this.end) throw malformed(`${what} is cut short: ${length} bytes wanted, ${this.end - at} left`)
    this.at = at
    return at + length
  }

  /** The content of the next value, as a reader of its own. */
  enter(tag: number, what: string): Der {
    const end = this.#open(tag, what)
    const inner = new Der(this.bytes, this.at, end)
    this.at = end
    return inner
  }

  sequence(what: string): Der {
    return this.enter(Tag.sequence, what)
  }

  /** The content of the next value when it has this identifier octet. */
  optional(tag: number, what: string): Der | undefined {
    return this.peek() === tag ? this.enter(tag, what) : undefined
  }

  /** The content octets of the next value. */
  content(tag: number, what: string): Uint8Array {
    const end = this.#open(tag, what)
    const view = this.bytes.subarray(this.at, end)
    this.at = end
    return view
  }

  /** The next value whole, header included, whatever it is. */
  element(what: string): Uint8Array {
    const from = this.at
    const to = this.skip(what)
    return this.bytes.subarray(from, to)
  }

  /** Steps over the next value and returns where it ended. */
  skip(what: string): number {
    if (this.at >= this.end) throw malformed(`${what} is missing`)
    const tag = this.bytes[this.at]!
    if ((tag & 0x1f) === 0x1f || tag === 0)
      throw malformed(`${what} has the tag 0x${hex(tag)}, which no standard field has`)
    const end = this.#length(this.at + 1, what)
    this.at = end
    return end
  }

  /** What is left, as a view. */
  rest(): Uint8Array {
    const view = this.bytes.subarray(this.at, this.end)
    this.at = this.end
    return view
  }

  expectEnd(what: string): void {
    if (this.at !== this.end) throw malformed(`${what} has ${this.end - this.at} bytes after its end`)
  }

  boolean(what: string): boolean {
    const end = this.#open(Tag.boolean, what)
    const value = this.bytes[this.at]
    // X.690 11.1: TRUE is 0xff.
    if (end - this.at !== 1 || (value !== 0 && value !== 0xff)) throw malformed(`${what} is not a DER boolean`)
    this.at = end
    return value === 0xff
  }

  /** `BOOLEAN DEFAULT FALSE`: DER leaves a default value out (X.690 11.5). */
  defaultFalse(what: string): boolean {
    if (this.peek() !== Tag.boolean) return false
    if (!this.boolean(what)) throw malformed(`${what} spells out its default FALSE, which DER leaves out`)
    return true
  }

  /** Content octets of an INTEGER: two's complement, as short as can be (X.690 8.3.2). */
  integer(what: string, tag: number = Tag.integer): Uint8Array {
    const view = this.content(tag, what)
    if (view.length === 0) throw malformed(`${what} is an empty integer`)
    if (view.length > 1) {
      const sign = view[1]! & 0x80
      if ((view[0] === 0 && sign === 0) || (view[0] === 0xff && sign !== 0)) {
        throw malformed(`${what} is an integer in more octets than needed`)
      }
    }
    return view
  }

  /** An INTEGER that is not negative, big-endian without its leading zero. */
  unsigned(what: string): Uint8Array {
    const view = this.integer(what)
    if (view[0]! & 0x80) throw malformed(`${what} is negative`)
    return view.length > 1 && view[0] === 0 ? view.subarray(1) : view
  }

  /** An INTEGER from 0 to 2^31-1. */
  small(what: string, tag: number = Tag.integer): number {
    const view = this.integer(what, tag)
    if (view[0]! & 0x80) throw malformed(`${what} is negative`)
    if (view.length > 4) throw malformed(`${what} is too large`)
    let value = 0
    for (const byte of view) value = value * 256 + byte
    return value
  }

  /** A BIT STRING of whole octets. */
  bitString(what: string): Uint8Array {
    const view = this.content(Tag.bitString, what)
    if (view.length === 0 || view[0] !== 0) throw malformed(`${what} is not a bit string of whole octets`)
    return view.subarray(1)
  }

  /** A named-bit BIT STRING of up to 16 bits, as a number whose bit n is the named bit n (X.690 11.2.2: no trailing zero bits). */
  namedBits(what: string, tag: number = Tag.bitString): number {
    const view = this.content(tag, what)
    const unused = view[0]
    if (unused === undefined || unused > 7 || (view.length === 1 && unused > 0))
      throw malformed(`${what} is not a bit string`)
    if (view.length > 3) throw malformed(`${what} has more bits than there are names`)
    let bits = 0
    for (let n = 0; n < (view.length - 1) * 8; n++) if (view[1 + (n >> 3)]! & (0x80 >> (n & 7))) bits |= 1 << n
    const last = view.length > 1 ? view[view.length - 1]! : 1
    if (view.length > 1 && (last & ((1 << unused) - 1)) !== 0)
      throw malformed(`${what} has padding bits that are not zero`)
    if (view.length > 1 && (last & (1 << unused)) === 0)
      throw malformed(`${what} has trailing zero bits, which DER leaves out`)
    return bits
  }

  octetString(what: string): Uint8Array {
    return this.content(Tag.octetString, what)
  }

  null(what: string): void {
    if (this.content(Tag.null, what).length !== 0) throw malformed(`${what} is not an empty NULL`)
  }

  oid(what: string, tag: number = Tag.oid): string {
    const end = this.#open(tag, what)
    const text = oidText(this.bytes, this.at, end, what)
    this.at = end
    return text
  }
}

/** Reads the one value that `bytes` must be, to its very end. */
export function readWhole<T>(bytes: Uint8Array, what: string, read: (der: Der) => T): T {
  const der = new Der(bytes)
  const value = read(der)
  der.expectEnd(what)
  return value
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0")
}
