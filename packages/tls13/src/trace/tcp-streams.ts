// TCP connections of captured segments, each as two streams of bytes: RFC 9293 section 3.4 is the arithmetic. Segments may come
// in any order, several times, overlap, and be missing; what a stranger puts together costs what its bytes cost.

import { addressText } from "../bytes/ip-address.ts"
import type { CapturedSegment } from "./captured-packet.ts"
import { TraceFileError } from "./file-error.ts"
import type { Endpoint } from "./pcapng.ts"
import { TcpFlag } from "./tcp-packet.ts"

export interface CapturedPiece {
  /** Of its first byte in the stream. */
  readonly offset: number
  /** A view of the file. */
  readonly bytes: Uint8Array
  /**
   * When its receiver could have it: the time of its packet, or of the packet before it in the stream when that came later.
   * Milliseconds since 1970; 0 where the file tells none.
   */
  readonly at: number
  /** The number of that packet in the file, from 1: what came first in two streams has the smaller one. */
  readonly packet: number
}

/** What one side sent. */
export interface CapturedStream {
  /** In the order of the stream; none overlap. */
  readonly pieces: readonly CapturedPiece[]
  /** What the file does not have, though bytes behind it were sent. */
  readonly missing: readonly { readonly offset: number; readonly length: number }[]
  /** Whether the side ended its half of the connection, or reset it. */
  readonly ended: boolean
  /** Segments that repeat bytes of the stream, and not as they were the first time: those are left as they were. */
  readonly contradictions: number
}

export interface CapturedConnection {
  readonly client: Endpoint
  readonly server: Endpoint
  /** Whether the SYN is in the file: it tells who the client is, and where its stream begins. Else both are guessed. */
  readonly opened: boolean
  readonly fromClient: CapturedStream
  readonly fromServer: CapturedStream
}

/** The bytes of a stream from its first piece to where some are missing. One copy of them. */
export function unbrokenBytes({ pieces, missing }: CapturedStream): Uint8Array {
  const end = missing[0]?.offset ?? Number.POSITIVE_INFINITY
  const parts = pieces.filter(({ offset }) => offset < end)
  const whole = new Uint8Array(parts.reduce((sum, { bytes }) => sum + bytes.length, 0))
  for (const { offset, bytes } of parts) whole.set(bytes, offset)
  return whole
}

/** Connections that are told apart at most. */
export const mostConnections = 10_000

/** Takes the segments of a file in its order. */
export class TcpStreams {
  readonly #all: Conversation[] = []
  /** The latest of two sockets. */
  readonly #byEnds = new Map<string, Conversation>()

  /** @param packet its number in the file. @throws TraceFileError when there are too many connections */
  take(segment: CapturedSegment, at: number, packet: number): void {
    const [source, destination] = [
      keyOf(segment.source, segment.sourcePort),
      keyOf(segment.destination, segment.destinationPort),
    ]
    const key = source < destination ? source + destination : destination + source
    const known = this.#byEnds.get(key)
    const conversation = known?.isBegunAnewBy(segment, source) === false ? known : this.#begin(key, segment, source)
    conversation.take(segment, source, at, packet)
  }

  #begin(key: string, segment: CapturedSegment, source: string): Conversation {
    if (this.#all.length === mostConnections)
      throw new TraceFileError(`more than ${mostConnections} connections: leave in it those that you want to see`)
    const conversation = new Conversation(segment, source)
    this.#byEnds.set(key, conversation)
    this.#all.push(conversation)
    return conversation
  }

  /** In the order of their first packets. */
  connections(): CapturedConnection[] {
    return this.#all.map((conversation) => conversation.connection())
  }
}

function keyOf(address: Uint8Array, port: number): string {
  return String.fromCharCode(...address, port)
}

class Conversation {
  readonly #ends: readonly [Endpoint, Endpoint]
  readonly #firstKey: string
  readonly #halves: readonly [Half, Half] = [new Half(), new Half()]
  /** Who sent the SYN. */
  #opener: 0 | 1 | undefined

  constructor({ source, sourcePort, destination, destinationPort }: CapturedSegment, sourceKey: string) {
    this.#firstKey = sourceKey
    this.#ends = [
      { address: addressText(source), port: sourcePort },
      { address: addressText(destination), port: destinationPort },
    ]
  }

  /** A SYN with another sequence number than the one before: the same two ports are in use again. */
  isBegunAnewBy({ flags, sequence }: CapturedSegment, sourceKey: string): boolean {
    if ((flags & (TcpFlag.SYN | TcpFlag.ACK)) !== TcpFlag.SYN) return false
    return this.#halves[this.#indexOf(sourceKey)].begunElsewhereThan(sequence)
  }

  take(segment: CapturedSegment, sourceKey: string, at: number, packet: number): void {
    const index = this.#indexOf(sourceKey)
    if (segment.flags & TcpFlag.SYN) {
      const sender = segment.flags & TcpFlag.ACK ? (index === 0 ? 1 : 0) : index
      this.#opener ??= sender
    }
    this.#halves[index].take(segment, at, packet)
  }

  connection(): CapturedConnection {
    const [first, second] = [this.#halves[0].stream(), this.#halves[1].stream()]
    const firstIsClient = (this.#opener ?? this.#guess(first, second)) === 0
    const [client, server] = firstIsClient ? this.#ends : [this.#ends[1], this.#ends[0]]
    const [fromClient, fromServer] = firstIsClient ? [first, second] : [second, first]
    return { client, server, opened: this.#opener !== undefined, fromClient, fromServer }
  }

  /** By a ClientHello, else by ports: servers have the lower ones. */
  #guess(first: CapturedStream, second: CapturedStream): 0 | 1 {
    if (beginsWithHello(first, clientHello) || beginsWithHello(second, serverHello)) return 0
    if (beginsWithHello(second, clientHello) || beginsWithHello(first, serverHello)) return 1
    return this.#ends[0].port < this.#ends[1].port ? 1 : 0
  }

  #indexOf(sourceKey: string): 0 | 1 {
    return sourceKey === this.#firstKey ? 0 : 1
  }
}

const [clientHello, serverHello] = [1, 2]

/** A record of the handshake with a message of this type. */
function beginsWithHello({ pieces }: CapturedStream, type: number): boolean {
  const bytes = pieces[0]?.bytes
  return bytes !== undefined && bytes[0] === 22 && bytes[1] === 3 && bytes[5] === type
}

interface Kept {
  /** Of its first byte behind the sequence number that was seen first; may be negative. */
  readonly offset: number
  readonly data: Uint8Array
  readonly at: number
  readonly packet: number
}

/** What one side sent, as it came. */
class Half {
  /** The sequence number that was seen first. */
  #base: number | undefined
  /** Behind the last byte that was seen. Others are understood as near to it, as they have 32 bits. */
  #highest = 0
  /** Of the first byte, when the SYN was seen. */
  #origin: number | undefined
  #end: number | undefined
  #isReset = false
  readonly #kept: Kept[] = []

  begunElsewhereThan(sequence: number): boolean {
    const first = this.#origin ?? (this.#kept.length > 0 ? 0 : undefined)
    return first !== undefined && ((sequence + 1 - this.#base! - first) | 0) !== 0
  }

  take({ sequence, flags, data, length }: CapturedSegment, at: number, packet: number): void {
    if (flags & TcpFlag.RST) {
      this.#isReset = true
      return // what it carries is no data: RFC 9293 section 3.5.3
    }
    // Nothing but an acknowledgement: its sequence number says nothing of bytes.
    if (length === 0 && (flags & (TcpFlag.SYN | TcpFlag.FIN)) === 0) return
    this.#base ??= sequence
    const from = this.#highest + ((sequence - this.#base - this.#highest) | 0)
    const offset = flags & TcpFlag.SYN ? from + 1 : from
    if (flags & TcpFlag.SYN) this.#origin ??= offset
    if (flags & TcpFlag.FIN) this.#end ??= offset + length
    this.#highest = Math.max(this.#highest, offset + length)
    if (data.length > 0) this.#kept.push({ offset, data, at, packet })
  }

  /** What begins first in the stream counts, and of what begins at the same place what came first. */
  stream(): CapturedStream {
    const sorted = [...this.#kept].sort((a, b) => a.offset - b.offset)
    const origin = this.#origin ?? sorted[0]?.offset ?? 0
    const pieces: CapturedPiece[] = []
    const missing: { readonly offset: number; readonly length: number }[] = []
    let [covered, contradictions, lastAt, lastPacket] = [origin, 0, 0, 0]
    const cover = (upTo: number) => {
      if (upTo > covered) missing.push({ offset: covered - origin, length: upTo - covered })
      covered = Math.max(covered, upTo)
    }
    for (const { offset, data, at, packet } of sorted) {
      if (contradicts(pieces, offset - origin, data)) contradictions++
      if (offset + data.length <= covered) continue
      cover(offset)
      lastAt = Math.max(lastAt, at)
      lastPacket = Math.max(lastPacket, packet)
      const bytes = data.subarray(covered - offset)
      pieces.push({ offset: covered - origin, bytes, at: lastAt, packet: lastPacket })
      covered += bytes.length
    }
    // Behind the last piece: data that was cut off, or was on its way before the end of the half.
    if (this.#kept.length > 0 || this.#origin !== undefined) cover(Math.max(this.#highest, this.#end ?? 0))
    return { pieces, missing, ended: this.#end !== undefined || this.#isReset, contradictions }
  }
}

/** Whether bytes at an offset differ from what pieces have there. */
function contradicts(pieces: readonly CapturedPiece[], offset: number, data: Uint8Array): boolean {
  for (let i = firstBehind(pieces, offset); i < pieces.length; i++) {
    const { offset: begin, bytes } = pieces[i]!
    const end = Math.min(begin + bytes.length, offset + data.length)
    if (begin >= end) return false
    for (let at = Math.max(begin, offset); at < end; at++) if (bytes[at - begin] !== data[at - offset]) return true
  }
  return false
}

/** The index of the first piece that ends behind an offset: by halves, as a stranger may have made very many. */
function firstBehind(pieces: readonly CapturedPiece[], offset: number): number {
  let [least, most] = [0, pieces.length]
  while (least < most) {
    const middle = (least + most) >>> 1
    const { offset: begin, bytes } = pieces[middle]!
    if (begin + bytes.length > offset) most = middle
    else least = middle + 1
  }
  return least
}
