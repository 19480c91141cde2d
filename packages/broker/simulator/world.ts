// What a schedule happens in: the broker's core with a clock, a store and links of ours, and clients. It does nothing by itself;
// what happens when is decided in schedule.ts.

import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import { createLocalBus } from "../src/buses/local.ts"
import { mqttPacketCodec } from "../src/codecs/mqtt-packet.ts"
import { Broker } from "../src/hub/broker.ts"
import type { BrokerEvent } from "../src/ports/events.ts"
import { simulatedAccess } from "./access.ts"
import { Client, forever } from "./client.ts"
import type { Counted, Counts } from "./counts.ts"
import { Link } from "./link.ts"
import { Model, type SessionOf } from "./model.ts"
import { Broken } from "./promises.ts"
import { SimulatedStore } from "./store.ts"
import type { WillOf } from "./wills.ts"
import { connect } from "./wire.ts"

/** How much earlier than a crash connections may count as lost: signs of life are a minute apart, and may be late. */
const early = 100_000

/** Milliseconds of simulated time in which everything is answered once nothing fails any more. */
const patience = 60_000

const begin = 1_000_000

/** What there is much of: "jobs" of Shared Subscriptions whose members come and go, or messages in "one line", with little room. */
const themes = ["all sorts", "all sorts", "jobs", "one line"] as const
export type Theme = (typeof themes)[number]

interface Opened {
  readonly client: Client
  readonly link: Link
  readonly will: WillOf | undefined
}

export class World {
  readonly random: Random
  readonly theme: Theme
  readonly model: Model = new Model()
  readonly store: SimulatedStore
  readonly sessions: SessionOf[] = []
  readonly clients: Client[] = []
  /** Has a session that never ends, and a subscription to all wills. */
  readonly watcher: Client
  now = begin
  broker: Broker
  /** Of all bytes that were sent, by anybody. */
  hash = 0x811c9dc5
  /** The last things that happened. */
  readonly told: string[] = []
  readonly counts: Counts = new Map()
  /** Connections that are gone, and the broker does not know. */
  ghosts: readonly Link[] = []
  /** Bytes that may wait for a client: with few of them what is sent stops and goes on all the time. */
  readonly #output: number
  /** Milliseconds that a publisher waits for who does not keep up. */
  readonly #pause: number
  /** Logins that take their time. */
  #logins: (() => void)[] = []
  readonly #byAddress: Map<string, Opened> = new Map()
  /** When the broker lost its connection: at the earliest, at the latest, and the turn that this was said in. */
  readonly #left: Map<string, { from: number; to: number; turn: number }> = new Map()
  /** Clients that the broker takes for connected: the turn that its CONNECT was said in. */
  readonly #there: Map<string, number> = new Map()
  #links = 0
  #names = 0
  #scheduled = false
  #nextTick: number
  #wakeAt = Number.POSITIVE_INFINITY
  readonly #house: boolean
  /** What the broker's events have shown, until somebody can be told. */
  #broken: Broken | undefined

  /** @param house whether promises of the house are judged, too */
  constructor(seed: number, house: boolean) {
    this.#house = house
    this.random = seeded(seed)
    const { random } = this
    this.store = new SimulatedStore(
      () => this.now,
      (what) => this.count(what),
    )
    this.#nextTick = this.now + 1000
    this.theme = random.pick(themes)
    this.#output = this.theme === "one line" ? 300 : random.pick([300, 1000, 1_048_576])
    this.#pause = random.pick([0, 500])
    this.broker = this.#start()
    const surroundings = {
      model: this.model,
      now: () => this.now,
      sessions: this.sessions,
      open: (client: Client) => this.#open(client),
      calm: (link: Link, since: number) => link.lastBlocked < since && this.store.lastTrouble < since,
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

  tell(what: string): void {
    this.told.push(`${this.now - begin} ${what}`)
    if (this.told.length > 2000) this.told.splice(0, 1000)
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

  /* ---------------------------------------------------------------- the broker */

  #start(): Broker {
    this.#scheduled = false
    this.#wakeAt = Number.POSITIVE_INFINITY
    const broker: Broker = new Broker({
      access: simulatedAccess((decide) => this.#logsInLate(broker, decide)),
      bus: createLocalBus(),
      store: this.store,
      // So what is for several comes in several turns, between which anything may happen.
      awayPerTurn: 0,
      codec: mqttPacketCodec,
      now: () => this.now,
      schedule: () => {
        if (broker === this.broker) this.#scheduled = true
      },
      wakeAfter: (milliseconds) => {
        this.#wakeAt = Math.min(this.#wakeAt, this.now + milliseconds)
      },
      randomName: () => `name${this.#names++}`,
      events: (event) => {
        // What throws here the broker only counts.
        if (broker === this.broker) this.#broken ??= this.#happened(event)
      },
      limits: {
        ...{ maximumInflight: 8, receiveMaximum: 10 },
        ...{ maximumOutboundBytes: this.#output, maximumPublisherPause: this.#pause },
      },
    })
    this.broker = broker
    this.#scheduled = true
    broker.restore(this.now)
    return broker
  }

  #logsInLate(broker: Broker, decide: () => void): boolean {
    if (!this.random.oneIn(8)) return false
    this.count("logins that take their time")
    this.#logins.push(() => {
      if (broker === this.broker) decide()
    })
    return true
  }

  /** A login that has taken its time is decided. */
  logIn(): void {
    this.#logins.shift()?.()
  }

  #happened(event: BrokerEvent): Broken | undefined {
    if (event.event === "fault" && this.#house) return new Broken("nothing throws", `${event.stack}`)
    if (event.event === "client refused") this.tell(`${event.clientId} is refused: ${event.reason}`)
    // Until then it may have refused messages, and the refusals may have been lost.
    else if (event.event === "store recovered") this.model.refusedUntil = ++this.model.order
    else if (event.event === "client connected") return this.#connected(event)
    else if (event.event === "client disconnected") return this.#disconnected(event)
    return undefined
  }

  #connected({ clientId, cleanStart, peer }: BrokerEvent & { event: "client connected" }): Broken | undefined {
    const { model, store, now } = this
    const one = this.#byAddress.get(peer.address)
    if (one === undefined) return new Broken("whose session it is", `another user has the session of ${clientId}`)
    this.tell(`the broker accepts ${clientId}`)
    model.wills.cameBack(clientId, cleanStart, now, store.begun)
    this.#there.set(clientId, store.begun)
    const left = this.#left.get(clientId)
    one.link.taken = { at: now, left: left && { ...left } }
    one.client.taken(now, left)
    if (one.will !== undefined) model.wills.accepted(one.will, store.begun)
    return undefined
  }

  #disconnected({ by, reason, clientId, peer }: BrokerEvent & { event: "client disconnected" }): Broken | undefined {
    const { now, store } = this
    this.tell(`the broker sees ${clientId} go: ${by}, ${reason}`)
    this.#left.set(clientId, { from: now, to: now, turn: store.begun })
    this.#there.delete(clientId)
    const will = this.#byAddress.get(peer.address)?.will
    if (will !== undefined) this.model.wills.wentAway(will, by === "client" && reason === "normal", now, store.begun)
    if (by !== "broker" || reason === "session taken over" || !this.#house) return undefined
    return new Broken("nobody is put out", `${clientId} was put out: ${reason}`)
  }

  /** One turn, if there is something to do; what is left waits for the next. */
  turn(): void {
    if (!this.#scheduled) return
    this.#scheduled = false
    this.broker.flush(this.now)
  }

  settle(): void {
    for (let turns = 0; this.#scheduled; turns++) {
      this.turn()
      if (turns === 100_000) throw new Broken("everybody is answered", "turns have no end")
    }
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds
    while (this.now < end) {
      this.now = Math.min(end, this.#nextTick, Math.max(this.now, this.#wakeAt))
      if (this.now >= this.#wakeAt) {
        this.#wakeAt = Number.POSITIVE_INFINITY
        this.broker.wake(this.now)
      }
      if (this.now >= this.#nextTick) {
        this.#nextTick += 1000
        this.broker.tick(this.now)
        this.settle()
      }
    }
  }

  /** The process ends, and another one begins on what was kept. */
  crash(): void {
    const { model, store, now, random } = this
    this.count("crashes")
    if (store.waits) this.count("crashes with a turn under way")
    store.crash(random.oneIn(2))
    this.tell("the broker crashes")
    for (const { id } of this.clients) {
      const left = this.#left.get(id)
      const there = this.#there.get(id)
      if (there === undefined && (left === undefined || left.turn < store.committed)) continue
      // What has not been kept of its last connection may never have been.
      const before = there !== undefined && there < store.committed ? undefined : left
      this.#left.set(id, { from: Math.min(before?.from ?? now, now - early), to: now, turn: store.begun })
    }
    this.#there.clear()
    model.refusedUntil = ++model.order
    model.wills.crashed(store.committed, now, early, this.watcher.session?.got ?? new Map())
    for (const client of this.clients) {
      client.link?.cut()
      if (client.link !== undefined) client.lost()
    }
    for (const ghost of this.ghosts) ghost.cut()
    this.ghosts = []
    this.#logins = []
    this.#start()
    if (random.oneIn(2)) this.settle()
  }

  /* ---------------------------------------------------------------- links */

  #open(client: Client): Link {
    const link = this.#link(`client:${++this.#links}`)
    this.#byAddress.set(link.address, { client, link, will: client.will })
    return link
  }

  #link(address: string): Link {
    const link = new Link(
      address,
      () => this.now,
      (bytes) => this.#sent(bytes),
    )
    link.connection = this.broker.accept({ transport: "stream", address }, link.sink, this.now)
    return link
  }

  /** Another user says that he is this client. */
  stranger({ id, version, expiry }: Client): void {
    this.count("strangers who want a session")
    this.tell(`another user says that he is ${id}`)
    const link = this.#link(`stranger:${++this.#links}`)
    const more = { expiry, receiveMaximum: 10, aliases: 0, will: undefined }
    link.send(connect({ version, clientId: id, user: "another", clean: this.random.oneIn(2), ...more }))
    link.deliverUp(1000, this.now)
    this.ghosts = [...this.ghosts, link]
  }

  /** The client sees that its connection is gone; the broker now, or later. */
  drop(client: Client): void {
    const { link } = client
    if (link === undefined) return
    this.tell(`${client.id} loses its connection`)
    this.count("connections that are lost")
    if (this.random.oneIn(4)) this.leaveBehind(link)
    else {
      link.cut()
      link.connection?.transportClosed(this.now, "cut")
    }
    client.lost()
  }

  /** Its client has nothing to do with it any more; the broker will see that later. What the client has sent may still come. */
  leaveBehind(link: Link): void {
    this.count("connections that are lost, and the broker does not know")
    if (this.random.oneIn(2)) link.cut()
    this.ghosts = [...this.ghosts, link]
  }

  /** The broker sees that it is gone. */
  bury(ghost: Link): void {
    this.ghosts = this.ghosts.filter((one) => one !== ghost)
    ghost.cut()
    ghost.connection?.transportClosed(this.now, "cut")
  }

  /** Up to so many bytes of the broker's come to the client. */
  down(client: Client, most: number): void {
    const { link } = client
    if (link === undefined) return
    const part = link.takeDown(most, this.now)
    if (part !== undefined) client.receive(part.bytes, part.at)
    if (link.lastBlocked === this.now) this.count("links that are full")
    link.drain(this.now)
    this.#end(client)
  }

  /** The broker has ended it, and all was read. */
  #end(client: Client): void {
    const { link } = client
    if (link?.over !== true) return
    link.cut()
    link.connection?.transportClosed(this.now, "ended")
    client.lost()
  }

  /** Until everybody is answered; nothing fails meanwhile. */
  untilQuiet(what: string): void {
    const end = this.now + patience
    while (this.now < end) {
      while (this.#logins.length > 0) this.logIn()
      for (const client of this.clients) {
        const { link } = client
        if (link === undefined) continue
        link.stalled = false
        while (link.hasUp) {
          link.deliverUp(100_000, this.now)
          this.settle()
        }
        while (client.link?.hasDown === true) this.down(client, 100_000)
        this.#end(client)
        client.acknowledge(undefined)
      }
      this.settle()
      this.store.answer()
      this.settle()
      this.mind()
      const busy = this.clients.some(
        (client) =>
          client.link !== undefined && (!client.connected || client.busy || client.link.hasUp || client.link.hasDown),
      )
      if (!busy && !this.store.waits) return
      this.pass(250)
    }
    throw new Broken("everybody is answered", what)
  }
}
