// zlib for certificates: RFC 8879 section 3.

import type { CertificateCompression } from "@puremq/tls13"
import { unzlibSync, zlibSync } from "fflate"

export const zlib: CertificateCompression = {
  code: 1,
  name: "zlib",
  compress: (message) => zlibSync(message),
  decompress: (compressed, length) => {
    try {
      // A fixed buffer, with a byte that has to stay empty: what claims to be short and is long gets no memory, and is seen.
      const message = unzlibSync(compressed, { out: new Uint8Array(length + 1) })
      return message.length === length ? message : undefined
    } catch {
      return undefined
    }
  },
}
