// What a connection is, from its first byte to its end: each phase has what is known in it, and nothing else.
//
//     expect connect --CONNECT--> authenticating --CONNACK 0x00--> connected --> closed
//
// Every phase may end in `closed`. With an Authentication Method AUTH goes to and fro while it is authenticating (MQTT 5.0
// section 4.12), and again when a connected client authenticates anew (section 4.12.1).

import type { ConnectPacket, Will } from "../packet/packets.ts"
import type { Exchange, Identity } from "../ports/access.ts"
import type { Session } from "../session/session.ts"
import type { Receiver, Receiving } from "./receiver.ts"

export interface ExpectConnect {
  readonly name: "expect connect"
}

export interface Authenticating {
  readonly name: "authenticating"
  readonly packet: ConnectPacket
  /** The Client Identifier of CONNECT, or ours for a client without one. */
  readonly clientId: string
  /** Milliseconds: when CONNECT came. */
  readonly since: number
  /** Bytes that CONNECT counts for until it is decided about. */
  counted: number
  /** With an Authentication Method. */
  readonly method: RunningMethod | undefined
}

/** An exchange that has begun. */
export interface RunningMethod {
  readonly exchange: Exchange
  /** It has been asked for its next step and has not answered; false: it is the client's turn. */
  asked: boolean
}

export interface Connected<Client extends Receiving> {
  readonly name: "connected"
  readonly session: Session
  identity: Identity
  readonly receiver: Receiver<Client>
  /** Undefined: CONNECT had none, or it was given up. */
  will: Will | undefined
  /** Seconds: what CONNECT had, not what was granted. */
  readonly sessionExpiryInterval: number
  /** Milliseconds without a packet after which the client counts as gone; 0: never. */
  readonly patience: number
  /** [MQTT-3.1.2-29] */
  readonly requestProblemInformation: boolean
  /** The Authentication Method of CONNECT. */
  readonly authenticationMethod: string | undefined
  reauthentication: RunningMethod | undefined
}

export interface Closed {
  readonly name: "closed"
}

export type Phase<Client extends Receiving> = ExpectConnect | Authenticating | Connected<Client> | Closed

/** [MQTT-3.1.2-22] milliseconds of patience for a second of Keep Alive: one and a half times as long. */
export const patiencePerSecond = 1500

export const expectConnect: ExpectConnect = { name: "expect connect" }
export const closed: Closed = { name: "closed" }
