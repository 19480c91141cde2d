// What happens in the broker, as values. The core only makes them; log.ts turns them into lines.

import type { PeerInfo } from "./peer.ts"

export interface ClientConnected {
  readonly event: "client connected"
  readonly peer: PeerInfo
  readonly clientId: string
  readonly user: string
  readonly mqtt: "3.1" | "3.1.1" | "5.0"
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

/** A message that goes to nobody: at QoS 1 or 2 there was no room for it, or its payload is too large. */
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

/** Acknowledged messages of a Shared Subscription that nobody gets: whose they were has gone, and nobody else has room. */
export interface SharedMessagesLost {
  readonly event: "shared messages lost"
  /** Whose session has ended. */
  readonly clientId: string
  /** `$share/NAME/FILTER`, the first of several. */
  readonly filter: string
  readonly messages: number
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

/** Nothing can be kept any more: told once, until it works again. */
export interface StoreFailure {
  readonly event: "store failed"
  readonly reason: string
}

export interface StoreRecovery {
  readonly event: "store recovered"
}

export type BrokerEvent =
  | StoreFailure
  | StoreRecovery
  | ClientConnected
  | ClientRefused
  | ClientDisconnected
  | AccessRefused
  | MessageRefused
  | SessionDisplaced
  | SharedMessagesLost
  | BrokerFault

export type EventSink = (event: BrokerEvent) => void

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
  /** Whether the name that the client hid was found: RFC 9849. Absent: it hid none, or no listener here has a key for it. */
  readonly ech?: "accepted" | "rejected" | undefined
  /** Who the client has proven to be by its certificate. */
  readonly identity: string | undefined
  /** Why the certificate that the client showed was not accepted, where it was let in without. */
  readonly unverified?: string | undefined
  readonly milliseconds: number
}

/** What a ClientHello has, as far as it could be read: names, or numbers in hexadecimal where nobody here knows a name. */
export interface ClientOffer {
  readonly versions: readonly string[]
  readonly suites: readonly string[]
  readonly groups: readonly string[]
  readonly signatureSchemes: readonly string[]
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
  /** The name that the client asked for (SNI). Not in the log's lines, nor is `offer`. */
  readonly serverName?: string | undefined
  /** Undefined: no ClientHello came, or none that can be read. */
  readonly offer?: ClientOffer | undefined
  /** True when the connection was turned away before its handshake began. */
  readonly limit?: boolean | undefined
  /** How many more there were like this that were not told. */
  readonly more?: string | undefined
}

/** What listeners know of a handshake beside its event. */
export interface HandshakeDetail {
  /** Fractions of them too. */
  readonly milliseconds: number
  /** The versions that the client offered, such as "TLSv1.3, TLSv1.2"; undefined: no ClientHello came. */
  readonly offered: string | undefined
}

/** A bridge and the other broker have let each other in. */
export interface BridgeConnected {
  readonly event: "bridge connected"
  /** Its name. */
  readonly bridge: string
  /** Where the other broker is. */
  readonly to: string
  /** The other broker has kept its session. */
  readonly sessionPresent: boolean
}

export interface BridgeLost {
  readonly event: "bridge lost"
  readonly bridge: string
  readonly to: string
  readonly reason: string
  /** Seconds until it is tried again. */
  readonly again: number
}

/** A message that is not handed on and will not be; the others go on. */
export interface BridgeDropped {
  readonly event: "bridge dropped"
  readonly bridge: string
  readonly to: string
  readonly direction: "out" | "in"
  /** At the broker that it comes from. */
  readonly topic: string
  readonly reason: string
  /** How many more there were that were not told. */
  readonly more?: string | undefined
}

/** A subscription that one of both brokers does not take, or another thing that somebody should know; the rest goes on. */
export interface BridgeWarning {
  readonly event: "bridge warning"
  readonly bridge: string
  readonly to: string
  readonly reason: string
  /** How many more there were like this that were not told. */
  readonly more?: string | undefined
}

export type BridgeEvent = BridgeConnected | BridgeLost | BridgeDropped | BridgeWarning

/** Another node of the cluster is heard. */
export interface NodeJoined {
  readonly event: "node joined"
  /** Its name. */
  readonly node: string
  /** Of this start of it. */
  readonly id: string
  readonly version: string
}

/** It is not heard any more: its sessions are the others'. */
export interface NodeGone {
  readonly event: "node gone"
  readonly node: string
  readonly id: string
  readonly reason: string
  /** Those that it had when it was last heard. */
  readonly clients: number
}

/** It has said that it ends, as when it is stopped for an upgrade: its sessions are the others'. */
export interface NodeEnded {
  readonly event: "node ended"
  readonly node: string
  readonly id: string
  /** Those that it had before. */
  readonly clients: number
}

/** No server of the cluster can be reached: QoS 1 and 2 wait, and new clients are refused. */
export interface ClusterUnreachable {
  readonly event: "cluster unreachable"
  readonly reason: string
}

export interface ClusterReachable {
  readonly event: "cluster reachable"
  /** Seconds that it was not. */
  readonly away: number
}

export type ClusterEvent = NodeJoined | NodeGone | NodeEnded | ClusterUnreachable | ClusterReachable

/** TLS handshakes of this moment, of one listener or of all. */
export interface HandshakeLoad {
  readonly pending: number
  readonly waiting: number
  readonly waitingBytes: number
}
