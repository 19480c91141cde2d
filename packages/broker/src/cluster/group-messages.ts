// The messages of a Shared Subscription whose owner is this node: a cursor over all partitions, what of them is not done, and which
// member gets the next.

import type { Arrived, FetchedMessages, Taken } from "../ports/cluster.ts"
import type { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { matches } from "../routing/filter.ts"
import { type GroupMembers, idBytes, type Member } from "./group-members.ts"
import { type GroupRecord, keyOf, type Marks, type Open, type Place } from "./group-record.ts"
import type { Joining, Offer } from "./group-words.ts"

/** Messages that are fetched at once; that are here and with nobody at most; and that are not done at most. */
const fetched = 64
const mostHere = 128
const mostOpen = 4096
/** Bytes of payloads of those that are here, at most: no more is fetched then. */
const mostBytes = 8_388_608
/** Milliseconds between two looks at what was offered to members that are away. */
const resolves = 5000
/** Members that a message of no QoS is offered to at most. */
const mostPassing = 16
/** Milliseconds after which one that was held on its way is nobody's: another owner may have given it to somebody. */
const passingPatience = 1000

/** Bytes of a message in the record, beside whom it was offered to; and of the record's, what messages may take, and those members. */
const placeBytes = 40
const [openPart, offeredPart] = [1 / 4, 1 / 4]

export interface GroupMessagesNeeds {
  /** Bytes of a record at most. */
  readonly largest: () => number
  /** Milliseconds since 1970. */
  readonly now: () => number
  readonly fetch: (partition: number, path: string, after: number, most: number) => Pause<FetchedMessages | StoreFailed>
  /** Undefined: it is gone. */
  readonly at: (partition: number, sequence: number) => Pause<Arrived | undefined | StoreFailed>
  readonly offer: (node: string, offer: Omit<Offer, "number">) => Pause<Taken | StoreFailed>
  /** What the servers have of a session. */
  readonly session: (clientId: string) => Pause<SessionSeen | StoreFailed>
}

/** What it needs of the owner. */
interface OwnerNeeds extends GroupMessagesNeeds {
  /** The group is this node's. */
  readonly goes: () => boolean
  readonly mayOffer: () => boolean
  /** There is something to write. */
  readonly changed: () => void
  /** Calls `then` when all of it is written, or never will be. */
  readonly write: (then: () => void) => void
  /** Something is done: it is written when that is much. */
  readonly manyDone: () => void
  /** The member is not at this node. */
  readonly parted: (clientId: string, node: string) => void
  /** What is written of what this member was offered. */
  readonly doneOf: (clientId: string) => Marks
}

export interface SessionSeen {
  /** It may have subscribed to this, and may come back. */
  readonly member: boolean
  /** It was given this one at QoS 2. */
  readonly taken: (place: Place) => boolean
}

interface Item {
  readonly key: string
  readonly partition: number
  readonly sequence: number
  /** Undefined: it has to be fetched before somebody is offered it. */
  message: Arrived | undefined
  /** `unsure`: it was offered, and nobody knows what has become of it. */
  state: "waiting" | "fetching" | "pinning" | "asked" | "sent" | "unsure"
  /** How often somebody was asked: an answer is of the last time, or of none. */
  asks: number
  member: string | undefined
  node: string | undefined
  /** It is written that it is for this member alone. */
  pinned: boolean
  /** It may have been given to that member. */
  offered: boolean
  /** Of that member's name in the record. */
  idBytes: number
  /** Members that may not have it. */
  refused: Set<string> | undefined
}

export class GroupMessages {
  readonly #share: string
  /** Its filter, without $share and its name. */
  readonly #path: string
  readonly #needs: OwnerNeeds
  readonly #levels: readonly string[]
  readonly #members: GroupMembers
  /** By partition, the last that was fetched; and whether there may be more. */
  readonly #cursor: number[]
  readonly #more: boolean[]
  /** What is not done, in the order in which it came. */
  readonly #items: Map<string, Item> = new Map()
  /** Those that are here, and those that are on their way. */
  #here = 0
  #loading = 0
  #bytes = 0
  /** Of whom they were offered to, in the record. */
  #offeredBytes = 0
  /** What was said of messages that have not been fetched: who has them, or that they are done. */
  readonly #heldBefore: Map<string, { readonly clientId: string; readonly node: string }> = new Map()
  readonly #doneBefore: Set<string> = new Set()
  #pumping = false
  #pumpAgain = false
  #fetching = false
  /** The partition that was fetched last. */
  #turn = -1
  /** It has been this node's. */
  readonly #since: number
  #resolvedAt = 0

  /** @param record of before; undefined: it is new */
  constructor(
    of: { readonly share: string; readonly path: string; readonly partitions: number },
    members: GroupMembers,
    record: Pick<GroupRecord, "through" | "open"> | undefined,
    needs: OwnerNeeds,
  ) {
    this.#share = of.share
    this.#path = of.path
    this.#needs = needs
    this.#levels = of.path.split("/")
    this.#members = members
    this.#cursor = Array.from({ length: of.partitions }, (_, partition) => record?.through[partition] ?? 0)
    this.#more = this.#cursor.map(() => true)
    for (const [partition, sequence, member] of record?.open ?? []) this.#again(partition, sequence, member)
    this.#since = needs.now()
  }

  /** From here on, as nobody is owed anything of before. */
  restart(known: readonly number[]): void {
    for (const [partition, sequence] of known.entries()) this.#cursor[partition] = sequence
    this.#items.clear()
    this.#here = 0
    this.#bytes = 0
    this.#offeredBytes = 0
    this.#doneBefore.clear()
    this.#heldBefore.clear()
  }

  /** For the record: how far it has come, and what is not done. */
  get content(): Pick<GroupRecord, "through" | "open"> {
    const open: Open[] = []
    for (const { member, partition, pinned, sequence, state } of this.#items.values()) {
      const offered = member !== undefined && (pinned || state === "pinning")
      open.push(offered ? [partition, sequence, member] : [partition, sequence])
    }
    return { through: [...this.#cursor], open }
  }

  // --- what nodes say of it ---

  /** Of before this owner: a member has it, and has not acknowledged it. */
  holds(key: string, clientId: string, node: string): void {
    const item = this.#items.get(key)
    if (item === undefined) {
      if (this.#heldBefore.size < mostOpen) this.#heldBefore.set(key, { clientId, node })
      return
    }
    if ((item.state !== "waiting" && item.state !== "fetching") || item.pinned) return
    this.#sent(item, clientId, node)
  }

  settled(key: string, clientId: string, node: string, done: boolean): void {
    const item = this.#items.get(key)
    if (item === undefined) {
      if (done && this.#doneBefore.size < mostOpen) this.#doneBefore.add(key)
      this.#heldBefore.delete(key)
      return
    }
    if (item.member === clientId && item.node === node) {
      if (item.state === "sent") this.#members.sent(clientId, -1)
      // The answer to the offer may come after it.
      if (done) this.#done(item)
      else this.#back(item)
    } else if (done && item.state === "waiting" && !item.pinned) this.#done(item)
    this.pump()
  }

  /** Of the members at this node only these have anything. */
  only(node: string, joining: readonly Joining[]): void {
    const held = new Set(joining.flatMap((one) => one.held.map((place) => `${keyOf(...place)}:${one.clientId}`)))
    for (const item of this.#items.values()) {
      if (item.state === "sent" && item.node === node && !held.has(`${item.key}:${item.member}`)) this.#back(item)
    }
  }

  /** A node cannot be heard any more: what its members have not acknowledged is for others. */
  nodeGone(node: string): void {
    for (const item of this.#items.values()) {
      if (item.node === node && (item.state === "sent" || item.state === "unsure")) this.#back(item)
    }
    for (const [key, held] of this.#heldBefore) if (held.node === node) this.#heldBefore.delete(key)
  }

  /** About once a second: what nobody has answered, and what was offered to members that are away. */
  retry(now: number): void {
    const away = now - this.#resolvedAt >= resolves
    if (away) this.#resolvedAt = now
    for (const item of this.#items.values()) {
      const member = item.member === undefined ? undefined : this.#members.get(item.member)
      if (item.state === "unsure") {
        if (item.message !== undefined && member?.node === item.node) this.#ask(item, item.message, member!)
        else this.#back(item)
      } else if (away && item.state === "waiting" && item.pinned && member === undefined) this.#resolve(item)
    }
  }

  // --- who gets it ---

  /** There may be something new in this partition. */
  noticed(partition: number): void {
    this.#more[partition] = true
    this.pump()
  }

  /** A message of no QoS, which nobody keeps. */
  passing(message: Arrived): void {
    const { publishedAt } = message
    const late = publishedAt !== undefined && publishedAt <= Math.max(this.#since, this.#needs.now() - passingPatience)
    if (this.#needs.goes() && !late && matches(this.#levels, message.topic)) this.#pass(message, mostPassing)
  }

  #pass(message: Arrived, tries: number): void {
    const member = this.#members.choose(() => true)
    if (member === undefined || tries === 0) return
    const { clientId, node } = member
    this.#needs.offer(node, this.#offerOf(clientId, message)).onAnswer((answer) => {
      if (!this.#needs.goes() || answer === "passed" || typeof answer !== "string") return
      if (answer === "away") this.#needs.parted(clientId, node)
      this.#pass(message, tries - 1)
    })
  }

  #offerOf(clientId: string, message: Arrived): Omit<Offer, "number"> {
    return { share: this.#share, clientId, message, done: this.#needs.doneOf(clientId) }
  }

  /** Answers that come at once ask for it anew. */
  pump(): void {
    this.#pumpAgain = true
    if (this.#pumping) return
    this.#pumping = true
    while (this.#pumpAgain && this.#needs.mayOffer()) {
      this.#pumpAgain = false
      if (this.#members.size > 0) {
        for (const item of this.#items.values()) if (item.state === "waiting") this.#give(item)
      }
      this.#fetch()
    }
    this.#pumping = false
  }

  #give(item: Item): void {
    const { member: only, message } = item
    const its = item.pinned && only !== undefined ? this.#members.get(only) : undefined
    if (item.pinned && item.offered && its?.room !== true) {
      // It waits for its member, who may be away for long: others' messages have its place here.
      this.#put(item, undefined)
      return
    }
    if (message === undefined) {
      if (this.#here + this.#loading < mostHere) this.#load(item)
      return
    }
    if (item.pinned) {
      if (its?.room === true) {
        this.#ask(item, message, its)
        return
      }
      this.#unpin(item)
    }
    if (message.expiresAt <= this.#needs.now()) {
      this.#done(item)
      return
    }
    const member = this.#members.choose(({ clientId }) => item.refused?.has(clientId) !== true)
    if (member === undefined) {
      // None of those that are connected may have it.
      if (item.refused !== undefined && this.#members.all((clientId) => item.refused?.has(clientId) === true)) {
        this.#done(item)
      }
    } else if (message.qos < 2 || member.qos < 2) this.#ask(item, message, member)
    else this.#pin(item, member.clientId)
  }

  /** Before it is offered it is kept whom it is offered to. */
  #pin(item: Item, clientId: string): void {
    // The record has no room for one more: it waits until others are done.
    if (this.#offeredBytes + idBytes(clientId) > this.#needs.largest() * offeredPart) return
    item.state = "pinning"
    this.#offer(item, clientId)
    this.#needs.changed()
    this.#needs.write(() => {
      if (!this.#has(item) || item.state !== "pinning") return
      item.pinned = true
      item.state = "waiting"
      this.#give(item)
    })
  }

  #ask(item: Item, message: Arrived, { clientId, node }: Member): void {
    const ask = ++item.asks
    item.state = "asked"
    item.offered = true
    item.member = clientId
    item.node = node
    this.#members.sent(clientId, 1)
    this.#needs.offer(node, this.#offerOf(clientId, message)).onAnswer((answer) => {
      this.#members.sent(clientId, -1)
      // It may have been settled before this answer came, and offered anew.
      if (!this.#has(item) || item.state !== "asked" || item.asks !== ask) return
      this.#answered(item, clientId, node, answer)
      this.pump()
    })
  }

  #answered(item: Item, clientId: string, node: string, answer: Taken | StoreFailed): void {
    switch (answer) {
      case "passed":
      case "kept":
        this.#done(item)
        return
      case "sent":
        this.#sent(item, clientId, node)
        return
      case "full":
        this.#members.full(clientId, node)
        this.#unpin(item)
        this.#back(item)
        return
      case "refused":
        item.refused ??= new Set()
        item.refused.add(clientId)
        this.#unpin(item)
        this.#back(item)
        return
      case "away":
        this.#back(item)
        this.#needs.parted(clientId, node)
        if (item.pinned) this.#resolve(item)
        return
      default:
        // Asked again by `tick`, as long as the node is there.
        item.state = "unsure"
    }
  }

  /** It was not given to the member that it was for, and is not going to be. */
  #unpin(item: Item): void {
    item.pinned = false
    item.offered = false
    item.member = undefined
    this.#offer(item, undefined)
  }

  /** In the record it stands with this member. */
  #offer(item: Item, clientId: string | undefined): void {
    if (clientId !== undefined) item.member = clientId
    this.#offeredBytes -= item.idBytes
    item.idBytes = clientId === undefined ? 0 : idBytes(clientId)
    this.#offeredBytes += item.idBytes
  }

  /** At QoS 1, until it is settled. */
  #sent(item: Item, clientId: string, node: string): void {
    item.state = "sent"
    item.member = clientId
    item.node = node
    this.#members.sent(clientId, 1)
    this.#put(item, undefined)
  }

  /** It is nobody's, unless it was offered at QoS 2. */
  #back(item: Item): void {
    item.state = "waiting"
    item.node = undefined
    if (!item.pinned) item.member = undefined
  }

  #done(item: Item): void {
    this.#put(item, undefined)
    this.#offer(item, undefined)
    this.#items.delete(item.key)
    this.#needs.changed()
    this.#needs.manyDone()
  }

  #put(item: Item, message: Arrived | undefined): void {
    if (item.message !== undefined) {
      this.#here--
      this.#bytes -= item.message.payload.length
    }
    if (message !== undefined) {
      this.#here++
      this.#bytes += message.payload.length
    }
    item.message = message
  }

  #has(item: Item): boolean {
    return this.#needs.goes() && this.#items.get(item.key) === item
  }

  /** It was offered at QoS 2 to somebody who is not here: what its session says. */
  #resolve(item: Item): void {
    const { member } = item
    if (member === undefined) return
    this.#needs.session(member).onAnswer((seen) => {
      if (!this.#has(item) || item.state !== "waiting" || !item.pinned || item.member !== member) return
      if ("failed" in seen) return
      if (seen.taken([item.partition, item.sequence])) this.#done(item)
      else if (!seen.member && this.#members.get(member) === undefined) {
        // It cannot have it any more. Else it gets it when it is back.
        this.#unpin(item)
      }
      this.pump()
    })
  }

  // --- the cursor ---

  #fetch(): void {
    if (this.#fetching || this.#members.size === 0) return
    const open = Math.min(mostOpen, (this.#needs.largest() * openPart) / placeBytes)
    if (
      this.#here + this.#loading >= mostHere - fetched ||
      this.#items.size + fetched > open ||
      this.#bytes >= mostBytes
    )
      return
    // In turns, as one partition may always have more.
    const next = this.#more.indexOf(true, this.#turn + 1)
    const partition = next < 0 ? this.#more.indexOf(true) : next
    if (partition < 0) return
    this.#turn = partition
    this.#fetching = true
    this.#more[partition] = false
    const after = this.#cursor[partition]!
    this.#needs.fetch(partition, this.#path, after, fetched).onAnswer((answer) => {
      this.#fetching = false
      if (!this.#needs.goes()) return
      if ("failed" in answer) {
        // Tried again by `tick`.
        this.#more[partition] = true
        return
      }
      if (answer.more) this.#more[partition] = true
      // It may have begun anew meanwhile.
      if (this.#cursor[partition] === after) {
        for (const message of answer.messages) this.#add(message)
        if (answer.through > after) {
          this.#cursor[partition] = answer.through
          this.#needs.changed()
        }
      }
      this.pump()
    })
  }

  #add(message: Arrived): void {
    const { partition, sequence } = message.position
    const key = keyOf(partition, sequence)
    const held = this.#heldBefore.get(key)
    this.#heldBefore.delete(key)
    if (this.#doneBefore.delete(key) || this.#items.has(key) || !matches(this.#levels, message.topic)) return
    const item = this.#again(partition, sequence)
    this.#put(item, message)
    if (held !== undefined) this.#sent(item, held.clientId, held.node)
  }

  #again(partition: number, sequence: number, member?: string): Item {
    const key = keyOf(partition, sequence)
    const pinned = member !== undefined
    const beside = { message: undefined, state: "waiting", asks: 0, node: undefined, refused: undefined } as const
    const item: Item = { key, partition, sequence, member, pinned, offered: pinned, idBytes: 0, ...beside }
    if (member !== undefined) this.#offer(item, member)
    this.#items.set(key, item)
    return item
  }

  /** What is not done, and not here: it was sent to somebody, or is of before this owner. */
  #load(item: Item): void {
    item.state = "fetching"
    this.#loading++
    this.#needs.at(item.partition, item.sequence).onAnswer((message) => {
      this.#loading--
      if (!this.#has(item) || item.state !== "fetching") return
      item.state = "waiting"
      if (message === undefined) this.#done(item)
      else if (!("failed" in message)) {
        this.#put(item, message)
        this.pump()
      }
    })
  }
}
