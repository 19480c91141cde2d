// What a webhook is told of an event of the broker's: a part of the interface, so each member is named here.

import type { LogEvent } from "./log.ts"

export const webhookEventNames = ["connect", "disconnect", "refused", "handshake-failure"] as const

export type WebhookEventName = (typeof webhookEventNames)[number]

export interface WebhookEvent {
  readonly event: WebhookEventName
  readonly [member: string]: unknown
}

/** Undefined: webhooks are not told of it. */
export function webhookEvent(event: LogEvent): WebhookEvent | undefined {
  switch (event.event) {
    case "client connected": {
      const { peer, clientId, user, mqtt, cleanStart, sessionPresent, keepAlive } = event
      const { address, transport } = peer
      return { event: "connect", clientId, user, address, transport, mqtt, cleanStart, sessionPresent, keepAlive }
    }
    case "client disconnected": {
      const { peer, clientId, by, reason } = event
      return { event: "disconnect", clientId, address: peer.address, transport: peer.transport, by, reason }
    }
    case "client refused": {
      const { peer, clientId, user = null, reason, more } = event
      return { event: "refused", clientId, user, address: peer.address, transport: peer.transport, reason, more }
    }
    case "tls failure": {
      const { peer, listener, fault, alert = null, reason, milliseconds, more } = event
      return { event: "handshake-failure", address: peer, listener, fault, alert, reason, milliseconds, more }
    }
    default:
      return undefined
  }
}
