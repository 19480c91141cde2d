// The extensions that are a list of two-byte code points in order of preference:
// supported_groups (RFC 9846 section 4.3.7), signature_algorithms and signature_algorithms_cert (section 4.3.3).

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

function codePointList(field: string): ExtensionCodec<readonly number[]> {
  return {
    decode: (data) => data.uint16List(field, 2, 0xfffe),
    encode: (codes, data) =>
      data.vector16((list) => {
        for (const code of codes) list.uint16(code)
      }),
  }
}

/** `NamedGroup named_group_list<2..2^16-1>`. */
const groups: ExtensionCodec<readonly number[]> = codePointList("named_group_list")

/** `SignatureScheme supported_signature_algorithms<2..2^16-2>`. */
const schemes: ExtensionCodec<readonly number[]> = codePointList("supported_signature_algorithms")

declare module "./messages.ts" {
  interface ClientHelloExtensions {
    readonly supported_groups?: readonly number[]
    readonly signature_algorithms?: readonly number[]
    readonly signature_algorithms_cert?: readonly number[]
  }
  interface EncryptedExtensionsExtensions {
    readonly supported_groups?: readonly number[]
  }
  interface CertificateRequestExtensions {
    readonly signature_algorithms?: readonly number[]
    readonly signature_algorithms_cert?: readonly number[]
  }
}

export const supportedGroups: ExtensionRow<"supported_groups"> = {
  type: 10,
  CH: groups,
  EE: groups,
}

export const signatureAlgorithms: ExtensionRow<"signature_algorithms"> = {
  type: 13,
  CH: schemes,
  CR: schemes,
}

export const signatureAlgorithmsCert: ExtensionRow<"signature_algorithms_cert"> = {
  type: 50,
  CH: schemes,
  CR: schemes,
}
