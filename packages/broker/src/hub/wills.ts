// Will Messages (MQTT 5.0 section 3.1.2.5): when they are sent, and that many at once hold up nobody.

import type { Ending } from "../client/hub.ts"
import { publishRefusal } from "../client/refusals.ts"
import type { Owner, WillSet } from "../packet/change.ts"
import { Message } from "../packet/message.ts"
import type { Will } from "../packet/packets.ts"
import type { Topic, TopicTable } from "../packet/topic.ts"
import type { Access } from "../ports/access.ts"
import type { Counters } from "../session/counters.ts"
import type { Faults } from "../session/faults.ts"
import { willCost } from "../session/memory.ts"
import { identityOf } from "../session/owners.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"

interface DueWill {
  readonly session: Session
  readonly will: Will
  readonly expiresAt: number
  /** Which rules of access its client had it by. */
  readonly rules: number
  /** It counts no more. */
  readonly release: () => void
}

/** Nobody knows which there were. */
const unknownRules = -1

/** What wills need of the hub. */
export interface WillsNeeds {
  readonly access: Access
  readonly counters: Counters
  readonly faults: Faults
  readonly topics: TopicTable
  readonly recorder: Recorder
  readonly now: () => number
  /** A session of that client's that nobody can find. */
  readonly stranger: (clientId: string, owner: Owner) => Session
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  readonly publish: (message: Message, session: Session, now: number) => void
  /** Bytes in the store, at most, of the copies of a message on this topic. */
  readonly keptBytes: (topic: Topic) => number
}

/** Bytes in a store of a will, beside what it says. */
const willBytes = 512

export class Wills {
  /** The broker closes, and nothing outlives it: no will waits any more. */
  closing = false
  readonly #needs: WillsNeeds
  /** Those that are to be published, in their order, by Client Identifier. */
  readonly #due: Map<string, DueWill[]> = new Map()
  /** Client Identifiers whose wills the store has. */
  readonly #kept: Set<string> = new Set()
  #publishing = false
  /** Some wait until there is room for what becomes of them. */
  #waits = false
  /** How often the access control list has become another. */
  #rules = 0

  constructor(needs: WillsNeeds) {
    this.#needs = needs
  }

  /** Clients whose wills are about to be published. */
  get dueCount(): number {
    return this.#due.size
  }

  /** Clients of whose wills a store has something to forget. */
  get keptCount(): number {
    return this.#kept.size
  }

  rulesChanged(): void {
    this.#rules++
  }

  /** The connection has ended, not by the client's own good-bye. */
  consider(session: Session, will: Will, { takenOverBy }: Ending, now: number): void {
    const delay = Math.min(will.delayInterval, session.expiryInterval)
    const sessionEnds = session.expiryInterval === 0 || takenOverBy?.cleanStart === true
    if (delay === 0 || sessionEnds || this.closing) {
      this.#publish(session, will, now)
      return
    }
    // [MQTT-3.1.3-9] not sent when the session goes on before the delay has passed
    if (takenOverBy !== undefined) return
    const dueAt = now + delay * 1000
    session.pendingWill = { will, dueAt }
    this.#recordDue(session, will, dueAt)
  }

  /** Its CONNECT has this will, or none. */
  set(session: Session, will: Will | undefined): void {
    if (will === undefined) this.cleared(session)
    else this.#record(session, will, Number.POSITIVE_INFINITY)
  }

  /** From before a restart, of a session that there still is or of one that ended with it. */
  restore({ clientId, owner, will, dueAt }: WillSet, session: Session | undefined, lostAt: number, now: number): void {
    this.#kept.add(clientId)
    if (session !== undefined) {
      session.holdWill(willCost(will))
      const delay = Math.min(will.delayInterval, session.expiryInterval)
      const due = dueAt === Number.POSITIVE_INFINITY ? lostAt + delay * 1000 : dueAt
      session.pendingWill = { will, dueAt: due }
      if (due !== dueAt) this.#recordDue(session, will, due)
      return
    }
    this.#publish(this.#needs.stranger(clientId, owner), will, now, unknownRules)
  }

  /** It has none any more. */
  cleared(session: Session): void {
    if (!this.#kept.delete(session.clientId)) return
    this.#needs.recorder.record({ type: "will cleared", clientId: session.clientId })
    session.turn = this.#needs.recorder.turn
  }

  /** Its session is another node's now, and with it its will, but for one that is about to be published here. */
  moved(clientId: string): void {
    if (!this.#due.has(clientId)) this.#kept.delete(clientId)
  }

  /** A full store may have no room even for one more will: then it is a will as long as the process lives. */
  #record(session: Session, will: Will, dueAt: number): void {
    if (this.#needs.recorder.mayGrow(contentBytes(will))) this.#say(session, will, dueAt)
    else this.cleared(session)
  }

  /** Where there is no room to say when it is due the store keeps it as it is: after a restart it comes later, and not never. */
  #recordDue(session: Session, will: Will, dueAt: number): void {
    if (this.#needs.recorder.mayGrow(contentBytes(will))) this.#say(session, will, dueAt)
  }

  #say(session: Session, will: Will, dueAt: number): void {
    const { clientId, owner } = session
    this.#kept.add(clientId)
    this.#needs.recorder.record({ type: "will set", clientId, owner, will, dueAt })
    session.turn = this.#needs.recorder.turn
  }

  publishPending(session: Session, now: number): void {
    session.freshen()
    const pending = session.pendingWill
    if (pending === undefined) return
    session.pendingWill = undefined // [MQTT-3.1.2-10]
    this.#publish(session, pending.will, now)
  }

  /** In a turn of its own: many clients may go at once. */
  #publish(session: Session, will: Will, now: number, rules: number = this.#rules): void {
    const expiry = will.messageExpiryInterval
    const expiresAt = expiry === undefined ? Number.POSITIVE_INFINITY : now + expiry * 1000
    const due = { session, will, expiresAt, rules, release: session.partWithWill() }
    const earlier = this.#due.get(session.clientId)
    if (earlier === undefined) this.#due.set(session.clientId, [due])
    else earlier.push(due)
    if (this.#publishing) return
    this.#publishing = true
    this.#needs.later(this.#publishAll())
  }

  *#publishAll(): Chore {
    try {
      // A Map that is walked comes to what is added meanwhile.
      for (const [clientId, wills] of this.#due) {
        if (wills.every(({ will }) => this.#hasRoom(will))) this.publishOf(clientId)
        else this.#waits = true
        yield 1
      }
    } finally {
      this.#publishing = false
    }
  }

  /** Once a second: there may be room for those that wait. */
  retry(): void {
    if (!this.#waits || this.#publishing) return
    this.#waits = false
    this.#publishing = true
    this.#needs.later(this.#publishAll())
  }

  /** Room for it where it is kept: as a message, with its copies, and retained. The broker that closes waits for none. */
  #hasRoom(will: Will): boolean {
    if (this.closing || will.qos === 0) return true
    const { keptBytes, recorder, topics } = this.#needs
    const copies = keptBytes(topics.of(will.topic))
    return (copies === 0 && !will.retain) || recorder.mayGrow(contentBytes(will) + copies)
  }

  /** Publishes what is due of this client: before anything that it says now. */
  publishOf(clientId: string): void {
    const wills = this.#due.get(clientId)
    if (wills === undefined) return
    this.#due.delete(clientId)
    const { access, counters, faults, topics, now, publish } = this.#needs
    for (const { session, will, expiresAt, rules, release } of wills) {
      release()
      faults.attempt(
        () => {
          const { owner } = session
          if (rules !== this.#rules && publishRefusal(access, identityOf(owner), clientId, will.topic)) return
          counters.willsPublished++
          const topic = topics.of(will.topic)
          // Its client is back: it cannot wait any more, and goes to who is there.
          const hasRoom = this.#hasRoom(will)
          if (!hasRoom) counters.dropped["not kept"]++
          const qos = hasRoom ? will.qos : 0
          publish(Message.of(topic, will.payload, qos, will.retain, will.properties, expiresAt), session, now())
        },
        { clientId },
      )
      // Behind what has become of it, so that a turn which is written in parts has that first (stores/parts.ts).
      this.cleared(session)
    }
  }
}

/** Bytes of a will in a store, at most. */
export function contentBytes({ topic, payload, properties }: Will): number {
  return willBytes + 3 * topic.length + payload.length + properties.length
}
