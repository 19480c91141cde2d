// The Der reader of `x509/der/der.ts`, which also tells the recorder what it reads. In the explorer's build it stands in the place of it.

// The build leads this to the file itself.
import { Der as PlainDer } from "plain:der"
import { recorder } from "./recorder.ts"
import { type Site, siteOf } from "./spans.ts"

export class Der extends PlainDer {
  #site: Site | undefined

  /** The build puts it in front of every reading call of the parsers. */
  sited(site: string): this {
    this.#site = siteOf(site)
    return this
  }

  override enter(tag: number, what: string): Der {
    const inner = this.#noted(what, () => super.enter(tag, what))
    return new Der(inner.bytes, inner.at, inner.end)
  }

  override content(tag: number, what: string): Uint8Array {
    return this.#noted(what, () => super.content(tag, what))
  }

  override skip(what: string): number {
    return this.#noted(what, () => super.skip(what))
  }

  override boolean(what: string): boolean {
    return this.#noted(what, () => super.boolean(what))
  }

  override oid(what: string, tag?: number): string {
    return this.#noted(what, () => super.oid(what, tag))
  }

  /** The whole value, with its identifier and length octets. */
  #noted<T>(what: string, read: () => T): T {
    const { byteOffset, buffer } = this.bytes
    const start = byteOffset + this.at
    const site = this.#site
    this.#site = undefined
    const value = read()
    recorder.read(buffer, { start, end: byteOffset + this.at, kind: "vector", name: what, structure: "DER", site })
    return value
  }
}

export function readWhole<T>(bytes: Uint8Array, what: string, read: (der: Der) => T): T {
  const der = new Der(bytes)
  const value = read(der)
  der.expectEnd(what)
  return value
}
