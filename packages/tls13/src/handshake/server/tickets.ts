// NewSessionTicket, the server's side: RFC 9846 section 4.7.1, and RFC 9149 (the number that the client asks for).

import { encodeNewSessionTicket } from "../../codec/new-session-ticket.ts"
import { resumptionPsk } from "../../schedule/traffic.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import { pskModes } from "./psk-selection.ts"
import type { Negotiated } from "./server-flight.ts"

/**
 * How many tickets go out after the handshake.
 * Only to a client that can resume: "servers MUST NOT ... select a key exchange mode that is not listed" (section 4.3.9).
 */
export function ticketCount({ settings }: ServerHandshake, { hello, psk }: Negotiated): number {
  const modes = pskModes(hello, settings)
  if (settings.ticketer === undefined || !(modes.dhe || modes.pskOnly)) return 0
  const asked = hello.extensions.ticket_request
  if (asked === undefined) return settings.tickets
  // RFC 9149 section 3: a server gives what is asked for, up to a limit of its own.
  return Math.min(psk?.session === undefined ? asked.newSessionCount : asked.resumptionCount, settings.ticketsOnRequest)
}

export function sendTickets(
  server: ServerHandshake,
  negotiated: Negotiated,
  resumptionSecret: Uint8Array,
  peerChain: readonly Uint8Array[],
): void {
  const { link, settings } = server
  const { hello, suite, alpnProtocol, psk } = negotiated
  const { ticketer, earlyData, ticketLifetime } = settings
  const count = ticketCount(server, negotiated)
  for (let number = 0; number < count; number++) {
    const ticketNonce = Uint8Array.of(number)
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
      serverName: hello.extensions.server_name,
      peerChain,
      partition: settings.partition,
      authenticatedAt: psk?.session?.authenticatedAt ?? link.now,
    }
    const ticket = ticketer?.seal(session, link.now)
    session.psk.fill(0)
    if (ticket === undefined) return
    const extensions = maxEarlyDataSize > 0 ? { early_data: maxEarlyDataSize } : {}
    link.send(
      "new_session_ticket",
      encodeNewSessionTicket({ ticketLifetime, ticketAgeAdd, ticketNonce, ticket, extensions }),
    )
  }
}
