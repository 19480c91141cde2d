// CompressedCertificate: RFC 8879 section 4.

import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface CompressedCertificate {
  /** CertificateCompressionAlgorithm: zlib(1), brotli(2), zstd(3). */
  readonly algorithm: number
  /** Bytes of the Certificate message without its header, 0 to 2^24-1: what the sender says, not yet believed. */
  readonly uncompressedLength: number
  /** 1 to 2^24-1 bytes. */
  readonly compressed: Uint8Array
}

export function encodeCompressedCertificate(certificate: CompressedCertificate): Uint8Array {
  return encodeHandshake("compressed_certificate", (writer) => {
    writer.uint16(certificate.algorithm).uint24(certificate.uncompressedLength).vector24(certificate.compressed)
  })
}

export function decodeCompressedCertificate(message: HandshakeMessage): CompressedCertificate {
  return decodeBody(message, "CompressedCertificate", (reader) => ({
    algorithm: reader.uint16(),
    uncompressedLength: reader.uint24(),
    compressed: reader.vector24("compressed_certificate_message", 1),
  }))
}
