// An Application Message as a message of a stream: its payload is the data, so whoever reads the stream has that as it was
// published; what else MQTT says of it goes beside it. Behind the payload stand its properties, where it has some, and what servers
// would not take beside it, as they have a bound of 65,535 bytes for that: a topic that its subject does not say, and a long Client
// Identifier.

import {
  Cursor,
  decodeUtf8,
  encodeText,
  joined,
  variableByteIntegerLength,
  writeVariableByteInteger,
} from "../packet/bytes.ts"
import type { MessageKept } from "../packet/change.ts"
import { PacketType, type Qos } from "../packet/packets.ts"
import { checkProperties } from "../packet/properties.ts"
import type { Arrived } from "../ports/cluster.ts"
import type { Append, Headers, StreamMessage } from "./streams.ts"
import { subjectOfTopic, topicOfSubject } from "./subjects.ts"

/** The first token of a subject: what is retained, what is not, and what nobody keeps. */
export const roots = { kept: "m", retained: "r", passing: "q" } as const

const names = {
  qos: "Mqtt-Qos",
  retain: "Mqtt-Retain",
  publisher: "Mqtt-Client",
  longPublisher: "Mqtt-Client-Bytes",
  expires: "Mqtt-Expires",
  properties: "Mqtt-Properties",
  topic: "Mqtt-Topic-Bytes",
  sent: "Mqtt-Sent",
} as const

/** Characters of a Client Identifier, as it is written beside a message, at most. */
const longestPublisher = 3000

export interface Published
  extends Pick<MessageKept, "topic" | "qos" | "retain" | "expiresAt" | "properties" | "payload"> {
  readonly publisher: string
}

/** Seconds for which one that has expired is kept: who was sent it before, and has not acknowledged it, is sent it again [MQTT-4.4.0-1]. */
const sentAgain = 3600

/** @param lifetime seconds that messages are kept at most, and `now`, in milliseconds since 1970 */
export function appendOf(message: Published, lifetime: number, now: number): Append {
  const { subject, headers, data } = envelopeOf(message, message.retain ? roots.retained : roots.kept)
  const seconds = Math.min(lifetime, Math.ceil((message.expiresAt - now) / 1000) + sentAgain)
  const kept = Number.isFinite(seconds) ? { lifetime: Math.max(1, seconds) } : {}
  return { subject, headers, data, ...kept }
}

/** Beside what nobody keeps: who says it, and when, in milliseconds since 1970. */
export function sentBy(node: string, now: number): Headers {
  return { [names.sent]: `${node} ${Math.floor(now)}` }
}

/** Undefined: it is not said. */
export function sentOf(headers: Headers): { readonly node: string; readonly at: number } | undefined {
  const [, node = "", at] = /^([\w-]{1,64}) (\d{1,16})$/.exec(headers[names.sent] ?? "") ?? []
  return at === undefined ? undefined : { node, at: Number(at) }
}

export function envelopeOf(
  { topic, qos, retain, expiresAt, properties, payload, publisher }: Published,
  root: string,
): { readonly subject: string; readonly headers: Headers; readonly data: Uint8Array } {
  const { text, hashed } = subjectOfTopic(topic)
  const headers: Record<string, string> = { [names.qos]: String(qos) }
  if (retain) headers[names.retain] = "1"
  if (expiresAt !== Number.POSITIVE_INFINITY) headers[names.expires] = String(Math.ceil(expiresAt))
  const data = [payload]
  const behind = (name: string, bytes: Uint8Array) => {
    if (bytes.length === 0) return
    headers[name] = String(bytes.length)
    data.push(bytes)
  }
  behind(names.properties, properties)
  if (hashed) behind(names.topic, encodeText(topic))
  const written = encodeURIComponent(publisher)
  if (written.length > longestPublisher) behind(names.longPublisher, encodeText(publisher))
  else if (publisher !== "") headers[names.publisher] = written
  return { subject: `${root}.${text}`, headers, data: data.length === 1 ? payload : joined(data) }
}

/** Undefined: it is none that a broker of ours has written, or a later one has. */
export function arrivedOf({ subject, headers, data, sequence }: StreamMessage, partition: number): Arrived | undefined {
  try {
    let end = data.length
    /** The last of what stands behind the payload that has not been taken; undefined: there is none. */
    const behind = (name: string): Uint8Array | undefined => {
      const length = headers[name]
      if (length === undefined) return undefined
      const start = end - Number(length)
      if (!(start >= 0 && start <= end)) throw new RangeError(`${name} is no length`)
      const bytes = data.subarray(start, end)
      end = start
      return bytes
    }
    const publisher = textOf(behind(names.longPublisher)) ?? decodeURIComponent(headers[names.publisher] ?? "")
    const topic = textOf(behind(names.topic)) ?? topicOfSubject(subject.slice(2))
    const properties = behind(names.properties) ?? nothing
    // They go to clients as they are: who writes into the streams must not send these a Malformed Packet.
    if (properties.length > 0) check(properties)
    const qos = qosOf(headers[names.qos])
    const expires = headers[names.expires]
    const expiresAt = expires === undefined ? Number.POSITIVE_INFINITY : Number(expires)
    if (topic === undefined || qos === undefined || Number.isNaN(expiresAt)) return undefined
    return {
      topic,
      qos,
      retain: headers[names.retain] === "1",
      expiresAt,
      properties,
      payload: data.subarray(0, end),
      publisher,
      position: { partition, sequence },
    }
  } catch {
    return undefined
  }
}

function qosOf(text: string | undefined): Qos | undefined {
  return text === "0" ? 0 : text === "1" ? 1 : text === "2" ? 2 : undefined
}

const nothing = new Uint8Array(0)

function textOf(bytes: Uint8Array | undefined): string | undefined {
  return bytes && decodeUtf8(bytes, 0, bytes.length)
}

/** Throws PacketError for properties that no PUBLISH may have. */
function check(properties: Uint8Array): void {
  const { length } = properties
  const set = new Uint8Array(variableByteIntegerLength(length) + length)
  set.set(properties, writeVariableByteInteger(set, 0, length))
  checkProperties(new Cursor(set, 0, set.length), PacketType.Publish)
}
