// The other nodes: which of them can be heard, and what they say and ask.

import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import type { ClusterNode } from "../ports/cluster.ts"
import type { ClusterEvent } from "../ports/events.ts"
import type { NodeSaid, NodeView } from "../ports/nodes.ts"
import { type Alive, encodeAlive, readAlive } from "./alive.ts"
import { letGoOf } from "./claims.ts"
import { Orphans, patience, thereOf } from "./orphans.ts"
import type { OwnNode } from "./own-node.ts"
import type { Streams } from "./streams.ts"

/** Milliseconds between two signs of life. */
const interval = 3000
/** Milliseconds that one that is gone is told of; and how many others are known at most. */
const toldAsGone = 600_000
/** Milliseconds between two clocks that are told of; and what two signs of life may differ by, which take their time. */
const [clocksApart, jitter] = [5000, 1000]
const mostOthers = 1000

const aliveSubject = "alive"
/** Where a node says that it ends. */
const goodbyeSubject = "good-bye"

export interface NeighboursNeeds {
  readonly own: OwnNode
  readonly events: (event: ClusterEvent) => void
  /** One line: what is to be looked at. */
  readonly trouble: (line: string) => void
  readonly hub: () => ClusterNode | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Another node wants the session, and takes it when it has waited for long. */
  readonly asked: (clientId: string) => void
  /** The session is another node's. Returns whether somebody has to see to it still. */
  readonly released: (clientId: string) => boolean
  /** A Shared Subscription whose owner has gone is this node's to see to, if it can have it. */
  readonly adoptGroup: (share: string) => void
  /** A node cannot be heard any more. */
  readonly gone: (node: string) => void
}

interface Other {
  said: NodeSaid
  /** Milliseconds. */
  heardAt: number
  /** The silence since then counts: before it nobody could be heard. */
  silentSince: number
  goneAt: number | undefined
  /** It has said that it ends. */
  ended: boolean
  /** Milliseconds by which its clock seemed to be before this node's, or behind it, when it was heard last. */
  readonly ahead: number
  /** It was said that its clock is another. */
  readonly clockTold: boolean
  /** It was said that it is called as this node is. */
  readonly nameTold: boolean
}

export class Neighbours {
  readonly #needs: NeighboursNeeds
  /** The other nodes, by what they are called in this start of theirs. */
  readonly #others: Map<string, Other> = new Map()
  readonly #orphans: Orphans
  #streams: Streams | undefined
  #ticked: number | undefined
  #said = Number.NEGATIVE_INFINITY
  /** When one has come that was not there: others may have heard of it before, or later. */
  #joinedAt = Number.NEGATIVE_INFINITY
  #opened = 0
  /** Since when the others are heard again. Who was gone before may be there, until it could have been heard. */
  #anewAt = Number.NEGATIVE_INFINITY
  #closed = false
  /** Since when no server can be reached. */
  #awaySince: number | undefined

  constructor(needs: NeighboursNeeds) {
    this.#needs = needs
    const { adoptGroup, hub, now, own } = needs
    const others = {
      there: () => [...this.#others].flatMap(([id, { goneAt }]) => (goneAt === undefined ? [id] : [])),
      isThere: (node: string) => this.#isThere(node),
      isKnown: (node: string) => this.#others.has(node),
      joinedAt: () => this.#joinedAt,
      anewAt: () => this.#anewAt,
    }
    this.#orphans = new Orphans({ id: own.id, adoptGroup, hub, now, others })
  }

  open(streams: Streams): void {
    const { asked, hub, own, now, released } = this.#needs
    this.#streams = streams
    this.#opened = now()
    // All may have ended at once, before anybody who is there now could hear of them.
    this.#orphans.lookAt(now() + patience)
    streams.listen(aliveSubject, ({ data }) => {
      const alive = readAlive(data)
      if (alive !== undefined && alive.said.id !== own.id) this.#heard(alive)
    })
    streams.listen(goodbyeSubject, ({ data }) => {
      const other = this.#others.get(readId(data))
      if (other === undefined || other.goneAt !== undefined) return
      other.ended = true
      const { name, id, clients } = other.said
      this.#needs.events({ event: "node ended", node: name, id, clients })
      this.#gone(other, now())
    })
    streams.answer(thereOf(own.id), (_, answer) => answer(new Uint8Array(0)))
    streams.answer(letGoOf(own.id), (data, answer) => {
      const question = readQuestion(data)
      if (question === undefined) return
      asked(question.clientId)
      hub()?.letGo(question.clientId, question.cleanStart, () => {
        if (released(question.clientId)) this.doubtful(question.clientId)
        answer(new Uint8Array(0))
      })
    })
    this.tick(now())
  }

  /** Another node has asked for the session, and may have gone before it took it; or nobody knows whether this node has it. */
  doubtful(clientId: string): void {
    this.#orphans.doubtful(clientId)
  }

  /** Worth being asked. One that nobody has heard of yet may be about to say something. */
  alive(node: string): boolean {
    const [other, now] = [this.#others.get(node), this.#needs.now()]
    if (other === undefined) return now - this.#opened < patience
    return other.goneAt === undefined || (other.goneAt <= this.#anewAt && now - this.#anewAt < patience)
  }

  /** It may be, or nobody has heard of it: who is not there is asked in vain at once. */
  mayBeThere(node: string): boolean {
    return !this.#others.has(node) || this.alive(node)
  }

  /** This node, the others by their names, and last those that are gone. */
  views(now: number): NodeView[] {
    const reachable = this.#streams?.reachable === true
    const others = [...this.#others.values()].map(({ said, heardAt, goneAt, ended }): NodeView => {
      if (goneAt !== undefined) return { ...said, state: ended ? "ended" : "gone", heardAt }
      return { ...said, state: reachable && now - heardAt < patience ? "there" : "unknown", heardAt }
    })
    const isOver = ({ state }: NodeView) => state === "gone" || state === "ended"
    const byName = (a: NodeView, b: NodeView) =>
      Number(isOver(a)) - Number(isOver(b)) || compare(a.name, b.name) || compare(a.id, b.id)
    return [this.#needs.own.view(now), ...others.sort(byName)]
  }

  reachable(reachable: boolean): void {
    const { events, now } = this.#needs
    if (!reachable) {
      this.#awaySince ??= now()
      events({ event: "cluster unreachable", reason: "no server of NATS can be reached; it is tried until one can" })
      return
    }
    this.#hearAnew(now())
    this.#say(now())
    if (this.#awaySince !== undefined) {
      events({ event: "cluster reachable", away: Math.round((now() - this.#awaySince) / 1000) })
      this.#awaySince = undefined
    }
  }

  /** About once a second. */
  tick(now: number): void {
    const streams = this.#streams
    if (this.#closed) return
    const { own } = this.#needs
    own.tick(now)
    const stoodStill = this.#ticked !== undefined && now - this.#ticked > interval
    this.#ticked = now
    if (streams === undefined || !streams.reachable || stoodStill) {
      this.#hearAnew(now)
      return
    }
    if (now - this.#said >= interval) this.#say(now)
    for (const [id, other] of this.#others) {
      if (other.goneAt === undefined) {
        if (now - other.silentSince < patience) continue
        const { name, id, clients } = other.said
        const reason = `it was not heard for ${Math.round((now - other.heardAt) / 1000)} s`
        this.#needs.events({ event: "node gone", node: name, id, reason, clients })
        this.#gone(other, now)
      } else if (now - other.goneAt >= toldAsGone) this.#others.delete(id)
    }
    this.#orphans.tick(now, streams)
  }

  #say(now: number): void {
    this.#said = now
    this.#streams?.tell(aliveSubject, {}, encodeAlive({ said: this.#needs.own.said, now }))
  }

  /** Who could not hear anybody knows nothing of them, also of those that it took for gone meanwhile. */
  #hearAnew(now: number): void {
    this.#anewAt = now
    for (const other of this.#others.values()) other.silentSince = now
    this.#orphans.lookAt(now + patience)
  }

  #heard({ said, now: theirs }: Alive): void {
    const now = this.#needs.now()
    const before = this.#others.get(said.id)
    const ahead = theirs - now
    // Once may be what was held on its way.
    const isOther = Math.abs(ahead) > clocksApart && before !== undefined && Math.abs(ahead - before.ahead) < jitter
    if (isOther && !before.clockTold) this.#tellOfClock(said.name, ahead)
    const clockTold = isOther || before?.clockTold === true
    const isNamesake = before !== undefined && said.name === this.#needs.own.said.name
    if (isNamesake && !before.nameTold) this.#tellOfName(said.name)
    const nameTold = isNamesake || before?.nameTold === true
    if (before === undefined && this.#others.size >= mostOthers && !this.#forgetOne()) return
    this.#others.set(said.id, {
      said,
      heardAt: now,
      silentSince: now,
      goneAt: undefined,
      ended: false,
      ahead,
      clockTold,
      nameTold,
    })
    if (before !== undefined && before.goneAt === undefined) return
    this.#joinedAt = now
    this.#needs.events({ event: "node joined", node: said.name, id: said.id, version: said.version })
  }

  #tellOfClock(name: string, ahead: number): void {
    const apart = `${Math.round(Math.abs(ahead) / 1000)} s ${ahead < 0 ? "behind" : "ahead of"} this one's`
    this.#needs.trouble(
      `The clock of the node ${name} is ${apart}: messages at QoS 0 and such as expire may be dropped between them: set the clocks of all nodes (NTP)`,
    )
  }

  #tellOfName(name: string): void {
    this.#needs.trouble(
      `Another node is called ${name}, too: give each a name of its own ("node" of "cluster"), or logs and dashboard cannot tell them apart`,
    )
  }

  /** This node ends, and all that it had is committed: the others need not wait for its signs of life. */
  close(): void {
    this.#streams?.tell(goodbyeSubject, {}, encodeText(this.#needs.own.id))
    this.#closed = true
  }

  #gone(other: Other, now: number): void {
    other.goneAt = now
    // For others, too, that have gone before: this one may have been about to look at what they had.
    this.#orphans.lookAt(now)
    this.#needs.gone(other.said.id)
  }

  /** One that is gone. */
  #forgetOne(): boolean {
    for (const [id, { goneAt }] of this.#others) if (goneAt !== undefined) return this.#others.delete(id)
    return false
  }

  #isThere(node: string): boolean {
    const other = this.#others.get(node)
    return other !== undefined && other.goneAt === undefined
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** "": it is none. */
function readId(data: Uint8Array): string {
  try {
    return decodeUtf8(data, 0, Math.min(data.length, 64))
  } catch {
    return ""
  }
}

function readQuestion(data: Uint8Array): { readonly clientId: string; readonly cleanStart: boolean } | undefined {
  try {
    const { clientId, cleanStart } = JSON.parse(decodeUtf8(data, 0, data.length)) as Record<string, unknown>
    return typeof clientId === "string" ? { clientId, cleanStart: cleanStart === true } : undefined
  } catch {
    return undefined
  }
}
