// record_size_limit: RFC 8449 section 4.

import { InvalidMessage } from "../../bytes/errors.ts"
import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** Bytes of a record's inner plaintext (content, type and padding) that the sender is willing to receive: 64 to 2^14+1 in TLS 1.3. */
const limit: ExtensionCodec<number> = {
  decode(data) {
    const limit = data.uint16()
    // RFC 8449 section 4: "Endpoints MUST NOT send ... a value smaller than 64 ... MUST treat receipt of a smaller value as a fatal error".
    if (limit < 64) throw new InvalidMessage(`record_size_limit is ${limit}; the least is 64`, "illegal_parameter")
    return limit
  },
  encode: (limit, data) => data.uint16(limit),
}

export const recordSizeLimit: ExtensionRow<{ CH: number; EE: number }> = {
  type: 28,
  CH: limit,
  EE: limit,
}
