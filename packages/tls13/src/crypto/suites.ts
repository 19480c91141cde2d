import { CipherSuite, type CipherSuiteName } from "../bytes/code-points.ts"
import type { Aead, CipherSuiteAlgorithms, Hash } from "./provider.ts"

/** Records that one AES-GCM key may seal: 2^24.5 (RFC 9846 section 5.5). */
export const AES_GCM_CONFIDENTIALITY_LIMIT = 23_726_566

/** ChaCha20-Poly1305 outlasts any connection (RFC 9846 section 5.5); what is left is how far a number counts exactly. */
export const CHACHA20_POLY1305_CONFIDENTIALITY_LIMIT: number = 2 ** 53 - 1

/** A row of RFC 9846 appendix B.4. */
export function cipherSuite(name: CipherSuiteName, aead: Aead, hash: Hash): CipherSuiteAlgorithms {
  return { code: CipherSuite[name], name, aead, hash }
}
