// cookie: RFC 9846 section 4.3.2.

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** 1 to 65535 bytes. */
const bytes: ExtensionCodec<Uint8Array> = {
  decode: (data) => data.vector16("cookie", 1),
  encode: (value, data) => data.vector16(value),
}

export const cookie: ExtensionRow<{ CH: Uint8Array; HRR: Uint8Array }> = {
  type: 44,
  CH: bytes,
  HRR: bytes,
}
