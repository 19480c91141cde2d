import type { Codec } from "../packet/codec.ts"
import type { Message } from "../packet/message.ts"
import type { ConnectPacket, SubscriptionRequest, Will } from "../packet/packets.ts"
import type { PublishReader } from "../packet/publish.ts"
import type { Topic, TopicTable } from "../packet/topic.ts"
import type { Access, Identity, Refusal } from "../ports/access.ts"
import type { Standing } from "../ports/cluster.ts"
import type { EventSink } from "../ports/events.ts"
import type { Pause } from "../ports/pause.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Counters } from "../session/counters.ts"
import type { Faults } from "../session/faults.ts"
import type { Features } from "../session/features.ts"
import type { Limits, ToldLimits } from "../session/limits.ts"
import type { LoginMemory, OutboundMemory } from "../session/memory.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Sampling } from "../session/sampling.ts"
import type { Session } from "../session/session.ts"
import type { SpareBuffers } from "./spare-buffers.ts"

/** How a connection ended, for its session. */
export interface Ending {
  /** False after DISCONNECT with Reason Code 0x00 ([MQTT-3.1.2-10]). */
  readonly publishWill: boolean
  /** A new connection has taken the session over; `cleanStart` is the new one's. */
  readonly takenOverBy?: { readonly cleanStart: boolean }
}

/** MQTT 5.0 section 4.11. */
export interface Redirect {
  /** Server Reference: one or more servers, with spaces between them. */
  readonly server: string
  /** "always": every CONNECT is answered with it; "closing": clients are told when this broker closes. */
  readonly when: "always" | "closing"
}

/** What a connection needs of the broker. `Client` is what a connection is there: itself. */
export interface Hub<Client> {
  /** Those of the moment; a reload may change them. */
  readonly limits: Limits
  /** What a connection that begins now is told of them; a reload puts others in their place. */
  readonly told: ToldLimits
  /** The same for one that comes from there: its listener may have limits of its own. */
  toldTo(peer: PeerInfo): ToldLimits
  readonly counters: Counters
  readonly sampling: Sampling
  readonly faults: Faults
  readonly access: Access
  readonly codec: Codec
  readonly recorder: Recorder
  readonly events: EventSink
  readonly topics: TopicTable
  /** Used by one PUBLISH at a time. */
  readonly reader: PublishReader
  /** Milliseconds, the clock of this broker. */
  now(): number
  /** Response Information for a client that asks for it; undefined for none. */
  responseInformation(clientId: string): string | undefined
  /** The first bytes of a connection have come: a number above those of the connections before. */
  comes(): number
  /** A Client Identifier that no session uses. */
  newClientId(): string
  /**
   * Takes over, resumes or creates the session of this CONNECT; undefined when there are too many. "later": `again` is called when
   * what is in its way has gone.
   */
  open(
    connection: Client,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
    again: () => void,
  ): { session: Session; sessionPresent: boolean } | "later" | undefined
  /**
   * In a cluster: what is published on topics that match these filters comes from now on. Undefined: it does already; SUBSCRIBE
   * waits for the answer.
   */
  wants(filters: readonly string[], session: Session): Pause<Standing> | undefined
  /** The client of this session has logged in anew, and may have other rights. */
  loggedIn(session: Session, identity: Identity): void
  /** The connection is gone: its will and its session go their ways. */
  ended(connection: Client, session: Session, will: Will | undefined, ending: Ending, now: number): void
  /** True when a message on this topic would reach nobody. */
  nobody(topic: Topic): boolean
  /** Bytes in the store, at most, of the copies of a message at QoS 1 or 2 on this topic; 0: none is kept. */
  keptBytes(topic: Topic): number
  /** True when a message is retained on this topic. */
  retains(topic: Topic): boolean
  readonly features: Features
  /** Where clients are sent, all of them or when this broker closes. */
  readonly redirect: Redirect | undefined
  /** What says that it is text in UTF-8 (Payload Format Indicator) must be. */
  readonly checksPayloadFormat: boolean
  readonly outbound: OutboundMemory
  readonly spares: SpareBuffers
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
  /** What may be sent to one connection of what waits for it, in this turn; 0 or less: nothing. */
  turnLeft(cheap: boolean): number
  /** So much of the turn's work, packets and Changes was that of one of these. */
  spent(cheap: boolean, units: number, packets: number, changes: number): void
  /** Packets that one connection has in a turn, as many others wait. */
  readonly packetsEach: number
  /** Work that one connection has in a turn, as many others wait. */
  readonly workEach: number
  /** Stores (RETAIN) and forwards; returns the Reason Code for PUBACK or PUBREC. */
  publish(message: Message, session: Session | undefined, connection: Client | undefined, now: number): number
  /** Subscribes; returns the Reason Code for SUBACK, the rule that forbids it, and whether retained messages come after it. */
  subscribe(
    session: Session,
    identity: Identity,
    request: SubscriptionRequest,
    identifier: number | undefined,
  ): { reasonCode: number; refusal?: Refusal; retained: boolean }
  /** The retained messages of this subscription are to be sent. */
  sendRetained(connection: Client, session: Session, filter: string): void
  /** This connection's session goes on sending retained messages, at the end of the turn. */
  retainedSoon(connection: Client): void
  /** This connection's session goes on sending what waits for it, in a turn to come. */
  pumpSoon(connection: Client): void
  /** Returns the Reason Code for UNSUBACK. */
  unsubscribe(session: Session, filter: string): number
  /** So many bytes are held for what has not come to its end on this connection. */
  holds(connection: Client, bytes: number, now: number): void
  /** This connection's publisher waits for a subscriber; `endPause` is called in so many milliseconds if it still does. */
  hold(connection: Client, milliseconds: number): void
  /** This connection has published faster than it may: `rationed` is called in so many milliseconds. */
  ration(connection: Client, milliseconds: number, now: number): void
  /** This connection has output to flush before the turn ends. */
  dirty(connection: Client): void
  /** Output of a connection is about to leave. */
  leaves(): void
  /** Whether so many bytes may go to a transport before the turn ends; they count. */
  mayFlush(bytes: number): boolean
  /** This connection may read on; at the end of the turn, not inside the caller. */
  resumeSoon(connection: Client): void
  /** It has something that cannot be kept: this connection is resumed when that may be. */
  postpone(connection: Client): void
  /** The store is far behind: this connection is resumed when it is not. */
  waitForStore(connection: Client): void
  /** The client of this session may not have its will any more. */
  willGivenUp(session: Session): void
  closed(connection: Client): void
}
