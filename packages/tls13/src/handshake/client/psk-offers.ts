// The PSKs that a client offers: RFC 9846 sections 4.3.11 and 4.3.11.1, 4.3.11.2.

import { equalBytes } from "../../bytes/equal.ts"
import { atOnce } from "../../bytes/pause.ts"
import type { OfferedPsks } from "../../codec/extensions/pre-shared-key.ts"
import type { Hash } from "../../crypto/provider.ts"
import { EarlyStage, type PskKind } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import { type ClientSession, isExpired, ticketAge } from "../../session/session.ts"
import type { PeerIdentity } from "../../x509/interfaces.ts"
import { verifyStoredChain } from "../authentication.ts"
import { type Decides, decide } from "../coroutine.ts"
import { clientHelloShare } from "../settings.ts"
import type { Client, ClientHandshake } from "./client.ts"

/** One PSK on offer, with the Early Secret that it gives. */
export interface OfferedPsk {
  readonly identity: Uint8Array
  readonly kind: PskKind
  readonly hash: Hash
  readonly early: EarlyStage
  /** undefined for an external PSK. */
  readonly session: ClientSession | undefined
  /** Who the server is, when the certificates of the session were verified anew. */
  readonly peer: PeerIdentity | undefined
}

/** A session to resume, and what its verifier says today. */
export interface ResumableSession {
  readonly session: ClientSession
  readonly peer: PeerIdentity | undefined
}

/** A resumable session first (0-RTT needs it first), then the external PSKs. */
export function collectPsks(
  { link, settings, erasure }: ClientHandshake,
  resumable: ResumableSession | undefined,
): OfferedPsk[] {
  const offers: OfferedPsk[] = []
  // A server may make tickets of up to 2^16-1 bytes: one that leaves no room for the rest is not offered.
  if (resumable !== undefined && resumable.session.ticket.length <= clientHelloShare) {
    const { session, peer } = resumable
    const hash = settings.cipherSuites.find((suite) => suite.code === session.cipherSuite)!.hash
    const early = erasure.hold(EarlyStage.start(hash, session.psk, link.observeSecret))
    offers.push({
      identity: session.ticket,
      kind: "resumption",
      hash,
      early,
      session,
      peer,
    })
  }
  for (const { identity, key, hash: hashName, kind } of settings.externalPsks) {
    const hash = settings.cipherSuites.find((suite) => suite.hash.name === hashName)?.hash
    // "it SHOULD advertise at least one cipher suite indicating a Hash associated with the PSK" (section 4.2.2)
    if (hash === undefined) continue
    const early = erasure.hold(EarlyStage.start(hash, key, link.observeSecret))
    offers.push({ identity, kind, hash, early, session: undefined, peer: undefined })
  }
  return offers
}

/** The session to offer; section 4.7.1, "the likelihood of intervening revocation": not one whose certificates are refused now. */
export function* chooseSession({ link, settings }: Client): Decides<ResumableSession | undefined> {
  const session = takeSession({ link, settings })
  if (session === undefined) return undefined
  const { verifier, reverifyOnResumption, serverName, provider } = settings
  if (verifier === undefined || !reverifyOnResumption || session.peerChain.length === 0)
    return { session, peer: undefined }
  const authentication = { verifier, serverName, now: link.now, provider }
  const verdict = verifyStoredChain(authentication, "server", session)
  const answer = yield* decide("VerifyPeer", verdict)
  return answer.accepted ? { session, peer: answer.identity } : undefined
}

/** A session that may be resumed here and now, or undefined. */
function takeSession({ link, settings }: Client): ClientSession | undefined {
  const session = atOnce("sessionStore.take", settings.sessionStore?.take(settings.sessionKey, link.now)) ?? undefined
  if (session === undefined || isExpired(session, link.now)) return undefined
  // "Clients MUST only resume if the new SNI value is valid for the server certificate presented in the original
  // session, and SHOULD only resume if the SNI value matches the one used in the original session." (section 4.7.1)
  if (session.serverName !== settings.serverName || session.partition !== settings.resumptionPartition) return undefined
  if (!settings.cipherSuites.some((suite) => suite.code === session.cipherSuite)) return undefined
  // What the server was believed by is believed no more.
  const { pskIdentity } = session
  if (pskIdentity && !settings.externalPsks.some(({ identity }) => equalBytes(identity, pskIdentity))) return undefined
  return session
}

/** pre_shared_key with zeros where the binders go. */
export function offerPsks(psks: readonly OfferedPsk[], now: number): { readonly pre_shared_key?: OfferedPsks } {
  if (psks.length === 0) return {}
  const identities = psks.map(({ identity, session }) => ({
    identity,
    // Section 4.3.11.1: the age in milliseconds plus ticket_age_add, modulo 2^32; 0 for external PSKs.
    obfuscatedTicketAge: session === undefined ? 0 : (ticketAge(session, now) + session.ticketAgeAdd) % 2 ** 32,
  }))
  return { pre_shared_key: { identities, binders: psks.map(({ hash }) => new Uint8Array(hash.length)) } }
}

/**
 * Fills in the binders at the end of a ClientHello (section 4.3.11.2).
 * @param truncatedHash the hash of everything up to Truncate(ClientHello), for a PSK's hash algorithm
 */
export function writeBinders(
  message: Uint8Array,
  psks: readonly OfferedPsk[],
  truncatedHash: (psk: OfferedPsk) => Uint8Array,
): void {
  let at = message.length - psks.reduce((sum, { hash }) => sum + 1 + hash.length, 0)
  for (const psk of psks) {
    const binderKey = psk.early.binderKey(psk.kind)
    message.set(finishedMac(psk.hash, binderKey, truncatedHash(psk)), at + 1)
    binderKey.fill(0)
    at += 1 + psk.hash.length
  }
}
