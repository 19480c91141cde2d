// SUBSCRIBE and UNSUBSCRIBE (MQTT 5.0 sections 3.8 and 3.10): what is granted, and how much of it.

import type { Subscribed } from "../packet/change.ts"
import { PacketError } from "../packet/errors.ts"
import type { SubscriptionRequest } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Identity, Refusal } from "../ports/access.ts"
import type { Cluster } from "../ports/cluster.ts"
import { isWild, readFilter } from "../routing/filter.ts"
import type { Router } from "../routing/router.ts"
import type { Subscription, TopicRule } from "../routing/subscription.ts"
import { subscriptionShare } from "../routing/subscription-tree.ts"
import type { Features } from "../session/features.ts"
import type { Limits } from "../session/limits.ts"
import { fitsShare } from "../session/memory.ts"
import { identityOf } from "../session/owners.ts"
import type { Session } from "../session/session.ts"
import { never } from "./rules.ts"
import type { SharedMembers } from "./shared-members.ts"

/** What subscriptions need of the hub. */
export interface SubscriptionsNeeds {
  readonly limits: Limits
  readonly features: Features
  readonly access: Access
  readonly router: Router
  readonly cluster: Cluster | undefined
  /** Of a cluster. */
  readonly members: Pick<SharedMembers, "joined" | "parted"> | undefined
  /** Whether so many more bytes fit beside all that is kept. */
  readonly fitsAll: (bytes: number) => boolean
  /** A rule of this session's threw. */
  readonly faulted: (session: Session, error: unknown) => void
}

/** The Reason Code for SUBACK, the rule that forbids it, and whether retained messages come after it. */
export interface Granted {
  readonly reasonCode: number
  readonly refusal?: Refusal
  readonly retained: boolean
}

export class Subscriptions {
  readonly #needs: SubscriptionsNeeds

  constructor(needs: SubscriptionsNeeds) {
    this.#needs = needs
  }

  subscribe(
    session: Session,
    identity: Identity,
    request: SubscriptionRequest,
    identifier: number | undefined,
  ): Granted {
    const { access, features, limits, router } = this.#needs
    const filter = readFilter(request.filter, limits.maximumTopicLevels)
    if (filter === undefined) return { reasonCode: ReasonCode.TopicFilterInvalid, retained: false }
    if (request.noLocal && filter.shareName !== undefined) {
      // [MQTT-3.8.3-4] a Protocol Error, which ends the connection
      throw new PacketError(ReasonCode.ProtocolError, "MQTT-3.8.3-4", "No Local on a shared subscription")
    }
    const refusal = access.subscribeRefusal(identity, session.clientId, filter)
    if (refusal !== undefined) return { reasonCode: ReasonCode.NotAuthorized, refusal, retained: false }
    const allowed = access.deliveryRule(identity, session.clientId, filter)
    const existing = session.subscriptions.get(filter.text)
    if (existing === undefined && !this.#roomFor(session, filter)) {
      return { reasonCode: ReasonCode.QuotaExceeded, retained: false }
    }
    const wild = existing === undefined && isWild(filter)
    if (wild && session.wildSubscriptions >= limits.maximumWildcardSubscriptions) {
      return { reasonCode: ReasonCode.QuotaExceeded, retained: false }
    }
    if (wild) session.wildSubscriptions++
    const { text, shareName, path } = filter
    // [MQTT-3.2.2-10]
    const qos = request.qos > features.maximumQos ? features.maximumQos : request.qos
    const subscription: Subscription = {
      subscriber: session,
      filter: { text, shareName, path },
      qos,
      noLocal: request.noLocal,
      retainAsPublished: request.retainAsPublished,
      identifier,
      mayReceive: this.withoutThrowing(allowed, session),
      identifiers: identifier === undefined ? [] : [identifier],
    }
    session.subscriptions.set(text, subscription) // [MQTT-3.8.4-3]
    session.resubscribed(subscription)
    if (existing === undefined || (existing.qos === 0 && qos > 0)) session.behind?.begins(text)
    router.add(subscription)
    if (existing === undefined) {
      this.#charge(session, filter, 1)
      if (shareName === undefined) this.#needs.cluster?.subscribed(path)
    }
    this.#needs.members?.joined(session, subscription)
    if (session.kept) {
      const { noLocal, retainAsPublished } = request
      const { clientId } = session
      session.record({ type: "subscribed", clientId, filter: text, qos, noLocal, retainAsPublished, identifier })
    }
    // [MQTT-3.3.1-9] to [MQTT-3.3.1-11]; no retained messages for shared subscriptions (section 4.8.2)
    const wanted = request.retainHandling === 0 || (request.retainHandling === 1 && existing === undefined)
    return { reasonCode: qos, retained: wanted && shareName === undefined }
  }

  /** A subscription from before a restart: the rules of now say what comes through it. */
  restore(session: Session, { filter: text, qos, noLocal, retainAsPublished, identifier }: Subscribed): void {
    const { access, limits, router } = this.#needs
    const filter = readFilter(text, limits.maximumTopicLevels)
    if (filter === undefined) return
    const { shareName, path } = filter
    const identity = identityOf(session.owner)
    const refused = access.subscribeRefusal(identity, session.clientId, filter) !== undefined
    const rule = refused ? never : access.deliveryRule(identity, session.clientId, filter)
    const subscription: Subscription = {
      subscriber: session,
      filter: { text, shareName, path },
      qos,
      noLocal,
      retainAsPublished,
      identifier,
      mayReceive: refused ? never : this.withoutThrowing(rule, session),
      identifiers: identifier === undefined ? [] : [identifier],
    }
    if (isWild(filter)) session.wildSubscriptions++
    session.subscriptions.set(text, subscription)
    router.add(subscription)
    this.#charge(session, filter, 1)
    if (shareName === undefined) this.#needs.cluster?.subscribed(path)
  }

  /** Returns the Reason Code for UNSUBACK. */
  unsubscribe(session: Session, filter: string): number {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined) return ReasonCode.NoSubscriptionExisted
    session.subscriptions.delete(filter) // [MQTT-3.10.4-1]
    session.retained.remove(filter)
    if (isWild(subscription.filter)) session.wildSubscriptions--
    this.#needs.router.remove(subscription)
    this.#unsubscribed(subscription)
    this.#needs.members?.parted(session, subscription)
    this.#charge(session, subscription.filter, -1)
    if (session.kept) session.record({ type: "unsubscribed", clientId: session.clientId, filter })
    return ReasonCode.Success
  }

  /** All of them, as the session ends. `step` does its work whatever becomes of the others. */
  end(session: Session, step: (work: () => void) => void): void {
    for (const subscription of session.subscriptions.values()) {
      step(() => this.#needs.router.remove(subscription))
      step(() => this.#unsubscribed(subscription))
    }
    session.subscriptions.clear()
    charge(session, -session.subscriptionBytes)
    session.filterBytes = 0
  }

  /** @param sign -1: it is gone */
  #charge(session: Session, filter: Filter, sign: 1 | -1): void {
    charge(session, sign * subscriptionShare(filter))
    session.filterBytes += sign * (this.#needs.cluster?.filterBytes(filter.text) ?? 0)
  }

  #unsubscribed({ filter }: Subscription): void {
    if (filter.shareName === undefined) this.#needs.cluster?.unsubscribed(filter.path)
  }

  /** The session has a connection again: its Shared Subscriptions choose it again. */
  back(session: Session): void {
    if (session.wildSubscriptions === 0) return
    for (const one of session.subscriptions.values()) {
      if (one.filter.shareName === undefined) continue
      this.#needs.router.back(one)
      this.#needs.members?.joined(session, one)
    }
  }

  /** What throws in a rule is a fault of that session's, and lets nothing through. */
  withoutThrowing(rule: TopicRule | undefined, session: Session): TopicRule | undefined {
    if (rule === undefined) return undefined
    return (topic) => {
      try {
        return rule(topic)
      } catch (error) {
        this.#needs.faulted(session, error)
        return false
      }
    }
  }

  /** A session has as much as is left over for the others, an owner three times as much. */
  #roomFor(session: Session, filter: Filter): boolean {
    const { cluster, fitsAll, limits, router } = this.#needs
    const bytes = subscriptionShare(filter)
    // What outlives its connection has to fit into one message of the servers'.
    const kept = cluster === undefined || session.expiryInterval === 0
    const fits = kept || session.filterBytes + cluster.filterBytes(filter.text) <= cluster.mostFilterBytes
    const left = limits.maximumTotalSubscriptionBytes - router.subscriptionBytes
    return (
      fits &&
      session.subscriptions.size < limits.maximumSubscriptions &&
      session.subscriptionBytes + bytes <= left - bytes &&
      fitsShare(session.account.subscriptions, bytes, left) &&
      fitsAll(bytes)
    )
  }
}

type Filter = Subscription["filter"]

function charge(session: Session, bytes: number): void {
  session.subscriptionBytes += bytes
  session.account.subscriptions += bytes
}
