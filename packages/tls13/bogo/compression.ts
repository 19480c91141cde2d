// The algorithms of BoringSSL's test of certificate compression (RFC 8879), which are none: what they do is easy to see.

import { concatBytes } from "../src/bytes/concat.ts"
import type { CertificateCompression } from "../src/handshake/options.ts"
import type { ConnectionFlags } from "./flags.ts"

const expandingPrefix = Uint8Array.of(1, 2, 3, 4)

const expanding: CertificateCompression = {
  code: 0xff02,
  name: "expanding",
  compress: (message) => concatBytes(expandingPrefix, message),
  decompress: (compressed) =>
    expandingPrefix.every((octet, index) => compressed[index] === octet) ? compressed.slice(4) : undefined,
}

/** Leaves out the first two octets of a Certificate, which are zeros. */
const shrinking: CertificateCompression = {
  code: 0xff01,
  name: "shrinking",
  compress: (message) => message.slice(2),
  decompress: (compressed) => concatBytes(new Uint8Array(2), compressed),
}

const random: CertificateCompression = {
  code: 0xff03,
  name: "random",
  compress: (message) => concatBytes(crypto.getRandomValues(new Uint8Array(1)), message),
  decompress: (compressed) => compressed.slice(1),
}

export function compressions(flags: ConnectionFlags): readonly CertificateCompression[] {
  const all = [expanding, shrinking, random]
  if (flags.has("-install-cert-compression-algs")) return all
  return all.filter(({ code }) => code === flags.number("-install-one-cert-compression-alg"))
}
