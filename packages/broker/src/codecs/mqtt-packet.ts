// The only file that imports mqtt-packet: the codec on Node (plain.ts is the one for any engine). It reads what the guard let through and writes what the broker and its small
// client send, apart from PUBLISH and the acknowledgements, which have code of their own. mqtt-packet works on Buffer.

import { Buffer } from "node:buffer"
import { generate, type IConnackPacket, type IConnectPacket, type Packet, parser, writeToStream } from "mqtt-packet"
import { copyOf } from "../packet/bytes.ts"
import { type Codec, longestReasonString, longestText, upTo } from "../packet/codec.ts"
import { malformed } from "../packet/errors.ts"
import { guard, guardConnect } from "../packet/guard.ts"
import {
  type AuthPacket,
  type ClientPacket,
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  PacketType,
  type ProtocolVersion,
  type Qos,
  type ServerPacket,
  type SubscriptionRequest,
} from "../packet/packets.ts"
import { type PropertiesAt, withoutUserProperties } from "../packet/properties.ts"

/** Properties and flags the broker's own test and command-line client can set in CONNECT. */
export interface ConnectRequest {
  readonly protocolVersion: ProtocolVersion
  readonly clientId: string
  readonly cleanStart: boolean
  readonly keepAlive: number
  readonly username?: string | undefined
  readonly password?: Uint8Array | undefined
  readonly will?: { topic: string; payload: Uint8Array; qos: Qos; retain: boolean; delayInterval?: number } | undefined
  readonly sessionExpiryInterval?: number | undefined
  readonly receiveMaximum?: number | undefined
  readonly maximumPacketSize?: number | undefined
  readonly topicAliasMaximum?: number | undefined
  readonly authenticationMethod?: string | undefined
  readonly authenticationData?: Uint8Array | undefined
}

/** Reads the CONNECT at [start, end) of `bytes`, fixed header included; its body begins at `bodyStart`. */
export function readConnect(bytes: Uint8Array, start: number, bodyStart: number, end: number): ConnectPacket {
  const shape = guardConnect(bytes, bodyStart, end)
  if (shape.absent !== 0) return readConnectWithout(shape.absent, bytes, start, bodyStart, end)
  const packet = parseWithout(bytes, start, bodyStart, end, 4, shape.properties)
  if (packet.cmd !== "connect") throw malformed("3.1", "not a CONNECT")
  const properties = packet.properties ?? {}
  const will = packet.will
  const version = shape.protocolVersion
  // MQTT 3.1.1 has no Session Expiry Interval: CleanSession 0 keeps the session (section 3.1.2.11.2, comment)
  const expiry = version === 5 ? (properties.sessionExpiryInterval ?? 0) : packet.clean === true ? 0 : 0xffff_ffff
  return {
    type: "connect",
    protocolVersion: version,
    mqtt31: shape.mqtt31,
    clientId: packet.clientId,
    cleanStart: packet.clean === true,
    keepAlive: packet.keepalive ?? 0,
    username: packet.username,
    password: packet.password === undefined ? undefined : Uint8Array.from(packet.password),
    will:
      will === undefined
        ? undefined
        : {
            topic: will.topic,
            payload: Uint8Array.from(typeof will.payload === "string" ? Buffer.from(will.payload) : will.payload),
            qos: will.qos ?? 0,
            retain: will.retain === true,
            properties: shape.willProperties,
            delayInterval: will.properties?.willDelayInterval ?? 0,
            messageExpiryInterval: will.properties?.messageExpiryInterval,
          },
    textWill: will?.properties?.payloadFormatIndicator === true,
    sessionExpiryInterval: expiry,
    receiveMaximum: properties.receiveMaximum ?? 65_535,
    maximumPacketSize: properties.maximumPacketSize,
    topicAliasMaximum: properties.topicAliasMaximum ?? 0,
    requestResponseInformation: properties.requestResponseInformation === true,
    requestProblemInformation: properties.requestProblemInformation !== false,
    authenticationMethod: properties.authenticationMethod,
    authenticationData: own(properties.authenticationData),
  }
}

/** The same packet without these Connect Flags, whose fields the packet library looks for. */
function readConnectWithout(
  flags: number,
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
): ConnectPacket {
  const whole = copyOf(bytes.subarray(start, end))
  const body = bodyStart - start
  const nameLength = 6 // MQIsdp
  whole[body + 2 + nameLength + 1]! &= ~flags
  return readConnect(whole, 0, body, whole.length)
}

/** Reads any other packet of a client that goes through mqtt-packet; `maximumFilters` as for the guard. */
export function readClientPacket(
  type: number,
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  maximumFilters: number,
): Exclude<ClientPacket, ConnectPacket> {
  guard(type, bytes, bodyStart, end, version, maximumFilters, "client")
  if (type === PacketType.Disconnect) return readDisconnect(bytes, start, bodyStart, end, version)
  if (type === PacketType.Auth) return readAuth(bytes, start, bodyStart, end)
  // MQTT 3.1 sends DUP with what is sent again.
  if ((bytes[start]! & 0x08) !== 0) return readAgain(type, bytes, start, bodyStart, end, version, maximumFilters)
  const properties = version === 5 ? [{ at: bodyStart + 2, of: type }] : []
  const packet = parseWithout(bytes, start, bodyStart, end, version, properties)
  if (packet.cmd === "subscribe") {
    return {
      type: "subscribe",
      packetId: packet.messageId ?? 0,
      subscriptionIdentifier: packet.properties?.subscriptionIdentifier,
      subscriptions: packet.subscriptions.map(
        (one): SubscriptionRequest => ({
          filter: one.topic,
          qos: one.qos,
          noLocal: one.nl === true,
          retainAsPublished: one.rap === true,
          retainHandling: one.rh === 1 ? 1 : one.rh === 2 ? 2 : 0,
        }),
      ),
    }
  }
  if (packet.cmd === "unsubscribe") {
    return { type: "unsubscribe", packetId: packet.messageId ?? 0, filters: packet.unsubscriptions }
  }
  throw malformed("2.1.2", `a client may not send packet type ${type}`)
}

/** The same packet without DUP, which the packet library does not take. */
function readAgain(
  type: number,
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  maximumFilters: number,
): Exclude<ClientPacket, ConnectPacket> {
  const first = copyOf(bytes.subarray(start, end))
  first[0]! &= 0xf7
  return readClientPacket(type, first, 0, bodyStart - start, end - start, version, maximumFilters)
}

/**
 * Writes a server packet. `maximumPacketSize` is the client's; a Reason String and Response Information that do not fit are left
 * out ([MQTT-3.2.2-19]), and so are a Reason String of more than 200 bytes and Response Information of more than 65,535.
 */
export function writeServerPacket(
  packet: ServerPacket,
  version: ProtocolVersion,
  maximumPacketSize?: number,
): Uint8Array {
  const bytes = write(toServerPacket(packet, version, true), version)
  if (maximumPacketSize === undefined || bytes.length <= maximumPacketSize) return bytes
  // Section 3.14.2.1: without properties DISCONNECT needs no Property Length.
  if (packet.type === "disconnect" && maximumPacketSize === 3) return Uint8Array.of(0xe0, 1, packet.reasonCode)
  return write(toServerPacket(packet, version, false), version)
}

export function writeConnect(request: ConnectRequest): Uint8Array {
  const version = request.protocolVersion
  const packet: IConnectPacket = {
    cmd: "connect",
    protocolId: "MQTT",
    protocolVersion: version,
    clientId: request.clientId,
    clean: request.cleanStart,
    keepalive: request.keepAlive,
  }
  if (request.username !== undefined) packet.username = request.username
  if (request.password !== undefined) packet.password = Buffer.from(request.password)
  const will = request.will
  if (will !== undefined) {
    packet.will = { topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: will.retain }
    if (will.delayInterval !== undefined && version === 5)
      packet.will.properties = { willDelayInterval: will.delayInterval }
  }
  if (version === 5) {
    packet.properties = present({
      sessionExpiryInterval: request.sessionExpiryInterval,
      receiveMaximum: request.receiveMaximum,
      maximumPacketSize: request.maximumPacketSize,
      topicAliasMaximum: request.topicAliasMaximum,
      authenticationMethod: request.authenticationMethod,
      authenticationData: request.authenticationData && Buffer.from(request.authenticationData),
    })
  }
  return write(packet, version)
}

export function writeSubscribe(
  packetId: number,
  subscriptions: readonly SubscriptionRequest[],
  version: ProtocolVersion,
  subscriptionIdentifier?: number,
): Uint8Array {
  const properties = present({ subscriptionIdentifier })
  return write(
    {
      cmd: "subscribe",
      messageId: packetId,
      properties,
      subscriptions: subscriptions.map((one) => ({
        topic: one.filter,
        qos: one.qos,
        nl: one.noLocal,
        rap: one.retainAsPublished,
        rh: one.retainHandling,
      })),
    },
    version,
  )
}

export function writeUnsubscribe(packetId: number, filters: readonly string[], version: ProtocolVersion): Uint8Array {
  return write({ cmd: "unsubscribe", messageId: packetId, unsubscriptions: [...filters] }, version)
}

function readDisconnect(
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
): DisconnectPacket {
  // mqtt-packet reads a missing Property Length as an error; the guard has checked what is there
  if (version === 4 || end - bodyStart < 2) {
    return { type: "disconnect", reasonCode: bodyStart === end ? 0 : bytes[bodyStart]! }
  }
  const properties = [{ at: bodyStart + 1, of: PacketType.Disconnect }]
  const packet = parseWithout(bytes, start, bodyStart, end, version, properties)
  if (packet.cmd !== "disconnect") throw malformed("3.14", "not a DISCONNECT")
  return {
    type: "disconnect",
    reasonCode: packet.reasonCode ?? 0,
    sessionExpiryInterval: packet.properties?.sessionExpiryInterval,
    reasonString: packet.properties?.reasonString,
    serverReference: packet.properties?.serverReference,
  }
}

function readAuth(bytes: Uint8Array, start: number, bodyStart: number, end: number): AuthPacket {
  // Without properties, which mqtt-packet reads as an error.
  if (end - bodyStart < 2) {
    const reasonCode = bodyStart === end ? 0 : bytes[bodyStart]!
    return { type: "auth", reasonCode, authenticationMethod: undefined, authenticationData: undefined }
  }
  const packet = parseWithout(bytes, start, bodyStart, end, 5, [{ at: bodyStart + 1, of: PacketType.Auth }])
  if (packet.cmd !== "auth") throw malformed("3.15", "not an AUTH")
  return {
    type: "auth",
    reasonCode: packet.reasonCode,
    authenticationMethod: packet.properties?.authenticationMethod,
    authenticationData: own(packet.properties?.authenticationData),
  }
}

/** Bytes of our own, not a view of what was received. */
function own(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : Uint8Array.from(bytes)
}

function toServerPacket(packet: ServerPacket, version: ProtocolVersion, withReason: boolean): Packet {
  switch (packet.type) {
    case "connack":
      return toConnack(packet, version, withReason)
    case "suback":
      return {
        cmd: "suback",
        messageId: packet.packetId,
        granted: [...packet.reasonCodes],
        properties: present({ reasonString: withReason ? upTo(longestReasonString, packet.reasonString) : undefined }),
      }
    case "unsuback":
      return { cmd: "unsuback", messageId: packet.packetId, granted: [...packet.reasonCodes] }
    case "auth":
      return {
        cmd: "auth",
        reasonCode: packet.reasonCode,
        properties: present({
          authenticationMethod: packet.authenticationMethod,
          authenticationData: packet.authenticationData && Buffer.from(packet.authenticationData),
        }),
      }
    case "disconnect":
      return {
        cmd: "disconnect",
        reasonCode: packet.reasonCode,
        properties: present({
          sessionExpiryInterval: packet.sessionExpiryInterval,
          reasonString: withReason ? upTo(longestReasonString, packet.reasonString) : undefined,
          serverReference: withReason ? upTo(longestText, packet.serverReference) : undefined,
        }),
      }
  }
}

function toConnack(packet: ConnackPacket, version: ProtocolVersion, withReason: boolean): IConnackPacket {
  if (version === 4) return { cmd: "connack", sessionPresent: packet.sessionPresent, returnCode: packet.reasonCode }
  return {
    cmd: "connack",
    sessionPresent: packet.sessionPresent,
    reasonCode: packet.reasonCode,
    properties: present({
      sessionExpiryInterval: packet.sessionExpiryInterval,
      receiveMaximum: packet.receiveMaximum,
      maximumPacketSize: packet.maximumPacketSize,
      assignedClientIdentifier: packet.assignedClientIdentifier,
      topicAliasMaximum: packet.topicAliasMaximum,
      maximumQoS: packet.maximumQos === 2 ? undefined : packet.maximumQos,
      retainAvailable: packet.retainAvailable,
      wildcardSubscriptionAvailable: packet.wildcardSubscriptionAvailable,
      subscriptionIdentifiersAvailable: packet.subscriptionIdentifierAvailable,
      sharedSubscriptionAvailable: packet.sharedSubscriptionAvailable,
      reasonString: withReason ? upTo(longestReasonString, packet.reasonString) : undefined,
      serverKeepAlive: packet.serverKeepAlive,
      responseInformation: withReason ? upTo(longestText, packet.responseInformation) : undefined,
      serverReference: withReason ? upTo(longestText, packet.serverReference) : undefined,
      authenticationMethod: packet.authenticationMethod,
      authenticationData: packet.authenticationData && Buffer.from(packet.authenticationData),
    }),
  }
}

type Present<T> = { [K in keyof T]?: NonNullable<T[K]> }

/** The object without its undefined members. */
function present<T extends object>(properties: T): Present<T> {
  const result: Present<T> = {}
  for (const key in properties) {
    const value = properties[key]
    if (value !== undefined && value !== null) result[key] = value
  }
  return result
}

/** Without the User Properties, which would cost much and are not read. */
function parseWithout(
  bytes: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
  version: ProtocolVersion,
  properties: readonly PropertiesAt[],
): Packet {
  const less = withoutUserProperties(bytes, start, bodyStart, end, properties)
  return less === undefined ? parse(bytes, start, end, version) : parse(less, 0, less.length, version)
}

/** Reads one packet after the other: a parser of the packet library is a stream with a list of buffers, dearer than most packets. */
class OnePacketParser {
  readonly #parser = parser()
  #packet: Packet | undefined
  #failure: unknown

  constructor() {
    this.#parser.on("packet", (packet) => {
      this.#packet = packet
    })
    this.#parser.on("error", (error) => {
      this.#failure = error
    })
  }

  /** @throws MqttError, and is not used again */
  read(bytes: Buffer, version: ProtocolVersion): Packet {
    this.#settings = { protocolVersion: version }
    const left = this.#parser.parse(bytes)
    const [packet, failure] = [this.#packet, this.#failure]
    if (packet === undefined || failure !== undefined || left !== 0) {
      throw malformed("4.13.1", failure instanceof Error ? failure.message : "the packet cannot be read")
    }
    this.#packet = undefined
    // The library puts a CONNECT here, password and all.
    this.#settings = {}
    return packet
  }

  /** Of the library's parser: what it goes by, which its types leave out. */
  set #settings(settings: { readonly protocolVersion?: ProtocolVersion }) {
    Object.assign(this.#parser, { settings })
  }
}

/** One that has refused a packet is not asked again. */
class PacketParser {
  #free: OnePacketParser | undefined

  /** @throws MqttError */
  read(bytes: Buffer, version: ProtocolVersion): Packet {
    const one = this.#free ?? new OnePacketParser()
    this.#free = undefined
    const packet = one.read(bytes, version)
    this.#free = one
    return packet
  }
}

const packets = new PacketParser()

function parse(bytes: Uint8Array, start: number, end: number, version: ProtocolVersion): Packet {
  return packets.read(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start), version)
}

function write(packet: Packet, version: ProtocolVersion): Uint8Array {
  // Without this the first packet would build 65,536 Buffers.
  if (writeToStream.cacheNumbers) writeToStream.cacheNumbers = false
  return generate(packet, { protocolVersion: version })
}

/** The broker's side of it. */
export const mqttPacketCodec: Codec = { readConnect, readClientPacket, writeServerPacket }
