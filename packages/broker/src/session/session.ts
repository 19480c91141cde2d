// The Session State of one client (MQTT 5.0 section 4.1) and the sending side of its QoS 1 and 2 flows (sections 4.3, 4.4,
// 4.9). It outlives connections; a connection attaches to it as its link. No clock and no I/O: time is an argument.

import type { Identity } from "../access/access.ts"
import type { Message } from "../packet/message.ts"
import type { Qos, Will } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Subscriber, Subscription } from "../routing/subscription.ts"
import type { Counters } from "./counters.ts"
import type { Limits } from "./limits.ts"
import { type Account, emptyAccount, identifierCost, placeOverhead, type QueuedMemory } from "./memory.ts"
import { MessageQueue } from "./queue.ts"
import { RetainedWalks, type Slice } from "./retained-walks.ts"

/** A PUBLISH that was sent and is not completely acknowledged. */
interface Inflight {
  /**
   * Undefined once PUBREC came: then PUBREL is what is unacknowledged ([MQTT-4.3.3-5], [MQTT-4.3.3-6]). Also undefined once
   * the client may not have it any more: then it is not sent again.
   */
  message: Message | undefined
  readonly qos: Qos
  readonly retain: boolean
  readonly identifiers: readonly number[]
}

/** What a session needs of the connection it is attached to. */
export interface SessionLink {
  /** Initial send quota: the client's Receive Maximum, cut to our limit ([MQTT-4.9.0-1]). */
  readonly sendQuota: number
  /** True while the output may take another message. */
  readonly writable: boolean
  /** True while more than half of the output limit is in use. */
  readonly congested: boolean
  /** True while less than a quarter of it is: what can wait may be written. */
  readonly roomy: boolean
  /** Writes a PUBLISH; false when it is above the client's Maximum Packet Size and was discarded. */
  publish(
    message: Message,
    qos: Qos,
    retain: boolean,
    dup: boolean,
    packetId: number,
    identifiers: readonly number[],
    now: number,
  ): boolean
  pubrel(packetId: number, reasonCode: number): void
  /** Asks that the session's `sendRetained` be called, at the end of the turn. */
  retainedSoon(): void
}

/** The Will Message that waits for its delay or for the end of the session. */
export interface PendingWill {
  readonly will: Will
  /** Milliseconds. */
  readonly dueAt: number
}

/** Milliseconds for which a session that has caught up is still taken for slow. */
export const slowMemory = 30_000

export class Session implements Subscriber {
  readonly clientId: string
  readonly subscriptions: Map<string, Subscription> = new Map()
  /** How many of them have a wildcard or a Share Name. */
  wildSubscriptions = 0
  /** Bytes that its subscriptions count for. */
  subscriptionBytes = 0
  /** What it and the other sessions of its owner use together. */
  readonly account: Account
  /** Packet Identifiers of QoS 2 messages received and not yet released ([MQTT-4.3.3-10]). */
  readonly #received: Set<number> = new Set()
  /** Bytes that its will counts for, from CONNECT on. */
  #willBytes = 0
  /** Who opened it; a session is only resumed by the same user, or by another anonymous client. */
  readonly owner: Pick<Identity, "user" | "source">
  /** Seconds; 0xffffffff does not expire. */
  expiryInterval = 0
  /** Milliseconds; Infinity while connected or when it does not expire. */
  endsAt: number = Number.POSITIVE_INFINITY
  pendingWill: PendingWill | undefined = undefined
  /** True while this client's own connection is not read because it waits for another session. */
  paused = false
  /**
   * Milliseconds; until then nobody waits for it: it held a publisher as long as it may. Infinity until it has caught up, and
   * then a while longer, so that one which comes to a stop again and again does not hold somebody up each time.
   */
  slowUntil = 0
  /** Publishers that wait until this session keeps up again. */
  readonly waiters: Set<{ resumeSoon(): void }> = new Set()

  /** Retained messages that are to be sent; they end with the connection. */
  readonly retained: RetainedWalks = new RetainedWalks()
  readonly #queue: MessageQueue
  readonly #counters: Counters
  readonly #memory: QueuedMemory
  /** Bytes that this session's messages count for. */
  #held = 0
  readonly #inflight: Map<number, Inflight> = new Map()
  #resend: number[] = []
  #lastPacketId = 0
  #link: SessionLink | undefined
  #quota = 0

  constructor(
    clientId: string,
    owner: Pick<Identity, "user" | "source">,
    limits: Limits,
    counters: Counters,
    memory: QueuedMemory,
    account: Account = emptyAccount(),
  ) {
    this.clientId = clientId
    this.#memory = memory
    this.account = account
    this.owner = owner
    this.#queue = new MessageQueue(limits.maximumQueuedMessages, limits.maximumQueuedBytes)
    this.#counters = counters
  }

  get connected(): boolean {
    return this.#link !== undefined
  }

  get congested(): boolean {
    return this.#queue.halfFull || (this.#link?.congested ?? false)
  }

  /** The opposite end of `congested`, with a gap between, so that publishers are not stopped and started all the time. */
  get quiet(): boolean {
    return this.#queue.quiet && !(this.#link?.congested ?? false)
  }

  get queuedMessages(): number {
    return this.#queue.length
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  get inflightMessages(): number {
    return this.#inflight.size
  }

  /** New rules have not come to what waits here yet: brings them. */
  stale: (() => void) | undefined

  /** To be called before anything that waits is sent. */
  freshen(): void {
    const { stale } = this
    if (stale === undefined) return
    this.stale = undefined
    stale()
  }

  /** A connection takes the session over. Unacknowledged packets are sent again, then what waits ([MQTT-4.4.0-1]). */
  attach(link: SessionLink, now: number): void {
    this.#link = link
    this.#quota = link.sendQuota
    this.#resend = [...this.#inflight.keys()] // insertion order is the order of first sending ([MQTT-4.6.0-1])
    this.endsAt = Number.POSITIVE_INFINITY
    this.pump(now)
    this.wake(now)
  }

  detach(): void {
    this.#link = undefined
    this.#resend = []
    this.retained.clear()
    for (const waiter of this.waiters) waiter.resumeSoon() // nobody waits for who is not there
  }

  /** Forgets everything; messages that waited are counted as lost. */
  clear(): void {
    this.retained.clear()
    this.#counters.dropped["session ended"] += this.#queue.length + this.#inflight.size
    this.#queue.clear((message) => this.#release(message))
    for (const packetId of [...this.#inflight.keys()]) this.#forget(packetId)
    this.#memory.give(this.#received.size * identifierCost, this.account)
    this.#received.clear()
    this.holdWill(0)
    this.#resend = []
  }

  /** Forgets messages on topics that the client may not read any more. What was sent is completed, but not sent again. */
  keepOnly(mayRead: (topic: string) => boolean): void {
    for (const inflight of this.#inflight.values()) {
      const { message } = inflight
      if (message === undefined || mayRead(message.topic.name)) continue
      this.#releaseOnly(inflight)
    }
    const gone = (message: Message) => {
      this.#counters.dropped["not authorized"]++
      this.#release(message)
    }
    this.#queue.filter(({ topic }) => mayRead(topic.name), gone)
  }

  deliver(message: Message, qos: Qos, retain: boolean, identifiers: readonly number[], now: number): boolean {
    const link = this.#link
    if (qos === 0) {
      if (link === undefined) this.#counters.dropped.offline++
      else if (!link.writable) this.#counters.dropped["output full"]++
      else link.publish(message, 0, retain, false, 0, identifiers, now)
      return true
    }
    if (!this.#hold(message)) return false
    if (
      link !== undefined &&
      this.#quota > 0 &&
      this.#queue.length === 0 &&
      this.#resend.length === 0 &&
      link.writable
    ) {
      this.#send(link, message, qos, retain, identifiers, now)
    } else if (!this.#queue.push({ message, qos, retain, identifiers })) {
      this.#release(message)
      this.#counters.dropped["queue full"]++
      return false
    }
    return true
  }

  /**
   * Sends retained messages of new subscriptions: one slice, as far as the client takes them. They come after what is
   * queued, never go into the queue, and leave most of the output free, so that nothing is dropped for their sake.
   * `expired` is told of a message that is not to be kept any longer.
   */
  sendRetained(slice: Slice, now: number, expired: (message: Message) => void): void {
    this.freshen()
    const may = (subscription: Subscription) => this.#mayRetained(subscription)
    this.retained.run(slice, may, (message, subscription) => {
      const link = this.#link
      if (message.expired(now)) expired(message)
      else if (link !== undefined && subscription.mayReceive?.(message.topic.name) !== false) {
        // [MQTT-3.8.4-8] the lower of published and granted QoS
        const qos = message.qos < subscription.qos ? message.qos : subscription.qos
        const { identifiers } = subscription
        if (qos === 0) link.publish(message, 0, true, false, 0, identifiers, now)
        else if (this.#hold(message)) this.#send(link, message, qos, true, identifiers, now)
      }
    })
  }

  /** True when the next of the walks may go on. */
  get retainedDue(): boolean {
    const first = this.retained.first
    return first !== undefined && this.#mayRetained(first)
  }

  #mayRetained(subscription: Subscription): boolean {
    const link = this.#link
    if (link === undefined || !link.roomy || this.#queue.length > 0 || this.#resend.length > 0) return false
    return subscription.qos === 0 || this.#quota > 0
  }

  /** False, and counted as dropped, when there is no room for another message in memory. */
  #hold(message: Message): boolean {
    const cost = this.#memory.hold(message, this.#held, this.account, this.connected)
    this.#held += cost
    if (cost === 0) this.#counters.dropped["memory full"]++
    return cost > 0
  }

  #release(message: Message | undefined): void {
    if (message !== undefined) this.#held -= this.#memory.release(message, this.account)
  }

  /** How many QoS 2 messages have been received and not yet released. */
  get receivedCount(): number {
    return this.#received.size
  }

  hasReceived(packetId: number): boolean {
    return this.#received.has(packetId)
  }

  /** Remembers the identifier of a QoS 2 message; false when there is no room in memory. */
  receive(packetId: number): boolean {
    if (!this.#memory.take(identifierCost, this.account, this.connected)) return false
    this.#received.add(packetId)
    return true
  }

  /** PUBREL, or an error before it; false when the identifier was not remembered. */
  releaseReceived(packetId: number): boolean {
    const known = this.#received.delete(packetId)
    if (known) this.#memory.give(identifierCost, this.account)
    return known
  }

  /** Counts the will of a CONNECT in the place of the one before; 0: there is none. False when there is no room in memory. */
  holdWill(bytes: number): boolean {
    this.#memory.give(this.#willBytes, this.account)
    if (bytes > 0 && !this.#memory.take(bytes, this.account, true)) {
      this.#memory.charge(this.#willBytes, this.account)
      return false
    }
    this.#memory.wills += bytes - this.#willBytes
    this.#willBytes = bytes
    return true
  }

  /** Sends what may be sent: after CONNACK, after acknowledgements, when the transport took bytes. */
  pump(now: number): void {
    const link = this.#link
    if (link === undefined) return
    this.freshen()
    this.#pump(link, now)
    if (this.retainedDue) link.retainedSoon()
  }

  #pump(link: SessionLink, now: number): void {
    while (this.#resend.length > 0 && link.writable) {
      if (!this.#resendNext(link, now)) return
    }
    while (link.writable) {
      const next = this.#queue.peek()
      if (next === undefined) return
      // [MQTT-4.9.0-2] no QoS 1 or 2 PUBLISH without quota
      if (next.qos > 0 && this.#quota <= 0) return
      this.#queue.shift()
      // [MQTT-3.3.2-5] expired before its delivery began
      const expired = next.message.expired(now)
      if (expired) this.#counters.dropped.expired++
      if (!expired && next.qos > 0) {
        this.#send(link, next.message, next.qos, next.retain, next.identifiers, now)
        continue
      }
      this.#release(next.message)
      if (!expired) link.publish(next.message, 0, next.retain, false, 0, next.identifiers, now)
    }
  }

  /** False when the quota is used up. */
  #resendNext(link: SessionLink, now: number): boolean {
    const packetId = this.#resend[0]!
    const inflight = this.#inflight.get(packetId)
    if (inflight?.message !== undefined) {
      if (this.#quota <= 0) return false
      // [MQTT-3.3.1-1] DUP is set; [MQTT-4.3.3-7] expiry no longer counts once a PUBLISH was sent
      const { message, qos, retain, identifiers } = inflight
      if (link.publish(message, qos, retain, true, packetId, identifiers, now)) this.#quota--
      else this.#forget(packetId) // the new connection's Maximum Packet Size is smaller ([MQTT-3.1.2-25])
    } else if (inflight?.qos === 1) this.#forget(packetId)
    else if (inflight !== undefined) link.pubrel(packetId, ReasonCode.Success)
    this.#resend.shift()
    return true
  }

  #forget(packetId: number): void {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined) return
    if (inflight.message === undefined) this.#memory.give(placeOverhead, this.account)
    else this.#release(inflight.message)
    this.#inflight.delete(packetId)
  }

  /** The message goes, and its Packet Identifier stays in use: until PUBCOMP, say. */
  #releaseOnly(inflight: Inflight): void {
    this.#release(inflight.message)
    inflight.message = undefined
    this.#memory.charge(placeOverhead, this.account)
  }

  /** Sends a message that is held. */
  #send(
    link: SessionLink,
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
  ): void {
    const packetId = this.#unusedPacketId()
    // The session's before it is the link's: a link that throws has not lost it.
    this.#inflight.set(packetId, { message: message.own(), qos, retain, identifiers })
    this.#lastPacketId = packetId
    this.#quota--
    if (link.publish(message, qos, retain, false, packetId, identifiers, now)) return
    this.#forget(packetId)
    this.#quota++
  }

  /** [MQTT-2.2.1-4] not 0 and not in use. There is one: the quota is below 65,535. */
  #unusedPacketId(): number {
    let id = this.#lastPacketId
    do {
      id = id === 0xffff ? 1 : id + 1
    } while (this.#inflight.has(id))
    return id
  }

  /** Lets waiting publishers go on once little is left to send. */
  wake(now: number): void {
    const slow = this.slowUntil === Number.POSITIVE_INFINITY
    if ((this.waiters.size === 0 && !slow) || !this.quiet) return
    if (slow) this.slowUntil = now + slowMemory
    for (const waiter of this.waiters) waiter.resumeSoon()
  }

  /** PUBACK of a QoS 1 message. A Packet Identifier that is not in use is ignored. */
  puback(packetId: number, reasonCode: number, now: number): void {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined || inflight.qos !== 1) return
    // [MQTT-4.4.0-2] an error also acknowledges: the message is never sent again
    if (reasonCode >= 0x80) this.#counters.dropped["refused by client"]++
    this.#complete(packetId, now)
  }

  /** PUBREC of a QoS 2 message. */
  pubrec(packetId: number, reasonCode: number, now: number): void {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined || inflight.qos !== 2) {
      if (reasonCode < 0x80) this.#link?.pubrel(packetId, ReasonCode.PacketIdentifierNotFound)
      return
    }
    if (reasonCode >= 0x80) {
      this.#counters.dropped["refused by client"]++
      this.#complete(packetId, now)
      return
    }
    if (inflight.message !== undefined) this.#releaseOnly(inflight)
    this.#link?.pubrel(packetId, ReasonCode.Success) // [MQTT-4.3.3-4]
  }

  /** PUBCOMP of a QoS 2 message. */
  pubcomp(packetId: number, now: number): void {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined || inflight.qos !== 2) return
    this.#complete(packetId, now)
  }

  #complete(packetId: number, now: number): void {
    this.#forget(packetId)
    const link = this.#link
    // Section 4.9: the quota never goes above its initial value
    if (link !== undefined && this.#quota < link.sendQuota) this.#quota++
    if (this.#queue.length > 0 || this.#resend.length > 0 || this.retained.size > 0) this.pump(now)
  }
}
