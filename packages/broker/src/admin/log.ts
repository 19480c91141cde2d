// One line an event: as key=value text, as JSON, or as JSON in OpenTelemetry's log data model.

import type { LogEvent } from "./log-event.ts"
import { otelRecord } from "./otel-log.ts"
import { quoted, visible } from "./visible.ts"

export type { LogEvent } from "./log-event.ts"

export type LogFormat = "json" | "otel" | "text"

/** What is kept of a failed handshake beside its line. */
const unsaid: ReadonlySet<string> = new Set(["serverName", "offer"])

/** The line for an event, without newline. `now` in milliseconds since 1970. */
export function formatEvent(event: LogEvent, format: LogFormat, now: number): string {
  // Within JSON characters that cannot be seen stand in texts only, where an escape says the same.
  if (format === "otel") return visible(JSON.stringify(otelRecord(event, now)))
  const time = new Date(now).toISOString()
  const fields: [string, unknown][] = [["time", time]]
  for (const [key, value] of Object.entries(event)) {
    if (key === "peer" && typeof value === "object" && value !== null) {
      const { address, transport, listener } = value
      fields.push(["peer", address], ["transport", transport])
      if (listener !== undefined && listener !== transport) fields.push(["listener", listener])
    } else if (unsaid.has(key)) continue
    else if (value !== undefined) fields.push([key, value])
  }
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
