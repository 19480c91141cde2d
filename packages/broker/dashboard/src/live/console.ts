// The page's own MQTT connection: the console's, and the one by which a retained message is seen as it changes.

import { type Signal, signal } from "@preact/signals"
import {
  type ClientEvent,
  type MessageCame,
  PropertyId,
  type PropertyValue,
  type PublishOptions,
  type Qos,
  reasonName,
} from "../../../src/mqtt-client/index.ts"
import { type Link, openLink } from "../mqtt/link.ts"

/** Messages that are kept, and bytes of the payload of each. */
const mostMessages = 300
const mostPayload = 65_536

export interface Line {
  readonly id: number
  readonly at: number
  readonly way: "in" | "out" | "said"
  readonly topic: string
  readonly payload: Uint8Array
  /** Of the whole payload. */
  readonly bytes: number
  readonly qos: number
  readonly retain: boolean
  readonly userProperties: readonly (readonly [string, string])[]
  readonly others: readonly string[]
}

export type ConsoleState = "closed" | "connecting" | "connected"

export const consoleState: Signal<ConsoleState> = signal<ConsoleState>("closed")
export const consoleProblem: Signal<string | undefined> = signal(undefined)
export const lines: Signal<readonly Line[]> = signal([])
export const filters: Signal<readonly string[]> = signal([])
/** Who wants to hear of messages beside the list. */
const hearers = new Set<(topic: string, payload: Uint8Array) => void>()

let open: Link | undefined
let fresh: Line[] = []
let counted = 0

export interface Login {
  readonly url: string
  readonly clientId: string
  readonly version: 4 | 5
  readonly username: string
  readonly password: string
}

export function connectConsole({ url, clientId, version, username, password }: Login): void {
  disconnectConsole()
  consoleProblem.value = undefined
  consoleState.value = "connecting"
  const login = username === "" ? {} : { username, ...(password !== "" && { password }) }
  const options = { clientId, version, keepAlive: 30, maximumPacketSize: 1_048_576, patience: 10_000, ...login }
  try {
    const link = openLink(url, options, (event) => take(event, () => open === link))
    open = link
  } catch (error) {
    consoleState.value = "closed"
    consoleProblem.value = error instanceof Error ? error.message : String(error)
  }
}

export function disconnectConsole(): void {
  const link = open
  open = undefined
  link?.close()
  filters.value = []
  consoleState.value = "closed"
}

/** @throws MqttClientError */
export function subscribeConsole(filter: string, qos: Qos): void {
  open?.client.subscribe([{ filter, qos }])
  open?.flush()
  if (!filters.value.includes(filter)) filters.value = [...filters.value, filter]
}

/** @throws MqttClientError */
export function unsubscribeConsole(filter: string): void {
  open?.client.unsubscribe([filter])
  open?.flush()
  filters.value = filters.value.filter((each) => each !== filter)
}

/** @throws MqttClientError */
export function publishConsole(message: Omit<PublishOptions, "payload"> & { readonly payload: Uint8Array }): void {
  open?.client.publish(message)
  open?.flush()
  const { topic, payload, qos = 0, retain = false, properties = [] } = message
  add({ way: "out", topic, payload, qos, retain, properties })
}

export function clearLines(): void {
  fresh = []
  lines.value = []
}

/** Hears of each message until the returned function is called. */
export function hear(hearer: (topic: string, payload: Uint8Array) => void): () => void {
  hearers.add(hearer)
  return () => void hearers.delete(hearer)
}

function take(event: ClientEvent, isCurrent: () => boolean): void {
  // `open` is set when openLink has returned; no event comes before.
  if (!isCurrent()) return
  if (event.event === "connected") consoleState.value = "connected"
  else if (event.event === "message") came(event)
  else if (event.event === "subscribed" || event.event === "acknowledged") answered(event)
  else if (event.event === "closed") {
    open = undefined
    const begun = consoleState.value === "connected"
    filters.value = []
    consoleState.value = "closed"
    if (event.error !== undefined)
      consoleProblem.value = begun ? event.error.message : `Not connected: ${event.error.message}`
  }
}

function answered(
  event: Extract<ClientEvent, { readonly event: "subscribed" | "acknowledged" | "unsubscribed" }>,
): void {
  const codes = "reasonCodes" in event ? event.reasonCodes : [event.reasonCode]
  const refused = codes.find((code) => code >= 0x80)
  if (refused === undefined) return
  const what = event.event === "acknowledged" ? "The message was refused" : "The subscription was refused"
  said(`${what}: ${event.reasonString ?? reasonName(refused)}`)
}

export function said(text: string): void {
  add({ way: "said", topic: text, payload: new Uint8Array(), qos: 0, retain: false, properties: [] })
}

function came({ topic, payload, qos, retain, properties }: MessageCame): void {
  // Before the next one comes its bytes are used again.
  const own = new Uint8Array(payload)
  for (const hearer of hearers) hearer(topic, own)
  add({ way: "in", topic, payload: own, qos, retain, properties })
}

interface Added extends Pick<Line, "way" | "topic" | "payload" | "qos" | "retain"> {
  readonly properties: readonly PropertyValue[]
}

function add({ payload, properties, ...others }: Added): void {
  const line: Line = {
    ...others,
    id: ++counted,
    at: Date.now(),
    payload: payload.length > mostPayload ? new Uint8Array(payload.subarray(0, mostPayload)) : payload,
    bytes: payload.length,
    userProperties: properties.flatMap(({ id, value }) =>
      id === PropertyId.UserProperty && Array.isArray(value) ? [[String(value[0]), String(value[1])] as const] : [],
    ),
    others: properties.flatMap(({ id, value }) => otherProperty(id, value)),
  }
  fresh.unshift(line)
  if (fresh.length > mostMessages) fresh.length = mostMessages
  // Thousands in a second are drawn a few times.
  if (fresh.length === 1) setTimeout(drawn, 100)
}

function drawn(): void {
  lines.value = [...fresh, ...lines.value].slice(0, mostMessages)
  fresh = []
}

const propertyNames: ReadonlyMap<number, string> = new Map([
  [PropertyId.ContentType, "content type"],
  [PropertyId.ResponseTopic, "response topic"],
  [PropertyId.MessageExpiryInterval, "expires in seconds"],
  [PropertyId.PayloadFormatIndicator, "payload format"],
  [PropertyId.SubscriptionIdentifier, "subscription identifier"],
])

function otherProperty(id: number, value: PropertyValue["value"]): readonly string[] {
  const name = propertyNames.get(id)
  return name === undefined ? [] : [`${name} ${String(value)}`]
}
