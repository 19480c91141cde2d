// supported_versions: RFC 9846 section 4.3.1.

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** ClientHello: `ProtocolVersion versions<2..254>`, in order of preference. */
const versions: ExtensionCodec<readonly number[]> = {
  decode: (data) => data.uint16ShortList("versions", 2, 254),
  encode: (versions, data) =>
    data.vector8((list) => {
      for (const version of versions) list.uint16(version)
    }),
}

/** ServerHello and HelloRetryRequest: `ProtocolVersion selected_version`. */
const selectedVersion: ExtensionCodec<number> = {
  decode: (data) => data.uint16(),
  encode: (version, data) => data.uint16(version),
}

export const supportedVersions: ExtensionRow<{ CH: readonly number[]; SH: number; HRR: number }> = {
  type: 43,
  CH: versions,
  SH: selectedVersion,
  HRR: selectedVersion,
}
