// A CONNECT whose client may log in (MQTT 5.0 sections 3.1.2, 3.1.3, 3.2): is its will allowed, what does CONNACK say, and is
// there room for its session? What the client has then is a connected client's.

import { PacketError } from "../packet/errors.ts"
import type { ConnackPacket, ConnectPacket, Will } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { isWellFormed } from "../packet/utf8.ts"
import type { Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import { checkOffered, type Features } from "../session/features.ts"
import type { ToldLimits } from "../session/limits.ts"
import type { Session } from "../session/session.ts"
import type { Hub } from "./hub.ts"
import { answerTooLarge } from "./parting.ts"
import { type Authenticating, type Connected, patiencePerSecond } from "./phases.ts"
import { payloadIsNoText, payloadTooLarge } from "./reason-strings.ts"
import { lookCost, Receiver, type Receiving } from "./receiver.ts"
import { publishRefusal, tellRefusal } from "./refusals.ts"

/** The connection of a client that may log in. */
export interface Entering extends Receiving {
  readonly session: Session | undefined
}

/** What a client has that is let in. */
export interface Accepted<Client extends Entering> {
  readonly connected: Connected<Client>
  readonly connack: ConnackPacket
  readonly sessionPresent: boolean
  /** Seconds; 0: none. */
  readonly keepAlive: number
}

/**
 * Opens the session of a client that may log in. "later": something is in the way, and `again` is called when it has gone.
 * Throws PacketError when the client may not come in for another reason.
 */
export function accept<Client extends Entering>(
  hub: Hub<Client>,
  client: Client,
  { packet, clientId }: Authenticating,
  identity: Identity,
  authenticationData: Uint8Array | undefined,
  now: number,
  again: () => void,
): Accepted<Client> | "later" {
  const { will, requestProblemInformation } = packet
  const { writer } = client
  if (will !== undefined) checkWill(hub, client, identity, will, packet.textWill)
  writer.reasonStrings = requestProblemInformation
  const aliases = Math.min(packet.topicAliasMaximum, hub.limits.outboundTopicAliases)
  writer.useAliases(aliases, (bytes) => client.session?.holdAlias(bytes) === true)
  const { connack, keepAlive } = answerTo(hub, client.told, packet, clientId, authenticationData)
  // [MQTT-3.2.0-1] Before there is a session: without its CONNACK the client cannot have one.
  if (packet.maximumPacketSize !== undefined && !writer.fits(connack)) {
    throw answerTooLarge(packet.maximumPacketSize)
  }
  const opened = hub.open(client, packet, clientId, identity, now, again)
  if (opened === "later") return opened
  if (opened === undefined) {
    throw new PacketError(
      ReasonCode.QuotaExceeded,
      "MQTT-3.1.4-2",
      "the broker has no room for another session, or for its will",
    )
  }
  const { session, sessionPresent } = opened
  const connected: Connected<Client> = {
    name: "connected",
    session,
    identity,
    receiver: new Receiver<Client>(hub, client, session, identity, packet.mqtt31),
    will,
    sessionExpiryInterval: packet.sessionExpiryInterval,
    patience: keepAlive * patiencePerSecond,
    requestProblemInformation,
    authenticationMethod: packet.authenticationMethod,
    reauthentication: undefined,
  }
  // MQTT 3.1 has no Session Present.
  const told = sessionPresent && !packet.mqtt31
  return { connected, connack: { ...connack, sessionPresent: told }, sessionPresent, keepAlive }
}

/** Throws PacketError when the client may not have this will. */
function checkWill<Client>(
  hub: Hub<Client>,
  who: { readonly peer: PeerInfo; readonly clientId: string },
  identity: Identity,
  will: Will,
  isText: boolean,
): void {
  const refusal = publishRefusal(hub.access, identity, who.clientId, will.topic)
  if (refusal !== undefined) {
    tellRefusal(hub, who, identity, "will", will.topic, refusal)
    throw new PacketError(ReasonCode.NotAuthorized, "MQTT-3.1.4-2", "the client may not publish to its Will Topic")
  }
  checkOffered(hub.features, "a Will Message", will.qos, will.retain)
  if (will.payload.length > hub.limits.maximumPayloadSize) {
    throw new PacketError(ReasonCode.QuotaExceeded, "MQTT-3.1.4-2", `of the will, ${payloadTooLarge(hub.limits)}`)
  }
  if (!isText || !hub.checksPayloadFormat) return
  hub.cost(lookCost(will.payload.length))
  if (!isWellFormed(will.payload, 0, will.payload.length))
    throw new PacketError(ReasonCode.PayloadFormatInvalid, "3.1.3.2.3", `of the will, ${payloadIsNoText}`)
}

/** The CONNACK of a client that is let in, but for its Session Present, and the Keep Alive that it says, in seconds. */
function answerTo<Client>(
  hub: Hub<Client>,
  limits: ToldLimits,
  packet: ConnectPacket,
  clientId: string,
  authenticationData: Uint8Array | undefined,
): { readonly connack: ConnackPacket; readonly keepAlive: number } {
  let keepAlive = packet.keepAlive
  let serverKeepAlive: number | undefined
  if (
    packet.protocolVersion === 5 &&
    limits.maximumKeepAlive > 0 &&
    (keepAlive === 0 || keepAlive > limits.maximumKeepAlive)
  ) {
    keepAlive = limits.maximumKeepAlive
    serverKeepAlive = keepAlive // [MQTT-3.2.2-21]
  }
  const expiryInterval = Math.min(packet.sessionExpiryInterval, limits.maximumSessionExpiryInterval)
  const connack: ConnackPacket = {
    type: "connack",
    sessionPresent: false,
    reasonCode: ReasonCode.Success,
    sessionExpiryInterval: expiryInterval === packet.sessionExpiryInterval ? undefined : expiryInterval,
    receiveMaximum: limits.receiveMaximum,
    maximumPacketSize: limits.maximumPacketSize,
    assignedClientIdentifier: packet.clientId === "" ? clientId : undefined, // [MQTT-3.1.3-7], [MQTT-3.2.2-16]
    topicAliasMaximum: limits.topicAliasMaximum,
    ...offered(hub.features),
    serverKeepAlive,
    // [MQTT-3.1.2-28] only when the client asked
    responseInformation: packet.requestResponseInformation ? hub.responseInformation(clientId) : undefined,
    // [MQTT-4.12.0-5] the one of CONNECT
    authenticationMethod: packet.authenticationMethod,
    authenticationData,
  }
  return { connack, keepAlive }
}

/** What CONNACK says of them: what is not said is offered. */
function offered(features: Features): Partial<Features> {
  const without = Object.entries(features).filter(([, value]) => value === false || value === 0 || value === 1)
  return Object.fromEntries(without)
}
