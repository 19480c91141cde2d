// Sessions of a broker that is one of several: claimed before they are served, let go when another node has their client, and
// caught up with what came while nobody served them.

import type { Connection } from "../client/connection.ts"
import { PacketError } from "../packet/errors.ts"
import { Message } from "../packet/message.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { TopicTable } from "../packet/topic.ts"
import type { Arrived, Claimed, Cluster, ClusterNode, Served, Taken } from "../ports/cluster.ts"
import type { StoreFailed } from "../ports/store.ts"
import type { Subscriber } from "../routing/subscription.ts"
import type { Faults } from "../session/faults.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Session } from "../session/session.ts"
import { CatchingUp } from "./catching-up.ts"
import type { Chore } from "./chores.ts"
import type { RetainedMessages } from "./retained.ts"
import type { Sessions } from "./sessions.ts"
import type { SharedMembers } from "./shared-members.ts"
import { StoodStill } from "./stood-still.ts"

export interface ClusterSessionsNeeds {
  readonly cluster: Cluster
  readonly faults: Faults
  readonly recorder: Recorder
  readonly sessions: Sessions
  readonly retained: RetainedMessages
  readonly members: SharedMembers
  readonly topics: TopicTable
  readonly now: () => number
  /** Makes the session that these Changes are of. */
  readonly restore: (claimed: Claimed) => void
  readonly route: (message: Message, publisher: Subscriber | undefined, now: number) => void
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  /** Asks that `wake` be called in so many milliseconds. */
  readonly wakeAfter: (milliseconds: number) => void
  readonly askForFlush: () => void
}

/** Milliseconds that who wants a session waits for servers that can be reached, and do not keep what they are given. */
const patience = 3000

/** A claim that is under way. */
interface Claim {
  readonly cleanStart: boolean
  readonly since: number
  /** A node that has gone, and nobody else, has the session. */
  readonly from: string | undefined
  /** The last turn that may have Changes of the session: it has to be committed before. */
  readonly turn: number
  asked: boolean
  /** Connections that want the session: theirs to try again. */
  readonly waiting: Waiting[]
  readonly done: () => void
}

interface Waiting {
  /** Its client is still there. */
  readonly wants: () => boolean
  readonly again: () => void
}

const nothing = () => undefined

export class ClusterSessions implements ClusterNode {
  readonly #needs: ClusterSessionsNeeds
  readonly #claims: Map<string, Claim> = new Map()
  /** The session that may be opened right now. */
  #granted: string | undefined
  #refused: { readonly clientId: string; readonly why: string } | undefined
  /** Others wait until what this node has changed is committed. */
  readonly #leaving: { readonly turn: number; readonly done: () => void }[] = []
  /** Sessions that are not here any more: the last turn that may have Changes of them. */
  readonly #parted: Map<string, number> = new Map()
  /** Connections that have ended, and whose last answers wait for a turn: by Client Identifier. */
  readonly #ending: Map<string, Set<Connection>> = new Map()
  /** Sessions whose CONNACK waits for a turn: until it leaves their clients may be served elsewhere. */
  readonly #arriving: Map<Session, number> = new Map()
  readonly #stoodStill: StoodStill
  #timers: { readonly at: number; readonly work: () => void }[] = []

  constructor(needs: ClusterSessionsNeeds) {
    this.#needs = needs
    this.#stoodStill = new StoodStill(needs)
    needs.cluster.begin(this)
  }

  /**
   * Whether the session of this client is here, or can be opened here now. False: `again` is called when that is known. Throws
   * PacketError when it cannot be had.
   */
  mayOpen(clientId: string, cleanStart: boolean, waiting: Waiting): boolean {
    if (this.#granted === clientId || this.#needs.sessions.get(clientId) !== undefined) return true
    if (this.#refused?.clientId === clientId) {
      const what = `the cluster cannot say who has the session: ${this.#refused.why}`
      throw new PacketError(ReasonCode.ServerUnavailable, "3.1.4", what)
    }
    this.#claim(clientId, cleanStart, waiting)
    return false
  }

  #claim(clientId: string, cleanStart: boolean, who: Waiting): void {
    const underWay = this.#claims.get(clientId)
    if (underWay !== undefined) {
      underWay.waiting.push(who)
      return
    }
    const waiting = [who]
    const { now, recorder } = this.#needs
    const begun = { since: now(), turn: recorder.turn, asked: false }
    const claim = { from: undefined, cleanStart, ...begun, waiting, done: nothing }
    this.#claims.set(clientId, claim)
    this.#ask(clientId, claim)
  }

  #ask(clientId: string, claim: Claim): void {
    const { cluster, faults, recorder } = this.#needs
    if (claim.asked || recorder.committed < claim.turn) return
    claim.asked = true
    const { cleanStart, done, from, waiting } = claim
    const wanted = () => waiting.some(({ wants }) => wants())
    // Its client has gone meanwhile, and may be served by another node.
    if (from === undefined && !wanted()) {
      this.#claims.delete(clientId)
      return
    }
    const asked = from === undefined ? cluster.claim(clientId, cleanStart, wanted) : cluster.adopt(clientId, from)
    asked.onAnswer((answer) => {
      faults.attempt(() => this.#answered(clientId, claim, answer), { clientId })
      faults.attempt(done)
    })
  }

  #answered(clientId: string, { from, waiting }: Claim, answer: Claimed | StoreFailed): void {
    const { recorder, sessions } = this.#needs
    this.#claims.delete(clientId)
    if ("failed" in answer && from !== undefined && waiting.length > 0) {
      // Its client has come meanwhile.
      for (const who of waiting) this.#claim(clientId, false, who)
      return
    }
    if ("failed" in answer) {
      this.#refuse(clientId, waiting, answer.failed)
      return
    }
    if (answer.changes.length > 0) this.#needs.restore(answer)
    const session = sessions.get(clientId)
    if (session !== undefined) this.#attend(session, answer.served)
    this.#granted = clientId
    this.#tryAgain(clientId, waiting)
    this.#granted = undefined
    const opened = sessions.get(clientId)
    if (opened === undefined) {
      // Who wanted it has gone.
      recorder.record({ type: "ended", clientId })
      this.parted(clientId)
    } else if (opened.connected) {
      if (opened === session) this.#begin(opened)
    } else {
      // As it was: its end, and then nobody has to see to it.
      opened.record({ type: "left", clientId, endsAt: opened.endsAt })
      sessions.unattended(opened)
    }
    this.#needs.askForFlush()
  }

  #tryAgain(clientId: string, waiting: readonly Waiting[]): void {
    for (const { again } of waiting) this.#needs.faults.attempt(again, { clientId })
  }

  #refuse(clientId: string, waiting: readonly Waiting[], why: string): void {
    this.#refused = { clientId, why }
    this.#tryAgain(clientId, waiting)
    this.#refused = undefined
  }

  /** Nothing is committed at the moment, and who waits for that would hear nothing until it is. @param before who waits since then */
  #refuseAll(before: number, why: string): void {
    for (const [clientId, { asked, from, since, waiting }] of this.#claims) {
      if (asked || waiting.length === 0 || since > before) continue
      if (from === undefined) this.#claims.delete(clientId)
      this.#refuse(clientId, waiting.splice(0), why)
    }
  }

  /** A connection has this session, be it a new one, or one that was here. */
  opened(session: Session): void {
    if (session.servedSince === Number.POSITIVE_INFINITY || session.fallBehind === undefined)
      this.#arriving.set(session, this.#needs.recorder.turn)
    if (session.fallBehind === undefined) this.#attend(session, undefined)
    // What was granted right now begins with its Changes.
    else if (this.#granted !== session.clientId) this.#needs.later(once(() => this.#begin(session)))
    this.#arrive()
  }

  /** From here on what it has no room for is fetched for it later. */
  #attend(session: Session, served: Served | undefined): void {
    session.servedSince = Number.POSITIVE_INFINITY
    session.fallBehind = ({ partition, sequence }) => {
      const { behind } = session
      const through = this.#partitions().map((one) => {
        if (one === partition) return sequence - 1
        const routed = this.#needs.cluster.routed(one)
        return behind instanceof CatchingUp ? behind.sent(one, routed) : routed
      })
      this.#fallsBehind(session, { through, since: behind instanceof CatchingUp ? behind.since : new Map() })
      this.#begin(session)
    }
    if (served !== undefined) this.#fallsBehind(session, served)
  }

  #partitions(): number[] {
    return Array.from({ length: this.#needs.cluster.partitions }, (_, partition) => partition)
  }

  #fallsBehind(session: Session, served: Served): void {
    const { askForFlush, cluster, faults, now } = this.#needs
    if (session.behind instanceof CatchingUp) session.behind.stop()
    const after = (milliseconds: number, work: () => void) => this.#after(milliseconds, work)
    const messageOf = (arrived: Arrived) => this.#messageOf(arrived)
    session.behind = new CatchingUp({ cluster, faults, now, messageOf, after, askForFlush }, session, served)
  }

  #begin(session: Session): void {
    if (session.behind instanceof CatchingUp) session.behind.begin()
  }

  #messageOf(arrived: Arrived): Message | undefined {
    const { faults, topics } = this.#needs
    let message: Message | undefined
    faults.attempt(() => {
      const { topic, payload, qos, retain, properties, expiresAt } = arrived
      message = Message.of(topics.of(topic), payload, qos, retain, properties, expiresAt)
      message.position = arrived.position
    })
    return message
  }

  // --- ClusterNode ---

  arrived(arrived: Arrived): void {
    const { askForFlush, now, route, sessions } = this.#needs
    const message = this.#messageOf(arrived)
    if (message === undefined || message.expired(now())) return
    if (message.qos === 0) message.position = undefined
    message.publishedAt = arrived.publishedAt
    route(message, sessions.get(arrived.publisher), now())
    askForFlush()
  }

  retained(arrived: Arrived): void {
    const { faults, now, retained } = this.#needs
    const message = this.#messageOf(arrived)
    if (message === undefined) return
    if (arrived.position.sequence === 0) message.position = undefined
    faults.attempt(() => retained.mirror(message, now()))
  }

  offered(share: string, clientId: string, arrived: Arrived, answer: (taken: Taken) => void): void {
    this.#needs.members.offered(share, clientId, arrived, this.#messageOf(arrived), answer)
  }

  letGo(clientId: string, cleanStart: boolean, done: () => void): void {
    const { faults, now, recorder, sessions } = this.#needs
    faults.attempt(
      () => {
        const session = sessions.get(clientId)
        if (session !== undefined) {
          sessions.connectionOf(session)?.takenOver(now(), cleanStart)
          // Its will waits, say: whoever serves it sees to that.
          if (sessions.get(clientId) === session) sessions.forget(session)
        }
        this.#leaving.push({ turn: recorder.turn, done })
      },
      { clientId },
    )
    this.committed()
    this.#needs.askForFlush()
  }

  lost(clientId: string): void {
    const { faults, now, sessions } = this.#needs
    faults.attempt(
      () => {
        // Let go since, say, or taken over here: what they were to be told is not kept either.
        for (const connection of this.#ending.get(clientId) ?? []) faults.attempt(() => connection.lost(now()))
        const session = sessions.get(clientId)
        if (session === undefined) return
        const connection: Connection | undefined = sessions.connectionOf(session)
        sessions.forget(session)
        connection?.lost(now())
      },
      { clientId },
    )
  }

  adopt(clientId: string, node: string, done: () => void): void {
    if (this.#needs.sessions.get(clientId) !== undefined || this.#claims.has(clientId)) {
      done()
      return
    }
    const { now, recorder } = this.#needs
    const begun = { since: now(), turn: recorder.turn, asked: false }
    const claim = { from: node, cleanStart: false, ...begun, waiting: [], done }
    this.#claims.set(clientId, claim)
    this.#ask(clientId, claim)
  }

  serves(clientId: string): boolean {
    return this.#parted.has(clientId) || this.#needs.sessions.get(clientId) !== undefined
  }

  stoodStill(): void {
    const { sessions } = this.#needs
    const connections = [...sessions.all()].flatMap((session) => sessions.connectionOf(session) ?? [])
    for (const ending of this.#ending.values()) connections.push(...ending)
    this.#stoodStill.happened(connections)
  }

  get behind(): boolean {
    return this.#needs.recorder.behind
  }

  // --- what the broker calls ---

  /** It has ended, or goes on elsewhere. */
  parted(clientId: string): void {
    this.#parted.set(clientId, this.#needs.recorder.turn)
    this.#release()
  }

  /** The connection of a session has ended; its last answers may wait for a turn. */
  ended(connection: Connection): void {
    if (connection.outflow.done) return
    const { clientId } = connection
    const others = this.#ending.get(clientId)
    if (others === undefined) this.#ending.set(clientId, new Set([connection]))
    else others.add(connection)
  }

  #forgetEnded(): void {
    for (const [clientId, connections] of this.#ending) {
      for (const connection of connections) if (connection.outflow.done) connections.delete(connection)
      if (connections.size === 0) this.#ending.delete(clientId)
    }
  }

  /** Their clients hear of it now: what is published from here on no other node sends them. */
  #arrive(): void {
    const { now, recorder } = this.#needs
    for (const [session, turn] of this.#arriving) {
      if (turn > recorder.committed) continue
      this.#arriving.delete(session)
      session.servedSince = now()
    }
  }

  #release(): void {
    const { cluster, recorder, sessions } = this.#needs
    for (const [clientId, turn] of this.#parted) {
      if (turn > recorder.committed) continue
      this.#parted.delete(clientId)
      if (sessions.get(clientId) === undefined) cluster.release(clientId)
    }
  }

  /** More is committed. */
  committed(): void {
    const { faults, members, recorder } = this.#needs
    this.#arrive()
    this.#release()
    members.look()
    for (const [clientId, claim] of this.#claims) this.#ask(clientId, claim)
    while (this.#leaving.length > 0 && this.#leaving[0]!.turn <= recorder.committed) {
      const { done } = this.#leaving.shift()!
      faults.attempt(done)
    }
  }

  /** Something of a connection is about to leave. */
  leaves(): void {
    this.#needs.cluster.runs()
  }

  /** At least once a second. */
  wake(now: number): void {
    this.#stoodStill.wake(now)
    this.#forgetEnded()
    if (!this.#needs.cluster.reachable) this.#refuseAll(now, "no server can be reached")
    else if (this.#needs.recorder.broken) this.#refuseAll(now - patience, "the servers do not keep what they are given")
    if (this.#timers.length === 0) return
    const due = this.#timers.filter(({ at }) => at <= now)
    if (due.length === 0) return
    this.#timers = this.#timers.filter(({ at }) => at > now)
    for (const { work } of due) this.#needs.faults.attempt(work)
  }

  #after(milliseconds: number, work: () => void): void {
    if (milliseconds === 0) {
      this.#needs.later(once(work))
      return
    }
    this.#timers.push({ at: this.#needs.now() + milliseconds, work })
    this.#needs.wakeAfter(milliseconds + 1)
  }
}

function* once(work: () => void): Chore {
  work()
  yield 1
}
