// Reads what tcpdump, Wireshark and our own writer capture: pcap (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng) of
// either byte order, and the TCP connections in them. Files of strangers: a file costs what its bytes cost, and whatever is wrong
// with it is a TraceFileError, or a note when the rest of it can be read.
// It refuses compressed files, and does not put fragments of IP together.

import { toHex } from "../bytes/hex.ts"
import { bytesToLatin1 } from "../bytes/text.ts"
import { type NoSegment, segmentIn } from "./captured-packet.ts"
import { TraceFileError } from "./file-error.ts"
import { byteOrderMagic, PcapngBlock, tlsKeyLog } from "./pcapng.ts"
import { type CapturedConnection, TcpStreams } from "./tcp-streams.ts"

export interface CaptureFile {
  /** In the order of their first packets. */
  readonly connections: readonly CapturedConnection[]
  /** Lines of RFC 9850 that the file has itself (pcapng), as they stand there; empty: none. */
  readonly keyLog: string
  /** What of the file is not in there, a sentence each; 10 at most. */
  readonly notes: readonly string[]
}

/** Packets that a file has at most, of any kind. */
export const mostPackets = 500_000

/**
 * Reads a whole file. The streams are views of `file`: it must not be changed while they are in use.
 * @throws TraceFileError and nothing else
 */
export function readCaptureFile(file: Uint8Array): CaptureFile {
  const reading = new Reading()
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const magic = file.length < 4 ? 0 : view.getUint32(0)
  const classic = classicFormats.find((format) => format.magic === magic)
  if (magic === PcapngBlock.sectionHeader) readPcapng(file, view, reading)
  else if (classic !== undefined) readPcap(file, view, classic, reading)
  else throw new TraceFileError(`no pcap or pcapng file: ${whatElse(file)}`)
  return reading.result()
}

function whatElse(file: Uint8Array): string {
  if (file.length < 4) return `it has ${file.length} bytes`
  const beginning = toHex(file.subarray(0, 4))
  const compression = Object.entries(compressions).find(([magic]) => beginning.startsWith(magic))
  return compression ? `it is compressed (${compression[1]}); unpack it` : `it begins with 0x${beginning}`
}

const compressions: Readonly<Record<string, string>> = {
  "1f8b": "gzip",
  "28b52ffd": "zstd",
  "04224d18": "LZ4",
  fd377a58: "xz",
}

/* ---------------------------------------------------------------- packets */

/** What has been read so far. */
class Reading {
  readonly #streams = new TcpStreams()
  #keyLog = ""
  #packets = 0
  readonly #left: Record<NoSegment, number> = { "unknown link": 0, "not TCP": 0, "IP fragment": 0, "cut short": 0 }
  readonly #links = new Set<number>()
  readonly #notes: string[] = []

  packet(linkType: number, frame: Uint8Array, at: number): void {
    if (++this.#packets > mostPackets)
      throw new TraceFileError(`more than ${mostPackets} packets: leave in it those that you want to see`)
    const segment = segmentIn(linkType, frame)
    if (typeof segment === "string") {
      this.#left[segment]++
      if (segment === "unknown link" && this.#links.size < 5) this.#links.add(linkType)
    } else this.#streams.take(segment, at, this.#packets)
  }

  keyLog(lines: string): void {
    this.#keyLog += lines.endsWith("\n") || lines === "" ? lines : `${lines}\n`
  }

  note(sentence: string): void {
    if (this.#notes.length < 10 && !this.#notes.includes(sentence)) this.#notes.push(sentence)
  }

  result(): CaptureFile {
    const { "unknown link": links, "not TCP": others, "IP fragment": fragments, "cut short": cut } = this.#left
    const numbers = [...this.#links].join(", ")
    if (links > 0) this.note(`${packets(links)} of link types that are not read (${numbers}) left out`)
    if (fragments > 0) this.note(`${packets(fragments)} left out: fragments of IP are not put together`)
    if (cut > 0) this.note(`${packets(cut)} left out, as not even their headers were captured`)
    if (others > 0) this.note(`${packets(others)} left out that are not of TCP`)
    return { connections: this.#streams.connections(), keyLog: this.#keyLog, notes: this.#notes }
  }
}

function packets(count: number): string {
  return count === 1 ? "1 packet" : `${count} packets`
}

/** The usual end of a capture that was copied while it was being written. */
const cutShort = "the file ends in the middle of a packet, which is left out"

/* ---------------------------------------------------------------- pcap */

interface ClassicFormat {
  /** The first four bytes of the file, as a big-endian number. */
  readonly magic: number
  readonly little: boolean
  /** Of a second, in the time of a packet. */
  readonly fractions: number
}

const classicFormats: readonly ClassicFormat[] = [
  { magic: 0xa1b2c3d4, little: false, fractions: 1e6 },
  { magic: 0xd4c3b2a1, little: true, fractions: 1e6 },
  { magic: 0xa1b23c4d, little: false, fractions: 1e9 },
  { magic: 0x4d3cb2a1, little: true, fractions: 1e9 },
]

function readPcap(file: Uint8Array, view: DataView, { little, fractions }: ClassicFormat, reading: Reading): void {
  if (file.length < 24) throw new TraceFileError(`no pcap file: its header has ${file.length} bytes, not 24`)
  const version = view.getUint16(4, little)
  if (version !== 2) throw new TraceFileError(`a pcap file of version ${version}, of which 2 is read`)
  // The upper bits are about the Frame Check Sequence, which IP's own length leaves out.
  const linkType = view.getUint32(20, little) & 0xffff
  let at = 24
  while (at < file.length) {
    const begin = at + 16
    const length = begin <= file.length ? view.getUint32(at + 8, little) : 0
    if (begin + length > file.length) {
      reading.note(cutShort)
      return
    }
    const seconds = view.getUint32(at, little) + view.getUint32(at + 4, little) / fractions
    reading.packet(linkType, file.subarray(begin, begin + length), 1000 * seconds)
    at = begin + length
  }
}

/* ---------------------------------------------------------------- pcapng */

interface Interface {
  readonly linkType: number
  /** Bytes of a packet that were captured at most. */
  readonly longest: number
  /** Milliseconds of the unit of its times. */
  readonly unit: number
  /** Milliseconds that are added. */
  readonly offset: number
}

function readPcapng(file: Uint8Array, view: DataView, reading: Reading): void {
  let little = false
  let interfaces: Interface[] = []
  let at = 0
  while (at < file.length) {
    if (file.length - at < 12) break
    const isSection = view.getUint32(at) === PcapngBlock.sectionHeader
    if (isSection) {
      little = orderOf(view, at)
      interfaces = []
    }
    const length = view.getUint32(at + 4, little)
    if (length < 12 || length % 4 !== 0) throw broken(at, `its length is ${length}`)
    if (length > file.length - at) break
    if (view.getUint32(at + length - 4, little) !== length) throw broken(at, "its two lengths differ")
    const type = view.getUint32(at, little)
    const body = new Body(at, file.subarray(at + 8, at + length - 4), little)
    if (isSection) readSection(body)
    else if (type === PcapngBlock.interfaceDescription) interfaces.push(readInterface(body))
    else if (type === PcapngBlock.decryptionSecrets) readSecrets(body, reading)
    else readPacket(type, body, interfaces, reading)
    at += length
  }
  if (at < file.length) reading.note(cutShort)
}

function orderOf(view: DataView, at: number): boolean {
  if (view.getUint32(at + 8) === byteOrderMagic) return false
  if (view.getUint32(at + 8, true) === byteOrderMagic) return true
  throw broken(at, "its byte order is neither big nor little")
}

function broken(at: number, why: string): TraceFileError {
  return new TraceFileError(`a broken pcapng file: the block at byte ${at} cannot be read (${why})`)
}

/** What is in a block, between its two lengths. */
class Body {
  readonly #at: number
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #little: boolean

  /** @param at of the block in the file */
  constructor(at: number, bytes: Uint8Array, little: boolean) {
    this.#at = at
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#little = little
  }

  get length(): number {
    return this.#bytes.length
  }

  uint16(at: number): number {
    this.#need(at, 2)
    return this.#view.getUint16(at, this.#little)
  }

  uint32(at: number): number {
    this.#need(at, 4)
    return this.#view.getUint32(at, this.#little)
  }

  bytes(at: number, length: number): Uint8Array {
    this.#need(at, length)
    return this.#bytes.subarray(at, at + length)
  }

  /** A whole number with a sign. */
  int64(at: number): number {
    const [first, second] = this.#little ? [at + 4, at] : [at, at + 4]
    return (this.uint32(first) | 0) * 2 ** 32 + this.uint32(second)
  }

  /** Where the value of an option (section 3.5) begins, when it has that length. @param at where the options begin */
  option(at: number, code: number, length: number): number | undefined {
    while (at + 4 <= this.length) {
      const [found, size] = [this.uint16(at), this.uint16(at + 2)]
      if (found === 0) return undefined
      this.#need(at + 4, size)
      if (found === code && size === length) return at + 4
      at += 4 + size + (-size & 3)
    }
    return undefined
  }

  broken(why: string): TraceFileError {
    return broken(this.#at, why)
  }

  #need(at: number, length: number): void {
    if (at + length > this.length) throw this.broken("it is too short for what it has to hold")
  }
}

function readSection(body: Body): void {
  const version = body.uint16(4)
  // Minor versions 0 and 2 are the same (section 4.1).
  if (version !== 1) throw new TraceFileError(`a pcapng file of version ${version}, of which 1 is read`)
}

const timeResolution = 9
const timeOffset = 14

function readInterface(body: Body): Interface {
  const [resolutionAt, offsetAt] = [body.option(8, timeResolution, 1), body.option(8, timeOffset, 8)]
  const resolution = resolutionAt === undefined ? 6 : body.bytes(resolutionAt, 1)[0]!
  const digits = resolution & 0x7f
  const unit = 1000 * (resolution & 0x80 ? 2 ** -digits : 10 ** -digits)
  const offset = offsetAt === undefined ? 0 : 1000 * body.int64(offsetAt)
  return { linkType: body.uint16(0), longest: body.uint32(4) || Number.POSITIVE_INFINITY, unit, offset }
}

function readSecrets(body: Body, reading: Reading): void {
  const secrets = body.bytes(8, body.uint32(4))
  const isText = body.uint32(0) === tlsKeyLog && secrets.every((byte) => byte < 0x80)
  if (isText) reading.keyLog(bytesToLatin1(secrets))
  else reading.note("secrets that are no key log of TLS are left out")
}

/** Blocks of other types are nothing of ours. */
function readPacket(type: number, body: Body, interfaces: readonly Interface[], reading: Reading): void {
  const isSimple = type === PcapngBlock.simplePacket
  if (!isSimple && type !== PcapngBlock.enhancedPacket && type !== PcapngBlock.packet) return
  const number = isSimple ? 0 : type === PcapngBlock.packet ? body.uint16(0) : body.uint32(0)
  const found = interfaces[number]
  if (found === undefined) throw body.broken(`there is no interface ${number}`)
  if (isSimple) {
    // It tells the length on the wire only.
    const length = Math.min(body.uint32(0), found.longest, body.length - 4)
    reading.packet(found.linkType, body.bytes(4, length), 0)
    return
  }
  const ticks = body.uint32(4) * 2 ** 32 + body.uint32(8)
  reading.packet(found.linkType, body.bytes(20, body.uint32(12)), ticks * found.unit + found.offset)
}
