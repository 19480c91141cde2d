// In a cluster: sessions here as members of Shared Subscriptions (MQTT 5.0 section 4.8.2). Whose message is whose is decided by the
// owner of the group, wherever that is. A member is offered what its client can be sent at once, so that nothing waits here that
// others could have; what it does not acknowledge at QoS 1 goes back when its client does.

import type { Position } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Arrived, Cluster, Taken } from "../ports/cluster.ts"
import type { Subscription } from "../routing/subscription.ts"
import type { Faults } from "../session/faults.ts"
import type { Recorder } from "../session/recorder.ts"
import type { Session } from "../session/session.ts"
import type { Chore } from "./chores.ts"

export interface SharedMembersNeeds {
  readonly cluster: Cluster
  readonly faults: Faults
  readonly recorder: Recorder
  readonly sessionOf: (clientId: string) => Session | undefined
  readonly now: () => number
  /** Adds work that is done in turns. */
  readonly later: (chore: Chore) => void
  readonly askForFlush: () => void
}

/** A message at QoS 2 that a session has, which is not committed. */
interface Taking {
  readonly session: Session
  readonly share: string
  readonly key: string
  readonly turn: number
  readonly answers: ((taken: Taken) => void)[]
}

export class SharedMembers {
  readonly #needs: SharedMembersNeeds
  /** By session, what it was sent at QoS 1 and has not acknowledged. */
  readonly #held: Map<Session, Set<string>> = new Map()
  #taking: Taking[] = []
  /** Those that had no room, and for which groups. */
  readonly #full: Map<Session, Set<string>> = new Map()
  /** What is to be told, in its order. */
  #said: (() => void)[] = []
  #saying = false
  /** What a session gives up now goes to others. */
  #handsBack = false
  /** What a session is being given; it may drop it at once. */
  #giving: { readonly key: string; dropped: boolean } | undefined

  constructor(needs: SharedMembersNeeds) {
    this.#needs = needs
  }

  // --- members ---

  /** It has subscribed, or is connected again. */
  joined(session: Session, { filter, qos }: Subscription): void {
    if (filter.shareName === undefined) return
    const { clientId, lasting } = session
    this.#say(() => this.#needs.cluster.joined(filter.text, { clientId, qos, lasting }))
  }

  /** It has unsubscribed. What it was sent is still to be acknowledged ([MQTT-3.10.4-3]). */
  parted({ clientId }: Session, { filter }: Subscription): void {
    if (filter.shareName !== undefined) this.#say(() => this.#needs.cluster.parted(filter.text, clientId, true))
  }

  /** Its client has gone: what it has not acknowledged at QoS 1 is for others. `over`: and so has its session. */
  left(session: Session, over: boolean): void {
    const { clientId } = session
    if (this.#held.has(session)) {
      this.#handsBack = true
      try {
        session.handBack()
      } finally {
        this.#handsBack = false
      }
      this.#held.delete(session)
    }
    this.#full.delete(session)
    if (session.wildSubscriptions === 0) return
    for (const { filter } of session.subscriptions.values()) {
      if (filter.shareName !== undefined) this.#say(() => this.#needs.cluster.parted(filter.text, clientId, over))
    }
  }

  // --- messages ---

  offered(
    share: string,
    clientId: string,
    arrived: Arrived,
    message: Message | undefined,
    answer: (taken: Taken) => void,
  ): void {
    const { askForFlush, faults } = this.#needs
    let taken: Taken | undefined = "refused"
    faults.attempt(
      () => {
        if (message !== undefined) taken = this.#offered(share, clientId, arrived.position, message, answer)
      },
      { clientId },
    )
    if (taken !== undefined) answer(taken)
    askForFlush()
  }

  /** Undefined: it is answered later. */
  #offered(
    share: string,
    clientId: string,
    position: Position,
    message: Message,
    answer: (taken: Taken) => void,
  ): Taken | undefined {
    const { cluster, now, recorder, sessionOf } = this.#needs
    const session = sessionOf(clientId)
    const subscription = session?.subscriptions.get(share)
    if (session === undefined || subscription?.filter.shareName === undefined) return "away"
    const qos = message.qos < subscription.qos ? message.qos : subscription.qos // [MQTT-4.8.2-3]
    const key = keyOf(share, position)
    if (qos === 2) {
      const before = this.#taking.find((one) => one.session === session && one.key === key)
      before?.answers.push(answer)
      if (before !== undefined) return undefined
      if (cluster.hasTaken(clientId, share, position)) return "kept"
    }
    if (!session.connected) return "away"
    session.freshen()
    const time = now()
    if (message.expired(time)) return "passed"
    if (subscription.mayReceive?.(message.topic.name) === false) return "refused"
    if (!this.#hasRoom(session, qos)) {
      const full = this.#full.get(session)
      if (full === undefined) this.#full.set(session, new Set([share]))
      else full.add(share)
      return "full"
    }
    if (qos === 0) message.position = undefined
    else if (qos === 1) this.#holds(session, key)
    const giving = { key, dropped: false }
    session.sharedGone ??= (its, place) => this.#gone(session, its, place)
    this.#giving = giving
    let kept = false
    try {
      const retain = subscription.retainAsPublished && message.retain
      kept = session.deliverShared(message, qos, retain, subscription.identifiers, time, share)
    } finally {
      this.#giving = undefined
      if (!kept || giving.dropped) this.#held.get(session)?.delete(key)
    }
    if (giving.dropped) return "refused"
    if (!kept) return "full"
    if (qos === 0) return "passed"
    if (qos === 1) return "sent"
    this.#taking.push({ session, share, key, turn: recorder.turn, answers: [answer] })
    return undefined
  }

  #hasRoom(session: Session, qos: number): boolean {
    if (qos === 0) return !session.congested
    return session.ready && !this.#needs.recorder.behind && !this.#needs.recorder.failing
  }

  #holds(session: Session, key: string): void {
    const held = this.#held.get(session)
    if (held === undefined) this.#held.set(session, new Set([key]))
    else held.add(key)
  }

  /** The session does not have it any more. */
  #gone(session: Session, share: string, position: Position): void {
    const key = keyOf(share, position)
    if (this.#giving?.key === key) {
      this.#giving.dropped = true
      return
    }
    const held = this.#held.get(session)
    if (held?.delete(key) !== true) return
    if (held.size === 0) this.#held.delete(session)
    const done = !this.#handsBack
    this.#say(() => this.#needs.cluster.settled(share, session.clientId, position, done))
  }

  /** More is committed, or a second has passed. */
  look(): void {
    const { faults, recorder, sessionOf } = this.#needs
    while (this.#taking.length > 0 && this.#taking[0]!.turn <= recorder.committed) {
      const { answers, session } = this.#taking.shift()!
      // One that was lost meanwhile has nothing of that turn.
      const taken = sessionOf(session.clientId) === session ? "kept" : "away"
      for (const answer of answers) faults.attempt(() => answer(taken), { clientId: session.clientId })
    }
    for (const [session, shares] of this.#full) {
      const qos = Math.max(...Array.from(shares, (share) => session.subscriptions.get(share)?.qos ?? 0))
      if (session.connected && !this.#hasRoom(session, qos)) continue
      this.#full.delete(session)
      if (!session.connected) continue
      for (const share of shares) {
        const subscription = session.subscriptions.get(share)
        if (subscription !== undefined) this.joined(session, subscription)
      }
    }
  }

  /** Not within what is being done to a session: what is told may come back with the next message. */
  #say(work: () => void): void {
    this.#said.push(work)
    if (this.#saying) return
    this.#saying = true
    this.#needs.later(this.#tell())
  }

  *#tell(): Chore {
    for (let work = this.#said.shift(); work !== undefined; work = this.#said.shift()) {
      this.#needs.faults.attempt(work)
      yield 1
    }
    this.#saying = false
  }
}

function keyOf(share: string, { partition, sequence }: Position): string {
  return `${partition}:${sequence}:${share}`
}
