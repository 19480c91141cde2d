// early_data: RFC 9846 section 4.3.10. A flag in ClientHello and EncryptedExtensions, a size in NewSessionTicket.

import type { ExtensionCodec } from "./codec.ts"

/** NewSessionTicket: `uint32 max_early_data_size`, bytes. */
export const maxEarlyDataSize: ExtensionCodec<number> = {
  decode: (data) => data.uint32(),
  encode: (size, data) => data.uint32(size),
}
