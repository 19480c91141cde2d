// What a sequence of Changes makes, and the fewest Changes that make the same. It knows who keeps which message and not what
// is in it: who has the Changes in files reads them a second time for that.

import { copyOf } from "../packet/bytes.ts"
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
import { OpenWalks, type WalkBudget } from "../packet/open-walks.ts"
import type { Qos } from "../packet/packets.ts"
import { workingMemory } from "../packet/working-memory.ts"
import { RangeMap } from "./range-map.ts"

const settledAtOnce = 20_000
const ownersRemembered = 1000

/** A message on its way to a session: one that was not sent, and has nothing rare, is a number, see `waiting`. */
type KeptOrWaiting = Kept | number

interface Kept {
  /** 0: its message is not kept any more. */
  sequence: Sequence
  readonly qos: Qos
  readonly retain: boolean
  /** 0 until it was sent. */
  packetId: number
  /** Undefined for most. */
  readonly rare: Pick<Queued, "identifiers" | "share"> | undefined
}

/**
 * Most messages only wait, and there may be as many as the broker has room for: as objects they would take nearly what they take
 * there. Three bits, and above them the number of the message.
 */
function waiting(sequence: Sequence, qos: Qos, retain: boolean): number {
  return 8 * sequence + (retain ? 4 : 0) + qos
}

function opened(kept: KeptOrWaiting): Kept {
  if (typeof kept !== "number") return kept
  const low = kept % 8
  const qos = (low & 3) as Qos
  return { sequence: (kept - low) / 8, qos, retain: low >= 4, packetId: 0, rare: undefined }
}

/** There may be a hundred thousand, beside those of the broker: what one has none of takes no room. */
export interface SessionImage {
  owner: Owner
  expiryInterval: number
  /** Undefined while its client is connected. */
  endsAt: number | undefined
  /** In the order of their places. */
  kept: RangeMap<KeptOrWaiting> | undefined
  /** In the order in which PUBREC came. */
  released: Set<Place> | undefined
  /** By their filters. */
  subscriptions: Map<string, SubscriptionImage> | undefined
  received: Set<number> | undefined
  walks: OpenWalks | undefined
}

type SubscriptionImage = Pick<Subscribed, "qos" | "noLocal" | "retainAsPublished" | "identifier">

/** What changes a session that there is. */
export type OfSession = Exclude<
  Change,
  { readonly type: "message" | "retained" | "clock" | "will set" | "will cleared" | "opened" }
>

/** How much there is. */
export interface ImageCounts {
  readonly sessions: number
  readonly subscriptions: number
  readonly messages: number
  /** On their way to sessions. */
  readonly queued: number
  readonly retained: number
  readonly wills: number
  /** References to messages that are not there. */
  readonly missing: number
}

export class Image {
  /** In the order in which their clients left; those that are connected are anywhere. */
  readonly #sessions: Map<string, SessionImage> = new Map()
  readonly #retained: Map<string, Sequence> = new Map()
  readonly #wills: Map<string, WillSet> = new Map()
  /** How many keep a message; below 0: as many, and `takes` has said so. */
  readonly #holders: RangeMap<number> = new RangeMap()
  /** Those whose number of holders may be 0. */
  readonly #unheld: Sequence[] = []
  readonly #walkBudget: WalkBudget
  /** Owners of sessions: many have the same. */
  readonly #owners: Map<string, Owner> = new Map()
  #clock: Clock | undefined
  #missing = 0

  /** For a sequence that is used again after a restart: which of the messages with it counts. */
  readonly #again: Map<Sequence, number> = new Map()
  #highest: Sequence = 0
  /** Those that were applied, kept or not. */
  messagesSeen = 0
  #messagesReadAgain = 0

  /** @param walkPlaces places of walks that are remembered; see WorkingMemory */
  constructor(walkPlaces: number = workingMemory().walkPlaces) {
    this.#walkBudget = { left: walkPlaces }
  }

  apply(change: Change): void {
    switch (change.type) {
      case "message":
        this.#keep(change.sequence)
        return
      case "retained":
        this.#retain(change.topic, change.sequence)
        return
      case "clock":
        this.#clock = change
        return
      case "will set": {
        const { will } = change
        const own = { payload: copyOf(will.payload), properties: copyOf(will.properties) }
        this.#wills.set(change.clientId, { ...change, will: { ...will, ...own } })
        return
      }
      case "will cleared":
        this.#wills.delete(change.clientId)
        return
      case "opened": {
        const before = this.#sessions.get(change.clientId)
        if (before !== undefined) this.#end(change.clientId, before)
        const { clientId, expiryInterval } = change
        this.#sessions.set(clientId, newSession(this.#owner(change.owner), expiryInterval))
        return
      }
      default: {
        const session = this.#sessions.get(change.clientId)
        if (session !== undefined) this.#applyTo(session, change) // else it has ended
      }
    }
  }

  #applyTo(session: SessionImage, change: OfSession): void {
    switch (change.type) {
      case "queued":
        this.#queue(session, change)
        return
      case "sent": {
        const kept = session.kept?.get(change.place)
        if (kept === undefined) return
        const { packetId } = change
        if (typeof kept === "number") session.kept?.set(change.place, { ...opened(kept), packetId })
        else kept.packetId = packetId
        return
      }
      case "released": {
        const kept = session.kept?.get(change.place)
        session.released ??= new Set()
        if (kept === undefined || session.released.has(change.place)) return
        const { sequence, ...rest } = opened(kept)
        this.#letGo(sequence)
        session.kept?.set(change.place, { sequence: 0, ...rest })
        session.released.add(change.place)
        return
      }
      case "done": {
        const kept = session.kept?.get(change.place)
        if (kept === undefined) return
        this.#letGo(opened(kept).sequence)
        session.kept?.delete(change.place)
        session.released?.delete(change.place)
        return
      }
      case "attended":
        session.expiryInterval = change.expiryInterval
        session.endsAt = undefined
        return
      case "owned":
        session.owner = this.#owner(change.owner)
        return
      case "left":
        session.endsAt = change.endsAt
        this.#sessions.delete(change.clientId)
        this.#sessions.set(change.clientId, session)
        return
      case "ended":
        this.#end(change.clientId, session)
        return
      case "subscribed":
        session.subscriptions ??= new Map()
        session.subscriptions.set(change.filter, subscriptionOf(change))
        return
      case "unsubscribed":
        session.subscriptions?.delete(change.filter)
        session.walks?.end(change.filter)
        return
      case "received":
        session.received ??= new Set()
        session.received.add(change.packetId)
        return
      case "freed":
        session.received?.delete(change.packetId)
        return
      case "walk begun":
        session.walks ??= new OpenWalks(this.#walkBudget)
        session.walks.begin(change)
        return
      case "walk ended":
        session.walks?.end(change.filter)
    }
  }

  /** At the end of a turn: messages that nobody keeps are gone. False: it is to be called once more, as there are many. */
  settle(): boolean {
    for (let n = 0; n < settledAtOnce; n++) {
      const sequence = this.#unheld.pop()
      if (sequence === undefined) return true
      if (this.#holders.get(sequence) === 0) this.#forget(sequence)
    }
    return this.#unheld.length === 0
  }

  /**
   * Called for each message when all that was applied is read again in the same order: whether it is one of the fewest. It is
   * true once for each that is kept.
   */
  takes({ sequence }: MessageKept): boolean {
    const number = ++this.#messagesReadAgain
    const holders = this.#holders.get(sequence) ?? 0
    if (holders <= 0 || (this.#again.get(sequence) ?? number) !== number) return false
    this.#holders.set(sequence, -holders)
    return true
  }

  /**
   * The fewest Changes that make the same after the messages that `takes` has chosen. `last`: nobody asks again, and what has
   * been said goes, so that it is not there beside what somebody makes of it.
   */
  *changes({ last = false }: { readonly last?: boolean } = {}): Generator<Change, void, undefined> {
    for (const [topic, sequence] of this.#retained) {
      if (last) this.#retained.delete(topic)
      yield { type: "retained", topic, sequence }
    }
    for (const [clientId, session] of this.#sessions) {
      if (last) this.#sessions.delete(clientId)
      yield* changesOf(clientId, session)
    }
    yield* this.#wills.values()
    if (this.#clock !== undefined) yield this.#clock
  }

  counts(): ImageCounts {
    let [subscriptions, queued] = [0, 0]
    for (const session of this.#sessions.values()) {
      subscriptions += session.subscriptions?.size ?? 0
      queued += session.kept?.size ?? 0
    }
    const [messages, retained, wills] = [this.#holders.size, this.#retained.size, this.#wills.size]
    return { sessions: this.#sessions.size, subscriptions, messages, queued, retained, wills, missing: this.#missing }
  }

  /** What there is now, for who judges a Change before it is applied. */
  hasMessage(sequence: Sequence): boolean {
    return this.#holders.get(sequence) !== undefined
  }

  hasRetained(topic: string): boolean {
    return this.#retained.has(topic)
  }

  hasWill(clientId: string): boolean {
    return this.#wills.has(clientId)
  }

  sessionOf(clientId: string): SessionImage | undefined {
    return this.#sessions.get(clientId)
  }

  #keep(sequence: Sequence): void {
    this.messagesSeen++
    if (this.#holders.get(sequence) !== undefined) return
    if (sequence <= this.#highest) this.#again.set(sequence, this.messagesSeen)
    else this.#highest = sequence
    this.#holders.set(sequence, 0)
    this.#unheld.push(sequence)
  }

  #forget(sequence: Sequence): void {
    this.#holders.delete(sequence)
    this.#again.delete(sequence)
  }

  /** False when there is no such message. */
  #hold(sequence: Sequence): boolean {
    if (sequence === 0) return true
    const holders = this.#holders.get(sequence)
    if (holders === undefined) {
      this.#missing++
      return false
    }
    this.#holders.set(sequence, holders + 1)
    return true
  }

  #letGo(sequence: Sequence): void {
    const holders = this.#holders.get(sequence)
    if (holders === undefined) return
    this.#holders.set(sequence, holders - 1)
    if (holders === 1) this.#unheld.push(sequence)
  }

  #retain(topic: string, sequence: Sequence): void {
    const before = this.#retained.get(topic)
    const held = this.#hold(sequence)
    if (before !== undefined) this.#letGo(before)
    if (sequence === 0 || !held) this.#retained.delete(topic)
    else this.#retained.set(topic, sequence)
  }

  #queue(session: SessionImage, change: Queued): void {
    const { place, sequence, qos, retain, identifiers, share } = change
    session.walks?.queued(change)
    if (!this.#hold(sequence)) return
    session.kept ??= new RangeMap()
    const before = session.kept.get(place)
    if (before !== undefined) this.#letGo(opened(before).sequence)
    session.released?.delete(place)
    const plain = identifiers.length === 0 && share === undefined
    const kept = { sequence, qos, retain, packetId: 0, rare: { identifiers, share } }
    session.kept.set(place, plain ? waiting(sequence, qos, retain) : kept)
  }

  #end(clientId: string, session: SessionImage): void {
    for (const [, kept] of session.kept?.entries() ?? []) this.#letGo(opened(kept).sequence)
    session.walks?.clear()
    this.#sessions.delete(clientId)
  }

  #owner(owner: Owner): Owner {
    const name = `${owner.source} ${owner.ownRights ?? false} ${owner.user} ${owner.account}`
    const same = this.#owners.get(name)
    if (same !== undefined && sameOwner(same, owner)) return same
    if (this.#owners.size >= ownersRemembered) this.#owners.clear()
    this.#owners.set(name, owner)
    return owner
  }
}

function sameOwner(one: Owner, other: Owner): boolean {
  const { user, source, ownRights, account } = one
  return user === other.user && account === other.account && source === other.source && ownRights === other.ownRights
}

function newSession(owner: Owner, expiryInterval: number): SessionImage {
  return {
    ...{ owner, expiryInterval, endsAt: undefined, kept: undefined, released: undefined },
    ...{ subscriptions: undefined, received: undefined, walks: undefined },
  }
}

function subscriptionOf({ qos, noLocal, retainAsPublished, identifier }: Subscribed): SubscriptionImage {
  return { qos, noLocal, retainAsPublished, identifier }
}

function* changesOf(clientId: string, session: SessionImage): Generator<Change, void, undefined> {
  const { owner, expiryInterval, endsAt } = session
  yield { type: "opened", clientId, owner, expiryInterval }
  for (const [filter, subscription] of session.subscriptions ?? []) {
    yield { type: "subscribed", clientId, filter, ...subscription }
  }
  for (const packetId of session.received ?? []) yield { type: "received", clientId, packetId }
  for (const [place, kept] of session.kept?.entries() ?? []) {
    const { sequence, qos, retain, packetId, rare } = opened(kept)
    const { identifiers, share } = rare ?? usual
    yield { type: "queued", clientId, place, sequence, qos, retain, identifiers, share }
    if (packetId !== 0) yield { type: "sent", clientId, place, packetId }
  }
  // After what is queued: that is not of these.
  for (const walk of session.walks?.all() ?? []) yield { type: "walk begun", clientId, ...walk }
  for (const place of session.released ?? []) yield { type: "released", clientId, place }
  if (endsAt !== undefined) yield { type: "left", clientId, endsAt }
}

const usual: Pick<Queued, "identifiers" | "share"> = { identifiers: [], share: undefined }
