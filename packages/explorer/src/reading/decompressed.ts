// What is inside of a CompressedCertificate: RFC 8879 section 4.

import { decodeCompressedCertificate, handshakeMessage } from "@puremq/tls13/explore"
import { zlib } from "../run/zlib.ts"

/** Bytes that are unpacked at most: a chain that somebody brings may claim 16 MB. */
const longest = 2 ** 20

/** The Certificate message, with a header of its own; undefined: it is no zlib, not what it says, or longer than 1 MiB. */
export function decompressedCertificate(message: Uint8Array): Uint8Array | undefined {
  let body: Uint8Array | undefined
  try {
    const { algorithm, uncompressedLength, compressed } = decodeCompressedCertificate(handshakeMessage(message))
    if (algorithm !== zlib.code || uncompressedLength > longest) return undefined
    body = zlib.decompress(compressed, uncompressedLength)
  } catch {
    return undefined
  }
  if (body === undefined) return undefined
  const { length } = body
  return Uint8Array.of(certificate, length >>> 16, (length >>> 8) & 0xff, length & 0xff, ...body)
}

/** HandshakeType. */
const certificate = 11
