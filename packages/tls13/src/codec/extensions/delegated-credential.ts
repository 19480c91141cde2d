// delegated_credential: RFC 9345 section 4.1. Asked for in ClientHello or CertificateRequest by the schemes that the key of such a
// credential may have, answered in the first CertificateEntry. The credential itself is bytes here: what they say is known to
// `x509/delegated/`, which not everybody carries.

import { signatureSchemeList } from "./code-point-list.ts"
import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** A DelegatedCredential. */
const credential: ExtensionCodec<Uint8Array> = {
  decode: (data) => data.rest(),
  encode: (value, data) => data.bytes(value),
}

export const delegatedCredential: ExtensionRow<{ CH: readonly number[]; CT: Uint8Array; CR: readonly number[] }> = {
  type: 34,
  CH: signatureSchemeList,
  CT: credential,
  CR: signatureSchemeList,
}
