// How grave each event is. One that is new has to be given its place: nothing else compiles.

import type { LogEvent } from "./log-event.ts"

/** Names and numbers of OpenTelemetry's log data model. */
export const severityNumbers = { INFO: 9, WARN: 13, ERROR: 17 } as const

export type Severity = keyof typeof severityNumbers

export const severities: Readonly<Record<LogEvent["event"], Severity>> = {
  started: "INFO",
  listening: "INFO",
  "store opened": "INFO",
  "certificate renewed": "INFO",
  reloaded: "INFO",
  "admin operation": "INFO",
  unchanged: "INFO",
  stopping: "INFO",
  stopped: "INFO",
  "client connected": "INFO",
  "client disconnected": "INFO",
  "tls handshake": "INFO",
  "store recovered": "INFO",
  "bridge connected": "INFO",
  "node joined": "INFO",
  "node ended": "INFO",
  "cluster reachable": "INFO",
  warning: "WARN",
  "client refused": "WARN",
  "access refused": "WARN",
  "message refused": "WARN",
  "session displaced": "WARN",
  "shared messages lost": "WARN",
  "tls failure": "WARN",
  "bridge lost": "WARN",
  "bridge dropped": "WARN",
  "bridge warning": "WARN",
  "node gone": "WARN",
  error: "ERROR",
  fault: "ERROR",
  "store failed": "ERROR",
  "cluster unreachable": "ERROR",
}

/** A handshake that fails by a fault of ours is an error. */
export function severityOf(event: LogEvent): Severity {
  return event.event === "tls failure" && event.fault === "server" ? "ERROR" : severities[event.event]
}
