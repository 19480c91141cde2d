// Sessions by Client Identifier (MQTT 5.0 section 4.1): opened, resumed, taken over, left, displaced, ended.

import type { Connection } from "../client/connection.ts"
import type { Ending } from "../client/hub.ts"
import type { Owner } from "../packet/change.ts"
import { PacketError } from "../packet/errors.ts"
import type { ConnectPacket, Will } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Identity } from "../ports/access.ts"
import type { EventSink } from "../ports/events.ts"
import type { Router } from "../routing/router.ts"
import type { Counters } from "../session/counters.ts"
import type { Faults } from "../session/faults.ts"
import type { Limits } from "../session/limits.ts"
import { type Account, type QueuedMemory, sessionCost, willCost } from "../session/memory.ts"
import { ownerBy, ownerOf, SessionOwners } from "../session/owners.ts"
import type { QueuePolicy } from "../session/queue.ts"
import type { Recorder } from "../session/recorder.ts"
import { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"
import { HandingOn } from "./handing-on.ts"
import type { Roster } from "./roster.ts"
import type { SharedMembers } from "./shared-members.ts"
import type { Subscriptions } from "./subscriptions.ts"
import type { Wills } from "./wills.ts"

/** Bytes in a store of a session and its will, beside names and what the will says. */
const smallConnect = 256

/** What it costs to end a subscription, in the units of routing. */
const removalCost = 3

/** What sessions need of the hub. */
export interface SessionsNeeds {
  readonly limits: Limits
  readonly counters: Counters
  readonly faults: Faults
  readonly events: EventSink
  readonly queued: QueuedMemory
  readonly router: Router
  readonly subscriptions: Subscriptions
  readonly wills: Wills
  readonly recorder: Recorder
  readonly queuePolicy: QueuePolicy
  readonly roster: Roster | undefined
  /** There are other nodes: each session is kept, and one whose client is away is nobody's. */
  readonly clustered: boolean
  /** In a cluster: the session has ended here, or goes on elsewhere. */
  readonly parted?: ((clientId: string) => void) | undefined
  /** Of a cluster. */
  readonly members: Pick<SharedMembers, "left"> | undefined
  readonly now: () => number
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  /** Counts work that is not routing, in its units. */
  readonly cost: (units: number) => void
  /** Something may still be done in this turn. */
  readonly turnLeft: () => boolean
  /** Whether so many more bytes fit beside all that is kept. */
  readonly fitsAll: (bytes: number) => boolean
}

export class Sessions {
  readonly #needs: SessionsNeeds
  readonly #byClientId: Map<string, Session> = new Map()
  readonly #owners: SessionOwners
  /** Those that have a connection. */
  readonly #connections: Map<Session, Connection> = new Map()
  /** Sessions without connection that have an end or a will to wait for. */
  readonly #waiting: Set<Session> = new Set()
  /** Sessions that have ended, and whose shared messages are on their way to others. */
  readonly #handingOn: HandingOn
  /** How many have had a connection at the same time. */
  connectedMost = 0

  constructor(needs: SessionsNeeds) {
    this.#needs = needs
    this.#owners = new SessionOwners(needs.limits)
    this.#handingOn = new HandingOn(needs)
    needs.router.onEntrusted = (subscriber) => {
      if (!(subscriber instanceof Session) || subscriber.recorded) return
      subscriber.entrust(needs.recorder)
      this.#opened(subscriber)
    }
  }

  get size(): number {
    return this.#byClientId.size
  }

  get connectedCount(): number {
    return this.#connections.size
  }

  get(clientId: string): Session | undefined {
    return this.#byClientId.get(clientId)
  }

  all(): Iterable<Session> {
    return this.#byClientId.values()
  }

  /** What the sessions of an owner use together. */
  account(owner: string): Account {
    return this.#owners.account(owner)
  }

  connectionOf(session: Session): Connection | undefined {
    return this.#connections.get(session)
  }

  /**
   * Takes over, resumes or creates the session of this CONNECT; undefined when there are too many. "later": `again` is called when
   * what an earlier session has for others is theirs.
   */
  open(
    connection: Connection,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
    again: () => void,
  ): { session: Session; sessionPresent: boolean } | "later" | undefined {
    const { recorder, subscriptions, wills } = this.#needs
    const expiryInterval = Math.min(packet.sessionExpiryInterval, connection.told.maximumSessionExpiryInterval)
    const bytes = connectBytes(packet, clientId, identity)
    if (!recorder.takes(bytes) && this.#cannotKeep(packet, expiryInterval, clientId, identity, now)) {
      throw new PacketError(ReasonCode.ServerUnavailable, "3.1.4", "the store cannot keep the session at the moment")
    }
    let session = this.#resumable(connection, packet, clientId, identity, now)
    wills.publishOf(clientId) // before anything that the client says now
    if (session === undefined && !this.#handingOn.isOver(clientId, again)) return "later"
    const sessionPresent = session !== undefined // [MQTT-3.2.2-3]
    session ??= this.#create(connection, clientId, identity, now)
    if (session === undefined) return undefined
    if (!session.holdWill(packet.will === undefined ? 0 : willCost(packet.will))) {
      if (!sessionPresent) this.end(session, now)
      return undefined
    }
    session.pendingWill = undefined // [MQTT-3.1.3-9]
    session.expiryInterval = expiryInterval
    if (session.kept) session.record({ type: "attended", clientId, expiryInterval })
    else if (expiryInterval > 0 || this.#needs.clustered) {
      session.keepBy(recorder)
      this.#opened(session)
    }
    wills.set(session, packet.will)
    this.#waiting.delete(session)
    this.#owners.attended(session)
    this.#connections.set(session, connection)
    this.#needs.roster?.came(session, connection, packet, identity)
    this.connectedMost = Math.max(this.connectedMost, this.#connections.size)
    subscriptions.back(session)
    return { session, sessionPresent }
  }

  /**
   * Whether it would need what the store cannot keep. Who resumes a session takes what waits, and with Clean Start one may end:
   * both make room, and nearly every client has a will, which is in the place of one that was there (see Wills).
   */
  #cannotKeep(
    packet: ConnectPacket,
    expiryInterval: number,
    clientId: string,
    identity: Identity,
    now: number,
  ): boolean {
    const session = this.#byClientId.get(clientId)
    if (this.#needs.recorder.broken) return packet.will !== undefined || expiryInterval > 0 || session?.kept === true
    if (expiryInterval === 0)
      return packet.will !== undefined && (session === undefined || !owns(identity, session.owner))
    if (packet.cleanStart || session === undefined || !session.kept || session.expiryInterval === 0) return true
    return now >= session.endsAt || !owns(identity, session.owner)
  }

  #opened(session: Session): void {
    const { clientId, expiryInterval, owner } = session
    session.record({ type: "opened", clientId, owner, expiryInterval })
  }

  /** The session that this CONNECT goes on with; what is in its way has ended. */
  #resumable(
    connection: Connection,
    packet: ConnectPacket,
    clientId: string,
    identity: Identity,
    now: number,
  ): Session | undefined {
    let session = this.#byClientId.get(clientId)
    if (session === undefined || this.#over(session, now)) return undefined
    if (!owns(identity, session.owner)) {
      this.#displace(session, connection, identity, now)
      return undefined
    }
    const present = this.#connections.get(session)
    // Its CONNECT, or its login, has had to wait: for the client it is this connection that is the old one.
    if (present !== undefined && present.came > connection.came) {
      const what = "a later connection of this client has the session"
      throw new PacketError(ReasonCode.UnspecifiedError, "MQTT-3.1.4-3", what)
    }
    present?.takenOver(now, packet.cleanStart)
    // The old session may have ended with its connection.
    session = this.#byClientId.get(clientId)
    if (session === undefined || this.#over(session, now)) return undefined
    if (!packet.cleanStart) return session
    this.end(session, now) // [MQTT-3.1.2-4]
    return undefined
  }

  #create(connection: Connection, clientId: string, identity: Identity, now: number): Session | undefined {
    const owner = ownerOf(identity, connection.peer)
    if (!this.#makeRoom(owner, now)) return undefined
    const account = this.#owners.account(owner)
    const session = this.#make(clientId, ownerBy(identity, owner), account) // [MQTT-3.1.2-6]
    this.#add(session, owner)
    return session
  }

  #make(clientId: string, owner: Owner, account: Account): Session {
    const { counters, limits, queued, queuePolicy } = this.#needs
    return new Session(clientId, owner, limits, counters, queued, account, queuePolicy)
  }

  /** The session of a client before a restart. */
  restore(clientId: string, owner: Owner, expiryInterval: number): Session {
    const { recorder } = this.#needs
    const session = this.#make(clientId, owner, this.#owners.account(owner.account))
    session.expiryInterval = expiryInterval
    session.keepBy(recorder)
    this.#add(session, owner.account)
    return session
  }

  #add(session: Session, owner: string): void {
    this.#byClientId.set(session.clientId, session)
    this.#owners.add(owner, session)
    this.#needs.roster?.opened(session)
  }

  /** It has no connection: until `endsAt`, or, when it had one at the restart, as if it had gone at `lostAt`. */
  absentSince(session: Session, endsAt: number | undefined, lostAt: number): void {
    const { clientId, expiryInterval } = session
    session.endsAt = endsAt ?? endOf(expiryInterval, lostAt)
    // Another restart is no longer wait.
    if (endsAt === undefined) session.record({ type: "left", clientId, endsAt: session.endsAt })
    this.#waiting.add(session)
    this.#owners.absent(session)
  }

  /** True when the session's time is over, though its turn has not come yet: it then ends now. A will that is due is sent. */
  #over(session: Session, now: number): boolean {
    if (session.pendingWill !== undefined && now >= session.pendingWill.dueAt) {
      this.#needs.wills.publishPending(session, now)
    }
    if (now < session.endsAt) return false
    this.#expire(session, now)
    return true
  }

  /** Section 3.1.2.11.2 */
  #expire(session: Session, now: number): void {
    if (session.expiryInterval > 0) this.#needs.counters.sessionsExpired++
    this.end(session, now)
  }

  /** The connection is gone: its will and its session go their ways. */
  left(connection: Connection, session: Session, will: Will | undefined, ending: Ending, now: number): void {
    const { faults, later, members, roster, turnLeft, wills } = this.#needs
    members?.left(session, false)
    if (this.#connections.get(session) === connection) {
      this.#connections.delete(session)
      roster?.left(session)
    }
    if (will !== undefined && ending.publishWill) {
      const context = { peer: connection.peer.address, clientId: session.clientId }
      faults.attempt(() => wills.consider(session, will, ending, now), context)
    } else wills.cleared(session)
    if (session.pendingWill === undefined) session.holdWill(0)
    const over = session.expiryInterval === 0
    if (over && turnLeft()) {
      this.end(session, now) // [MQTT-4.1.0-2]
      return
    }
    session.endsAt = endOf(session.expiryInterval, now)
    if (session.kept) session.record({ type: "left", clientId: session.clientId, endsAt: session.endsAt })
    this.#waiting.add(session)
    this.#owners.absent(session)
    // Many sockets may close at once: those that are left end in the turns to come.
    if (over) later(this.#endSoon(session))
    // Who takes it over goes on with it here, or asks for it.
    else if (ending.takenOverBy === undefined) this.#forgetAbsent(session)
  }

  /** In a cluster a session whose client is away is with the servers, for whichever node its client comes to. */
  #forgetAbsent(session: Session): void {
    if (this.#needs.clustered && session.pendingWill === undefined && !session.connected) this.forget(session)
  }

  /** It is not here any more, and goes on somewhere else. */
  forget(session: Session): void {
    const { faults, roster, subscriptions } = this.#needs
    const step = (work: () => void) => faults.attempt(work, { clientId: session.clientId })
    step(() => this.#needs.members?.left(session, false))
    subscriptions.end(session, step)
    step(() => session.forget())
    this.#owners.remove(session)
    this.#waiting.delete(session)
    this.#connections.delete(session)
    if (this.#byClientId.get(session.clientId) !== session) return
    this.#byClientId.delete(session.clientId)
    this.#needs.wills.moved(session.clientId)
    this.#needs.parted?.(session.clientId)
    roster?.ended(session)
  }

  /** It was restored, and nobody has come for it. */
  unattended(session: Session): void {
    this.#forgetAbsent(session)
  }

  *#endSoon(session: Session): Chore {
    // Its client may have come again meanwhile.
    if (this.#waiting.has(session)) this.#tick(session, this.#needs.now())
    yield 1
  }

  /** The store may have answered about a turn. */
  storeAnswered(): void {
    this.#handingOn.goOn()
  }

  /** Once a second: ends of sessions, delayed wills. */
  *tick(now: number): Generator<number, void, undefined> {
    for (const session of this.#waiting) {
      this.#tick(session, now)
      yield 1
    }
  }

  #tick(session: Session, now: number): void {
    try {
      if (session.pendingWill !== undefined && now >= session.pendingWill.dueAt) {
        this.#needs.wills.publishPending(session, now)
      }
      if (now >= session.endsAt) this.#expire(session, now)
      else if (session.pendingWill === undefined && this.#needs.clustered) this.#forgetAbsent(session)
      else if (session.pendingWill === undefined && session.endsAt === Number.POSITIVE_INFINITY) {
        this.#waiting.delete(session)
      }
    } catch (error) {
      this.#needs.faults.report(error, { clientId: session.clientId })
    }
  }

  end(session: Session, now: number): void {
    const { cost, faults, members, subscriptions, wills } = this.#needs
    // Each step happens whatever becomes of the others: nothing may be left that delivers to a session that has ended.
    const step = (work: () => void) => faults.attempt(work, { clientId: session.clientId })
    cost(removalCost * session.subscriptions.size + ((session.queuedMessages + session.inflightMessages) >> 3))
    step(() => wills.publishPending(session, now)) // [MQTT-3.1.2-8] at the latest when the session ends
    step(() => members?.left(session, true))
    subscriptions.end(session, step)
    // In a cluster the group's owner knows what others are to get.
    if (session.hasShared && members === undefined) {
      this.#handingOn.begin(session, () => this.#clear(session))
    } else step(() => this.#clear(session))
    this.#owners.remove(session)
    this.#waiting.delete(session)
    if (this.#byClientId.get(session.clientId) !== session) return
    this.#byClientId.delete(session.clientId)
    this.#needs.roster?.ended(session)
  }

  /** Nothing of it is left. */
  #clear(session: Session): void {
    session.clear()
    if (session.recorded) session.record({ type: "ended", clientId: session.clientId })
    this.#needs.parted?.(session.clientId)
  }

  /** False when that owner, or everybody together, has as many sessions as may be, all of them connected. */
  #makeRoom(owner: string, now: number): boolean {
    const { counters, fitsAll, limits } = this.#needs
    const full = this.#byClientId.size >= limits.maximumSessions
    const memoryFull = !fitsAll(sessionCost)
    if (!full && !memoryFull && !this.#owners.full(owner)) return true
    // For want of memory, which others may have taken, nobody else's session goes.
    const own = memoryFull || this.#owners.full(owner)
    const oldest = own ? this.#owners.oldestAbsentOf(owner) : this.#owners.oldestAbsent
    if (oldest === undefined) return false
    counters.sessionsDisplaced++
    this.end(oldest, now)
    return true
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
    // Its client has gone, and its last packets may not have had their turn: they are nobody's any more.
    this.#connections.get(session)?.takenOver(now, true)
    if (this.#byClientId.get(session.clientId) === session) this.end(session, now)
    const reason = "it was an anonymous client's, which is not connected"
    const { clientId } = session
    this.#needs.events({ event: "session displaced", peer, clientId, user: identity.user, reason })
  }
}

/** Bytes in a store, at most, of a session and its will. */
function connectBytes({ will }: ConnectPacket, clientId: string, { user }: Identity): number {
  const names = 2 * clientId.length + 2 * user.length
  const content = will === undefined ? 0 : will.topic.length + will.payload.length + will.properties.length
  return smallConnect + 3 * names + 3 * content
}

/** When a session ends that is left at `now`, in milliseconds. */
function endOf(expiryInterval: number, now: number): number {
  return expiryInterval === 0xffff_ffff ? Number.POSITIVE_INFINITY : now + expiryInterval * 1000
}

function owns(identity: Identity, owner: Session["owner"]): boolean {
  const anonymous = identity.source === "anonymous"
  const alike = anonymous === (owner.source === "anonymous") && isBridge(identity) === isBridge(owner)
  return alike && (anonymous || identity.user === owner.user)
}

/** Its name is not one of a user. */
function isBridge({ source }: Pick<Identity, "source">): boolean {
  return source === "bridge"
}
