// NewSessionTicket, the server's side: RFC 9846 section 4.7.1, and RFC 9149 (the number that the client asks for).

import { atOnce } from "../../bytes/pause.ts"
import { encodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import { resumptionPsk } from "../../schedule/traffic.ts"
import { greaseExtension } from "../grease.ts"
import type { SessionPeer } from "../session-peer.ts"
import type { Negotiated } from "./negotiate.ts"
import { pskModes } from "./psk-selection.ts"
import type { Server } from "./server.ts"

const longestTicket = 0xffff

/**
 * How many tickets go out after the handshake.
 * Only to a client that can resume: "servers MUST NOT ... select a key exchange mode that is not listed" (section 4.3.9).
 */
export function ticketCount({ settings }: Pick<Server, "settings">, { hello, psk }: Negotiated): number {
  const modes = pskModes(hello, settings)
  if (settings.ticketer === undefined || !(modes.dhe || modes.pskOnly)) return 0
  const asked = hello.extensions.ticket_request
  // Who has used one gets one in its place; more would only pile up (RFC 9149 section 1).
  if (asked === undefined) return psk?.session === undefined ? settings.tickets : Math.min(settings.tickets, 1)
  // RFC 9149 section 3: a server gives what is asked for, up to a limit of its own.
  return Math.min(psk?.session === undefined ? asked.newSessionCount : asked.resumptionCount, settings.ticketsOnRequest)
}

/** What the tickets of one connection say of it, and how many there have been. */
export interface Tickets {
  /** How many the client gets at a time. */
  readonly count: number
  readonly suite: CipherSuiteAlgorithms
  readonly alpnProtocol: string | undefined
  readonly serverName: string | undefined
  issued: number
}

export function ticketsOf(server: Server, negotiated: Negotiated): Tickets {
  const { suite, alpnProtocol, hello } = negotiated
  const count = ticketCount(server, negotiated)
  return { count, suite, alpnProtocol, serverName: hello.extensions.server_name, issued: 0 }
}

/** Sends as many as the client is to get. */
export function sendTickets(server: Server, tickets: Tickets, resumptionSecret: Uint8Array, peer: SessionPeer): void {
  for (let number = 0; number < tickets.count; number++)
    if (!sendTicket(server, tickets, resumptionSecret, peer)) return
}

function sendTicket(
  { link, settings }: Server,
  tickets: Tickets,
  resumptionSecret: Uint8Array,
  peer: SessionPeer,
): boolean {
  const { suite, alpnProtocol, serverName } = tickets
  const { ticketer, earlyData } = settings
  const ticketLifetime = lifetime(settings.ticketLifetime, peer, link.now)
  if (ticketLifetime < 1) return false
  const ticketNonce = nonceOf(tickets.issued++)
  const ageAdd = link.random(4)
  const ticketAgeAdd = ((ageAdd[0]! << 24) | (ageAdd[1]! << 16) | (ageAdd[2]! << 8) | ageAdd[3]!) >>> 0
  const maxEarlyDataSize = earlyData?.maxBytes ?? 0
  const session = {
    cipherSuite: suite.code,
    psk: resumptionPsk(suite.hash, resumptionSecret, ticketNonce),
    issuedAt: link.now,
    ticketLifetime,
    ticketAgeAdd,
    maxEarlyDataSize,
    alpnProtocol,
    serverName,
    partition: settings.resumptionPartition,
    ...peer,
  }
  const ticket = atOnce("ticketer.seal", ticketer?.seal(session, link.now)) ?? undefined
  // Not erased: a ticketer may keep the session as it is, and a key of zeros would then open it to everybody.
  // "opaque ticket<1..2^16-1>": a session with a long chain of certificates may not fit.
  if (ticket === undefined || ticket.length > longestTicket) return false
  const greaseExtensions = settings.grease ? [greaseExtension(link.random)] : []
  const extensions = maxEarlyDataSize > 0 ? { early_data: maxEarlyDataSize } : {}
  link.send(
    "new_session_ticket",
    encodeNewSessionTicket({ ticketLifetime, ticketAgeAdd, ticketNonce, ticket, extensions, greaseExtensions }),
  )
  return true
}

/** Seconds. "these limits should take into account the lifetime of the peer's certificate" */
function lifetime(most: number, { peerValidUntil }: SessionPeer, now: number): number {
  return peerValidUntil === undefined ? most : Math.min(most, Math.floor((peerValidUntil - now) / 1000))
}

/** As few bytes as tell them apart: section 4.7.1, "a per-ticket value that is unique across all tickets issued on this connection". */
export function nonceOf(number: number): Uint8Array {
  if (number < 0x100) return Uint8Array.of(number)
  if (number < 0x1_0000) return Uint8Array.of(number >>> 8, number)
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number)
}
