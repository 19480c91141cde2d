// Takes delegated credentials of peers (RFC 9345 section 4.1.3): a verifier around another one, so that who does not take them
// carries nothing of it.

import type { SignatureSchemeName } from "../../bytes/code-points.ts"
import { InvalidMessage } from "../../bytes/errors.ts"
import { afterwards, atOnce, type Pause } from "../../bytes/pause.ts"
import { signatureScheme, signatureSchemes } from "../../crypto/signature-schemes.ts"
import { parseCertificate } from "../certificate/certificate.ts"
import { algorithmOf } from "../certificate/credential.ts"
import { askedAfterSignature } from "../certificate/leaf-key.ts"
import { attempt, type Reason, reasonAlerts, X509Error } from "../errors.ts"
import type { CertificateVerdict, CertificateVerification, CertificateVerifier } from "../interfaces.ts"
import { keyProblem } from "../keys/key-policy.ts"
import {
  credentialProblem,
  type DelegatedCredential,
  decodeDelegatedCredential,
  isDelegable,
  longestValidity,
  signedContent,
  validUntil,
} from "./credential.ts"

export interface DelegatedCredentialRules {
  /**
   * The schemes that the key of a credential may have; default: all that signatures may have in the handshake, but for those of RSA
   * keys without RSASSA-PSS, which RFC 9345 section 4 forbids.
   */
  readonly schemes?: readonly SignatureSchemeName[]
  /** Hours that a credential may still be valid, more than 0; default 168, which are the 7 days of RFC 9345 section 4.1.3. */
  readonly longestHours?: number
}

/**
 * A verifier that also takes delegated credentials: the peer is told so, and who has none signs with the key of his certificate as
 * ever. What `inner` says of the chain, of the name and of everything else holds for both.
 * @param inner one that pauses has to have `work`
 * @throws RangeError for a scheme or a number of hours that makes no sense
 */
export function acceptDelegatedCredentials(
  inner: CertificateVerifier,
  rules: DelegatedCredentialRules = {},
): CertificateVerifier {
  const verifier = askedAfterSignature(inner)
  const longest = rules.longestHours === undefined ? longestValidity : rules.longestHours * 3_600_000
  if (!(longest > 0)) throw new RangeError(`longestHours is ${rules.longestHours}; it must be more than 0`)
  const taken = schemesOf(rules.schemes)
  const delegatedSchemes = (offered: readonly number[]) => taken.filter((code) => offered.includes(code))
  return {
    asks: { ...verifier.asks, delegatedSchemes },
    leafKey(verification) {
      const { delegatedCredential } = verification
      if (delegatedCredential === undefined) return verifier.leafKey?.(verification)
      const credential = readable(delegatedCredential)
      if (credential instanceof InvalidMessage || credential.publicKey instanceof X509Error) return undefined
      if (verification.scheme?.code !== credential.scheme) return undefined
      return keyProblem(credential.publicKey) === undefined ? credential.publicKey : undefined
    },
    verify(verification) {
      const { delegatedCredential } = verification
      const verdict = verifier.verify(verification)
      if (delegatedCredential === undefined) return verdict
      return delegatedVerdict(verification, delegatedCredential, verdict, delegatedSchemes, longest)
    },
  }
}

/** Code points. */
function schemesOf(names: DelegatedCredentialRules["schemes"]): readonly number[] {
  const delegable = signatureSchemes.filter(isDelegable)
  if (names === undefined) return delegable.map(({ code }) => code)
  return names.map((name) => {
    const found = delegable.find((scheme) => scheme.name === name)
    if (found === undefined) throw new RangeError(`${name} is no scheme for delegated credentials`)
    return found.code
  })
}

function delegatedVerdict(
  verification: CertificateVerification,
  bytes: Uint8Array,
  verdict: CertificateVerdict | Pause<CertificateVerdict>,
  schemes: (offered: readonly number[]) => readonly number[],
  longest: number,
): CertificateVerdict | Pause<CertificateVerdict> {
  // "the peer validates the certificate chain ... in the same way that it is done when delegated credentials are not in use. It
  // then performs the following checks"
  return afterwards(verdict, (chain) => {
    if (!chain.accepted) return chain
    const credential = readable(bytes)
    if (credential instanceof InvalidMessage)
      return {
        accepted: false,
        alert: credential.alert ?? "decode_error",
        reason: "malformed",
        message: credential.message,
      }
    const leaf = attempt(() => parseCertificate(verification.chain[0]!))
    if (verification.type !== "X509" || leaf instanceof X509Error)
      return refusal("it came with something that is no certificate, and can delegate nothing")
    const { now, scheme, provider, role, signatureSchemes: offered = [] } = verification
    // Who does not know the time would take one that somebody has stolen long ago.
    if (chain.identity.unchecked?.includes("validity"))
      return refusal("the time is not known here, and so not whether it is valid")
    if (!schemes(offered).includes(credential.scheme) || !offered.includes(credential.algorithm))
      return refusal("it has a scheme that was not offered")
    if (credential.scheme !== scheme?.code) return refusal("the CertificateVerify is not in its scheme")
    const problem = credentialProblem(credential, leaf, now, longest)
    if (problem !== undefined || credential.publicKey instanceof X509Error) return refusal(`${problem}`)
    const content = signedContent(role, leaf.der, credential.signed)
    const { verify } = algorithmOf(signatureScheme(credential.algorithm)!, provider)
    if (!atOnce("verify of the crypto provider", verify(leaf.publicKey!, content, credential.signature)))
      return refusal("its signature is not that of the certificate's key")
    const expiry = validUntil(leaf, credential.validTime)
    const until = Math.min(chain.identity.validUntil ?? expiry, expiry)
    const delegatedCredential = { scheme: scheme.name, validUntil: expiry }
    return {
      accepted: true,
      publicKey: credential.publicKey,
      identity: { ...chain.identity, validUntil: until, delegatedCredential },
    }
  })
}

function readable(bytes: Uint8Array): DelegatedCredential | InvalidMessage {
  try {
    return decodeDelegatedCredential(bytes)
  } catch (error) {
    if (error instanceof InvalidMessage) return error
    throw error
  }
}

function refusal(problem: string): CertificateVerdict {
  const reason: Reason = "bad_delegated_credential"
  const message = `the peer's delegated credential is refused: ${problem}`
  return { accepted: false, alert: reasonAlerts[reason], reason, message }
}
