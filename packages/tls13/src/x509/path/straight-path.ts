// The signatures of the path that most chains are: each certificate by the next one that has its issuer's name, up to an anchor.
// A guess, from which nothing is concluded: the search of path.ts decides, and finds that these were checked already.

import { equalBytes } from "../../bytes/equal.ts"
import type { PublicKey } from "../../crypto/keys.ts"
import type { CryptoProvider, SignatureAlgorithmName } from "../../crypto/provider.ts"
import { type Certificate, parseCertificate } from "../certificate/certificate.ts"
import { attempt, isReadable } from "../errors.ts"
import { algorithmOf, keyProblem, signatureProblem } from "../keys/key-policy.ts"
import type { DistinguishedName } from "../names/distinguished-name.ts"
import type { TrustStore } from "./trust.ts"

/** What one call of a provider's `verify` is asked. */
export interface SignatureCheck {
  readonly algorithm: SignatureAlgorithmName
  readonly key: PublicKey
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

/** Longer chains are no usual ones. */
const mostCertificates = 8

/**
 * From the anchor down, as path.ts checks them: where one is wrong, those below it are of keys that nobody vouches for. None where
 * there is no such path, or it has what no verifier accepts. Never throws for what the peer sent.
 * @param chain DER, leaf first
 */
export function straightSignatures(
  chain: readonly Uint8Array[],
  trust: TrustStore,
  provider: CryptoProvider,
): readonly SignatureCheck[] {
  if (chain.length > mostCertificates) return []
  const certificates = chain.map((der) => attempt(() => parseCertificate(der))).filter(isReadable)
  const [leaf] = certificates
  if (leaf === undefined || certificates.length < chain.length || trust.of(leaf) !== undefined) return []
  let last: Certificate = leaf
  const left = new Set(certificates.slice(1))
  const checks: SignatureCheck[] = []
  for (;;) {
    const issuer: DistinguishedName = last.issuer
    const anchor: Certificate | undefined = trust.exact(issuer)[0]?.certificate
    const above: Certificate | undefined =
      anchor ?? [...left].find(({ subject }) => equalBytes(subject.der, issuer.der))
    const check = above && checkOf(last, above, provider)
    if (above === undefined || check === undefined) return []
    checks.unshift(check)
    if (anchor !== undefined) return checks
    left.delete(above)
    last = above
  }
}

function checkOf(
  { signatureAlgorithm, tbs, signature }: Certificate,
  { publicKey: key }: Certificate,
  provider: CryptoProvider,
): SignatureCheck | undefined {
  if (key === undefined || keyProblem(key) !== undefined) return undefined
  if (signatureProblem(signatureAlgorithm, key, provider) !== undefined) return undefined
  const algorithm = algorithmOf(signatureAlgorithm, key, provider)?.name
  return algorithm && { algorithm, key, message: tbs, signature }
}
