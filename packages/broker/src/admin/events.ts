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

export interface ClientRefused {
  readonly event: "client refused"
  readonly peer: PeerInfo
  readonly clientId: string
  readonly reason: string
}

export interface ClientDisconnected {
  readonly event: "client disconnected"
  readonly peer: PeerInfo
  readonly clientId: string
  /** Who ended it: the client with DISCONNECT, the network, or the broker. */
  readonly by: "client" | "network" | "broker"
  readonly reason: string
}

export type BrokerEvent = ClientConnected | ClientRefused | ClientDisconnected

export type EventSink = (event: BrokerEvent) => void
