// The members of one Shared Subscription at this node, as its owner is to know them: what has changed is said until the owner has
// taken it, and all of it to a new one. Who finds no owner becomes it.

import type { SharedMember, Standing } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { keyOf, type Place } from "./group-record.ts"
import {
  encodeWords,
  type GroupNews,
  type Joining,
  type MemberThere,
  type NewsAnswer,
  type Settled,
} from "./group-words.ts"

/** Times that an owner does not answer before it is replaced. */
const patience = 3
/** Of one message of the servers', what news may take; and how many of each kind there are in it at most. */
const newsPart = 1 / 2
const mostNews = 500

const full: Standing = { failed: "the Shared Subscription has as many members as there is room for", quota: true }

/** Why an owner cannot be found; `final`: nor later, as a newer version has written what says so, say. */
export interface FindFailed extends StoreFailed {
  readonly final?: boolean | undefined
}

export interface GroupMembershipNeeds {
  readonly node: string
  /** The owner's name. @param silent has not answered, or says that it is not the owner */
  readonly find: (silent: string | undefined) => Pause<string | FindFailed>
  readonly tell: (owner: string, news: GroupNews) => Pause<NewsAnswer>
  /** The servers can be reached. */
  readonly reachable: () => boolean
  /** Bytes that may be said at once. */
  readonly largest: () => number
}

interface Here {
  readonly member: MemberThere
  /** What it was sent at QoS 1, and has not acknowledged. */
  readonly held: Map<string, Place>
}

interface Coming extends Pick<SharedMember, "clientId" | "lasting"> {
  readonly done: Pause<Standing>
}

export class GroupMembership {
  readonly share: string
  readonly #needs: GroupMembershipNeeds
  readonly #members: Map<string, Here> = new Map()
  #settled: Settled[] = []
  #parting: Map<string, boolean> = new Map()
  #joining: Set<string> = new Set()
  #coming: Coming[] = []
  owner: string | undefined
  /** The owner does not know who is here. */
  #unknown = true
  /** Of these, those that it is to be told of still, and how many parts it has been told; undefined: from the first on. */
  #left: { readonly clientIds: readonly string[]; readonly part: number } | undefined
  #busy = false
  /** Times that the owner has not answered. */
  #silent = 0
  #notThis: string | undefined

  constructor(share: string, needs: GroupMembershipNeeds) {
    this.share = share
    this.#needs = needs
  }

  /** Nobody is here, and nothing is left to say. */
  get over(): boolean {
    const said = this.#settled.length + this.#parting.size + this.#coming.length === 0
    return this.#members.size === 0 && said && !this.#busy
  }

  has(clientId: string): boolean {
    return this.#members.has(clientId)
  }

  /** It is about to subscribe: answers when somebody sees to the messages of the group. */
  comes(clientId: string, lasting: boolean): Pause<Standing> {
    const done = new Pause<Standing>()
    this.#coming.push({ clientId, lasting, done })
    this.goOn()
    return done
  }

  joined(member: MemberThere): void {
    const { clientId } = member
    const held = this.#members.get(clientId)?.held ?? new Map<string, Place>()
    this.#members.set(clientId, { member, held })
    this.#joining.add(clientId)
    this.goOn()
  }

  parted(clientId: string, gone: boolean): void {
    if (!this.#members.delete(clientId) && !gone) return
    this.#joining.delete(clientId)
    this.#parting.set(clientId, gone || this.#parting.get(clientId) === true)
    this.goOn()
  }

  holds(clientId: string, place: Place): void {
    this.#members.get(clientId)?.held.set(keyOf(...place), place)
  }

  settled(clientId: string, place: Place, done: boolean): void {
    this.#members.get(clientId)?.held.delete(keyOf(...place))
    this.#settled.push([...place, clientId, done])
    this.goOn()
  }

  /** It is held here already, or its end has not been told. */
  knows(clientId: string, [partition, sequence]: Place): "held" | "done" | undefined {
    if (this.#members.get(clientId)?.held.has(keyOf(partition, sequence)) === true) return "held"
    const told = this.#settled.find((one) => one[0] === partition && one[1] === sequence && one[2] === clientId)
    return told?.[3] === true ? "done" : undefined
  }

  /** This one is the owner; undefined: who was it is not any more. */
  moved(owner: string | undefined): void {
    if (owner === this.owner && owner !== undefined) return
    this.owner = owner
    this.#unknown = true
    this.#left = undefined
    this.#silent = 0
    this.goOn()
  }

  /** This one is not the owner any more, and nobody is yet. */
  abandoned(owner: string): void {
    if (this.owner !== owner) return
    this.#notThis = owner
    this.moved(undefined)
  }

  /** Its owner may have taken this node for gone, and know nothing of its members. */
  again(): void {
    this.#unknown = true
    this.#left = undefined
    this.goOn()
  }

  /** Tells what there is to tell. */
  goOn(): void {
    if (this.#busy) return
    const { find, node, tell } = this.#needs
    if (this.owner === undefined) {
      if (this.#members.size === 0 && this.over) return
      this.#busy = true
      find(this.#notThis).onAnswer((owner) => {
        this.#busy = false
        if (typeof owner !== "string") {
          this.#failed(owner)
          return
        }
        this.owner = owner
        this.#unknown = true
        this.#silent = 0
        this.#notThis = undefined
        this.goOn()
      })
      return
    }
    const all = this.#unknown
    const toSay = this.#settled.length + this.#parting.size + this.#coming.length + this.#joining.size
    if (toSay === 0 && (!all || this.#members.size === 0)) return
    const { owner } = this
    const settled = this.#settled.splice(0, mostNews)
    const parting = new Map([...this.#parting].slice(0, mostNews))
    for (const clientId of parting.keys()) this.#parting.delete(clientId)
    const coming = this.#coming.splice(0, mostNews)
    const { clientIds = [...(all ? this.#members.keys() : this.#joining)], part = 0 } = (all && this.#left) || {}
    const joins = this.#joins(clientIds)
    const joining = clientIds.slice(0, joins.length)
    for (const clientId of joining) this.#joining.delete(clientId)
    const rest = clientIds.slice(joins.length)
    const more = all && rest.length > 0
    this.#left = more ? { clientIds: rest, part: part + 1 } : undefined
    this.#unknown = more
    this.#busy = true
    const news: GroupNews = {
      share: this.share,
      node,
      all,
      ...(all && (more || part > 0) && { part, more }),
      settled,
      parting: [...parting].map(([clientId, gone]) => ({ clientId, gone })),
      coming: coming.map(({ clientId, lasting }) => ({ clientId, lasting })),
      joining: joins.flat(),
    }
    tell(owner, news).onAnswer((answer) => {
      this.#busy = false
      if (answer === "taken" || (typeof answer === "object" && "refused" in answer)) {
        this.#silent = 0
        const refused = new Set(answer === "taken" ? [] : answer.refused)
        for (const { clientId, done } of coming) done.answer(refused.has(clientId) ? full : "standing")
        this.goOn()
        return
      }
      this.#left = undefined
      this.#settled = [...settled, ...this.#settled]
      this.#parting = new Map([...parting, ...this.#parting])
      this.#coming = [...coming, ...this.#coming]
      for (const clientId of joining) if (this.#members.has(clientId)) this.#joining.add(clientId)
      this.#unknown ||= all
      if (this.owner !== owner) {
        this.goOn()
        return
      }
      if (answer === "elsewhere") {
        // Who has said so is not the one, whatever the record says; its next reader takes it.
        this.#notThis = owner
        this.owner = undefined
        this.#unknown = true
        this.goOn()
        return
      }
      if (++this.#silent >= patience) {
        this.#notThis = owner
        this.owner = undefined
        this.#unknown = true
      }
      this.#failed(answer)
    })
  }

  /** As many of these as there is room for at once, one at least. */
  #joins(clientIds: readonly string[]): Joining[][] {
    let left = this.#needs.largest() * newsPart
    const joins: Joining[][] = []
    for (const clientId of clientIds) {
      const its = this.#joiningOf(clientId)
      left -= encodeWords(its).length
      if (joins.length > 0 && (left < 0 || joins.length >= mostNews)) break
      joins.push(its)
    }
    return joins
  }

  #joiningOf(clientId: string): Joining[] {
    const here = this.#members.get(clientId)
    return here === undefined ? [] : [{ ...here.member, held: [...here.held.values()] }]
  }

  /** It is tried again by `tick`; who has to know is not kept waiting for servers that cannot be reached. */
  #failed(failed: FindFailed): void {
    if (this.#needs.reachable() && failed.final !== true) return
    const coming = this.#coming
    this.#coming = []
    for (const { done } of coming) done.answer(failed)
  }

  /** About once a second. @param alive whether a node can be heard */
  tick(alive: (node: string) => boolean): void {
    if (this.owner !== undefined && this.owner !== this.#needs.node && !alive(this.owner)) this.moved(undefined)
    else this.goOn()
  }
}
