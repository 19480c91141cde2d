// Who a client is to the broker, and what it keeps at most.

import { encodeText } from "../packet/bytes.ts"
import type { ProtocolVersion, Qos } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { numberOf, type PropertyValue } from "../packet/property-values.ts"
import { defaultLimits, type Limits } from "./limits.ts"
import type { ConnectRequest } from "./packets.ts"

/** What of a limit is not said is its default: 65,536 bytes, 100 and 20 messages, 65,536 bytes, 60,000 ms. */
type LimitOptions = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

export interface MqttClientOptions extends LimitOptions {
  /** Empty: the broker gives one, which MQTT 3.1.1 allows with `cleanStart` only. */
  readonly clientId: string
  /** 5: MQTT 5.0, the default; 4: MQTT 3.1.1. */
  readonly version?: ProtocolVersion | undefined
  /** MQTT 3.1, which the version 4 is then. */
  readonly mqtt31?: boolean | undefined
  /** False: goes on with a session that the broker has kept. Default true. */
  readonly cleanStart?: boolean | undefined
  /** Seconds, 0 to 65,535; 0: none. Default 60. The broker may want another (Server Keep Alive). */
  readonly keepAlive?: number | undefined
  readonly username?: string | undefined
  readonly password?: string | Uint8Array | undefined
  /** What the broker publishes when the connection is lost. */
  readonly will?: WillOptions | undefined
  /** Of CONNECT, in MQTT 5.0, such as a Session Expiry Interval. */
  readonly properties?: readonly PropertyValue[] | undefined
  /**
   * Acknowledgements are the caller's to send (`acknowledge`), and those that come are events: for a caller that is between two
   * brokers, and hands on what each of them says. Messages then come as often as the broker sends them. Default false.
   */
  readonly byHand?: boolean | undefined
  /** The first Packet Identifier, 1 to 65,535: in a session that goes on those of before may still be taken. Default 1. */
  readonly firstPacketId?: number | undefined
}

export interface WillOptions {
  readonly topic: string
  readonly payload: string | Uint8Array
  /** Default 0. */
  readonly qos?: Qos | undefined
  readonly retain?: boolean | undefined
  /** In MQTT 5.0, such as a Will Delay Interval. */
  readonly properties?: readonly PropertyValue[] | undefined
}

/** The largest packet of MQTT, in bytes. */
export const largestPacket = 0x1000_0004

export interface Bounds {
  readonly maximumPacketSize: number
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
}

/** What holds of the options: a property that is given goes before the option. */
export function boundsOf({ version = 5, ...options }: MqttClientOptions): Bounds {
  const properties = version === 5 ? (options.properties ?? []) : []
  const { maximumPacketSize, receiveMaximum } = defaultLimits
  return {
    maximumPacketSize: Math.min(
      largestPacket,
      numberOf(properties, PropertyId.MaximumPacketSize) ?? options.maximumPacketSize ?? maximumPacketSize,
    ),
    receiveMaximum: numberOf(properties, PropertyId.ReceiveMaximum) ?? options.receiveMaximum ?? receiveMaximum,
    topicAliasMaximum: numberOf(properties, PropertyId.TopicAliasMaximum) ?? 0,
  }
}

export function requestOf(options: MqttClientOptions, { maximumPacketSize, receiveMaximum }: Bounds): ConnectRequest {
  const { version = 5, password, will, properties = [] } = options
  const told: readonly PropertyValue[] = [
    ...(maximumPacketSize < largestPacket ? [{ id: PropertyId.MaximumPacketSize, value: maximumPacketSize }] : []),
    ...(receiveMaximum < 0xffff ? [{ id: PropertyId.ReceiveMaximum, value: receiveMaximum }] : []),
  ]
  return {
    version,
    mqtt31: options.mqtt31 ?? false,
    clientId: options.clientId,
    cleanStart: options.cleanStart ?? true,
    keepAlive: options.keepAlive ?? 60,
    username: options.username,
    password: password === undefined ? undefined : bytesOf(password),
    will: will && {
      topic: will.topic,
      payload: bytesOf(will.payload),
      qos: will.qos ?? 0,
      retain: will.retain ?? false,
      properties: will.properties ?? [],
    },
    properties: [...properties, ...told.filter(({ id }) => numberOf(properties, id) === undefined)],
  }
}

/** Text stands for its UTF-8 bytes. */
export function bytesOf(given: string | Uint8Array): Uint8Array {
  return typeof given === "string" ? encodeText(given) : given
}
