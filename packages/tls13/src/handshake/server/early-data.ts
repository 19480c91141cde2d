// Whether 0-RTT data is taken: RFC 9846 sections 4.3.10 and 8.

import type { ClientHello } from "../../codec/client-hello.ts"
import { ticketAge } from "../../session/session.ts"
import { decide, type Transition } from "../state.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import type { ChosenPsk } from "./psk-selection.ts"

export type EarlyDataDecision = "not offered" | "accepted" | "rejected"

/** All the conditions of section 4.3.10, the freshness check of section 8.3, then the replay guard of sections 8.1 and 8.2. */
export function decideEarlyData(
  { link, settings }: ServerHandshake,
  hello: ClientHello,
  psk: ChosenPsk | undefined,
  alpnProtocol: string | undefined,
  retried: boolean,
  then: (decision: EarlyDataDecision) => Transition,
): Transition {
  if (retried) return then("not offered")
  if (!hello.extensions.early_data) return then("not offered")
  const session = psk?.session
  const fits =
    settings.earlyData !== undefined &&
    session !== undefined &&
    psk?.index === 0 &&
    session.maxEarlyDataSize > 0 &&
    session.cipherSuite === psk.suite.code &&
    session.alpnProtocol === alpnProtocol
  if (!fits) return then("rejected")

  const { obfuscatedTicketAge } = hello.extensions.pre_shared_key!.identities[0]!
  const claimedAge = (obfuscatedTicketAge - session.ticketAgeAdd + 2 ** 32) % 2 ** 32
  const { freshness, replayGuard } = settings.earlyData
  // Section 8.3: "The server can then compare ... if they are not within a small tolerance, reject 0-RTT".
  if (Math.abs(claimedAge - ticketAge(session, link.now)) > freshness) return then("rejected")
  // The binder covers the whole ClientHello and is verified already (section 8.2).
  const binder = hello.extensions.pre_shared_key!.binders[0]!
  // A client's clock that is ahead by all of the window lets the same ClientHello pass for two windows, the end included.
  const expiresAt = link.now + 2 * freshness + 1
  return decide("TakeEarlyData", replayGuard.take(binder, expiresAt, link.now), (first) =>
    then(first ? "accepted" : "rejected"),
  )
}
