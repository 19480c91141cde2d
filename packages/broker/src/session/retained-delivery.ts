// What a client is sent of retained messages ([MQTT-3.3.1-9], [MQTT-3.8.4-8]). They come after what waits for it, never go into
// its queue, and leave most of the output free, so that nothing is dropped for their sake.

import type { Sequence } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { RetainedWalk } from "../routing/retained-tree.ts"
import type { Subscription } from "../routing/subscription.ts"
import type { Counters } from "./counters.ts"
import type { Holdings } from "./holdings.ts"
import type { Keeping } from "./keeping.ts"
import { RetainedWalks, type Slice } from "./retained-walks.ts"
import type { Sender } from "./sender.ts"

/** Bytes in a store of a message on its way whose content is there, at most. */
const retainedBytes = 512

export class RetainedDelivery {
  readonly walks: RetainedWalks = new RetainedWalks()
  /** There is no room for the next of them, until something is acknowledged, or a second has passed. */
  #waits = false
  readonly #clientId: string
  readonly #sender: Sender
  readonly #counters: Counters
  readonly #holdings: Holdings
  readonly #keeping: Keeping

  constructor(clientId: string, sender: Sender, counters: Counters, holdings: Holdings, keeping: Keeping) {
    this.#clientId = clientId
    this.#sender = sender
    this.#counters = counters
    this.#holdings = holdings
    this.#keeping = keeping
  }

  /**
   * Retained messages are owed to this subscription: those up to `before`. At QoS 1 and 2 they are owed to a session that is
   * kept until they have been sent.
   */
  owe(subscription: Subscription, walk: RetainedWalk, before: Sequence): void {
    const { text: filter } = subscription.filter
    const keeps = this.#keeping.all && subscription.qos > 0
    if (keeps) this.#keeping.record({ type: "walk begun", clientId: this.#clientId, filter, before, sent: [] })
    else if (this.walks.keeps(filter)) this.#walkEnded(filter)
    this.walks.add(subscription, walk, keeps)
  }

  /** The subscription has taken the place of another; what that was owed comes by this one. At QoS 0 it is not kept. */
  resubscribed(subscription: Subscription): void {
    const { text: filter } = subscription.filter
    const ends = subscription.qos === 0 && this.walks.keeps(filter)
    this.walks.replace(subscription)
    if (ends) this.#walkEnded(filter)
  }

  #walkEnded(filter: string): void {
    this.#keeping.record({ type: "walk ended", clientId: this.#clientId, filter })
  }

  /**
   * Sends retained messages of new subscriptions: one slice, as far as the client takes them. `expired` is told of a message
   * that is not to be kept any longer.
   */
  send(slice: Slice, now: number, expired: (message: Message) => void): void {
    const may = (subscription: Subscription) => this.#may(subscription)
    const ended = (filter: string) => this.#walkEnded(filter)
    const send = (message: Message, subscription: Subscription) => this.#send(message, subscription, now, expired)
    this.walks.run(slice, may, send, ended)
  }

  /** False when there is no room for it: it is still owed. */
  #send(message: Message, subscription: Subscription, now: number, expired: (message: Message) => void): boolean {
    const link = this.#sender.link
    if (message.expired(now)) expired(message)
    else if (link !== undefined && subscription.mayReceive?.(message.topic.name) !== false) {
      // [MQTT-3.8.4-8] the lower of published and granted QoS
      const qos = message.qos < subscription.qos ? message.qos : subscription.qos
      const { identifiers } = subscription
      const room = qos === 0 || this.#keeping.mayGrow(retainedBytes)
      if (!room) {
        this.#waits = true
        return false
      }
      if (qos === 0 && !link.takes(message)) this.#counters.dropped["output full"]++
      else if (qos === 0) link.publish(message, 0, true, false, 0, identifiers, now)
      else if (this.#holdings.message(message, identifiers, undefined, true))
        this.#sender.sendNew(link, message, qos, true, identifiers, undefined, now)
      else if (this.#holdings.mayHold(message, identifiers)) {
        this.#waits = true
        return false
      } else this.#counters.dropped["memory full"]++ // nor later: what comes after it does not wait for that
    }
    return true
  }

  /** A connection begins, or something of it is acknowledged: there may be room again. */
  again(): void {
    this.#waits = false
  }

  /** Goes on at the end of the turn, when it may. */
  goOn(): void {
    if (this.due) this.#sender.link?.retainedSoon()
  }

  /** There may be room again for retained messages that it is owed. */
  retry(): void {
    if (!this.#waits) return
    this.#waits = false
    this.goOn()
  }

  /** True when the next of the walks may go on. */
  get due(): boolean {
    const first = this.walks.first
    return first !== undefined && !this.#waits && this.#may(first)
  }

  #may(subscription: Subscription): boolean {
    const link = this.#sender.link
    if (link === undefined || !link.roomy || this.#sender.waits) return false
    return subscription.qos === 0 || this.#sender.maySend
  }
}
