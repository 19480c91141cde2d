// When messages that nobody keeps were published, by this node's clock. What was held on its way, as a network does, may have been
// delivered where its publisher is, to a session that is this node's by now: it is at most once, so that one must not have it again.
// Clocks of nodes differ. How much is known by the message that took the least time: what took longer than that was on its way. Of a
// node that was not heard before all that comes at first may have been held: then its clock counts.

/** Nodes that are known at most: as many as are told of (neighbours.ts). */
const mostNodes = 1000
/** Milliseconds by which clocks may differ (docs/cluster.md). */
const apart = 1000
/** Milliseconds from the first message of a node on, until one has come that was not held. */
const firsts = 1000
/** Milliseconds after which what was learned is learned anew, as clocks are set. */
const span = 60_000

/** By how much this node's clock is ahead of another's, and the shortest way; of this span, and of the one before. */
interface Ahead {
  readonly first: number
  since: number
  now: number
  before: number
}

export class PassingTimes {
  readonly #nodes: Map<string, Ahead> = new Map()

  /**
   * @param node that published it @param at when, by its clock @param now when it came, by this node's. All are milliseconds since 1970.
   * @returns when it was published, by this node's clock: no earlier than it was, and later by the shortest way at most, once that is known
   */
  published(node: string, at: number, now: number): number {
    let ahead = this.#nodes.get(node)
    if (ahead === undefined) {
      if (this.#nodes.size >= mostNodes) this.#nodes.clear()
      ahead = { first: now, since: now, now: apart, before: apart }
      this.#nodes.set(node, ahead)
    } else if (now - ahead.since >= span) {
      ahead.since = now
      ahead.before = ahead.now
      ahead.now = apart
    }
    ahead.now = Math.min(ahead.now, now - at)
    return now - ahead.first < firsts ? at : at + Math.min(ahead.now, ahead.before)
  }

  /** How many nodes are known. */
  get size(): number {
    return this.#nodes.size
  }
}
