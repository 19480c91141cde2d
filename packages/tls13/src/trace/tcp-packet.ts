// TCP segments in IP packets, made up around bytes that some connection carried: RFC 9293, over RFC 791 or RFC 8200.

import { Writer } from "../bytes/writer.ts"

export interface Socket {
  /** 4 or 16 bytes, as many at both ends. */
  readonly address: Uint8Array
  /** 0 to 65535. */
  readonly port: number
}

export interface Segment {
  readonly from: Socket
  readonly to: Socket
  /** Any whole number: its lowest 32 bits are written. */
  readonly sequence: number
  /** The same; with ACK among the flags. */
  readonly acknowledgement: number
  readonly flags: number
  /** Of the TCP header: a multiple of 4 bytes, 40 at most. */
  readonly options: Uint8Array
  readonly data: Uint8Array
}

export const TcpFlag = { FIN: 1, SYN: 2, RST: 4, PSH: 8, ACK: 16 } as const

/** Bytes of data that one packet carries at most, whichever IP it is. */
export const mostInPacket = 65_495

/** Window scale that the options of a SYN announce: with it a window of 65535 is of 1 GiB, which no peer is seen to fill. */
const windowScale = 14

/** Maximum segment size and window scale (RFC 9293 section 3.2, RFC 7323 section 2). */
export function synOptions(maxSegment: number): Uint8Array {
  return Uint8Array.of(2, 4, maxSegment >>> 8, maxSegment, 3, 3, windowScale, 1)
}

/** A whole IP packet, its checksums right. */
export function ipPacket(segment: Segment): Uint8Array {
  const { from, to } = segment
  const tcp = tcpSegment(segment)
  const writer = new Writer(40 + tcp.length)
  if (from.address.length === 16) writer.uint32(0x60000000).uint16(tcp.length).uint8(protocol).uint8(hops)
  // Do not fragment: such packets need no identification (RFC 6864).
  else
    writer
      .uint32(0x45000000 + 20 + tcp.length)
      .uint32(0x4000)
      .uint8(hops)
      .uint8(protocol)
      .uint16(0)
  writer.bytes(from.address).bytes(to.address)
  const headerLength = writer.length
  const packet = writer.bytes(tcp).finish()
  if (from.address.length === 4) put16(packet, 10, checksum(packet.subarray(0, headerLength)))
  const pseudo = new Writer(40).bytes(from.address).bytes(to.address).uint32(tcp.length).uint32(protocol).finish()
  put16(packet, headerLength + 16, checksum(pseudo, packet.subarray(headerLength)))
  return packet
}

const protocol = 6
const hops = 64

function tcpSegment({ from, to, sequence, acknowledgement, flags, options, data }: Segment): Uint8Array {
  const writer = new Writer(20 + options.length + data.length)
  writer
    .uint16(from.port)
    .uint16(to.port)
    .uint32(sequence % 2 ** 32)
    .uint32(acknowledgement % 2 ** 32)
  writer
    .uint8((20 + options.length) << 2)
    .uint8(flags)
    .uint16(0xffff)
    .uint32(0)
  return writer.bytes(options).bytes(data).finish()
}

/** RFC 1071, of the parts one after the other; all but the last have an even length. */
export function checksum(...parts: readonly Uint8Array[]): number {
  let sum = 0
  for (const bytes of parts) {
    for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8
  bytes[at + 1] = value
}
