// Pre-shared keys of a client, tickets and external ones: RFC 9846 sections 4.3.11, 4.3.11.1, 4.3.11.2 and 4.7.1.

import { PskKeyExchangeMode } from "../../bytes/code-points.ts"
import { copyOf } from "../../bytes/copy.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import { atOnce } from "../../bytes/pause.ts"
import { checkRange } from "../../bytes/range.ts"
import { earlyData } from "../../codec/extensions/early-data.ts"
import type { ClientHelloExtensions } from "../../codec/extensions/messages.ts"
import { type OfferedPsks, preSharedKeyOfClient } from "../../codec/extensions/pre-shared-key.ts"
import { pskKeyExchangeModes } from "../../codec/extensions/psk-key-exchange-modes.ts"
import { type TicketRequest, ticketRequest as ticketRequestRow } from "../../codec/extensions/ticket-request.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { decodeNewSessionTicketBy } from "../../codec/new-session-ticket.ts"
import type { ServerHello } from "../../codec/server-hello.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import { EarlyStage } from "../../schedule/key-schedule.ts"
import { finishedMac, resumptionPsk } from "../../schedule/traffic.ts"
import { hashWith, Transcript } from "../../schedule/transcript.ts"
import { type ClientSession, checkedPsk, isExpired, longestTicketLifetime, ticketAge } from "../../session/session.ts"
import type { Decides } from "../coroutine.ts"
import { type PeerAuthentication, PskAgreed } from "../proofs.ts"
import { authenticatedPeer, unsignedPeer } from "../session-peer.ts"
import { type ClientSettings, clientHelloShare } from "../settings.ts"
import type {
  Client,
  ClientConnected,
  ClientHandshake,
  ClientOffer,
  OfferedPsk,
  PreSharedKeysFeature,
  ResumableSession,
  SelectedPsk,
  ServerParameters,
} from "./client.ts"

export const preSharedKeys: PreSharedKeysFeature = {
  extensions: {
    pre_shared_key: preSharedKeyOfClient,
    psk_key_exchange_modes: pskKeyExchangeModes,
    ticket_request: ticketRequestRow,
    early_data: earlyData,
  },
  checked: checkedPsk,
  chooseSession,
  collect,
  offerModes,
  offer,
  writeBinders,
  selected,
  ticketRequest,
  forTickets,
  takeTicket,
}

/** A resumable session first (0-RTT needs it first), then the external PSKs. */
function collect({ link, settings, erasure }: ClientHandshake, resumable: ResumableSession | undefined): OfferedPsk[] {
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
function* chooseSession(client: Client): Decides<ResumableSession | undefined> {
  const { settings, features } = client
  const session = takeSession(client)
  if (session === undefined) return undefined
  const isAskedAgain = settings.verifier !== undefined && settings.reverifyOnResumption && session.peerChain.length > 0
  return isAskedAgain ? yield* features.certificates!.verifyAgain(client, session) : { session, peer: undefined }
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

function offerModes(settings: ClientSettings): ClientHelloExtensions {
  // Also without a PSK of our own: "servers may send NewSessionTicket" only to clients that send it (section 4.3.9).
  const mayResume = settings.sessionStore !== undefined || settings.externalPsks.length > 0
  const { psk_dhe_ke, psk_ke } = PskKeyExchangeMode
  return {
    ...(mayResume && {
      psk_key_exchange_modes: [psk_dhe_ke, ...(settings.allowPskWithoutKeyExchange ? [psk_ke] : [])],
    }),
    ...(settings.ticketRequest !== undefined && { ticket_request: settings.ticketRequest }),
  }
}

/** pre_shared_key with zeros where the binders go. */
function offer(psks: readonly OfferedPsk[], now: number): { readonly pre_shared_key?: OfferedPsks } {
  if (psks.length === 0) return {}
  const identities = psks.map(({ identity, session }) => ({
    identity,
    // Section 4.3.11.1: the age in milliseconds plus ticket_age_add, modulo 2^32; 0 for external PSKs.
    obfuscatedTicketAge: session === undefined ? 0 : (ticketAge(session, now) + session.ticketAgeAdd) % 2 ** 32,
  }))
  return { pre_shared_key: { identities, binders: psks.map(({ hash }) => new Uint8Array(hash.length)) } }
}

/**
 * Fills in the binders at the end of a ClientHello (section 4.3.11.2): each is over what its PSK's hash makes of everything up to
 * Truncate(ClientHello).
 * @param earlier ClientHello1 and HelloRetryRequest, when this is the second
 */
function writeBinders(message: Uint8Array, psks: readonly OfferedPsk[], earlier: Transcript | undefined): void {
  const list = psks.reduce((sum, { hash }) => sum + 1 + hash.length, 0)
  let at = message.length - list
  const truncated = message.subarray(0, at - 2)
  for (const psk of psks) {
    const truncatedHash = hashWith(earlier ?? new Transcript(psk.hash), truncated)
    const binderKey = psk.early.binderKey(psk.kind)
    message.set(finishedMac(psk.hash, binderKey, truncatedHash), at + 1)
    binderKey.fill(0)
    at += 1 + psk.hash.length
  }
}

/** Which PSK ServerHello chose. @throws PeerMisbehaved */
function selected(offer: ClientOffer, hello: ServerHello, suite: CipherSuiteAlgorithms): SelectedPsk | undefined {
  const index = hello.extensions.pre_shared_key
  if (index === undefined) return undefined
  const chosen = PskAgreed.byServer(offer.psks, index)
  // "that the server selected a cipher suite indicating a Hash associated with the PSK"
  if (chosen.psk.hash.name !== suite.hash.name) {
    throw new PeerMisbehaved("illegal_parameter", "server selected a PSK whose hash is not the cipher suite's")
  }
  return { index, ...chosen }
}

/** RFC 9149. @throws Misuse */
function ticketRequest({ newSessionCount, resumptionCount }: TicketRequest): TicketRequest {
  checkRange(newSessionCount, [0, 255], "ticketRequest.newSessionCount")
  checkRange(resumptionCount, [0, 255], "ticketRequest.resumptionCount")
  return { newSessionCount, resumptionCount }
}

function forTickets(
  peer: PeerAuthentication,
  { selected, alpnProtocol }: ServerParameters,
  now: number,
): ClientConnected["forTickets"] {
  const isSigned = peer.by === "certificate"
  return {
    peer: isSigned ? authenticatedPeer(peer.signature.identity, now) : unsignedPeer(selected?.psk, now),
    alpnProtocol,
  }
}

/** NewSessionTicket (section 4.7.1). */
function takeTicket(
  { link, settings, extensions }: Client,
  connected: ClientConnected,
  message: HandshakeMessage,
): undefined {
  const { suite, resumptionSecret, forTickets } = connected
  const ticket = decodeNewSessionTicketBy(extensions, message)
  // "Clients which receive a NewSessionTicket message but do not support resumption MUST silently ignore this message."
  // "The value of zero indicates that the ticket should be discarded immediately."
  if (settings.sessionStore === undefined || ticket.ticketLifetime === 0) return
  const session = {
    alpnProtocol: forTickets!.alpnProtocol,
    ...forTickets!.peer,
    cipherSuite: suite.code,
    psk: resumptionPsk(suite.hash, resumptionSecret, ticket.ticketNonce),
    ticket: copyOf(ticket.ticket),
    issuedAt: link.now,
    ticketLifetime: Math.min(ticket.ticketLifetime, longestTicketLifetime),
    ticketAgeAdd: ticket.ticketAgeAdd,
    maxEarlyDataSize: ticket.extensions.early_data ?? 0,
    serverName: settings.serverName,
    partition: settings.resumptionPartition,
  }
  settings.sessionStore.put(settings.sessionKey, session)
  link.ticketReceived(session)
}
