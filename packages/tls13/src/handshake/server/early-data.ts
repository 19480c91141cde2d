// Whether 0-RTT data is taken: RFC 9846 sections 4.3.10 and 8.

import type { ClientHello } from "../../codec/client-hello.ts"
import { SkippedEarlyData } from "../../record/skipped-early-data.ts"
import { ticketAge } from "../../session/session.ts"
import { type Decides, decide } from "../coroutine.ts"
import type { ServerSettings } from "../settings.ts"
import type { ChosenPsk } from "./psk-selection.ts"
import type { ServerHandshake } from "./server.ts"

export type EarlyDataDecision = "not offered" | "accepted" | "rejected"

/** All the conditions of section 4.3.10, the freshness check of section 8.3, then the replay guard of sections 8.1 and 8.2. */
export function* decideEarlyData(
  { link, settings }: ServerHandshake,
  hello: ClientHello,
  psk: ChosenPsk | undefined,
  alpnProtocol: string | undefined,
  retried: boolean,
): Decides<EarlyDataDecision> {
  if (retried || !hello.extensions.early_data) return "not offered"
  const session = psk?.session
  const fits =
    settings.earlyData !== undefined &&
    session !== undefined &&
    psk?.index === 0 &&
    session.maxEarlyDataSize > 0 &&
    session.cipherSuite === psk.suite.code &&
    session.alpnProtocol === alpnProtocol
  if (!fits) return "rejected"

  const { obfuscatedTicketAge } = hello.extensions.pre_shared_key!.identities[0]!
  const claimedAge = (obfuscatedTicketAge - session.ticketAgeAdd + 2 ** 32) % 2 ** 32
  const { freshness, replayGuard } = settings.earlyData
  // Section 8.3: "The server can then compare ... if they are not within a small tolerance, reject 0-RTT".
  if (Math.abs(claimedAge - ticketAge(session, link.now)) > freshness) return "rejected"
  // The binder covers the whole ClientHello and is verified already (section 8.2).
  const binder = hello.extensions.pre_shared_key!.binders[0]!
  // A client's clock that is ahead by all of the window lets the same ClientHello pass for two windows, the end included.
  const expiresAt = link.now + 2 * freshness + 1
  const first = yield* decide("TakeEarlyData", replayGuard.take(binder, expiresAt, link.now))
  return first === true ? "accepted" : "rejected"
}

/** Section 4.3.10: what is dropped of a client whose early data is not taken. */
export function skippedEarlyData(
  which: SkippedEarlyData["which"],
  { limits }: Pick<ServerSettings, "limits">,
): SkippedEarlyData {
  return new SkippedEarlyData(which, limits.skippedEarlyData)
}
