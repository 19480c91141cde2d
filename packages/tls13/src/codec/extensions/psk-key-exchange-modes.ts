// psk_key_exchange_modes: RFC 9846 section 4.3.9.

import type { ExtensionCodec } from "./codec.ts"

/** `PskKeyExchangeMode ke_modes<1..255>`. */
export const pskKeyExchangeModes: ExtensionCodec<readonly number[]> = {
  decode: (data) => [...data.vector8("ke_modes", 1)],
  encode: (modes, data) => data.vector8(Uint8Array.from(modes)),
}
