// What the servers have of one session, as the node that serves it knows it: what its Changes have come to, without what is kept
// as a message of its own. A message that waits is not in it, only how far the session was served.

import type {
  Change,
  MessageKept,
  Owner,
  Place,
  Position,
  Queued,
  Sequence,
  Subscribed,
  WillSet,
} from "../packet/change.ts"

import { keyOf, type Marks, type OfferNumber } from "./group-record.ts"

/** A message that a session has been sent, or has to be sent and is nowhere else. */
export interface Waiting {
  readonly queued: Queued
  /** Where it is; or itself, where it is in no partition, as what is sent of a retained message. */
  readonly content: Position | MessageKept
  packetId: number
  released: boolean
  /** The servers know of it. */
  written: boolean
}

/** What a session was given of a group at QoS 2. */
export interface SharedTaken {
  /** The last offer to it. What comes later and has a smaller number is of an owner that is none any more, say. */
  last: OfferNumber
  /** Whatever has become of them: until the group's record says that they are done. */
  readonly keys: Set<string>
}

/** Sequences in what is written: those from here on are positions, by partition; and, behind all of these, positions aside. */
const positions = 2 ** 44
const mostPartitions = 64

export function positionNumber({ partition, sequence, aside }: Position): Sequence {
  return (partition + 1 + (aside === true ? mostPartitions : 0)) * positions + sequence
}

export function positionOf(number: Sequence): Position | undefined {
  if (number < positions) return undefined
  const [place, sequence] = [Math.floor(number / positions) - 1, number % positions]
  if (place < mostPartitions) return { partition: place, sequence }
  return { partition: place - mostPartitions, sequence, aside: true }
}

export class SessionImage {
  readonly clientId: string
  owner: Owner | undefined
  /** Seconds. */
  expiryInterval = 0
  /** Milliseconds since 1970; undefined: its client is connected. */
  endsAt: number | undefined
  will: WillSet | undefined
  readonly subscriptions: Map<string, Subscribed> = new Map()
  /** By filter: it has nothing of what came up to these. */
  readonly since: Map<string, readonly number[]> = new Map()
  /** By partition: it was sent, or does not get, what came up to these. */
  readonly through: number[]
  readonly waiting: Map<Place, Waiting> = new Map()
  readonly received: Set<number> = new Set()
  /** By Shared Subscription. */
  readonly taken: Map<string, SharedTaken> = new Map()

  constructor(clientId: string, partitions: number) {
    this.clientId = clientId
    this.through = new Array<number>(partitions).fill(0)
  }

  /** There is a session. */
  get exists(): boolean {
    return this.owner !== undefined
  }

  /** Somebody has to see to it: its client is connected, or its will waits. */
  get attended(): boolean {
    return (this.exists && this.endsAt === undefined) || this.will !== undefined
  }

  /** It ends with its connection: nobody needs to know what it was sent. */
  get passing(): boolean {
    return this.expiryInterval === 0
  }

  /** One that refers to a message is told by `wait`. */
  apply(change: Change): void {
    switch (change.type) {
      case "opened":
        this.end()
        this.owner = change.owner
        this.expiryInterval = change.expiryInterval
        return
      case "owned":
        this.owner = change.owner
        return
      case "attended":
        this.endsAt = undefined
        this.expiryInterval = change.expiryInterval
        return
      case "left":
        this.endsAt = change.endsAt
        return
      case "ended":
        this.end()
        return
      case "subscribed":
        this.subscriptions.set(change.filter, change)
        return
      case "unsubscribed":
        this.subscriptions.delete(change.filter)
        if (this.taken.get(change.filter)?.keys.size === 0) this.taken.delete(change.filter)
        this.since.delete(change.filter)
        return
      case "received":
        this.received.add(change.packetId)
        return
      case "freed":
        this.received.delete(change.packetId)
        return
      case "will set":
        this.will = change
        return
      case "will cleared":
        this.will = undefined
        return
      case "sent": {
        const waiting = this.waiting.get(change.place)
        if (waiting !== undefined) waiting.packetId = change.packetId
        return
      }
      case "released": {
        const waiting = this.waiting.get(change.place)
        if (waiting !== undefined) waiting.released = true
        return
      }
      case "done":
        this.waiting.delete(change.place)
        return
    }
  }

  wait(queued: Queued, content: Position | MessageKept, written: boolean): void {
    this.waiting.set(queued.place, { queued, content, packetId: 0, released: false, written })
  }

  take(share: string, { partition, sequence }: Position): void {
    this.#takenOf(share).keys.add(keyOf(partition, sequence))
  }

  #takenOf(share: string): SharedTaken {
    let taken = this.taken.get(share)
    if (taken === undefined) {
      taken = { last: [0, 0], keys: new Set() }
      this.taken.set(share, taken)
    }
    return taken
  }

  /** It is offered something: false when that is late. Of what it has taken this is done for good. */
  admits(share: string, number: OfferNumber, { but, through }: Marks): boolean {
    const taken = this.#takenOf(share)
    const [claim, offer] = taken.last
    if (number[0] < claim || (number[0] === claim && number[1] <= offer)) return false
    taken.last = number
    const open = new Set(but.map((place) => keyOf(...place)))
    for (const key of taken.keys) {
      const [partition = 0, sequence = 0] = key.split(":").map(Number)
      if (sequence <= (through[partition] ?? 0) && !open.has(key)) taken.keys.delete(key)
    }
    return true
  }

  /** It has taken something that it may be offered again. */
  get hasTaken(): boolean {
    for (const { keys } of this.taken.values()) if (keys.size > 0) return true
    return false
  }

  /** It has been sent this one, and with it all that came before. */
  served({ partition, sequence, aside }: Position): void {
    if (aside === true) return
    this.through[partition] = Math.max(this.through[partition] ?? 0, sequence)
  }

  /** Nothing of it is left, but its will, which is published when it ends, and said to be then. */
  end(): void {
    this.owner = undefined
    this.expiryInterval = 0
    this.endsAt = undefined
    this.subscriptions.clear()
    this.since.clear()
    this.through.fill(0)
    this.waiting.clear()
    this.received.clear()
    // What it has taken it had taken.
  }

  /**
   * The fewest Changes that make it, with numbers of its own. What was not sent and is kept elsewhere is not among them.
   * @param withContents false: nor is what is kept nowhere else
   */
  changes(withContents = true): Change[] {
    const { clientId, owner, expiryInterval, endsAt, will } = this
    if (owner === undefined) return will === undefined ? [] : [will]
    const changes: Change[] = [{ type: "opened", clientId, owner, expiryInterval }]
    changes.push(...this.subscriptions.values())
    for (const packetId of this.received) changes.push({ type: "received", clientId, packetId })
    let number = 0
    for (const [place, { queued, content, packetId, released }] of this.waiting) {
      if ("type" in content) {
        if (!withContents && !released) continue
        number++
        if (!released) changes.push({ ...content, sequence: number })
        changes.push({ ...queued, sequence: released ? 0 : number })
      } else if (packetId > 0 || queued.share !== undefined)
        changes.push({ ...queued, sequence: positionNumber(content) })
      else continue
      if (packetId > 0) changes.push({ type: "sent", clientId, place, packetId })
      if (released) changes.push({ type: "released", clientId, place })
    }
    if (will !== undefined) changes.push(will)
    if (endsAt !== undefined) changes.push({ type: "left", clientId, endsAt })
    return changes
  }
}
