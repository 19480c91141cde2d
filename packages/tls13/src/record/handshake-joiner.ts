// RFC 9846 section 5.1: handshake messages may share a record and may be spread over several; section 4: their header,
// one byte of type and three of length.

import { LimitExceeded } from "../bytes/errors.ts"
import { nothing } from "../bytes/nothing.ts"

const messageHeaderLength = 4

export interface MessageHeader {
  readonly type: number
  /** Bytes of the body. */
  readonly length: number
}

/**
 * Joins the content of handshake records to whole handshake messages.
 * Nothing stays of it between messages. No other record may come while `isEmpty` is false, and no key may change then
 * (section 5.1): the connection sees to it.
 */
export class HandshakeJoiner {
  readonly #maxMessageSize: number
  /** Bytes before `#start` were given away and are never written again. */
  #buffer: Uint8Array = nothing
  #start = 0
  #end = 0

  /** @param maxMessageSize the greatest `length` of a handshake header to accept, without the header's 4 bytes */
  constructor(maxMessageSize: number) {
    this.#maxMessageSize = maxMessageSize
  }

  /** Whether there is no unfinished or unread message: the AtRecordBoundary of section 5.1. */
  get isEmpty(): boolean {
    return this.#start === this.#end
  }

  /** Copies the content of a handshake record. */
  push(fragment: Uint8Array): void {
    if (this.#end + fragment.length > this.#buffer.length) this.#grow(fragment.length)
    this.#buffer.set(fragment, this.#end)
    this.#end += fragment.length
  }

  /**
   * The next whole message with its four-byte header, or undefined until more fragments come: a stable array that is
   * never written again, so it may be kept.
   * @param judge gets the header of one that is not whole yet, or too long: one that may not come at all, or not with that
   *   length, is not waited for
   * @throws LimitExceeded as soon as the header announces more than `maxMessageSize` bytes; what `judge` throws before that
   */
  next(judge?: (header: MessageHeader) => void): Uint8Array | undefined {
    const available = this.#end - this.#start
    if (available < messageHeaderLength) return undefined
    const type = this.#buffer[this.#start]!
    const length = lengthIn(this.#buffer, this.#start)
    const whole = messageHeaderLength + length
    if (available < whole || length > this.#maxMessageSize) judge?.({ type, length })
    if (length > this.#maxMessageSize) {
      // The message keeps the syntax, and any length is in its range: not a decode_error, but (section 6.2)
      // illegal_parameter, as BoringSSL answers.
      throw new LimitExceeded(
        "illegal_parameter",
        "handshakeMessageSize",
        `a handshake message of ${length} bytes; ${this.#maxMessageSize} are allowed`,
      )
    }
    if (available < whole) return undefined
    const message = this.#buffer.subarray(this.#start, this.#start + whole)
    this.#start += whole
    if (this.#start === this.#end) this.wipe()
    return message
  }

  /** Gives up an unfinished message. */
  wipe(): void {
    this.#buffer = nothing
    this.#start = 0
    this.#end = 0
  }

  /**
   * A new buffer for what is unread and `more` bytes. It grows with what has come, not with what a header announces;
   * doubling, so that fragments of one byte cost no more than twice the copying, up to where the message will end.
   */
  #grow(more: number): void {
    const unread = this.#end - this.#start
    const whole = unread < messageHeaderLength ? 0 : messageHeaderLength + lengthIn(this.#buffer, this.#start)
    const larger = new Uint8Array(Math.max(unread + more, Math.min(2 * unread, whole)))
    larger.set(this.#buffer.subarray(this.#start, this.#end))
    this.#buffer = larger
    this.#start = 0
    this.#end = unread
  }
}

/** `length` of the header that begins at `at`. */
function lengthIn(bytes: Uint8Array, at: number): number {
  return (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}
