// What both roles share of RFC 9846 section 4.5: Certificate and CertificateVerify, made and received.

import { copyOf } from "../bytes/copy.ts"
import { equalBytes } from "../bytes/equal.ts"
import { InvalidMessage, LimitExceeded, Misuse, messageOf, PeerMisbehaved } from "../bytes/errors.ts"
import { atOnce, type Pause } from "../bytes/pause.ts"
import { type CertificateEntry, decodeCertificateBy, encodeCertificateBy } from "../codec/certificate.ts"
import {
  certificateVerifyContent,
  decodeCertificateVerify,
  encodeCertificateVerify,
} from "../codec/certificate-verify.ts"
import { refuseUnsolicited } from "../codec/extensions/block.ts"
import type { ExtensionTable } from "../codec/extensions/codec.ts"
import { delegatedCredential } from "../codec/extensions/delegated-credential.ts"
import { expectTimestampList } from "../codec/extensions/status-request.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { PublicKey } from "../crypto/keys.ts"
import type { CryptoProvider } from "../crypto/provider.ts"
import { type SignatureSchemeInfo, schemeFitsKey, schemesTaken, signatureScheme } from "../crypto/signature-schemes.ts"
import type { CertificateType, CertificateVerifier, Credential, PeerIdentity } from "../x509/interfaces.ts"
import { type Decides, decide } from "./coroutine.ts"
import { KeyPossessionVerified, PeerIdentityAccepted, PeerSignatureVerified } from "./proofs.ts"
import type { SessionPeer } from "./session-peer.ts"
import type { CommonSettings } from "./settings.ts"

/* ---------------------------------------------------------------- ours */

/** What of a ClientHello or a CertificateRequest says which signatures the peer takes. */
export interface PeerSchemes {
  readonly signature_algorithms?: readonly number[] | undefined
  readonly delegated_credential?: readonly number[] | undefined
}

/**
 * The scheme to sign with, or undefined: one of the peer's (section 4.5.2) that fits our key, the first by the
 * credential's order, else by the peer's.
 */
export function chooseScheme(
  credential: Credential,
  { signature_algorithms = [], delegated_credential }: PeerSchemes,
  provider: CryptoProvider,
): SignatureSchemeInfo | undefined {
  const peerSchemes = schemesTaken(credential.delegated, signature_algorithms, delegated_credential)
  const wanted = credential.signatureSchemes?.filter((code) => peerSchemes.includes(code)) ?? peerSchemes
  for (const code of wanted) {
    const scheme = signatureScheme(code)
    if (scheme === undefined || !schemeFitsKey(scheme, credential.publicKey)) continue
    if (provider.signatures.some((algorithm) => algorithm.name === scheme.algorithm)) return scheme
  }
  return undefined
}

export interface AskedOfCertificate {
  readonly ocsp: boolean
  readonly signedCertificateTimestamps: boolean
}

/** Certificate; without a credential its list is empty: "a suitable certificate is not available" (section 4.5.1). */
export function certificateMessage(
  extensions: ExtensionTable,
  context: Uint8Array,
  credential: Credential | undefined,
  asked: AskedOfCertificate,
): Uint8Array {
  const entries = (credential?.chain ?? []).map((data, index) => ({
    data,
    extensions: index === 0 && credential ? leafExtensions(credential, asked) : {},
  }))
  return encodeCertificateBy(extensions, context, entries)
}

function leafExtensions(credential: Credential, asked: AskedOfCertificate): CertificateEntry["extensions"] {
  const { ocspResponse, signedCertificateTimestamps, delegated } = credential
  if (asked.signedCertificateTimestamps && signedCertificateTimestamps) checkTimestamps(signedCertificateTimestamps)
  return {
    ...(asked.ocsp && ocspResponse && { status_request: ocspResponse }),
    ...(asked.signedCertificateTimestamps &&
      signedCertificateTimestamps && { signed_certificate_timestamp: signedCertificateTimestamps }),
    // For a peer that does not take it no scheme was found.
    ...(delegated && { delegated_credential: delegated.credential }),
  }
}

/** What the peer would refuse is not sent. */
function checkTimestamps(list: Uint8Array): void {
  try {
    expectTimestampList(list)
  } catch (cause) {
    throw new Misuse(
      `signedCertificateTimestamps of the credential is no SignedCertificateTimestampList: ${messageOf(cause)}`,
    )
  }
}

/** Asks the signer for the signature over Transcript-Hash(Handshake Context, Certificate). */
export function signTranscript(
  credential: Credential,
  scheme: SignatureSchemeInfo,
  signer: "client" | "server",
  transcriptHash: Uint8Array,
  provider: CryptoProvider,
): Uint8Array | Pause<Uint8Array> {
  return credential.signer.sign(scheme, certificateVerifyContent(signer, transcriptHash), provider)
}

export function certificateVerifyMessage(scheme: SignatureSchemeInfo, signature: Uint8Array): Uint8Array {
  return encodeCertificateVerify({ algorithm: scheme.code, signature })
}

/* ---------------------------------------------------------------- the peer's */

/** A peer's Certificate, read but not verified. */
export interface PeerCertificate {
  readonly type: CertificateType
  /** Leaf first; empty when a client has none. */
  readonly chain: readonly Uint8Array[]
  readonly ocspResponse: Uint8Array | undefined
  readonly signedCertificateTimestamps: Uint8Array | undefined
  readonly delegatedCredential: Uint8Array | undefined
}

/**
 * @param extensions those that we know
 * @param message Certificate, decompressed
 * @param requested the extension types that we asked for: those of our ClientHello or CertificateRequest
 * @throws InvalidMessage, PeerMisbehaved unsupported_extension or unexpected_message, LimitExceeded
 */
export function readCertificate(
  extensions: ExtensionTable,
  message: HandshakeMessage,
  context: Uint8Array,
  type: CertificateType,
  requested: readonly number[],
  settings: CommonSettings,
): PeerCertificate {
  const { certificateRequestContext, certificateList } = decodeCertificateBy(extensions, message)
  if (!equalBytes(certificateRequestContext, context)) {
    throw new InvalidMessage("certificate_request_context of Certificate is not the requested one", "illegal_parameter")
  }
  for (const { extensions } of certificateList) {
    // RFC 9345 sections 4.1.1 and 4.1.2 name another alert than section 4.3 does for what was not asked for.
    if (extensions.delegated_credential && !requested.includes(delegatedCredential.type))
      throw new PeerMisbehaved("unexpected_message", "Certificate has a delegated_credential, which was not asked for")
  }
  for (const entry of certificateList) refuseUnsolicited(entry.extensionTypes, requested, "Certificate")
  if (certificateList.length > settings.limits.chainLength) {
    throw new LimitExceeded(
      "bad_certificate",
      "chainLength",
      `peer's chain has ${certificateList.length} certificates; the limit is ${settings.limits.chainLength}`,
    )
  }
  if (type === "RawPublicKey" && certificateList.length > 1) {
    throw new InvalidMessage("Certificate has more than one raw public key (RFC 7250 section 4)", "illegal_parameter")
  }
  const leaf = certificateList[0]
  return {
    type,
    // Copies: the message's buffer is not kept alive by a chain that the application remembers.
    chain: certificateList.map((entry) => copyOf(entry.data)),
    ocspResponse: copied(leaf?.extensions.status_request),
    signedCertificateTimestamps: copied(leaf?.extensions.signed_certificate_timestamp),
    // RFC 9345 section 4.1: those of other certificates are not used, and may be ignored.
    delegatedCredential: copied(leaf?.extensions.delegated_credential),
  }
}

/** A CertificateVerify in a scheme that we offered; whose it is, and whether it is right, is not known yet. */
export interface PeerSignature {
  readonly signer: "client" | "server"
  readonly scheme: SignatureSchemeInfo
  readonly signature: Uint8Array
}

/**
 * Reads CertificateVerify.
 * @param allowedSchemes what we offered in signature_algorithms; the schemes of delegated credentials are among them
 * @throws PeerMisbehaved illegal_parameter (section 4.5.2)
 */
export function readCertificateVerify(
  message: HandshakeMessage,
  signer: "client" | "server",
  allowedSchemes: readonly number[],
): PeerSignature {
  const verify = decodeCertificateVerify(message)
  const scheme = signatureScheme(verify.algorithm)
  if (scheme === undefined || !allowedSchemes.includes(verify.algorithm)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `${signer}'s CertificateVerify uses the scheme 0x${verify.algorithm.toString(16).padStart(4, "0")}, which was not offered`,
    )
  }
  return { signer, scheme, signature: verify.signature }
}

/** Whose certificates are verified, by whom and as what. */
export interface Authentication {
  readonly verifier: CertificateVerifier
  readonly serverName: string | undefined
  readonly now: number
  readonly provider: CryptoProvider
  /** signature_algorithms as the peer was sent it. */
  readonly signatureSchemes: readonly number[]
}

/** Asks a verifier about the certificates of an earlier connection, which has shown that the peer has their key. undefined: refused. */
export function* verifyStoredChain(
  { verifier, ...asked }: Omit<Authentication, "signatureSchemes">,
  role: "server" | "client",
  { peerChain, peerCertificateType = "X509", peerValidUntil }: SessionPeer,
): Decides<PeerIdentity | undefined> {
  const certificate = {
    type: peerCertificateType,
    chain: peerChain,
    ocspResponse: undefined,
    signedCertificateTimestamps: undefined,
  }
  const verdict = yield* decide("VerifyPeer", verifier.verify({ role, ...certificate, ...asked }))
  if (!verdict.accepted) return undefined
  const { identity } = verdict
  // A delegated credential is not there to be verified anew: its end stays the bound (RFC 9345 section 7.4).
  const validUntil = peerValidUntil && Math.min(peerValidUntil, identity.validUntil ?? peerValidUntil)
  return validUntil === undefined ? identity : { ...identity, validUntil }
}

/**
 * Sections 4.5.1 and 4.5.2: first that the peer has the key that it shows, which is one signature check, then whose key that
 * is. So a search for paths, an application's own verifier and what it remembers are only reached by who can sign. Where both
 * are wrong, the signature is what the alert speaks of, unless the leaf has no key that can be used.
 * @throws CertificateRejected, PeerMisbehaved
 */
export function* authenticatePeer(
  { verifier, ...asked }: Authentication,
  certificate: PeerCertificate,
  { signer, scheme, signature }: PeerSignature,
  transcriptHash: Uint8Array,
): Decides<PeerSignatureVerified> {
  const { provider } = asked
  const verification = { role: signer, ...certificate, ...asked, scheme }
  const possession = (key: PublicKey): Decides<KeyPossessionVerified> =>
    KeyPossessionVerified.check(provider, key, signer, scheme, transcriptHash, signature)
  const shown = atOnce("verifier.leafKey", verifier.leafKey?.(verification))
  const first = shown && (yield* possession(shown))
  const verdict = yield* decide("VerifyPeer", verifier.verify(verification))
  const accepted = PeerIdentityAccepted.from(verdict, certificate.chain)
  // A verifier may know another key for this peer than the one it read, or have read none.
  const verified =
    (first && PeerSignatureVerified.of(accepted, first)) ??
    PeerSignatureVerified.of(accepted, yield* possession(accepted.publicKey))
  return verified!
}

function copied(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && copyOf(bytes)
}
