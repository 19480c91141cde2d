// What the broker has said in CONNACK that it takes (MQTT 5.0 section 3.2.2.3), and what asks for more: told before it is sent,
// as the broker would end the connection, or never answer.

import type { ConnackPacket, ProtocolVersion, SubscriptionRequest } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { numberOf } from "../packet/property-values.ts"
import { MqttClientError } from "./errors.ts"
import { type PublishHead, publishLength } from "./packets.ts"

/** @throws MqttClientError */
export function checkPublish(request: PublishHead, connack: ConnackPacket, version: ProtocolVersion): void {
  const { maximumQos = 2, retainAvailable = true, topicAliasMaximum = 0 } = connack
  if (request.qos > maximumQos)
    throw beyond("maximumQos", `the broker takes no messages of QoS ${request.qos}; ${maximumQos} is its highest`)
  if (request.retain && !retainAvailable) throw beyond("retainAvailable", "the broker keeps no retained messages")
  const alias = numberOf(request.properties, PropertyId.TopicAlias) ?? 0
  if (alias > topicAliasMaximum) {
    const most = topicAliasMaximum === 0 ? "none at all" : `${topicAliasMaximum} at most`
    throw beyond("topicAliasMaximum", `the broker takes no Topic Alias ${alias}; ${most}`)
  }
  checkLength("the message makes a packet", publishLength(request, version), connack)
}

/** @throws MqttClientError @param what begins the sentence: what would be sent */
export function checkLength(
  what: string,
  length: number,
  { maximumPacketSize = Number.POSITIVE_INFINITY }: ConnackPacket,
): void {
  if (length > maximumPacketSize)
    throw beyond("maximumPacketSize", `${what} of ${length} bytes; the broker takes ${maximumPacketSize} at most`)
}

/** @throws MqttClientError */
export function checkSubscribe(
  subscriptions: readonly SubscriptionRequest[],
  hasIdentifier: boolean,
  connack: ConnackPacket,
): void {
  const wild = subscriptions.find(({ filter }) => /[+#]/.test(filter))?.filter
  if (wild !== undefined && connack.wildcardSubscriptionAvailable === false)
    throw beyond("wildcardSubscriptionAvailable", `the broker takes no wildcards in subscriptions, such as ${wild}`)
  const shared = subscriptions.find(({ filter }) => filter.startsWith("$share/"))?.filter
  if (shared !== undefined && connack.sharedSubscriptionAvailable === false)
    throw beyond("sharedSubscriptionAvailable", `the broker takes no shared subscriptions, such as ${shared}`)
  if (hasIdentifier && connack.subscriptionIdentifierAvailable === false)
    throw beyond("subscriptionIdentifierAvailable", "the broker takes no Subscription Identifier")
}

function beyond(limit: keyof ConnackPacket, message: string): MqttClientError {
  return new MqttClientError("limit", message, { limit })
}
