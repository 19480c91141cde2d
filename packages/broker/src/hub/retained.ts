// Retained messages (MQTT 5.0 section 3.3.1.3): what is kept, and what new subscriptions are owed of it.

import type { Connection } from "../client/connection.ts"
import type { WalkBegun } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import { RetainedTree } from "../routing/retained-tree.ts"
import type { Subscription } from "../routing/subscription.ts"
import type { Counters } from "../session/counters.ts"
import type { Limits } from "../session/limits.ts"
import { type Account, fitsShare } from "../session/memory.ts"
import type { Recorder } from "../session/recorder.ts"
import { walkTurn } from "../session/retained-walks.ts"
import type { Session } from "../session/session.ts"
import { Expiries } from "./expiries.ts"
import type { Roster } from "./roster.ts"

/** What retained messages need of the hub. */
export interface RetainedNeeds {
  readonly limits: Limits
  readonly counters: Counters
  readonly recorder: Recorder
  readonly roster: Roster | undefined
  /** Whether so many more bytes fit beside all that is kept. */
  readonly fitsAll: (bytes: number) => boolean
  /** The boundary around one connection's work. */
  readonly bound: (connection: Connection, now: number, work: () => void) => void
}

/** Milliseconds after which what has not come back may not be there. */
const goingPatience = 30_000

/** The broker's own topics, such as $SYS: it says them anew after a restart. */
export function isOwn(topic: string): boolean {
  return topic.startsWith("$")
}

export class RetainedMessages {
  readonly tree: RetainedTree = new RetainedTree()
  readonly #expiries = new Expiries((topic) => this.tree.get(topic)?.expiresAt)
  readonly #needs: RetainedNeeds
  /** Connections with retained messages to send, those first that have waited longest. */
  readonly #walking: Set<Connection> = new Set()
  #served: Connection[] = []
  /** In a cluster: topics that this node has published, and that have not come back; and until when they are waited for, in milliseconds. */
  readonly #going: Map<string, number> = new Map()

  constructor(needs: RetainedNeeds) {
    this.#needs = needs
  }

  /** False, and counted, when there is no room for it. @param setter none: it is the broker's own */
  keep(message: Message, setter: Session | undefined): boolean {
    const { tree } = this
    const account = setter?.account
    const { limits, counters, recorder, fitsAll } = this.#needs
    // [MQTT-3.3.1-6], [MQTT-3.3.1-7] an empty payload removes and is not stored
    if (message.payloadEnd === message.payloadStart) {
      this.forget(message.topic.name)
      return true
    }
    // A client's at another QoS was refused before, and a will at another has been given room.
    const asks = message.qos === 0 || setter === undefined
    if ((recorder.broken || (asks && !recorder.takes(2 * message.size))) && !isOwn(message.topic.name)) {
      counters.retainedRefused++
      return false
    }
    const before = { ...account }
    const { size } = tree
    // [MQTT-3.3.1-5]
    const kept = tree.set(message.own(), account, () => {
      const left = limits.maximumRetainedBytes - tree.bytes
      if (left < 0 || tree.size > limits.maximumRetainedMessages || !fitsAll(0)) return false
      return account === undefined || (fitsShare(account.retained, 0, left) && this.#withinQuota(account, before))
    })
    if (!kept) {
      counters.retainedRefused++
      return false
    }
    this.#kept(message, size)
    if (isOwn(message.topic.name)) return true
    const sequence = recorder.keep(message, setter?.owner.account)
    const entry = tree.get(message.topic.name)
    if (entry !== undefined) entry.sequence = sequence
    recorder.record({ type: "retained", topic: message.topic.name, sequence })
    return true
  }

  /** Who has more than he may, as he might have more once, has no more of it than before. */
  #withinQuota(account: Account, { retainedMessages = 0, retainedSize = 0 }: Partial<Account>): boolean {
    const { maximumRetainedMessagesPerOwner: most, maximumRetainedBytesPerOwner: mostBytes } = this.#needs.limits
    const messages = most === 0 || account.retainedMessages <= Math.max(most, retainedMessages)
    return messages && (mostBytes === 0 || account.retainedSize <= Math.max(mostBytes, retainedSize))
  }

  /** From before a restart. @param account of who has set it */
  restore(message: Message, account: Account | undefined): void {
    const { size } = this.tree
    this.tree.set(message, account)
    this.#kept(message, size)
  }

  /**
   * In a cluster: false, and counted, when there are as many as there may be, with those that this node has just published. What takes
   * the place of another, or takes it away, goes.
   */
  mayGo({ payloadEnd, payloadStart, topic: { name } }: Message, now: number): boolean {
    const { counters, limits } = this.#needs
    const { tree } = this
    for (const [topic, until] of this.#going) {
      if (now < until) break
      this.#going.delete(topic)
    }
    if (payloadEnd === payloadStart || tree.get(name) !== undefined || this.#going.has(name)) return true
    if (tree.size + this.#going.size >= limits.maximumRetainedMessages || tree.bytes > limits.maximumRetainedBytes) {
      counters.retainedRefused++
      return false
    }
    this.#going.set(name, now + goingPatience)
    return true
  }

  /** In a cluster, which keeps them: the last message of a topic, or none, where it is empty or has expired. */
  mirror(message: Message, now: number): void {
    const { limits, counters, fitsAll } = this.#needs
    const { tree } = this
    const topic = message.topic.name
    this.#going.delete(topic)
    if (message.payloadEnd === message.payloadStart || message.expired(now)) {
      if (tree.delete(topic)) this.#needs.roster?.forgotten(topic)
      return
    }
    const { size } = tree
    const kept = tree.set(message.own(), undefined, () => {
      return tree.bytes <= limits.maximumRetainedBytes && tree.size <= limits.maximumRetainedMessages && fitsAll(0)
    })
    if (kept) this.#kept(message, size)
    else {
      counters.retainedRefused++
      if (tree.delete(topic)) this.#needs.roster?.forgotten(topic) // rather none than an old one (section 3.3.1.3)
    }
  }

  /** @param before how many there were */
  #kept({ topic, expiresAt }: Message, before: number): void {
    if (this.tree.size > before) this.#needs.roster?.kept(topic.name)
    if (expiresAt !== Number.POSITIVE_INFINITY) this.#expiries.add(topic.name, expiresAt, this.tree.expiring)
  }

  /** Takes away what has expired (section 3.3.2.3.3), in steps. */
  *expire(now: number): Generator<number, void, undefined> {
    for (let topic = this.#expiries.take(now); topic !== undefined; topic = this.#expiries.take(now)) {
      if (this.tree.get(topic)?.expired(now) === true) this.forget(topic)
      yield 1
    }
  }

  /** There was one before a restart, and it has expired. */
  lost(topic: string): void {
    this.#needs.recorder.record({ type: "retained", topic, sequence: 0 })
  }

  /** The topic has none any more. */
  forget(topic: string): void {
    if (!this.tree.delete(topic)) return
    this.#needs.roster?.forgotten(topic)
    if (!isOwn(topic)) this.#needs.recorder.record({ type: "retained", topic, sequence: 0 })
  }

  /** What there is now is owed to this subscription. */
  owe(session: Session, subscription: Subscription): void {
    session.owe(subscription, this.tree.walk(subscription.filter.path), this.#needs.recorder.said)
  }

  /** From before a restart: what of that has not come. At QoS 0 nobody knows what has. */
  oweOn(session: Session, { filter, before, sent }: Pick<WalkBegun, "filter" | "before" | "sent">): void {
    const subscription = session.subscriptions.get(filter)
    if (subscription === undefined || subscription.qos === 0) {
      session.record({ type: "walk ended", clientId: session.clientId, filter })
      return
    }
    const come = Float64Array.from(sent).sort()
    const wanted = ({ qos, sequence }: Message) => qos > 0 && sequence > 0 && sequence <= before && !has(come, sequence)
    session.retained.add(subscription, this.tree.walk(subscription.filter.path, wanted), true)
  }

  /** This connection's session goes on being sent what it is owed. */
  soon(connection: Connection): void {
    this.#walking.add(connection)
  }

  closed(connection: Connection): void {
    this.#walking.delete(connection)
  }

  /** True when somebody has something to be sent. */
  get due(): boolean {
    return this.#walking.size > 0
  }

  /** One turn's share, evenly for those who wait. */
  send(now: number): void {
    this.#served = []
    if (this.#walking.size === 0) return
    try {
      this.#sendEach(now)
    } catch (error) {
      this.#blame(error, now)
    }
  }

  /** To be called when the output of `send` has been taken: who is not done goes behind the others. */
  again(): void {
    for (const connection of this.#served) if (connection.session?.retainedDue === true) this.#walking.add(connection)
    this.#served = []
  }

  #sendEach(now: number): void {
    const left = { ...walkTurn }
    const each = Math.max(16, Math.floor(walkTurn.messages / this.#walking.size))
    for (const connection of this.#walking) {
      if (left.steps <= 0 || left.messages <= 0 || left.bytes <= 0) break
      this.#walking.delete(connection)
      this.#served.push(connection)
      const messages = Math.min(left.messages, each)
      const slice = { steps: Math.min(left.steps, each * 4), messages, bytes: left.bytes }
      left.steps -= slice.steps
      left.messages -= slice.messages
      left.bytes -= slice.bytes
      this.#needs.bound(connection, now, () => {
        connection.session?.sendRetained(slice, now, (message) => this.forget(message.topic.name))
      })
      left.steps += slice.steps
      left.messages += slice.messages
      left.bytes += slice.bytes
    }
  }

  /** Ends the connection whose turn it was: the last that was served, or the first that waits. */
  #blame(error: unknown, now: number): void {
    const connection = this.#served.pop() ?? [...this.#walking][0]
    if (connection === undefined) return
    this.#walking.delete(connection)
    connection.fault(error, now)
  }
}

/** Whether the number is one of these, which are in their order. */
function has(numbers: Float64Array, wanted: number): boolean {
  let [low, high] = [0, numbers.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < wanted) low = middle + 1
    else high = middle
  }
  return numbers[low] === wanted
}
