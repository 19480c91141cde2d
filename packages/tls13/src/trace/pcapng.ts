// A file that Wireshark opens decrypted, of what TLS connections sent and received: pcapng (draft-ietf-opsawg-pcapng), with the
// key log of RFC 9850 in Decryption Secrets Blocks. Packets are made up around the bytes: the addresses and ports are those of
// the connection, or what the caller likes, all else of IP and TCP was never on a wire.
// Who has the file reads the connections. RFC 9850 section 1.1: such logs "MUST NOT be used in a production system".
// A program that reads the file from its beginning to its end decrypts a packet by what stands before it, and a secret is known
// some time after the bytes that it protects have come in. So packets of a handshake are held until its secrets are there.

import { parseAddress } from "../bytes/ip-address.ts"
import { utf8ToBytes } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import type { TraceEvent } from "./events.ts"
import { keyLogLine } from "./keylog.ts"
import { ipPacket, mostInPacket, type Socket, synOptions, TcpFlag } from "./tcp-packet.ts"

/** An end of a TCP connection. */
export interface Endpoint {
  /** IPv4 or IPv6, in text; a zone (`%eth0`) may follow. */
  readonly address: string
  /** 0 to 65535. */
  readonly port: number
}

export interface PcapngOptions {
  /** Who wrote the file, as its head tells. */
  readonly program?: string | undefined
  /** Bytes of data in a packet at most, 1 to 65495; default 65495: what is sent at once is one packet then. */
  readonly maxSegment?: number | undefined
}

/** A pcapng file of any number of connections. */
export class PcapngWriter {
  readonly #write: (bytes: Uint8Array) => void
  readonly #maxSegment: number

  /**
   * @param write is given whole blocks, in the order of the file: the head at once. The bytes are the callee's.
   * @throws RangeError for options out of range
   */
  constructor(
    write: (bytes: Uint8Array) => void,
    { program = "tls13", maxSegment = mostInPacket }: PcapngOptions = {},
  ) {
    if (!(Number.isInteger(maxSegment) && maxSegment >= 1 && maxSegment <= mostInPacket))
      throw new RangeError(`maxSegment must be a whole number from 1 to ${mostInPacket}, not ${maxSegment}`)
    this.#write = write
    this.#maxSegment = maxSegment
    write(sectionHeader(program))
    write(interfaceDescription())
  }

  /** A connection that begins. @throws RangeError when an address is none */
  connection(client: Endpoint, server: Endpoint): ConnectionCapture {
    return new ConnectionCapture(this.#write, this.#maxSegment, ...socketsOf(client, server))
  }
}

type Side = "client" | "server"

/** Bytes of packets that wait for secrets at most: then they are written without. */
const mostHeld = 1_048_576
/** Bytes that a side takes before it says so, when it has nothing else to say. */
const ackAfter = 1_048_576

/**
 * What happened on one connection, as it is told. Times are milliseconds since 1970, with fractions to the microsecond, and do not
 * go back. `client` is who began the TCP connection.
 */
export class ConnectionCapture {
  readonly #write: (bytes: Uint8Array) => void
  readonly #maxSegment: number
  readonly #sockets: Readonly<Record<Side, Socket>>
  /** The next sequence number of each side. */
  readonly #next: Record<Side, number> = { client: 0x10000000, server: 0x20000000 }
  /** What each side has acknowledged. */
  readonly #acknowledged: Record<Side, number> = { client: 0, server: 0 }
  readonly #over: Record<Side, boolean> = { client: false, server: false }
  #isOpen = false
  #held: Uint8Array[] = []
  #heldBytes = 0
  /** Of the key log, and not written yet. */
  #lines: string[] = []
  readonly #awaited = new Set(["client_application_traffic_secret", "server_application_traffic_secret"])

  /** Use `PcapngWriter.connection`. */
  constructor(write: (bytes: Uint8Array) => void, maxSegment: number, client: Socket, server: Socket) {
    this.#write = write
    this.#maxSegment = maxSegment
    this.#sockets = { client, server }
  }

  /** The TCP handshake; left out, it comes with what is told first. */
  opened(at: number): void {
    if (this.#isOpen) return
    this.#isOpen = true
    const options = synOptions(this.#maxSegment)
    this.#packet("client", TcpFlag.SYN, at, options)
    this.#packet("server", TcpFlag.SYN | TcpFlag.ACK, at, options)
    this.#packet("client", TcpFlag.ACK, at)
    this.#settle()
  }

  /** Bytes that a side sent, records or any others. */
  data(from: Side, bytes: Uint8Array, at: number): void {
    this.opened(at)
    if (this.#over[from]) return
    for (let begin = 0; begin < bytes.length; begin += this.#maxSegment) {
      const piece = bytes.subarray(begin, begin + this.#maxSegment)
      const isLast = begin + piece.length === bytes.length
      this.#packet(from, TcpFlag.ACK | (isLast ? TcpFlag.PSH : 0), at, nothing, piece)
    }
    const to = otherSide(from)
    if (this.#next[from] - this.#acknowledged[to] > ackAfter) this.#packet(to, TcpFlag.ACK, at)
    this.#settle()
  }

  /** A side has ended its half of the connection. */
  ended(from: Side, at: number): void {
    this.opened(at)
    if (this.#over[from]) return
    this.#packet(from, TcpFlag.FIN | TcpFlag.ACK, at)
    this.#over[from] = true
    this.#packet(otherSide(from), TcpFlag.ACK, at)
    this.#settle()
  }

  /** A side has reset the connection: nothing comes after it. */
  reset(from: Side, at: number): void {
    this.opened(at)
    if (this.#over.client && this.#over.server) return
    this.#packet(from, TcpFlag.RST | TcpFlag.ACK, at)
    this.#over.client = true
    this.#over.server = true
    this.#settle()
  }

  /** Takes the secrets out of the events of one of the two ends, in its `trace`. */
  trace(event: TraceEvent): void {
    const line = keyLogLine(event)
    if (event.type !== "secret" || line === undefined) return
    this.#lines.push(line)
    this.#awaited.delete(event.name)
  }

  /** Writes what is held: when the connection is over, or when secrets are long in coming. */
  flush(): void {
    const [lines, held] = [this.#lines, this.#held]
    this.#lines = []
    this.#held = []
    this.#heldBytes = 0
    if (lines.length > 0) this.#write(decryptionSecrets(lines))
    for (const block of held) this.#write(block)
  }

  #settle(): void {
    if (this.#awaited.size === 0 || this.#heldBytes > mostHeld) this.flush()
  }

  #packet(from: Side, flags: number, at: number, options: Uint8Array = nothing, data: Uint8Array = nothing): void {
    const to = otherSide(from)
    const [sequence, acknowledgement] = [this.#next[from], flags & TcpFlag.ACK ? this.#next[to] : 0]
    const ends = { from: this.#sockets[from], to: this.#sockets[to] }
    const packet = ipPacket({ ...ends, sequence, acknowledgement, flags, options, data })
    this.#next[from] += data.length + (flags & (TcpFlag.SYN | TcpFlag.FIN) ? 1 : 0)
    this.#acknowledged[from] = acknowledgement
    const block = enhancedPacket(packet, at)
    this.#held.push(block)
    this.#heldBytes += block.length
  }
}

const nothing = new Uint8Array(0)

function otherSide(side: Side): Side {
  return side === "client" ? "server" : "client"
}

/** One kind of IP for both. */
function socketsOf(client: Endpoint, server: Endpoint): [client: Socket, server: Socket] {
  const [from, to] = [client, server].map(({ address, port }) => ({ address: addressOf(address), port }))
  if (from!.address.length === to!.address.length) return [from!, to!]
  return [mapped(from!), mapped(to!)]
}

/** An IPv4 address that is written as one of IPv6 (RFC 4291 section 2.5.5.2) is one of IPv4. */
function addressOf(text: string): Uint8Array {
  const bytes = parseAddress(text.replace(/%.*$/s, ""))
  if (bytes === undefined) throw new RangeError(`"${text}" is no IP address`)
  return bytes.length === 16 && mappedPrefix.every((byte, i) => bytes[i] === byte) ? bytes.subarray(12) : bytes
}

const mappedPrefix: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]

function mapped({ address, port }: Socket): Socket {
  return { address: address.length === 16 ? address : Uint8Array.from([...mappedPrefix, ...address]), port }
}

/* ---------------------------------------------------------------- blocks */

/** The types of blocks; section 4 of the draft. */
export const PcapngBlock = {
  sectionHeader: 0x0a0d0d0a,
  interfaceDescription: 1,
  packet: 2,
  simplePacket: 3,
  enhancedPacket: 6,
  decryptionSecrets: 10,
} as const

export const byteOrderMagic = 0x1a2b3c4d
/** A Decryption Secrets Block of the format of RFC 9850. */
export const tlsKeyLog = 0x544c534b
/** IPv4 or IPv6, without a header below it. */
export const rawIp = 101

const OptionCode = { end: 0, comment: 1, userApplication: 4 } as const

const comment =
  "Made up around the bytes of TLS connections: of IP and TCP, addresses and ports alone were ever in use. The secrets of " +
  "the connections are in this file: who has it can read them (RFC 9850 section 1.1)."

function sectionHeader(program: string): Uint8Array {
  return block(PcapngBlock.sectionHeader, (writer) => {
    writer.uint32(byteOrderMagic).uint16(1).uint16(0)
    // Of unknown length: -1 in 64 bits.
    writer.uint32(0xffffffff).uint32(0xffffffff)
    option(writer, OptionCode.userApplication, utf8ToBytes(program).subarray(0, 255))
    option(writer, OptionCode.comment, utf8ToBytes(comment))
    option(writer, OptionCode.end, nothing)
  })
}

/** Times of microseconds, which is the default; packets of any length. */
function interfaceDescription(): Uint8Array {
  return block(PcapngBlock.interfaceDescription, (writer) => writer.uint16(rawIp).uint16(0).uint32(0))
}

function enhancedPacket(packet: Uint8Array, at: number): Uint8Array {
  const microseconds = Math.max(0, Math.round(1000 * at))
  return block(PcapngBlock.enhancedPacket, (writer) => {
    writer.uint32(0) // the interface
    writer.uint32(Math.floor(microseconds / 2 ** 32)).uint32(microseconds % 2 ** 32)
    writer.uint32(packet.length).uint32(packet.length)
    padded(writer, packet)
  })
}

function decryptionSecrets(lines: readonly string[]): Uint8Array {
  const log = utf8ToBytes(`${lines.join("\n")}\n`)
  return block(PcapngBlock.decryptionSecrets, (writer) => padded(writer.uint32(tlsKeyLog).uint32(log.length), log))
}

/** Big-endian, as the Section Header Block's magic tells; its length stands before and after. */
function block(type: number, body: (writer: Writer) => void): Uint8Array {
  const writer = new Writer().uint32(type).uint32(0)
  body(writer)
  const length = writer.length + 4
  const bytes = writer.uint32(length).finish()
  bytes.copyWithin(4, bytes.length - 4)
  return bytes
}

function option(writer: Writer, code: number, value: Uint8Array): void {
  padded(writer.uint16(code).uint16(value.length), value)
}

/** To a multiple of 4 bytes. */
function padded(writer: Writer, bytes: Uint8Array): void {
  writer.bytes(bytes).bytes(new Uint8Array(-bytes.length & 3))
}
