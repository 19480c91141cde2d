/**
 * Writes the presentation language of RFC 9846 section 3 into a buffer that grows.
 * `vector` methods take a function that writes the content, and fill the length in afterwards.
 */
export class Writer {
  #bytes: Uint8Array
  #length = 0

  /** @param memory what is written into at first */
  constructor(capacity = 256, memory: Uint8Array = new Uint8Array(capacity)) {
    this.#bytes = memory
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  uint8(value: number): this {
    this.#grow(1)
    this.#bytes[this.#length++] = value
    return this
  }

  uint16(value: number): this {
    this.#grow(2)
    this.#bytes[this.#length++] = value >>> 8
    this.#bytes[this.#length++] = value
    return this
  }

  uint24(value: number): this {
    return this.uint8(value >>> 16).uint16(value & 0xffff)
  }

  /** @param value 0 to 2^32-1 */
  uint32(value: number): this {
    return this.uint16(value >>> 16).uint16(value & 0xffff)
  }

  bytes(bytes: Uint8Array): this {
    this.#grow(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
    return this
  }

  vector8(content: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(1, content)
  }

  vector16(content: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(2, content)
  }

  vector24(content: Uint8Array | ((writer: Writer) => void)): this {
    return this.#vector(3, content)
  }

  /** Makes room for `length` bytes at the end and returns where they begin in `buffer`, for code that writes in place. */
  reserve(length: number): { readonly buffer: Uint8Array; readonly at: number } {
    this.#grow(length)
    const at = this.#length
    this.#length += length
    return { buffer: this.#bytes, at }
  }

  /** Takes back what was written after the first `length` bytes, and erases it. */
  truncate(length: number): void {
    this.#bytes.fill(0, length, this.#length)
    this.#length = length
  }

  /** What was written, as a view; the writer is not used afterwards. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #vector(lengthBytes: 1 | 2 | 3, content: Uint8Array | ((writer: Writer) => void)): this {
    this.#grow(lengthBytes)
    const at = this.#length
    this.#length += lengthBytes
    if (typeof content === "function") content(this)
    else this.bytes(content)
    const length = this.#length - at - lengthBytes
    if (length >= 2 ** (8 * lengthBytes))
      throw new RangeError(`a vector of ${length} bytes does not fit its length field`)
    for (let i = 0; i < lengthBytes; i++) this.#bytes[at + i] = length >>> (8 * (lengthBytes - 1 - i))
    return this
  }

  #grow(more: number): void {
    const need = this.#length + more
    if (need <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(need, 2 * this.#bytes.length))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
