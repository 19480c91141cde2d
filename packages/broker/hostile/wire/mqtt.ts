// MQTT packets as a hostile client writes them: independent of the code under test, every length as asked for, right or not.

export type Version = 3 | 4 | 5

export const packetType = {
  connect: 1,
  connack: 2,
  publish: 3,
  puback: 4,
  pubrec: 5,
  pubrel: 6,
  pubcomp: 7,
  subscribe: 8,
  suback: 9,
  unsubscribe: 10,
  unsuback: 11,
  pingreq: 12,
  pingresp: 13,
  disconnect: 14,
  auth: 15,
} as const

export const property = {
  payloadFormat: 0x01,
  messageExpiry: 0x02,
  contentType: 0x03,
  responseTopic: 0x08,
  correlationData: 0x09,
  subscriptionIdentifier: 0x0b,
  sessionExpiry: 0x11,
  authenticationMethod: 0x15,
  authenticationData: 0x16,
  requestProblemInformation: 0x17,
  willDelay: 0x18,
  requestResponseInformation: 0x19,
  serverReference: 0x1c,
  reasonString: 0x1f,
  receiveMaximum: 0x21,
  topicAliasMaximum: 0x22,
  topicAlias: 0x23,
  userProperty: 0x26,
  maximumPacketSize: 0x27,
} as const

/** Text, or bytes as they are. */
export type Content = string | Uint8Array

export function bytesOf(content: Content): Uint8Array {
  return typeof content === "string" ? Buffer.from(content, "utf8") : content
}

/** Two bytes of length, then the content. @throws RangeError past 65,535 bytes */
export function field(content: Content): Uint8Array {
  const bytes = bytesOf(content)
  if (bytes.length > 0xffff) throw new RangeError(`a field of ${bytes.length} bytes`)
  return Buffer.concat([uint16(bytes.length), bytes])
}

export function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 0xff)
}

export function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff)
}

/** A Variable Byte Integer. */
export function variable(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0))
    rest = Math.floor(rest / 128)
  } while (rest > 0)
  return Uint8Array.from(bytes)
}

/** Fixed header and body; the length is that of the body. */
export function packet(first: number, ...body: readonly Uint8Array[]): Uint8Array {
  const length = body.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Uint8Array.of(first), variable(length), ...body])
}

/** A property whose value is text or binary data. */
export function textProperty(identifier: number, value: Content): Uint8Array {
  return Buffer.concat([Uint8Array.of(identifier), field(value)])
}

export function userProperty(name: Content, value: Content): Uint8Array {
  return Buffer.concat([Uint8Array.of(property.userProperty), field(name), field(value)])
}

/** Property Length and properties: nothing at all before MQTT 5.0. */
function propertiesOf(version: Version, properties: readonly Uint8Array[] = []): Uint8Array {
  if (version !== 5) return new Uint8Array(0)
  const all = Buffer.concat(properties)
  return Buffer.concat([variable(all.length), all])
}

export interface Will {
  readonly topic: Content
  readonly payload: Content
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  readonly properties?: readonly Uint8Array[]
}

export interface Connect {
  readonly version?: Version
  readonly clientId?: Content
  readonly cleanStart?: boolean
  /** Seconds. */
  readonly keepAlive?: number
  readonly username?: Content
  readonly password?: Content
  readonly will?: Will
  readonly properties?: readonly Uint8Array[]
  /** Default: the version's own. */
  readonly protocolName?: Content
  /** Default: the version's own. */
  readonly protocolLevel?: number
}

export function connect(options: Connect = {}): Uint8Array {
  const { version = 5, will, username, password, cleanStart = true } = options
  const flags =
    (username !== undefined ? 0x80 : 0) |
    (password !== undefined ? 0x40 : 0) |
    (will?.retain ? 0x20 : 0) |
    ((will?.qos ?? 0) << 3) |
    (will !== undefined ? 0x04 : 0) |
    (cleanStart ? 0x02 : 0)
  return packet(
    packetType.connect << 4,
    field(options.protocolName ?? (version === 3 ? "MQIsdp" : "MQTT")),
    Uint8Array.of(options.protocolLevel ?? version, flags),
    uint16(options.keepAlive ?? 0),
    propertiesOf(version, options.properties),
    field(options.clientId ?? ""),
    ...(will === undefined ? [] : [propertiesOf(version, will.properties), field(will.topic), field(will.payload)]),
    ...(username === undefined ? [] : [field(username)]),
    ...(password === undefined ? [] : [field(password)]),
  )
}

export interface Publish {
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
  readonly dup?: boolean
  readonly packetId?: number
  readonly properties?: readonly Uint8Array[]
}

export function publish(version: Version, topic: Content, payload: Content, options: Publish = {}): Uint8Array {
  const { qos = 0, retain = false, dup = false, packetId = 1 } = options
  return packet(
    (packetType.publish << 4) | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0),
    field(topic),
    ...(qos > 0 ? [uint16(packetId)] : []),
    propertiesOf(version, options.properties),
    bytesOf(payload),
  )
}

export interface Filter {
  readonly filter: Content
  /** Subscription Options as one byte; default QoS 0. */
  readonly options?: number
}

export function subscribe(
  version: Version,
  packetId: number,
  filters: readonly Filter[],
  properties: readonly Uint8Array[] = [],
): Uint8Array {
  const requests = Buffer.concat(filters.flatMap(({ filter, options = 0 }) => [field(filter), Uint8Array.of(options)]))
  return packet((packetType.subscribe << 4) | 2, uint16(packetId), propertiesOf(version, properties), requests)
}

export function unsubscribe(
  version: Version,
  packetId: number,
  filters: readonly Content[],
  properties: readonly Uint8Array[] = [],
): Uint8Array {
  const names = Buffer.concat(filters.map(field))
  return packet((packetType.unsubscribe << 4) | 2, uint16(packetId), propertiesOf(version, properties), names)
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP. */
export function acknowledge(
  version: Version,
  type: 4 | 5 | 6 | 7,
  packetId: number,
  reasonCode = 0,
  properties: readonly Uint8Array[] = [],
): Uint8Array {
  const first = (type << 4) | (type === packetType.pubrel ? 2 : 0)
  if (version !== 5 || (reasonCode === 0 && properties.length === 0)) return packet(first, uint16(packetId))
  return packet(first, uint16(packetId), Uint8Array.of(reasonCode), propertiesOf(version, properties))
}

export function disconnect(version: Version, reasonCode = 0, properties: readonly Uint8Array[] = []): Uint8Array {
  if (version !== 5) return packet(packetType.disconnect << 4)
  return packet(packetType.disconnect << 4, Uint8Array.of(reasonCode), propertiesOf(version, properties))
}

export function auth(reasonCode: number, properties: readonly Uint8Array[]): Uint8Array {
  return packet(packetType.auth << 4, Uint8Array.of(reasonCode), propertiesOf(5, properties))
}

export function pingreq(): Uint8Array {
  return Uint8Array.of(packetType.pingreq << 4, 0)
}

/** A packet that the broker sent. */
export interface Received {
  readonly type: number
  readonly flags: number
  readonly body: Uint8Array
}

/** Cuts what comes from the broker into packets. */
export class PacketReader {
  #held: Uint8Array = new Uint8Array(0)

  /** @throws Error when the bytes are no MQTT */
  push(bytes: Uint8Array): Received[] {
    const all = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    const packets: Received[] = []
    let at = 0
    for (;;) {
      let [length, shift, position] = [0, 0, at + 1]
      let complete = false
      for (; position < all.length && !complete; position++) {
        if (shift > 21) throw new Error("the broker sent a length of more than four bytes")
        const byte = all[position]!
        length += (byte & 0x7f) * 2 ** shift
        shift += 7
        complete = byte < 0x80
      }
      if (!complete || position + length > all.length) break
      packets.push({ type: all[at]! >> 4, flags: all[at]! & 15, body: all.subarray(position, position + length) })
      at = position + length
    }
    this.#held = all.slice(at)
    return packets
  }
}

/** The Packet Identifier and QoS of a PUBLISH that the broker sent, and its topic. */
export function readPublish({ flags, body }: Received): { topic: string; qos: number; packetId: number } {
  const length = body[0]! * 256 + body[1]!
  const qos = (flags >> 1) & 3
  const at = 2 + length
  return {
    topic: Buffer.from(body.subarray(2, at)).toString("utf8"),
    qos,
    packetId: qos === 0 ? 0 : body[at]! * 256 + body[at + 1]!,
  }
}
