// What the log has lines for.

import type { BridgeEvent, BrokerEvent, HandshakeFailed, HandshakeSucceeded } from "../ports/events.ts"

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

export type LogEvent = BrokerEvent | HandshakeSucceeded | HandshakeFailed | BridgeEvent | Lifecycle
