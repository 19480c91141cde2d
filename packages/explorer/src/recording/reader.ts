// The Reader of `bytes/reader.ts`, which also tells the recorder what it reads. In the explorer's build it stands in the place of it.

// The build leads this to the file itself.
import { Reader as PlainReader } from "plain:reader"
import { recorder } from "./recorder.ts"
import { type SpanKind, siteOf } from "./spans.ts"

export class Reader extends PlainReader {
  readonly #bytes: Uint8Array
  readonly #structure: string
  #site: string | undefined
  /** Inside of a vector: its length, then its content. */
  #part: "length" | "vector" | undefined
  #field = ""

  constructor(bytes: Uint8Array, what: string) {
    super(bytes, what)
    this.#bytes = bytes
    this.#structure = what
  }

  /** The build puts it in front of every reading call of the codec. */
  at(site: string): this {
    this.#site = site
    return this
  }

  override uint8(): number {
    return this.#number(() => super.uint8())
  }

  override uint16(): number {
    return this.#number(() => super.uint16())
  }

  override uint24(): number {
    return this.#number(() => super.uint24())
  }

  override uint32(): number {
    return this.#number(() => super.uint32())
  }

  override bytes(length: number): Uint8Array {
    const start = this.position
    const bytes = super.bytes(length)
    this.#note(start, this.#part ?? "bytes")
    return bytes
  }

  override vector8(field: string, least?: number, most?: number): Uint8Array {
    return this.#vector(field, () => super.vector8(field, least, most))
  }

  override vector16(field: string, least?: number, most?: number): Uint8Array {
    return this.#vector(field, () => super.vector16(field, least, most))
  }

  override vector24(field: string, least?: number, most?: number): Uint8Array {
    return this.#vector(field, () => super.vector24(field, least, most))
  }

  override uint16List(field: string, least?: number, most?: number): number[] {
    return this.#list(() => super.uint16List(field, least, most))
  }

  override uint16ShortList(field: string, least?: number, most?: number): number[] {
    return this.#list(() => super.uint16ShortList(field, least, most))
  }

  #number(read: () => number): number {
    const start = this.position
    const outermost = !this.#reading
    this.#reading = true
    try {
      const value = read()
      if (outermost) this.#note(start, this.#part === undefined ? "number" : "length", value)
      return value
    } finally {
      if (outermost) this.#reading = false
    }
  }

  /** uint24 is made of uint8 and uint16: only the outermost is told. */
  #reading = false

  #vector(field: string, read: () => Uint8Array): Uint8Array {
    this.#part = "vector"
    this.#field = field
    try {
      return read()
    } finally {
      this.#part = undefined
      this.#field = ""
    }
  }

  #list(read: () => number[]): number[] {
    const site = this.#site
    const codes = read()
    const start = this.position - 2 * codes.length
    codes.forEach((value, index) => {
      this.#site = site
      this.#note(start + 2 * index, "element", value, start + 2 * index + 2)
    })
    return codes
  }

  #note(start: number, kind: SpanKind, value?: number, end: number = this.position): void {
    const site = siteOf(this.#site)
    const { buffer, byteOffset } = this.#bytes
    const name = this.#field || site?.name || ""
    const number = value === undefined ? {} : { value }
    recorder.read(buffer, {
      start: byteOffset + start,
      end: byteOffset + end,
      kind,
      name,
      structure: this.#structure,
      site,
      ...number,
    })
  }
}
