// What happens in the broker, as values. The core only makes them; log.ts turns them into lines.

import type { PeerInfo } from "../transport/peer.ts"

export interface ClientConnected {
  readonly event: "client connected"
  readonly peer: PeerInfo
  readonly clientId: string
  readonly user: string
  readonly mqtt: "3.1.1" | "5.0"
  readonly cleanStart: boolean
  readonly sessionPresent: boolean
  readonly keepAlive: number
}

/** A connection that did not become a client: what it sent was wrong, or its login was refused. */
export interface ClientRefused {
  readonly event: "client refused"
  readonly peer: PeerInfo
  readonly clientId: string
  /** Who it says it is: the User Name it sent, else the name in its certificate. */
  readonly user?: string | undefined
  readonly reason: string
  readonly more?: string | undefined
}

/** A client may not publish or subscribe to something. */
export interface AccessRefused {
  readonly event: "access refused"
  readonly peer: PeerInfo
  readonly clientId: string
  /** "" for an anonymous client. */
  readonly user: string
  readonly action: "publish" | "subscribe" | "will"
  /** Topic Name, or Topic Filter of a subscription. */
  readonly topic: string
  /** The rule that forbids it, with its line in the access control list, or that none allows it. */
  readonly rule: string
  /** How many like this one were not told; see admin/throttle.ts. */
  readonly more?: string | undefined
}

/** A message at QoS 1 or 2 that was not kept for anybody. */
export interface MessageRefused {
  readonly event: "message refused"
  readonly peer: PeerInfo
  readonly clientId: string
  /** "" for an anonymous client. */
  readonly user: string
  /** Topic Name. */
  readonly topic: string
  readonly reason: string
  /** How many like this one were not told; see admin/throttle.ts. */
  readonly more?: string | undefined
}

export interface ClientDisconnected {
  readonly event: "client disconnected"
  readonly peer: PeerInfo
  readonly clientId: string
  /** Who ended it: the client with DISCONNECT, the network, or the broker. */
  readonly by: "client" | "network" | "broker"
  readonly reason: string
}

/** An anonymous client's session gave way to a user who logged in with its Client Identifier. */
export interface SessionDisplaced {
  readonly event: "session displaced"
  readonly peer: PeerInfo
  readonly clientId: string
  /** Who has the Client Identifier now. */
  readonly user: string
  readonly reason: string
}

/** Something inside the broker threw. The connection whose work it was has ended; everything else goes on. */
export interface BrokerFault {
  readonly event: "fault"
  /** Its address; undefined when it was nobody's work in particular. */
  readonly peer: string | undefined
  readonly clientId: string | undefined
  /** How often this place has thrown so far. */
  readonly times: number
  readonly stack: string
}

export type BrokerEvent =
  | ClientConnected
  | ClientRefused
  | ClientDisconnected
  | AccessRefused
  | MessageRefused
  | SessionDisplaced
  | BrokerFault

export type EventSink = (event: BrokerEvent) => void
