// The broker without I/O: what it is made of, what the platform and the connections call, and who does each of it. Time is an
// argument; whoever drives it calls `tick` about once a second and `flush` when `schedule` asked for it.

import { Connection } from "../client/connection.ts"
import type { Ending, Hub, Redirect } from "../client/hub.ts"
import { SpareBuffers } from "../client/spare-buffers.ts"
import type { Change, Clock, Owner } from "../packet/change.ts"
import type { Codec } from "../packet/codec.ts"
import { PacketError } from "../packet/errors.ts"
import { Message } from "../packet/message.ts"
import type { ConnectPacket, Qos, SubscriptionRequest, Will } from "../packet/packets.ts"
import { PublishReader } from "../packet/publish.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { type Topic, TopicTable } from "../packet/topic.ts"
import { workingMemory } from "../packet/working-memory.ts"
import type { Access, Identity } from "../ports/access.ts"
import type { Claimed, Cluster, Standing } from "../ports/cluster.ts"
import type { BrokerEvent, EventSink } from "../ports/events.ts"
import { Pause } from "../ports/pause.ts"
import type { PeerInfo, Sink } from "../ports/peer.ts"
import type { Restored, Store } from "../ports/store.ts"
import { readFilter } from "../routing/filter.ts"
import { Router } from "../routing/router.ts"
import type { Subscriber } from "../routing/subscription.ts"
import { Counters } from "../session/counters.ts"
import { Faults } from "../session/faults.ts"
import { allFeatures, type Features } from "../session/features.ts"
import { defaultLimits, type Limits, type ListenerLimits, type ToldLimits } from "../session/limits.ts"
import { LoginMemory, OutboundMemory, PartialMemory, QueuedMemory, sessionCost } from "../session/memory.ts"
import type { Recorder } from "../session/recorder.ts"
import { Sampling } from "../session/sampling.ts"
import { Session } from "../session/session.ts"
import { Admission, type Refused } from "./admission.ts"
import { TurnBudget } from "./budget.ts"
import { type Chore, Chores } from "./chores.ts"
import type { ClusterSessions } from "./cluster-sessions.ts"
import type { Inspect } from "./inspect.ts"
import { Journal } from "./journal.ts"
import type { BrokerOptions } from "./options.ts"
import { Output } from "./output.ts"
import { Publications } from "./publications.ts"
import { Restoration } from "./restore.ts"
import { isOwn, RetainedMessages } from "./retained.ts"
import type { LostRight, RulesApplied, RulesChange } from "./rules.ts"
import { RulesChanges } from "./rules-change.ts"
import { Sessions } from "./sessions.ts"
import { type Granted, Subscriptions } from "./subscriptions.ts"
import { Turns } from "./turns.ts"
import { Waiting } from "./waiting.ts"
import { contentBytes, Wills } from "./wills.ts"

export class Broker implements Hub<Connection>, Inspect {
  readonly limits: Limits
  told: ToldLimits
  readonly features: Features
  readonly checksPayloadFormat: boolean
  /** Where clients are sent; it may be another later. */
  redirect: Redirect | undefined
  readonly counters: Counters
  readonly sampling: Sampling
  readonly faults: Faults
  readonly outbound: OutboundMemory
  readonly spares: SpareBuffers = new SpareBuffers()
  readonly logins: LoginMemory
  readonly access: Access
  readonly codec: Codec
  readonly recorder: Recorder
  readonly events: EventSink
  readonly topics: TopicTable
  readonly reader: PublishReader
  readonly now: () => number
  readonly #store: Store
  readonly #journal: Journal
  readonly #router: Router
  readonly #sessions: Sessions
  readonly #subscriptions: Subscriptions
  readonly #retained: RetainedMessages
  readonly #wills: Wills
  readonly #rulesChanges: RulesChanges
  readonly #queued: QueuedMemory
  readonly #partial: PartialMemory<Connection>
  readonly #randomName: () => string
  readonly #responseInformation: ((clientId: string) => string | undefined) | undefined
  readonly #admission: Admission
  #listenerLimits: ReadonlyMap<string, ListenerLimits>
  /** What connections are told that come through a listener with limits of its own. */
  readonly #toldBy: Map<string, ToldLimits> = new Map()
  readonly #walkPlaces: number
  readonly #connections: Set<Connection>
  /** Connections whose first bytes have come. */
  #came = 0
  readonly #chores = new Chores(() => this.work)
  readonly #budget: TurnBudget
  #otherWork = 0
  readonly #output: Output
  readonly #turns: Turns
  readonly #waiting: Waiting
  readonly #publications: Publications
  readonly #cluster: Cluster | undefined
  /** Undefined: this broker is alone. */
  #clusterSessions: ClusterSessions | undefined
  /** The round of the last tick is not over yet. */
  #ticking = false
  #closing = false

  constructor(options: BrokerOptions) {
    const { observers = {} } = options
    this.counters = new Counters(observers.queued)
    this.sampling = new Sampling(observers.delivered, options.now)
    this.limits = { ...defaultLimits, ...options.limits }
    this.told = { ...this.limits }
    this.#listenerLimits = options.listenerLimits ?? new Map()
    this.#tellListeners()
    this.features = { ...allFeatures, ...options.features }
    this.redirect = options.redirect
    this.checksPayloadFormat = options.checksPayloadFormat ?? false
    this.access = options.access
    this.codec = options.codec
    this.events = withoutThrowing(options.events, () => this.faults.total++)
    this.faults = new Faults(this.events)
    const working = workingMemory(options.heap)
    this.#walkPlaces = working.walkPlaces
    this.topics = new TopicTable(this.limits.maximumTopicLevels, working.topics)
    this.reader = new PublishReader(this.topics)
    this.now = options.now
    const fitsAll = (bytes: number) => this.#fitsAll(bytes)
    this.#queued = new QueuedMemory(this.limits.maximumTotalQueuedBytes, fitsAll)
    this.#partial = new PartialMemory(this.limits.maximumTotalPartialBytes, ({ phase }) => phase !== "connected")
    this.logins = new LoginMemory(this.limits.maximumTotalPartialBytes / 2)
    this.outbound = new OutboundMemory(this.limits.maximumTotalOutboundBytes)
    this.#store = options.store
    const journalEvents = {
      begun: () => this.#turns.askForFlush(),
      committed: () =>
        this.faults.attempt(() => {
          this.#turns.committed()
          this.#storeAnswered()
        }),
      failed: (why: string) => {
        this.events({ event: "store failed", reason: why })
        this.faults.attempt(() => this.#output.failed())
      },
      recovered: () => {
        this.faults.attempt(() => {
          this.events({ event: "store recovered" })
          this.#turns.recovered()
        })
      },
    }
    const { committed } = observers
    const timing = committed && {
      asked: options.now,
      answered: (asked: number) => this.faults.attempt(() => committed.observe(options.now() - asked)),
    }
    const clustered = options.cluster !== undefined
    const wall = options.wall ?? options.now
    this.#journal = new Journal(options.store, { ...journalEvents, ...timing }, wall, working, clustered)
    this.recorder = this.#journal
    this.#randomName = options.randomName
    this.#responseInformation = options.responseInformation
    this.#router = new Router(options.awayPerTurn, working.routes)
    this.#budget = new TurnBudget(this.counters, this.recorder, () => this.work)
    this.#admission = new Admission(this.limits, this.#listenerLimits)
    this.#connections = this.#admission.connections

    const { access, counters, events, faults, features, limits, now, recorder, topics } = this
    const { roster } = options
    const router = this.#router
    const later = (chore: Chore) => this.later(chore)
    const bound = (connection: Connection, time: number, work: () => void) => this.#bound(connection, time, work)
    const publish = (message: Message, session: Session, time: number) => {
      this.publish(message, session, undefined, time)
    }
    const stranger = (clientId: string, owner: Owner) =>
      new Session(clientId, owner, this.limits, this.counters, this.#queued, this.#sessions.account(owner.account))
    const faulted = (session: Session, error: unknown) => this.#publications.faulted(session, error)
    const askForFlush = () => this.#turns.askForFlush()
    this.#output = new Output({ now, bound })
    const keptBytes = (topic: Topic) => router.keptBytes(topic)
    this.#wills = new Wills({ access, counters, faults, topics, recorder, now, later, publish, stranger, keptBytes })
    this.#retained = new RetainedMessages({ limits, counters, recorder, roster, fitsAll, bound })
    const cluster = options.cluster?.cluster
    this.#cluster = cluster
    const sessionOf = (clientId: string) => this.#sessions.get(clientId)
    const ofCluster = cluster && { cluster, faults, recorder, now, later, askForFlush }
    const members = ofCluster && options.cluster?.makeMembers({ ...ofCluster, sessionOf })
    router.groupsApart = clustered
    this.#subscriptions = new Subscriptions({ access, features, limits, router, cluster, members, fitsAll, faulted })
    const [subscriptions, wills, queued] = [this.#subscriptions, this.#wills, this.#queued]
    const [work, cost] = [() => this.work, (units: number) => this.cost(units)]
    const turnLeft = () => this.turnLeft(false) > 0
    const { queuePolicy = "drop-newest" } = options
    const shared = { access, counters, events, faults, limits, now, router, subscriptions, wills, later, bound }
    const parted = (clientId: string) => this.#clusterSessions?.parted(clientId)
    const beside = { queued, queuePolicy, recorder, roster, clustered, parted, members, cost, turnLeft, fitsAll }
    this.#sessions = new Sessions({ ...shared, ...beside })
    const [sessions, connections] = [this.#sessions, this.#connections]
    this.#rulesChanges = new RulesChanges({ ...shared, cost, sessions, connections })

    const wakeAfter = options.wakeAfter ?? (() => undefined)
    this.#waiting = new Waiting({ budget: this.#budget, work, bound, askForFlush, wakeAfter })
    const connectionOf = (session: Session) => this.#sessions.connectionOf(session)
    const [bus, retained] = [options.bus, this.#retained]
    const told = { bus, clustered, router, retained, faults, now, recorder, queuePolicy, connectionOf, askForFlush }
    this.#publications = new Publications(told)
    this.#turns = new Turns({
      budget: this.#budget,
      chores: this.#chores,
      journal: this.#journal,
      output: this.#output,
      publications: this.#publications,
      retained,
      router,
      waiting: this.#waiting,
      now,
      schedule: options.schedule,
    })
    if (ofCluster !== undefined && members !== undefined) {
      const route = (message: Message, publisher: Subscriber | undefined, time: number) =>
        this.#publications.arrived(message, publisher, time)
      const restore = ({ changes }: Claimed) => this.#restoreOne(changes)
      const needs = { ...ofCluster, sessions, retained, members, topics, restore, route, wakeAfter }
      this.#clusterSessions = options.cluster?.makeSessions(needs)
    }
  }

  /** A session that was another node's, or nobody's. */
  #restoreOne(changes: readonly Change[]): void {
    const { faults, topics } = this
    const parts = { sessions: this.#sessions, subscriptions: this.#subscriptions, retained: this.#retained }
    const needs = { faults, topics, ...parts, wills: this.#wills, walkPlaces: this.#walkPlaces, ownNumbers: false }
    const restoration = new Restoration(needs)
    for (const change of changes) restoration.visit(change)
    restoration.finish(this.now())
  }

  // --- Inspect ---

  get connectionCount(): number {
    return this.#connections.size
  }

  get connectedCount(): number {
    return this.#sessions.connectedCount
  }

  get connectedMost(): number {
    return this.#sessions.connectedMost
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  sessions(): Iterable<Session> {
    return this.#sessions.all()
  }

  get subscriptionCount(): number {
    return this.#router.subscriptionCount
  }

  get sharedSubscriptionCount(): number {
    return this.#router.sharedSubscriptionCount
  }

  get stored(): Inspect["stored"] {
    const { messages, payloads, inflight } = this.#queued
    const { tree } = this.#retained
    return { messages: messages + tree.size, payloads: payloads + tree.payloads, inflight }
  }

  get retained(): { readonly size: number; readonly bytes: number } {
    return this.#retained.tree
  }

  /** The filters that a session has subscribed to; none: there is no such session. */
  filtersOf(clientId: string): string[] {
    return [...(this.#sessions.get(clientId)?.subscriptions.keys() ?? [])]
  }

  /** Messages of QoS 1 and 2 of a session that are not completely acknowledged; 0: there is no such session. */
  waitingFor(clientId: string): number {
    const session = this.#sessions.get(clientId)
    return session === undefined ? 0 : session.queuedMessages + session.inflightMessages
  }

  /** The connections of now. */
  clients(): Connection[] {
    return [...this.#connections]
  }

  /** The message that is retained on this topic. */
  retainedOn(topic: string): Message | undefined {
    return this.#retained.tree.get(topic)
  }

  get memory(): Inspect["memory"] {
    const { subscriptionBytes: subscriptions } = this.#router
    const partial = this.#partial.used + this.logins.used
    const { used: queued, wills } = this.#queued
    return { queued, wills, partial, subscriptions, outbound: this.outbound.used }
  }

  /** Whether so many more bytes fit beside all that is kept. */
  #fitsAll(bytes: number): boolean {
    const { queued, partial, subscriptions, outbound } = this.memory
    // Those that have ended are kept until their wills are published.
    const sessions = (this.#sessions.size + this.#wills.dueCount) * sessionCost
    const used = queued + partial + subscriptions + outbound + sessions + this.#retained.tree.bytes
    return used + bytes <= this.limits.maximumTotalBytes
  }

  // --- what the platform calls ---

  /**
   * Makes what was there before a restart, of what the store has kept. To be called once, before any connection. When the store
   * cannot say what that is, the broker is of no use. `resume` gets the last sign of life, if there is one, and says what time it is:
   * what `now` says from then on (see `resumedAt`). A number is the time of a clock that has gone on meanwhile.
   */
  restore(resume: number | ((last: Clock | undefined) => number)): Restored | Pause<Restored> {
    const { faults, topics } = this
    const parts = { sessions: this.#sessions, subscriptions: this.#subscriptions, retained: this.#retained }
    const restoration = new Restoration({ faults, topics, ...parts, wills: this.#wills, walkPlaces: this.#walkPlaces })
    const finish = (restored: Restored): Restored => {
      if (restored !== "restored") return restored
      const { problem } = restoration
      if (problem !== undefined) return { failed: problem }
      this.#journal.begin(restoration.sequence)
      const now = typeof resume === "number" ? resume : resume(restoration.clock)
      restoration.finish(now)
      this.#journal.clock(now, this.#timeMatters)
      // The rules of access may be others than those that it came by.
      this.rulesChanged(() => undefined, { rights: true, disconnect: false })
      return restored
    }
    const reading = this.#store.restore((change) => restoration.visit(change))
    if (!(reading instanceof Pause)) return finish(reading)
    const done = new Pause<Restored>()
    reading.onAnswer((restored) => done.answer(finish(restored)))
    return done
  }

  /** Takes a new network connection; undefined, and the sink destroyed, when there are too many. */
  accept(peer: PeerInfo, sink: Sink, now: number): Connection | undefined {
    const refused = this.#closing ? shuttingDown : this.#admission.refusal(peer)
    if (refused !== undefined) {
      const { label, reason } = refused
      this.counters.connectionsRefused++
      this.counters.disconnected(label)
      if (reason !== undefined)
        this.events({ event: "client refused", peer, clientId: "", user: peer.certificateIdentity, reason })
      sink.destroy()
      return undefined
    }
    this.counters.connectionsOpened++
    try {
      const connection = new Connection(this, peer, sink, now)
      this.#admission.add(connection)
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
    this.#waiting.rationed(now)
    this.#clusterSessions?.wake(now)
    if (!this.#ticking) {
      this.#ticking = true
      this.#chores.add(this.#tickAll(now))
    }
    this.#chores.run()
    this.#journal.retry()
    // What was too large for the room that there was may not be now.
    if (!this.#journal.failing) this.#waiting.recovered()
    this.#wills.retry()
    this.#storeAnswered()
    this.#journal.clock(now, this.#timeMatters)
    if (this.#chores.due || this.#journal.failing || !this.#journal.settled) this.#turns.askForFlush()
  }

  /** There is something that ends by itself, or somebody who may be lost. */
  get #timeMatters(): boolean {
    return this.#sessions.size > 0 || this.#retained.tree.expiring > 0
  }

  *#tickAll(now: number): Chore {
    try {
      for (const connection of this.#connections) {
        if (connection.phase === "closed") this.closed(connection)
        else this.#bound(connection, now, () => connection.tick(now))
        yield 1
      }
      yield* this.#sessions.tick(now)
      yield* this.#retained.expire(now)
    } finally {
      this.#ticking = false
    }
  }

  /** Sends what this turn has written and lets paused connections read on. */
  flush(now: number): void {
    this.#turns.flush(now)
  }

  /** Ends the pauses of publishers that are over, those for subscribers and those of their own rate. */
  wake(now: number): void {
    this.#waiting.wake(now)
    this.#clusterSessions?.wake(now)
  }

  /** The boundary around a connection's work: what throws in there ends it, and the next one's turn comes. */
  #bound(connection: Connection, now: number, work: () => void): void {
    try {
      work()
    } catch (error) {
      connection.fault(error, now)
    }
  }

  /** Ends every connection with Reason Code 0x8B and accepts no more. Wills are published, and what is left is kept. */
  close(now: number): void | Pause<void> {
    this.#closing = true
    this.#wills.closing = !this.#store.lasting
    const code = this.redirect === undefined ? ReasonCode.ServerShuttingDown : ReasonCode.UseAnotherServer
    for (const connection of [...this.#connections]) {
      connection.disconnect(now, code, "server shutting down")
    }
    do this.flush(now)
    while (this.#chores.due || this.#output.due || this.#router.late)
    return this.#journal.end(() => this.#store.close())
  }

  /** Publishes a message of the broker's own, such as $SYS topics. Returns whether it is retained now. */
  publishOwn(topic: string, payload: Uint8Array, qos: Qos, retain: boolean): boolean {
    const name = this.topics.of(topic)
    const kept = retain && this.features.retainAvailable
    // While nothing can be kept, what is said anew soon does not wait for that, nor is there room for what nobody can refuse.
    const anew = isOwn(topic) || !this.recorder.mayGrow(2 * payload.length + this.#router.keptBytes(name))
    const granted = this.recorder.failing && anew ? 0 : qos
    this.publish(Message.of(name, payload, granted, kept), undefined, undefined, this.now())
    return kept && this.#retained.tree.get(topic) !== undefined
  }

  /**
   * Ends a session: its client, if it is connected, is told that somebody who runs the broker has done so (0x98), and why. False
   * when there is none.
   */
  endSession(clientId: string, reason: string, now: number): boolean {
    const session = this.#sessions.get(clientId)
    if (session === undefined) return false
    session.expiryInterval = 0
    this.#sessions.connectionOf(session)?.disconnect(now, ReasonCode.AdministrativeAction, reason)
    // One that was connected has ended with its connection, or does when its turn comes.
    if (this.#sessions.get(clientId) === session && !session.connected) this.#sessions.end(session, now)
    this.#turns.askForFlush()
    return true
  }

  /** The client's connection. */
  connectionOf(clientId: string): Connection | undefined {
    const session = this.#sessions.get(clientId)
    return session && this.#sessions.connectionOf(session)
  }

  /**
   * The rules of access are others now. What they no longer allow ends at once, for connected clients and for sessions that are
   * away: nothing of it is accepted, delivered or kept. `lost` says why a login is none any more. With `rights` it is also the
   * access control list that has changed, which costs some microseconds for each subscription and message there is: they are
   * gone through in turns, or when they are about to be used. With `disconnect` clients go that lost their login or one of
   * their filters. `done` is told at the end what has come of it.
   */
  rulesChanged(lost: LostRight, change: RulesChange, done: (applied: RulesApplied) => void = () => undefined): void {
    this.#rulesChanges.begin(lost, change, done)
    this.#chores.run()
  }

  /**
   * Other limits hold from now on, but for the levels of topics. Of what is there nothing is thrown away because of them, and
   * what a client was told stays for its connection. What they let go on goes on in turns.
   */
  limitsChanged(limits: Limits): void {
    Object.assign(this.limits, limits)
    this.told = { ...limits }
    this.#tellListeners()
    this.#queued.maximum = limits.maximumTotalQueuedBytes
    this.#partial.maximum = limits.maximumTotalPartialBytes
    this.logins.maximum = limits.maximumTotalPartialBytes / 2
    this.outbound.maximum = limits.maximumTotalOutboundBytes
    this.later(this.#limitsReachConnections())
  }

  /** The same of listeners, by their names. */
  listenerLimitsChanged(limits: ReadonlyMap<string, ListenerLimits>): void {
    this.#listenerLimits = limits
    this.#admission.limitListeners(limits)
    this.#tellListeners()
  }

  #tellListeners(): void {
    this.#toldBy.clear()
    for (const [name, { maximumPacketSize = Number.POSITIVE_INFINITY }] of this.#listenerLimits) {
      if (maximumPacketSize < this.told.maximumPacketSize) this.#toldBy.set(name, { ...this.told, maximumPacketSize })
    }
  }

  *#limitsReachConnections(): Chore {
    for (const connection of this.#connections) {
      const now = this.now()
      this.#bound(connection, now, () => connection.limitsChanged(now))
      yield 1
    }
  }

  // --- Hub ---

  toldTo({ listener }: PeerInfo): ToldLimits {
    return (listener === undefined ? undefined : this.#toldBy.get(listener)) ?? this.told
  }

  responseInformation(clientId: string): string | undefined {
    return this.#responseInformation?.(clientId)
  }

  comes(): number {
    return ++this.#came
  }

  newClientId(): string {
    for (;;) {
      const id = `auto-${this.#randomName()}`
      if (this.#sessions.get(id) === undefined) return id // [MQTT-3.2.2-16]
    }
  }

  open(
    connection: Connection,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
    again: () => void,
  ): { session: Session; sessionPresent: boolean } | "later" | undefined {
    this.#checkWill(packet)
    const wants = () => connection.phase !== "closed"
    if (this.#clusterSessions?.mayOpen(clientId, packet.cleanStart, { wants, again }) === false) return "later"
    this.#admission.check(identity, () => {
      const session = this.#sessions.get(clientId)
      return session && this.#sessions.connectionOf(session)
    })
    const opened = this.#sessions.open(connection, packet, clientId, identity, now, again)
    if (opened === undefined || opened === "later") return opened
    this.#admission.known(connection, identity)
    this.#clusterSessions?.opened(opened.session)
    if (opened.sessionPresent) this.loggedIn(opened.session, identity)
    return opened
  }

  /** In a cluster it stands in one message with all else of its session. */
  #checkWill({ will }: ConnectPacket): void {
    if (will === undefined || this.#cluster === undefined) return
    const [bytes, most] = [contentBytes(will), Math.floor(this.#cluster.mostWillBytes)]
    if (bytes <= most) return
    throw new PacketError(
      ReasonCode.QuotaExceeded,
      "3.1.2.5",
      `its will has ${bytes} bytes, and ${most} is most in this cluster`,
    )
  }

  loggedIn(session: Session, identity: Identity): void {
    this.#rulesChanges.loggedIn(session, identity)
  }

  ended(connection: Connection, session: Session, will: Will | undefined, ending: Ending, now: number): void {
    this.#clusterSessions?.ended(connection)
    this.#sessions.left(connection, session, will, ending, now)
  }

  get work(): number {
    return this.#router.work + (this.access.work ?? 0) + this.#otherWork
  }

  cost(units: number): void {
    this.#otherWork += units
  }

  turnOver(cheap: boolean): boolean {
    return this.#budget.over(cheap)
  }

  turnLeft(cheap: boolean): number {
    return this.#budget.left(cheap)
  }

  spent(cheap: boolean, units: number, packets: number, changes: number): void {
    this.#budget.used(cheap, units, packets, changes)
  }

  get packetsEach(): number {
    return this.#budget.packetsEach
  }

  get workEach(): number {
    return this.#budget.workEach
  }

  retains(topic: Topic): boolean {
    return this.#retained.tree.get(topic.name) !== undefined
  }

  keptBytes(topic: Topic): number {
    return this.#router.keptBytes(topic)
  }

  nobody(topic: Topic): boolean {
    // Other nodes may have somebody.
    return this.#cluster === undefined && this.#router.nobody(topic)
  }

  wants(filters: readonly string[], session: Session): Pause<Standing> | undefined {
    const cluster = this.#cluster
    if (cluster === undefined) return undefined
    const read = filters.flatMap((filter) => readFilter(filter, this.limits.maximumTopicLevels) ?? [])
    const own = read.filter(({ shareName }) => shareName === undefined)
    const shares = this.features.sharedSubscriptionAvailable ? read.filter((one) => !own.includes(one)) : []
    const paths = own.map(({ path }) => path)
    const names = shares.map(({ text }) => text)
    const shared = names.length === 0 ? undefined : cluster.wantsShared(names, session)
    if (shared === undefined) return cluster.wants(paths)
    // Behind those of groups, as filters are asked for only until the answer: the subscriptions have to be there then.
    const both = new Pause<Standing>()
    shared.onAnswer((answer) => {
      const standing = answer === "standing" ? cluster.wants(paths) : undefined
      if (standing === undefined) both.answer(answer)
      else standing.onAnswer((one) => both.answer(one))
    })
    return both
  }

  publish(message: Message, session: Session | undefined, connection: Connection | undefined, now: number): number {
    return this.#publications.publish(message, session, connection, now)
  }

  subscribe(
    session: Session,
    identity: Identity,
    request: SubscriptionRequest,
    identifier: number | undefined,
  ): Granted {
    return this.#subscriptions.subscribe(session, identity, request, identifier)
  }

  unsubscribe(session: Session, filter: string): number {
    return this.#subscriptions.unsubscribe(session, filter)
  }

  dirty(connection: Connection): void {
    this.#output.dirty(connection)
    this.#turns.askForFlush()
  }

  holds(connection: Connection, bytes: number, now: number): void {
    for (const slow of this.#partial.set(connection, bytes)) {
      slow.disconnect(now, ReasonCode.QuotaExceeded, "too many packets have come in part; this one is the oldest")
    }
  }

  leaves(): void {
    this.#clusterSessions?.leaves()
  }

  mayFlush(bytes: number): boolean {
    return this.#output.mayFlush(bytes)
  }

  hold(connection: Connection, milliseconds: number): void {
    this.#waiting.hold(connection, milliseconds)
  }

  ration(connection: Connection, milliseconds: number, now: number): void {
    this.#waiting.ration(connection, milliseconds, now)
  }

  resumeSoon(connection: Connection): void {
    this.#waiting.resumeSoon(connection)
  }

  sendRetained(connection: Connection, session: Session, filter: string): void {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return
    this.#retained.owe(session, subscription)
    this.retainedSoon(connection)
  }

  pumpSoon(connection: Connection): void {
    this.#waiting.pumpSoon(connection)
  }

  retainedSoon(connection: Connection): void {
    this.#retained.soon(connection)
    this.#turns.askForFlush()
  }

  postpone(connection: Connection): void {
    this.#waiting.postpone(connection)
  }

  waitForStore(connection: Connection): void {
    this.#waiting.forStore(connection)
  }

  willGivenUp(session: Session): void {
    session.holdWill(0)
    this.#wills.cleared(session)
  }

  closed(connection: Connection): void {
    this.#waiting.closed(connection)
    this.#retained.closed(connection)
    this.#publications.closed(connection)
    this.#admission.delete(connection)
  }

  /** Adds work that is done in turns. */
  later(chore: Chore): void {
    this.#chores.add(chore)
    this.#turns.askForFlush()
  }

  // --- inside ---

  /** What waited for the store goes on; with a broker that closes it waits for the next one. */
  #storeAnswered(): void {
    this.#clusterSessions?.committed()
    if (!this.#closing) this.#sessions.storeAnswered()
  }
}

/** A connection that comes while the broker closes. */
const shuttingDown: Refused = { label: "too many connections" }

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
