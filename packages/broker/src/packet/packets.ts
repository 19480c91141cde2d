// The MQTT Control Packets other than PUBLISH, as plain values (MQTT 5.0 chapter 3). PUBLISH is in publish.ts.

/** Packet type numbers (Table 2-1). */
export const PacketType = {
  Connect: 1,
  Connack: 2,
  Publish: 3,
  Puback: 4,
  Pubrec: 5,
  Pubrel: 6,
  Pubcomp: 7,
  Subscribe: 8,
  Suback: 9,
  Unsubscribe: 10,
  Unsuback: 11,
  Pingreq: 12,
  Pingresp: 13,
  Disconnect: 14,
  Auth: 15,
} as const

/** 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type ProtocolVersion = 4 | 5

export type Qos = 0 | 1 | 2

/** The Will Message of a CONNECT. `properties` are raw bytes, in order, without Will Delay and Message Expiry ([MQTT-3.1.3-10]). */
export interface Will {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  readonly properties: Uint8Array
  /** Seconds, 0 when absent. */
  readonly delayInterval: number
  /** Seconds; undefined when absent. */
  readonly messageExpiryInterval: number | undefined
}

export interface ConnectPacket {
  readonly type: "connect"
  readonly protocolVersion: ProtocolVersion
  /** MQTT 3.1, which is 3.1.1 but for a few bits: see `framer.mqtt31`, and the answers to CONNECT and SUBSCRIBE. */
  readonly mqtt31: boolean
  readonly clientId: string
  readonly cleanStart: boolean
  /** Seconds, 0 means off. */
  readonly keepAlive: number
  readonly username: string | undefined
  readonly password: Uint8Array | undefined
  readonly will: Will | undefined
  /** The will's Payload Format Indicator says that its payload is text in UTF-8. */
  readonly textWill: boolean
  /** Seconds; 0xffffffff does not expire. */
  readonly sessionExpiryInterval: number
  readonly receiveMaximum: number
  /** Bytes; undefined when the client sets no limit. */
  readonly maximumPacketSize: number | undefined
  readonly topicAliasMaximum: number
  readonly requestResponseInformation: boolean
  readonly requestProblemInformation: boolean
  readonly authenticationMethod: string | undefined
  readonly authenticationData: Uint8Array | undefined
}

/** What the broker sends in CONNACK; a property that is undefined is left out. */
export interface ConnackPacket {
  readonly type: "connack"
  readonly sessionPresent: boolean
  readonly reasonCode: number
  readonly sessionExpiryInterval?: number | undefined
  readonly receiveMaximum?: number | undefined
  readonly maximumPacketSize?: number | undefined
  readonly assignedClientIdentifier?: string | undefined
  readonly topicAliasMaximum?: number | undefined
  /** Undefined: 2. */
  readonly maximumQos?: Qos | undefined
  /** Of these undefined is true. */
  readonly retainAvailable?: boolean | undefined
  readonly wildcardSubscriptionAvailable?: boolean | undefined
  readonly subscriptionIdentifierAvailable?: boolean | undefined
  readonly sharedSubscriptionAvailable?: boolean | undefined
  readonly reasonString?: string | undefined
  readonly serverKeepAlive?: number | undefined
  readonly responseInformation?: string | undefined
  readonly serverReference?: string | undefined
  readonly authenticationMethod?: string | undefined
  readonly authenticationData?: Uint8Array | undefined
}

export interface SubscriptionRequest {
  readonly filter: string
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly retainHandling: 0 | 1 | 2
}

export interface SubscribePacket {
  readonly type: "subscribe"
  readonly packetId: number
  readonly subscriptionIdentifier: number | undefined
  readonly subscriptions: readonly SubscriptionRequest[]
}

export interface SubackPacket {
  readonly type: "suback"
  readonly reasonString?: string | undefined
  readonly packetId: number
  readonly reasonCodes: readonly number[]
}

export interface UnsubscribePacket {
  readonly type: "unsubscribe"
  readonly packetId: number
  readonly filters: readonly string[]
}

export interface UnsubackPacket {
  readonly type: "unsuback"
  readonly packetId: number
  /** Empty for MQTT 3.1.1. */
  readonly reasonCodes: readonly number[]
}

export interface DisconnectPacket {
  readonly type: "disconnect"
  readonly reasonCode: number
  readonly sessionExpiryInterval?: number | undefined
  readonly reasonString?: string | undefined
  readonly serverReference?: string | undefined
}

export interface AuthPacket {
  readonly type: "auth"
  readonly reasonCode: number
  /** Undefined only in one that may not be so (section 3.15.2.2.2). */
  readonly authenticationMethod: string | undefined
  readonly authenticationData: Uint8Array | undefined
}

/** What a client may send apart from PUBLISH, the four acknowledgements and PINGREQ. */
export type ClientPacket = ConnectPacket | SubscribePacket | UnsubscribePacket | DisconnectPacket | AuthPacket
/** What a server may send apart from PUBLISH, the four acknowledgements and PINGRESP. */
export type ServerPacket = ConnackPacket | SubackPacket | UnsubackPacket | DisconnectPacket | AuthPacket
