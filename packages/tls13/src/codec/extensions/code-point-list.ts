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
export const signatureSchemeList: ExtensionCodec<readonly number[]> = codePointList("supported_signature_algorithms")

export const supportedGroups: ExtensionRow<{ CH: readonly number[]; EE: readonly number[] }> = {
  type: 10,
  CH: groups,
  EE: groups,
}

export const signatureAlgorithms: ExtensionRow<{ CH: readonly number[]; CR: readonly number[] }> = {
  type: 13,
  CH: signatureSchemeList,
  CR: signatureSchemeList,
}

export const signatureAlgorithmsCert: ExtensionRow<{ CH: readonly number[]; CR: readonly number[] }> = {
  type: 50,
  CH: signatureSchemeList,
  CR: signatureSchemeList,
}
