// Who gets a message (MQTT 5.0 sections 3.3.4, 4.7, 4.8). The answer for a topic is kept on the Topic object until any
// subscription changes, so a repeated topic costs no walk of the tree.

import { textLength } from "../packet/bytes.ts"
import { queuedBytes } from "../packet/change-size.ts"
import type { Message } from "../packet/message.ts"
import type { Topic } from "../packet/topic.ts"
import { workingMemory } from "../packet/working-memory.ts"
import { LateDeliveries } from "./late-deliveries.ts"
import { RouteCache } from "./route-cache.ts"
import type { ShareGroup } from "./share-group.ts"
import type { Reach, Subscriber, Subscription, TopicRule } from "./subscription.ts"
import { SubscriptionTree } from "./subscription-tree.ts"

/** Overlapping subscriptions of one session that match a topic: one copy of the message goes there. */
interface Overlap extends Granted {
  readonly subscriber: Subscriber
  readonly all: readonly Subscription[]
  readonly noLocal: boolean
}

/** Nearly always the one subscription itself. */
type Route = Subscription | Overlap

/** What of a subscription, or of several, decides how a message is sent. */
type Granted = Pick<Subscription, "qos" | "retainAsPublished" | "identifiers">

class Routes {
  direct: readonly Route[] = []
  readonly groups: ShareGroup[] = []
  /** Bytes in a store of a message's copies; undefined: nobody has asked. */
  kept: number | undefined
  /** The set of subscriptions this is the answer for. */
  readonly epoch: object

  constructor(epoch: object) {
    this.epoch = epoch
  }
}

/** Bytes that the answers take which are kept. */
const routesCost = 450
const routeCost = 16
const overlapCost = 160
const groupCost = 560
const memberCost = 100

/** Bytes in a store, at most, of a copy that is sent, beside its being queued; and of one to a member of a group, who may have to be kept for it. */
const sentBytes = 32
const memberBytes = 1024

/** Sessions that are away and get their copies of one message in one turn: some 2 milliseconds, the first time. */
const awayPerTurn = 1000

export class Router {
  readonly #tree = new SubscriptionTree()
  /** Another object after each change of the subscriptions; also tells one router from another. */
  #epoch: object = {}
  readonly #cache: RouteCache
  #deliveries = 0
  readonly #awayPerTurn: number
  /** The copies of the last message that did not go to all at once. */
  #late: LateDeliveries<Route> | undefined
  /** Called when a message leaves copies for later: `deliverLate` makes them. */
  onLate: (message: Message) => void = () => undefined
  /** Called with each connected subscriber that has more than half of its limits in use. */
  onCongested: (subscriber: Subscriber) => void = () => undefined
  /** Called with each connected subscriber that has no room for a message: it was not kept for it. */
  onNoRoom: (subscriber: Subscriber, message: Message) => void = () => undefined
  /**
   * Called before a message that others of a group would get after a restart goes to a member whose session would end by it, and
   * would take the message with it.
   */
  onEntrusted: (subscriber: Subscriber) => void = () => undefined
  /** Called with each subscription that a message matches before its rule is asked; set while rules are exchanged. */
  judge: ((subscription: Subscription) => void) | undefined
  /** In a cluster: who of a group gets a message is decided elsewhere. */
  groupsApart = false
  /** Called when delivering to a subscriber threw: the others get their copies, and the publisher does not notice. */
  onFault: (subscriber: Subscriber, error: unknown) => void = () => undefined

  /**
   * @param away sessions that are away and get their copies of one message in one turn; 0: one, in turns to come
   * @param remembered bytes of the answers that are kept
   */
  constructor(away: number = awayPerTurn, remembered: number = workingMemory().routes) {
    this.#awayPerTurn = away
    this.#cache = new RouteCache(remembered)
  }

  get subscriptionCount(): number {
    return this.#tree.size
  }

  /** How many of them are Shared Subscriptions. */
  get sharedSubscriptionCount(): number {
    return this.#tree.shared
  }

  /** Heap that all subscriptions take, in bytes. */
  get subscriptionBytes(): number {
    return this.#tree.bytes
  }

  /** Heap that remembered answers take, in bytes. */
  get rememberedBytes(): number {
    return this.#cache.bytes
  }

  /** Nodes that matching has looked at since the beginning. */
  get visited(): number {
    return this.#tree.visited
  }

  /** What routing has cost since the beginning, without a clock: nodes looked at, and copies made, by their size. */
  get work(): number {
    return this.#tree.visited + this.#deliveries
  }

  add(subscription: Subscription): void {
    this.#settle(subscription.subscriber)
    this.forget()
    this.#tree.add(subscription)
  }

  remove(subscription: Subscription): void {
    this.#settle(subscription.subscriber)
    this.forget()
    this.#tree.remove(subscription)
  }

  /** Other topics may come through a subscription from now on; `forget` has to be called when the last one has its rule. */
  rule(subscription: Subscription, rule: TopicRule | undefined): void {
    this.#settle(subscription.subscriber)
    const before = subscription.mayReceive
    subscription.mayReceive = rule
    if (subscription.filter.shareName !== undefined) this.#tree.groupOf(subscription)?.ruled(subscription, before)
  }

  /** A subscriber is connected again: the groups of this subscription of his choose him again. */
  back(subscription: Subscription): void {
    const group = this.#tree.groupOf(subscription)
    group?.back(subscription.subscriber)
    if (group?.restricted === true) this.forget()
  }

  /** Forgets what was found for topics: something that decides about it has changed. */
  forget(): void {
    this.#epoch = {}
    this.#cache.clear()
  }

  /** True when nobody would get a message on this topic. */
  nobody(topic: Topic): boolean {
    const routes = this.#routes(topic)
    return routes.direct.length === 0 && routes.groups.length === 0
  }

  /** Bytes in a store, at most, of the copies of a message at QoS 1 or 2 on this topic; 0: none is kept. */
  keptBytes(topic: Topic): number {
    const routes = this.#routes(topic)
    if (routes.kept !== undefined) return routes.kept
    let bytes = memberBytes * routes.groups.length
    for (const { qos, subscriber, identifiers } of routes.direct) {
      if (qos === 0 || !subscriber.recorded) continue
      bytes += queuedBytes(textLength(subscriber.clientId), 0, identifiers.length) + sentBytes
    }
    this.#deliveries += routes.direct.length
    routes.kept = bytes
    return bytes
  }

  /**
   * Delivers the message to every matching session. Of those that are away, and would be sent it at QoS 1 or 2, many get it in
   * turns to come; who had no room among them is then not told.
   */
  route(message: Message, publisher: Subscriber | undefined, now: number): Reach {
    const routes = this.#routes(message.topic)
    const direct = routes.direct
    // Each copy is written out: 512 bytes of it cost about as much as the delivery itself.
    this.#deliveries += (direct.length + routes.groups.length) * (1 + (message.size >> 9))
    // More than one copy: make the message's bytes its own, from which the copies are made.
    if (direct.length + routes.groups.length > 1) message.own()
    let sessions = 0
    let withoutRoom = 0
    let away = 0
    let late: Route[] | undefined
    for (let i = 0; i < direct.length; i++) {
      const found = direct[i]!
      const own = found.noLocal && found.subscriber === publisher
      this.#deliveries += own ? ("all" in found ? found.all.length >> 3 : 0) : found.identifiers.length >> 5
      const route = own ? withoutLocal(found) : found
      if (route === undefined) continue
      sessions++
      if (direct.length > this.#awayPerTurn && message.qos > 0 && route.qos > 0 && !route.subscriber.connected) {
        if (++away > this.#awayPerTurn) {
          late ??= []
          late.push(route)
          continue
        }
      }
      if (!this.#send(route.subscriber, message, route, undefined, now)) withoutRoom++
    }
    for (let i = 0; i < routes.groups.length; i++) {
      const group = routes.groups[i]!
      const chosen = group.choose(message)
      if (chosen === undefined) continue
      // [MQTT-4.8.2-3] the granted QoS of the chosen session's own subscription
      sessions++
      if (!this.#entrust(group, chosen, message, now)) withoutRoom++
    }
    if (late !== undefined) withoutRoom += this.#leave(message, late, withoutRoom === sessions - late.length, now)
    return { sessions, withoutRoom }
  }

  /** The copies of a message that are to be made in turns to come. */
  get late(): object | undefined {
    return this.#late
  }

  /** Makes one turn's share of them, or all. */
  deliverLate(most: number = Math.max(1, this.#awayPerTurn)): void {
    this.#deliverLate(most)
  }

  /** Leaves copies for later, and returns how many of them had no room: those that had to be made to know that somebody has. */
  #leave(message: Message, routes: Route[], nobodyHasRoom: boolean, now: number): number {
    this.#deliverLate(Number.POSITIVE_INFINITY) // those before it
    const late = new LateDeliveries(message, routes, now)
    let withoutRoom = 0
    while (nobodyHasRoom) {
      const route = late.take()
      if (route === undefined) return withoutRoom
      nobodyHasRoom = !this.#deliver(route.subscriber, message, route, undefined, now)
      if (nobodyHasRoom) withoutRoom++
    }
    this.#late = late
    this.onLate(message)
    return withoutRoom
  }

  #deliverLate(most: number): void {
    const late = this.#late
    if (late === undefined) return
    for (let made = 0; made < most; made++) {
      const route = late.take()
      if (route === undefined) {
        this.#late = undefined
        return
      }
      this.#deliver(route.subscriber, late.message, route, undefined, late.now)
    }
  }

  /** What is due to a session it gets now: something else is to come, or its subscriptions change. */
  #settle(subscriber: Subscriber): void {
    const late = this.#late
    const route = late?.takeOf(subscriber)
    if (late !== undefined && route !== undefined) this.#deliver(subscriber, late.message, route, undefined, late.now)
  }

  /** Whoever gets a message by this Shared Subscription is kept it. @param share the filter of the subscription */
  keepsShared(share: string): boolean {
    return this.#tree.group(share)?.lasting === true
  }

  /**
   * Section 4.8.2: delivers a message of a Shared Subscription to another of its sessions, as the one that was chosen has ended.
   * False when it has no room, undefined when there is none. @param share the filter of the subscription
   */
  handOn(message: Message, share: string, now: number): boolean | undefined {
    const all = this.#tree.group(share)
    const restricted = all?.restricted === true
    const group = restricted ? all.allowed(message.topic.name) : all
    const chosen = group?.choose(message)
    this.#deliveries += 1 + (message.size >> 9) + (restricted ? all.size : 0)
    return chosen && this.#entrust(group!, chosen, message, now)
  }

  /** Sends a message to the one who was chosen from a group. */
  #entrust(group: ShareGroup, chosen: Subscription, message: Message, now: number): boolean {
    const { filter, qos, subscriber } = chosen
    if (message.qos > 0 && qos > 0 && group.lasting && !subscriber.lasting) this.onEntrusted(subscriber)
    return this.#send(subscriber, message, chosen, filter.text, now)
  }

  /** As `#deliver`, after what is due to the session. */
  #send(subscriber: Subscriber, message: Message, granted: Granted, share: string | undefined, now: number): boolean {
    if (this.#late !== undefined) this.#settle(subscriber)
    return this.#deliver(subscriber, message, granted, share, now)
  }

  /** False when there was no room for it. */
  #deliver(
    subscriber: Subscriber,
    message: Message,
    granted: Granted,
    share: string | undefined,
    now: number,
  ): boolean {
    // [MQTT-3.8.4-8] the lower of published and granted QoS; [MQTT-3.3.1-12], [MQTT-3.3.1-13] Retain As Published
    const qos = message.qos < granted.qos ? message.qos : granted.qos
    let kept = true
    try {
      const retain = granted.retainAsPublished && message.retain
      kept = subscriber.deliver(message, qos, retain, granted.identifiers, now, share)
    } catch (error) {
      this.onFault(subscriber, error)
      return true
    }
    if (subscriber.congested && subscriber.connected) this.onCongested(subscriber)
    if (!kept && subscriber.connected) this.onNoRoom(subscriber, message)
    return kept
  }

  #routes(topic: Topic): Routes {
    const known = topic.routes
    if (known instanceof Routes && known.epoch === this.#epoch) return known
    const routes = new Routes(this.#epoch)
    const bytes = this.#find(topic.name, routes)
    this.#cache.keep(topic, routes, bytes + 2 * topic.bytes.length)
    return routes
  }

  /** Returns about how many bytes the answer takes. */
  #find(topic: string, routes: Routes): number {
    let bytes = routesCost
    let members = 0
    let matched = 0
    // Of one filter a session has one subscription: only where there are several do sessions have to be told apart.
    let filter: string | undefined
    let several = false
    const direct: Subscription[] = []
    const { judge } = this
    this.#tree.match(topic, {
      subscription(one) {
        matched++
        judge?.(one)
        if (one.mayReceive?.(topic) === false) return
        filter ??= one.filter.text
        several ||= filter !== one.filter.text
        direct.push(one)
      },
      group: (one) => {
        if (this.groupsApart) return
        if (judge !== undefined) one.each(judge)
        bytes += routeCost
        if (!one.restricted) {
          routes.groups.push(one)
          return
        }
        const allowed = one.allowed(topic)
        members += one.size
        bytes += groupCost + allowed.size * memberCost
        if (allowed.size > 0) routes.groups.push(allowed)
      },
    })
    this.#deliveries += members + matched
    routes.direct = several ? joined(direct) : direct
    const overlaps = direct.length - routes.direct.length
    return bytes + direct.length * routeCost + overlaps * overlapCost
  }
}

/** [MQTT-3.8.3-3] No Local: not to the client that published it, unless another of its subscriptions wants it. */
function withoutLocal(route: Route): Route | undefined {
  if (!("all" in route)) return undefined
  const others = route.all.filter((one) => !one.noLocal)
  return others.length > 0 ? overlap(others) : undefined
}

/** One route a session, in the order in which the first of its subscriptions was found. */
function joined(found: readonly Subscription[]): Route[] {
  const bySubscriber = new Map<Subscriber, Subscription | Subscription[]>()
  for (const one of found) {
    const known = bySubscriber.get(one.subscriber)
    if (known === undefined) bySubscriber.set(one.subscriber, one)
    else if (Array.isArray(known)) known.push(one)
    else bySubscriber.set(one.subscriber, [known, one])
  }
  return Array.from(bySubscriber.values(), (its) => (Array.isArray(its) ? overlap(its) : its))
}

/** [MQTT-3.3.4-2] the highest QoS of all of them, [MQTT-3.3.4-4] and all their identifiers. */
function overlap(all: readonly Subscription[]): Overlap {
  const { subscriber } = all[0]!
  let { qos, retainAsPublished, noLocal } = all[0]!
  const identifiers: number[] = []
  for (const one of all) {
    if (one.qos > qos) qos = one.qos
    if (one.retainAsPublished) retainAsPublished = true
    if (one.noLocal) noLocal = true
    if (one.identifier !== undefined) identifiers.push(one.identifier)
  }
  return { subscriber, all, qos, retainAsPublished, identifiers, noLocal }
}
