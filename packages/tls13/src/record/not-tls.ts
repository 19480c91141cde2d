// A first record that is plainly something else. Nothing of it is parsed: this only finds the words for the error, since
// the wrong port or a missing "tls" in a configuration is the most usual cause.
// RFC 9846 appendix E.5: an SSL version 2.0 compatible CLIENT-HELLO is not accepted.

import { PeerIncompatible, PeerMisbehaved, type TlsError } from "../bytes/errors.ts"
import { bytesToLatin1 } from "../bytes/text.ts"

const openings: readonly (readonly [opening: string, protocol: string])[] = [
  ["GET ", "plain HTTP"],
  ["POST ", "plain HTTP"],
  ["HEAD ", "plain HTTP"],
  ["PUT ", "plain HTTP"],
  ["PATCH", "plain HTTP"],
  ["DELET", "plain HTTP"],
  ["OPTIO", "plain HTTP"],
  ["TRACE", "plain HTTP"],
  ["CONNE", "plain HTTP"],
  ["PRI *", "plain HTTP/2"],
  ["HTTP/", "plain HTTP"],
  ["SSH-", "SSH"],
  ["220 ", "plain SMTP or FTP"],
  ["PROXY", "the PROXY protocol"],
]

/** The error for a first record whose type is unknown. @param header its first five bytes */
export function notTls(header: Uint8Array): TlsError {
  // MQTT CONNECT: 0x10, a Remaining Length of one or two bytes here, then the length of the protocol name, 00 04.
  const oneByte = header[2] === 0 && (header[3] === 4 || header[3] === 6)
  const twoBytes = header[1]! >= 0x80 && header[3] === 0 && (header[4] === 4 || header[4] === 6)
  if (header[0] === 0x10 && (oneByte || twoBytes)) return speaks("plain MQTT")

  // SSL 2.0: a two-byte length with the high bit set, CLIENT-HELLO (1), then the version.
  if (header[0]! >= 0x80 && header[2] === 1 && (header[3] === 0 || header[3] === 2 || header[3] === 3)) {
    return new PeerIncompatible("protocol_version", "peer sent an SSL 2.0 CLIENT-HELLO: it needs TLS 1.3")
  }

  const text = bytesToLatin1(header)
  for (const [opening, protocol] of openings) if (text.startsWith(opening)) return speaks(protocol)
  return doesNotSpeakTls(header[0]!)
}

export function doesNotSpeakTls(firstByte: number): TlsError {
  return new PeerMisbehaved("unexpected_message", `peer does not speak TLS: its first byte is ${hexByte(firstByte)}`)
}

function speaks(protocol: string): TlsError {
  return new PeerMisbehaved("unexpected_message", `peer speaks ${protocol}, not TLS`)
}

function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`
}
