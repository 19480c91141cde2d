// Shared Subscriptions over all nodes: those that this node is the owner of, and members of any that are here.

import { encodeText } from "../packet/bytes.ts"
import type { Position } from "../packet/change.ts"
import type { Arrived, ClusterNode, FetchedMessages, SharedMember, Standing, Taken } from "../ports/cluster.ts"
import { Pause } from "../ports/pause.ts"
import type { StoreFailed } from "../ports/store.ts"
import { subjectOfSession } from "./claims.ts"
import { arrivedOf } from "./envelope.ts"
import { type FindFailed, GroupMembership } from "./group-membership.ts"
import type { SessionSeen } from "./group-messages.ts"
import { GroupOwner, type RecordContent } from "./group-owner.ts"
import {
  decodeGroup,
  encodeGroup,
  type GroupRecord,
  keyOf,
  type Marks,
  type OfferNumber,
  subjectOfGroup,
} from "./group-record.ts"
import {
  decodeAnswer,
  decodeNews,
  decodeOffer,
  decodeOwner,
  encodeOffer,
  encodeWords,
  type GroupNews,
  type NewsAnswer,
  newsOf,
  type Offer,
  type OwnerSaid,
  offersOf,
  ownersSubject,
  takenOf,
} from "./group-words.ts"
import { partitionOf } from "./partition.ts"
import { SessionImage } from "./session-image.ts"
import { applyRecord } from "./session-record.ts"
import type { Slots } from "./slots.ts"
import type { StreamSequence, Streams } from "./streams.ts"
import { subjectMatches, subjectsOfFilter } from "./subjects.ts"

/** Milliseconds for an answer to news, and to an offer. */
const patience = 6000
const offerPatience = 4000
/** Seconds for which the record of a group that is over says so. */
const overLifetime = 60
/** Subjects whose groups are remembered. */
const mostFound = 10_000

export interface GroupsNeeds {
  readonly node: string
  readonly streams: () => Streams | undefined
  /** For what is asked by session, or by message. */
  readonly reads: Slots
  readonly hub: () => ClusterNode | undefined
  readonly now: () => number
  readonly alive: (node: string) => boolean
  readonly fetch: (
    partition: number,
    paths: readonly string[],
    after: number,
    most: number,
  ) => Pause<FetchedMessages | StoreFailed>
  /** What matches comes from now on; answers with the last message of each partition. */
  readonly wants: (path: string) => Pause<readonly number[] | StoreFailed>
  readonly unwanted: (path: string) => void
  /** By which claim this node has the session of this client; see SessionLog. */
  readonly claimOf: (clientId: string) => number | undefined
  /** A message at QoS 2 for the session of this client, which need not remember what is done. False: it is late, and void. */
  readonly admits: (clientId: string, share: string, number: OfferNumber, done: Marks) => boolean
}

/** What a new one has until its owner knows where it begins. */
const notBegun: RecordContent = { over: false, through: [], open: [], members: [] }

interface Owned {
  readonly owner: GroupOwner
  readonly record: RecordPlace
  readonly patterns: readonly string[]
}

export class Groups {
  readonly #needs: GroupsNeeds
  readonly #owned: Map<string, Owned> = new Map()
  readonly #memberships: Map<string, GroupMembership> = new Map()
  readonly #found: Map<string, readonly GroupOwner[]> = new Map()
  #claims = 0

  constructor(needs: GroupsNeeds) {
    this.#needs = needs
  }

  open(streams: Streams): void {
    const { node } = this.#needs
    streams.answer(newsOf(node), (data, answer) => {
      const news = decodeNews(data)
      if (news !== undefined) this.#news(news).onAnswer((said) => answer(encodeWords(said)))
    })
    streams.answer(offersOf(node), (data, answer) => {
      this.#offered(streams, data, (taken) => answer(encodeText(taken)))
    })
    streams.listen(ownersSubject, ({ data }) => {
      const said = decodeOwner(data)
      if (said === undefined || said.node === node) return
      const membership = this.#memberships.get(said.share)
      if (said.over === true) membership?.abandoned(said.node)
      else membership?.moved(said.node)
    })
  }

  // --- members here ---

  comes(
    shares: readonly string[],
    { clientId, lasting }: Pick<SharedMember, "clientId" | "lasting">,
  ): Pause<Standing> | undefined {
    const missing = shares.filter((share) => this.#memberships.get(share)?.has(clientId) !== true)
    if (missing.length === 0) return undefined
    const done = new Pause<Standing>()
    let left = missing.length
    let failed: Exclude<Standing, "standing"> | undefined
    for (const share of missing) {
      this.#membership(share)
        .comes(clientId, lasting)
        .onAnswer((answer) => {
          if (answer !== "standing") failed ??= answer
          if (--left === 0) done.answer(failed ?? "standing")
        })
    }
    return done
  }

  joined(share: string, member: SharedMember): void {
    this.#membership(share).joined({ ...member, claim: this.#needs.claimOf(member.clientId) })
  }

  parted(share: string, clientId: string, gone: boolean): void {
    const membership = gone ? this.#membership(share) : this.#memberships.get(share)
    membership?.parted(clientId, gone)
  }

  settled(share: string, clientId: string, { partition, sequence }: Position, done: boolean): void {
    this.#membership(share).settled(clientId, [partition, sequence], done)
  }

  #membership(share: string): GroupMembership {
    const known = this.#memberships.get(share)
    if (known !== undefined) return known
    const membership = new GroupMembership(share, {
      node: this.#needs.node,
      find: (silent) => this.#find(share, silent),
      tell: (owner, news) => this.#tell(owner, news),
      reachable: () => this.#needs.streams()?.reachable === true,
      largest: () => this.#needs.streams()?.largest ?? Number.POSITIVE_INFINITY,
    })
    this.#memberships.set(share, membership)
    return membership
  }

  #tell(owner: string, news: GroupNews): Pause<NewsAnswer> {
    const streams = this.#needs.streams()
    if (owner === this.#needs.node || streams === undefined) return this.#news(news)
    const done = new Pause<NewsAnswer>()
    streams.ask(newsOf(owner), encodeWords(news), patience).onAnswer((answer) => {
      if ("failed" in answer) done.answer(answer)
      else done.answer(decodeAnswer(answer) ?? { failed: "the owner of a Shared Subscription makes no sense" })
    })
    return done
  }

  #news(news: GroupNews): Pause<NewsAnswer> {
    const owned = this.#owned.get(news.share)
    if (owned !== undefined) return owned.owner.news(news)
    const answer = new Pause<NewsAnswer>()
    answer.answer("elsewhere")
    return answer
  }

  // --- who is the owner ---

  /** @param silent does not answer, or says that it is not the owner */
  #find(share: string, silent: string | undefined): Pause<string | FindFailed> {
    const done = new Pause<string | FindFailed>()
    const { alive, node, streams: streamsOf } = this.#needs
    const streams = streamsOf()
    if (streams === undefined) {
      done.answer({ failed: "the cluster is not open" })
      return done
    }
    const partition = partitionOf(share, streams.partitions)
    streams.last(partition, subjectOfGroup(share)).onAnswer((last) => {
      if (last !== undefined && "failed" in last) {
        done.answer(last)
        return
      }
      const record = last && decodeGroup(last.data)
      if (typeof record === "string") {
        done.answer({ failed: record, final: true })
        return
      }
      const owner = record === undefined || record.over ? undefined : record.node
      if (owner === node && this.#owned.has(share)) done.answer(node)
      else if (owner !== undefined && owner !== node && owner !== silent && alive(owner)) done.answer(owner)
      else this.#claim(streams, share, partition, record, last?.sequence ?? 0, done)
    })
    return done
  }

  #claim(
    streams: Streams,
    share: string,
    partition: number,
    before: GroupRecord | undefined,
    fence: StreamSequence,
    done: Pause<string | FindFailed>,
  ): void {
    const { node } = this.#needs
    const claim = ++this.#claims
    const content = before === undefined || before.over ? notBegun : before
    const record = { ...content, share, node, claim, number: 0 }
    const subject = subjectOfGroup(share)
    const append = { subject, headers: {}, data: encodeGroup(record), expected: fence, rollup: true }
    streams.append(partition, [append]).onAnswer((answer) => {
      if ("refused" in answer) {
        // Somebody was faster.
        this.#find(share, undefined).onAnswer((owner) => done.answer(owner))
        return
      }
      if ("failed" in answer) {
        // It may be there: what the record says is tried next.
        done.answer(answer)
        return
      }
      this.#own(streams, share, partition, before, claim, answer.last)
      done.answer(node)
    })
  }

  #own(
    streams: Streams,
    share: string,
    partition: number,
    before: GroupRecord | undefined,
    claim: number,
    fence: StreamSequence,
  ): void {
    const { fetch, node, now, unwanted, wants } = this.#needs
    this.#owned.get(share)?.owner.stop()
    let offers = 0
    const record = new RecordPlace(streams, partition, { share, node, claim }, fence)
    const owner: GroupOwner = new GroupOwner(share, streams.partitions, before, {
      now,
      reachable: () => streams.reachable,
      largest: () => streams.largest,
      fetch: (one, path, after, most) => fetch(one, [path], after, most),
      at: (one, sequence) => this.#at(streams, one, sequence),
      wants,
      unwanted,
      write: (content) => record.write(content),
      offer: (to, offer) => this.#offer(streams, to, { ...offer, number: [fence, ++offers] }),
      session: (clientId) => seenOf(this.#needs.reads, streams, clientId, share, now()),
      ended: () => {
        if (this.#owned.get(share)?.owner === owner) this.#owned.delete(share)
        this.#found.clear()
        const membership = this.#memberships.get(share)
        if (membership?.owner === node) membership.moved(undefined)
      },
    })
    const patterns = subjectsOfFilter(owner.path)
    this.#owned.set(share, { owner, record, patterns })
    this.#found.clear()
    const said: OwnerSaid = { share, node }
    streams.tell(ownersSubject, {}, encodeWords(said))
  }

  /** The node is about to end: others go on with what it owns. */
  close(): void {
    const { node, streams } = this.#needs
    for (const [share, { owner }] of this.#owned) {
      owner.close()
      const said: OwnerSaid = { share, node, over: true }
      streams()?.tell(ownersSubject, {}, encodeWords(said))
    }
    this.#owned.clear()
    this.#found.clear()
  }

  /** This node was away: owners are told of its members anew, and what it owns may be another's. */
  again(): void {
    for (const { owner, record } of [...this.#owned.values()]) {
      owner.doubt()
      record.retry()
    }
    for (const membership of this.#memberships.values()) membership.again()
  }

  /** A node cannot be heard any more. */
  nodeGone(name: string): void {
    for (const { owner } of this.#owned.values()) owner.nodeGone(name)
  }

  /** A group whose owner has gone: somebody has to see to what it was offering. */
  adopt(share: string): void {
    if (!this.#owned.has(share) && !this.#memberships.has(share)) this.#find(share, undefined).onAnswer(() => undefined)
  }

  // --- messages ---

  #at(streams: Streams, partition: number, sequence: number): Pause<Arrived | undefined | StoreFailed> {
    const done = new Pause<Arrived | undefined | StoreFailed>()
    this.#needs.reads
      .ask(() => streams.at(partition, sequence))
      .onAnswer((message) => {
        if (message === undefined || "failed" in message) done.answer(message)
        else done.answer(arrivedOf(message, partition))
      })
    return done
  }

  #offer(streams: Streams, to: string, offer: Offer): Pause<Taken | StoreFailed> {
    const done = new Pause<Taken | StoreFailed>()
    if (to === this.#needs.node) {
      this.#give(offer, (taken) => done.answer(taken))
      return done
    }
    streams.ask(offersOf(to), encodeOffer(offer, streams.largest), offerPatience).onAnswer((answer) => {
      if ("failed" in answer) done.answer(answer)
      else
        done.answer(
          takenOf(answer) ?? { failed: "what a node says to a message of a Shared Subscription makes no sense" },
        )
    })
    return done
  }

  #offered(streams: Streams, data: Uint8Array, answer: (taken: Taken) => void): void {
    const offer = decodeOffer(data)
    if (offer === undefined) return
    const { message, place } = offer
    if (message !== undefined) {
      this.#give({ ...offer, message }, answer)
      return
    }
    this.#at(streams, ...place).onAnswer((found) => {
      // Without an answer it is offered again.
      if (found !== undefined && !("failed" in found)) this.#give({ ...offer, message: found }, answer)
    })
  }

  /** For a member that is here. */
  #give({ share, clientId, done, message, number }: Offer, answer: (taken: Taken) => void): void {
    const { admits, hub } = this.#needs
    const membership = this.#memberships.get(share)
    const node = hub()
    if (node === undefined || membership?.has(clientId) !== true) {
      answer("away")
      return
    }
    const { partition, sequence } = message.position
    const knows = sequence > 0 ? membership.knows(clientId, [partition, sequence]) : undefined
    if (knows !== undefined) {
      answer(knows === "held" ? "sent" : "passed")
      return
    }
    // Nobody waits for an answer any more.
    if (sequence > 0 && message.qos === 2 && !admits(clientId, share, number, done)) return
    node.offered(share, clientId, message, (taken) => {
      if (taken === "sent") membership.holds(clientId, [partition, sequence])
      answer(taken)
    })
  }

  /** A message of a partition has come here. */
  noticed(partition: number, subject: string): void {
    if (this.#owned.size === 0) return
    for (const owner of this.#ownersOf(subject)) owner.noticed(partition)
  }

  /** A message of no QoS has come, or is published here. @param subject without its root */
  passing(subject: string, message: Arrived): void {
    if (this.#owned.size === 0) return
    for (const owner of this.#ownersOf(subject)) owner.passing(message)
  }

  /** Whether anybody here has to be told of messages. */
  get any(): boolean {
    return this.#owned.size > 0
  }

  #ownersOf(subject: string): readonly GroupOwner[] {
    let owners = this.#found.get(subject)
    if (owners === undefined) {
      if (this.#found.size >= mostFound) this.#found.clear()
      const all = [...this.#owned.values()]
      owners = all
        .filter(({ patterns }) => patterns.some((one) => subjectMatches(one, subject)))
        .map((one) => one.owner)
      this.#found.set(subject, owners)
    }
    return owners
  }

  /** About once a second. */
  tick(now: number): void {
    for (const { owner, record } of this.#owned.values()) {
      record.retry()
      owner.tick(now)
    }
    for (const [share, membership] of this.#memberships) {
      if (membership.over) this.#memberships.delete(share)
      else membership.tick(this.#needs.alive)
    }
  }
}

/** The record of a group that is this node's: each is written in the place of the one before, as long as that is this node's. */
class RecordPlace {
  readonly #streams: Streams
  readonly #partition: number
  readonly #of: Pick<GroupRecord, "share" | "node" | "claim">
  #fence: StreamSequence
  #number = 0
  /** What is tried again. */
  #stuck: (() => void) | undefined

  constructor(
    streams: Streams,
    partition: number,
    of: Pick<GroupRecord, "share" | "node" | "claim">,
    fence: StreamSequence,
  ) {
    this.#streams = streams
    this.#partition = partition
    this.#of = of
    this.#fence = fence
  }

  write(content: RecordContent): Pause<"written" | "lost"> {
    const done = new Pause<"written" | "lost">()
    const number = ++this.#number
    const data = encodeGroup({ ...this.#of, ...content, number })
    this.#write(data, number, content.over, done)
    return done
  }

  /** About once a second. */
  retry(): void {
    const stuck = this.#stuck
    this.#stuck = undefined
    stuck?.()
  }

  #write(data: Uint8Array, number: number, over: boolean, done: Pause<"written" | "lost">): void {
    const subject = subjectOfGroup(this.#of.share)
    const lifetime = over ? overLifetime : undefined
    const append = { subject, headers: {}, data, expected: this.#fence, rollup: true, lifetime }
    this.#streams.append(this.#partition, [append]).onAnswer((answer) => {
      if ("last" in answer) {
        this.#fence = answer.last
        done.answer("written")
      } else this.#look(data, number, over, done)
    })
  }

  /** Whether it is there, and whether the group is still this node's. */
  #look(data: Uint8Array, number: number, over: boolean, done: Pause<"written" | "lost">): void {
    this.#streams.last(this.#partition, subjectOfGroup(this.#of.share)).onAnswer((last) => {
      if (last !== undefined && "failed" in last) {
        this.#stuck = () => this.#look(data, number, over, done)
        return
      }
      const record = last && decodeGroup(last.data)
      const { claim, node } = this.#of
      const ours = typeof record === "object" && record.node === node && record.claim === claim
      if (ours && last !== undefined) {
        this.#fence = last.sequence
        if (record.number === number) done.answer("written")
        else this.#stuck = () => this.#write(data, number, over, done)
      } else done.answer("lost")
    })
  }
}

/** What the servers have of a session. */
function seenOf(
  reads: Slots,
  streams: Streams,
  clientId: string,
  share: string,
  now: number,
): Pause<SessionSeen | StoreFailed> {
  const done = new Pause<SessionSeen | StoreFailed>()
  const partition = partitionOf(clientId, streams.partitions)
  reads
    .ask(() => streams.all(partition, subjectOfSession(clientId)))
    .onAnswer((records) => {
      if ("failed" in records) {
        done.answer(records)
        return
      }
      const image = new SessionImage(clientId, streams.partitions)
      for (const { data } of records) {
        const head = applyRecord(image, data)
        if (typeof head !== "string") continue
        done.answer({ failed: head })
        return
      }
      const taken = image.taken.get(share)?.keys
      const { endsAt, exists, passing, subscriptions } = image
      // What one has subscribed to that ends with its connection is not written.
      const may = passing ? endsAt === undefined : (endsAt === undefined || endsAt > now) && subscriptions.has(share)
      done.answer({
        member: exists && may,
        taken: ([partition, sequence]) => taken?.has(keyOf(partition, sequence)) === true,
      })
    })
  return done
}
