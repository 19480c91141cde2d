// Capture files of any kind around given packets, byte by byte: what the reader of captures is tested with.

import { parseAddress } from "../../src/bytes/ip-address.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { ipPacket, TcpFlag } from "../../src/trace/tcp-packet.ts"

export interface Frame {
  readonly bytes: Uint8Array
  /** Milliseconds since 1970. */
  readonly at?: number
  /** On the wire; default: as captured. */
  readonly length?: number
}

export interface SegmentShape {
  /** Default 10.0.0.1:50000 to 10.0.0.2:8883. */
  readonly from?: readonly [address: string, port: number]
  readonly to?: readonly [address: string, port: number]
  readonly sequence?: number
  readonly flags?: number
  readonly data?: string | Uint8Array
}

export const [here, there] = [
  ["10.0.0.1", 50_000],
  ["10.0.0.2", 8883],
] as const

/** An IP packet. */
export function packet({
  from = here,
  to = there,
  sequence = 1000,
  flags = TcpFlag.ACK,
  data = "",
}: SegmentShape): Uint8Array {
  const [source, destination] = [from, to].map(([address, port]) => ({ address: parseAddress(address)!, port }))
  const bytes = typeof data === "string" ? utf8ToBytes(data) : data
  const ends = { from: source!, to: destination! }
  return ipPacket({ ...ends, sequence, acknowledgement: 1, flags, options: new Uint8Array(0), data: bytes })
}

/** From the second end to the first. */
export function answer(shape: SegmentShape): Uint8Array {
  return packet({ from: there, to: here, ...shape })
}

export interface Order {
  readonly little?: boolean
}

/** Numbers of 32 bits, or of 16 when they are given in a list of their own. */
function numbers(values: readonly (number | readonly number[])[], { little = false }: Order): Uint8Array {
  const flat = values.flatMap((value) => (typeof value === "number" ? [[value, 4]] : value.map((each) => [each, 2])))
  const view = new DataView(new ArrayBuffer(flat.reduce((sum, [, size]) => sum + size!, 0)))
  let at = 0
  for (const [value, size] of flat) {
    if (size === 4) view.setUint32(at, value! % 2 ** 32, little)
    else view.setUint16(at, value!, little)
    at += size!
  }
  return new Uint8Array(view.buffer)
}

export interface PcapShape extends Order {
  readonly nanoseconds?: boolean
  readonly linkType?: number
}

export function pcapFile(
  frames: readonly Frame[],
  { nanoseconds = false, linkType = 101, ...order }: PcapShape = {},
): Uint8Array {
  const fractions = nanoseconds ? 1e9 : 1e6
  const parts = [numbers([nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, [2, 4], 0, 0, 65_535, linkType], order)]
  for (const { bytes, at = 0, length = bytes.length } of frames) {
    const seconds = Math.floor(at / 1000)
    parts.push(numbers([seconds, Math.round((at / 1000 - seconds) * fractions), bytes.length, length], order), bytes)
  }
  return Buffer.concat(parts)
}

export function block(type: number, body: Uint8Array, order: Order = {}): Uint8Array {
  const length = 12 + body.length + (-body.length & 3)
  const padding = new Uint8Array(-body.length & 3)
  return Buffer.concat([numbers([type, length], order), body, padding, numbers([length], order)])
}

export function section(order: Order = {}, version = 1): Uint8Array {
  return block(0x0a0d0d0a, numbers([0x1a2b3c4d, [version, 0], 0xffffffff, 0xffffffff], order), order)
}

export interface InterfaceShape {
  readonly linkType?: number
  /** Bytes of a packet that are captured at most; 0: all. */
  readonly longest?: number
  /** As they stand there. */
  readonly options?: Uint8Array
}

export function interfaceBlock(
  order: Order = {},
  { linkType = 101, longest = 0, options }: InterfaceShape = {},
): Uint8Array {
  return block(1, Buffer.concat([numbers([[linkType, 0], longest], order), options ?? new Uint8Array(0)]), order)
}

export function option(code: number, value: Uint8Array, order: Order = {}): Uint8Array {
  return Buffer.concat([numbers([[code, value.length]], order), value, new Uint8Array(-value.length & 3)])
}

/** @param ticks of the interface's unit */
export function enhancedPacket(bytes: Uint8Array, order: Order = {}, { ticks = 0, at = 0 } = {}): Uint8Array {
  const head = numbers([at, Math.floor(ticks / 2 ** 32), ticks, bytes.length, bytes.length], order)
  return block(6, Buffer.concat([head, bytes]), order)
}

/** The older kind. */
export function packetBlock(bytes: Uint8Array, order: Order = {}, ticks = 0): Uint8Array {
  const head = numbers([[0, 0], Math.floor(ticks / 2 ** 32), ticks, bytes.length, bytes.length], order)
  return block(2, Buffer.concat([head, bytes]), order)
}

export function simplePacket(bytes: Uint8Array, order: Order = {}, length = bytes.length): Uint8Array {
  return block(3, Buffer.concat([numbers([length], order), bytes]), order)
}

export function secrets(text: string, order: Order = {}, type = 0x544c534b): Uint8Array {
  return block(10, Buffer.concat([numbers([type, text.length], order), utf8ToBytes(text)]), order)
}

/** A pcapng file of one interface. */
export function pcapngFile(blocks: readonly Uint8Array[], order: Order = {}, linkType = 101): Uint8Array {
  return Buffer.concat([section(order), interfaceBlock(order, { linkType }), ...blocks])
}
