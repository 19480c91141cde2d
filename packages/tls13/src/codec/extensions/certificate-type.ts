// client_certificate_type and server_certificate_type: RFC 7250 section 3.

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** The registry's numbers of the two types that TLS 1.3 uses. */
export const CertificateTypeCode = { X509: 0, RawPublicKey: 2 } as const

/** ClientHello: `CertificateType types<1..2^8-1>`, in order of preference. */
const certificateTypes: ExtensionCodec<readonly number[]> = {
  decode: (data) => [...data.vector8("certificate_types", 1)],
  encode: (types, data) => data.vector8(Uint8Array.from(types)),
}

/** EncryptedExtensions: the one chosen. */
const certificateType: ExtensionCodec<number> = {
  decode: (data) => data.uint8(),
  encode: (type, data) => data.uint8(type),
}

export const clientCertificateType: ExtensionRow<{ CH: readonly number[]; EE: number }> = {
  type: 19,
  CH: certificateTypes,
  EE: certificateType,
}

export const serverCertificateType: ExtensionRow<{ CH: readonly number[]; EE: number }> = {
  type: 20,
  CH: certificateTypes,
  EE: certificateType,
}
