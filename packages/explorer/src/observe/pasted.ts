// What people paste: a ClientHello or any record or handshake message in hexadecimal, as tools print it, or a trace of RFC 8448.

import { fromHex } from "@puremq/tls13/explore"
import { digitsOf, openSslMessages, type ToldMessage } from "./hex-text.ts"
import type { Chunk } from "./observer.ts"
import { type PastedTrace, readRfc8448 } from "./rfc8448.ts"
import { nothingKnown } from "./secrets.ts"

/** A sentence for the person who pasted what cannot be read. */
export class NotReadable extends Error {
  override readonly name = "NotReadable"
}

/** @throws NotReadable, saying what was expected */
export function readPasted(text: string): PastedTrace {
  if (/\{(client|server)\}/.test(text)) {
    const trace = readRfc8448(text)
    if (trace !== undefined) return trace
    throw new NotReadable(
      'these are steps of RFC 8448 without a "complete record" in them: paste a whole section, 3 to 7',
    )
  }
  const told = openSslMessages(text)
  if (told !== undefined) {
    if (told.length > 0) return { chunks: toldByOpenSsl(told), known: nothingKnown }
    throw new NotReadable("these are lines of openssl -msg without a ClientHello in them")
  }
  const bytes = bytesOf(text)
  const [type = 0, major = 0] = bytes
  if (type >= 20 && type <= 23 && major === 3) {
    const wanted = bytes.length < 5 ? 5 : 5 + ((bytes[3]! << 8) | bytes[4]!)
    if (bytes.length >= wanted) return { chunks: [chunk(bytes)], known: nothingKnown }
    throw new NotReadable(`the first record is cut short: ${wanted} bytes belong to it, and ${bytes.length} are there`)
  }
  // A handshake message without its record: put into records, as it may be longer than one.
  const length = bytes.length < 4 ? -1 : (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!
  if (length !== bytes.length - 4) {
    throw new NotReadable(
      `${bytes.length} bytes that are neither TLS records (they begin with 14, 15, 16 or 17, then 03) nor one whole handshake message (type, then three bytes of length)`,
    )
  }
  return { chunks: [chunk(inRecords(bytes))], known: nothingKnown }
}

/** @throws NotReadable */
function bytesOf(text: string): Uint8Array {
  if (/^\*\s*$/m.test(text)) {
    throw new NotReadable("a line of it is *, which stands for lines that are left out: print all, as hexdump -v does")
  }
  return bytesOfDigits(digitsOf(text))
}

function bytesOfDigits(hex: string): Uint8Array {
  if (hex === "") throw new NotReadable("there is nothing in it: paste hexadecimal, such as 16 03 01 00 c8 01 ...")
  const wrong = /[^0-9a-fA-F]/.exec(hex)
  if (wrong) throw new NotReadable(`${JSON.stringify(wrong[0])} is no hexadecimal digit`)
  if (hex.length % 2 !== 0)
    throw new NotReadable(`${hex.length} hexadecimal digits: two make a byte, so one is missing`)
  return fromHex(hex)
}

/** The hellos that `openssl s_client -msg` or `s_server -msg` shows: whose text it is tells who speaks first. */
function toldByOpenSsl(messages: readonly ToldMessage[]): readonly Chunk[] {
  const isClients = messages[0]?.isSent === true
  return messages.map(({ isSent, bytes }) => ({
    from: isSent === isClients ? "client" : "server",
    bytes: inRecords(bytesOfDigits(bytes)),
  }))
}

/** From whom it is shows in the message's type: a ServerHello's sender is the server. */
function chunk(bytes: Uint8Array): Chunk {
  const isServers = bytes[0] === 22 && [2, 4, 8, 13].includes(bytes[5]!)
  return { from: isServers ? "server" : "client", bytes }
}

const longestContent = 2 ** 14

function inRecords(message: Uint8Array): Uint8Array {
  const count = Math.ceil(message.length / longestContent)
  const out = new Uint8Array(message.length + 5 * count)
  for (let index = 0; index < count; index++) {
    const part = message.subarray(index * longestContent, (index + 1) * longestContent)
    const at = index * (longestContent + 5)
    out.set([22, 3, 3, part.length >>> 8, part.length & 0xff], at)
    out.set(part, at + 5)
  }
  return out
}
