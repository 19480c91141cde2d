// Who gets a message (MQTT 5.0 sections 3.3.4, 4.7, 4.8). The answer for a topic is kept on the Topic object until any
// subscription changes, so a repeated topic costs no walk of the tree.

import type { Message } from "../packet/message.ts"
import type { Qos } from "../packet/packets.ts"
import type { Topic } from "../packet/topic.ts"
import type { Subscriber, Subscription } from "./subscription.ts"
import { type ShareGroup, SubscriptionTree } from "./subscription-tree.ts"

/** One session and its subscriptions that match a topic: one copy of the message goes there. */
interface Route {
  readonly subscriber: Subscriber
  readonly first: Subscription
  /** Overlapping subscriptions of the same session, usually none. */
  more: Subscription[] | undefined
}

class Routes {
  readonly direct: Route[] = []
  readonly groups: ShareGroup[] = []
  /** The set of subscriptions this is the answer for. */
  readonly epoch: object

  constructor(epoch: object) {
    this.epoch = epoch
  }
}

/** Routes with more sessions than this are not kept: walking the tree is then the smaller part of the work. */
const rememberedRoutes = 256

export class Router {
  readonly #tree = new SubscriptionTree()
  /** Another object after each change of the subscriptions; also tells one router from another. */
  #epoch: object = {}
  #publisher: Subscriber | undefined = undefined
  /** Called with each connected subscriber that has more than half of its limits in use. */
  onCongested: (subscriber: Subscriber) => void = () => undefined
  /** Called when delivering to a subscriber threw: the others get their copies, and the publisher does not notice. */
  onFault: (subscriber: Subscriber, error: unknown) => void = () => undefined

  get subscriptionCount(): number {
    return this.#tree.size
  }

  add(subscription: Subscription): void {
    this.#tree.add(subscription)
    this.#epoch = {}
  }

  remove(subscription: Subscription): void {
    this.#tree.remove(subscription)
    this.#epoch = {}
  }

  /** True when nobody would get a message on this topic. */
  nobody(topic: Topic): boolean {
    const routes = this.#routes(topic)
    return routes.direct.length === 0 && routes.groups.length === 0
  }

  /** Delivers the message to every matching session; returns the number of sessions. */
  route(message: Message, publisher: Subscriber | undefined, now: number): number {
    const routes = this.#routes(message.topic)
    const direct = routes.direct
    // More than one copy: make the message's bytes its own, from which the copies are made.
    if (direct.length + routes.groups.length > 1) message.own()
    this.#publisher = publisher
    let count = 0
    for (let i = 0; i < direct.length; i++) count += this.#deliver(direct[i]!, message, now)
    for (let i = 0; i < routes.groups.length; i++) {
      const chosen = routes.groups[i]!.choose(message.topic.name)
      if (chosen === undefined) continue
      // [MQTT-4.8.2-3] the granted QoS of the chosen session's own subscription
      this.#send(chosen.subscriber, message, chosen.qos, chosen.retainAsPublished, chosen.identifiers, now)
      count++
    }
    this.#publisher = undefined
    return count
  }

  #deliver(route: Route, message: Message, now: number): number {
    const { subscriber, first } = route
    const own = subscriber === this.#publisher
    if (route.more === undefined) {
      // [MQTT-3.8.3-3] No Local: not to the client that published it
      if (own && first.noLocal) return 0
      this.#send(subscriber, message, first.qos, first.retainAsPublished, first.identifiers, now)
      return 1
    }
    // [MQTT-3.3.4-2] the highest QoS of all matching subscriptions, [MQTT-3.3.4-4] and all their identifiers
    let qos: Qos = 0
    let retain = false
    let count = 0
    const identifiers: number[] = []
    for (const one of [first, ...route.more]) {
      if (own && one.noLocal) continue
      count++
      if (one.qos > qos) qos = one.qos
      if (one.retainAsPublished) retain = true
      if (one.identifier !== undefined) identifiers.push(one.identifier)
    }
    if (count === 0) return 0
    this.#send(subscriber, message, qos, retain, identifiers, now)
    return 1
  }

  #send(
    subscriber: Subscriber,
    message: Message,
    granted: Qos,
    retainAsPublished: boolean,
    identifiers: readonly number[],
    now: number,
  ): void {
    // [MQTT-3.8.4-8] the lower of published and granted QoS; [MQTT-3.3.1-12], [MQTT-3.3.1-13] Retain As Published
    const qos = message.qos < granted ? message.qos : granted
    try {
      subscriber.deliver(message, qos, retainAsPublished && message.retain, identifiers, now)
    } catch (error) {
      this.onFault(subscriber, error)
      return
    }
    if (subscriber.congested && subscriber.connected) this.onCongested(subscriber)
  }

  #routes(topic: Topic): Routes {
    const known = topic.routes
    if (known instanceof Routes && known.epoch === this.#epoch) return known
    const routes = this.#find(topic.name)
    if (routes.direct.length + routes.groups.length <= rememberedRoutes) topic.routes = routes
    return routes
  }

  #find(topic: string): Routes {
    const routes = new Routes(this.#epoch)
    let bySubscriber: Map<Subscriber, Route> | undefined
    this.#tree.match(topic, {
      subscription(one) {
        if (one.mayReceive?.(topic) === false) return
        bySubscriber ??= new Map()
        const known = bySubscriber.get(one.subscriber)
        if (known !== undefined) {
          known.more ??= []
          known.more.push(one)
          return
        }
        const route: Route = { subscriber: one.subscriber, first: one, more: undefined }
        bySubscriber.set(one.subscriber, route)
        routes.direct.push(route)
      },
      group(one) {
        routes.groups.push(one)
      },
    })
    return routes
  }
}
