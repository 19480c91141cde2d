// Where the recording reader and writer leave what they note: nowhere, unless somebody asks for it.

import { equalBytes } from "@puremq/tls13/explore"
import type { Span } from "./spans.ts"

interface Written {
  readonly buffer: ArrayBufferLike
  readonly start: number
  readonly bytes: Uint8Array
  readonly spans: readonly Span[]
}

/** Writers remembered: a flight has no more messages that are composed before the first is told of. */
const remembered = 64

export class Recorder {
  /** Of the reading that goes on; undefined: nobody wants it. */
  #reading: { readonly buffer: ArrayBufferLike; readonly span: Span }[] | undefined
  readonly #written: Written[] = []

  /**
   * Runs `read`, which hands `bytes` to the codec, and returns what was read of them: places count from the first byte.
   * @param read returns the copy, when it was not `bytes` itself that was read
   */
  readingOf(bytes: Uint8Array, read: () => Uint8Array | undefined): readonly Span[] {
    const before = this.#reading
    const reading: NonNullable<typeof before> = []
    this.#reading = reading
    let readBytes = bytes
    try {
      readBytes = read() ?? bytes
    } finally {
      this.#reading = before
    }
    const { buffer, byteOffset } = readBytes
    return reading
      .filter((each) => each.buffer === buffer)
      .map(({ span }) => ({ ...span, start: span.start - byteOffset, end: span.end - byteOffset }))
  }

  read(buffer: ArrayBufferLike, span: Span): void {
    this.#reading?.push({ buffer, span })
  }

  wrote(bytes: Uint8Array, spans: readonly Span[]): void {
    this.#written.push({ buffer: bytes.buffer, start: bytes.byteOffset, bytes, spans })
    if (this.#written.length > remembered) this.#written.shift()
  }

  /** Which writes made these bytes; none when no writer that is remembered made just them. */
  writingOf(bytes: Uint8Array): readonly Span[] {
    const found = this.#written.findLast(({ bytes: other }) => equalBytes(other, bytes))
    return found?.spans ?? []
  }

  /** Lets go of the writers that are remembered. */
  forget(): void {
    this.#written.length = 0
  }
}

/** The one that the recording reader and writer know: the codec makes them, and can be given none. */
export const recorder: Recorder = new Recorder()
