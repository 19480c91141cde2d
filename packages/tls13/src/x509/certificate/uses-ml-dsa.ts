import { attempt, isReadable } from "../errors.ts"
import { parseCertificates } from "./certificate.ts"

/**
 * Whether a certificate of a PEM or DER source has a key or a signature of ML-DSA: whether to load what computes it. False for
 * what cannot be read, which somebody else will say.
 */
export function usesMlDsa(source: string | Uint8Array): boolean {
  const certificates = attempt(() => parseCertificates(source))
  if (!isReadable(certificates)) return false
  return certificates.some(
    ({ publicKey, signatureAlgorithm }) =>
      publicKey?.type.startsWith("ml-dsa") || signatureAlgorithm.algorithm?.startsWith("mldsa"),
  )
}
