// Sessions and Shared Subscriptions that nobody sees to, as their node has gone: each record is read once, by one of the nodes that are
// there.

import type { ClusterNode } from "../ports/cluster.ts"
import { decodeGroup } from "./group-record.ts"
import { headOf } from "./session-record.ts"
import type { StreamMessage, Streams } from "./streams.ts"
import { clientOfToken } from "./subjects.ts"

/** Milliseconds after which a node counts as gone; and before something is looked at again. */
export const patience = 12_000
/** Records that are looked at in one go, if they are not large. */
const looked = 1000
/** Milliseconds for an answer of one that was never heard. */
const answersWithin = 1500

export interface OrphansNeeds {
  /** What this node is called in this start of it. */
  readonly id: string
  readonly hub: () => ClusterNode | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A Shared Subscription whose owner has gone is this node's to see to, if it can have it. */
  readonly adoptGroup: (share: string) => void
  readonly others: OthersKnown
}

/** What is known of the other nodes. */
export interface OthersKnown {
  /** Those that are there. */
  readonly there: () => string[]
  readonly isThere: (node: string) => boolean
  readonly isKnown: (node: string) => boolean
  /** Milliseconds: when one has come that was not there. */
  readonly joinedAt: () => number
  /** Milliseconds: since when they are heard again. */
  readonly anewAt: () => number
}

/** A search for what nodes had that are not there. */
interface Search {
  partition: number
  after: number
  /** There was something to see to, which may have failed. */
  found: boolean
  /** Those that were never heard, and whether they have answered. */
  readonly strangers: Map<string, boolean>
  /** Milliseconds. */
  readonly begunAt: number
}

export class Orphans {
  readonly #needs: OrphansNeeds
  #search: Search | undefined
  /** When the next one is to begin. */
  #searchAt = Number.POSITIVE_INFINITY
  /** Sessions that may be this node's though it does not serve them, and when that is looked at. */
  readonly #doubtful: Map<string, number> = new Map()

  constructor(needs: OrphansNeeds) {
    this.#needs = needs
  }

  /** Another node has asked for the session, and may have gone before it took it; or nobody knows whether this node has it. */
  doubtful(clientId: string): void {
    // They stand in the order in which they are due.
    this.#doubtful.delete(clientId)
    this.#doubtful.set(clientId, this.#needs.now() + patience)
  }

  /** All records are to be looked at. @param at milliseconds since 1970 */
  lookAt(at: number): void {
    this.#searchAt = at
  }

  /** About once a second, while the servers can be reached. */
  tick(now: number, streams: Streams): void {
    const { hub, id } = this.#needs
    for (const [clientId, at] of this.#doubtful) {
      if (now < at) break
      this.#doubtful.delete(clientId)
      hub()?.adopt(clientId, id, () => undefined)
    }
    if (now < this.#searchAt || this.#search !== undefined) return
    this.#searchAt = Number.POSITIVE_INFINITY
    this.#search = { partition: 0, after: 0, found: false, strangers: new Map(), begunAt: now }
    this.#lookOn(this.#search, streams)
  }

  /** Each partition is looked at by one of the nodes that are there, so that all of it is read once. */
  #isMine(partition: number): boolean {
    const { id, others } = this.#needs
    const ids = [id, ...others.there()].sort()
    return ids[partition % ids.length] === id
  }

  /** @param found Client Identifiers, and whose they are */
  #adopt(found: ReadonlyMap<string, string>, done: () => void): void {
    const hub = this.#needs.hub()
    let left = found.size + 1
    const one = () => {
      if (--left === 0) done()
    }
    for (const [clientId, node] of found) {
      if (hub === undefined) one()
      else hub.adopt(clientId, node, one)
    }
    one()
  }

  /** Sessions of nodes that have gone: their wills are due, and their ends. */
  #lookOn(search: Search, streams: Streams): void {
    while (search.partition < streams.partitions && search.after === 0 && !this.#isMine(search.partition))
      search.partition++
    const over = search.partition >= streams.partitions
    // It has taken so long that nobody was heard meanwhile: who had gone may be back. It begins anew when that is known.
    const anew = this.#needs.others.anewAt() > search.begunAt
    if (over || anew) {
      // Who took others for there may have left a partition to nobody.
      const agreed = this.#needs.others.joinedAt() < search.begunAt - patience
      this.#searched(over && (search.found || !agreed))
      return
    }
    const { adoptGroup } = this.#needs
    streams.fetch(search.partition, ["g.>", "s.>"], search.after, looked).onAnswer((answer) => {
      if ("failed" in answer) {
        this.#searched(true)
        return
      }
      if (answer.more) search.after = answer.through
      else {
        search.partition++
        search.after = 0
      }
      const { groups, sessions } = this.#ofGone(answer.messages)
      this.#askStrangers([...groups.values(), ...sessions.values()], search, streams, () => {
        const isThere = (node: string) => search.strangers.get(node) === true
        for (const [share, node] of groups) if (!isThere(node)) adoptGroup(share)
        for (const [clientId, node] of sessions) if (isThere(node)) sessions.delete(clientId)
        if (sessions.size > 0) search.found = true
        this.#adopt(sessions, () => this.#lookOn(search, streams))
      })
    })
  }

  /** Shared Subscriptions and Client Identifiers whose nodes are not there, with these. */
  #ofGone(records: readonly StreamMessage[]): { groups: Map<string, string>; sessions: Map<string, string> } {
    const [groups, sessions] = [new Map<string, string>(), new Map<string, string>()]
    for (const { subject, data } of records) {
      if (subject.startsWith("g.")) {
        const record = decodeGroup(data)
        if (typeof record !== "string" && this.#isGone(record.node) && !record.over)
          groups.set(record.share, record.node)
        continue
      }
      const head = headOf(data)
      const clientId = clientOfToken(subject.slice(2))
      if (typeof head === "string" || clientId === undefined) continue
      if (this.#isGone(head.node) && head.attended) sessions.set(clientId, head.node)
      else sessions.delete(clientId)
    }
    return { groups, sessions }
  }

  /** One that was never heard may have reached the servers just now, and is about to say that it is there. */
  #askStrangers(nodes: readonly string[], { strangers }: Search, streams: Streams, then: () => void): void {
    const asked = new Set(nodes.filter((node) => !this.#needs.others.isKnown(node) && !strangers.has(node)))
    let left = asked.size + 1
    const one = () => {
      if (--left === 0) then()
    }
    for (const node of asked) {
      streams.ask(thereOf(node), new Uint8Array(0), answersWithin).onAnswer((answer) => {
        strangers.set(node, !("failed" in answer))
        one()
      })
    }
    one()
  }

  /** @param again there was something to see to, say, which may have failed */
  #searched(again: boolean): void {
    this.#search = undefined
    if (again) this.#searchAt = Math.min(this.#searchAt, this.#needs.now() + patience)
  }

  #isGone(node: string): boolean {
    return node !== this.#needs.id && !this.#needs.others.isThere(node)
  }
}

/** Where a node is asked whether it is there. */
export function thereOf(node: string): string {
  return `node.${node}.there`
}
