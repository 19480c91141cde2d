// NewSessionTicket, the server's side: RFC 9846 section 4.7.1, and RFC 9149 (the number that the client asks for).

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
export function ticketCount({ settings }: Server, { hello, psk }: Negotiated): number {
  const modes = pskModes(hello, settings)
  if (settings.ticketer === undefined || !(modes.dhe || modes.pskOnly)) return 0
  const asked = hello.extensions.ticket_request
  if (asked === undefined) return settings.tickets
  // RFC 9149 section 3: a server gives what is asked for, up to a limit of its own.
  return Math.min(psk?.session === undefined ? asked.newSessionCount : asked.resumptionCount, settings.ticketsOnRequest)
}

/** Makes the tickets of one connection, and erases the resumption secret when there will be no more. */
export class TicketIssuer {
  readonly #server: Server
  readonly #resumptionSecret: Uint8Array
  readonly #count: number
  // What a ticket says of the connection; the ClientHello, which may be long, is not kept for it.
  readonly #suite: CipherSuiteAlgorithms
  readonly #alpnProtocol: string | undefined
  readonly #serverName: string | undefined
  #sent = 0

  /** @param resumptionSecret becomes the issuer's own */
  constructor(server: Server, negotiated: Negotiated, resumptionSecret: Uint8Array) {
    this.#server = { link: server.link, settings: server.settings }
    this.#resumptionSecret = resumptionSecret
    this.#count = ticketCount(server, negotiated)
    this.#suite = negotiated.suite
    this.#alpnProtocol = negotiated.alpnProtocol
    this.#serverName = negotiated.hello.extensions.server_name
  }

  /** Sends as many as the client is to get. */
  send(peer: SessionPeer): void {
    for (let number = 0; number < this.#count; number++) if (!this.#sendOne(peer)) return
  }

  wipe(): void {
    this.#resumptionSecret.fill(0)
  }

  #sendOne(peer: SessionPeer): boolean {
    const { link, settings } = this.#server
    const suite = this.#suite
    const { ticketer, earlyData } = settings
    const ticketLifetime = lifetime(settings.ticketLifetime, peer, link.now)
    if (ticketLifetime < 1) return false
    // "unique across all tickets issued on this connection"
    const ticketNonce = nonceOf(this.#sent++)
    const ageAdd = link.random(4)
    const ticketAgeAdd = ((ageAdd[0]! << 24) | (ageAdd[1]! << 16) | (ageAdd[2]! << 8) | ageAdd[3]!) >>> 0
    const maxEarlyDataSize = earlyData?.maxBytes ?? 0
    const session = {
      cipherSuite: suite.code,
      psk: resumptionPsk(suite.hash, this.#resumptionSecret, ticketNonce),
      issuedAt: link.now,
      ticketLifetime,
      ticketAgeAdd,
      maxEarlyDataSize,
      alpnProtocol: this.#alpnProtocol,
      serverName: this.#serverName,
      partition: settings.partition,
      ...peer,
    }
    const ticket = ticketer?.seal(session, link.now)
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
}

/** Seconds. "these limits should take into account the lifetime of the peer's certificate" */
function lifetime(most: number, { peerValidUntil }: SessionPeer, now: number): number {
  return peerValidUntil === undefined ? most : Math.min(most, Math.floor((peerValidUntil - now) / 1000))
}

function nonceOf(number: number): Uint8Array {
  return number < 256 ? Uint8Array.of(number) : Uint8Array.of(number >>> 8, number)
}
