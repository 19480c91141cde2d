// One line an event, as JSON or as key=value text.

import type { BrokerEvent } from "./events.ts"
import { quoted, visible } from "./visible.ts"

/** A TLS handshake that ended well. */
export interface HandshakeSucceeded {
  readonly event: "tls handshake"
  readonly peer: string
  readonly listener: string
  readonly offered: string | undefined
  readonly agreed: string | undefined
  readonly suite: string | undefined
  readonly group: string | undefined
  readonly resumed: boolean | undefined
  /** Who the client has proven to be by its certificate. */
  readonly identity: string | undefined
  /** Why the certificate that the client showed was not accepted, where it was let in without. */
  readonly unverified?: string | undefined
  readonly milliseconds: number
}

/** A TLS handshake that failed. */
export interface HandshakeFailed {
  readonly event: "tls failure"
  readonly peer: string
  readonly listener: string
  /** Who was at fault. */
  readonly fault: "client" | "server" | "network"
  readonly alert: string | undefined
  readonly reason: string
  readonly milliseconds: number
  /** True when the connection was turned away before its handshake began. */
  readonly limit?: boolean | undefined
}

export interface Lifecycle {
  readonly event:
    | "started"
    | "listening"
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
