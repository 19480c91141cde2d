// The broker without I/O: sessions, subscriptions, retained messages, wills, and the turn's flush. Time is an argument;
// whoever drives it calls `tick` about once a second and `flush` when `schedule` asked for it.

import { type Access, type Identity, openAccess, type Refusal } from "./access/access.ts"
import type { BrokerEvent, EventSink } from "./admin/events.ts"
import { type Bus, createLocalBus } from "./bus/bus.ts"
import { PacketError } from "./packet/errors.ts"
import { Message } from "./packet/message.ts"
import type { ConnectPacket, Qos, SubscriptionRequest, Will } from "./packet/packets.ts"
import { PublishReader } from "./packet/publish.ts"
import { ReasonCode } from "./packet/reason-codes.ts"
import { type Topic, TopicTable } from "./packet/topic.ts"
import { isWild, readFilter } from "./routing/filter.ts"
import { Router } from "./routing/router.ts"
import type { Reach, Subscriber, Subscription, TopicRule } from "./routing/subscription.ts"
import { subscriptionShare } from "./routing/subscription-tree.ts"
import { type Chore, Chores, workPerTurn } from "./session/chores.ts"
import { Connection } from "./session/connection.ts"
import { Counters } from "./session/counters.ts"
import { Faults } from "./session/faults.ts"
import type { Ending, Host } from "./session/host.ts"
import { defaultLimits, type Limits } from "./session/limits.ts"
import {
  type Account,
  fitsShare,
  LoginMemory,
  OutboundMemory,
  PartialMemory,
  QueuedMemory,
  sessionCost,
  willCost,
} from "./session/memory.ts"
import { ownerOf, SessionOwners } from "./session/owners.ts"
import { walkTurn } from "./session/retained-walks.ts"
import { type LostRight, never, type RulesApplied, type RulesChange, RulesSweep } from "./session/rules.ts"
import { Session } from "./session/session.ts"
import { createMemoryStore } from "./store/memory.ts"
import type { Store } from "./store/store.ts"
import type { PeerInfo, Sink } from "./transport/peer.ts"

export interface BrokerOptions {
  readonly limits?: Partial<Limits> | undefined
  readonly access?: Access | undefined
  readonly store?: Store | undefined
  readonly bus?: Bus | undefined
  readonly events?: EventSink | undefined
  /** Milliseconds since 1970, or any clock that does not run backwards. */
  readonly now: () => number
  /** Asks that `flush` be called at the end of the current turn. */
  readonly schedule: () => void
  /** Asks that `wake` be called in so many milliseconds; without it pauses of publishers end with a tick. */
  readonly wakeAfter?: ((milliseconds: number) => void) | undefined
  /** Text for Assigned Client Identifiers that nobody can guess, e.g. 128 random bits in hex. */
  readonly randomName: () => string
  /** Response Information for a client that asks for it (MQTT 5.0 section 3.2.2.3.15). */
  readonly responseInformation?: ((clientId: string) => string | undefined) | undefined
}

/** Packets of all connections in one turn, some 20 milliseconds. */
const packetsPerFlush = 16_384
/** Packets of one connection in one turn, however cheap: some 2 milliseconds. */
const packetsPerTurn = 2048

export class Broker implements Host {
  readonly limits: Limits
  readonly counters: Counters = new Counters()
  readonly faults: Faults
  readonly outbound: OutboundMemory
  readonly logins: LoginMemory
  readonly access: Access
  readonly events: EventSink
  readonly topics: TopicTable
  readonly reader: PublishReader
  readonly now: () => number
  readonly #store: Store
  readonly #bus: Bus
  readonly #router = new Router()
  readonly #schedule: () => void
  readonly #wakeAfter: (milliseconds: number) => void
  readonly #queued: QueuedMemory
  readonly #partial: PartialMemory<Connection>
  readonly #owners: SessionOwners
  /** Publishers that wait for a subscriber. */
  readonly #held: Set<Connection> = new Set()
  readonly #randomName: () => string
  readonly #responseInformation: ((clientId: string) => string | undefined) | undefined
  readonly #connections: Set<Connection> = new Set()
  readonly #bySession: Map<Session, Connection> = new Map()
  /** Sessions without connection that have an end or a will to wait for. */
  readonly #waiting: Set<Session> = new Set()
  #dirty: Connection[] = []
  readonly #resuming: Set<Connection> = new Set()
  /** Connections with retained messages to send, those first that have waited longest. */
  readonly #walking: Set<Connection> = new Set()
  /** Those that are to be published, in their order. */
  readonly #dueWills: { readonly session: Session; readonly will: Will; readonly expiresAt: number }[] = []
  readonly #chores = new Chores(() => this.work)
  #otherWork = 0
  /** What had been done when this turn began. */
  #turnWork = 0
  #turnPackets = 0
  /** Of it, what connections did whose packets had been cheap. */
  #cheapWork = 0
  packetsEach: number = packetsPerTurn
  workEach: number = workPerTurn
  /** New rules are on their way. */
  #sweeping: Chore | undefined
  /** The round of the last tick is not over yet. */
  #ticking = false
  #publisher: Connection | undefined
  /** Connections whose delivery threw while somebody else's message was routed; they end with the turn. */
  readonly #faulty: Map<Connection, unknown> = new Map()
  #publishing = false
  #closing = false
  #scheduled = false

  constructor(options: BrokerOptions) {
    this.limits = { ...defaultLimits, ...options.limits }
    this.access = options.access ?? openAccess
    this.events = withoutThrowing(options.events, () => this.faults.total++)
    this.faults = new Faults(this.events)
    this.topics = new TopicTable(this.limits.maximumTopicLevels)
    this.reader = new PublishReader(this.topics)
    this.now = options.now
    this.#queued = new QueuedMemory(this.limits.maximumTotalQueuedBytes, (bytes) => this.#fitsAll(bytes))
    this.#partial = new PartialMemory(this.limits.maximumTotalPartialBytes, ({ phase }) => phase !== "connected")
    this.logins = new LoginMemory(this.limits.maximumTotalPartialBytes / 2)
    this.outbound = new OutboundMemory(this.limits.maximumTotalOutboundBytes)
    this.#owners = new SessionOwners(this.limits.maximumSessionsPerOwner)
    this.#store = options.store ?? createMemoryStore()
    this.#bus = options.bus ?? createLocalBus()
    this.#schedule = options.schedule
    this.#wakeAfter = options.wakeAfter ?? (() => undefined)
    this.#randomName = options.randomName
    this.#responseInformation = options.responseInformation
    this.#bus.receive((message, publisher, now) => this.#arrived(message, publisher, now))
    this.#router.onCongested = (subscriber) => {
      if (this.#publisher !== undefined && subscriber instanceof Session)
        this.#publisher.waitFor(subscriber, this.now())
    }
    this.#router.onFault = (subscriber, error) => this.#faulted(subscriber, error)
  }

  get connectionCount(): number {
    return this.#connections.size
  }

  get connectedCount(): number {
    return this.#bySession.size
  }

  get sessionCount(): number {
    return this.#store.sessions.size
  }

  get subscriptionCount(): number {
    return this.#router.subscriptionCount
  }

  get retained(): { readonly size: number; readonly bytes: number } {
    return this.#store.retained
  }

  /** The connections of now. */
  clients(): Connection[] {
    return [...this.#connections]
  }

  /**
   * Bytes of memory: what waits in sessions, what of it is wills, packets that have come in part or wait for a login,
   * subscriptions, copies not taken by clients.
   */
  get memory(): {
    readonly queued: number
    readonly wills: number
    readonly partial: number
    readonly subscriptions: number
    readonly outbound: number
  } {
    const { subscriptionBytes: subscriptions } = this.#router
    const partial = this.#partial.used + this.logins.used
    const { used: queued, wills } = this.#queued
    return { queued, wills, partial, subscriptions, outbound: this.outbound.used }
  }

  /** Whether so many more bytes fit beside all that is kept. */
  #fitsAll(bytes: number): boolean {
    const { queued, partial, subscriptions, outbound } = this.memory
    const sessions = this.#store.sessions.size * sessionCost
    const used = queued + partial + subscriptions + outbound + sessions + this.#store.retained.bytes
    return used + bytes <= this.limits.maximumTotalBytes
  }

  /** Takes a new network connection; undefined, and the sink destroyed, when there are too many. */
  accept(peer: PeerInfo, sink: Sink, now: number): Connection | undefined {
    if (this.#closing || this.#connections.size >= this.limits.maximumConnections) {
      this.counters.disconnected("too many connections")
      sink.destroy()
      return undefined
    }
    this.counters.connectionsOpened++
    try {
      const connection = new Connection(this, peer, sink, now)
      this.#connections.add(connection)
      return connection
    } catch (error) {
      this.faults.report(error, { peer: peer.address })
      this.counters.connectionsClosed++
      this.faults.attempt(() => sink.destroy(), { peer: peer.address })
      return undefined
    }
  }

  /** Once a second: timeouts of connections, ends of sessions, delayed wills. */
  tick(now: number): void {
    if (!this.#ticking) {
      this.#ticking = true
      this.#chores.add(this.#tickAll(now))
    }
    this.#chores.run()
    if (this.#chores.due) this.#askForFlush()
  }

  *#tickAll(now: number): Chore {
    try {
      for (const connection of this.#connections) {
        if (connection.phase === "closed") this.#connections.delete(connection)
        else this.#bound(connection, now, () => connection.tick(now))
        yield 1
      }
      for (const session of this.#waiting) {
        this.#tickWaiting(session, now)
        yield 1
      }
    } finally {
      this.#ticking = false
    }
  }

  /** Ends the pauses of publishers that are over. */
  wake(now: number): void {
    for (const connection of this.#held) this.#bound(connection, now, () => connection.endPause(now))
  }

  #tickWaiting(session: Session, now: number): void {
    try {
      if (session.pendingWill !== undefined && now >= session.pendingWill.dueAt) this.#publishPendingWill(session, now)
      if (now >= session.endsAt) this.#endSession(session, now)
      else if (session.pendingWill === undefined && session.endsAt === Number.POSITIVE_INFINITY) {
        this.#waiting.delete(session)
      }
    } catch (error) {
      this.faults.report(error, { clientId: session.clientId })
    }
  }

  /** Sends what this turn has written and lets paused connections read on. */
  flush(now: number): void {
    this.#scheduled = false
    for (const [connection, error] of this.#faulty) {
      this.#faulty.delete(connection)
      connection.fault(error, now)
    }
    this.#chores.run()
    const served: Connection[] = []
    try {
      if (this.#walking.size > 0) this.#sendRetained(served, now)
    } catch (error) {
      this.#blame(served, error, now)
    }
    const dirty = this.#dirty
    this.#dirty = []
    for (let i = 0; i < dirty.length; i++) {
      try {
        dirty[i]!.writer.flush()
      } catch (error) {
        dirty[i]!.fault(error, now)
      }
    }
    // Who is not done goes behind the others, once its output has been taken.
    for (const connection of served) if (connection.session?.retainedDue === true) this.#walking.add(connection)
    if (this.#walking.size > 0 || this.#chores.due) this.#askForFlush()
    this.#beginTurn()
    this.#resume(now)
    this.#beginTurn()
  }

  /** Lets paused connections read on, those first that have waited longest; many dear ones have several turns. */
  #resume(now: number): void {
    // Who comes in again meanwhile has its turn after this one.
    const waiting = [...this.#resuming]
    for (const cheap of [true, false]) {
      for (const connection of waiting) {
        if (this.turnOver(cheap)) break
        if (connection.cheap !== cheap || !this.#resuming.delete(connection)) continue
        this.#bound(connection, now, () => connection.resume(now))
      }
    }
    if (this.#resuming.size > 0) this.#askForFlush()
  }

  /** What comes in from here on is of the next turn. */
  #beginTurn(): void {
    this.#turnWork = this.work
    this.#cheapWork = 0
    this.#turnPackets = this.counters.packetsReceived
    const others = this.#resuming.size + 1
    this.packetsEach = Math.max(16, Math.min(packetsPerTurn, Math.floor(packetsPerFlush / others)))
    this.workEach = Math.max(500, Math.min(workPerTurn, Math.floor((2 * workPerTurn) / others)))
  }

  turnOver(cheap: boolean): boolean {
    if (this.counters.packetsReceived - this.#turnPackets > packetsPerFlush) return true
    return (cheap ? this.#cheapWork : this.work - this.#turnWork) > 2 * workPerTurn
  }

  spent(cheap: boolean, units: number): void {
    if (cheap) this.#cheapWork += units
  }

  /** The boundary around a connection's work: what throws in there ends it, and the next one's turn comes. */
  #bound(connection: Connection, now: number, work: () => void): void {
    try {
      work()
    } catch (error) {
      connection.fault(error, now)
    }
  }

  /** Ends every connection with Reason Code 0x8B and accepts no more. Wills are published. */
  close(now: number): void {
    this.#closing = true
    for (const connection of [...this.#connections]) {
      connection.disconnect(now, ReasonCode.ServerShuttingDown, "server shutting down")
    }
    do this.flush(now)
    while (this.#chores.due)
  }

  /** Publishes a message of the broker's own, such as $SYS topics. */
  publishOwn(topic: string, payload: Uint8Array, qos: Qos, retain: boolean): void {
    this.publish(Message.of(this.topics.of(topic), payload, qos, retain), undefined, undefined, this.now())
  }

  // --- Host ---

  responseInformation(clientId: string): string | undefined {
    return this.#responseInformation?.(clientId)
  }

  newClientId(): string {
    for (;;) {
      const id = `auto-${this.#randomName()}`
      if (this.#store.sessions.get(id) === undefined) return id // [MQTT-3.2.2-16]
    }
  }

  open(
    connection: Connection,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
  ): { session: Session; sessionPresent: boolean } | undefined {
    const { sessions } = this.#store
    let session = sessions.get(clientId)
    if (session !== undefined && this.#over(session, now)) session = undefined
    if (session !== undefined && !owns(identity, session.owner)) {
      this.#displace(session, connection, identity, now)
      session = undefined
    }
    if (session !== undefined) {
      this.#bySession.get(session)?.takenOver(now, packet.cleanStart)
      // The old session may have ended with its connection.
      session = sessions.get(clientId)
    }
    if (session !== undefined && packet.cleanStart) {
      this.#endSession(session, now) // [MQTT-3.1.2-4]
      session = undefined
    }
    const sessionPresent = session !== undefined // [MQTT-3.2.2-3]
    if (session === undefined) {
      const owner = ownerOf(identity, connection.peer)
      if (!this.#makeRoom(owner, now)) return undefined
      const account = this.#owners.account(owner)
      session = new Session(clientId, identity, this.limits, this.counters, this.#queued, account) // [MQTT-3.1.2-6]
      sessions.set(session)
      this.#owners.add(owner, session)
    }
    if (!session.holdWill(packet.will === undefined ? 0 : willCost(packet.will))) {
      if (!sessionPresent) this.#endSession(session, now)
      return undefined
    }
    session.pendingWill = undefined // [MQTT-3.1.3-9]
    session.expiryInterval = Math.min(packet.sessionExpiryInterval, this.limits.maximumSessionExpiryInterval)
    this.#waiting.delete(session)
    this.#owners.attended(session)
    this.#bySession.set(session, connection)
    if (session.wildSubscriptions > 0) {
      for (const one of session.subscriptions.values()) if (one.filter.shareName !== undefined) this.#router.back(one)
    }
    return { session, sessionPresent }
  }

  /** True when the session's time is over, though its turn has not come yet: it then ends now. A will that is due is sent. */
  #over(session: Session, now: number): boolean {
    if (session.pendingWill !== undefined && now >= session.pendingWill.dueAt) this.#publishPendingWill(session, now)
    if (now < session.endsAt) return false
    this.#endSession(session, now) // section 3.1.2.11.2
    return true
  }

  ended(connection: Connection, session: Session, will: Will | undefined, ending: Ending, now: number): void {
    if (this.#bySession.get(session) === connection) this.#bySession.delete(session)
    if (will !== undefined && ending.publishWill) {
      const context = { peer: connection.peer.address, clientId: session.clientId }
      this.faults.attempt(() => this.#considerWill(session, will, ending, now), context)
    }
    if (session.pendingWill === undefined) session.holdWill(0)
    if (session.expiryInterval === 0) {
      this.#endSession(session, now) // [MQTT-4.1.0-2]
      return
    }
    session.endsAt =
      session.expiryInterval === 0xffff_ffff ? Number.POSITIVE_INFINITY : now + session.expiryInterval * 1000
    this.#waiting.add(session)
    this.#owners.absent(session)
  }

  get work(): number {
    return this.#router.work + this.#otherWork
  }

  cost(units: number): void {
    this.#otherWork += units
  }

  nobody(topic: Topic): boolean {
    return this.#router.nobody(topic)
  }

  publish(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): number {
    const acknowledged = connection !== undefined && message.qos > 0
    let kept = false
    if (message.retain) {
      kept = this.#retain(message, session?.account)
      // Its publisher can be told: then nothing of it happens.
      if (!kept && acknowledged && connection.version === 5) return ReasonCode.QuotaExceeded
      if (!kept) this.#store.retained.delete(message.topic.name) // rather none than an old one (section 3.3.1.3)
    }
    const { sessions, withoutRoom } = this.#forward(message, session, connection, now)
    if (acknowledged && !kept && (message.retain || (sessions > 0 && withoutRoom === sessions))) {
      return ReasonCode.QuotaExceeded
    }
    return sessions === 0 ? ReasonCode.NoMatchingSubscribers : ReasonCode.Success
  }

  #forward(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): Reach {
    const before = this.#publisher
    const inside = this.#publishing
    this.#publisher = connection
    this.#publishing = true
    try {
      return this.#bus.publish(message, session, now) // [MQTT-4.5.0-1]
    } finally {
      this.#publisher = before
      this.#publishing = inside
    }
  }

  /** A message off the bus. What throws in a publisher's own turn is its connection's; else nobody could answer for it. */
  #arrived(message: Message, publisher: Subscriber | undefined, now: number): Reach {
    if (this.#publishing) return this.#router.route(message, publisher, now)
    let reach: Reach = { sessions: 0, withoutRoom: 0 }
    this.faults.attempt(() => {
      reach = this.#router.route(message, publisher, now)
    })
    return reach
  }

  #faulted(subscriber: Subscriber, error: unknown): void {
    const connection = subscriber instanceof Session ? this.#bySession.get(subscriber) : undefined
    if (connection === undefined) {
      this.faults.report(error, { clientId: subscriber.clientId })
      return
    }
    this.#faulty.set(connection, error)
    this.#askForFlush()
  }

  subscribe(
    session: Session,
    identity: Identity,
    request: SubscriptionRequest,
    identifier: number | undefined,
  ): { reasonCode: number; refusal?: Refusal; retained: boolean } {
    const filter = readFilter(request.filter, this.limits.maximumTopicLevels)
    if (filter === undefined) return { reasonCode: ReasonCode.TopicFilterInvalid, retained: false }
    if (request.noLocal && filter.shareName !== undefined) {
      // [MQTT-3.8.3-4] a Protocol Error, which ends the connection
      throw new PacketError(ReasonCode.ProtocolError, "MQTT-3.8.3-4", "No Local on a shared subscription")
    }
    const refusal = this.access.subscribeRefusal(identity, session.clientId, filter)
    if (refusal !== undefined) return { reasonCode: ReasonCode.NotAuthorized, refusal, retained: false }
    const allowed = this.access.deliveryRule(identity, session.clientId, filter)
    const existing = session.subscriptions.get(filter.text)
    if (existing === undefined && !this.#roomFor(session, subscriptionShare(filter))) {
      return { reasonCode: ReasonCode.QuotaExceeded, retained: false }
    }
    const wild = existing === undefined && isWild(filter)
    if (wild && session.wildSubscriptions >= this.limits.maximumWildcardSubscriptions) {
      return { reasonCode: ReasonCode.QuotaExceeded, retained: false }
    }
    if (wild) session.wildSubscriptions++
    const { text, shareName, path } = filter
    const subscription: Subscription = {
      subscriber: session,
      filter: { text, shareName, path },
      qos: request.qos,
      noLocal: request.noLocal,
      retainAsPublished: request.retainAsPublished,
      identifier,
      mayReceive: this.#withoutThrowing(allowed, session),
      identifiers: identifier === undefined ? [] : [identifier],
    }
    session.subscriptions.set(text, subscription) // [MQTT-3.8.4-3]
    session.retained.replace(subscription)
    this.#router.add(subscription)
    if (existing === undefined) charge(session, subscriptionShare(filter))
    // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; no retained messages for shared subscriptions (section 4.8.2)
    const wanted = request.retainHandling === 0 || (request.retainHandling === 1 && existing === undefined)
    return { reasonCode: request.qos, retained: wanted && shareName === undefined }
  }

  /** A session has as much as is left over for the others, an owner three times as much. */
  #roomFor(session: Session, bytes: number): boolean {
    const { maximumSubscriptions, maximumTotalSubscriptionBytes } = this.limits
    const left = maximumTotalSubscriptionBytes - this.#router.subscriptionBytes
    return (
      session.subscriptions.size < maximumSubscriptions &&
      session.subscriptionBytes + bytes <= left - bytes &&
      fitsShare(session.account.subscriptions, bytes, left) &&
      this.#fitsAll(bytes)
    )
  }

  #withoutThrowing(rule: TopicRule | undefined, session: Session): TopicRule | undefined {
    if (rule === undefined) return undefined
    return (topic) => {
      try {
        return rule(topic)
      } catch (error) {
        this.#faulted(session, error)
        return false
      }
    }
  }

  /**
   * The rules of access are others now. What they no longer allow ends at once, for connected clients and for sessions that are
   * away: nothing of it is accepted, delivered or kept. `lost` says why a login is none any more. With `rights` it is also the
   * access control list that has changed, which costs some microseconds for each subscription and message there is: they are
   * gone through in turns, or when they are about to be used. With `disconnect` clients go that lost their login or one of
   * their filters. `done` is told at the end what has come of it.
   */
  rulesChanged(
    lost: LostRight,
    { rights, disconnect }: RulesChange,
    done: (applied: RulesApplied) => void = () => undefined,
  ): void {
    this.#finishSweep()
    const leaving = new Map<Connection, string>()
    for (const connection of this.#connections) {
      this.#bound(connection, this.now(), () => {
        connection.rulesChanged()
        const why = connection.identity && lost(connection.identity, connection.peer)
        if (why !== undefined) leaving.set(connection, why)
      })
    }
    const sweep = rights ? this.#beginSweep() : undefined
    const chore = this.#applyRules(sweep, leaving, disconnect, done)
    this.#sweeping = chore
    this.#chores.add(chore)
    this.#chores.run()
    if (this.#chores.due) this.#askForFlush()
  }

  /** One at a time. */
  #finishSweep(): void {
    for (let chore = this.#sweeping; chore !== undefined && chore === this.#sweeping; ) chore.next()
  }

  #beginSweep(): RulesSweep {
    const sweep = new RulesSweep({
      access: this.access,
      identityOf: (session) => this.#bySession.get(session)?.identity ?? { ...session.owner },
      put: (session, subscription, rule) => {
        this.#router.rule(subscription, rule === never ? rule : this.#withoutThrowing(rule, session))
      },
      fault: (session, error) => {
        const peer = this.#bySession.get(session)?.peer.address
        this.faults.report(error, { peer, clientId: session.clientId })
      },
    })
    this.#router.judge = (subscription) => {
      if (subscription.subscriber instanceof Session) sweep.ahead(subscription.subscriber, subscription)
    }
    this.#router.forget()
    for (const session of this.#store.sessions.values()) session.stale = () => sweep.freshen(session)
    return sweep
  }

  *#applyRules(
    sweep: RulesSweep | undefined,
    leaving: Map<Connection, string>,
    disconnect: boolean,
    done: (applied: RulesApplied) => void,
  ): Chore {
    const logins = leaving.size
    let filters = 0
    try {
      if (sweep !== undefined) {
        for (const session of this.#store.sessions.values()) {
          let refused = 0
          try {
            refused = yield* sweep.session(session)
          } catch (error) {
            sweep.giveUp(session, error)
          }
          filters += refused
          const connection = this.#bySession.get(session)
          if (sweep.isBroken(session)) this.#giveUp(session, connection)
          else if (refused > 0 && connection !== undefined && !leaving.has(connection))
            leaving.set(connection, "a subscription is no longer allowed")
        }
      }
    } finally {
      this.#router.judge = undefined
      this.#sweeping = undefined
    }
    const gone = disconnect ? leaving.size : 0
    this.faults.attempt(() => done({ logins, filters, disconnected: gone }))
    if (!disconnect) return
    // Now, as everybody has the new rules: a will may be published.
    for (const [connection, reason] of leaving) {
      this.#bound(connection, this.now(), () => connection.disconnect(this.now(), ReasonCode.NotAuthorized, reason))
      yield 1
    }
  }

  #giveUp(session: Session, connection: Connection | undefined): void {
    session.expiryInterval = 0
    if (connection === undefined) this.#endSession(session, this.now())
    else connection.disconnect(this.now(), ReasonCode.ImplementationSpecificError, "internal error")
  }

  unsubscribe(session: Session, filter: string): number {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return ReasonCode.NoSubscriptionExisted
    session.subscriptions.delete(filter) // [MQTT-3.10.4-1]
    session.retained.remove(filter)
    if (isWild(subscription.filter)) session.wildSubscriptions--
    this.#router.remove(subscription)
    charge(session, -subscriptionShare(subscription.filter))
    return ReasonCode.Success
  }

  dirty(connection: Connection): void {
    this.#dirty.push(connection)
    this.#askForFlush()
  }

  holds(connection: Connection, bytes: number, now: number): void {
    for (const slow of this.#partial.set(connection, bytes)) {
      slow.disconnect(now, ReasonCode.QuotaExceeded, "too many packets have come in part; this one is the oldest")
    }
  }

  hold(connection: Connection, milliseconds: number): void {
    this.#held.add(connection)
    this.#wakeAfter(milliseconds + 1) // a timer may be early by a fraction
  }

  resumeSoon(connection: Connection): void {
    this.#held.delete(connection)
    this.#resuming.add(connection)
    this.#askForFlush()
  }

  #askForFlush(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    try {
      this.#schedule()
    } catch (error) {
      this.#scheduled = false
      throw error
    }
  }

  sendRetained(connection: Connection, session: Session, filter: string): void {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return
    session.retained.add(subscription, this.#store.retained.walk(subscription.filter.path))
    this.retainedSoon(connection)
  }

  retainedSoon(connection: Connection): void {
    this.#walking.add(connection)
    this.#askForFlush()
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    this.#walking.delete(connection)
    this.#held.delete(connection)
    this.#resuming.delete(connection)
    this.#faulty.delete(connection)
  }

  // --- inside ---

  /** False when that owner, or everybody together, has as many sessions as may be, all of them connected. */
  #makeRoom(owner: string, now: number): boolean {
    const full = this.#store.sessions.size >= this.limits.maximumSessions
    const memoryFull = !this.#fitsAll(sessionCost)
    if (!full && !memoryFull && !this.#owners.full(owner)) return true
    // For want of memory, which others may have taken, nobody else's session goes.
    const own = memoryFull || this.#owners.full(owner)
    const oldest = own ? this.#owners.oldestAbsentOf(owner) : this.#owners.oldestAbsent
    if (oldest === undefined) return false
    this.counters.sessionsDisplaced++
    this.#endSession(oldest, now)
    return true
  }

  /** One turn's share of the retained messages that new subscriptions are owed. `served` gets those whose turn it was. */
  #sendRetained(served: Connection[], now: number): void {
    const { retained } = this.#store
    const left = { ...walkTurn }
    const each = Math.max(16, Math.floor(walkTurn.messages / this.#walking.size))
    for (const connection of this.#walking) {
      if (left.steps <= 0 || left.messages <= 0 || left.bytes <= 0) break
      this.#walking.delete(connection)
      served.push(connection)
      const messages = Math.min(left.messages, each)
      const slice = { steps: Math.min(left.steps, each * 4), messages, bytes: left.bytes }
      left.steps -= slice.steps
      left.messages -= slice.messages
      left.bytes -= slice.bytes
      this.#bound(connection, now, () => {
        connection.session?.sendRetained(slice, now, (message) => retained.delete(message.topic.name))
      })
      left.steps += slice.steps
      left.messages += slice.messages
      left.bytes += slice.bytes
    }
  }

  /** Ends the connection whose turn it was: the last that was served, or the first that waits. */
  #blame(served: Connection[], error: unknown, now: number): void {
    const connection = served.pop() ?? [...this.#walking][0]
    if (connection === undefined) return
    this.#walking.delete(connection)
    connection.fault(error, now)
  }

  /** False, and counted, when there is no room for it. */
  #retain(message: Message, account: Account | undefined): boolean {
    const { retained } = this.#store
    const { maximumRetainedMessages, maximumRetainedBytes } = this.limits
    // [MQTT-3.3.1-6], [MQTT-3.3.1-7] an empty payload removes and is not stored
    if (message.payloadEnd === message.payloadStart) {
      retained.delete(message.topic.name)
      return true
    }
    // [MQTT-3.3.1-5]
    const kept = retained.set(message.own(), account, () => {
      const left = maximumRetainedBytes - retained.bytes
      const fits = account === undefined || fitsShare(account.retained, 0, left)
      return fits && left >= 0 && retained.size <= maximumRetainedMessages && this.#fitsAll(0)
    })
    if (!kept) this.counters.retainedRefused++
    return kept
  }

  #considerWill(session: Session, will: Will, ending: Ending, now: number): void {
    const { takenOverBy } = ending
    const delay = Math.min(will.delayInterval, session.expiryInterval)
    const sessionEnds = session.expiryInterval === 0 || takenOverBy?.cleanStart === true
    if (delay === 0 || sessionEnds || this.#closing) {
      this.#publishWill(session, will, now)
      return
    }
    // [MQTT-3.1.3-9] not sent when the session goes on before the delay has passed
    if (takenOverBy !== undefined) return
    session.pendingWill = { will, dueAt: now + delay * 1000 }
  }

  #publishPendingWill(session: Session, now: number): void {
    session.freshen()
    const pending = session.pendingWill
    if (pending === undefined) return
    session.pendingWill = undefined // [MQTT-3.1.2-10]
    session.holdWill(0)
    this.#publishWill(session, pending.will, now)
  }

  /** In a turn of its own: many clients may go at once. */
  #publishWill(session: Session, will: Will, now: number): void {
    const expiry = will.messageExpiryInterval
    const expiresAt = expiry === undefined ? Number.POSITIVE_INFINITY : now + expiry * 1000
    this.#dueWills.push({ session, will, expiresAt })
    if (this.#dueWills.length > 1) return
    this.#chores.add(this.#publishDueWills())
    this.#askForFlush()
  }

  *#publishDueWills(): Chore {
    const due = this.#dueWills
    for (let i = 0; i < due.length; i++) {
      const { session, will, expiresAt } = due[i]!
      this.faults.attempt(
        () => {
          this.counters.willsPublished++
          const topic = this.topics.of(will.topic)
          const message = Message.of(topic, will.payload, will.qos, will.retain, will.properties, expiresAt)
          this.publish(message, session, undefined, this.now())
        },
        { clientId: session.clientId },
      )
      yield 1
    }
    due.length = 0
  }

  #endSession(session: Session, now: number): void {
    // Each step happens whatever becomes of the others: nothing may be left that delivers to a session that has ended.
    const step = (work: () => void) => this.faults.attempt(work, { clientId: session.clientId })
    step(() => this.#publishPendingWill(session, now)) // [MQTT-3.1.2-8] at the latest when the session ends
    for (const subscription of session.subscriptions.values()) step(() => this.#router.remove(subscription))
    session.subscriptions.clear()
    charge(session, -session.subscriptionBytes)
    step(() => session.clear())
    this.#owners.remove(session)
    this.#waiting.delete(session)
    if (this.#store.sessions.get(session.clientId) === session) this.#store.sessions.delete(session.clientId)
  }

  /**
   * Section 5.4.2: a Client Identifier gives access to a session, so it is whose session it is. Only an absent anonymous
   * one, which anybody could have opened, gives way to a user who has logged in. Throws PacketError with 0x85 otherwise.
   */
  #displace(session: Session, connection: Connection, identity: Identity, now: number): void {
    const { peer } = connection
    if (session.owner.source !== "anonymous" || session.connected) {
      const whose = session.owner.source === "anonymous" ? "an anonymous client's" : "another user's"
      const what = `the Client Identifier belongs to ${whose} session`
      throw new PacketError(ReasonCode.ClientIdentifierNotValid, "5.4.2", what)
    }
    this.#endSession(session, now)
    const reason = "it was an anonymous client's, which is not connected"
    this.events({ event: "session displaced", peer, clientId: session.clientId, user: identity.user, reason })
  }
}

function owns(identity: Identity, owner: Session["owner"]): boolean {
  const anonymous = identity.source === "anonymous"
  return anonymous === (owner.source === "anonymous") && (anonymous || identity.user === owner.user)
}

/** A log that throws has nobody to tell; it is counted. */
function withoutThrowing(sink: EventSink | undefined, count: () => void): EventSink {
  if (sink === undefined) return () => undefined
  return (event: BrokerEvent) => {
    try {
      sink(event)
    } catch {
      count()
    }
  }
}

function charge(session: Session, bytes: number): void {
  session.subscriptionBytes += bytes
  session.account.subscriptions += bytes
}
