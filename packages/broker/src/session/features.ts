// What of MQTT a broker offers: told in CONNACK (MQTT 5.0 section 3.2.2.3) and enforced.

import { PacketError } from "../packet/errors.ts"
import type { Qos, SubscriptionRequest } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

export interface Features {
  /** The highest QoS; subscriptions to a higher one are granted this (Maximum QoS). */
  readonly maximumQos: Qos
  readonly retainAvailable: boolean
  readonly wildcardSubscriptionAvailable: boolean
  readonly subscriptionIdentifierAvailable: boolean
  readonly sharedSubscriptionAvailable: boolean
}

export const allFeatures: Features = {
  maximumQos: 2,
  retainAvailable: true,
  wildcardSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  sharedSubscriptionAvailable: true,
}

/** [MQTT-3.2.2-11] to [MQTT-3.2.2-14]: a message, or a will, may not have what is not offered. Throws PacketError 0x9A, 0x9B. */
export function checkOffered(features: Features, what: string, qos: Qos, retain: boolean): void {
  if (qos > features.maximumQos) {
    const why = `${what} of QoS ${qos}; this broker offers ${features.maximumQos} at most`
    throw new PacketError(ReasonCode.QosNotSupported, "MQTT-3.2.2-11", why)
  }
  if (retain && !features.retainAvailable) {
    const why = `${what} is to be retained; this broker retains nothing`
    throw new PacketError(ReasonCode.RetainNotSupported, "MQTT-3.2.2-14", why)
  }
}

/** What a subscription asks for that is not offered, as an error of MQTT 5.0 (sections 3.2.2.3.11 to 13); undefined: nothing. */
export function notOffered(
  features: Features,
  { filter }: SubscriptionRequest,
  identifier: number | undefined,
): PacketError | undefined {
  const shared = filter.startsWith("$share/")
  const wild = filter.includes("+") || filter.includes("#")
  if (shared && !features.sharedSubscriptionAvailable) {
    const what = "this broker offers no Shared Subscriptions"
    return new PacketError(ReasonCode.SharedSubscriptionsNotSupported, "3.2.2.3.13", what)
  }
  if (wild && !features.wildcardSubscriptionAvailable) {
    const what = "this broker offers no Wildcard Subscriptions"
    return new PacketError(ReasonCode.WildcardSubscriptionsNotSupported, "3.2.2.3.11", what)
  }
  if (identifier !== undefined && !features.subscriptionIdentifierAvailable) {
    const what = "this broker offers no Subscription Identifiers"
    return new PacketError(ReasonCode.SubscriptionIdentifiersNotSupported, "3.2.2.3.12", what)
  }
  return undefined
}
