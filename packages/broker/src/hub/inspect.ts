// What a running broker says of itself: numbers to read, for metrics and $SYS topics; and lists, for the admin API.

import type { Qos } from "../packet/packets.ts"
import type { Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
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

// --- lists, page by page ---

/** A client that is connected. Times are milliseconds of the broker's clock. */
export interface ClientView {
  readonly clientId: string
  /** "" for an anonymous client. */
  readonly user: string
  readonly source: Identity["source"]
  readonly peer: PeerInfo
  readonly mqtt: "3.1" | "3.1.1" | "5.0"
  readonly cleanStart: boolean
  /** When its network connection began. */
  readonly since: number
  /** Seconds, as agreed; 0: none. */
  readonly keepAlive: number
  /** Bytes that were written for it and have not left. */
  readonly outboundBytes: number
  readonly session: SessionView
}

/** A session with what is said of it in lists. */
export interface ListedSession extends SessionView {
  /** "" for an anonymous client's. */
  readonly user: string
  readonly source: Identity["source"]
  /** Seconds that it outlives its connection; 0xffffffff: it does not end by itself. */
  readonly expiryInterval: number
  /** Milliseconds; Infinity while it is connected, or when it does not end by itself. */
  readonly endsAt: number
}

export interface SubscriptionView {
  readonly clientId: string
  /** With `$share` and its name. */
  readonly filter: string
  readonly shareName: string | undefined
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | undefined
}

export interface RetainedView {
  readonly topic: string
  /** A view of the broker's own memory: not for keeping, nor for writing to. */
  readonly payload: Uint8Array
  readonly qos: Qos
  /** Milliseconds; Infinity: it does not expire. */
  readonly expiresAt: number
}

/** A level of the topics that have retained messages. */
export interface TopicLevel {
  /** Of this level alone. */
  readonly level: string
  readonly topic: string
  /** There is a message on it. */
  readonly retained: boolean
  /** How many there are below it. */
  readonly below: number
}

/** The place of an entry in its list: what comes first in its order, then what tells apart those that are equal in that. */
export type Place = readonly string[]

export interface Paged {
  /** Entries at most. */
  readonly limit: number
  /** Goes on behind this place; undefined: at the beginning. */
  readonly after?: Place | undefined
}

export interface Page<Entry> {
  readonly items: readonly Entry[]
  /**
   * Where the next page goes on; undefined: this was the last. A page may have fewer entries than its limit, or none, before that:
   * no more than so many are looked at for one.
   */
  readonly next: Place | undefined
}

export interface ClientQuery extends Paged {
  /** What they are ordered by, and whose beginning `prefix` is. */
  readonly by: "clientId" | "user" | "address"
  readonly prefix: string
  readonly wanted?: ((client: ClientView) => boolean) | undefined
}

export interface SessionQuery extends Paged {
  readonly by: "clientId" | "user"
  readonly prefix: string
  readonly wanted?: ((session: ListedSession) => boolean) | undefined
}

export interface SubscriptionQuery extends Paged {
  /** Those of this client alone. */
  readonly clientId?: string | undefined
  /** What their filters begin with. */
  readonly prefix: string
}

export interface RetainedQuery extends Paged {
  /** What their topics begin with. */
  readonly prefix: string
}

export interface TopicQuery extends Paged {
  /** The topic whose next levels these are; undefined: the first levels. */
  readonly parent: string | undefined
}

/**
 * Lists of who and what is there. An entry that is there from the first page to the last is on one of them, once, whatever else
 * changes meanwhile; what a page costs does not grow with the lists.
 */
export interface Lists {
  clients(query: ClientQuery): Page<ClientView>
  client(clientId: string): ClientView | undefined
  sessions(query: SessionQuery): Page<ListedSession>
  session(clientId: string): ListedSession | undefined
  subscriptions(query: SubscriptionQuery): Page<SubscriptionView>
  retained(query: RetainedQuery): Page<RetainedView>
  retainedOn(topic: string): RetainedView | undefined
  topics(query: TopicQuery): Page<TopicLevel>
  readonly tallies: Tallies
}

/** How many connected clients there are of each. */
export interface Tallies {
  /** By the names of listeners. */
  readonly listeners: ReadonlyMap<string, number>
  readonly mqtt: ReadonlyMap<string, number>
  /** Of those with TLS of ours. `none`: a session resumed without key exchange. */
  readonly suites: ReadonlyMap<string, number>
  readonly groups: ReadonlyMap<string, number>
}
