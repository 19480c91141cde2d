// Whom a session is with, as both roles remember it (RFC 9846 section 4.7.1).

import { copyOf } from "../bytes/copy.ts"
import type { SessionParameters } from "../session/session.ts"
import type { PeerIdentity } from "../x509/interfaces.ts"

/** What of a session is about the peer. */
export type SessionPeer = Pick<
  SessionParameters,
  "peerChain" | "peerCertificateType" | "peerValidUntil" | "pskIdentity" | "authenticatedAt"
>

/** A peer that has just signed. */
export function authenticatedPeer({ chain, type, validUntil }: PeerIdentity, now: number): SessionPeer {
  return {
    peerChain: chain,
    authenticatedAt: now,
    ...(type !== "X509" && { peerCertificateType: type }),
    ...(validUntil !== undefined && { peerValidUntil: validUntil }),
  }
}

/** A PSK that both sides have agreed on. */
export interface AgreedPsk {
  readonly identity: Uint8Array
  /** undefined for an external PSK. */
  readonly session: SessionParameters | undefined
  /** Who the peer is, when the certificates of its session were verified anew. */
  readonly peer: PeerIdentity | undefined
}

/** A peer that did not sign in this connection: nobody, or known by a PSK. @param psk undefined for a client that is nobody */
export function unsignedPeer(psk: AgreedPsk | undefined, now: number): SessionPeer {
  if (psk === undefined) return { peerChain: [], authenticatedAt: now }
  const { session, identity, peer } = psk
  if (session === undefined) return { peerChain: [], authenticatedAt: now, pskIdentity: copyOf(identity) }
  // As the first connection knew it, and as a verifier sees it now.
  const { peerChain, authenticatedAt, peerCertificateType, peerValidUntil, pskIdentity } = session
  const validUntil = peer?.validUntil ?? peerValidUntil
  return {
    peerChain,
    authenticatedAt,
    ...(peerCertificateType !== undefined && { peerCertificateType }),
    ...(validUntil !== undefined && { peerValidUntil: validUntil }),
    ...(pskIdentity !== undefined && { pskIdentity }),
  }
}
