// What clients make the broker keep, in bytes of memory as measured, and its bounds in sum. The bounds of a session say
// what one client may use; these say what all of them may use together, and keep room for the next one.

import type { Message } from "../packet/message.ts"
import type { Will } from "../packet/packets.ts"
import { textCost } from "../routing/text.ts"

/** Bytes of a Message and what it refers to, beside its text (measured: 315 for its objects, 350 for its shared encoding). */
const messageOverhead = 700
/** Bytes of a place in a queue or among the unacknowledged (measured: 97 and 125). */
export const placeOverhead = 125

/** Bytes of a Packet Identifier that is remembered (measured: 32). */
export const identifierCost = 40

/** Bytes of a session with its places in tables and its connection's parts, beside its Client Identifier (measured: 2,000). */
export const sessionCost = 2000

/** What the sessions of one owner use together, in bytes; see owners.ts. */
export interface Account {
  queued: number
  subscriptions: number
  retained: number
}

/** Of an account that is nobody's. */
export function emptyAccount(): Account {
  return { queued: 0, subscriptions: 0, retained: 0 }
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
  readonly #maximum: number
  #used = 0

  readonly #fitsAll: (bytes: number) => boolean

  /**
   * @param maximum bytes for all sessions together
   * @param fitsAll whether so many more fit beside everything else
   */
  constructor(maximum: number, fitsAll: (bytes: number) => boolean = () => true) {
    this.#maximum = maximum
    this.#fitsAll = fitsAll
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used
  }

  /** Counts the message for a session that keeps `own` bytes already. Returns what it counts for there; 0: there is no room. */
  hold(message: Message, own: number, account: Account = emptyAccount(), connected = true): number {
    const cost = costOf(message)
    // It may not have more than will be left.
    if (own + cost > this.#maximum - this.#used - cost) return 0
    const added = message.holders === 0 ? cost : placeOverhead
    if (!this.take(added, account, connected)) return 0
    // The message itself is on the account of the first who keeps it, until nobody does.
    if (message.holders === 0) message.account = account
    message.holders++
    return cost
  }

  /** The session keeps it no longer. Returns what it counted for there. */
  release(message: Message, account: Account = emptyAccount()): number {
    const cost = costOf(message)
    message.holders--
    this.give(placeOverhead, account)
    if (message.holders === 0) {
      this.give(cost - placeOverhead, message.account ?? account)
      message.account = undefined
    }
    return cost
  }

  /** Counts so many bytes; false when there is no room. */
  take(bytes: number, account: Account, connected: boolean): boolean {
    const most = connected ? this.#maximum : (this.#maximum * 7) / 8
    if (this.#used + bytes > most || !fitsShare(account.queued, bytes, this.#maximum - this.#used)) return false
    if (!this.#fitsAll(bytes)) return false
    this.#used += bytes
    account.queued += bytes
    return true
  }

  /** Counts so many bytes without asking: they are less than what was given back just now. */
  charge(bytes: number, account: Account): void {
    this.give(-bytes, account)
  }

  give(bytes: number, account: Account): void {
    this.#used -= bytes
    account.queued -= bytes
  }
}

/**
 * CONNECTs whose login is being decided. One may take a sixteenth of what is free: so a few large ones do not keep out the
 * many small ones that clients really send.
 */
export class LoginMemory {
  readonly #maximum: number
  /** Bytes in use. */
  used = 0

  /** @param maximum bytes for all connections together */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** False when there is no room. */
  take(bytes: number): boolean {
    if (16 * bytes > this.#maximum - this.used) return false
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

/** Copies that were made for clients and that their transports have not taken, of all connections. */
export class OutboundMemory {
  readonly #maximum: number
  /** Bytes in use. */
  used = 0

  /** @param maximum bytes for all connections together */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Then a client may have no more than a little. */
  get full(): boolean {
    return this.used > this.#maximum
  }
}

/**
 * Packets that have come in part, of all connections. When there are too many, those that have been coming for the longest
 * time are given up: an honest client's packet comes as fast as its line.
 */
export class PartialMemory<Holder> {
  readonly #maximum: number
  readonly #isStranger: (holder: Holder) => boolean
  /** In the order in which their packets began. */
  readonly #held: Map<Holder, number> = new Map()
  #used = 0

  /**
   * @param maximum bytes for all connections together
   * @param isStranger whether it has not connected yet: what nobody has logged in for goes first
   */
  constructor(maximum: number, isStranger: (holder: Holder) => boolean = () => false) {
    this.#maximum = maximum
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
    if (this.#used <= this.#maximum) return []
    const givenUp: Holder[] = []
    for (const strangers of [true, false]) {
      for (const [oldest, its] of this.#held) {
        if (this.#used <= this.#maximum) return givenUp
        if (strangers && !this.#isStranger(oldest)) continue
        this.#held.delete(oldest)
        this.#used -= its
        givenUp.push(oldest)
      }
    }
    return givenUp
  }
}
