// What the broker has said in CONNACK that it takes (MQTT 5.0 section 3.2.2.3), and what asks for more: told before it is sent,
// as the broker would end the connection, or never answer.

import type { ConnackPacket, ProtocolVersion, SubscriptionRequest } from "../../packet/packets.ts"
import { PropertyId } from "../../packet/properties.ts"
import { numberOf } from "../../packet/property-values.ts"
import { ClientError } from "./errors.ts"
import { type PublishRequest, publishLength } from "./packets.ts"

/** @throws ClientError */
export function checkPublish(request: PublishRequest, connack: ConnackPacket, version: ProtocolVersion): void {
  const { maximumQos = 2, retainAvailable = true, topicAliasMaximum = 0 } = connack
  if (request.qos > maximumQos)
    throw new ClientError(
      `the broker takes no messages of QoS ${request.qos}; ${maximumQos} is its highest: -q ${maximumQos}`,
    )
  if (request.retain && !retainAvailable) throw new ClientError("the broker keeps no retained messages: leave out -r")
  const alias = numberOf(request.properties, PropertyId.TopicAlias) ?? 0
  if (alias > topicAliasMaximum) {
    const most = topicAliasMaximum === 0 ? "none at all" : `${topicAliasMaximum} at most`
    throw new ClientError(`the broker takes no Topic Alias ${alias}; ${most}`)
  }
  checkLength("the message makes a packet", publishLength(request, version), connack)
}

/** @throws ClientError @param what begins the sentence: what would be sent */
export function checkLength(
  what: string,
  length: number,
  { maximumPacketSize = Number.POSITIVE_INFINITY }: ConnackPacket,
): void {
  if (length > maximumPacketSize)
    throw new ClientError(`${what} of ${length} bytes; the broker takes ${maximumPacketSize} at most`)
}

/** @throws ClientError */
export function checkSubscribe(
  subscriptions: readonly SubscriptionRequest[],
  hasIdentifier: boolean,
  connack: ConnackPacket,
): void {
  const wild = subscriptions.find(({ filter }) => /[+#]/.test(filter))?.filter
  if (wild !== undefined && connack.wildcardSubscriptionAvailable === false)
    throw new ClientError(`the broker takes no wildcards in subscriptions, such as ${wild}`)
  const shared = subscriptions.find(({ filter }) => filter.startsWith("$share/"))?.filter
  if (shared !== undefined && connack.sharedSubscriptionAvailable === false)
    throw new ClientError(`the broker takes no shared subscriptions, such as ${shared}`)
  if (hasIdentifier && connack.subscriptionIdentifierAvailable === false)
    throw new ClientError("the broker takes no Subscription Identifier: leave out -D subscribe subscription-identifier")
}
