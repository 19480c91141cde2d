// The client that a bridge is at its own broker.

import { MqttClient } from "../mqtt-client/client.ts"
import type { ClientEventSink } from "../mqtt-client/events.ts"
import type { Qos } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import type { TopicMap } from "./topics.ts"

export interface LocalSessionOptions {
  readonly localId: string
  /** Messages of QoS 1 and 2 that the broker may have unacknowledged here. */
  readonly receiveMaximum: number
  /** Bytes; of packets of the broker. Default: that of the client. */
  readonly maximumPacketSize?: number
}

/** It goes on with its session, which does not end by itself, and acknowledges nothing by itself. */
export function clientOfSession(options: LocalSessionOptions, onEvent: ClientEventSink): MqttClient {
  const { localId: clientId, receiveMaximum, maximumPacketSize } = options
  return new MqttClient(
    {
      clientId,
      receiveMaximum,
      ...(maximumPacketSize !== undefined && { maximumPacketSize }),
      cleanStart: false,
      byHand: true,
      keepAlive: 0,
      maximumInFlight: 0xffff,
      maximumWaiting: Number.POSITIVE_INFINITY,
      properties: [{ id: PropertyId.SessionExpiryInterval, value: 0xffff_ffff }],
    },
    onEvent,
  )
}

/**
 * Has the session subscriptions of these rules, and no others.
 * @param staleFilters of those that it has, the ones that are not wanted
 * @param highest QoS that the other broker takes
 * @returns the Packet Identifiers that are to be answered, and for what
 */
export function subscribeTo(
  client: MqttClient,
  { routes }: TopicMap,
  staleFilters: (wanted: ReadonlySet<string>) => readonly string[] = () => [],
  highest: Qos = 2,
): ReadonlyMap<number, readonly string[]> {
  const asked = new Map<number, readonly string[]>()
  const filters = routes.map(({ filter }) => filter)
  const stale = staleFilters(new Set(filters))
  if (stale.length > 0) asked.set(client.unsubscribe(stale), stale)
  if (routes.length === 0) return asked
  const subscriptions = routes.map(({ filter, qos }) => ({
    filter,
    qos: qos > highest ? highest : qos,
    ...(client.version === 5 && inMqtt5(qos)),
  }))
  asked.set(client.subscribe(subscriptions), filters)
  return asked
}

/**
 * [MQTT-3.8.3-3] No Local: what a bridge publishes does not come back to it. Retained messages come for a new subscription; at QoS 0,
 * where nothing waits while the bridge is away, for each.
 */
function inMqtt5(qos: Qos): { noLocal: boolean; retainAsPublished: boolean; retainHandling: 0 | 1 } {
  return { noLocal: true, retainAsPublished: true, retainHandling: qos === 0 ? 0 : 1 }
}
