// compress_certificate: RFC 8879 section 3.

import { InvalidMessage } from "../../bytes/errors.ts"
import type { ExtensionCodec, ExtensionRow } from "./codec.ts"

/** `CertificateCompressionAlgorithm algorithms<2..2^8-2>`: zlib(1), brotli(2), zstd(3). */
const algorithms: ExtensionCodec<readonly number[]> = {
  decode(data) {
    const algorithms = data.uint16ShortList("algorithms", 2, 254)
    if (new Set(algorithms).size !== algorithms.length) {
      throw new InvalidMessage("compress_certificate names an algorithm twice", "illegal_parameter")
    }
    return algorithms
  },
  encode: (algorithms, data) =>
    data.vector8((list) => {
      for (const algorithm of algorithms) list.uint16(algorithm)
    }),
}

export const compressCertificate: ExtensionRow<{ CH: readonly number[]; CR: readonly number[] }> = {
  type: 27,
  CH: algorithms,
  CR: algorithms,
}
