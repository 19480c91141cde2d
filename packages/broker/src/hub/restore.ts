// A restart: from the Changes that a store has kept, what there was. It is the loss of every connection.

import { shorten } from "../client/refusals.ts"
import type {
  Change,
  Clock,
  MessageKept,
  Owner,
  Place,
  Queued,
  Sequence,
  Subscribed,
  WillSet,
} from "../packet/change.ts"
import { PacketError } from "../packet/errors.ts"
import { Message } from "../packet/message.ts"
import { OpenWalks, walkBudget } from "../packet/open-walks.ts"
import type { TopicTable } from "../packet/topic.ts"
import type { Faults } from "../session/faults.ts"
import type { RestoredMessage, Session } from "../session/session.ts"
import type { RetainedMessages } from "./retained.ts"
import type { Sessions } from "./sessions.ts"
import type { Subscriptions } from "./subscriptions.ts"
import type { Wills } from "./wills.ts"

/** What a restart needs of the hub. */
export interface RestorationNeeds {
  readonly faults: Faults
  readonly topics: TopicTable
  readonly sessions: Sessions
  readonly subscriptions: Subscriptions
  readonly retained: RetainedMessages
  readonly wills: Wills
}

interface Waiting {
  readonly queued: Queued
  packetId: number
  released: boolean
}

interface Kept {
  readonly owner: Owner
  /** Seconds. */
  expiryInterval: number
  /** Undefined: its client was connected. */
  endsAt: number | undefined
  readonly subscriptions: Map<string, Subscribed>
  readonly waiting: Map<Place, Waiting>
  readonly received: Set<number>
  readonly walks: OpenWalks
}

export class Restoration {
  readonly #needs: RestorationNeeds
  readonly #kept: Map<Sequence, MessageKept> = new Map()
  readonly #sessions: Map<string, Kept> = new Map()
  readonly #retained: Map<string, Sequence> = new Map()
  readonly #wills: Map<string, WillSet> = new Map()
  readonly #walkBudget = walkBudget()
  /** The last sign of life. */
  clock: Clock | undefined
  /** The last number of a message. */
  sequence: Sequence = 0

  constructor(needs: RestorationNeeds) {
    this.#needs = needs
  }

  visit(change: Change): void {
    switch (change.type) {
      case "message":
        this.#kept.set(change.sequence, change)
        this.sequence = Math.max(this.sequence, change.sequence)
        return
      case "retained":
        if (change.sequence === 0) this.#retained.delete(change.topic)
        else this.#retained.set(change.topic, change.sequence)
        return
      case "will set":
        this.#wills.set(change.clientId, change)
        return
      case "will cleared":
        this.#wills.delete(change.clientId)
        return
      case "clock":
        if (change.now >= (this.clock?.now ?? 0)) this.clock = change
        return
      case "opened": {
        const { owner, expiryInterval } = change
        const [subscriptions, waiting, received] = [new Map(), new Map(), new Set<number>()]
        this.#sessions.get(change.clientId)?.walks.clear()
        const walks = new OpenWalks(this.#walkBudget)
        const kept = { owner, expiryInterval, endsAt: undefined, subscriptions, waiting, received, walks }
        this.#sessions.set(change.clientId, kept)
        return
      }
      case "ended":
        this.#sessions.get(change.clientId)?.walks.clear()
        this.#sessions.delete(change.clientId)
        return
    }
    const session = this.#sessions.get(change.clientId)
    if (session !== undefined) visitSession(session, change)
    // What comes after the restart is later than what is owed.
    if (change.type === "walk begun") this.sequence = Math.max(this.sequence, change.before)
  }

  /** Why not all of it can be made: limits may be others than when it was kept. */
  get problem(): string | undefined {
    const topics = [...this.#kept.values(), ...[...this.#wills.values()].map(({ will }) => will)]
    for (const { topic } of topics) {
      try {
        this.#needs.topics.of(topic)
      } catch (error) {
        if (!(error instanceof PacketError)) throw error
        const remedy = "raise maximumTopicLevels if that is why, or take it out of what `puremq store export` writes"
        return `a message in the store cannot be taken: ${error.message}: ${shorten(topic)}; ${remedy}`
      }
    }
    return undefined
  }

  /** Makes everything. `now` is the time of the restart. */
  finish(now: number): void {
    const messages = new Map<Sequence, Message>()
    for (const [topic, sequence] of this.#retained) {
      const message = this.#message(messages, sequence)
      if (message !== undefined && !message.expired(now)) this.#retain(message, this.#kept.get(sequence)?.account)
      else this.#needs.retained.lost(topic)
    }
    // What nobody has seen go has gone with the last sign of life.
    const lostAt = Math.min(now, this.clock?.now ?? now)
    for (const [clientId, kept] of this.#sessions) {
      this.#needs.faults.attempt(() => this.#restore(clientId, kept, messages, lostAt), { clientId })
    }
    for (const [clientId, will] of this.#wills) {
      this.#needs.faults.attempt(() => this.#needs.wills.restore(will, this.#needs.sessions.get(clientId), lostAt, now))
    }
  }

  #retain(message: Message, account: string | undefined): void {
    const { retained, sessions } = this.#needs
    retained.restore(message, account === undefined ? undefined : sessions.account(account))
  }

  #restore(clientId: string, kept: Kept, messages: Map<Sequence, Message>, lostAt: number): void {
    const { retained, sessions, subscriptions } = this.#needs
    const { owner, expiryInterval } = kept
    const session: Session = sessions.restore(clientId, owner, expiryInterval)
    for (const subscribed of kept.subscriptions.values()) subscriptions.restore(session, subscribed)
    const waiting: RestoredMessage[] = []
    const inOrder = [...kept.waiting.values()].sort((a, b) => a.queued.place - b.queued.place)
    for (const { queued, packetId, released } of inOrder) {
      const message = released ? undefined : this.#message(messages, queued.sequence)
      if (message !== undefined || packetId > 0) waiting.push({ queued, message, packetId })
    }
    session.restore(waiting, kept.received)
    for (const walk of kept.walks.all()) retained.oweOn(session, walk)
    sessions.absentSince(session, kept.endsAt, lostAt)
  }

  #message(made: Map<Sequence, Message>, sequence: Sequence): Message | undefined {
    const known = made.get(sequence)
    if (known !== undefined) return known
    const kept = this.#kept.get(sequence)
    if (kept === undefined) return undefined
    const { topic, payload, qos, retain, properties, expiresAt } = kept
    const message = Message.of(this.#needs.topics.of(topic), payload, qos, retain, properties, expiresAt)
    message.sequence = sequence
    made.set(sequence, message)
    return message
  }
}

type OfSession = Exclude<
  Change,
  { type: "message" | "retained" | "will set" | "will cleared" | "clock" | "opened" | "ended" }
>

function visitSession(session: Kept, change: OfSession): void {
  switch (change.type) {
    case "attended":
      session.endsAt = undefined
      session.expiryInterval = change.expiryInterval
      return
    case "left":
      session.endsAt = change.endsAt
      return
    case "subscribed":
      session.subscriptions.set(change.filter, change)
      return
    case "unsubscribed":
      session.subscriptions.delete(change.filter)
      session.walks.end(change.filter)
      return
    case "walk begun":
      session.walks.begin(change)
      return
    case "walk ended":
      session.walks.end(change.filter)
      return
    case "queued":
      session.walks.queued(change)
      session.waiting.set(change.place, { queued: change, packetId: 0, released: false })
      return
    case "sent": {
      const waiting = session.waiting.get(change.place)
      if (waiting !== undefined) waiting.packetId = change.packetId
      return
    }
    case "released": {
      const waiting = session.waiting.get(change.place)
      if (waiting !== undefined) waiting.released = true
      return
    }
    case "done":
      session.waiting.delete(change.place)
      return
    case "received":
      session.received.add(change.packetId)
      return
    case "freed":
      session.received.delete(change.packetId)
      return
  }
}
