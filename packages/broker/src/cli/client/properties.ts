// Properties of MQTT 5.0 as values: what a command line gives (-D PACKET NAME VALUE), and what a message came with. Their names
// are those of Table 2-4 with dashes: content-type.

import { type Arguments, UsageError, wordSeparator } from "@puremq/tls13/command-line"
import { Cursor, checkText, encodeText } from "../../packet/bytes.ts"
import { PacketError } from "../../packet/errors.ts"
import { PacketType } from "../../packet/packets.ts"
import { checkProperties, type Property, PropertyId, propertyTable, willProperties } from "../../packet/properties.ts"
import { Bytes } from "./bytes.ts"

export interface PropertyValue {
  readonly id: number
  readonly value: number | string | Uint8Array | readonly [name: string, value: string]
}

/** Packets that a client sends with properties, and the will in CONNECT, as -D names them. */
export type PacketWithProperties = "connect" | "publish" | "subscribe" | "unsubscribe" | "disconnect" | "will"

const packets: Readonly<Record<PacketWithProperties, number>> = {
  connect: PacketType.Connect,
  publish: PacketType.Publish,
  subscribe: PacketType.Subscribe,
  unsubscribe: PacketType.Unsubscribe,
  disconnect: PacketType.Disconnect,
  will: willProperties,
}

/** In the order in which they were given. */
export type GivenProperties = Readonly<Record<PacketWithProperties, readonly PropertyValue[]>>

/** @throws UsageError */
export function readProperties(options: Arguments): GivenProperties {
  const given: Record<PacketWithProperties, PropertyValue[]> = {
    ...{ connect: [], publish: [], subscribe: [], unsubscribe: [], disconnect: [], will: [] },
  }
  for (const words of options.texts("property")) {
    const [packet = "", name = "", ...values] = words.split(wordSeparator)
    const of = packetOf(packet.toLowerCase())
    const property = readProperty(of, name.toLowerCase(), values)
    if (property.id !== PropertyId.UserProperty && given[of].some(({ id }) => id === property.id))
      throw new UsageError(`-D ${of} ${nameOf(property.id)} is given twice; once is all that MQTT allows`)
    given[of].push(property)
  }
  return given
}

function packetOf(word: string): PacketWithProperties {
  const known = Object.keys(packets).find((each): each is PacketWithProperties => each === word)
  if (known !== undefined) return known
  throw new UsageError(
    `-D needs PACKET NAME VALUE, where PACKET is one of ${Object.keys(packets).join(", ")}, not "${word}"`,
  )
}

function readProperty(of: PacketWithProperties, name: string, values: readonly string[]): PropertyValue {
  const allowed = [...propertyTable].filter(([id, row]) => isSent(id, row, of))
  const [id, row] = allowed.find(([id]) => nameOf(id) === name) ?? []
  if (id === undefined || row === undefined) {
    const names = allowed.map(([id]) => nameOf(id)).sort()
    throw new UsageError(`-D ${of} has no property "${name}"; it has ${names.join(", ")}`)
  }
  const where = `-D ${of} ${name}`
  const [first, second] = values
  if (first === undefined || (row.kind === "pair" && second === undefined))
    throw new UsageError(`${where} needs ${row.kind === "pair" ? "a name and a value" : "a value"}`)
  switch (row.kind) {
    case "pair":
      return { id, value: [textIn(where, first), textIn(where, second ?? "")] }
    case "text":
      return { id, value: textIn(where, first) }
    case "binary":
      return { id, value: bytesIn(where, first) }
    default:
      return { id, value: numberIn(where, row, first) }
  }
}

/** Whether a client may send it there. Subscription Identifiers of PUBLISH are the server's ([MQTT-3.3.4-6]). */
function isSent(id: number, { packets: mask }: Property, of: PacketWithProperties): boolean {
  if (id === PropertyId.SubscriptionIdentifier && of === "publish") return false
  return (mask & (1 << packets[of])) !== 0
}

/** "content-type" */
export function nameOf(id: number): string {
  return (propertyTable.get(id)?.name ?? "").toLowerCase().replaceAll(" ", "-")
}

const most = { byte: 255, flag: 1, uint16: 0xffff, uint32: 0xffff_ffff, variable: 0xfff_ffff } as const

function numberIn(where: string, { kind, zero }: Property, word: string): number {
  const end = kind === "text" || kind === "binary" || kind === "pair" ? 0 : most[kind]
  const number = /^(?:\d+|0x[\da-f]+)$/i.test(word) ? Number(word) : Number.NaN
  const least = zero ? 0 : 1
  if (number >= least && number <= end) return number
  throw new UsageError(`${where} must be a whole number from ${least} to ${end}, not "${word}"`)
}

/** A word of the command line as a string of MQTT (section 1.5.4). Throws UsageError. @param what begins the sentence */
export function textIn(what: string, word: string): string {
  const bytes = bytesIn(what, word)
  try {
    checkText(bytes, 0, bytes.length)
  } catch (error) {
    if (error instanceof PacketError) throw new UsageError(`${what}: ${error.message}`)
    throw error
  }
  return word
}

/** The same as Binary Data, which may be anything. */
export function bytesIn(what: string, word: string): Uint8Array {
  const bytes = encodeText(word)
  if (bytes.length <= 0xffff) return bytes
  throw new UsageError(`${what} has ${bytes.length} bytes; 65535 are the most that MQTT has room for`)
}

export function numberOf(properties: readonly PropertyValue[], id: number): number | undefined {
  const value = properties.find((each) => each.id === id)?.value
  return typeof value === "number" ? value : undefined
}

/** The bytes of a property set, with its Property Length. */
export function encodeProperties(properties: readonly PropertyValue[]): Uint8Array {
  const bytes = new Bytes()
  for (const { id, value } of properties) {
    bytes.byte(id)
    if (typeof value === "string") bytes.text(value)
    else if (value instanceof Uint8Array) bytes.binary(value)
    else if (typeof value === "object") bytes.text(value[0]).text(value[1])
    else encodeNumber(bytes, propertyTable.get(id)?.kind, value)
  }
  const all = bytes.take()
  return new Bytes().variable(all.length).bytes(all).take()
}

function encodeNumber(bytes: Bytes, kind: Property["kind"] | undefined, value: number): void {
  if (kind === "uint16") bytes.uint16(value)
  else if (kind === "uint32") bytes.uint32(value)
  else if (kind === "variable") bytes.variable(value)
  else bytes.byte(value)
}

/**
 * The properties that begin at `start`, in their order. Throws PacketError.
 * @param packetType what they are properties of @param end of the packet
 */
export function decodeProperties(bytes: Uint8Array, start: number, end: number, packetType: number): PropertyValue[] {
  if (start >= end || bytes[start] === 0) return []
  const found: PropertyValue[] = []
  checkProperties(new Cursor(bytes, start, end), packetType, (id, at, after) =>
    found.push({ id, value: decodeValue(id, new Cursor(bytes, at + 1, after)) }),
  )
  return found
}

function decodeValue(id: number, cursor: Cursor): PropertyValue["value"] {
  const { name, kind } = propertyTable.get(id)!
  switch (kind) {
    case "text":
      return cursor.text(name)
    case "binary": {
      const start = cursor.binary(name)
      return cursor.bytes.subarray(start, cursor.at)
    }
    case "pair": {
      const first = cursor.text(name)
      return [first, cursor.text(name)]
    }
    case "uint16":
      return cursor.uint16(name)
    case "uint32":
      return cursor.uint32(name)
    case "variable":
      return cursor.variableByteInteger(name)
    default:
      return cursor.byte(name)
  }
}

/** The Reason String of an acknowledgement, if it has one. */
export function reasonStringIn(bytes: Uint8Array, start: number, end: number, packetType: number): string | undefined {
  const value = decodeProperties(bytes, start, end, packetType).find(({ id }) => id === PropertyId.ReasonString)?.value
  return typeof value === "string" ? value : undefined
}
