// Certificate compression: RFC 8879, both ways and for both roles. The algorithms are the application's; none is built in.

import { HandshakeType } from "../bytes/code-points.ts"
import { InvalidMessage, LimitExceeded, PeerMisbehaved } from "../bytes/errors.ts"
import { atOnce } from "../bytes/pause.ts"
import { decodeCompressedCertificate, encodeCompressedCertificate } from "../codec/compressed-certificate.ts"
import { type HandshakeMessage, handshakeHeaderLength } from "../codec/message.ts"
import type { CommonSettings } from "./settings.ts"

/** compress_certificate, for ClientHello and CertificateRequest; nothing without an algorithm. */
export function compressionOffer({ certificateCompression }: CommonSettings): {
  readonly compress_certificate?: readonly number[]
} {
  if (certificateCompression.length === 0) return {}
  return { compress_certificate: certificateCompression.map(({ code }) => code) }
}

/** What a state that awaits a Certificate accepts. */
export function certificateMessages({
  certificateCompression,
}: CommonSettings): readonly ("certificate" | "compressed_certificate")[] {
  return certificateCompression.length === 0 ? ["certificate"] : ["certificate", "compressed_certificate"]
}

/** The Certificate message to send: in our best algorithm of those that the peer offered, else as it is. */
export function compressed(
  certificate: Uint8Array,
  offered: readonly number[] | undefined,
  { certificateCompression }: CommonSettings,
): { readonly name: "certificate" | "compressed_certificate"; readonly message: Uint8Array } {
  const algorithm = certificateCompression.find(({ code }) => offered?.includes(code))
  if (algorithm === undefined) return { name: "certificate", message: certificate }
  const body = certificate.subarray(handshakeHeaderLength)
  const message = encodeCompressedCertificate({
    algorithm: algorithm.code,
    uncompressedLength: body.length,
    compressed: atOnce(`compress of ${algorithm.name}`, algorithm.compress(body)),
  })
  return { name: "compressed_certificate", message }
}

/**
 * The Certificate message that a peer sent, compressed or not.
 * @throws PeerMisbehaved illegal_parameter, LimitExceeded or InvalidMessage bad_certificate
 */
export function decompressed(message: HandshakeMessage, settings: CommonSettings): HandshakeMessage {
  if (message.type !== HandshakeType.compressed_certificate) return message
  const { algorithm: code, uncompressedLength, compressed: bytes } = decodeCompressedCertificate(message)
  const algorithm = settings.certificateCompression.find((candidate) => candidate.code === code)
  // Section 4: "If the algorithm ... was not advertised ..., the connection MUST be aborted with an "illegal_parameter" alert."
  if (algorithm === undefined) {
    throw new PeerMisbehaved("illegal_parameter", `peer compressed its Certificate by ${code}, which was not offered`)
  }
  // Section 5: the memory for the plaintext is bounded before it is asked for.
  if (uncompressedLength > settings.limits.handshakeMessageSize) {
    throw new LimitExceeded(
      "bad_certificate",
      "handshakeMessageSize",
      `a Certificate of ${uncompressedLength} bytes when decompressed; ${settings.limits.handshakeMessageSize} are allowed`,
    )
  }
  const body = atOnce(`decompress of ${algorithm.name}`, algorithm.decompress(bytes, uncompressedLength))
  // Section 4: "If the received CompressedCertificate message cannot be decompressed, the connection MUST be terminated with
  // the "bad_certificate" alert", and the length must be the one that was said.
  if (body?.length !== uncompressedLength) {
    throw new InvalidMessage(
      `peer's Certificate cannot be decompressed by ${algorithm.name} to the ${uncompressedLength} bytes that it says`,
      "bad_certificate",
    )
  }
  return { type: HandshakeType.certificate, bytes: body, body }
}
