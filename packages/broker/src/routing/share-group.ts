import type { Message } from "../packet/message.ts"
import type { Subscriber, Subscription } from "./subscription.ts"

/** Members who do not keep up that are looked at before the next message goes to the first of them all the same. */
const patience = 64
/** Those among them that only have no quota left, or something that waits. */
const patienceForReady = 16

/**
 * The sessions of one Shared Subscription (MQTT 5.0 section 4.8.2). Members that were found away stand behind those that
 * may be connected and are not looked at again until they come back, so that choosing does not cost what the group has.
 */
export class ShareGroup {
  /** Those that may be connected, then those that are away. */
  readonly #members: Subscription[] = []
  readonly #places: Map<Subscriber, number> = new Map()
  #present = 0
  #next = 0
  #nextAway = 0
  /** Members with topics that may not come through to them. */
  #restricted = 0
  /** Members whose session was lasting when they came; few groups have any. */
  #lasting: Set<Subscriber> | undefined

  get size(): number {
    return this.#members.length
  }

  /** True when who is chosen from depends on the topic. */
  get restricted(): boolean {
    return this.#restricted > 0
  }

  /** True when somebody of them is still there after a restart: what another has and loses then is theirs. */
  get lasting(): boolean {
    return this.#lasting !== undefined && this.#lasting.size > 0
  }

  /** Adds a member or replaces its subscription; true when it is a new one. */
  add(subscription: Subscription): boolean {
    const at = this.#places.get(subscription.subscriber)
    if (subscription.mayReceive !== undefined) this.#restricted++
    if (subscription.subscriber.lasting) {
      this.#lasting ??= new Set()
      this.#lasting.add(subscription.subscriber)
    }
    if (at !== undefined) {
      if (this.#members[at]!.mayReceive !== undefined) this.#restricted--
      this.#members[at] = subscription
      return false
    }
    this.#places.set(subscription.subscriber, this.#members.length)
    this.#members.push(subscription)
    this.back(subscription.subscriber)
    return true
  }

  each(visit: (member: Subscription) => void): void {
    for (const member of this.#members) visit(member)
  }

  /** The rule of a member is another one, and was `before`. */
  ruled(subscription: Subscription, before: Subscription["mayReceive"]): void {
    if (before !== undefined) this.#restricted--
    if (subscription.mayReceive !== undefined) this.#restricted++
  }

  /** False when it was no member. */
  remove(subscriber: Subscriber): boolean {
    const at = this.#places.get(subscriber)
    if (at === undefined) return false
    if (this.#members[at]!.mayReceive !== undefined) this.#restricted--
    this.#lasting?.delete(subscriber)
    if (at < this.#present) this.#away(at)
    const last = this.#members.length - 1
    this.#swap(this.#places.get(subscriber)!, last)
    this.#members.pop()
    this.#places.delete(subscriber)
    return true
  }

  /** The subscriber has connected again. */
  back(subscriber: Subscriber): void {
    const at = this.#places.get(subscriber)
    if (at === undefined || at < this.#present) return
    this.#swap(at, this.#present++)
  }

  /** The group of those who may receive the topic; its turn begins with another member each time. */
  allowed(topic: string): ShareGroup {
    const group = new ShareGroup()
    for (const member of this.#members) if (member.mayReceive?.(topic) !== false) group.add(member)
    group.#next = this.#next++
    return group
  }

  /**
   * The member who gets the next message: in turn, those first that can be sent it at once, then those that are connected and
   * keep up, then those that have room for it. Undefined: nobody.
   */
  choose(message: Message): Subscription | undefined {
    const { qos } = message
    let first: Subscription | undefined
    let second: Subscription | undefined
    for (let tries = 0; tries < this.#present && tries < patience; ) {
      const at = this.#next % this.#present
      const member = this.#members[at]!
      if (!member.subscriber.connected) {
        this.#away(at)
        continue
      }
      this.#next = at + 1
      if (!member.subscriber.congested) {
        if (qos === 0 || member.qos === 0 || member.subscriber.ready) return member
        first ??= member
        if (tries >= patienceForReady) break
      }
      if (second === undefined && hasRoom(member, message)) second = member
      tries++
    }
    second = first ?? second
    if (second !== undefined) this.#next = this.#places.get(second.subscriber)! + 1
    return second ?? this.#anyone(message)
  }

  /** In turn, the next that has room; when many have none, one of them. */
  #anyone(message: Message): Subscription | undefined {
    const { length } = this.#members
    if (length === 0) return undefined
    for (let tries = Math.min(length, patience); tries > 0; tries--) {
      this.#nextAway = (this.#nextAway + 1) % length
      const member = this.#members[this.#nextAway]!
      if (hasRoom(member, message)) return member
    }
    return this.#members[this.#nextAway]
  }

  #away(at: number): void {
    this.#swap(at, --this.#present)
  }

  #swap(a: number, b: number): void {
    if (a === b) return
    const one = this.#members[a]!
    const two = this.#members[b]!
    this.#members[a] = two
    this.#members[b] = one
    this.#places.set(two.subscriber, a)
    this.#places.set(one.subscriber, b)
  }
}

/** At QoS 0 nothing waits. */
function hasRoom({ qos, subscriber }: Subscription, message: Message): boolean {
  return qos === 0 || message.qos === 0 || subscriber.hasRoom(message)
}
