// A Shared Subscription whose owner is this node (MQTT 5.0 section 4.8.2): how it begins and ends, who its members are, and its
// record, which has what is done, and what was offered at QoS 2; see group-record.ts. Who gets its messages: group-messages.ts.

import type { Arrived } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { GroupMembers, LastingMembers } from "./group-members.ts"
import { GroupMessages, type GroupMessagesNeeds } from "./group-messages.ts"
import { type GroupRecord, keyOf, type Marks, type Place } from "./group-record.ts"
import type { GroupNews, Joining, NewsAnswer } from "./group-words.ts"

/** Milliseconds after which a record is written that nobody waits for; and so many messages. */
const lazily = 500
const manyDone = 256
/** Milliseconds in which members of another owner's say that they are there, and what they have. */
const handover = 2000
/** Milliseconds for which somebody may be about to subscribe, and for which a group stays that has nobody. */
const grace = 10_000
/** Milliseconds between two looks at members that are away. */
const looks = 60_000
/** Of a record's bytes, what members may take that outlive their connections; see group-messages.ts for the others. */
const membersPart = 1 / 4

export interface GroupOwnerNeeds extends GroupMessagesNeeds {
  readonly reachable: () => boolean
  /** What matches comes from now on; answers with the last message of each partition. */
  readonly wants: (path: string) => Pause<readonly number[] | StoreFailed>
  readonly unwanted: (path: string) => void
  /** Puts this record in the place of the one before; "lost": it is another node's. */
  readonly write: (record: RecordContent) => Pause<"written" | "lost">
  /** It is somebody else's, or over. */
  readonly ended: () => void
}

export type RecordContent = Pick<GroupRecord, "over" | "through" | "open" | "members">

export class GroupOwner {
  readonly share: string
  /** Its filter, without $share and its name. */
  readonly path: string
  readonly #needs: GroupOwnerNeeds
  readonly #members = new GroupMembers()
  /** Members that outlive their connections. */
  readonly #lasting: LastingMembers
  /** Of nodes that say all of their members in parts: what has come. */
  readonly #parts: Map<string, Joining[]> = new Map()
  /** Those that are about to subscribe, and since when. */
  readonly #expected: Map<string, number> = new Map()
  readonly #messages: GroupMessages
  /** What is written; of what was offered, by member. */
  #written: RecordContent
  #writtenOf: Map<string, Place[]> = new Map()
  #stopped = false
  #standing = false
  #wanted = false
  #checking: Pause<boolean>[] | undefined
  /** Before, nobody is offered anything. */
  #notBefore: number
  #idleSince: number
  #lookedAt: number
  /** So much is not written. */
  #changed = 0
  #changedAt = 0
  #writing = false
  /** Above 0: it may be another node's, until a record is written. */
  #doubts = 0
  #waiting: (() => void)[] = []
  /** What came before it stands. */
  #opening: { readonly news: GroupNews; readonly answer: Pause<NewsAnswer> }[] = []
  /** By partition, where one that has nobody begins. */
  #known: readonly number[] = []

  /** @param before what its last owner has written; undefined: it is new */
  constructor(share: string, partitions: number, before: GroupRecord | undefined, needs: GroupOwnerNeeds) {
    this.share = share
    this.#needs = needs
    this.path = share.slice(share.indexOf("/", 7) + 1)
    const record = before === undefined || before.over || before.through.length === 0 ? undefined : before
    this.#lasting = new LastingMembers(record?.members)
    const now = needs.now()
    this.#messages = new GroupMessages({ share, path: this.path, partitions }, this.#members, record, {
      ...needs,
      goes: () => !this.#stopped,
      mayOffer: () => !this.#stopped && this.#standing && needs.now() >= this.#notBefore,
      changed: () => this.#change(),
      write: (then) => this.#write(then),
      manyDone: () => {
        if (this.#changed >= manyDone) this.#write(undefined)
      },
      parted: (clientId, node) => this.#parted(clientId, node, false),
      doneOf: (clientId) => this.#doneOf(clientId),
    })
    this.#notBefore = record === undefined ? now : now + handover
    this.#idleSince = now
    this.#lookedAt = now
    // What its last owner has written: until it is written anew, members have not to forget what that says.
    this.#written = this.#content(false)
    this.#keep(this.#written)
    this.#begin(record !== undefined)
  }

  // --- it begins, and ends ---

  #begin(goesOn: boolean): void {
    this.#needs.wants(this.path).onAnswer((known) => {
      if ("failed" in known) {
        this.#end(known)
        return
      }
      this.#wanted = true
      this.#known = known
      if (this.#stopped) {
        this.stop()
        return
      }
      if (!goesOn) {
        this.#restart(known)
        this.#stand()
        return
      }
      // Messages of before are for those who were members then.
      this.#check().onAnswer((somebody) => {
        if (!this.#stopped && (somebody || this.#goesOn)) this.#stand()
      })
    })
  }

  /** Some who come now were members before this owner. */
  get #goesOn(): boolean {
    return this.#opening.some(({ news }) => news.joining.length > 0)
  }

  #stand(): void {
    if (this.#standing) return
    this.#standing = true
    const opening = this.#opening
    this.#opening = []
    const answers = opening.map(({ news }) => this.#take(news))
    this.#change()
    this.#write(() => {
      for (const [at, { answer }] of opening.entries()) answer.answer(this.#stopped ? "elsewhere" : answers[at]!)
      this.#messages.pump()
    })
  }

  /** From here on, as nobody is owed anything of before. */
  #restart(known: readonly number[]): void {
    this.#messages.restart(known)
    this.#notBefore = this.#needs.now()
    this.#change()
  }

  /** This node was away, or stood still, and another may go on with it: a record of this one's is taken only if none does. */
  doubt(): void {
    if (!this.#standing || this.#stopped) return
    const doubt = ++this.#doubts
    this.#write(() => {
      if (doubt === this.#doubts) this.#doubts = 0
    })
  }

  /** Another node is going to go on with it. */
  close(): void {
    if (this.#standing && this.#changed > 0) this.#write(undefined)
    this.stop()
  }

  /** Nothing of it is done here any more. */
  stop(): void {
    this.#stopped = true
    if (this.#wanted) this.#needs.unwanted(this.path)
    this.#wanted = false
    const opening = this.#opening
    this.#opening = []
    for (const { answer } of opening) answer.answer("elsewhere")
  }

  #end(failed?: StoreFailed): void {
    if (this.#stopped) return
    if (failed !== undefined) {
      for (const { answer } of this.#opening) answer.answer(failed)
      this.#opening = []
    }
    this.stop()
    this.#needs.ended()
  }

  // --- members ---

  /** News of a node's. Answers when they are kept. */
  news(news: GroupNews): Pause<NewsAnswer> {
    const answer = new Pause<NewsAnswer>()
    if (this.#stopped) answer.answer("elsewhere")
    else if (!this.#standing) {
      this.#opening.push({ news, answer })
      // Its node had it from an owner before.
      if (this.#known.length > 0 && this.#goesOn) this.#stand()
    } else {
      const take = () => {
        const before = this.#lasting.size
        const taken = this.#take(news)
        const told = () => answer.answer(this.#stopped ? "elsewhere" : taken)
        if (this.#lasting.size > before) this.#write(told)
        else told()
        this.#messages.pump()
      }
      const comes = news.coming.length > 0 || news.joining.length > 0
      if (comes && this.#nobody) this.#revive(take)
      else take()
    }
    return answer
  }

  /** Nobody is connected, or about to subscribe. */
  get #nobody(): boolean {
    const now = this.#needs.now()
    for (const [clientId, since] of this.#expected) if (now - since >= grace) this.#expected.delete(clientId)
    return this.#members.size === 0 && this.#expected.size === 0
  }

  /** When nobody who is away comes back either, it begins anew. */
  #revive(then: () => void): void {
    const { wants, unwanted } = this.#needs
    this.#check().onAnswer((somebody) => {
      if (this.#stopped || somebody || !this.#nobody) {
        then()
        return
      }
      wants(this.path).onAnswer((known) => {
        if (!("failed" in known)) {
          // It is wanted once.
          unwanted(this.path)
          if (!this.#stopped && this.#nobody) this.#restart(known)
        }
        then()
      })
    })
  }

  #take(news: GroupNews): NewsAnswer {
    const { coming, joining, node, parting, settled } = news
    for (const [partition, sequence, clientId, done] of settled) {
      this.#messages.settled(keyOf(partition, sequence), clientId, node, done)
    }
    for (const { clientId, gone } of parting) this.#parted(clientId, node, gone)
    if (news.all) this.#all(news)
    const before = this.#lasting.size
    const refused: string[] = []
    for (const { clientId, lasting } of coming) {
      if (lasting && !this.#lasting.fits(clientId, this.#needs.largest() * membersPart)) {
        refused.push(clientId)
        continue
      }
      this.#expected.set(clientId, this.#needs.now())
      if (lasting) this.#lasting.add(clientId)
    }
    for (const one of joining) {
      const { claim, clientId, held, lasting } = one
      const was = this.#members.get(clientId)
      // A node that has stood still says that it has a session which another has taken since.
      if (was !== undefined && was.node !== node && (claim ?? Infinity) < (was.claim ?? 0)) continue
      this.#expected.delete(clientId)
      if (was !== undefined && was.node !== node) this.#parted(clientId, was.node, false)
      this.#members.join(one, node)
      if (lasting) this.#lasting.add(clientId)
      for (const [partition, sequence] of held) this.#messages.holds(keyOf(partition, sequence), clientId, node)
    }
    if (this.#lasting.size !== before) this.#change()
    return refused.length > 0 ? { refused } : "taken"
  }

  /** All of the members at a node, when the last of them have come. */
  #all({ joining, more, node, part = 0 }: GroupNews): void {
    const all = [...(part > 0 ? (this.#parts.get(node) ?? []) : []), ...joining]
    if (more === true) this.#parts.set(node, all)
    else {
      this.#parts.delete(node)
      this.#only(node, all)
    }
  }

  #parted(clientId: string, node: string, gone: boolean): void {
    if (gone) {
      this.#expected.delete(clientId)
      if (this.#lasting.delete(clientId)) this.#change()
    }
    const member = this.#members.get(clientId)
    if (member === undefined || member.node !== node) return
    // What it was sent it still has, or its node hands it back.
    this.#members.part(clientId)
    if (this.#members.size === 0) this.#idleSince = this.#needs.now()
    this.#messages.pump()
  }

  /** Of its members only these have anything. */
  #only(node: string, joining: readonly Joining[]): void {
    const there = new Set(joining.map(({ clientId }) => clientId))
    for (const { clientId } of this.#members.at(node)) if (!there.has(clientId)) this.#parted(clientId, node, false)
    this.#messages.only(node, joining)
  }

  /** A node cannot be heard any more: what its members have not acknowledged is for others. */
  nodeGone(node: string): void {
    for (const { clientId } of this.#members.at(node)) this.#parted(clientId, node, false)
    this.#parts.delete(node)
    this.#messages.nodeGone(node)
    this.#messages.pump()
  }

  /** Whether any of the members is still there: those that are away have a session with the servers. */
  #check(): Pause<boolean> {
    const answer = new Pause<boolean>()
    if (this.#checking !== undefined) {
      this.#checking.push(answer)
      return answer
    }
    this.#checking = [answer]
    this.#lookedAt = this.#needs.now()
    let left = 1
    const one = () => {
      if (--left > 0) return
      const checking = this.#checking ?? []
      this.#checking = undefined
      for (const waiting of checking) waiting.answer(this.#members.size > 0 || this.#lasting.size > 0)
    }
    const isHere = (clientId: string) => this.#members.get(clientId) !== undefined || this.#expected.has(clientId)
    for (const clientId of this.#lasting) {
      if (isHere(clientId)) continue
      left++
      this.#needs.session(clientId).onAnswer((seen) => {
        if (!("failed" in seen) && !seen.member && !isHere(clientId) && this.#lasting.delete(clientId)) this.#change()
        one()
      })
    }
    one()
    return answer
  }

  // --- messages ---

  /** There may be something new in this partition. */
  noticed(partition: number): void {
    this.#messages.noticed(partition)
  }

  /** A message of no QoS, which nobody keeps: it may come once, or not at all. */
  passing(message: Arrived): void {
    // Without servers it comes from here, and nobody else has it.
    if (this.#doubts === 0 || !this.#needs.reachable()) this.#messages.passing(message)
  }

  // --- the record ---

  #change(): void {
    if (this.#changed === 0) this.#changedAt = this.#needs.now()
    this.#changed++
  }

  /** Writes what there is; `then` is called when that is written, or never will be. */
  #write(then: (() => void) | undefined): void {
    if (then !== undefined) this.#waiting.push(then)
    if (this.#writing) return
    this.#writing = true
    const waiting = this.#waiting
    this.#waiting = []
    this.#changed = 0
    const content = this.#content(false)
    this.#needs.write(content).onAnswer((answer) => {
      this.#writing = false
      if (answer === "lost") this.#end()
      else this.#keep(content)
      for (const one of waiting) one()
      if (this.#stopped) {
        for (const one of this.#waiting) one()
        this.#waiting = []
      } else if (this.#waiting.length > 0) this.#write(undefined)
    })
  }

  #keep(content: RecordContent): void {
    this.#written = content
    this.#writtenOf = new Map()
    for (const [partition, sequence, clientId] of content.open) {
      if (clientId === undefined) continue
      const its = this.#writtenOf.get(clientId)
      if (its === undefined) this.#writtenOf.set(clientId, [[partition, sequence]])
      else its.push([partition, sequence])
    }
  }

  #doneOf(clientId: string): Marks {
    return { through: this.#written.through, but: this.#writtenOf.get(clientId) ?? [] }
  }

  #content(over: boolean): RecordContent {
    return { over, ...this.#messages.content, members: [...this.#lasting] }
  }

  /** About once a second. */
  tick(now: number): void {
    if (this.#stopped) return
    if (!this.#standing) {
      // Of the members that its last owner had nobody has come.
      if (this.#known.length === 0 || now < this.#notBefore || this.#checking !== undefined) return
      this.#restart(this.#known)
      this.#stand()
      return
    }
    this.#messages.retry(now)
    this.#members.retry(now)
    this.#messages.pump()
    if (this.#changed > 0 && now - this.#changedAt >= lazily) this.#write(undefined)
    this.#lookForEnd(now)
  }

  /** Nobody is connected, and nobody who is away comes back. */
  #lookForEnd(now: number): void {
    if (!this.#nobody || now - this.#idleSince < grace || this.#writing || this.#checking !== undefined) return
    if (this.#lasting.size > 0 && now - this.#lookedAt < looks) return
    this.#check().onAnswer((somebody) => {
      if (somebody || this.#stopped || this.#writing || !this.#nobody) return
      this.#writing = true
      this.#needs.write(this.#content(true)).onAnswer(() => this.#end())
    })
  }
}
