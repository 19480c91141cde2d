// Whom a session is with, as both roles remember it (RFC 9846 section 4.7.1).

import type { SessionParameters } from "../session/session.ts"
import type { CertificateType, PeerIdentity } from "../x509/interfaces.ts"

/** What of a session is about the peer. */
export type SessionPeer = Pick<
  SessionParameters,
  "peerChain" | "peerCertificateType" | "peerValidUntil" | "authenticatedAt"
>

/** A peer that has just signed. */
export function authenticatedPeer(identity: PeerIdentity, now: number): SessionPeer {
  return about(identity.chain, identity.type, identity.validUntil, now)
}

/** A peer that is known by a PSK: what an earlier session knew, and what a verifier says of it now. */
export function resumedPeer(
  session: SessionPeer | undefined,
  identity: PeerIdentity | undefined,
  now: number,
): SessionPeer {
  if (session === undefined) return about([], "X509", undefined, now)
  const { peerChain, peerCertificateType = "X509", peerValidUntil, authenticatedAt } = session
  return about(peerChain, peerCertificateType, identity?.validUntil ?? peerValidUntil, authenticatedAt)
}

function about(
  peerChain: readonly Uint8Array[],
  type: CertificateType,
  peerValidUntil: number | undefined,
  authenticatedAt: number,
): SessionPeer {
  return {
    peerChain,
    authenticatedAt,
    ...(type !== "X509" && { peerCertificateType: type }),
    ...(peerValidUntil !== undefined && { peerValidUntil }),
  }
}
