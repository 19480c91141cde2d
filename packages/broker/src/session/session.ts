// The Session State of one client (MQTT 5.0 section 4.1) and the sending side of its QoS 1 and 2 flows (sections 4.3, 4.4,
// 4.9). It outlives connections; a connection attaches to it as its link. No clock and no I/O: time is an argument.

import type { Change, Owner, Place, Queued as QueuedChange, Sequence } from "../packet/change.ts"
import { type PacketError, protocolError } from "../packet/errors.ts"
import type { Message } from "../packet/message.ts"
import type { Qos, Will } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { RetainedWalk } from "../routing/retained-tree.ts"
import type { Subscriber, Subscription } from "../routing/subscription.ts"
import type { Counters } from "./counters.ts"
import { Holdings } from "./holdings.ts"
import { type Inflight, InflightWindow } from "./inflight.ts"
import type { Limits } from "./limits.ts"
import type { SessionLink } from "./link.ts"
import { type Account, emptyAccount, type QueuedMemory } from "./memory.ts"
import { MessageQueue, type Queued, type QueuePolicy } from "./queue.ts"
import { ReceivedIdentifiers } from "./received.ts"
import { forgetful, type Recorder } from "./recorder.ts"
import { RetainedWalks, type Slice } from "./retained-walks.ts"

/** A message that waited for a session, or for its acknowledgement, before a restart. */
export interface RestoredMessage {
  readonly queued: QueuedChange
  /** Undefined: PUBREC came for it, or the client may not have it any more. */
  readonly message: Message | undefined
  /** 0: it was not sent. */
  readonly packetId: number
}

/** The Will Message that waits for its delay or for the end of the session. */
export interface PendingWill {
  readonly will: Will
  /** Milliseconds. */
  readonly dueAt: number
}

/** Milliseconds for which a session that has caught up is still taken for slow. */
export const slowMemory = 30_000

/** What it costs to send a message that has waited, or what is left of it, in the units of routing. */
function costOf(message: Message | undefined): number {
  return 2 + ((message?.size ?? 0) >> 9)
}

export class Session implements Subscriber {
  readonly clientId: string
  readonly subscriptions: Map<string, Subscription> = new Map()
  /** How many of them have a wildcard or a Share Name. */
  wildSubscriptions = 0
  /** Bytes that its subscriptions count for. */
  subscriptionBytes = 0
  /** Packet Identifiers of QoS 2 messages received and not yet released ([MQTT-4.3.3-10]). */
  readonly #received = new ReceivedIdentifiers()
  /** Who opened it; a session is only resumed by the same user, or by another anonymous client. */
  readonly owner: Owner
  /** Seconds; 0xffffffff does not expire. */
  expiryInterval = 0
  /** The last turn that changed something of it that is kept. */
  turn = 0
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

  /** Retained messages that are to be sent. */
  readonly retained: RetainedWalks = new RetainedWalks()
  /** There is no room for the next of them, until something is acknowledged, or a second has passed. */
  #retainedWaits = false
  readonly #queue: MessageQueue
  readonly #policy: QueuePolicy
  readonly #counters: Counters
  readonly #holdings: Holdings
  readonly #inflight: InflightWindow
  #lastPlace: Place = 0
  /** Is told what changes; of a session that ends with its connection nobody is, but of what it is entrusted with. */
  #recorder: Recorder = forgetful
  /** Places of what others are to get when the session ends; undefined: all of the session is kept, or nothing. */
  #entrusted: Set<Place> | undefined
  #link: SessionLink | undefined
  #leaving = false

  constructor(
    clientId: string,
    owner: Owner,
    limits: Limits,
    counters: Counters,
    memory: QueuedMemory,
    account: Account = emptyAccount(),
    policy: QueuePolicy = "drop-newest",
  ) {
    this.clientId = clientId
    this.#holdings = new Holdings(memory, account)
    this.owner = owner
    this.#queue = new MessageQueue(limits)
    this.#policy = policy
    this.#counters = counters
    this.#inflight = new InflightWindow(limits)
  }

  /** What it and the other sessions of its owner use together. */
  get account(): Account {
    return this.#holdings.account
  }

  /** What changes from here on is kept. */
  keepBy(recorder: Recorder): void {
    this.#recorder = recorder
  }

  /**
   * The session ends with its connection, and by a restart. Of what comes to it by Shared Subscriptions from here on is kept what
   * becomes of it, so that others get it then too.
   */
  entrust(recorder: Recorder): void {
    this.#recorder = recorder
    this.#entrusted = new Set()
  }

  /** True when what changes of it is kept. */
  get kept(): boolean {
    return this.#recorder !== forgetful && this.#entrusted === undefined
  }

  /** True when it is kept, or some of what it is to be sent. */
  get recorded(): boolean {
    return this.#recorder !== forgetful
  }

  get lasting(): boolean {
    return this.kept && this.expiryInterval > 0
  }

  /** What there was before a restart, in the order of its places. There is room for it, as there was. */
  restore(waiting: readonly RestoredMessage[], received: Iterable<number>): void {
    for (const { queued, message, packetId } of waiting) {
      const { place, qos, retain, identifiers, share } = queued
      if (qos === 0) continue
      this.#lastPlace = place
      if (message === undefined) this.#holdings.place()
      else this.#holdings.messageAnyway({ message, identifiers, share })
      if (packetId > 0) {
        const beside = message === undefined ? { identifiers: [], share: undefined } : { identifiers, share }
        this.#inflight.restore(packetId, { place, message, qos, retain, ...beside, counts: false })
        this.#holdings.sent(1)
      } else if (message !== undefined) this.#queue.restore({ place, message, qos, retain, identifiers, share })
    }
    for (const packetId of received) {
      this.#received.add(packetId)
      this.#holdings.identifierAnyway()
    }
  }

  record(change: Change): void {
    if (!this.recorded) return
    this.#recorder.record(change)
    this.turn = this.#recorder.turn
  }

  #isRecorded(place: Place): boolean {
    return this.#entrusted === undefined ? this.recorded : this.#entrusted.has(place)
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

  get ready(): boolean {
    const link = this.#link
    return link !== undefined && this.#inflight.maySend && link.writable && !this.#waits
  }

  hasRoom({ size }: Message): boolean {
    return this.#queue.hasRoom(size)
  }

  /** True when it has no room for the message because of others that wait for it. */
  isFullFor({ size }: Message): boolean {
    return !this.#queue.hasRoom(size) && this.#queue.couldHaveRoom(size)
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

  /** New rules have not come here yet: brings them. */
  stale: (() => void) | undefined
  /** They have, but not to all messages that wait. */
  #mayRead: ((topic: string) => boolean) | undefined

  /** Which topics the client may still have; asked of each message that waits, before it is sent. */
  set mayRead(mayRead: (topic: string) => boolean) {
    this.#mayRead = mayRead
  }

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
    this.#retainedWaits = false
    this.#received.begin()
    this.#inflight.begin(link.sendQuota)
    this.endsAt = Number.POSITIVE_INFINITY
    this.pump(now)
    this.wake(now)
  }

  /** Its client has gone: it can be sent nothing. What it has sent before may still be handled, until it is detached. */
  leave(): void {
    this.detach()
    this.#leaving = true
  }

  detach(): void {
    this.#link = undefined
    this.#leaving = false
    this.#inflight.end()
    this.#holdings.aliasesGone()
    this.retained.disconnect()
    for (const waiter of this.waiters) waiter.resumeSoon() // nobody waits for who is not there
  }

  /** True when `takeShared` has something. */
  get hasShared(): boolean {
    if (this.#queue.hasShared) return true
    for (const { share } of this.#inflight.values()) if (share !== undefined) return true
    return false
  }

  /**
   * What came by Shared Subscriptions and goes to another client now that this session ends, in its order (section 4.8.2): what
   * was not sent, and at QoS 1 not acknowledged. [MQTT-4.8.2-5] What was sent at QoS 2 goes to nobody else. Each is given up
   * here when it is taken.
   */
  *takeShared(): Generator<{ readonly message: Message; readonly share: string }, void, undefined> {
    for (const [packetId, { message, qos, share }] of this.#inflight.entries()) {
      if (share === undefined || message === undefined || qos !== 1) continue
      // With its taker in one turn: a crash on the way gives it to one of them.
      this.#forget(packetId)
      yield { message, share }
    }
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#holdings.messageGone(next)
      this.#done(next.place)
      if (next.share === undefined) this.#counters.dropped["session ended"]++
      else yield { message: next.message, share: next.share }
    }
  }

  /** Forgets everything; messages that waited are counted as lost. */
  clear(): void {
    this.retained.clear()
    this.#counters.dropped["session ended"] += this.#queue.length + this.#inflight.size
    this.#queue.clear((item) => this.#holdings.messageGone(item))
    for (const [packetId] of this.#inflight.entries()) this.#remove(packetId)
    this.#holdings.identifiersGone(this.#received.size)
    this.#received.clear()
    this.holdWill(0)
    this.#inflight.end()
  }

  /** Forgets messages on topics that the client may not read any more. What was sent is completed, but not sent again. */
  keepOnly(mayRead: (topic: string) => boolean): void {
    for (const inflight of this.#inflight.values()) {
      const { message } = inflight
      if (message === undefined || mayRead(message.topic.name)) continue
      this.#releaseOnly(inflight)
    }
    this.#queue.filter(
      ({ message }) => mayRead(message.topic.name),
      (item) => this.#forbidden(item),
    )
  }

  /**
   * The same in steps, one for each message; until the last of them a message is judged before it is sent. Each step is the
   * topic that was judged.
   */
  *keepOnlyInTurns(mayRead: (topic: string) => boolean): Generator<string, void, undefined> {
    this.#mayRead = mayRead
    for (const [packetId, inflight] of this.#inflight.entries()) {
      const topic = inflight.message?.topic.name
      if (topic === undefined || this.#inflight.get(packetId) !== inflight) continue
      if (!mayRead(topic) && inflight.message !== undefined) this.#releaseOnly(inflight)
      yield topic
    }
    const gone = new Set<Queued>()
    for (const item of this.#queue.items()) {
      if (!mayRead(item.message.topic.name)) gone.add(item)
      yield item.message.topic.name
    }
    this.#queue.filter(
      (item) => !gone.has(item),
      (item) => this.#forbidden(item),
    )
    if (this.#mayRead === mayRead) this.#mayRead = undefined
  }

  /** False when new rules that are on their way forbid it. */
  #mayStill(message: Message): boolean {
    return this.#mayRead === undefined || this.#mayRead(message.topic.name)
  }

  #forbidden(item: Queued): void {
    this.#counters.dropped["not authorized"]++
    this.#holdings.messageGone(item)
    this.#done(item.place)
  }

  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string | undefined,
  ): boolean {
    const link = this.#link
    if (qos === 0) {
      if (link === undefined) this.#counters.dropped.offline++
      else if (!link.writable || !link.takes(message)) this.#counters.dropped["output full"]++
      else link.publish(message, 0, retain, false, 0, identifiers, now)
      return true
    }
    if (!this.#hold(message, identifiers, share)) return false
    if (link !== undefined && this.#inflight.maySend && !this.#waits && link.writable) {
      this.#sendNew(link, message, qos, retain, identifiers, share, now)
      return true
    }
    const queued = { place: this.#lastPlace + 1, message, qos, retain, identifiers, share }
    if (this.#policy === "drop-oldest") this.#dropOldest(message.size)
    if (!this.#queue.push(queued)) {
      this.#holdings.messageGone(queued)
      this.#counters.dropped["queue full"]++
      return false
    }
    this.#lastPlace++
    this.#recordQueued(queued)
    return true
  }

  /**
   * Retained messages are owed to this subscription: those up to `before`. At QoS 1 and 2 they are owed to a session that is
   * kept until they have been sent.
   */
  owe(subscription: Subscription, walk: RetainedWalk, before: Sequence): void {
    const { text: filter } = subscription.filter
    const keeps = this.kept && subscription.qos > 0
    if (keeps) this.record({ type: "walk begun", clientId: this.clientId, filter, before, sent: [] })
    else if (this.retained.keeps(filter)) this.#walkEnded(filter)
    this.retained.add(subscription, walk, keeps)
  }

  /** The subscription has taken the place of another; what that was owed comes by this one. At QoS 0 it is not kept. */
  resubscribed(subscription: Subscription): void {
    const { text: filter } = subscription.filter
    const ends = subscription.qos === 0 && this.retained.keeps(filter)
    this.retained.replace(subscription)
    if (ends) this.#walkEnded(filter)
  }

  #walkEnded(filter: string): void {
    this.record({ type: "walk ended", clientId: this.clientId, filter })
  }

  /**
   * Sends retained messages of new subscriptions: one slice, as far as the client takes them. They come after what is
   * queued, never go into the queue, and leave most of the output free, so that nothing is dropped for their sake.
   * `expired` is told of a message that is not to be kept any longer.
   */
  sendRetained(slice: Slice, now: number, expired: (message: Message) => void): void {
    this.freshen()
    const may = (subscription: Subscription) => this.#mayRetained(subscription)
    const ended = (filter: string) => this.#walkEnded(filter)
    const send = (message: Message, subscription: Subscription) =>
      this.#sendRetained(message, subscription, now, expired)
    this.retained.run(slice, may, send, ended)
  }

  /** False when there is no room for it: it is still owed. */
  #sendRetained(
    message: Message,
    subscription: Subscription,
    now: number,
    expired: (message: Message) => void,
  ): boolean {
    const link = this.#link
    if (message.expired(now)) expired(message)
    else if (link !== undefined && subscription.mayReceive?.(message.topic.name) !== false) {
      // [MQTT-3.8.4-8] the lower of published and granted QoS
      const qos = message.qos < subscription.qos ? message.qos : subscription.qos
      const { identifiers } = subscription
      if (qos === 0 && !link.takes(message)) this.#counters.dropped["output full"]++
      else if (qos === 0) link.publish(message, 0, true, false, 0, identifiers, now)
      else if (this.#holdings.message(message, identifiers, undefined, true))
        this.#sendNew(link, message, qos, true, identifiers, undefined, now)
      else if (this.#holdings.mayHold(message, identifiers)) {
        this.#retainedWaits = true
        return false
      } else this.#counters.dropped["memory full"]++ // nor later: what comes after it does not wait for that
    }
    return true
  }

  /** There may be room again for retained messages that it is owed. */
  retryRetained(): void {
    if (!this.#retainedWaits) return
    this.#retainedWaits = false
    if (this.retainedDue) this.#link?.retainedSoon()
  }

  /** True when the next of the walks may go on. */
  get retainedDue(): boolean {
    const first = this.retained.first
    return first !== undefined && !this.#retainedWaits && this.#mayRetained(first)
  }

  #mayRetained(subscription: Subscription): boolean {
    const link = this.#link
    if (link === undefined || !link.roomy || this.#waits) return false
    return subscription.qos === 0 || this.#inflight.maySend
  }

  /** Drops the oldest that wait until there is room; false when there would not be any. */
  #dropOldest(size: number): boolean {
    if (!this.#queue.couldHaveRoom(size)) return false
    while (!this.#queue.hasRoom(size)) {
      const oldest = this.#queue.shift()
      if (oldest === undefined) return false
      this.#counters.dropped["queue full"]++
      this.#holdings.messageGone(oldest)
      this.#done(oldest.place)
    }
    return true
  }

  /** False, and counted as dropped, when there is no room for another message in memory. */
  #hold(message: Message, identifiers: readonly number[], share: string | undefined): boolean {
    const held = this.#holdings.message(message, identifiers, share, this.connected)
    if (!held) this.#counters.dropped["memory full"]++
    return held
  }

  /** How many QoS 2 messages have been received and not yet released. */
  get receivedCount(): number {
    return this.#received.size
  }

  /** The same of those that count against Receive Maximum. */
  get receivedNow(): number {
    return this.#received.counting
  }

  hasReceived(packetId: number): boolean {
    return this.#received.has(packetId)
  }

  /** A QoS 2 message has come again. */
  receiveAgain(packetId: number): void {
    this.#received.add(packetId)
  }

  /** Remembers the identifier of a QoS 2 message; false when there is no room in memory. */
  receive(packetId: number): boolean {
    if (!this.#holdings.identifier(this.connected)) return false
    this.#received.add(packetId)
    if (this.kept) this.record({ type: "received", clientId: this.clientId, packetId })
    return true
  }

  /** PUBREL, or an error before it; false when the identifier was not remembered. */
  releaseReceived(packetId: number): boolean {
    const known = this.#received.delete(packetId)
    if (!known) return false
    this.#holdings.identifiersGone(1)
    if (this.kept) this.record({ type: "freed", clientId: this.clientId, packetId })
    return true
  }

  /** Counts so many bytes more, or less, for Topic Aliases of its connection; false when there is no room in memory. */
  holdAlias(bytes: number): boolean {
    return (this.connected || this.#leaving) && this.#holdings.alias(bytes)
  }

  /** Counts the will of a CONNECT in the place of the one before; 0: there is none. False when there is no room in memory. */
  holdWill(bytes: number): boolean {
    return this.#holdings.will(bytes)
  }

  /** Its will is on the way to be published, and counts until what is returned is called. */
  partWithWill(): () => void {
    return this.#holdings.partWithWill()
  }

  /**
   * Sends what may be sent: after CONNACK, after acknowledgements, when the transport took bytes. What is left when its turn
   * is over stays where it is, before all that comes, and is sent in the next ([MQTT-4.6.0-1]).
   */
  pump(now: number): void {
    const link = this.#link
    if (link === undefined) return
    this.freshen()
    const left = link.turnLeft
    const spent = { units: 0 }
    try {
      this.#pump(link, now, left, spent)
    } finally {
      link.worked(spent.units)
    }
    if (spent.units >= left && this.#waits) link.pumpSoon()
    if (this.retainedDue) link.retainedSoon()
  }

  /** Something comes before a message that is new. */
  get #waits(): boolean {
    return this.#queue.length > 0 || this.#inflight.resends
  }

  #pump(link: SessionLink, now: number, most: number, spent: { units: number }): void {
    while (this.#inflight.resends && link.writable) {
      if (spent.units >= most) return
      spent.units += costOf(this.#inflight.nextResend.inflight?.message)
      if (!this.#resendNext(link, now)) return
    }
    while (link.writable) {
      const next = this.#queue.peek()
      if (next === undefined || spent.units >= most) return
      if (!this.#mayStill(next.message)) {
        spent.units += costOf(undefined)
        if (this.#queue.peek() === next) this.#queue.shift()
        else continue
        this.#forbidden(next)
        continue
      }
      // [MQTT-4.9.0-2] no QoS 1 or 2 PUBLISH without quota
      if (!this.#inflight.maySend) return
      this.#queue.shift()
      spent.units += costOf(next.message)
      // [MQTT-3.3.2-5] expired before its delivery began
      const expired = next.message.expired(now)
      if (!expired) {
        this.#send(link, next, now)
        continue
      }
      this.#counters.dropped.expired++
      this.#holdings.messageGone(next)
      this.#done(next.place)
    }
  }

  /** False when the quota is used up. */
  #resendNext(link: SessionLink, now: number): boolean {
    const { packetId, inflight } = this.#inflight.nextResend
    if (inflight?.message !== undefined && !this.#mayStill(inflight.message)) {
      if (inflight.message !== undefined) this.#releaseOnly(inflight)
    }
    if (inflight?.message !== undefined) {
      if (!this.#inflight.mayResend) return false
      // [MQTT-3.3.1-1] DUP is set; [MQTT-4.3.3-7] expiry no longer counts once a PUBLISH was sent
      const { message, qos, retain, identifiers } = inflight
      if (link.publish(message, qos, retain, true, packetId, identifiers, now)) this.#inflight.take(inflight)
      else this.#forget(packetId) // the new connection's Maximum Packet Size is smaller ([MQTT-3.1.2-25])
    } else if (inflight?.qos === 1) this.#forget(packetId)
    else if (inflight !== undefined) link.pubrel(packetId, ReasonCode.Success)
    this.#inflight.resent()
    return true
  }

  #forget(packetId: number): Inflight | undefined {
    const inflight = this.#remove(packetId)
    if (inflight !== undefined) this.#done(inflight.place)
    return inflight
  }

  #done(place: Place): void {
    if (!this.#isRecorded(place)) return
    this.record({ type: "done", clientId: this.clientId, place })
    this.#entrusted?.delete(place)
  }

  #remove(packetId: number): Inflight | undefined {
    const inflight = this.#inflight.get(packetId)
    if (inflight === undefined) return undefined
    this.#giveUp(inflight)
    this.#inflight.delete(packetId)
    this.#holdings.sent(-1)
    return inflight
  }

  #giveUp({ message, identifiers, share }: Inflight): void {
    if (message === undefined) this.#holdings.placeGone()
    else this.#holdings.messageGone({ message, identifiers, share })
  }

  /** The message goes, and its Packet Identifier stays in use: until PUBCOMP, say. */
  #releaseOnly(inflight: Inflight): void {
    this.#giveUp(inflight)
    inflight.message = undefined
    inflight.identifiers = []
    inflight.share = undefined
    this.#holdings.place()
    const { place } = inflight
    if (this.#isRecorded(place)) this.record({ type: "released", clientId: this.clientId, place })
  }

  #recordQueued({ place, message, qos, retain, identifiers, share }: Queued): void {
    if (!this.recorded || (this.#entrusted !== undefined && share === undefined)) return
    this.#entrusted?.add(place)
    const sequence = this.#recorder.keep(message)
    this.record({ type: "queued", clientId: this.clientId, place, sequence, qos, retain, identifiers, share })
  }

  /** Sends a message that is held and has not waited. */
  #sendNew(
    link: SessionLink,
    message: Message,
    qos: Exclude<Qos, 0>,
    retain: boolean,
    identifiers: readonly number[],
    share: string | undefined,
    now: number,
  ): void {
    const queued = { place: ++this.#lastPlace, message: message.own(), qos, retain, identifiers, share }
    this.#recordQueued(queued)
    this.#send(link, queued, now)
  }

  /** Sends a message that is held. */
  #send(link: SessionLink, queued: Queued, now: number): void {
    const { place, message, qos, retain, identifiers, share } = queued
    // The session's before it is the link's: a link that throws has not lost it.
    const packetId = this.#inflight.add({ place, message, qos, retain, identifiers, share, counts: true })
    this.#holdings.sent(1)
    if (this.#isRecorded(place)) this.record({ type: "sent", clientId: this.clientId, place, packetId })
    if (link.publish(message, qos, retain, false, packetId, identifiers, now)) return
    this.#inflight.giveBack(this.#forget(packetId))
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
    if (inflight === undefined) return
    if (inflight.qos !== 1) throw outOfPlace("4.3.3", "PUBACK", "QoS 2")
    // [MQTT-4.4.0-2] an error also acknowledges: the message is never sent again
    if (reasonCode >= 0x80) this.#counters.dropped["refused by client"]++
    this.#complete(packetId, now)
  }

  /** PUBREC of a QoS 2 message. */
  pubrec(packetId: number, reasonCode: number, now: number): void {
    const inflight = this.#inflight.get(packetId)
    if (inflight?.qos === 1) throw outOfPlace("4.3.2", "PUBREC", "QoS 1")
    if (inflight === undefined) {
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
    if (inflight === undefined) return
    if (inflight.qos !== 2) throw outOfPlace("4.3.2", "PUBCOMP", "QoS 1")
    if (inflight.message !== undefined) throw outOfPlace("4.3.3", "PUBCOMP", "QoS 2 without PUBREC")
    this.#complete(packetId, now)
  }

  #complete(packetId: number, now: number): void {
    this.#inflight.giveBack(this.#forget(packetId))
    this.#retainedWaits = false
    if (this.#waits || this.retained.size > 0) this.pump(now)
  }
}

function outOfPlace(rule: string, packet: string, of: string): PacketError {
  return protocolError(rule, `${packet} for a PUBLISH of ${of}`)
}
