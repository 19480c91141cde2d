// What outlives a connection changes by these values and in no other way: a store keeps them, and after a restart the hub
// makes of them what there was. Plain data; times are milliseconds, Infinity for never: those since 1970 by the machine's clock
// when the store was new, and from then on those that have passed, whatever becomes of that clock (hub/timeline.ts).

import type { Qos, Will } from "./packets.ts"

/** Which message of the broker's this is; they grow and are used once. 0: none. */
export type Sequence = number

/** Where a message is in a cluster, which keeps it: in this partition, with this number there. */
export interface Position {
  readonly partition: number
  readonly sequence: number
  /** It came as a retained message, and not in the order of its partition. */
  readonly aside?: boolean | undefined
}

/**
 * Which message of a session this is, whatever became of it; they grow within the session. In their order messages were
 * queued, and sent for the first time ([MQTT-4.6.0-1]).
 */
export type Place = number

/**
 * An Application Message that somebody keeps; said before the others refer to it. When nobody keeps it at the end of a turn it is
 * gone: whoever refers to it later says it again.
 */
export interface MessageKept {
  readonly type: "message"
  readonly sequence: Sequence
  readonly topic: string
  readonly qos: Qos
  /** RETAIN as it was published. */
  readonly retain: boolean
  readonly expiresAt: number
  /** Raw properties to forward, in their order ([MQTT-3.3.2-17], [MQTT-3.3.2-18]). */
  readonly properties: Uint8Array
  readonly payload: Uint8Array
  /** `account` of who has set it, of a retained message: whom it counts for. Undefined: nobody. */
  readonly account?: string | undefined
  /** Of a message that a cluster keeps already. */
  readonly position?: Position | undefined
  /** In a cluster: this client has published it, and it goes to all nodes. Its sequence is 0: nobody refers to it. */
  readonly publisher?: string | undefined
}

/** A session is to be sent this message at QoS 1 or 2. */
export interface Queued {
  readonly type: "queued"
  readonly clientId: string
  readonly place: Place
  /** 0: the message is not kept any more, as PUBREC came for it; `sent` and `released` follow. So says a store only. */
  readonly sequence: Sequence
  /** Of the delivery: the lower of published and granted QoS. */
  readonly qos: Qos
  readonly retain: boolean
  /** Subscription Identifiers. */
  readonly identifiers: readonly number[]
  /** The filter of the Shared Subscription that it came by. */
  readonly share: string | undefined
}

/** It was written for the client, with this Packet Identifier. */
export interface Sent {
  readonly type: "sent"
  readonly clientId: string
  readonly place: Place
  readonly packetId: number
}

/** PUBREC came: from now on PUBREL is what is unacknowledged ([MQTT-4.3.3-5]), and the message is not kept for it. */
export interface Released {
  readonly type: "released"
  readonly clientId: string
  readonly place: Place
}

/** Nothing of it is left: it was acknowledged, or dropped. The message is not kept for it. */
export interface Done {
  readonly type: "done"
  readonly clientId: string
  readonly place: Place
}

/** Who a session belongs to, and what rules of access look at. */
export interface Owner {
  /** "" for an anonymous client. */
  readonly user: string
  readonly source: "anonymous" | "password" | "certificate" | "token" | "hook" | "bridge"
  /** Its login said what it may do, and only a login says it again; false where it is absent. */
  readonly ownRights?: true | undefined
  /** Whom its memory is counted for; see session/owners.ts. */
  readonly account: string
}

/** There is a new session; what a session of this Client Identifier had before is gone. */
export interface Opened {
  readonly type: "opened"
  readonly clientId: string
  readonly owner: Owner
  /** Seconds; 0xffffffff does not expire. */
  readonly expiryInterval: number
}

/** Its client has connected again. */
export interface Attended {
  readonly type: "attended"
  readonly clientId: string
  /** Seconds. */
  readonly expiryInterval: number
}

/** Its client has logged in otherwise than before: as the same user, and what it may do is from elsewhere. */
export interface Owned {
  readonly type: "owned"
  readonly clientId: string
  readonly owner: Owner
}

/** Its connection has gone. */
export interface Left {
  readonly type: "left"
  readonly clientId: string
  readonly endsAt: number
}

/** The session and all that it had is gone, a will that waits not. What comes later for a session that is not there is nothing. */
export interface Ended {
  readonly type: "ended"
  readonly clientId: string
}

/** A new subscription, or one in the place of another with the same filter ([MQTT-3.8.4-3]). */
export interface Subscribed {
  readonly type: "subscribed"
  readonly clientId: string
  /** As the client wrote it, `$share` and Share Name included. */
  readonly filter: string
  /** Granted. */
  readonly qos: Qos
  readonly noLocal: boolean
  readonly retainAsPublished: boolean
  readonly identifier: number | undefined
}

/** A walk over retained messages that is owed to it ends with it. */
export interface Unsubscribed {
  readonly type: "unsubscribed"
  readonly clientId: string
  readonly filter: string
}

/** A QoS 2 PUBLISH of the client with this Packet Identifier has been taken ([MQTT-4.3.3-10]). */
export interface Received {
  readonly type: "received"
  readonly clientId: string
  readonly packetId: number
}

/** PUBREL came for it. */
export interface Freed {
  readonly type: "freed"
  readonly clientId: string
  readonly packetId: number
}

/** The retained message of a topic is another one, or none: `sequence` 0. The last of a topic counts. */
export interface Retained {
  readonly type: "retained"
  readonly topic: string
  readonly sequence: Sequence
}

/** Retained messages are owed to a new subscription of QoS 1 or 2: those that there are now. In the place of what it was owed. */
export interface WalkBegun {
  readonly type: "walk begun"
  readonly clientId: string
  readonly filter: string
  /** The last message that there was; what is retained later comes live. */
  readonly before: Sequence
  /** Which of them have been queued already. So says a store only: it knows by `queued`, see OpenWalks. */
  readonly sent: readonly Sequence[]
}

/** They have been sent. */
export interface WalkEnded {
  readonly type: "walk ended"
  readonly clientId: string
  readonly filter: string
}

/**
 * A Client Identifier has a will, with a session that is kept or without, in the place of one before. A restart is the loss of
 * its connection.
 */
export interface WillSet {
  readonly type: "will set"
  readonly clientId: string
  readonly owner: Owner
  readonly will: Will
  /** Infinity: while its client is connected. */
  readonly dueAt: number
}

/** It was published, or discarded. */
export interface WillCleared {
  readonly type: "will cleared"
  readonly clientId: string
}

/** A sign of life: it is this time, and everybody who is connected still is. */
export interface Clock {
  readonly type: "clock"
  readonly now: number
  /** What the machine's clock says, in milliseconds since 1970, set or not. */
  readonly wall: number
  /** There is another sign before this time, unless the broker has ended. */
  readonly until: number
}

export type Change =
  | MessageKept
  | Queued
  | Sent
  | Released
  | Done
  | Opened
  | Attended
  | Owned
  | Left
  | Ended
  | Subscribed
  | Unsubscribed
  | Received
  | Freed
  | Retained
  | WalkBegun
  | WalkEnded
  | WillSet
  | WillCleared
  | Clock
