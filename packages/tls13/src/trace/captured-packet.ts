// A captured packet, from its link header to the TCP segment in it. Whatever the bytes are, the answer is a segment or a word.

/** Link types that are read, by number (LINKTYPE_ of tcpdump.org), and how many bytes stand before IP, at least. */
const Link = { null: 0, ethernet: 1, loop: 108, linuxCooked: 113, linuxCooked2: 276 } as const
/** IP without a header below it: LINKTYPE_RAW, what some systems write for it, and one number for each version. */
const bareIp: readonly number[] = [101, 12, 14, 228, 229]

export interface CapturedSegment {
  /** 4 or 16 bytes: views of the file. */
  readonly source: Uint8Array
  readonly sourcePort: number
  readonly destination: Uint8Array
  readonly destinationPort: number
  readonly sequence: number
  readonly flags: number
  /** What of the data is in the file: a view. */
  readonly data: Uint8Array
  /** Bytes of data that the segment had on the wire. */
  readonly length: number
}

/** Why there is no segment. */
export type NoSegment = "unknown link" | "not TCP" | "IP fragment" | "cut short"

/** @param frame what the file has of the packet */
export function segmentIn(linkType: number, frame: Uint8Array): CapturedSegment | NoSegment {
  const packet = behindLink(linkType, frame)
  if (typeof packet === "string") return packet
  const version = packet.length > 0 ? packet[0]! >>> 4 : 0
  if (version === 4) return inIpv4(packet)
  return version === 6 ? inIpv6(packet) : "not TCP"
}

/* ---------------------------------------------------------------- links */

const vlanTags: readonly number[] = [0x8100, 0x88a8, 0x9100]
const etherTypes: readonly number[] = [0x0800, 0x86dd]

function behindLink(linkType: number, frame: Uint8Array): Uint8Array | NoSegment {
  if (bareIp.includes(linkType)) return frame
  switch (linkType) {
    case Link.ethernet:
      return behindEtherType(frame, 12)
    case Link.linuxCooked:
      return behindEtherType(frame, 14)
    case Link.linuxCooked2:
      return uint16(frame, 0) === vlanTags[0] ? behindEtherType(frame.subarray(20), 2) : behindEtherType(frame, 0, 20)
    case Link.null:
    case Link.loop:
      // An address family, of the byte order and the numbers of the machine: IP says itself which version it is.
      return frame.subarray(4)
    default:
      return "unknown link"
  }
}

/** @param begin of what comes after, when that is not the next byte */
function behindEtherType(frame: Uint8Array, at: number, begin = at + 2): Uint8Array | NoSegment {
  while (vlanTags.includes(uint16(frame, at))) {
    at += 4
    begin = at + 2
  }
  return etherTypes.includes(uint16(frame, at)) ? frame.subarray(begin) : "not TCP"
}

/* ---------------------------------------------------------------- IP */

const tcp = 6

/** RFC 791. */
function inIpv4(packet: Uint8Array): CapturedSegment | NoSegment {
  if (packet.length < 20) return "cut short"
  const headerLength = 4 * (packet[0]! & 15)
  // Captured where the network card cuts what was sent into packets, the length may be 0.
  const length = uint16(packet, 2) || packet.length
  if (packet[9] !== tcp || headerLength < 20 || length < headerLength) return "not TCP"
  if ((uint16(packet, 6) & 0x3fff) !== 0) return "IP fragment"
  return inTcp(
    packet.subarray(12, 16),
    packet.subarray(16, 20),
    packet.subarray(headerLength, length),
    length - headerLength,
  )
}

/** RFC 8200 section 4: headers that may stand before TCP, each with its length in its second byte, but for that of a fragment. */
const extensionHeaders: readonly number[] = [0, 43, 60, 135]
const fragment = 44

function inIpv6(packet: Uint8Array): CapturedSegment | NoSegment {
  if (packet.length < 40) return "cut short"
  const end = 40 + (uint16(packet, 4) || packet.length - 40)
  let next = packet[6]!
  let at = 40
  while (next !== tcp) {
    const isFragment = next === fragment
    if (!isFragment && !extensionHeaders.includes(next)) return "not TCP"
    if (packet.length < at + 8) return "cut short"
    if (isFragment && (uint16(packet, at + 2) & 0xfff9) !== 0) return "IP fragment"
    next = packet[at]!
    at += isFragment ? 8 : 8 * (packet[at + 1]! + 1)
  }
  if (end < at) return "not TCP"
  return inTcp(packet.subarray(8, 24), packet.subarray(24, 40), packet.subarray(at, end), end - at)
}

/** RFC 9293 section 3.1. @param length of the segment on the wire */
function inTcp(
  source: Uint8Array,
  destination: Uint8Array,
  bytes: Uint8Array,
  length: number,
): CapturedSegment | NoSegment {
  if (bytes.length < 20) return "cut short"
  const headerLength = 4 * (bytes[12]! >>> 4)
  if (headerLength < 20 || length < headerLength) return "not TCP"
  return {
    source,
    sourcePort: uint16(bytes, 0),
    destination,
    destinationPort: uint16(bytes, 2),
    sequence: uint16(bytes, 4) * 0x10000 + uint16(bytes, 6),
    flags: bytes[13]!,
    data: bytes.subarray(headerLength),
    length: length - headerLength,
  }
}

/** 0 behind the end: no type and no length is. */
function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
