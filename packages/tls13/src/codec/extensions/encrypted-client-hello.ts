// encrypted_client_hello: RFC 9849 section 5. Here it is bytes: what they say is known to `ech/`, which not everybody carries,
// and who does not ignores them (section 7).

import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** ECHClientHello, or ECHEncryptedExtensions: an ECHConfigList. */
const contents: ExtensionCodec<Uint8Array> = {
  decode: (data) => data.rest(),
  encode: (value, data) => data.bytes(value),
}

/** ECHHelloRetryRequest: `opaque confirmation[8]`. */
const confirmation: ExtensionCodec<Uint8Array> = { ...contents, decode: (data) => data.bytes(8) }

export const encryptedClientHello: ExtensionRow<{ CH: Uint8Array; HRR: Uint8Array; EE: Uint8Array }> = {
  type: 0xfe0d,
  CH: contents,
  HRR: confirmation,
  EE: contents,
}
