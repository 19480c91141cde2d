// CertificateVerify: RFC 9846 section 4.5.2.

import { concatBytes } from "../bytes/concat.ts"
import { asciiToBytes } from "../bytes/text.ts"
import type { Writer } from "../bytes/writer.ts"
import { decodeBody, encodeHandshake, type HandshakeMessage } from "./message.ts"

export interface CertificateVerify {
  readonly algorithm: number
  readonly signature: Uint8Array
}

export function encodeCertificateVerify(verify: CertificateVerify): Uint8Array {
  const body = (writer: Writer) => writer.uint16(verify.algorithm).vector16(verify.signature)
  return encodeHandshake("certificate_verify", body, 8 + verify.signature.length)
}

export function decodeCertificateVerify(message: HandshakeMessage): CertificateVerify {
  return decodeBody(message, "CertificateVerify", (reader) => ({
    algorithm: reader.uint16(),
    signature: reader.vector16("signature"),
  }))
}

/** The bytes that are signed: 64 octets of 0x20, the context string, a zero octet, Transcript-Hash(Handshake Context, Certificate). */
export function certificateVerifyContent(signer: "client" | "server", transcriptHash: Uint8Array): Uint8Array {
  const context = asciiToBytes(`TLS 1.3, ${signer} CertificateVerify`)
  return concatBytes(new Uint8Array(64).fill(0x20), context, new Uint8Array(1), transcriptHash)
}
