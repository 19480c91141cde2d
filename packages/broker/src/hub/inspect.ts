// What a running broker says of itself: numbers to read, for metrics and $SYS topics.

import type { Counters } from "../session/counters.ts"
import type { Faults } from "../session/faults.ts"

/** What there is of a session. */
export interface SessionView {
  readonly clientId: string
  readonly connected: boolean
  /** It outlives its connection. */
  readonly kept: boolean
  readonly subscriptions: { readonly size: number }
  readonly queuedMessages: number
  readonly queuedBytes: number
  /** Sent, and not completely acknowledged. */
  readonly inflightMessages: number
  /** QoS 2 messages of the client that it has not released. */
  readonly receivedCount: number
}

export interface Inspect {
  readonly counters: Counters
  readonly faults: Pick<Faults, "total">
  /** Network connections, those of them that are clients, and the most of these at the same time. */
  readonly connectionCount: number
  readonly connectedCount: number
  readonly connectedMost: number
  readonly sessionCount: number
  readonly subscriptionCount: number
  /** How many of them are Shared Subscriptions. */
  readonly sharedSubscriptionCount: number
  sessions(): Iterable<SessionView>
  /** Retained messages, and their memory in bytes. */
  readonly retained: { readonly size: number; readonly bytes: number }
  /**
   * Messages that wait for sessions or for their acknowledgements, and retained ones; bytes of their payloads; and how often one
   * of them was sent and is not completely acknowledged. One that is retained and waits counts twice.
   */
  readonly stored: { readonly messages: number; readonly payloads: number; readonly inflight: number }
  /**
   * Bytes of memory: what waits in sessions, what of it is wills, packets that have come in part or wait for a login,
   * subscriptions, copies not taken by clients.
   */
  readonly memory: {
    readonly queued: number
    readonly wills: number
    readonly partial: number
    readonly subscriptions: number
    readonly outbound: number
  }
}
