// The Writer of `bytes/writer.ts`, which also tells the recorder which line wrote what. In the explorer's build it stands in the place of it.

// The build leads this to the file itself.
import { Writer as PlainWriter } from "plain:writer"
import { recorder } from "./recorder.ts"
import { type Span, siteOf } from "./spans.ts"

export class Writer extends PlainWriter {
  readonly #spans: Span[] = []
  #site: string | undefined

  /** The build puts it in front of every writing call of the codec. */
  at(site: string): this {
    this.#site = site
    return this
  }

  override uint8(value: number): this {
    return this.#write("number", () => super.uint8(value), value)
  }

  override uint16(value: number): this {
    return this.#write("number", () => super.uint16(value), value)
  }

  override uint24(value: number): this {
    return this.#write("number", () => super.uint24(value), value)
  }

  override uint32(value: number): this {
    return this.#write("number", () => super.uint32(value), value)
  }

  override bytes(bytes: Uint8Array): this {
    return this.#write("bytes", () => super.bytes(bytes))
  }

  override vector8(content: Uint8Array | ((writer: PlainWriter) => void)): this {
    return this.#write("vector", () => super.vector8(content))
  }

  override vector16(content: Uint8Array | ((writer: PlainWriter) => void)): this {
    return this.#write("vector", () => super.vector16(content))
  }

  override vector24(content: Uint8Array | ((writer: PlainWriter) => void)): this {
    return this.#write("vector", () => super.vector24(content))
  }

  override finish(): Uint8Array {
    const bytes = super.finish()
    recorder.wrote(bytes, this.#spans)
    return bytes
  }

  #write(kind: "number" | "bytes" | "vector", write: () => this, value?: number): this {
    const site = siteOf(this.#site)
    this.#site = undefined
    const start = this.length
    write()
    // What a number or a vector is made of has no line of its own.
    if (site === undefined) return this
    const number = value === undefined ? {} : { value }
    this.#spans.push({ start, end: this.length, kind, name: site.name, structure: "", site, ...number })
    return this
  }
}
