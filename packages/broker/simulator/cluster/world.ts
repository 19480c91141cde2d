// A cluster in which a schedule happens: nodes that come and go, servers that can be away, and clients that go from one node to
// another. It does nothing by itself; what happens when is decided in schedule.ts.

import { type Random, seeded } from "../../../tls13/fuzz/random.ts"
import { SessionImage } from "../../src/cluster/session-image.ts"
import { applyRecord } from "../../src/cluster/session-record.ts"
import type { BrokerEvent } from "../../src/ports/events.ts"
import { Client, forever } from "../client.ts"
import type { Counted, Counts } from "../counts.ts"
import { Link } from "../link.ts"
import { Model, type SessionOf } from "../model.ts"
import { Broken } from "../promises.ts"
import type { WillOf } from "../wills.ts"
import { Member } from "./member.ts"
import { MemoryServers } from "./memory-servers.ts"
import type { Stored } from "./memory-stream.ts"

const begin = 1_000_000

/** Milliseconds of simulated time in which everything is answered once nothing fails any more. */
const patience = 60_000

/** Milliseconds that a node may be cut off without others taking over what it serves. */
const unnoticed = 9000

/** Milliseconds within which a node that can be heard again says something. */
const speaks = 4500

interface Opened {
  readonly client: Client
  readonly link: Link
  readonly member: Member
  readonly will: WillOf | undefined
}

export class ClusterWorld {
  readonly random: Random
  readonly servers: MemoryServers
  readonly model: Model = new Model(true)
  readonly sessions: SessionOf[] = []
  readonly clients: Client[] = []
  /** Has a session that never ends, and a subscription to all wills. */
  readonly watcher: Client
  members: Member[] = []
  readonly told: string[] = []
  readonly counts: Counts = new Map()
  /** Of all bytes that were sent, by anybody. */
  hash = 0x811c9dc5
  /** Connections that are gone, and the broker does not know. */
  ghosts: readonly Link[] = []
  /** Partitions without a leader. */
  readonly leaderless: Set<number> = new Set()
  serversAway = false
  readonly #house: boolean
  readonly #output: number
  readonly #queue: number
  readonly #byAddress: Map<string, Opened> = new Map()
  /** The connection that has the client's session, as far as anybody knows. */
  readonly #current: Map<string, Opened> = new Map()
  /** When its session may have been left at the earliest, as its client has not been told of another connection since. */
  readonly #left: Map<string, number> = new Map()
  readonly #wills: Map<WillOf, Member> = new Map()
  /** Those whose clients were told that they are connected; and, by their messages, those that servers had of any session. */
  readonly #answered: Set<WillOf> = new Set()
  readonly #kept: Set<number> = new Set()
  #links = 0
  #nodes = 0
  #broken: Broken | undefined

  constructor(seed: number, house: boolean) {
    this.#house = house
    this.random = seeded(seed)
    const { random } = this
    this.#output = random.pick([300, 1000, 1_048_576])
    this.#queue = random.pick([3, 10, 1000])
    this.servers = new MemoryServers({
      ...{ random, now: begin, partitions: random.pick([1, 2, 3]) },
      ...{ batch: random.pick([12, 1000]), latency: random.pick([1, 3, 20]) },
    })
    for (const { content } of this.servers.partitions) {
      const stored = content.onStored
      content.onStored = (message) => {
        stored(message)
        this.#stored(message)
      }
    }
    for (let i = random.pick([2, 2, 3]); i > 0; i--) this.start()
    const surroundings = {
      model: this.model,
      now: () => this.now,
      sessions: this.sessions,
      open: (client: Client) => this.#open(client),
      calm: () => false,
      tell: (what: string) => this.tell(what),
      count: (what: Counted) => this.count(what),
    }
    this.watcher = new Client(surroundings, "watch", random.oneIn(2) ? 4 : 5, forever, 20)
    this.clients.push(this.watcher)
    for (let i = 3 + random.integer(4); i > 0; i--) {
      const version = random.oneIn(2) ? 4 : 5
      const expiry = random.pick(version === 4 ? [0, forever, forever] : [0, 20, forever, forever])
      this.clients.push(new Client(surroundings, `c${i}`, version, expiry, random.pick([1, 2, 3, 20])))
    }
  }

  get now(): number {
    return this.servers.clock.now
  }

  tell(what: string): void {
    this.told.push(`${this.now - begin} ${what}`)
    if (this.told.length > 4000) this.told.splice(0, 1000)
  }

  count(what: Counted): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  #sent(bytes: Uint8Array): void {
    let { hash } = this
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
    this.hash = hash >>> 0
  }

  /** Throws when something was broken that nobody could be told of. */
  mind(): void {
    if (this.#broken !== undefined) throw this.#broken
  }

  /* ---------------------------------------------------------------- nodes and servers */

  /** Those that clients can connect to. */
  get open(): readonly Member[] {
    return this.members.filter(({ up, streams }) => up && !streams.process.still)
  }

  start(): void {
    const name = `n${++this.#nodes}`
    this.tell(`node ${name} begins`)
    const happened = (member: Member, event: BrokerEvent) => {
      this.#broken ??= this.#happened(member, event)
    }
    const { servers } = this
    const more = { output: this.#output, queue: this.#queue, retention: 86_400 }
    const member = new Member({ servers, name, happened, ...more })
    this.members.push(member)
    if (this.serversAway) member.streams.cut("at once")
  }

  crash(member: Member): void {
    this.count("crashes")
    this.tell(`node ${member.name} crashes`)
    const { model, now } = this
    const { recorder } = member.broker
    this.members = this.members.filter((one) => one !== member)
    this.ghosts = this.ghosts.filter((link) => !member.links.has(link))
    for (const opened of [...this.#current.values()]) if (opened.member === member) this.#leave(opened)
    const links = new Set(member.links)
    member.kill()
    model.wills.crashed(recorder.committed, now, 0, new Map(), (will) => this.#wills.get(will) === member)
    for (const client of this.clients) {
      if (client.link === undefined || !links.has(client.link)) continue
      client.lost()
    }
  }

  /** "still": its process does nothing any more until it is healed. */
  cut(member: Member, how: "at once" | "silently" | "still"): void {
    if (member.cutSince !== undefined) return
    this.tell(`node ${member.name} ${how === "still" ? "stands still" : `is cut off, ${how}`}`)
    this.count(how === "still" ? "nodes that stand still" : "nodes that are cut off")
    // Who is cut off again before it has said that it is there was silent all the time.
    member.cutSince = this.now - member.healedAt < speaks ? member.silentSince : this.now
    member.silentSince = member.cutSince
    if (how === "still") member.streams.process.stand()
    else member.streams.cut(how)
  }

  heal(member: Member): void {
    if (member.cutSince === undefined) return
    const { process } = member.streams
    this.tell(`node ${member.name} ${process.still ? "runs" : "reaches its servers"} again`)
    this.#noticed(member)
    member.cutSince = undefined
    member.healedAt = this.now
    if (process.still) process.goOn(this.random.oneIn(2))
    else if (!this.serversAway) member.streams.heal()
  }

  /** Others may have taken over whom it serves. */
  #noticed(member: Member): void {
    const { cutSince, name } = member
    if (cutSince === undefined || this.now - cutSince < unnoticed) return
    member.noticedAt = this.now
    for (const [clientId, opened] of this.#current) {
      if (opened.member === member && !this.#left.has(clientId)) this.#left.set(clientId, cutSince)
    }
    for (const [will, of] of this.#wills) {
      // A good-bye that is committed is one for all.
      const given = will.state === "good-bye" && will.turn < of.broker.recorder.committed
      if (of.name === name && !given) unsure(will)
    }
  }

  leaderAway(partition: number): void {
    this.tell(`partition ${partition} has no leader`)
    this.count("partitions without a leader")
    this.leaderless.add(partition)
    this.servers.partitions[partition]!.leaderAway()
  }

  leaderBack(partition: number): void {
    this.tell(`partition ${partition} has a leader`)
    this.leaderless.delete(partition)
    if (!this.serversAway) this.servers.partitions[partition]!.leaderBack()
  }

  allAway(): void {
    this.tell("all servers are away")
    this.count("times without servers")
    for (const member of this.members) if (member.streams.process.still) this.heal(member)
    this.serversAway = true
    this.servers.allAway()
  }

  allBack(): void {
    this.tell("the servers are back")
    this.serversAway = false
    this.leaderless.clear()
    for (const member of this.members) if (member.streams.process.still) this.heal(member)
    this.servers.allBack()
    for (const member of this.members) {
      this.#noticed(member)
      member.cutSince = undefined
    }
  }

  #happened(member: Member, event: BrokerEvent): Broken | undefined {
    if (event.event === "fault" && this.#house) return new Broken("nothing throws", `${event.stack}`)
    if (event.event === "client refused") this.tell(`${member.name} refuses ${event.clientId}: ${event.reason}`)
    // Until then it may have refused messages, and the refusals may have been lost.
    else if (event.event === "store recovered") this.model.refusedUntil = ++this.model.order
    else if (event.event === "store failed") this.tell(`${member.name} cannot commit: ${event.reason}`)
    else if (event.event === "client connected") return this.#connected(member, event)
    else if (event.event === "client disconnected") return this.#disconnected(member, event)
    return undefined
  }

  #connected(member: Member, { clientId, cleanStart, peer }: BrokerEvent & { event: "client connected" }): undefined {
    const { model, now } = this
    const one = this.#byAddress.get(peer.address)
    if (one === undefined) return
    this.tell(`${member.name} accepts ${clientId}`)
    const before = this.#current.get(clientId)
    if (before !== undefined) this.#leave(before)
    // What another node was about to say of it nobody may have heard.
    for (const [will, of] of this.#wills) {
      const said = of === member || will.turn < of.broker.recorder.committed
      if (will.clientId === clientId && !said && (will.state === "good-bye" || will.state === "went on")) unsure(will)
      // Its CONNECT was not answered, and what it had is nobody's.
      const unanswered = of !== member && will.set >= of.broker.recorder.committed
      if (will.clientId === clientId && unanswered && (will.state === "must" || will.state === "pending")) unsure(will)
      if (will.clientId === clientId && will.state === "maybe" && cleanStart) will.dueFrom = Math.min(will.dueFrom, now)
    }
    const { turn } = member.broker.recorder
    model.wills.cameBack(clientId, cleanStart, now, turn, (will) => this.#wills.set(will, member))
    this.#current.set(clientId, one)
    const left = this.#left.get(clientId)
    one.link.taken = { at: now, left: left === undefined ? undefined : { from: left, to: Number.POSITIVE_INFINITY } }
    one.client.taken(now, left === undefined ? undefined : { from: left })
    if (one.will !== undefined) {
      model.wills.accepted(one.will, turn)
      this.#wills.set(one.will, member)
    }
  }

  /** Whoever sees to it: its node has gone, or has lost the session. */
  #leave({ client, will, member }: Opened): void {
    const { now } = this
    this.#current.delete(client.id)
    if (!this.#left.has(client.id)) this.#left.set(client.id, now)
    if (will?.state !== "waits") return
    this.model.wills.wentAway(will, false, now, member.broker.recorder.turn)
    this.#wills.set(will, member)
    will.dueFrom = now
    will.dueTo = Number.POSITIVE_INFINITY
    // Nobody was told that it is accepted.
    if (will.set >= member.broker.recorder.committed) unsure(will)
    this.#noticed(member)
  }

  #disconnected(
    member: Member,
    { by, reason, clientId, peer }: BrokerEvent & { event: "client disconnected" },
  ): Broken | undefined {
    const { now } = this
    this.tell(`${member.name} sees ${clientId} go: ${by}, ${reason}`)
    const opened = this.#byAddress.get(peer.address)
    if (opened !== undefined && this.#current.get(clientId) === opened) {
      this.#current.delete(clientId)
      if (!this.#left.has(clientId)) this.#left.set(clientId, now)
      const { will } = opened
      if (will?.state === "waits") {
        const goodbye = by === "client" && reason === "normal"
        this.model.wills.wentAway(will, goodbye, now, member.broker.recorder.turn)
        this.#wills.set(will, member)
        if (!goodbye) will.dueTo = Number.POSITIVE_INFINITY
        // Who takes over may begin clean.
        if (reason.startsWith("session taken over")) will.dueFrom = now
        // It may have lost the session, and not know.
        if (member.cutSince !== undefined) unsure(will)
        // Its CONNECT was not answered, and what it had is nobody's.
        const lost = reason.startsWith("session taken over by another node")
        if (lost && will.set >= member.broker.recorder.committed) unsure(will)
      }
    }
    if (by !== "broker" || reason.startsWith("session taken over") || !this.#house) return undefined
    return new Broken("nobody is put out", `${clientId} was put out: ${reason}`)
  }

  /** Its client has been told that it is connected. */
  welcomed(client: Client): void {
    const current = this.#current.get(client.id)
    if (!client.connected || current === undefined || current.link !== client.link) return
    if (current.will !== undefined) this.#answered.add(current.will)
    if ((current.link.taken?.at ?? 0) > current.member.noticedAt) this.#left.delete(client.id)
  }

  /**
   * A CONNECT that nobody was answered, and no server heard of, may be lost with all that it had: another node took the session, or it
   * took longer to keep it than what says whose a new session is stays.
   */
  forgiveUnanswered(): void {
    for (const will of this.#wills.keys()) if (!this.#answered.has(will) && !this.#kept.has(will.msg.id)) unsure(will)
  }

  /** What servers have taken: of a session's record the will. */
  #stored({ subject, data }: Stored): void {
    if (!subject.startsWith("s.")) return
    const image = new SessionImage("", this.servers.partitions.length)
    applyRecord(image, data)
    const payload = image.will?.will.payload
    if (payload !== undefined) this.#kept.add(Number.parseInt(String.fromCharCode(...payload), 10))
  }

  /* ---------------------------------------------------------------- links */

  #open(client: Client): Link {
    const member = this.random.pick(this.open)
    const link = new Link(
      `client:${++this.#links}`,
      () => this.now,
      (bytes) => this.#sent(bytes),
    )
    this.tell(`${client.id} goes to ${member.name}`)
    this.#byAddress.set(link.address, { client, link, member, will: client.will })
    member.links.add(link)
    link.process = member.streams.process
    link.connection = member.broker.accept({ transport: "stream", address: link.address }, link.sink, this.now)
    return link
  }

  /** The client sees that its connection is gone; the broker now, or later. */
  drop(client: Client): void {
    const { link } = client
    if (link === undefined) return
    this.tell(`${client.id} loses its connection`)
    this.count("connections that are lost")
    if (this.random.oneIn(3)) this.leaveBehind(link)
    else this.#cut(link, "cut")
    client.lost()
  }

  /** Its client has nothing to do with it any more; the broker will see that later. What the client has sent may still come. */
  leaveBehind(link: Link): void {
    this.count("connections that are lost, and the broker does not know")
    if (this.random.oneIn(3)) link.cut()
    this.ghosts = [...this.ghosts, link]
  }

  /** The broker sees that it is gone. */
  bury(ghost: Link): void {
    this.ghosts = this.ghosts.filter((one) => one !== ghost)
    this.#cut(ghost, "cut")
  }

  #cut(link: Link, why: string): void {
    link.cut()
    link.tellClosed(why)
    for (const { links } of this.members) links.delete(link)
  }

  /** Up to so many bytes of the broker's come to the client. */
  down(client: Client, most: number): void {
    const { link } = client
    if (link === undefined) return
    const part = link.takeDown(most, this.now)
    if (part !== undefined) client.receive(part.bytes, part.at)
    this.welcomed(client)
    if (link.lastBlocked === this.now) this.count("links that are full")
    link.drain(this.now)
    this.end(client)
  }

  /** The broker has ended it, and all was read. */
  end(client: Client): void {
    const { link } = client
    if (link?.over !== true) return
    this.#cut(link, "ended")
    client.lost()
  }

  pass(milliseconds: number): void {
    this.servers.advance(milliseconds)
    for (const member of this.members) this.#noticed(member)
    this.mind()
  }

  /** Until everybody is answered; nothing fails meanwhile. */
  untilQuiet(what: string): void {
    const end = this.now + patience
    for (let quiet = 0; this.now < end; ) {
      for (const client of this.clients) {
        const { link } = client
        if (link === undefined) continue
        link.stalled = false
        while (link.hasUp) link.deliverUp(100_000, this.now)
        while (client.link?.hasDown === true) this.down(client, 100_000)
        this.end(client)
        client.acknowledge(undefined)
      }
      this.mind()
      const busy =
        this.clients.some(
          ({ busy, connected, link }) => link !== undefined && (!connected || busy || link.hasUp || link.hasDown),
        ) || this.members.some(({ broker, up }) => !up || broker.recorder.committed < broker.recorder.turn)
      quiet = busy ? 0 : quiet + 1
      // What is under way between nodes takes its time.
      if (quiet > 20) return
      this.pass(busy ? 20 : 10)
    }
    const busy = this.clients.flatMap(({ id, connected, link, busy }) =>
      link !== undefined && (!connected || busy) ? [`${id}${connected ? "" : " has no CONNACK"}`] : [],
    )
    throw new Broken("everybody is answered", `${what}: ${busy.join(", ")}`)
  }
}

function unsure(will: WillOf): void {
  will.state = "maybe"
  will.dueFrom = 0
}
