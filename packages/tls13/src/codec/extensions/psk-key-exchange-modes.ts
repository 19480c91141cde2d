// psk_key_exchange_modes: RFC 9846 section 4.3.9.

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** `PskKeyExchangeMode ke_modes<1..255>`. */
const modes: ExtensionCodec<readonly number[]> = {
  decode: (data) => [...data.vector8("ke_modes", 1)],
  encode: (modes, data) => data.vector8(Uint8Array.from(modes)),
}

export const pskKeyExchangeModes: ExtensionRow<{ CH: readonly number[] }> = {
  type: 45,
  CH: modes,
}
