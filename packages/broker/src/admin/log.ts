// One line an event, as JSON or as key=value text.

import type { BrokerEvent, HandshakeFailed, HandshakeSucceeded } from "../ports/events.ts"
import { quoted, visible } from "./visible.ts"

export interface Lifecycle {
  readonly event:
    | "started"
    | "listening"
    | "store opened"
    | "certificate renewed"
    | "reloaded"
    | "unchanged"
    | "stopping"
    | "stopped"
    | "warning"
    | "error"
  readonly text: string
}

export type LogEvent = BrokerEvent | HandshakeSucceeded | HandshakeFailed | Lifecycle

export type LogFormat = "json" | "text"

/** The line for an event, without newline. `now` in milliseconds since 1970. */
export function formatEvent(event: LogEvent, format: LogFormat, now: number): string {
  const time = new Date(now).toISOString()
  const fields: [string, unknown][] = [["time", time]]
  for (const [key, value] of Object.entries(event)) {
    if (key === "peer" && typeof value === "object" && value !== null) {
      fields.push(["peer", value.address], ["transport", value.transport])
    } else if (value !== undefined) fields.push([key, value])
  }
  // Within JSON such characters stand in texts only, where an escape says the same.
  if (format === "json") return visible(JSON.stringify(Object.fromEntries(fields)))
  const [, , ...rest] = fields
  return [time, event.event, ...rest.map(([key, value]) => `${key}=${plain(value)}`)].join(" ")
}

/** Quotes what would not be one word; control characters never reach the terminal. */
function plain(value: unknown): string {
  const text = String(value)
  if (/^[\w.:,/@+()[\]$-]+$/.test(text)) return text
  return quoted(text)
}
