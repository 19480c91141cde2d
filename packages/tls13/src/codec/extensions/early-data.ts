// early_data: RFC 9846 section 4.3.10. A flag in ClientHello and EncryptedExtensions, a size in NewSessionTicket.

import { type ExtensionCodec, type ExtensionRow, flag } from "./codec.ts"

/** NewSessionTicket: `uint32 max_early_data_size`, bytes. */
const maxEarlyDataSize: ExtensionCodec<number> = {
  decode: (data) => data.uint32(),
  encode: (size, data) => data.uint32(size),
}

export const earlyData: ExtensionRow<{ CH: true; EE: true; NST: number }> = {
  type: 42,
  CH: flag,
  EE: flag,
  NST: maxEarlyDataSize,
}
