// A live connection as bytes: what CONNECTED of RFC 9846 appendix A is made of, and what has come of the next record.
//
//   "T13C" || version (1 byte, 1) || role (0 client, 1 server) || suite (2 bytes)
//   sending, then receiving: secret<1..64>, generation (7 bytes), sequence number (7), longest inner plaintext (2)
//   exporter_secret<1..64> || resumption_secret<0..64> || flags (1) || handshake info || for tickets || input<0..2^24-1>
//
// Vectors have their length before them, as in section 3.4; numbers are big-endian. Times are milliseconds since 1970.

import { copyOf } from "../bytes/copy.ts"
import { InvalidMessage, messageOf } from "../bytes/errors.ts"
import { Reader } from "../bytes/reader.ts"
import { bytesToUtf8, utf8ToBytes } from "../bytes/text.ts"
import { Writer } from "../bytes/writer.ts"
import type { HandshakeInfo } from "../handshake/info.ts"
import type { SessionPeer } from "../handshake/session-peer.ts"
import type { Role } from "../handshake/transitions.ts"
import type { CertificateType, PeerIdentity, PeerTimestamp, UncheckedRule } from "../x509/interfaces.ts"

/** Bytes that are no exported connection, or none that can go on here: one sentence that says why. */
export class HandOverError extends Error {
  override readonly name = "HandOverError"
}

export interface DirectionState {
  /** [sender]_application_traffic_secret_N */
  readonly secret: Uint8Array
  /** N, at most 2^48-1. */
  readonly generation: number
  /** Of the next record. */
  readonly sequenceNumber: number
  /** Bytes of a TLSInnerPlaintext, 64 to 2^14+1. */
  readonly maxInner: number
}

export interface ConnectionState {
  readonly role: Role
  /** IANA number. */
  readonly suite: number
  readonly sending: DirectionState
  readonly receiving: DirectionState
  readonly exporterSecret: Uint8Array
  readonly resumptionSecret: Uint8Array | undefined
  readonly keyUpdateOwed: boolean
  readonly keyUpdateAwaited: boolean
  readonly info: HandshakeInfo
  /** Of a client that takes tickets. */
  readonly forTickets: { readonly peer: SessionPeer; readonly alpnProtocol: string | undefined } | undefined
  /** Of the peer: a record that is not whole yet, and what has come behind it. */
  readonly input: Uint8Array
}

/** Bytes of an export at most: chains and input are bounded by the limits of a connection. */
export const longestExport: number = 1_048_576

type Complete<Value> = { readonly [Name in keyof Required<Value>]: Value[Name] }

const magic = 0x5431_3343
const version = 1

/* ---------------------------------------------------------------- writing */

export function encodeState(state: ConnectionState): Uint8Array {
  const writer = new Writer(1024).uint32(magic).uint8(version)
  writer.uint8(state.role === "client" ? 0 : 1).uint16(state.suite)
  for (const { secret, generation, sequenceNumber, maxInner } of [state.sending, state.receiving]) {
    writer.vector8(secret)
    writeWhole(writer, generation)
    writeWhole(writer, sequenceNumber)
    writer.uint16(maxInner)
  }
  writer.vector8(state.exporterSecret).vector8(state.resumptionSecret ?? new Uint8Array(0))
  writer.uint8((state.keyUpdateOwed ? 1 : 0) | (state.keyUpdateAwaited ? 2 : 0))
  writeInfo(writer, state.info)
  writer.uint8(state.forTickets === undefined ? 0 : 1)
  if (state.forTickets !== undefined) {
    writePeer(writer, state.forTickets.peer)
    writeText(writer, state.forTickets.alpnProtocol)
  }
  return writer.vector24(state.input).finish()
}

function writeInfo(writer: Writer, info: HandshakeInfo): void {
  writeText(writer, info.group)
  writeText(writer, info.peerSignatureScheme)
  writeText(writer, info.alpnProtocol)
  writeText(writer, info.serverName)
  writer.uint8(authentications.indexOf(info.authentication))
  writer.uint8((info.resumed ? 1 : 0) | (info.helloRetryRequest ? 2 : 0) | (info.delegated ? 4 : 0))
  writer.uint8(verdicts.indexOf(info.earlyData)).uint8(verdicts.indexOf(info.encryptedClientHello))
  writeBytes(writer, info.pskIdentity)
  writer.uint8(certificateTypes.indexOf(info.peerCertificateType))
  writeChain(writer, info.peerChain)
  writer.uint8(info.peer === undefined ? 0 : 1)
  if (info.peer !== undefined) writeIdentity(writer, info.peer)
}

function writeIdentity(writer: Writer, identity: PeerIdentity): void {
  writer.uint8(certificateTypes.indexOf(identity.type))
  writeChain(writer, identity.chain)
  writeChain(writer, identity.path)
  writeText(writer, identity.subject)
  writeTime(writer, identity.validUntil)
  writeText(writer, identity.delegatedCredential?.scheme)
  writeTime(writer, identity.delegatedCredential?.validUntil)
  const timestamps = identity.signedCertificateTimestamps
  writer.uint8(timestamps === undefined ? 0 : 1).vector24((list) => {
    for (const { source, logId, log, timestamp } of timestamps ?? []) {
      list.uint8(timestampSources.indexOf(source)).vector8(logId)
      writeText(list, log)
      writeTime(list, timestamp)
    }
  })
  writer.uint8(rules.reduce((bits, rule, index) => bits | (identity.unchecked?.includes(rule) ? 1 << index : 0), 0))
}

function writePeer(writer: Writer, peer: SessionPeer): void {
  writeChain(writer, peer.peerChain)
  writer.uint8(certificateTypes.indexOf(peer.peerCertificateType ?? "X509"))
  writeTime(writer, peer.peerValidUntil)
  writeBytes(writer, peer.pskIdentity)
  writeTime(writer, peer.authenticatedAt)
}

function writeChain(writer: Writer, chain: readonly Uint8Array[]): void {
  writer.vector24((list) => {
    for (const certificate of chain) list.vector24(certificate)
  })
}

function writeText(writer: Writer, text: string | undefined): void {
  writeBytes(writer, text === undefined ? undefined : utf8ToBytes(text))
}

function writeBytes(writer: Writer, bytes: Uint8Array | undefined): void {
  writer.uint8(bytes === undefined ? 0 : 1)
  if (bytes !== undefined) writer.vector24(bytes)
}

function writeTime(writer: Writer, time: number | undefined): void {
  writer.uint8(time === undefined ? 0 : 1)
  if (time !== undefined) writeWhole(writer, Math.max(0, Math.floor(time)))
}

/** 0 to 2^53-1. */
function writeWhole(writer: Writer, value: number): void {
  writer.uint24(Math.floor(value / 2 ** 32)).uint32(value % 2 ** 32)
}

/* ---------------------------------------------------------------- reading */

const authentications = ["certificate", "psk", "none"] as const
const verdicts = ["not offered", "accepted", "rejected"] as const
const certificateTypes = ["X509", "RawPublicKey"] as const satisfies readonly CertificateType[]
const timestampSources = ["certificate", "handshake"] as const satisfies readonly PeerTimestamp["source"][]
const rules = ["validity", "crl_freshness", "ocsp_freshness"] as const satisfies readonly UncheckedRule[]

/** @param nameOf of a cipher suite, by its number @throws HandOverError for whatever they are */
export function decodeState(bytes: Uint8Array, nameOf: (suite: number) => string): ConnectionState {
  if (bytes.length > longestExport)
    throw new HandOverError(`${bytes.length} bytes are more than an exported connection has (${longestExport} at most)`)
  const reader = new Reader(bytes, "exported connection")
  try {
    if (reader.uint32() !== magic) throw new HandOverError("these bytes are no exported connection")
    const found = reader.uint8()
    if (found !== version) {
      throw new HandOverError(
        `an exported connection of version ${found}, of which ${version} is read: both processes need the same`,
      )
    }
    const state = readState(reader, nameOf)
    reader.expectEnd()
    return state
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error
    throw new HandOverError(`an exported connection that is cut short or was changed: ${messageOf(error)}`)
  }
}

function readState(reader: Reader, nameOf: (suite: number) => string): ConnectionState {
  const role = (["client", "server"] as const)[reader.uint8()]
  if (role === undefined) throw new HandOverError("an exported connection that is neither a client's nor a server's")
  const suite = reader.uint16()
  const [sending, receiving] = [readDirection(reader), readDirection(reader)]
  const exporterSecret = copyOf(reader.vector8("exporter_secret", 1, 64))
  const resumptionSecret = copyOf(reader.vector8("resumption_secret", 0, 64))
  const flags = reader.uint8()
  const info = readInfo(reader, nameOf(suite))
  const takesTickets = reader.uint8() === 1
  const forTickets = takesTickets ? { peer: readPeer(reader), alpnProtocol: readText(reader) } : undefined
  return {
    role,
    suite,
    sending,
    receiving,
    exporterSecret,
    resumptionSecret: resumptionSecret.length === 0 ? undefined : resumptionSecret,
    keyUpdateOwed: (flags & 1) !== 0,
    keyUpdateAwaited: (flags & 2) !== 0,
    info,
    forTickets,
    input: copyOf(reader.vector24("input")),
  }
}

function readDirection(reader: Reader): DirectionState {
  const secret = copyOf(reader.vector8("secret", 1, 64))
  const [generation, sequenceNumber, maxInner] = [readWhole(reader), readWhole(reader), reader.uint16()]
  if (generation >= 2 ** 48) throw new HandOverError("an exported connection with more key updates than there can be")
  if (maxInner < 64 || maxInner > 16_385) throw new HandOverError(`an exported connection with records of ${maxInner}`)
  return { secret, generation, sequenceNumber, maxInner }
}

function readInfo(reader: Reader, cipherSuite: string): HandshakeInfo {
  const [group, peerSignatureScheme, alpnProtocol, serverName] = [
    readText(reader),
    readText(reader),
    readText(reader),
    readText(reader),
  ]
  const authentication = oneOf(reader, authentications)
  const flags = reader.uint8()
  const [earlyData, encryptedClientHello] = [oneOf(reader, verdicts), oneOf(reader, verdicts)]
  const pskIdentity = readBytes(reader)
  const peerCertificateType = oneOf(reader, certificateTypes)
  const peerChain = readChain(reader)
  // All of them, as the compiler sees.
  const info: Complete<HandshakeInfo> = {
    protocol: "TLSv1.3",
    cipherSuite,
    group,
    peerSignatureScheme,
    alpnProtocol,
    serverName,
    authentication,
    resumed: (flags & 1) !== 0,
    pskIdentity,
    helloRetryRequest: (flags & 2) !== 0,
    delegated: (flags & 4) !== 0 || undefined,
    earlyData,
    encryptedClientHello,
    peer: reader.uint8() === 1 ? readIdentity(reader) : undefined,
    peerChain,
    peerCertificateType,
  }
  return info
}

function readIdentity(reader: Reader): PeerIdentity {
  const type = oneOf(reader, certificateTypes)
  const [chain, path] = [readChain(reader), readChain(reader)]
  const [subject = "", validUntil] = [readText(reader), readTime(reader)]
  const [scheme, delegatedUntil = 0] = [readText(reader), readTime(reader)]
  const [hasTimestamps, timestamps] = [reader.uint8() === 1, readTimestamps(reader)]
  const bits = reader.uint8()
  const unchecked = rules.filter((_, index) => (bits & (1 << index)) !== 0)
  return {
    type,
    chain,
    path,
    subject,
    ...(validUntil !== undefined && { validUntil }),
    ...(hasTimestamps && { signedCertificateTimestamps: timestamps }),
    ...(scheme !== undefined && { delegatedCredential: { scheme, validUntil: delegatedUntil } }),
    ...(unchecked.length > 0 && { unchecked }),
  }
}

function readTimestamps(reader: Reader): readonly PeerTimestamp[] {
  const list = new Reader(reader.vector24("timestamps"), "exported connection.timestamps")
  const timestamps: PeerTimestamp[] = []
  while (list.remaining > 0) {
    const [source, logId] = [oneOf(list, timestampSources), copyOf(list.vector8("log_id"))]
    const [log = "", timestamp = 0] = [readText(list), readTime(list)]
    timestamps.push({ source, logId, log, timestamp })
  }
  return timestamps
}

function readPeer(reader: Reader): SessionPeer {
  const peerChain = readChain(reader)
  const peerCertificateType = oneOf(reader, certificateTypes)
  const [peerValidUntil, pskIdentity, authenticatedAt = 0] = [readTime(reader), readBytes(reader), readTime(reader)]
  return {
    peerChain,
    authenticatedAt,
    ...(peerCertificateType !== "X509" && { peerCertificateType }),
    ...(peerValidUntil !== undefined && { peerValidUntil }),
    ...(pskIdentity !== undefined && { pskIdentity }),
  }
}

function readChain(reader: Reader): readonly Uint8Array[] {
  const list = new Reader(reader.vector24("chain"), "exported connection.chain")
  const chain: Uint8Array[] = []
  while (list.remaining > 0) chain.push(copyOf(list.vector24("certificate")))
  return chain
}

function readText(reader: Reader): string | undefined {
  const bytes = readBytes(reader)
  if (bytes === undefined) return undefined
  const text = bytesToUtf8(bytes)
  if (text === undefined) throw new HandOverError("an exported connection with a text that is not UTF-8")
  return text
}

function readBytes(reader: Reader): Uint8Array | undefined {
  return reader.uint8() === 1 ? copyOf(reader.vector24("bytes")) : undefined
}

function readTime(reader: Reader): number | undefined {
  return reader.uint8() === 1 ? readWhole(reader) : undefined
}

function readWhole(reader: Reader): number {
  const value = reader.uint24() * 2 ** 32 + reader.uint32()
  if (value > Number.MAX_SAFE_INTEGER) throw new HandOverError("an exported connection with a number beyond 2^53-1")
  return value
}

function oneOf<Value>(reader: Reader, values: readonly Value[]): Value {
  const value = values[reader.uint8()]
  if (value === undefined) throw new HandOverError("an exported connection with a value that there is none of")
  return value
}
