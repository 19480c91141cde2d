// Properties of MQTT 5.0 that a command line gives (-D PACKET NAME VALUE). Their names are those of Table 2-4 with dashes:
// content-type.

import { type Arguments, UsageError, wordSeparator } from "@puremq/tls13/command-line"
import { checkText, encodeText } from "../../packet/bytes.ts"
import { PacketError } from "../../packet/errors.ts"
import { PacketType } from "../../packet/packets.ts"
import { type Property, PropertyId, propertyTable, willProperties } from "../../packet/properties.ts"
import type { PropertyValue } from "../../packet/property-values.ts"

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
