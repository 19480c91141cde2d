// MQTT packets as a client writes and reads them, made here independently of the code under test.

export type Version = 4 | 5
export type Qos = 0 | 1 | 2

export interface PublishSeen {
  readonly type: "publish"
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly dup: boolean
  readonly retain: boolean
  readonly packetId: number
  readonly alias: number
  /** Seconds; undefined: none. */
  readonly expiry: number | undefined
}

export type Packet =
  | PublishSeen
  | { readonly type: "connack"; readonly present: boolean; readonly code: number }
  | { readonly type: "ack"; readonly kind: 4 | 5 | 6 | 7; readonly packetId: number; readonly code: number }
  | { readonly type: "suback" | "unsuback"; readonly packetId: number; readonly codes: readonly number[] }
  | { readonly type: "disconnect"; readonly code: number }
  | { readonly type: "pingresp" }

export interface Connect {
  readonly version: Version
  readonly clientId: string
  readonly user: string
  readonly clean: boolean
  /** Seconds. */
  readonly expiry: number
  readonly receiveMaximum: number
  readonly aliases: number
  readonly will:
    | { readonly topic: string; readonly payload: string; readonly qos: Qos; readonly delay: number }
    | undefined
}

function text(value: string): number[] {
  const bytes = ascii(value)
  return [bytes.length >> 8, bytes.length & 255, ...bytes]
}

function ascii(value: string): number[] {
  return Array.from(value, (letter) => letter.charCodeAt(0))
}

function variable(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 7) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest & 127) | 128)
  }
}

const four = (value: number) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const two = (value: number) => [value >> 8, value & 255]
const list = (bytes: readonly number[]) => [...variable(bytes.length), ...bytes]

function packet(first: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([first, ...list(body)])
}

export function connect({
  version,
  clientId,
  user,
  clean,
  expiry,
  receiveMaximum,
  aliases,
  will,
}: Connect): Uint8Array {
  const flags = 0x80 | (clean ? 2 : 0) | (will === undefined ? 0 : 4 | (will.qos << 3))
  const properties = [0x11, ...four(expiry), 0x21, ...two(receiveMaximum), 0x22, ...two(aliases)]
  const body = [...text("MQTT"), version, flags, 0, 0]
  if (version === 5) body.push(...list(properties))
  body.push(...text(clientId))
  if (will !== undefined) {
    if (version === 5) body.push(...list([0x18, ...four(will.delay)]))
    body.push(...text(will.topic), ...text(will.payload))
  }
  body.push(...text(user))
  return packet(0x10, body)
}

export interface PublishWritten {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly dup: boolean
  readonly retain: boolean
  readonly packetId: number
  readonly expiry: number | undefined
}

export function publish(version: Version, one: PublishWritten): Uint8Array {
  const body = text(one.topic)
  if (one.qos > 0) body.push(...two(one.packetId))
  if (version === 5) body.push(...list(one.expiry === undefined ? [] : [0x02, ...four(one.expiry)]))
  body.push(...ascii(one.payload))
  return packet(0x30 | (one.dup ? 8 : 0) | (one.qos << 1) | (one.retain ? 1 : 0), body)
}

export function acknowledge(kind: 4 | 5 | 6 | 7, packetId: number): Uint8Array {
  return packet((kind << 4) | (kind === 6 ? 2 : 0), two(packetId))
}

/** @param options No Local and Retain Handling, for MQTT 5.0 */
export function subscribe(
  version: Version,
  packetId: number,
  filter: string,
  qos: Qos,
  options: { readonly noLocal: boolean; readonly withoutRetained: boolean },
): Uint8Array {
  const more = version === 4 ? 0 : (options.noLocal ? 4 : 0) | (options.withoutRetained ? 0x20 : 0)
  return packet(0x82, [...two(packetId), ...(version === 5 ? [0] : []), ...text(filter), qos | more])
}

export function unsubscribe(version: Version, packetId: number, filter: string): Uint8Array {
  return packet(0xa2, [...two(packetId), ...(version === 5 ? [0] : []), ...text(filter)])
}

/** @param code and `expiry` in seconds: for MQTT 5.0 */
export function disconnect(version: Version, code: 0 | 4, expiry: number | undefined): Uint8Array {
  if (version === 4 || (expiry === undefined && code === 0)) return packet(0xe0, [])
  return packet(0xe0, [code, ...list(expiry === undefined ? [] : [0x11, ...four(expiry)])])
}

/** What a client has been sent, in whatever pieces, as packets. */
export class Reader {
  readonly #version: Version
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(version: Version) {
    this.#version = version
  }

  push(chunk: Uint8Array): void {
    if (this.#bytes.length === 0) {
      this.#bytes = chunk
      return
    }
    const both = new Uint8Array(this.#bytes.length + chunk.length)
    both.set(this.#bytes)
    both.set(chunk, this.#bytes.length)
    this.#bytes = both
  }

  /** Undefined: none is whole. Throws on what is no packet of a server's. */
  next(): Packet | undefined {
    const bytes = this.#bytes
    let [at, length, shift] = [1, 0, 0]
    for (; ; shift += 7) {
      const byte = bytes[at++]
      if (byte === undefined) return undefined
      length |= (byte & 127) << shift
      if (byte < 128) break
    }
    if (bytes.length < at + length) return undefined
    this.#bytes = bytes.subarray(at + length)
    return read(bytes[0]!, bytes.subarray(at, at + length), this.#version)
  }
}

function read(first: number, body: Uint8Array, version: Version): Packet {
  const id = (body[0]! << 8) | body[1]!
  switch (first >> 4) {
    case 2:
      return { type: "connack", present: body[0] === 1, code: body[1]! }
    case 3:
      return readPublish(first, body, version)
    case 4:
    case 5:
    case 6:
    case 7: {
      const kind = (first >> 4) as 4 | 5 | 6 | 7
      return { type: "ack", kind, packetId: id, code: body[2] ?? 0 }
    }
    case 9:
    case 11: {
      const type = first >> 4 === 9 ? "suback" : "unsuback"
      const from = version === 5 ? 3 + body[2]! : 2
      return { type, packetId: id, codes: [...body.subarray(from)] }
    }
    case 13:
      return { type: "pingresp" }
    case 14:
      return { type: "disconnect", code: body[0] ?? 0 }
    default:
      throw new Error(`a packet that begins with ${first}`)
  }
}

const letters = (bytes: Uint8Array) => String.fromCharCode(...bytes)

function readPublish(first: number, body: Uint8Array, version: Version): Packet {
  const qos = ((first >> 1) & 3) as Qos
  let at = 2 + ((body[0]! << 8) | body[1]!)
  const topic = letters(body.subarray(2, at))
  let packetId = 0
  if (qos > 0) {
    packetId = (body[at]! << 8) | body[at + 1]!
    at += 2
  }
  let [alias, expiry]: [number, number | undefined] = [0, undefined]
  if (version === 5) {
    const end = at + 1 + body[at]!
    at++
    while (at < end) {
      const property = body[at++]!
      if (property === 0x02) {
        expiry = ((body[at]! << 24) | (body[at + 1]! << 16) | (body[at + 2]! << 8) | body[at + 3]!) >>> 0
        at += 4
      } else if (property === 0x23) {
        alias = (body[at]! << 8) | body[at + 1]!
        at += 2
      } else throw new Error(`a property ${property} that nobody has sent`)
    }
  }
  const payload = letters(body.subarray(at))
  return {
    type: "publish",
    topic,
    payload,
    qos,
    dup: (first & 8) !== 0,
    retain: (first & 1) !== 0,
    packetId,
    alias,
    expiry,
  }
}
