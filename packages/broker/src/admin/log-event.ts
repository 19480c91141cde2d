// What the log has lines for.

import type { BridgeEvent, BrokerEvent, ClusterEvent, HandshakeFailed, HandshakeSucceeded } from "../ports/events.ts"

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

/** Somebody has done something by the admin API, or tried to: one for each request. */
export interface AdminOperation {
  readonly event: "admin operation"
  /** The name of the token. */
  readonly token: string
  readonly peer: string
  readonly operation: string
  /** What it was done to: a Client Identifier, a topic. */
  readonly target: string | undefined
  /** "done", or why not. */
  readonly outcome: string
}

export type LogEvent =
  | BrokerEvent
  | HandshakeSucceeded
  | HandshakeFailed
  | BridgeEvent
  | ClusterEvent
  | Lifecycle
  | AdminOperation
