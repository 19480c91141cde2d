// Proof values. Each class has one place that makes its values, the one that does the check: its constructor is private
// and `#` fields cannot be faked, so a path that leaves a check out has nothing to hand to CONNECTED and does not compile.

import { CertificateRejected, PeerMisbehaved } from "../bytes/errors.ts"
import { atOnce } from "../bytes/pause.ts"
import { certificateVerifyContent } from "../codec/certificate-verify.ts"
import { type PublicKey, samePublicKey } from "../crypto/keys.ts"
import type { CryptoProvider, Hash } from "../crypto/provider.ts"
import { type SignatureSchemeInfo, schemeFitsKey } from "../crypto/signature-schemes.ts"
import type { HandshakeJoiner } from "../record/handshake-joiner.ts"
import { verifyFinished } from "../schedule/traffic.ts"
import type { CertificateVerdict, PeerIdentity } from "../x509/interfaces.ts"
import { type Decides, decide } from "./coroutine.ts"

/** No handshake byte is left in the record in which the keys change. */
export class AtRecordBoundary {
  readonly #proof = true

  private constructor() {}

  /** RFC 9846 section 5.1: "Implementations MUST verify that all messages immediately preceding a key change align with a record boundary; if not, then they MUST terminate the connection with an "unexpected_message" alert." */
  static check(joiner: HandshakeJoiner): AtRecordBoundary {
    if (!joiner.isEmpty) {
      throw new PeerMisbehaved("unexpected_message", "handshake bytes follow a key change in the same record")
    }
    return new AtRecordBoundary()
  }

  static is(value: AtRecordBoundary): boolean {
    return #proof in value
  }
}

/** The peer's Finished is right (RFC 9846 section 4.5.3). */
export class FinishedVerified {
  readonly #proof = true

  private constructor() {}

  /** @throws PeerMisbehaved decrypt_error */
  static check(hash: Hash, baseKey: Uint8Array, transcriptHash: Uint8Array, verifyData: Uint8Array): FinishedVerified {
    if (!verifyFinished(hash, baseKey, transcriptHash, verifyData)) {
      throw new PeerMisbehaved("decrypt_error", "peer's Finished does not match the handshake that we saw")
    }
    return new FinishedVerified()
  }

  static is(value: FinishedVerified): boolean {
    return #proof in value
  }
}

/** The application (or its verifier) accepted whose certificate it is. */
export class PeerIdentityAccepted {
  readonly #proof = true
  readonly identity: PeerIdentity
  readonly publicKey: PublicKey

  private constructor(identity: PeerIdentity, publicKey: PublicKey) {
    this.identity = identity
    this.publicKey = publicKey
  }

  /** @throws CertificateRejected with the verdict's alert */
  static from(verdict: CertificateVerdict, chain: readonly Uint8Array[]): PeerIdentityAccepted {
    if (!verdict.accepted) throw new CertificateRejected(verdict.alert, verdict.message, verdict.reason, chain)
    return new PeerIdentityAccepted(verdict.identity, verdict.publicKey)
  }

  static is(value: PeerIdentityAccepted): boolean {
    return #proof in value
  }
}

/** The peer's CertificateVerify is right: it has the private key of this public one. Whose that is, is not known by it. */
export class KeyPossessionVerified {
  readonly #proof = true
  readonly publicKey: PublicKey
  readonly scheme: SignatureSchemeInfo

  private constructor(publicKey: PublicKey, scheme: SignatureSchemeInfo) {
    this.publicKey = publicKey
    this.scheme = scheme
  }

  /** RFC 9846 section 4.5.2. @throws PeerMisbehaved illegal_parameter for a scheme that does not fit the key, decrypt_error for a wrong signature */
  static *check(
    provider: CryptoProvider,
    publicKey: PublicKey,
    signer: "client" | "server",
    scheme: SignatureSchemeInfo,
    transcriptHash: Uint8Array,
    signature: Uint8Array,
  ): Decides<KeyPossessionVerified> {
    if (!schemeFitsKey(scheme, publicKey)) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        `${scheme.name} does not fit the ${publicKey.type} key of the ${signer}'s certificate`,
      )
    }
    const algorithm = provider.signatures.find((candidate) => candidate.name === scheme.algorithm)
    const content = certificateVerifyContent(signer, transcriptHash)
    // A promise would pass for a yes.
    const answer =
      algorithm?.verifyLater?.(publicKey, content, signature) ??
      atOnce("verify of the crypto provider", algorithm?.verify(publicKey, content, signature))
    if ((yield* decide("VerifySignature", answer)) !== true) {
      throw new PeerMisbehaved("decrypt_error", `${signer}'s CertificateVerify has a wrong signature`)
    }
    return new KeyPossessionVerified(publicKey, scheme)
  }

  static is(value: KeyPossessionVerified): boolean {
    return #proof in value
  }
}

/** The peer has the private key of the certificate whose identity was accepted. */
export class PeerSignatureVerified {
  readonly #proof = true
  readonly identity: PeerIdentity
  readonly scheme: SignatureSchemeInfo

  private constructor(identity: PeerIdentity, scheme: SignatureSchemeInfo) {
    this.identity = identity
    this.scheme = scheme
  }

  /** Both proofs are about one key; undefined when they are not. */
  static of(accepted: PeerIdentityAccepted, possession: KeyPossessionVerified): PeerSignatureVerified | undefined {
    if (!samePublicKey(accepted.publicKey, possession.publicKey)) return undefined
    return new PeerSignatureVerified(accepted.identity, possession.scheme)
  }

  static is(value: PeerSignatureVerified): boolean {
    return #proof in value
  }
}

/** How the peer was authenticated: by its signature, by a PSK that only it shares (proven by Finished), or, for clients only, not at all. */
export type PeerAuthentication =
  | { readonly by: "certificate"; readonly signature: PeerSignatureVerified }
  | { readonly by: "psk"; readonly psk: PskAgreed }
export type ClientAuthentication = PeerAuthentication | { readonly by: "none" }

/** Both sides use a PSK that was offered and chosen in this handshake; Finished then proves that the peer has it. */
export class PskAgreed {
  readonly #proof = true

  private constructor() {}

  /**
   * The client's side: the server selected one of our identities.
   * @throws PeerMisbehaved illegal_parameter for an index out of range (RFC 9846 section 4.3.11)
   */
  static byServer<Offered>(
    offered: readonly Offered[],
    selectedIdentity: number,
  ): { readonly psk: Offered; readonly proof: PskAgreed } {
    const psk = offered[selectedIdentity]
    if (psk === undefined) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        `server selected PSK ${selectedIdentity} of ${offered.length} offered`,
      )
    }
    return { psk, proof: new PskAgreed() }
  }

  /**
   * The server's side: the binder of the PSK that we chose is right.
   * "If this value is not present or does not validate, the server MUST abort the handshake" (section 4.3.11).
   * @throws PeerMisbehaved decrypt_error
   */
  static byBinder(hash: Hash, binderKey: Uint8Array, truncatedHash: Uint8Array, binder: Uint8Array): PskAgreed {
    if (!verifyFinished(hash, binderKey, truncatedHash, binder)) {
      throw new PeerMisbehaved("decrypt_error", "PSK binder is wrong: client and server do not have the same key")
    }
    return new PskAgreed()
  }

  static is(value: PskAgreed): boolean {
    return #proof in value
  }
}

/** Another connection has checked all of it, and was exported: `./dangerous` goes on with what it left. */
export class ProvenElsewhere {
  readonly #proof = true

  private constructor() {}

  /** Nothing can check here that what is imported was exported by who may be believed: whoever imports says so. */
  static byExport(): ProvenElsewhere {
    return new ProvenElsewhere()
  }

  static is(value: ProvenElsewhere): boolean {
    return #proof in value
  }
}
