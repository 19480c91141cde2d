// One node of a cluster: the Bus by which its messages go to the others, the Store in which they are kept with what outlives
// connections, and the sessions that it serves. The servers of the cluster come when they are reached, before the first client.

import type { Change, Position } from "../packet/change.ts"
import type { Message } from "../packet/message.ts"
import type { Bus, BusReceiver } from "../ports/bus.ts"
import type {
  Arrived,
  Claimed,
  Cluster,
  ClusterNode,
  FetchedMessages,
  SharedMember,
  Standing,
} from "../ports/cluster.ts"
import type { ClusterEvent } from "../ports/events.ts"
import type { ClusterNumbers, NodeView } from "../ports/nodes.ts"
import { Pause } from "../ports/pause.ts"
import type { Committed, Restored, Store, StoreFailed } from "../ports/store.ts"
import type { Reach, Subscriber } from "../routing/subscription.ts"
import { Claims } from "./claims.ts"
import { Commits } from "./commits.ts"
import { arrivedOf, envelopeOf, roots, sentBy, sentOf } from "./envelope.ts"
import { keyOf } from "./group-record.ts"
import { Groups } from "./groups.ts"
import { Interest } from "./interest.ts"
import { Interests, mostSubjects, subjectBytes } from "./interests.ts"
import { Neighbours } from "./neighbours.ts"
import { OwnNode } from "./own-node.ts"
import { Ownership, unheard } from "./ownership.ts"
import { PassingTimes } from "./passing-times.ts"
import { filterPart, type SessionLog, willPart } from "./session-log.ts"
import { SessionRecords, subscriptionBytes } from "./session-record.ts"
import { Slots } from "./slots.ts"
import type { Streams } from "./streams.ts"
import { subjectsOfFilter } from "./subjects.ts"

export interface ClusterOptions {
  /** Another with each start. */
  readonly node: string
  readonly partitions: number
  /** Seconds that a message is kept at most. */
  readonly retention: number
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** Told what goes wrong, a line each. */
  readonly trouble: (line: string) => void
  /** What it says of itself, with `node` as its id. Undefined: nothing but that. */
  readonly own?: OwnNode | undefined
  readonly events?: ((event: ClusterEvent) => void) | undefined
}

/** Of a message that nobody keeps. */
const nowhere: Position = { partition: 0, sequence: 0 }

/** Sessions that are looked at in one second, after trouble. */
const looked = 200

/** What the servers are asked for at a time: ranges of messages, each with a consumer of its own; and single records and messages. */
const fetchesAtOnce = 64
const readsAtOnce = 256

/** Bytes that may stand behind a payload and its properties: a topic, and a Client Identifier. */
const envelopeBytes = 2 * 65_535

export class NodeOfCluster implements Bus, Store, Cluster {
  readonly lasting = true
  readonly partitions: number
  readonly #options: ClusterOptions
  readonly #logs: Map<string, SessionLog> = new Map()
  readonly #commits: Commits
  readonly #ownership: Ownership
  readonly #claims: Claims
  readonly #interests: Interests
  readonly #neighbours: Neighbours
  readonly #groups: Groups
  readonly #passingTimes = new PassingTimes()
  readonly #fetches = new Slots(fetchesAtOnce)
  #hub: ClusterNode | undefined
  #receiver: BusReceiver = () => ({ sessions: 0, withoutRoom: 0 })
  #streams: Streams | undefined
  /** Sessions here that another node may have taken. */
  readonly #doubted: Set<string> = new Set()
  /** Milliseconds since 1970: when nobody takes any more what it was asked for while nobody heard that. */
  #lookAgainAt = Number.POSITIVE_INFINITY

  constructor(options: ClusterOptions) {
    const { node, now, partitions, retention, trouble, own = nameless(node), events = () => undefined } = options
    this.#options = options
    this.partitions = partitions
    const streams = () => this.#streams
    const reads = new Slots(readsAtOnce)
    this.#ownership = new Ownership({
      streams,
      reads,
      now,
      // It may have been let go meanwhile.
      lose: (log) => {
        if (this.#logs.get(log.image.clientId) === log) this.#commits.lose(log)
      },
    })
    this.#commits = new Commits({
      node,
      ownership: this.#ownership,
      streams,
      now,
      retention,
      trouble,
      logOf: (clientId) => this.#logs.get(clientId),
      lost: (log) => this.#lost(log),
      notOurs: (clientId) => this.#hub?.lost(clientId),
      stoodStill: () => {
        this.#backAgain()
        this.#hub?.stoodStill()
      },
    })
    this.#claims = new Claims({
      node,
      streams,
      ownership: this.#ownership,
      now,
      reads,
      records: new SessionRecords(),
      largest: () => this.#streams?.largest ?? 0,
      known: () => this.#interests.known,
      message: (sequence) => this.#commits.message(sequence),
      claimed: (log) => this.#logs.set(log.image.clientId, log),
      doubtful: (clientId) => this.#neighbours.doubtful(clientId),
      alive: (name) => this.#neighbours.alive(name),
      mayBeThere: (name) => this.#neighbours.mayBeThere(name),
    })
    this.#interests = new Interests({
      arrived: (partition, message) => {
        const arrived = arrivedOf(message, partition)
        // What has no QoS and is in a partition, as it is retained, has been told to all.
        if (arrived !== undefined && arrived.qos > 0) {
          this.#hub?.arrived(arrived)
          this.#groups.noticed(partition, message.subject.slice(2))
        }
        if (this.#hub?.behind === true) this.#interests.pause(true)
      },
      passed: (message) => {
        const found = arrivedOf({ ...message, sequence: 0 }, 0)
        if (found === undefined) return
        const sent = sentOf(message.headers)
        const publishedAt = sent && this.#passingTimes.published(sent.node, sent.at, now())
        const arrived: Arrived = { ...found, qos: 0, publishedAt }
        this.#hub?.arrived(arrived)
        this.#groups.passing(message.subject.slice(2), arrived)
      },
    })
    const released = (clientId: string) => {
      // It was claimed, and its client is here, since that was asked.
      if (this.#hub?.serves(clientId) === true) return false
      const attended = this.#logs.get(clientId)?.image.attended === true
      this.#logs.delete(clientId)
      return attended
    }
    const asked = (clientId: string) => {
      this.#claims.asked(clientId)
      const log = this.#logs.get(clientId)
      if (log !== undefined) log.wanted = true
    }
    const adoptGroup = (share: string) => this.#groups.adopt(share)
    const gone = (name: string) => this.#groups.nodeGone(name)
    this.#neighbours = new Neighbours({
      ...{ own, events, now, trouble, asked, released, adoptGroup, gone },
      hub: () => this.#hub,
    })
    this.#groups = new Groups({
      node,
      streams,
      reads,
      hub: () => this.#hub,
      now,
      alive: (name) => this.#neighbours.alive(name),
      fetch: (partition, paths, after, most) => this.fetch(partition, paths, after, most),
      wants: (path) => this.#wantsForGroup(path),
      unwanted: (path) => this.#interests.remove(path),
      claimOf: (clientId) => this.#logs.get(clientId)?.claimedAt,
      admits: (clientId, share, number, done) => this.#logs.get(clientId)?.image.admits(share, number, done) !== false,
    })
  }

  /** The servers are reached. Once, before anybody connects. */
  open(streams: Streams): void {
    this.#streams = streams
    streams.onReachable = (reachable) => {
      this.#neighbours.reachable(reachable)
      if (!reachable) return
      this.#ownership.deaf()
      this.#interests.retry()
      this.#backAgain()
      this.#lookAgainAt = this.#options.now() + unheard
    }
    this.#interests.open(streams)
    this.#neighbours.open(streams)
    this.#groups.open(streams)
  }

  /** Others may have taken this node for gone: what it serves, and who its members are, may not be known any more. */
  #backAgain(): void {
    for (const clientId of this.#logs.keys()) this.#doubted.add(clientId)
    this.#groups.again()
  }

  /** Looks whether sessions are still this node's that have nothing to say, and so would not be told. */
  #lookAtDoubted(): void {
    const streams = this.#streams
    if (streams === undefined || !streams.reachable) return
    let left = looked
    for (const clientId of this.#doubted) {
      if (left-- === 0) return
      this.#doubted.delete(clientId)
      const log = this.#logs.get(clientId)
      if (log === undefined) continue
      this.#ownership.look(log).onAnswer((problem) => {
        if (problem !== undefined) this.#doubted.add(clientId)
      })
    }
  }

  #wantsForGroup(path: string): Pause<readonly number[] | StoreFailed> {
    const done = new Pause<readonly number[] | StoreFailed>()
    const answer = (standing: Standing) => {
      if (standing !== "standing") {
        done.answer(standing)
        return
      }
      this.#interests.add(path)
      done.answer([...this.#interests.known])
    }
    const standing = this.#interests.wants([path])
    if (standing === undefined) answer("standing")
    else standing.onAnswer(answer)
    return done
  }

  /** Answers when the retained messages that there are have come; see Streams. */
  mirror(): Pause<undefined> {
    const done = new Pause<undefined>()
    this.#streams?.followRetained((message) => {
      if (message === undefined) {
        done.answer(undefined)
        return
      }
      const { origin = { partition: 0, sequence: 0 } } = message
      const arrived = arrivedOf({ ...message, subject: `${roots.retained}.${message.subject}` }, 0)
      if (arrived !== undefined) this.#hub?.retained({ ...arrived, position: { ...origin, aside: true } })
    })
    return done
  }

  /** About once a second. */
  tick(): void {
    this.#commits.runs()
    if (this.#options.now() >= this.#lookAgainAt) {
      this.#lookAgainAt = Number.POSITIVE_INFINITY
      this.#backAgain()
    }
    this.#lookAtDoubted()
    this.#neighbours.tick(this.#options.now())
    this.#groups.tick(this.#options.now())
  }

  /** What there is of it here: nothing, when nobody is served. */
  get held(): { readonly logs: number; readonly filters: number; readonly subjects: number } {
    const { filters, subjects } = this.#interests
    return { logs: this.#logs.size, filters, subjects }
  }

  /** This node, the others by their names, and last those that have gone in the last ten minutes. */
  nodes(): readonly NodeView[] {
    return this.#neighbours.views(this.#options.now())
  }

  get reachable(): boolean {
    return this.#streams?.reachable === true
  }

  get numbers(): ClusterNumbers {
    const there = this.nodes().filter(({ state }) => state === "this" || state === "there")
    const clients = there.reduce((sum, node) => sum + node.clients, 0)
    return { nodes: there.length, clients, reachable: this.reachable }
  }

  // --- Cluster ---

  begin(node: ClusterNode): void {
    this.#hub = node
  }

  filterBytes(filter: string): number {
    return subscriptionBytes(filter, this.partitions)
  }

  get mostFilterBytes(): number {
    return (this.#streams?.largest ?? Number.POSITIVE_INFINITY) * filterPart
  }

  get mostWillBytes(): number {
    return (this.#streams?.largest ?? Number.POSITIVE_INFINITY) * willPart
  }

  claim(clientId: string, cleanStart: boolean, wanted: () => boolean): Pause<Claimed | StoreFailed> {
    return this.#claims.claim(clientId, cleanStart, wanted)
  }

  adopt(clientId: string, node: string): Pause<Claimed | StoreFailed> {
    return this.#claims.claim(clientId, false, () => true, node)
  }

  wants(paths: readonly string[]): Pause<Standing> | undefined {
    return this.#interests.wants(paths)
  }

  subscribed(path: string): void {
    this.#interests.add(path)
  }

  unsubscribed(path: string): void {
    this.#interests.remove(path)
  }

  runs(): void {
    this.#commits.runs()
  }

  look(clientId: string): Pause<undefined | StoreFailed> {
    const log = this.#logs.get(clientId)
    if (log !== undefined) return this.#ownership.look(log)
    // It was let go.
    this.#hub?.lost(clientId)
    const done = new Pause<undefined | StoreFailed>()
    done.answer(undefined)
    return done
  }

  release(clientId: string): void {
    if (this.#logs.get(clientId)?.over === true) this.#logs.delete(clientId)
  }

  routed(partition: number): number {
    return this.#interests.seen(partition)
  }

  known(partition: number): number {
    return this.#interests.known[partition] ?? 0
  }

  fetch(
    partition: number,
    paths: readonly string[],
    after: number,
    most: number,
  ): Pause<FetchedMessages | StoreFailed> {
    const done = new Pause<FetchedMessages | StoreFailed>()
    const streams = this.#streams
    if (streams === undefined) {
      done.answer({ failed: "the cluster is not open" })
      return done
    }
    const wanted = paths.flatMap((path) => subjectsOfFilter(path))
    const subjects = withoutParts(wanted, streams).map((subject) => `*.${subject}`)
    this.#fetches
      .ask(() => streams.fetch(partition, subjects, after, most))
      .onAnswer((answer) => {
        if ("failed" in answer) {
          done.answer(answer)
          return
        }
        const messages = answer.messages.flatMap((message) => {
          const arrived = arrivedOf(message, partition)
          return arrived === undefined || arrived.qos === 0 ? [] : [arrived]
        })
        done.answer({ messages, through: answer.through, more: answer.more })
      })
    return done
  }

  wantsShared(
    shares: readonly string[],
    member: Pick<SharedMember, "clientId" | "lasting">,
  ): Pause<Standing> | undefined {
    return this.#groups.comes(shares, member)
  }

  joined(share: string, member: SharedMember): void {
    this.#groups.joined(share, member)
  }

  parted(share: string, clientId: string, gone: boolean): void {
    this.#groups.parted(share, clientId, gone)
  }

  settled(share: string, clientId: string, position: Position, done: boolean): void {
    this.#groups.settled(share, clientId, position, done)
  }

  hasTaken(clientId: string, share: string, { partition, sequence }: Position): boolean {
    return this.#logs.get(clientId)?.image.taken.get(share)?.keys.has(keyOf(partition, sequence)) === true
  }

  // --- Bus ---

  publish(message: Message, publisher: Subscriber | undefined, now: number): Reach {
    const reach = this.#receiver(message, publisher, now)
    const streams = this.#streams
    if (streams === undefined || message.topic.name.startsWith("$SYS/")) return reach
    if (this.#groups.any) message.own()
    const { expiresAt, payload, properties, qos, retain, topic } = message
    const what = { topic: topic.name, qos, retain, expiresAt, properties, payload }
    const published = { ...what, publisher: publisher?.clientId ?? "" }
    const { subject, headers, data } = envelopeOf(published, roots.passing)
    streams.tell(subject, { ...headers, ...sentBy(this.#options.node, this.#options.now()) }, data)
    if (this.#groups.any) this.#groups.passing(subject.slice(2), { ...published, position: nowhere })
    return reach
  }

  receive(receiver: BusReceiver): void {
    this.#receiver = receiver
  }

  // --- Store ---

  /** Sessions come one by one, when their clients do. */
  restore(): Restored {
    return "restored"
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    const answer = this.#commits.commit(turn)
    if (!(answer instanceof Pause)) return answer
    const done = new Pause<Committed>()
    answer.onAnswer((committed) => {
      if (committed === "committed") this.#committed(turn)
      done.answer(committed)
      if (this.#hub?.behind !== true) this.#interests.pause(false)
    })
    return done
  }

  full(): string | undefined {
    return this.#streams?.full
  }

  get largest(): number | undefined {
    const largest = this.#streams?.largest
    return largest === undefined ? undefined : largest - envelopeBytes
  }

  close(): void | Pause<void> {
    this.#groups.close()
    this.#neighbours.close()
    return this.#streams?.close()
  }

  #committed(turn: readonly Change[]): void {
    for (const change of turn) {
      if (!("clientId" in change)) continue
      if (this.#hub?.serves(change.clientId) !== true) this.release(change.clientId)
    }
  }

  #lost(log: SessionLog): void {
    const { clientId } = log.image
    if (this.#logs.get(clientId) === log) this.#logs.delete(clientId)
    this.#hub?.lost(clientId)
  }
}

/** Those of the subjects that are not part of another; where they are many, wider ones: who asked picks what is his. */
function withoutParts(subjects: readonly string[], streams: Streams): string[] {
  const interest = new Interest(mostSubjects)
  interest.mostBytes = subjectBytes(streams)
  for (const subject of subjects) interest.add(subject)
  interest.settle()
  return [...interest.subjects]
}

function nameless(id: string): OwnNode {
  const figures = () => ({ clients: 0, sessions: 0, received: 0, sent: 0 })
  return new OwnNode({ id, name: id, version: "0", startedAt: 0, figures })
}
