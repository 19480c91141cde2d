// What clients make the broker keep, in bytes of memory as measured, and its bounds in sum. The bounds of a session say
// what one client may use; these say what all of them may use together, and keep room for the next one.

import type { Message } from "../packet/message.ts"

/** Bytes of a Message and what it refers to, beside its text (measured: 315 for its objects, 350 for its shared encoding). */
const messageOverhead = 700
/** Bytes of a place in a queue or among the unacknowledged (measured: 97 and 125). */
const placeOverhead = 125

/**
 * Messages that wait for sessions or for their acknowledgements, counted once however many sessions they wait for. A
 * session may keep as much as is left over for the others: beside n sessions that take what they can get, 1/(n + 1) of the
 * whole stays free, so nobody's queue is closed by somebody else's.
 */
export class QueuedMemory {
  readonly #maximum: number
  #used = 0

  /** @param maximum bytes for all sessions together */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used
  }

  /** Counts the message for a session that keeps `own` bytes already. Returns what it counts for there; 0: there is no room. */
  hold(message: Message, own: number): number {
    const cost = costOf(message)
    // It may not have more than will be left.
    if (own + cost > this.#maximum - this.#used - cost) return 0
    this.#used += message.holders === 0 ? cost : placeOverhead
    message.holders++
    return cost
  }

  /** The session keeps it no longer. Returns what it counted for there. */
  release(message: Message): number {
    const cost = costOf(message)
    message.holders--
    this.#used -= message.holders === 0 ? cost : placeOverhead
    return cost
  }
}

function costOf(message: Message): number {
  return placeOverhead + messageOverhead + message.size
}

/**
 * Packets that have come in part, of all connections. When there are too many, those that have been coming for the longest
 * time are given up: an honest client's packet comes as fast as its line.
 */
export class PartialMemory<Holder> {
  readonly #maximum: number
  /** In the order in which their packets began. */
  readonly #held: Map<Holder, number> = new Map()
  #used = 0

  /** @param maximum bytes for all connections together */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  /** Bytes in use. */
  get used(): number {
    return this.#used
  }

  /** Says how many bytes that connection holds now; 0: none. Returns who must give up, longest first. */
  set(holder: Holder, bytes: number): readonly Holder[] {
    this.#used += bytes - (this.#held.get(holder) ?? 0)
    if (bytes === 0) this.#held.delete(holder)
    else this.#held.set(holder, bytes)
    if (this.#used <= this.#maximum) return []
    const givenUp: Holder[] = []
    for (const [oldest, its] of this.#held) {
      this.#held.delete(oldest)
      this.#used -= its
      givenUp.push(oldest)
      if (this.#used <= this.#maximum) break
    }
    return givenUp
  }
}
