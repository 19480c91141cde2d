// A session measured by rules that have changed since its subscriptions were made.

import { publishRefusal } from "../client/refusals.ts"
import type { Access, Identity } from "../ports/access.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Subscription, TopicRule } from "../routing/subscription.ts"
import type { Session } from "../session/session.ts"

/** Says why a connected client may not be any more, in a few words; undefined when it may. */
export type LostRight = (identity: Identity, peer: PeerInfo) => string | undefined

export interface RulesChange {
  /** Is the access control list another one? */
  readonly rights: boolean
  /** Are clients disconnected that lost their login or a filter? */
  readonly disconnect: boolean
}

/** What a change of the rules has done. */
export interface RulesApplied {
  /** Connected clients whose login is none any more. */
  readonly logins: number
  /** Subscriptions that are not allowed any more: they stay, and nothing comes through them. */
  readonly filters: number
  /** Clients that were disconnected for one or the other. */
  readonly disconnected: number
}

/** Nothing comes through. */
export const never: TopicRule = () => false

/** What one judgement costs, in the units of a turn: some microseconds, more with more rules. */
const judgementCost = 5

/** What the sweep needs of the broker. */
export interface SweepMeans {
  readonly access: Access
  /** Of the client that is connected, else of the session's owner. */
  readonly identityOf: (session: Session) => Identity
  /** Puts a rule into a subscription. */
  readonly put: (session: Session, subscription: Subscription, rule: TopicRule | undefined) => void
  /** The session's will is given up. */
  readonly willLost: (session: Session) => void
  /** Gets what the access control list throws. */
  readonly fault: (session: Session, error: unknown) => void
}

/**
 * New rules on their way through all sessions. They come in turns, and where something is about to happen before its turn
 * they come ahead: to a subscription when a message is routed to it, to a session before anything that waits in it is sent. So
 * nothing is delivered by the old ones, and nobody waits for the new ones.
 *
 * A subscription that is not allowed stays in the session, as MQTT has no word for taking it away; nothing comes through it,
 * and it works again when it is allowed again.
 */
export class RulesSweep {
  readonly #means: SweepMeans
  /** Subscriptions that were judged before their session's turn. */
  readonly #ahead: Set<Subscription> = new Set()
  readonly #identities: Map<Session, Identity> = new Map()
  readonly #broken: Set<Session> = new Set()

  constructor(means: SweepMeans) {
    this.#means = means
  }

  /** A message is about to be routed to it. */
  ahead(session: Session, subscription: Subscription): void {
    if (this.#ahead.has(subscription)) return
    this.#ahead.add(subscription)
    this.#judge(session, subscription)
  }

  /** What waits in the session is about to be sent: the messages, and the will, that its client may still have. */
  freshen(session: Session): void {
    this.#within(session, () => {
      const { access } = this.#means
      const { clientId, pendingWill } = session
      const identity = this.#identityOf(session)
      for (const subscription of session.retained.subscriptions()) this.ahead(session, subscription)
      session.mayRead = this.#mayRead(session)
      if (pendingWill === undefined) return
      if (publishRefusal(access, identity, clientId, pendingWill.will.topic) === undefined) return
      session.pendingWill = undefined
      session.holdWill(0)
      this.#means.willLost(session)
    })
  }

  /** Its turn: each step says what it cost. Returns how many filters are not allowed any more. */
  *session(session: Session): Generator<number, number, undefined> {
    let refused = 0
    for (const subscription of session.subscriptions.values()) {
      if (!this.#ahead.delete(subscription)) {
        this.#judge(session, subscription)
        yield judgementCost
      }
      if (subscription.mayReceive === never) refused++
    }
    session.freshen()
    // A judgement of many levels costs more.
    for (const topic of session.keepOnlyInTurns(this.#mayRead(session))) yield judgementCost + (topic.length >> 2)
    this.#identities.delete(session)
    yield judgementCost
    return refused
  }

  #mayRead(session: Session): (topic: string) => boolean {
    return (topic) => {
      let may = false
      this.#within(session, () => {
        const { access } = this.#means
        const { clientId } = session
        const filter = { text: topic, shareName: undefined, path: topic, levels: topic.split("/") }
        const identity = this.#identityOf(session)
        if (access.subscribeRefusal(identity, clientId, filter) !== undefined) return
        // A list of Mosquitto's grants every subscription, and judges what comes by it.
        may = access.deliveryRule(identity, clientId, filter)?.(topic) ?? true
      })
      return may
    }
  }

  /** Its client is another than it was taken for. */
  forget(session: Session): void {
    this.#identities.delete(session)
  }

  /** The list threw for this session: rather none of its rights than some that it has lost. */
  isBroken(session: Session): boolean {
    return this.#broken.has(session)
  }

  #judge(session: Session, subscription: Subscription): void {
    this.#within(session, () => {
      const { access, put } = this.#means
      const { clientId } = session
      const { text, shareName, path } = subscription.filter
      const filter = { text, shareName, path, levels: path.split("/") }
      const identity = this.#identityOf(session)
      const allowed = access.subscribeRefusal(identity, clientId, filter) === undefined
      const rule = allowed ? access.deliveryRule(identity, clientId, filter) : never
      if (rule !== subscription.mayReceive) put(session, subscription, rule)
    })
  }

  #within(session: Session, work: () => void): void {
    if (this.#broken.has(session)) return
    try {
      work()
    } catch (error) {
      this.giveUp(session, error)
    }
  }

  /** Nothing comes through to it any more, and nothing that waits is sent. */
  giveUp(session: Session, error: unknown): void {
    this.#broken.add(session)
    this.#means.fault(session, error)
    for (const subscription of session.subscriptions.values()) this.#means.put(session, subscription, never)
    session.keepOnly(() => false)
  }

  /** The same object each time, as the list keeps what it found for an Identity. */
  #identityOf(session: Session): Identity {
    let identity = this.#identities.get(session)
    if (identity === undefined) {
      identity = this.#means.identityOf(session)
      this.#identities.set(session, identity)
    }
    return identity
  }
}
