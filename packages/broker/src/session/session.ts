// The Session State of one client (MQTT 5.0 section 4.1): its subscriptions, its will, what it has received at QoS 2 and who
// waits for it; what it is to be sent is its Sender's. It outlives connections; a connection attaches to it as its link. No
// clock and no I/O: time is an argument.

import type { Change, Owner, Position, Sequence } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Qos, Will } from "../packet/packets.ts"
import type { RetainedWalk } from "../routing/retained-tree.ts"
import type { Subscriber, Subscription } from "../routing/subscription.ts"
import type { Counters } from "./counters.ts"
import { Holdings } from "./holdings.ts"
import { Keeping } from "./keeping.ts"
import type { Limits } from "./limits.ts"
import type { SessionLink } from "./link.ts"
import { type Account, emptyAccount, type QueuedMemory } from "./memory.ts"
import type { QueuePolicy } from "./queue.ts"
import { ReceivedIdentifiers } from "./received.ts"
import type { Recorder } from "./recorder.ts"
import { RetainedDelivery } from "./retained-delivery.ts"
import type { RetainedWalks, Slice } from "./retained-walks.ts"
import { type RestoredMessage, Sender, type SharedMessage } from "./sender.ts"

/** The Will Message that waits for its delay or for the end of the session. */
export interface PendingWill {
  readonly will: Will
  /** Milliseconds. */
  readonly dueAt: number
}

/** What came for a session while nobody served it, or faster than it takes it, and is not its own yet. */
export interface Behind {
  /** False: it gets this one with what came before. */
  takes(position: Position): boolean
  /** A subscription begins now: what came before is not for it. */
  begins(filter: string): void
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
  /** In a cluster: what they count for there; see Cluster. */
  filterBytes = 0
  /** Packet Identifiers of QoS 2 messages received and not yet released ([MQTT-4.3.3-10]). */
  readonly #received = new ReceivedIdentifiers()
  /** Who opened it; a session is only resumed by the same user, or by another anonymous client. How he has logged in may change. */
  owner: Owner
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

  /** In a cluster: it does not get all that comes, as it has not been sent what came before; see Behind. */
  behind: Behind | undefined = undefined
  /** In a cluster: it has no room for what is at this position, which it gets later, with all that follows. */
  fallBehind: ((position: Position) => void) | undefined = undefined
  /**
   * In a cluster: since when, in milliseconds, its client is here. What was published before, and nobody keeps, another node may have
   * sent it: at QoS 0 it comes at most once.
   */
  servedSince: number = Number.NEGATIVE_INFINITY
  /** New rules have not come here yet: brings them. */
  stale: (() => void) | undefined = undefined
  readonly #holdings: Holdings
  readonly #keeping: Keeping
  readonly #sender: Sender
  readonly #retained: RetainedDelivery
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
    this.owner = owner
    const holdings = new Holdings(memory, account)
    const keeping = new Keeping(clientId)
    const sender = new Sender(limits, policy, counters, holdings, keeping)
    this.#holdings = holdings
    this.#keeping = keeping
    this.#sender = sender
    this.#retained = new RetainedDelivery(clientId, sender, counters, holdings, keeping)
  }

  /** What it and the other sessions of its owner use together. */
  get account(): Account {
    return this.#holdings.account
  }

  // --- what is kept of it ---

  /** What changes from here on is kept. */
  keepBy(recorder: Recorder): void {
    this.#keeping.keepBy(recorder)
  }

  /** It ends with its connection: of what comes to it by Shared Subscriptions is kept what becomes of it. */
  entrust(recorder: Recorder): void {
    this.#keeping.entrust(recorder)
  }

  /** True when what changes of it is kept. */
  get kept(): boolean {
    return this.#keeping.all
  }

  /** True when it is kept, or some of what it is to be sent. */
  get recorded(): boolean {
    return this.#keeping.any
  }

  get lasting(): boolean {
    return this.kept && this.expiryInterval > 0
  }

  record(change: Change): void {
    this.#keeping.record(change)
  }

  /** The last turn that changed something of it that is kept. */
  get turn(): number {
    return this.#keeping.turn
  }

  set turn(turn: number) {
    this.#keeping.turn = turn
  }

  /** What there was before a restart, in the order of its places. There is room for it, as there was. */
  restore(waiting: readonly RestoredMessage[], received: Iterable<number>): void {
    this.#sender.restore(waiting)
    for (const packetId of received) {
      this.#received.add(packetId)
      this.#holdings.identifierAnyway()
    }
  }

  // --- its connection ---

  get connected(): boolean {
    return this.#sender.link !== undefined
  }

  /** A connection takes the session over. Unacknowledged packets are sent again, then what waits ([MQTT-4.4.0-1]). */
  attach(link: SessionLink, now: number): void {
    this.#received.begin()
    this.#sender.attach(link)
    this.#retained.again()
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
    this.#leaving = false
    this.#sender.detach()
    this.#holdings.aliasesGone()
    this.retained.disconnect()
    for (const waiter of this.waiters) waiter.resumeSoon() // nobody waits for who is not there
  }

  /** Forgets everything; messages that waited are counted as lost. */
  clear(): void {
    this.retained.clear()
    this.#sender.clear()
    this.#holdings.identifiersGone(this.#received.size)
    this.#received.clear()
    this.holdWill(0)
  }

  /** It is served elsewhere, or by nobody: what it had is kept for it, and nothing of it here any more. */
  forget(): void {
    this.behind = undefined
    this.fallBehind = undefined
    this.#keeping.forget()
    this.retained.clear()
    this.#sender.forget()
    this.#holdings.identifiersGone(this.#received.size)
    this.#received.clear()
    this.holdWill(0)
  }

  // --- what it is to be sent ---

  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string | undefined,
  ): boolean {
    const { position, publishedAt } = message
    if (publishedAt !== undefined && publishedAt <= this.servedSince) return true
    // At QoS 0, too: it may have had it where it was before.
    if (position !== undefined && this.behind?.takes(position) === false) return true
    if (position === undefined || qos === 0) return this.#sender.deliver(message, qos, retain, identifiers, now, share)
    const { fallBehind } = this
    const room = fallBehind === undefined || this.#sender.hasRoom(message)
    const isLost = fallBehind === undefined
    if (room && this.#sender.deliver(message, qos, retain, identifiers, now, share, isLost)) return true
    fallBehind?.(position)
    return fallBehind !== undefined
  }

  /** What it had not been sent while it was behind. False when there is no room for it. */
  deliverBehind(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string | undefined,
  ): boolean {
    // What has no QoS is nobody's who is away (section 4.1).
    return qos === 0 || this.#sender.deliver(message, qos, retain, identifiers, now, share, false)
  }

  /** In a cluster: what it gets by a Shared Subscription, whatever else it is behind with. False when there is no room for it. */
  deliverShared(
    message: Message,
    qos: Qos,
    retain: boolean,
    identifiers: readonly number[],
    now: number,
    share: string,
  ): boolean {
    return this.#sender.deliver(message, qos, retain, identifiers, now, share, false)
  }

  /** In a cluster: called with what came by a Shared Subscription, when this session has it no more. */
  get sharedGone(): ((share: string, position: Position) => void) | undefined {
    return this.#holdings.sharedGone
  }

  set sharedGone(gone: ((share: string, position: Position) => void) | undefined) {
    this.#holdings.sharedGone = gone
  }

  /** What it was sent by Shared Subscriptions at QoS 1 and has not acknowledged is for others; see `sharedGone`. */
  handBack(): void {
    this.#sender.handBack()
  }

  get ready(): boolean {
    return this.#sender.ready
  }

  hasRoom(message: Message): boolean {
    return this.#sender.hasRoom(message)
  }

  /** True when it has no room for the message because of others that wait for it. */
  isFullFor(message: Message): boolean {
    return this.#sender.isFullFor(message)
  }

  get queuedMessages(): number {
    return this.#sender.queuedMessages
  }

  get queuedBytes(): number {
    return this.#sender.queuedBytes
  }

  get inflightMessages(): number {
    return this.#sender.inflightMessages
  }

  /**
   * Sends what may be sent: after CONNACK, after acknowledgements, when the transport took bytes. What is left when its turn
   * is over stays where it is, before all that comes, and is sent in the next ([MQTT-4.6.0-1]).
   */
  pump(now: number): void {
    if (!this.connected) return
    this.freshen()
    this.#sender.pump(now)
    this.#retained.goOn()
  }

  /** PUBACK of a QoS 1 message. A Packet Identifier that is not in use is ignored. */
  puback(packetId: number, reasonCode: number, now: number): void {
    if (this.#sender.puback(packetId, reasonCode)) this.#completed(now)
  }

  /** PUBREC of a QoS 2 message. */
  pubrec(packetId: number, reasonCode: number, now: number): void {
    if (this.#sender.pubrec(packetId, reasonCode)) this.#completed(now)
  }

  /** PUBCOMP of a QoS 2 message. */
  pubcomp(packetId: number, now: number): void {
    if (this.#sender.pubcomp(packetId)) this.#completed(now)
  }

  #completed(now: number): void {
    this.#retained.again()
    if (this.#sender.waits || this.retained.size > 0) this.pump(now)
  }

  /** True when `takeShared` has something. */
  get hasShared(): boolean {
    return this.#sender.hasShared
  }

  /** What came by Shared Subscriptions and goes to another client now that this session ends, in its order (section 4.8.2). */
  takeShared(): Generator<SharedMessage, void, undefined> {
    return this.#sender.takeShared()
  }

  // --- what it is owed of retained messages ---

  /** Of subscriptions whose retained messages are to be sent. */
  get retained(): RetainedWalks {
    return this.#retained.walks
  }

  /**
   * Retained messages are owed to this subscription: those up to `before`. At QoS 1 and 2 they are owed to a session that is
   * kept until they have been sent.
   */
  owe(subscription: Subscription, walk: RetainedWalk, before: Sequence): void {
    this.#retained.owe(subscription, walk, before)
  }

  /** The subscription has taken the place of another; what that was owed comes by this one. At QoS 0 it is not kept. */
  resubscribed(subscription: Subscription): void {
    this.#retained.resubscribed(subscription)
  }

  /**
   * Sends retained messages of new subscriptions: one slice, as far as the client takes them. `expired` is told of a message
   * that is not to be kept any longer.
   */
  sendRetained(slice: Slice, now: number, expired: (message: Message) => void): void {
    this.freshen()
    this.#retained.send(slice, now, expired)
  }

  /** There may be room again for retained messages that it is owed. */
  retryRetained(): void {
    this.#retained.retry()
  }

  /** True when the next of the walks may go on. */
  get retainedDue(): boolean {
    return this.#retained.due
  }

  // --- new rules of access ---

  /** Which topics the client may still have; asked of each message that waits, before it is sent. */
  set mayRead(mayRead: (topic: string) => boolean) {
    this.#sender.mayRead = mayRead
  }

  /** Brings new rules, before anything that waits is sent. */
  freshen(): void {
    const { stale } = this
    if (stale === undefined) return
    this.stale = undefined
    stale()
  }

  /** Forgets messages on topics that the client may not read any more. What was sent is completed, but not sent again. */
  keepOnly(mayRead: (topic: string) => boolean): void {
    this.#sender.keepOnly(mayRead)
  }

  /**
   * The same in steps, one for each message; until the last of them a message is judged before it is sent. Each step is the
   * topic that was judged.
   */
  keepOnlyInTurns(mayRead: (topic: string) => boolean): Generator<string, void, undefined> {
    return this.#sender.keepOnlyInTurns(mayRead)
  }

  // --- what has come of it ---

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

  // --- publishers that wait for it ---

  get congested(): boolean {
    return this.#sender.congested
  }

  /** The opposite end of `congested`, with a gap between, so that publishers are not stopped and started all the time. */
  get quiet(): boolean {
    return this.#sender.quiet
  }

  /** Lets waiting publishers go on once little is left to send. */
  wake(now: number): void {
    const slow = this.slowUntil === Number.POSITIVE_INFINITY
    if ((this.waiters.size === 0 && !slow) || !this.quiet) return
    if (slow) this.slowUntil = now + slowMemory
    for (const waiter of this.waiters) waiter.resumeSoon()
  }
}
