// What the handshake asks of certificates: types only, so that a client that uses none bundles none of `x509/`.

import type { AlertName } from "../bytes/alerts.ts"
import type { Pause } from "../bytes/pause.ts"
import type { PrivateKey, PublicKey } from "../crypto/keys.ts"
import type { CryptoProvider, KeyExchangeAnswer } from "../crypto/provider.ts"
import type { DelegatedSchemes, SignatureSchemeInfo } from "../crypto/signature-schemes.ts"

/** X.509 (RFC 5280), or RawPublicKey: the chain is then one SubjectPublicKeyInfo (RFC 7250). */
export type CertificateType = "X509" | "RawPublicKey"

/** What one endpoint proves itself with: a chain and the use of the leaf's private key. */
export interface Credential {
  readonly type: CertificateType
  /** DER, leaf first; for RawPublicKey one SubjectPublicKeyInfo. */
  readonly chain: readonly Uint8Array[]
  /** The leaf's key, or that of `delegated`: says which signature schemes fit. */
  readonly publicKey: PublicKey
  readonly signer: Signer
  /** Code points of the schemes that the signer makes, in its order of preference; default: all that fit the key, in the peer's. */
  readonly signatureSchemes?: readonly number[]
  /** A DER OCSPResponse to staple (RFC 6066 section 8), when there is one. */
  readonly ocspResponse?: Uint8Array
  /** A SignedCertificateTimestampList (RFC 6962 section 3.3) to pass on; anything else ends a handshake that asks for it with internal_error. */
  readonly signedCertificateTimestamps?: Uint8Array
  /** The leaf's key has delegated to the key of this credential, which is for peers alone that take such ones (RFC 9345). */
  readonly delegated?: OwnDelegation
}

/** A delegated credential to show. */
export interface OwnDelegation extends DelegatedSchemes {
  /** The DelegatedCredential (RFC 9345 section 4). */
  readonly credential: Uint8Array
  /** Milliseconds since 1970: afterwards it is no good. */
  readonly validUntil: number
}

/** Signs CertificateVerify. An HSM, a KMS or another process answers with a `Pause`. */
export interface Signer {
  sign(scheme: SignatureSchemeInfo, message: Uint8Array, provider: CryptoProvider): Uint8Array | Pause<Uint8Array>
  /**
   * A server's share of the key exchange and its signature in one: for one that is elsewhere, so that a handshake goes there
   * once. undefined: not this time; then each is asked for alone. Rejects with InvalidKeyShare for the client's fault.
   */
  respondAndSign?(scheme: SignatureSchemeInfo, flight: UnsignedFlight): Pause<SignedFlight> | undefined
}

/** What a server's signature is of, but for the server's share; views, valid during the call. */
export interface UnsignedFlight {
  /** Code points. */
  readonly suite: number
  readonly group: number
  readonly clientShare: Uint8Array
  /** The whole message. */
  readonly clientHello: Uint8Array
  /** Of ServerHello, whose extensions are key_share and supported_versions. */
  readonly random: Uint8Array
  readonly legacySessionIdEcho: Uint8Array
  /** The messages from EncryptedExtensions to Certificate. */
  readonly messages: Uint8Array
}

export interface SignedFlight extends KeyExchangeAnswer {
  readonly signature: Uint8Array
  /** Transcript-Hash(ClientHello ... Certificate): the signature is used for that one alone. */
  readonly transcriptHash: Uint8Array
}

/** A private key in memory: signs at once. */
export interface KeySigner extends Signer {
  readonly privateKey: PrivateKey
}

/** What of a peer's hello (or CertificateRequest) bears on the choice of a certificate. */
export interface CredentialRequest {
  /** server_name as an A-label without trailing dot, lower case; undefined when the client sent none or we are the client. */
  readonly serverName: string | undefined
  readonly alpnProtocols: readonly string[]
  /** signature_algorithms, in the peer's order (code points). */
  readonly signatureSchemes: readonly number[]
  /** signature_algorithms_cert; the same as `signatureSchemes` when the peer sent none (RFC 9846 section 4.3.3). */
  readonly signatureSchemesCert: readonly number[]
  /** certificate_authorities: DER distinguished names; empty when the peer sent none. */
  readonly authorities: readonly Uint8Array[]
  /** oid_filters of a CertificateRequest: what the certificate has to have. */
  readonly oidFilters?: readonly OidFilter[]
  readonly certificateTypes: readonly CertificateType[]
  /** delegated_credential: the schemes that the key of one may have; undefined: the peer takes none (RFC 9345 section 4.1). */
  readonly delegatedSchemes?: readonly number[] | undefined
  /** Milliseconds since 1970; undefined: a delegated credential is taken to be valid. */
  readonly now?: number
}

/** RFC 9846 section 4.3.5: a certificate extension that must be there. */
export interface OidFilter {
  /** DER OBJECT IDENTIFIER, 3 to 255 bytes. */
  readonly oid: Uint8Array
  /** DER of the values that it must have; empty: any. */
  readonly values: Uint8Array
}

/** No certificate fits the peer, and why. A server ends the handshake so; a client sends an empty Certificate. */
export interface NoCredential {
  /**
   * The alert: `handshake_failure` for schemes that fit no key (RFC 9846 section 4.2.1), `unsupported_certificate` when no
   * certificate type is in common (RFC 7250 section 4.2), `unrecognized_name` for a name that is not ours (RFC 6066 section 3).
   */
  readonly none: "handshake_failure" | "unsupported_certificate" | "unrecognized_name"
  /** One sentence. */
  readonly message: string
}

/** undefined: none fits, for a reason that nobody knows. */
export type CredentialChoice = Credential | NoCredential | undefined

/** Chooses the certificate. */
export interface CredentialResolver {
  resolve(request: CredentialRequest): CredentialChoice | Pause<CredentialChoice>
}

export interface CertificateVerification {
  /** Whose certificate it is: a client verifies a `server`'s. */
  readonly role: "server" | "client"
  readonly type: CertificateType
  /** DER as received, leaf first, never empty. Views that the verifier may keep. */
  readonly chain: readonly Uint8Array[]
  /** The name or IP address that the application wants to reach; undefined for clients' certificates. */
  readonly serverName: string | undefined
  readonly ocspResponse: Uint8Array | undefined
  readonly signedCertificateTimestamps: Uint8Array | undefined
  /** The DelegatedCredential of a peer that was asked for one, as received; the CertificateVerify is then by its key. */
  readonly delegatedCredential?: Uint8Array | undefined
  /** That of the peer's CertificateVerify; undefined where a session of earlier is verified anew. */
  readonly scheme?: SignatureSchemeInfo | undefined
  /** signature_algorithms as the peer was sent it: code points. */
  readonly signatureSchemes?: readonly number[] | undefined
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number
  readonly provider: CryptoProvider
}

export type CertificateVerdict =
  | {
      readonly accepted: true
      /** The key that must have made the CertificateVerify: the leaf's, or that of its delegated credential. */
      readonly publicKey: PublicKey
      /** Who the application may say it is talking to. */
      readonly identity: PeerIdentity
    }
  | {
      readonly accepted: false
      /** RFC 9846 section 6.2: bad_certificate, certificate_expired, unknown_ca ... */
      readonly alert: AlertName
      /** The rule that failed, a stable word such as `expired`. */
      readonly reason: string
      /** One sentence: what, where, and what to do. */
      readonly message: string
    }

/** What was proven of a peer. */
export interface PeerIdentity {
  readonly type: CertificateType
  /** DER as received, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** The validated path, leaf first and trust anchor last (when the anchor is a certificate); empty for raw public keys. */
  readonly path: readonly Uint8Array[]
  /** Subject of the leaf as RFC 4514 text, empty for raw public keys. */
  readonly subject: string
  /**
   * Milliseconds since 1970: when the first certificate of the path expires. A session of this peer is not resumed later
   * (RFC 9846 section 4.7.1). undefined: the verifier sets no such bound.
   */
  readonly validUntil?: number
  /** The delegated credential (RFC 9345) by whose key the peer has signed; undefined: it was the leaf's own. */
  readonly delegatedCredential?: PeerDelegation
  /** Good ones of logs that the application knows (RFC 6962); undefined: nobody has looked. */
  readonly signedCertificateTimestamps?: readonly PeerTimestamp[]
  /** Rules that the verifier was not able to check, as it does not know the time; undefined: none. */
  readonly unchecked?: readonly UncheckedRule[]
}

export interface PeerTimestamp {
  /** Where it stood: in the certificate, or beside it. */
  readonly source: "certificate" | "handshake"
  /** 32 bytes. */
  readonly logId: Uint8Array
  /** The description of the log. */
  readonly log: string
  /** Milliseconds since 1970. */
  readonly timestamp: number
}

export interface PeerDelegation {
  /** dc_cert_verify_algorithm, by its name. */
  readonly scheme: string
  /** Milliseconds since 1970: the end of its validity. */
  readonly validUntil: number
}

/**
 * `validity`: that the certificates of the path are valid already and still are (RFC 5280 section 6.1.3 (a) (2)).
 * `crl_freshness`: that the revocation lists are those of today (RFC 5280 sections 5.1.2.4 and 5.1.2.5).
 * `ocsp_freshness`: the same of the stapled OCSP response (RFC 6960 section 4.2.2.1).
 */
export type UncheckedRule = "validity" | "crl_freshness" | "ocsp_freshness"

/** Decides whether a peer's certificate is who it should be; never throws for what the peer sent. */
export interface CertificateVerifier {
  verify(certificates: CertificateVerification): CertificateVerdict | Pause<CertificateVerdict>
  /**
   * The key of the leaf, read and nothing more: the peer's CertificateVerify is checked with it before `verify` is asked, so
   * that whoever does not have the key costs one signature check and no search for paths. undefined: no key that can be used,
   * and `verify` says why. Without this function `verify` is asked first. Never throws for what the peer sent.
   */
  readonly leafKey?: (certificates: CertificateVerification) => PublicKey | undefined
  /** What it reads beside the chain, if the peer is asked for it. */
  readonly asks?: AskedOfPeer
}

export interface AskedOfPeer {
  /** Of the signature schemes on offer (code points) those that the key of a delegated credential may have; none: it is not asked for. */
  readonly delegatedSchemes?: (signatureSchemes: readonly number[]) => readonly number[]
  /** As the options `requestSignedCertificateTimestamps` do. */
  readonly signedCertificateTimestamps?: boolean
}
