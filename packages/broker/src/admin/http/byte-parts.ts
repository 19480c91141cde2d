// Bytes as they come, in parts: joined when they are needed, so that many small parts cost little time and little memory.

const empty: Buffer = Buffer.alloc(0)
const emptyLine = "\r\n\r\n"
/** Parts that are kept beside each other. */
const mostParts = 64

export class ByteParts {
  #parts: Buffer[] = []
  #length = 0
  /** The last bytes, in which an empty line may have begun. */
  #tail: Buffer = empty
  /** Behind the first empty line. */
  #end: number | undefined

  get length(): number {
    return this.#length
  }

  /** Bytes up to the end of the first empty line, that included; undefined: none has come. */
  get endOfHead(): number | undefined {
    return this.#end
  }

  add(bytes: Buffer): void {
    if (this.#end === undefined) {
      const seen = this.#tail.length === 0 ? bytes : Buffer.concat([this.#tail, bytes])
      const at = seen.indexOf(emptyLine)
      if (at >= 0) this.#end = this.#length - this.#tail.length + at + emptyLine.length
      this.#tail = Buffer.from(seen.subarray(Math.max(0, seen.length - emptyLine.length + 1)))
    }
    this.#parts.push(bytes)
    this.#length += bytes.length
    if (this.#parts.length > mostParts) this.#joined()
  }

  /** As text, each byte a character. */
  text(length: number): string {
    return this.#joined().toString("latin1", 0, length)
  }

  /** The first so many, which are no longer here. */
  take(length: number): Buffer {
    const all = this.#joined()
    this.clear()
    if (all.length > length) this.add(all.subarray(length))
    return all.subarray(0, length)
  }

  clear(): void {
    this.#parts = []
    this.#length = 0
    this.#tail = empty
    this.#end = undefined
  }

  #joined(): Buffer {
    const [only = empty, ...others] = this.#parts
    if (others.length === 0) return only
    const all = Buffer.concat(this.#parts, this.#length)
    this.#parts = [all]
    return all
  }
}
