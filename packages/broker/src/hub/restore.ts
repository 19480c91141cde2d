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
import { OpenWalks, type WalkBudget } from "../packet/open-walks.ts"
import type { Topic, TopicTable } from "../packet/topic.ts"
import type { Faults } from "../session/faults.ts"
import type { RestoredMessage } from "../session/sender.ts"
import type { Session } from "../session/session.ts"
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
  /** Places of walks that are remembered; see WorkingMemory. */
  readonly walkPlaces: number
  /** Messages go by the numbers that they come with; default true. */
  readonly ownNumbers?: boolean | undefined
}

interface Waiting {
  readonly queued: Queued
  packetId: number
  released: boolean
}

/** There may be a hundred thousand, beside what is made of them: what one has none of takes no room. */
interface Kept {
  owner: Owner
  /** Seconds. */
  expiryInterval: number
  /** Undefined: its client was connected. */
  endsAt: number | undefined
  subscriptions: Map<string, Subscribed> | undefined
  waiting: Map<Place, Waiting> | undefined
  received: Set<number> | undefined
  walks: OpenWalks | undefined
}

export class Restoration {
  readonly #needs: RestorationNeeds
  readonly #messages: Map<Sequence, Message> = new Map()
  /** Messages of a topic share it. */
  readonly #topics: Map<string, Topic> = new Map()
  /** Of retained messages, where they are somebody's. */
  readonly #accounts: Map<Sequence, string> = new Map()
  readonly #sessions: Map<string, Kept> = new Map()
  readonly #retained: Map<string, Sequence> = new Map()
  readonly #wills: Map<string, WillSet> = new Map()
  readonly #walkBudget: WalkBudget
  /** The last sign of life. */
  clock: Clock | undefined
  /** The last number of a message. */
  sequence: Sequence = 0
  /** Why not all of it can be made: limits may be others than when it was kept. */
  problem: string | undefined

  constructor(needs: RestorationNeeds) {
    this.#needs = needs
    this.#walkBudget = { left: needs.walkPlaces }
  }

  visit(change: Change): void {
    switch (change.type) {
      case "message":
        this.#keep(change)
        this.sequence = Math.max(this.sequence, change.sequence)
        return
      case "retained":
        if (change.sequence === 0) this.#retained.delete(change.topic)
        else this.#retained.set(change.topic, change.sequence)
        return
      case "will set":
        this.#topicOf(change.will.topic)
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
        this.#sessions.get(change.clientId)?.walks?.clear()
        const nothing = { subscriptions: undefined, waiting: undefined, received: undefined, walks: undefined }
        const kept = { owner, expiryInterval, endsAt: undefined, ...nothing }
        this.#sessions.set(change.clientId, kept)
        return
      }
      case "ended":
        this.#sessions.get(change.clientId)?.walks?.clear()
        this.#sessions.delete(change.clientId)
        return
    }
    const session = this.#sessions.get(change.clientId)
    if (session !== undefined) visitSession(session, change, this.#walkBudget)
    // What comes after the restart is later than what is owed.
    if (change.type === "walk begun") this.sequence = Math.max(this.sequence, change.before)
  }

  #keep({ sequence, topic: name, payload, qos, retain, properties, expiresAt, account, position }: MessageKept): void {
    const topic = this.#topicOf(name)
    if (topic === undefined) return
    const message = Message.of(topic, payload, qos, retain, properties, expiresAt)
    // Numbers of another node's are not ours: whoever says the message here gives it one.
    message.sequence = this.#needs.ownNumbers === false ? 0 : sequence
    message.position = position
    this.#messages.set(sequence, message)
    if (account !== undefined) this.#accounts.set(sequence, account)
  }

  #topicOf(name: string): Topic | undefined {
    const known = this.#topics.get(name)
    if (known !== undefined) return known
    try {
      const topic = this.#needs.topics.of(name)
      this.#topics.set(name, topic)
      return topic
    } catch (error) {
      if (!(error instanceof PacketError)) throw error
      const remedy = "raise maximumTopicLevels if that is why, or take it out of what `puremq store export` writes"
      this.problem ??= `a message in the store cannot be taken: ${error.message}: ${shorten(name)}; ${remedy}`
      return undefined
    }
  }

  /** Makes everything. `now` is the time of the restart. */
  finish(now: number): void {
    for (const [topic, sequence] of drained(this.#retained)) {
      const message = this.#messages.get(sequence)
      if (message !== undefined && !message.expired(now)) this.#retain(message, this.#accounts.get(sequence))
      else this.#needs.retained.lost(topic)
    }
    // What nobody has seen go may have been there until the next sign of life: [MQTT-3.1.2-23] its interval may not be shorter.
    const lostAt = Math.min(now, this.clock?.until ?? now)
    for (const [clientId, kept] of drained(this.#sessions)) {
      this.#needs.faults.attempt(() => this.#restore(clientId, kept, lostAt), { clientId })
    }
    for (const [clientId, will] of this.#wills) {
      this.#needs.faults.attempt(() => this.#needs.wills.restore(will, this.#needs.sessions.get(clientId), lostAt, now))
    }
  }

  #retain(message: Message, account: string | undefined): void {
    const { retained, sessions } = this.#needs
    retained.restore(message, account === undefined ? undefined : sessions.account(account))
  }

  #restore(clientId: string, kept: Kept, lostAt: number): void {
    const { retained, sessions, subscriptions } = this.#needs
    const { owner, expiryInterval } = kept
    const session: Session = sessions.restore(clientId, owner, expiryInterval)
    for (const subscribed of kept.subscriptions?.values() ?? []) subscriptions.restore(session, subscribed)
    const waiting: RestoredMessage[] = []
    const inOrder = [...(kept.waiting?.values() ?? [])].sort((a, b) => a.queued.place - b.queued.place)
    for (const { queued, packetId, released } of inOrder) {
      const message = released ? undefined : this.#messages.get(queued.sequence)
      if (message !== undefined || packetId > 0) waiting.push({ queued, message, packetId })
    }
    session.restore(waiting, kept.received ?? [])
    for (const walk of kept.walks?.all() ?? []) retained.oweOn(session, walk)
    sessions.absentSince(session, kept.endsAt, lostAt)
  }
}

/** Each of them, which is not there any more then: nothing is there beside what is made of it. */
function* drained<Key, Value>(map: Map<Key, Value>): Generator<[Key, Value], void, undefined> {
  for (const entry of map) {
    map.delete(entry[0])
    yield entry
  }
}

type OfSession = Exclude<
  Change,
  { type: "message" | "retained" | "will set" | "will cleared" | "clock" | "opened" | "ended" }
>

function visitSession(session: Kept, change: OfSession, budget: WalkBudget): void {
  switch (change.type) {
    case "attended":
      session.endsAt = undefined
      session.expiryInterval = change.expiryInterval
      return
    case "owned":
      session.owner = change.owner
      return
    case "left":
      session.endsAt = change.endsAt
      return
    case "subscribed":
      session.subscriptions ??= new Map()
      session.subscriptions.set(change.filter, change)
      return
    case "unsubscribed":
      session.subscriptions?.delete(change.filter)
      session.walks?.end(change.filter)
      return
    case "walk begun":
      session.walks ??= new OpenWalks(budget)
      session.walks.begin(change)
      return
    case "walk ended":
      session.walks?.end(change.filter)
      return
    case "queued":
      session.walks?.queued(change)
      session.waiting ??= new Map()
      session.waiting.set(change.place, { queued: change, packetId: 0, released: false })
      return
    case "sent": {
      const waiting = session.waiting?.get(change.place)
      if (waiting !== undefined) waiting.packetId = change.packetId
      return
    }
    case "released": {
      const waiting = session.waiting?.get(change.place)
      if (waiting !== undefined) waiting.released = true
      return
    }
    case "done":
      session.waiting?.delete(change.place)
      return
    case "received":
      session.received ??= new Set()
      session.received.add(change.packetId)
      return
    case "freed":
      session.received?.delete(change.packetId)
      return
  }
}
