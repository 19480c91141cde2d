// The PROXY protocol, versions 1 and 2, as the receiver reads it (haproxy.org, proxy-protocol.txt, sections 2.1 and 2.2):
// what a proxy in front tells of the client's address ahead of everything else.

import { isIPv4, isIPv6 } from "node:net"

/** Bytes of a header of version 1, line end included: what the specification allows. */
export const longestProxyLine = 107
/** Bytes after the first 16 of a header of version 2: addresses and TLVs. The format has room for 65,535. */
export const longestProxyBlock = 4096

export interface ProxyHeader {
  /** Bytes of the header: what follows is the client's. */
  readonly length: number
  /** The client's address; undefined: the connection is the proxy's own, or the proxy does not know. */
  readonly source: { readonly address: string; readonly port: number } | undefined
}

/** A header that is none. The message completes the sentence "the PROXY header ...". */
export class ProxyProtocolError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "ProxyProtocolError"
  }
}

const lineStart = Uint8Array.from("PROXY ", (character) => character.charCodeAt(0))
const signature = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10)

/** Reads the header at the start of `bytes`; undefined when more bytes are needed. Throws ProxyProtocolError. */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (startsAlike(bytes, signature)) return bytes.length < 16 ? checkStart(bytes) : readBlock(bytes)
  if (startsAlike(bytes, lineStart)) return readLine(bytes)
  throw new ProxyProtocolError(
    bytes[0] === 22 ? "is missing: a TLS handshake came instead" : "is missing: something else came instead",
  )
}

function startsAlike(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.every((byte, index) => index >= bytes.length || bytes[index] === byte)
}

/* ------------------------------------------------------------ version 1 */

function readLine(bytes: Uint8Array): ProxyHeader | undefined {
  for (let at = 0; at < bytes.length && at < longestProxyLine; at++) {
    const byte = bytes[at]!
    if (byte === 10 && bytes[at - 1] === 13) return { length: at + 1, source: sourceOf(textOf(bytes, at - 1)) }
    if (bytes[at - 1] === 13 || byte === 10 || (byte !== 13 && (byte < 32 || byte > 126)))
      throw new ProxyProtocolError("of version 1 is no line of ASCII text that ends with CR LF")
  }
  if (bytes.length < longestProxyLine) return undefined
  throw new ProxyProtocolError(`of version 1 is longer than ${longestProxyLine} bytes`)
}

function textOf(bytes: Uint8Array, end: number): string {
  return String.fromCharCode(...bytes.subarray(0, end))
}

function sourceOf(line: string): ProxyHeader["source"] {
  // "The receiver must ignore anything presented before the CRLF is found" after UNKNOWN.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return undefined
  const fields = line.split(" ")
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = ""] = fields
  const isAddress = family === "TCP4" ? isIPv4 : family === "TCP6" ? isPlainIPv6 : undefined
  if (isAddress === undefined) throw new ProxyProtocolError("of version 1 names no family that it has")
  if (fields.length !== 6) throw new ProxyProtocolError("of version 1 does not have its six fields")
  if (!isAddress(source) || !isAddress(destination))
    throw new ProxyProtocolError(`of version 1 has an address that is none of ${family}`)
  const [port] = [sourcePort, destinationPort].map(portOf)
  return { address: family === "TCP6" ? ipv6Text(source) : source, port: port! }
}

function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes("%")
}

function portOf(text: string): number {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw new ProxyProtocolError("of version 1 has a port that is none")
  return port
}

/* ------------------------------------------------------------ version 2 */

/** Bytes of the two addresses and ports, by family and protocol. */
const addressLengths: ReadonlyMap<number, number> = new Map([
  [0x00, 0],
  [0x11, 12],
  [0x21, 36],
  [0x31, 216],
])

/** What can be said of the first bytes already. */
function checkStart(bytes: Uint8Array): undefined {
  const versionAndCommand = bytes[12]
  if (versionAndCommand === undefined) return
  if (versionAndCommand >> 4 !== 2)
    throw new ProxyProtocolError(`has the signature of version 2 and says version ${versionAndCommand >> 4}`)
  if ((versionAndCommand & 15) > 1) throw new ProxyProtocolError(`has the unknown command ${versionAndCommand & 15}`)
}

function readBlock(bytes: Uint8Array): ProxyHeader | undefined {
  checkStart(bytes)
  const block = (bytes[14]! << 8) | bytes[15]!
  if (block > longestProxyBlock)
    throw new ProxyProtocolError(`of version 2 is longer than ${16 + longestProxyBlock} bytes`)
  const length = 16 + block
  const isLocal = (bytes[12]! & 15) === 0
  const family = bytes[13]!
  const addresses = isLocal ? 0 : addressLengths.get(family)
  if (addresses === undefined)
    throw new ProxyProtocolError(`has the family and protocol 0x${family.toString(16).padStart(2, "0")}`)
  if (block < addresses) throw new ProxyProtocolError("of version 2 is too short for its addresses")
  if (bytes.length < length) return undefined
  const header = bytes.subarray(0, length)
  // "The receiver must accept this connection as valid and must use the real connection endpoints and discard the protocol
  // block including the family which is ignored."
  if (isLocal) return { length, source: undefined }
  // Of an unknown family nothing can be said, not even where the TLVs begin.
  if (family !== 0) checkTlvs(header, 16 + addresses)
  if (family === 0x11)
    return { length, source: { address: header.subarray(16, 20).join("."), port: uint16(header, 24) } }
  if (family === 0x21) {
    const groups = Array.from({ length: 8 }, (_, index) => uint16(header, 16 + 2 * index).toString(16))
    return { length, source: { address: ipv6Text(groups.join(":")), port: uint16(header, 48) } }
  }
  return { length, source: undefined }
}

function checkTlvs(header: Uint8Array, start: number): void {
  for (let at = start; at < header.length; ) {
    const end = at + 3 <= header.length ? at + 3 + uint16(header, at + 1) : Number.POSITIVE_INFINITY
    if (end > header.length) throw new ProxyProtocolError("of version 2 ends within a TLV")
    if (header[at] === crc32cType) checkCrc32c(header, at + 3, end)
    at = end
  }
}

/** PP2_TYPE_CRC32C. */
const crc32cType = 3

/** Section 2.2.3: of the whole header, with zeros in the place of the checksum. */
function checkCrc32c(header: Uint8Array, from: number, to: number): void {
  const said = to - from === 4 ? uint16(header, from) * 65_536 + uint16(header, from + 2) : undefined
  if (said !== crc32c(header.map((byte, index) => (index >= from && index < to ? 0 : byte))))
    throw new ProxyProtocolError("of version 2 does not have the checksum that it says")
}

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0)
  }
  return ~crc >>> 0
}

function uint16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!
}

/** Of an address there is one form, as RFC 5952 has it, or limits could be passed by another; IPv4 in IPv6 form is IPv4. */
function ipv6Text(text: string): string {
  const address = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(address) ?? []
  if (high === undefined || low === undefined) return address
  return [high, low].flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 0xff]).join(".")
}
