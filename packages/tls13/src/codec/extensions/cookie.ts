// cookie: RFC 9846 section 4.3.2.

import type { ExtensionCodec } from "./codec.ts"

/** 1 to 65535 bytes. */
export const cookie: ExtensionCodec<Uint8Array> = {
  decode: (data) => data.vector16("cookie", 1),
  encode: (value, data) => data.vector16(value),
}
