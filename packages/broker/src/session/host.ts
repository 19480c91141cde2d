import type { Access, Identity, Refusal } from "../access/access.ts"
import type { EventSink } from "../admin/events.ts"
import type { Message } from "../packet/message.ts"
import type { ConnectPacket, SubscriptionRequest, Will } from "../packet/packets.ts"
import type { PublishReader } from "../packet/publish.ts"
import type { Topic, TopicTable } from "../packet/topic.ts"
import type { Connection } from "./connection.ts"
import type { Counters } from "./counters.ts"
import type { Faults } from "./faults.ts"
import type { Limits } from "./limits.ts"
import type { LoginMemory, OutboundMemory } from "./memory.ts"
import type { Session } from "./session.ts"

/** How a connection ended, for its session. */
export interface Ending {
  /** False after DISCONNECT with Reason Code 0x00 ([MQTT-3.1.2-10]). */
  readonly publishWill: boolean
  /** A new connection has taken the session over; `cleanStart` is the new one's. */
  readonly takenOverBy?: { readonly cleanStart: boolean }
}

/** What a connection needs of the broker. */
export interface Host {
  readonly limits: Limits
  readonly counters: Counters
  readonly faults: Faults
  readonly access: Access
  readonly events: EventSink
  readonly topics: TopicTable
  /** Used by one PUBLISH at a time. */
  readonly reader: PublishReader
  /** Milliseconds, the clock of this broker. */
  now(): number
  /** Response Information for a client that asks for it; undefined for none. */
  responseInformation(clientId: string): string | undefined
  /** A Client Identifier that no session uses. */
  newClientId(): string
  /** Takes over, resumes or creates the session of this CONNECT; undefined when there are too many. */
  open(
    connection: Connection,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
  ): { session: Session; sessionPresent: boolean } | undefined
  /** The connection is gone: its will and its session go their ways. */
  ended(connection: Connection, session: Session, will: Will | undefined, ending: Ending, now: number): void
  /** True when a message on this topic would reach nobody. */
  nobody(topic: Topic): boolean
  readonly outbound: OutboundMemory
  readonly logins: LoginMemory
  /** What has been done since the beginning, without a clock: see Router, and `cost`. */
  readonly work: number
  /** Counts work that is not routing, in its units. */
  cost(units: number): void
  /**
   * This turn of all connections together is over: what comes in now waits for the next. For those whose packets have been
   * cheap lately it is not over because of what others have done.
   */
  turnOver(cheap: boolean): boolean
  /** So much of the turn's work was that of one of these. */
  spent(cheap: boolean, units: number): void
  /** Packets that one connection has in a turn, as many others wait. */
  readonly packetsEach: number
  /** Work that one connection has in a turn, as many others wait. */
  readonly workEach: number
  /** Stores (RETAIN) and forwards; returns the Reason Code for PUBACK or PUBREC. */
  publish(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): number
  /** Subscribes; returns the Reason Code for SUBACK, the rule that forbids it, and whether retained messages come after it. */
  subscribe(
    session: Session,
    identity: Identity,
    request: SubscriptionRequest,
    identifier: number | undefined,
  ): { reasonCode: number; refusal?: Refusal; retained: boolean }
  /** The retained messages of this subscription are to be sent. */
  sendRetained(connection: Connection, session: Session, filter: string): void
  /** This connection's session goes on sending retained messages, at the end of the turn. */
  retainedSoon(connection: Connection): void
  /** Returns the Reason Code for UNSUBACK. */
  unsubscribe(session: Session, filter: string): number
  /** So many bytes are held for what has not come to its end on this connection. */
  holds(connection: Connection, bytes: number, now: number): void
  /** This connection's publisher waits for a subscriber; `endPause` is called in so many milliseconds if it still does. */
  hold(connection: Connection, milliseconds: number): void
  /** This connection has output to flush before the turn ends. */
  dirty(connection: Connection): void
  /** This connection may read on; at the end of the turn, not inside the caller. */
  resumeSoon(connection: Connection): void
  closed(connection: Connection): void
}
