// An event as a record of OpenTelemetry's log data model, in JSON: Timestamp, severity, Body, Attributes, Resource. Attributes have the
// names of the semantic conventions where these have one, else names that begin with `puremq.`.

import type { LogEvent } from "./log-event.ts"
import { severityNumbers, severityOf } from "./severity.ts"
import { version } from "./version.ts"

type Value = string | number | boolean | readonly string[]
type Attributes = Record<string, Value>

/** Of the fields of events; what is none of them has its own name behind `puremq.`. */
const names: Readonly<Record<string, string>> = {
  clientId: "messaging.client.id",
  topic: "messaging.destination.name",
  user: "user.name",
  suite: "tls.cipher",
  group: "tls.curve",
  resumed: "tls.resumed",
  ech: "puremq.tls.ech",
  identity: "tls.client.subject",
  unverified: "puremq.tls.unverified",
  stack: "exception.stacktrace",
  rule: "puremq.access.rule",
  action: "puremq.access.action",
  by: "puremq.ended_by",
  fault: "puremq.tls.fault",
  listener: "puremq.listener.name",
}

/** Those that are more than one attribute, or have another form there. */
const forms: Readonly<Record<string, (value: unknown) => Attributes>> = {
  peer: peerAttributes,
  mqtt: (value) => ({ "network.protocol.name": "mqtt", "network.protocol.version": `${value}` }),
  agreed: (value) => ({ "tls.protocol.name": "tls", "tls.protocol.version": `${value}`.replace(/^TLSv/, "") }),
  offered: (value) => ({ "puremq.tls.offered_versions": `${value}`.split(", ") }),
  alert: (value) => ({ "error.type": `${value}` }),
  // Seconds, as the conventions want of times.
  milliseconds: (value) => ({ "puremq.tls.handshake.duration": Number(value) / 1000 }),
  serverName: (value) => ({ "tls.client.server_name": `${value}` }),
  // The admin API has it.
  offer: () => ({}),
  keepAlive: (value) => ({ "puremq.keep_alive": Number(value) }),
}

const resource = { "service.name": "puremq", "service.version": version } as const
const scope = { Name: "@puremq/broker", Version: version } as const

/** The record, to be written as JSON. `now` in milliseconds since 1970. */
export function otelRecord(event: LogEvent, now: number): object {
  const severity = severityOf(event)
  return {
    Timestamp: `${Math.floor(now)}000000`,
    SeverityText: severity,
    SeverityNumber: severityNumbers[severity],
    EventName: `puremq.${event.event.replaceAll(" ", "_")}`,
    Body: bodyOf(event),
    Attributes: attributesOf(event),
    Resource: resource,
    InstrumentationScope: scope,
  }
}

/** What a person reads. */
function bodyOf(event: LogEvent): string {
  if ("text" in event) return event.text
  if ("reason" in event) return `${event.event}: ${event.reason}`
  if ("rule" in event) return `${event.event}: ${event.rule}`
  if (event.event === "fault") return `fault: ${event.stack.split("\n")[0] ?? ""}`
  return event.event
}

function attributesOf(event: LogEvent): Attributes {
  const attributes: Attributes = {}
  for (const [key, value] of Object.entries(event)) {
    // These are the name and the body of the record.
    if (key === "event" || key === "text" || value === undefined || value === "") continue
    const form = forms[key]
    if (form !== undefined) Object.assign(attributes, form(value))
    else attributes[names[key] ?? `puremq.${snake(key)}`] = plain(value)
  }
  if (event.event === "tls handshake") attributes["tls.established"] = true
  if (event.event === "tls failure") {
    attributes["tls.established"] = false
    attributes["error.type"] ??= event.limit === true ? "limit" : event.fault
  }
  return attributes
}

function peerAttributes(peer: unknown): Attributes {
  const known: { address?: unknown; transport?: unknown } = typeof peer === "object" && peer !== null ? peer : {}
  const text = typeof peer === "string" ? peer : `${known.address}`
  const found = /^(?:\[(?<bracketed>[^\]]+)\]|(?<bare>[^:]+)):(?<port>\d+)$/.exec(text)?.groups
  return {
    "client.address": found?.["bracketed"] ?? found?.["bare"] ?? text,
    ...(found?.["port"] !== undefined && { "client.port": Number(found["port"]) }),
    ...(typeof known.transport === "string" && { "puremq.listener.type": known.transport }),
  }
}

function plain(value: unknown): Value {
  if (typeof value === "number" || typeof value === "boolean") return value
  if (Array.isArray(value)) return value.map(String)
  return String(value)
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
