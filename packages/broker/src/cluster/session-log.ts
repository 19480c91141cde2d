// One session that this node serves: its Changes as they go to its subject, each append expecting the one before to be the last.
// So a node that has lost a session commits nothing of it any more.

import type { Change, MessageKept, Position, Queued, Sequence, Subscribed } from "../packet/change.ts"
import { positionNumber, type SessionImage } from "./session-image.ts"
import { headOf, type RecordHead, type SessionRecords } from "./session-record.ts"
import type { Append, StreamMessage, StreamSequence } from "./streams.ts"

/** Records after which a snapshot takes their place, and bytes of them. */
const mostRecords = 64
const mostBytes = 65_536

/** Of a record's bytes, what filters may take, and a will; the rest is for what is under way. */
export const filterPart: number = 3 / 4
export const willPart: number = 1 / 8

/** Seconds for which the subject of a session that has ended says so. */
const endedLifetime = 60

/** The same when it has taken messages of Shared Subscriptions that may be offered to it again. */
const takenLifetime = 86_400

/** Seconds; a session that does not expire is kept for ever. */
const never = 0xffff_ffff

export interface SessionLogNeeds {
  readonly node: string
  readonly records: SessionRecords
  /** Bytes of a record at most. */
  readonly largest: () => number
  /** By partition, the last that is known of: a new subscription has nothing that came up to it. */
  readonly known: () => readonly number[]
  /** The message with this number, as this node says it. */
  readonly message: (sequence: Sequence) => MessageKept | undefined
}

export class SessionLog {
  readonly image: SessionImage
  readonly subject: string
  readonly partition: number
  /** Which claim it is by. */
  readonly claim: number
  /** The snapshot with which it became this node's: of a session's claims the later is the greater. 0: not yet. */
  claimedAt: StreamSequence = 0
  /** The last message of the subject. */
  fence: StreamSequence
  /** Somebody else has it: nothing of it goes anywhere. */
  lost = false
  /** When the servers were asked for what has shown last that it is this node's, and after how many doubts; see Ownership. */
  shownAt: number = Number.NEGATIVE_INFINITY
  shownAfter = -1
  /** When they have shown it first. */
  hadFrom: number | undefined = undefined
  /** Another node wants it, and takes it when it has waited for long. */
  wanted = false
  /** It is more than the servers take, which nobody can do anything about. */
  tooLarge = false
  readonly #needs: SessionLogNeeds
  #records = 0
  /** This turn has something of a Shared Subscription that is to be remembered. */
  #took = false
  #bytes = 0

  constructor(
    needs: SessionLogNeeds,
    image: SessionImage,
    place: {
      readonly subject: string
      readonly partition: number
      readonly claim: number
      readonly fence: StreamSequence
    },
  ) {
    this.#needs = needs
    this.image = image
    this.subject = place.subject
    this.partition = place.partition
    this.claim = place.claim
    this.fence = place.fence
  }

  /** The last message on the subject is this one, which has been appended. */
  appended(sequence: StreamSequence): void {
    this.fence = sequence
  }

  /** Whether this record is this node's, by this claim. */
  wrote({ data }: StreamMessage): boolean {
    const head = headOf(data)
    return typeof head !== "string" && head.node === this.#needs.node && head.claim === this.claim
  }

  /** Nobody serves the session any more, and all is said. */
  get over(): boolean {
    const { endsAt, exists, will } = this.image
    return will === undefined && (!exists || endsAt !== undefined)
  }

  /**
   * The Changes of a turn, as an append; undefined: nobody but this node has to know of them.
   * @param now milliseconds since 1970
   */
  take(changes: readonly Change[], now: number): Append | undefined {
    const { image } = this
    const written: Change[] = []
    const subscribed: string[] = []
    this.#took = false
    const known = this.#needs.known()
    for (const change of changes) {
      const isNew = change.type === "subscribed" && begins(change, image.subscriptions.get(change.filter))
      const before = written.length
      this.#apply(change, written)
      if (written.length > before && isNew) subscribed.push(change.filter)
    }
    for (const filter of subscribed) if (image.subscriptions.has(filter)) image.since.set(filter, [...known])
    if (written.length === 0 && !this.#took) return undefined
    if (!image.exists && image.will === undefined) return this.#whole(this.#endedLifetime)
    if (image.endsAt !== undefined) return this.#whole(this.#lifetime(now))
    if (this.#records >= mostRecords || this.#bytes >= mostBytes) return this.#whole(undefined)
    const since = Object.fromEntries(
      subscribed.flatMap((filter) => {
        const begin = image.since.get(filter)
        return begin === undefined ? [] : [[filter, begin]]
      }),
    )
    const data = this.#needs.records.encode(this.#head(since), written)
    // What is only here may be too much for one message: then it is said only what is kept elsewhere.
    if (data.length > this.#needs.largest()) return this.#whole(undefined)
    this.#records++
    this.#bytes += data.length
    return { subject: this.subject, headers: {}, data, expected: this.fence }
  }

  /** Says nothing, but is refused when the session is another's. */
  touch(): Append {
    const data = this.#needs.records.encode(this.#head({}), [])
    this.#records++
    this.#bytes += data.length
    return { subject: this.subject, headers: {}, data, expected: this.fence }
  }

  /** All of it, in the place of what the subject has. */
  snapshot(): Append {
    return this.#whole(this.image.exists || this.image.will !== undefined ? undefined : this.#endedLifetime)
  }

  get #endedLifetime(): number {
    return this.image.hasTaken ? takenLifetime : endedLifetime
  }

  /** Seconds until a session that nobody serves has ended; its will may have to wait longer. */
  #lifetime(now: number): number | undefined {
    const { endsAt, expiryInterval, will } = this.image
    if (endsAt === undefined || endsAt === Number.POSITIVE_INFINITY || expiryInterval === never) return undefined
    if (will !== undefined) return undefined
    const later = this.image.hasTaken ? takenLifetime : 0
    return later + Math.max(1, Math.ceil((endsAt - now) / 1000))
  }

  #whole(lifetime: number | undefined): Append {
    this.#records = 0
    this.#bytes = 0
    const head = this.#head(Object.fromEntries(this.image.since))
    const { records, largest } = this.#needs
    const all = records.encode(head, this.image.changes())
    const data = all.length > largest() ? records.encode(head, this.image.changes(false)) : all
    this.tooLarge = data.length > largest()
    return { subject: this.subject, headers: {}, data, expected: this.fence, rollup: true, lifetime }
  }

  #head(since: RecordHead["since"]): RecordHead {
    const { attended, taken, through } = this.image
    const head = { node: this.#needs.node, claim: this.claim, attended, through: [...through], since }
    if (taken.size === 0) return head
    return {
      ...head,
      taken: Object.fromEntries(Array.from(taken, ([share, { last, keys }]) => [share, { last, keys: [...keys] }])),
    }
  }

  /** What is sent of a group at QoS 1 is the group's until it is acknowledged; at QoS 2 it is this session's from here on. */
  #shared(change: Queued, position: Position, written: Change[]): void {
    const { image } = this
    const { qos, share } = change
    if (qos !== 2 || share === undefined) return
    image.take(share, position)
    image.wait(change, position, !image.passing)
    this.#took = true
    if (!image.passing) written.push({ ...change, sequence: positionNumber(position) })
  }

  #apply(change: Change, written: Change[]): void {
    const { image } = this
    switch (change.type) {
      // What is owed of retained messages is said anew by who subscribes anew.
      case "walk begun":
      case "walk ended":
      case "message":
      case "retained":
      case "clock":
        return
      case "queued": {
        const message = this.#needs.message(change.sequence)
        if (message === undefined) return
        const { position } = message
        if (change.share !== undefined && position !== undefined) {
          this.#shared(change, position, written)
          return
        }
        image.wait(change, position ?? message, position === undefined && !image.passing)
        // In a partition it waits by itself.
        if (position === undefined && !image.passing) written.push(message, change)
        return
      }
      case "sent": {
        const waiting = image.waiting.get(change.place)
        image.apply(change)
        if (waiting === undefined || image.passing) return
        if (!waiting.written && !("type" in waiting.content)) {
          if (waiting.queued.share === undefined) image.served(waiting.content)
          waiting.written = true
          written.push({ ...waiting.queued, sequence: positionNumber(waiting.content) })
        }
        written.push(change)
        return
      }
      case "released":
      case "done": {
        const waiting = image.waiting.get(change.place)
        image.apply(change)
        if (waiting?.written === true && !image.passing) written.push(change)
        return
      }
      case "received":
      case "freed":
        image.apply(change)
        if (!image.passing) written.push(change)
        return
      case "subscribed":
      case "unsubscribed":
        image.apply(change)
        if (!image.passing) written.push(change)
        return
      default:
        image.apply(change)
        written.push(change)
    }
  }
}

/** [MQTT-3.8.4-4] One that takes the place of another goes on where that is; what had no QoS has been sent, or is nobody's. */
function begins({ qos }: Subscribed, before: Subscribed | undefined): boolean {
  return before === undefined || (before.qos === 0 && qos > 0)
}
