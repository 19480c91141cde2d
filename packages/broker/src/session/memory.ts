// What clients make the broker keep, in bytes of memory as measured, and its bounds in sum. The bounds of a session say
// what one client may use; these say what all of them may use together, and keep room for the next one.

import type { Message } from "../packet/message.ts"
import type { Will } from "../packet/packets.ts"
import type { Topic } from "../packet/topic.ts"
import { textCost } from "../routing/text.ts"

/** Bytes of a Message and what it refers to, beside its text (measured: 315 for its objects, 350 for its shared encoding). */
const messageOverhead = 700
/** Bytes of a place in a queue or among the unacknowledged (measured: 97 and 125). */
export const placeOverhead = 125

/** Bytes of a Packet Identifier that is remembered (measured: 32). */
export const identifierCost = 40

/** Bytes of a session with its places in tables and its connection's parts, beside its Client Identifier (measured: 2,000). */
export const sessionCost = 2000

/**
 * Bytes that a place keeps beside its message (measured: 16 and 8 for each identifier): they outlive the subscriptions that
 * they come from, and each topic has its own. `share` is the filter of a Shared Subscription.
 */
export function besideCost(identifiers: readonly number[], share: string | undefined): number {
  return (
    (identifiers.length === 0 ? 0 : 40 + 8 * identifiers.length) + (share === undefined ? 0 : 16 + 2 * share.length)
  )
}

/** Bytes of Topic Names that the Topic Aliases of a connection may stand for, together, in each direction. */
export const aliasBytes = 16_384

/** Bytes that a Topic Alias takes (measured: 210 for its objects, and its Topic Name as text and as bytes). */
export function aliasCost({ name, bytes }: Topic): number {
  return 210 + textCost(name) + bytes.length
}

/** What the sessions of one owner use together, in bytes; see owners.ts. */
export interface Account {
  queued: number
  subscriptions: number
  retained: number
  /** How many retained messages they have set, and bytes of their topics, properties and payloads. */
  retainedMessages: number
  retainedSize: number
}

/** Of an account that is nobody's. */
export function emptyAccount(): Account {
  return { queued: 0, subscriptions: 0, retained: 0, retainedMessages: 0, retainedSize: 0 }
}

/**
 * One owner uses three times what then is left for all others at most: three quarters of the whole when he is alone, of
 * what the others leave when he is not.
 */
export function fitsShare(own: number, more: number, left: number): boolean {
  return own + more <= 3 * (left - more)
}

/**
 * Messages that wait for sessions or for their acknowledgements, counted once however many sessions they wait for; wills;
 * and identifiers of messages received. A session may keep as much as is left over for the others, an owner three times as
 * much, and absent sessions together seven eighths: so nothing of one owner's, absent or not, closes the queues of the others,
 * be they absent too.
 */
export class QueuedMemory {
  /** Bytes in use by wills. */
  wills = 0
  /** Messages that are kept, and bytes of their payloads. */
  messages = 0
  payloads = 0
  /** Places of messages that were sent and are not completely acknowledged. */
  inflight = 0
  /** Bytes for all of them together. It may change: what is there stays. */
  maximum: number
  #used = 0

  readonly #fitsAll: (bytes: number) => boolean

  /**
   * @param maximum bytes for all sessions together
   * @param fitsAll whether so many more fit beside everything else
   */
  constructor(maximum: number, fitsAll: (bytes: number) => boolean = () => true) {
    this.maximum = maximum
    this.#fitsAll = fitsAll
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used
  }

  /**
   * Counts the message for a session that keeps `own` bytes already, and `beside` bytes with it. Returns what it counts for
   * there; 0: there is no room.
   */
  hold(message: Message, own: number, account: Account = emptyAccount(), connected = true, beside = 0): number {
    const cost = costOf(message) + beside
    // It may not have more than will be left.
    if (own + cost > this.maximum - this.#used - cost) return 0
    const added = message.holders === 0 ? cost : placeOverhead + beside
    if (!this.take(added, account, connected)) return 0
    this.#held(message, account)
    return cost
  }

  /** Whether a session could keep the message if nothing else were there. */
  mayHold(message: Message, beside: number): boolean {
    return 2 * (costOf(message) + beside) <= this.maximum
  }

  /** As `hold`, of what was kept before a restart: there was room for it. */
  holdAnyway(message: Message, account: Account, beside: number): number {
    const cost = costOf(message) + beside
    this.charge(message.holders === 0 ? cost : placeOverhead + beside, account)
    this.#held(message, account)
    return cost
  }

  /** The message itself is on the account of the first who keeps it, until nobody does. */
  #held(message: Message, account: Account): void {
    if (message.holders === 0) {
      message.account = account
      this.messages++
      this.payloads += message.payloadEnd - message.payloadStart
    }
    message.holders++
  }

  /** The session keeps it no longer. Returns what it counted for there. */
  release(message: Message, account: Account = emptyAccount(), beside = 0): number {
    const cost = costOf(message)
    message.holders--
    this.give(placeOverhead + beside, account)
    if (message.holders === 0) {
      this.give(cost - placeOverhead, message.account ?? account)
      message.account = undefined
      this.messages--
      this.payloads -= message.payloadEnd - message.payloadStart
    }
    return cost + beside
  }

  /** Counts so many bytes; false when there is no room. */
  take(bytes: number, account: Account, connected: boolean): boolean {
    const most = connected ? this.maximum : (this.maximum * 7) / 8
    if (this.#used + bytes > most || !fitsShare(account.queued, bytes, this.maximum - this.#used)) return false
    if (!this.#fitsAll(bytes)) return false
    this.#used += bytes
    account.queued += bytes
    return true
  }

  /** Counts so many bytes without asking. */
  charge(bytes: number, account: Account): void {
    this.give(-bytes, account)
  }

  give(bytes: number, account: Pick<Account, "queued">): void {
    this.#used -= bytes
    account.queued -= bytes
  }
}

/**
 * CONNECTs whose login is being decided. One may take a sixteenth of what is free: so a few large ones do not keep out the
 * many small ones that clients really send.
 */
export class LoginMemory {
  /** Bytes for all of them together. It may change: what is there stays. */
  maximum: number
  /** Bytes in use. */
  used = 0

  /** @param maximum bytes for all connections together */
  constructor(maximum: number) {
    this.maximum = maximum
  }

  /** False when there is no room. */
  take(bytes: number): boolean {
    if (16 * bytes > this.maximum - this.used) return false
    this.used += bytes
    return true
  }

  give(bytes: number): void {
    this.used -= bytes
  }
}

/** Bytes that a will takes until it is published or not. */
export function willCost({ topic, payload, properties }: Will): number {
  return 400 + 2 * topic.length + payload.length + properties.length
}

function costOf(message: Message): number {
  return placeOverhead + messageOverhead + message.size + textCost(message.topic.name)
}

/** What was written for clients and their transports have not taken, of all connections: copies, and what they refer to. */
export class OutboundMemory {
  /** Bytes for all of them together. It may change: what is there stays. */
  maximum: number
  /** Bytes in use. */
  used = 0
  /** Bytes that are referred to, and how often: all of them are there until the last one has been taken. */
  readonly #referred: Map<Uint8Array, number> = new Map()

  /** @param maximum bytes for all connections together */
  constructor(maximum: number) {
    this.maximum = maximum
  }

  /** Counts bytes that are nobody's copy; once, however many refer to them. */
  refer(bytes: Uint8Array): void {
    const times = this.#referred.get(bytes) ?? 0
    if (times === 0) this.used += bytes.length
    this.#referred.set(bytes, times + 1)
  }

  release(bytes: Uint8Array): void {
    const times = this.#referred.get(bytes)
    if (times === undefined) return
    if (times > 1) {
      this.#referred.set(bytes, times - 1)
      return
    }
    this.used -= bytes.length
    this.#referred.delete(bytes)
  }

  /** Then a client may have no more than a little. */
  get full(): boolean {
    return this.used > this.maximum
  }
}

/**
 * Packets that have come in part, of all connections. When there are too many, those that have been coming for the longest
 * time are given up: an honest client's packet comes as fast as its line.
 */
export class PartialMemory<Holder> {
  /** Bytes for all of them together. It may change: what is there stays. */
  maximum: number
  readonly #isStranger: (holder: Holder) => boolean
  /** In the order in which their packets began. */
  readonly #held: Map<Holder, number> = new Map()
  #used = 0

  /**
   * @param maximum bytes for all connections together
   * @param isStranger whether it has not connected yet: what nobody has logged in for goes first
   */
  constructor(maximum: number, isStranger: (holder: Holder) => boolean = () => false) {
    this.maximum = maximum
    this.#isStranger = isStranger
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used
  }

  /** Says how many bytes that connection holds now; 0: none. Returns who must give up: strangers first, the longest first. */
  set(holder: Holder, bytes: number): readonly Holder[] {
    this.#used += bytes - (this.#held.get(holder) ?? 0)
    if (bytes === 0) this.#held.delete(holder)
    else this.#held.set(holder, bytes)
    if (this.#used <= this.maximum) return []
    const givenUp: Holder[] = []
    for (const strangers of [true, false]) {
      for (const [oldest, its] of this.#held) {
        if (this.#used <= this.maximum) return givenUp
        if (strangers && !this.#isStranger(oldest)) continue
        this.#held.delete(oldest)
        this.#used -= its
        givenUp.push(oldest)
      }
    }
    return givenUp
  }
}
