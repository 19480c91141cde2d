// MQTT packets as bytes, made here once more from MQTT 5.0 and 3.1.1: nothing of the broker's own code is asked.

/** 3 is MQTT 3.1, 4 is 3.1.1, 5 is 5.0: the Protocol Version of CONNECT. */
export type Version = 3 | 4 | 5
export type Bytes = readonly number[]

/** An MQTT Control Packet from its first byte and its body. */
export function packet(first: number, body: Bytes): Bytes {
  return join([first], variable(body.length), body)
}

/** One after the other; some have millions of bytes. */
export function join(...parts: readonly Bytes[]): Bytes {
  const none: number[] = []
  return none.concat(...parts)
}

/** A Variable Byte Integer. */
export function variable(value: number): Bytes {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return bytes
}

export function utf8(value: string): Bytes {
  return [...new TextEncoder().encode(value)]
}

/** A UTF-8 Encoded String, or Binary Data. */
export function text(value: string | Bytes): Bytes {
  const bytes = typeof value === "string" ? utf8(value) : value
  return join(two(bytes.length), bytes)
}

export function two(value: number): Bytes {
  return [value >> 8, value & 0xff]
}

export function four(value: number): Bytes {
  return [...two(Math.floor(value / 0x1_0000)), ...two(value % 0x1_0000)]
}

/** So many times the same byte. */
export function times(count: number, byte: number): Bytes {
  return new Array<number>(count).fill(byte)
}

/** A User Property. */
export function user(name: string, value: string): Bytes {
  return [0x26, ...text(name), ...text(value)]
}

/** Properties with their length, where the version has any. */
export function set(version: Version, properties: Bytes = []): Bytes {
  return version === 5 ? [...variable(properties.length), ...properties] : []
}

export interface WillFields {
  readonly topic?: string | Bytes
  readonly payload?: string | Bytes
  readonly qos?: number
  readonly retain?: boolean
  readonly properties?: Bytes
}

export interface ConnectFields {
  /** Protocol Name. */
  readonly protocol?: string | Bytes
  /** Protocol Version. */
  readonly level?: number
  /** Connect Flags; when they are not given they are made of what follows. */
  readonly flags?: number
  readonly clean?: boolean
  readonly keepAlive?: number
  readonly properties?: Bytes
  /** Client Identifier. */
  readonly id?: string | Bytes
  readonly will?: WillFields | undefined
  readonly name?: string | Bytes | undefined
  readonly password?: string | Bytes | undefined
  /** What comes after the last field. */
  readonly more?: Bytes
}

export function connectBody(version: Version, fields: ConnectFields = {}): Bytes {
  const { id = "c", will, name, password, keepAlive = 0, properties, more = [] } = fields
  const protocol = fields.protocol ?? (version === 3 ? "MQIsdp" : "MQTT")
  const willFlags = will === undefined ? 0 : 4 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0)
  const logins = (name === undefined ? 0 : 0x80) | (password === undefined ? 0 : 0x40)
  const flags = fields.flags ?? (fields.clean === false ? 0 : 2) | willFlags | logins
  const willBytes =
    will === undefined
      ? []
      : [...set(version, will.properties), ...text(will.topic ?? "w"), ...text(will.payload ?? "gone")]
  return [
    ...text(protocol),
    fields.level ?? version,
    flags,
    ...two(keepAlive),
    ...set(version, properties),
    ...text(id),
    ...willBytes,
    ...(name === undefined ? [] : text(name)),
    ...(password === undefined ? [] : text(password)),
    ...more,
  ]
}

/** Clean Start 1, Keep Alive 0, Client Identifier "c", unless it is said otherwise. */
export function connect(version: Version, fields: ConnectFields = {}): Bytes {
  return packet(0x10, connectBody(version, fields))
}

/** What `c joins` sends: of MQTT 5.0 with Request Problem Information 0. */
export function joining(version: Version, id: string): Bytes {
  return connect(version, { id, properties: [0x17, 0] })
}

/** CONNACK properties of the plain broker: Receive Maximum 10, Maximum Packet Size 100,000, Topic Alias Maximum 5. */
export const plainProperties: Bytes = [0x21, 0, 10, 0x27, ...four(100_000), 0x22, 0, 5]

/** CONNACK that accepts; `properties` are those of MQTT 5.0. */
export function accepted(version: Version, present = false, properties: Bytes = plainProperties): Bytes {
  return packet(0x20, [present ? 1 : 0, 0, ...set(version, properties)])
}

/** CONNACK that refuses. */
export function refused(version: Version, code: number, properties: Bytes = []): Bytes {
  return packet(0x20, [0, code, ...set(version, properties)])
}

export interface PublishFields {
  readonly qos?: number
  readonly retain?: boolean
  readonly dup?: boolean
  readonly id?: number
  readonly properties?: Bytes
}

export function publish(
  version: Version,
  topic: string | Bytes,
  payload: string | Bytes,
  { qos = 0, retain = false, dup = false, id = 1, properties }: PublishFields = {},
): Bytes {
  const first = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  const content = typeof payload === "string" ? utf8(payload) : payload
  return packet(first, join(text(topic), qos > 0 ? two(id) : [], set(version, properties), content))
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP; of MQTT 5.0 with its Reason Code unless that is 0, as section 3.4.2.1 allows. */
function acknowledgement(first: number) {
  return (version: Version, id: number, code = 0): Bytes =>
    packet(first, version === 5 && code > 0 ? [...two(id), code] : two(id))
}

export const puback = acknowledgement(0x40)
export const pubrec = acknowledgement(0x50)
export const pubrel = acknowledgement(0x62)
export const pubcomp = acknowledgement(0x70)

/** A Topic Filter and its Subscription Options. */
export type Wish = readonly [filter: string | Bytes, options: number]

export function subscribe(version: Version, id: number, wishes: readonly Wish[], properties?: Bytes): Bytes {
  const filters = wishes.flatMap(([filter, options]) => [...text(filter), options])
  return packet(0x82, [...two(id), ...set(version, properties), ...filters])
}

export function suback(version: Version, id: number, ...codes: Bytes): Bytes {
  return packet(0x90, [...two(id), ...set(version), ...codes])
}

export function unsubscribe(
  version: Version,
  id: number,
  filters: readonly (string | Bytes)[],
  properties?: Bytes,
): Bytes {
  return packet(0xa2, [...two(id), ...set(version, properties), ...filters.flatMap(text)])
}

/** Reason Codes are of MQTT 5.0 only. */
export function unsuback(version: Version, id: number, ...codes: Bytes): Bytes {
  return packet(0xb0, [...two(id), ...set(version), ...(version === 5 ? codes : [])])
}

export const pingreq: Bytes = [0xc0, 0]
export const pingresp: Bytes = [0xd0, 0]

/** DISCONNECT of a client: of MQTT 5.0 with Reason Code and properties where they are given. */
export function disconnect(version: Version, code?: number, properties?: Bytes): Bytes {
  if (version !== 5 || code === undefined) return [0xe0, 0]
  return packet(0xe0, [code, ...(properties === undefined ? [] : set(5, properties))])
}

/** DISCONNECT of the broker, which is of MQTT 5.0. */
export function farewell(code: number, properties: Bytes = []): Bytes {
  return packet(0xe0, [code, ...set(5, properties)])
}

export const malformed = 0x81
export const protocolError = 0x82
