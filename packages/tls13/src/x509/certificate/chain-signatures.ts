// RFC 9846 sections 4.3.3 and 4.5.1.2: what the certificates of one's own chain are signed with, as far as a peer has to
// check it. Self-signed certificates do not count: "they begin the certification path and so are not validated".

import { signatureScheme } from "../../crypto/signature-schemes.ts"
import type { Credential } from "../interfaces.ts"
import type { SignatureIdentifier } from "../keys/algorithm.ts"
import { isSelfIssued, parseCertificate } from "./certificate.ts"

export function chainSignatures(credential: Credential): readonly SignatureIdentifier[] {
  if (credential.type !== "X509") return []
  return credential.chain
    .map((der) => parseCertificate(der))
    .filter((certificate) => !isSelfIssued(certificate))
    .map(({ signatureAlgorithm }) => signatureAlgorithm)
}

/** Whether every certificate is "signed by a signature algorithm advertised by the peer". @param schemes code points */
export function isAdvertised(signatures: readonly SignatureIdentifier[], schemes: readonly number[]): boolean {
  // ECDSA in a certificate does not say the curve, which the issuer's key has.
  const isOf = (code: number, algorithm: string) =>
    signatureScheme(code)?.algorithm.replace("brainpool_", "") === algorithm
  return signatures.every(({ algorithm }) => algorithm !== undefined && schemes.some((code) => isOf(code, algorithm)))
}

/**
 * Whether a chain may be shown to a peer that did not advertise its signatures: it "MUST NOT use the deprecated SHA-1 hash,
 * unless the client specifically advertises that it is willing to accept SHA-1". MD5 may never be shown.
 */
export function isPresentable(signatures: readonly SignatureIdentifier[], schemes: readonly number[]): boolean {
  return signatures.every(({ problem, label }) => {
    if (problem !== "weak_signature") return true
    return (
      (label.startsWith("sha1With") && schemes.includes(rsaSha1)) ||
      (label === "ecdsa-with-SHA1" && schemes.includes(ecdsaSha1))
    )
  })
}

/** rsa_pkcs1_sha1 and ecdsa_sha1: known here, and nowhere else, as what others may accept. */
const rsaSha1 = 0x0201
const ecdsaSha1 = 0x0203
