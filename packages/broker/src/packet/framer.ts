// Cuts a byte stream into MQTT Control Packets (MQTT 5.0 section 2.1), however the stream is chunked.
// From the fixed header alone it refuses wrong flags, over-long lengths, packets above the limit and, before CONNECT,
// every other packet; so nothing that will be refused is buffered.

import { copyOf } from "./bytes.ts"
import { malformed, PacketError, protocolError } from "./errors.ts"
import { PacketType } from "./packets.ts"
import { ReasonCode } from "./reason-codes.ts"

/** Flags that section 2.1.3 fixes for each packet type; -1 where the packet has flags of its own or does not exist. */
const requiredFlags = [-1, 0, 0, -1, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0] as const

/**
 * A partial packet up to this size gets its whole buffer at once; a longer one grows with what has really arrived.
 * A peer that has not logged in can make us hold less on a promise than one that has.
 */
const eagerBytesBeforeConnect = 4096
/** What says the version of a CONNECT: "MQTT" with its length, and the version. */
const versionBytes = 2 + 4 + 1
/** The fixed header has five bytes at most. */
const headBytes = 5 + versionBytes
const eagerBytesAfterwards = 65_536

/**
 * One MQTT Control Packet: bytes [start, end) of `bytes`, its body [bodyStart, end). `owned` says that `bytes` is this packet's
 * own memory rather than a view of somebody's.
 */
export interface Frame {
  /** Its first byte. */
  readonly header: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly bodyStart: number
  readonly end: number
  readonly owned: boolean
}

/**
 * Incremental framing. Call `push` with each chunk, then `next` until it returns false; after true the framer is the
 * Frame of that packet, until the next call. Throws PacketError; after that the framer must not be used again, but of a CONNECT
 * that is too large the packet is what says its version.
 */
export class Framer implements Frame {
  /** Largest packet accepted, fixed header included, in bytes. */
  maximumPacketSize: number
  /** While true only a CONNECT may begin ([MQTT-3.1.0-1]). */
  connectOnly = true
  /** What it promises may be believed: see `eagerBytesBeforeConnect`. */
  loggedIn = false
  /** MQTT 3.1 (its section 2.1): PUBREL, SUBSCRIBE and UNSUBSCRIBE have DUP when they are sent again. */
  mqtt31 = false
  header = 0
  bytes: Uint8Array = empty
  start = 0
  bodyStart = 0
  end = 0
  owned = false

  #chunk: Uint8Array = empty
  /** Whether the chunk is memory of our own, not what was pushed. */
  #chunkOwned = true
  #at = 0
  #partial: Uint8Array = empty
  #partialLength = 0

  constructor(maximumPacketSize: number) {
    this.maximumPacketSize = maximumPacketSize
  }

  /** Bytes held that no packet has used yet. */
  get buffered(): number {
    return this.#chunk.length - this.#at + this.#partialLength
  }

  /** Those of them that were not looked at yet: there may be whole packets in them. */
  get unread(): number {
    return this.#chunk.length - this.#at
  }

  /** Bytes of memory held for what has not come to its end, or was not taken up yet. */
  get held(): number {
    return this.#partial.length + (this.#at < this.#chunk.length ? this.#chunk.length : 0)
  }

  /** The part of it that is a packet that has not come to its end. */
  get unfinished(): number {
    return this.#partial.length
  }

  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) {
      // The caller stopped in the middle of a chunk (a login is being checked): keep the rest in front.
      const joined = new Uint8Array(this.#chunk.length - this.#at + chunk.length)
      joined.set(this.#chunk.subarray(this.#at))
      joined.set(chunk, this.#chunk.length - this.#at)
      this.#chunk = joined
      this.#chunkOwned = true
    } else {
      this.#chunk = chunk
      this.#chunkOwned = false
    }
    this.#at = 0
  }

  /** Copies what of the pushed chunk was not read: afterwards its owner may use it for something else. */
  settle(): void {
    if (this.#chunkOwned || this.#at >= this.#chunk.length) return
    this.#chunk = copyOf(this.#chunk.subarray(this.#at))
    this.#chunkOwned = true
    this.#at = 0
  }

  next(): boolean {
    if (this.#partialLength > 0) return this.#completePartial()
    const available = this.#chunk.length - this.#at
    if (available === 0) {
      this.#chunk = empty
      this.#at = 0
      return false
    }
    const total = this.#packetLength(this.#chunk, this.#at, this.#chunk.length)
    if (total === 0 || total > available) {
      this.#keep(total, available)
      return false
    }
    this.#emit(this.#chunk, this.#at, total, false)
    this.#at += total
    return true
  }

  get #eagerBytes(): number {
    return this.loggedIn ? eagerBytesAfterwards : eagerBytesBeforeConnect
  }

  #emit(bytes: Uint8Array, start: number, total: number, owned: boolean): void {
    this.bytes = bytes
    this.start = start
    this.header = bytes[start]!
    let body = start + 2
    while ((bytes[body - 1]! & 0x80) !== 0) body++
    this.bodyStart = body
    this.end = start + total
    this.owned = owned
  }

  #keep(total: number, available: number): void {
    const eager = this.#eagerBytes
    const size = total === 0 ? headBytes : total <= eager ? total : Math.min(total, Math.max(eager, available * 2))
    this.#partial = new Uint8Array(size)
    this.#partial.set(this.#chunk.subarray(this.#at))
    this.#partialLength = available
    this.#chunk = empty
    this.#at = 0
  }

  #completePartial(): boolean {
    let total = this.#packetLength(this.#partial, 0, this.#partialLength)
    while (total === 0) {
      if (this.#at >= this.#chunk.length) return false
      this.#partial[this.#partialLength++] = this.#chunk[this.#at++]!
      total = this.#packetLength(this.#partial, 0, this.#partialLength)
    }
    const take = Math.min(total - this.#partialLength, this.#chunk.length - this.#at)
    const length = this.#partialLength + take
    if (length > this.#partial.length || (this.#partial.length < total && total <= this.#eagerBytes)) {
      const grown = new Uint8Array(total <= this.#eagerBytes ? total : Math.min(total, length * 2))
      grown.set(this.#partial.subarray(0, this.#partialLength))
      this.#partial = grown
    }
    this.#partial.set(this.#chunk.subarray(this.#at, this.#at + take), this.#partialLength)
    this.#partialLength = length
    this.#at += take
    if (length < total) return false
    const own = this.#partial
    this.#partial = empty
    this.#partialLength = 0
    this.#emit(own, 0, total, own.length === total)
    return true
  }

  /** Length of the packet that starts at `start`, 0 when the fixed header is not complete. */
  #packetLength(bytes: Uint8Array, start: number, end: number): number {
    if (start >= end) return 0
    const header = bytes[start]!
    const type = header >> 4
    // [MQTT-3.1.0-1] the first packet from a client must be CONNECT
    if (this.connectOnly && header !== 0x10) throw notConnect(bytes, start, end)
    const flags = requiredFlags[type]!
    if (type === 0) throw malformed("2.1.2", "packet type 0 is reserved")
    // [MQTT-2.1.3-1] reserved flag bits must have the listed value
    if (flags >= 0 && (header & (this.mqtt31 && flags === 2 ? 0x07 : 0x0f)) !== flags)
      throw malformed("MQTT-2.1.3-1", `reserved flags of packet type ${type} are set`)
    // [MQTT-3.3.1-4] a PUBLISH must not have both QoS bits set
    if (type === 3 && (header & 0x06) === 0x06) throw malformed("MQTT-3.3.1-4", "PUBLISH with QoS 3")
    // [MQTT-3.3.1-2] DUP must be 0 for QoS 0
    if (type === 3 && (header & 0x0e) === 0x08) throw malformed("MQTT-3.3.1-2", "PUBLISH with QoS 0 and DUP")
    let length = 0
    for (let i = 1; i <= 4; i++) {
      if (start + i >= end) return 0
      const byte = bytes[start + i]!
      length |= (byte & 0x7f) << (7 * (i - 1))
      if ((byte & 0x80) === 0) {
        if (byte === 0 && i > 1) throw malformed("MQTT-1.5.5-1", "Remaining Length is longer than it needs to be")
        if (length > 0 && (type === PacketType.Pingreq || type === PacketType.Pingresp))
          throw malformed(`3.${type}`, "PINGREQ and PINGRESP have no body")
        const total = 1 + i + length
        if (total > this.maximumPacketSize) {
          if (this.connectOnly) {
            // The answer depends on the version that it speaks, so as much of it is awaited.
            const head = Math.min(total, 1 + i + versionBytes)
            if (end - start < head) return 0
            this.#emit(bytes, start, head, false)
          }
          throw new PacketError(
            ReasonCode.PacketTooLarge,
            "MQTT-3.2.2-15",
            `a packet of ${total} bytes is above the limit of ${this.maximumPacketSize}`,
          )
        }
        return total
      }
    }
    throw malformed("2.1.4", "Remaining Length has more than four bytes")
  }
}

function notConnect(bytes: Uint8Array, start: number, end: number): PacketError {
  let word = ""
  for (let i = start; i < Math.min(end, start + 4); i++) word += String.fromCharCode(bytes[i]!)
  if (/^(GET|POST|HEAD|PUT|OPTI|CONN|DELE|PRI) ?/.test(word)) {
    return protocolError("MQTT-3.1.0-1", "the client speaks HTTP; this listener speaks MQTT")
  }
  if (bytes[start] === 0x16 && (end - start < 2 || bytes[start + 1] === 0x03)) {
    return protocolError("MQTT-3.1.0-1", "the client speaks TLS; this listener speaks plain MQTT")
  }
  if ((bytes[start]! & 0xf0) === 0x10) return malformed("MQTT-2.1.3-1", "reserved flags of CONNECT are set")
  return protocolError("MQTT-3.1.0-1", "the first packet is not CONNECT")
}

const empty = new Uint8Array(0)
