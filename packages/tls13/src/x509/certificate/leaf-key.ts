// The key of a peer's leaf, before anything is believed of it: what its CertificateVerify is checked with first.

import type { PublicKey } from "../../crypto/keys.ts"
import { attempt, X509Error } from "../errors.ts"
import type { CertificateVerification, CertificateVerifier } from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import { parseSpki } from "../keys/spki.ts"
import { parseCertificate } from "./certificate.ts"

/**
 * The key of the first certificate (or the raw public key); undefined when it cannot be read, or is one that no verifier of
 * ours takes, such as RSA of more than 8192 bits. Never throws for what the bytes are.
 */
export function readLeafKey({
  chain: [leaf],
  type,
}: Pick<CertificateVerification, "chain" | "type">): PublicKey | undefined {
  if (leaf === undefined) return undefined
  const key = attempt(() => (type === "RawPublicKey" ? parseSpki(leaf) : parseCertificate(leaf).publicKey))
  if (key === undefined || key instanceof X509Error) return undefined
  return keyProblem(key) === undefined ? key : undefined
}

/** An application's verifier, asked only about peers that can sign with their leaf's key. */
export function askedAfterSignature(verifier: CertificateVerifier): CertificateVerifier {
  if (verifier.leafKey !== undefined) return verifier
  const { asks } = verifier
  return { verify: (verification) => verifier.verify(verification), leafKey: readLeafKey, ...(asks && { asks }) }
}
