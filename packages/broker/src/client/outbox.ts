// What the broker has written for one client and the transport has not yet taken. Small packets go into one buffer, so
// that a turn's packets leave in one write (and one TLS record); large payloads go by reference.

import { copy } from "../packet/bytes.ts"
import type { Message, Template } from "../packet/message.ts"

/** Payloads from this size on are not copied. */
export const byReference: number = 4096
const largestBuffer = 65_536
/** Less has an array of its own size. */
const leastSpare = 2048

export class Outbox {
  #buffer: Uint8Array = empty
  #length = 0
  #sealed: Uint8Array[] = []
  #sealedBytes = 0
  /** Of those, bytes that are somebody else's and only referred to. */
  #referred = 0
  #references: Uint8Array[] = []
  /** Spare buffers that bytes waiting are in, with the one that is written to. */
  #spares: Uint8Array[] = []
  #inSpare = false
  readonly #refer: (bytes: Uint8Array) => void
  readonly #spare: () => Uint8Array | undefined
  #lastSize = 128

  /**
   * @param refer is told of each bytes that are only referred to from now on
   * @param spare gives a buffer of `spareBytes` that `takeSpares` gives back, or none
   */
  constructor(refer: (bytes: Uint8Array) => void, spare: () => Uint8Array | undefined) {
    this.#refer = refer
    this.#spare = spare
  }

  /** Bytes waiting. */
  get size(): number {
    return this.#length + this.#sealedBytes
  }

  /** Of them, bytes that are copies of its own. */
  get copied(): number {
    return this.size - this.#referred
  }

  /** Makes room for `count` bytes and returns the offset in `buffer` where they go. */
  reserve(count: number): number {
    const at = this.#length
    if (at + count > this.#buffer.length) return this.#grow(count)
    this.#length = at + count
    return at
  }

  /** The buffer that reserve made room in. It changes with the next reserve. */
  get buffer(): Uint8Array {
    return this.#buffer
  }

  #grow(count: number): number {
    if (this.#length > 0 && this.#length + count > largestBuffer) this.#seal()
    const at = this.#length
    const needed = at + count
    const wanted = Math.max(needed, at * 2, this.#lastSize)
    if (wanted < leastSpare || needed > largestBuffer || !this.#useSpare()) {
      this.#moveTo(new Uint8Array(Math.max(needed, Math.min(wanted, largestBuffer))))
    }
    this.#length = needed
    return at
  }

  #moveTo(buffer: Uint8Array): void {
    buffer.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = buffer
  }

  /** What comes next goes into a spare buffer, if there is one. */
  #useSpare(): boolean {
    const spare = this.#spare()
    if (spare === undefined) return false
    this.#moveTo(spare)
    this.#spares.push(spare)
    this.#inSpare = true
    return true
  }

  /** Whether there is a buffer, of those that are used again, for so many more bytes: then a copy costs less than to refer to them. */
  hasRoom(count: number): boolean {
    if (this.#inSpare && this.#length + count <= largestBuffer) return true
    if (count > largestBuffer / 2) return false
    if (this.#length > 0 && (this.#inSpare || this.#length + count > largestBuffer)) this.#seal()
    return this.#useSpare()
  }

  #seal(): void {
    if (this.#length > 0) this.#sealed.push(this.#buffer.subarray(0, this.#length))
    this.#sealedBytes += this.#length
    this.#buffer = empty
    this.#length = 0
    this.#inSpare = false
  }

  bytes(bytes: Uint8Array): void {
    const at = this.reserve(bytes.length)
    this.#buffer.set(bytes, at)
  }

  /** Bytes that nobody will change any more; large ones are not copied. */
  shared(bytes: Uint8Array, start: number, end: number): void {
    if (end - start < byReference) {
      const at = this.reserve(end - start)
      copy(this.#buffer, at, bytes, start, end)
      return
    }
    if (this.#length > 0) this.#seal()
    this.#sealed.push(bytes.subarray(start, end))
    this.#sealedBytes += end - start
    this.#referred += end - start
    this.#references.push(bytes)
    this.#refer(bytes)
  }

  /** A PUBLISH from its shared encoding, with this subscriber's first byte and Packet Identifier. */
  template(template: Template, first: number, packetId: number): void {
    const { bytes, idAt } = template
    if (bytes.length < byReference) {
      const at = this.reserve(bytes.length)
      const buffer = this.#buffer
      buffer.set(bytes, at)
      buffer[at] = first
      if (idAt > 0) {
        buffer[at + idAt] = packetId >> 8
        buffer[at + idAt + 1] = packetId & 0xff
      }
      return
    }
    if (idAt === 0 && bytes[0] === first) {
      this.shared(bytes, 0, bytes.length)
      return
    }
    const head = idAt > 0 ? idAt + 2 : 1
    const at = this.reserve(head)
    copy(this.#buffer, at, bytes, 0, head)
    this.#buffer[at] = first
    if (idAt > 0) {
      this.#buffer[at + idAt] = packetId >> 8
      this.#buffer[at + idAt + 1] = packetId & 0xff
    }
    this.shared(bytes, head, bytes.length)
  }

  /** The payload of a message that is not needed elsewhere; copied unless the message owns its bytes. */
  payload(message: Message): void {
    const length = message.payloadEnd - message.payloadStart
    if (length >= byReference) message.own()
    this.shared(message.bytes, message.payloadStart, message.payloadEnd)
  }

  /** All bytes waiting, in order; the outbox is empty afterwards. */
  take(): Uint8Array[] {
    const size = this.size
    // A spare buffer goes with what was taken, though nothing may be in it.
    if (this.#length > 0 || this.#inSpare) this.#seal()
    const taken = this.#sealed
    this.#sealed = []
    this.#sealedBytes = 0
    this.#referred = 0
    this.#lastSize = Math.min(16_384, Math.max(128, size))
    return taken
  }

  /** All that `refer` was told of since the last time. */
  takeReferences(): readonly Uint8Array[] {
    const taken = this.#references
    if (taken.length > 0) this.#references = []
    return taken
  }

  /** The spare buffers that what was taken is in: whoever has written it gives them back. */
  takeSpares(): readonly Uint8Array[] {
    const taken = this.#spares
    if (taken.length > 0) this.#spares = []
    return taken
  }

  /** Keeps the first `size` bytes that wait, if there are more. */
  cut(size: number): void {
    if (this.size <= size) return
    if (this.#length > 0) this.#seal()
    while (this.#sealedBytes > size) {
      const last = this.#sealed.pop()!
      const kept = Math.max(0, last.length - (this.#sealedBytes - size))
      this.#sealedBytes -= last.length - kept
      if (kept > 0) this.#sealed.push(last.subarray(0, kept))
    }
    this.#referred = Math.min(this.#referred, this.#sealedBytes)
  }

  clear(): void {
    this.#inSpare = false
    this.#buffer = empty
    this.#length = 0
    this.#sealed = []
    this.#sealedBytes = 0
    this.#referred = 0
  }
}

const empty = new Uint8Array(0)
