// What a client is told when its connection ends by us: CONNACK before it has had one, DISCONNECT after it (MQTT 5.0 sections
// 3.2, 3.14, 4.13). MQTT 3.1.1 has fewer words.

import { PacketError } from "../packet/errors.ts"
import type { ConnackPacket, DisconnectPacket, ProtocolVersion } from "../packet/packets.ts"
import { ReasonCode, reasonName, returnCodeOf } from "../packet/reason-codes.ts"
import { connackCode } from "./connect-rules.ts"
import type { Redirect } from "./hub.ts"
import type { Phase } from "./phases.ts"
import type { Receiving } from "./receiver.ts"

/** Of the client, what its answer depends on. */
export interface Told {
  readonly version: ProtocolVersion
  readonly redirect: Redirect | undefined
}

/** The CONNACK of a client that is not let in; undefined where its version has no word for it. */
export function refusalFor(
  error: PacketError,
  { version, redirect }: Told,
  phase: "expect connect" | "authenticating",
): ConnackPacket | undefined {
  // [MQTT-3.1.4-1] a CONNECT that is wrong: CONNACK where the version has a word for it, then close
  const reasonCode = version === 5 ? connackCode(error.reasonCode) : returnCodeOf(error.reasonCode)
  if (reasonCode === undefined) return undefined
  // [MQTT-3.2.2-19] what the client's limit is has not been read of a CONNECT that is too large.
  const unread = phase === "expect connect" && reasonCode === ReasonCode.PacketTooLarge
  const reasonString = version !== 5 || unread || isSecret(error) ? undefined : error.message
  // [MQTT-3.2.2-6] Session Present is 0
  return {
    type: "connack",
    sessionPresent: false,
    reasonCode,
    reasonString,
    serverReference: referenceFor(reasonCode, redirect),
  }
}

/** The DISCONNECT of a client in this phase; undefined where there is none. */
export function goodbyeFor<Client extends Receiving>(
  reasonCode: number,
  reason: string | undefined,
  { version, redirect }: Told,
  phase: Phase<Client>,
): DisconnectPacket | undefined {
  // MQTT 3.1.1 has no DISCONNECT from the server. [MQTT-3.14.0-1] never before CONNACK.
  if (version !== 5 || phase.name !== "connected") return undefined
  // [MQTT-3.1.2-29] allows a Reason String on DISCONNECT in any case; a client that wants none gets none
  const more = reason !== reasonName(reasonCode) && phase.requestProblemInformation
  return {
    type: "disconnect",
    reasonCode,
    reasonString: more ? reason : undefined,
    serverReference: referenceFor(reasonCode, redirect),
  }
}

/** Without an answer that it cannot be sent a client would wait for ever. */
export function answerTooLarge(most: number): PacketError {
  const what = `the answer is above the client's Maximum Packet Size of ${most} bytes`
  return new PacketError(ReasonCode.PacketTooLarge, "MQTT-3.1.2-24", what)
}

/** A client that failed to log in learns no more than the Reason Code. */
function isSecret({ reasonCode }: PacketError): boolean {
  return reasonCode === ReasonCode.BadUserNameOrPassword || reasonCode === ReasonCode.NotAuthorized
}

/** Section 4.11: whoever is to use another server is told which. */
function referenceFor(reasonCode: number, redirect: Redirect | undefined): string | undefined {
  return reasonCode === ReasonCode.UseAnotherServer ? redirect?.server : undefined
}
