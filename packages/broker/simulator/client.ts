// A client that keeps to MQTT: it sends again what was not acknowledged, acknowledges late, and loses its connection.

import type { Random } from "../../tls13/fuzz/random.ts"
import type { Counted } from "./counts.ts"
import type { Link } from "./link.ts"
import { type Model, type Msg, SessionOf, type Subscribed, type Write } from "./model.ts"
import { Broken } from "./promises.ts"
import type { WillOf } from "./wills.ts"
import * as wire from "./wire.ts"

interface Outgoing {
  readonly msg: Msg | undefined
  readonly write: Write | undefined
  readonly topic: string
  readonly qos: wire.Qos
  readonly retain: boolean
  readonly expiry: number | undefined
  state: "publish" | "pubrel"
}

interface Acknowledgement {
  readonly kind: 4 | 5 | 7
  readonly packetId: number
}

/** What a client needs of the world. */
export interface Surroundings {
  readonly model: Model
  readonly now: () => number
  readonly sessions: SessionOf[]
  readonly open: (client: Client) => Link
  /** Whether nothing has held up the broker's output since then. */
  readonly calm: (link: Link, since: number) => boolean
  readonly tell: (what: string) => void
  readonly count: (what: Counted) => void
}

export const forever = 0xffff_ffff

/** Of a subscription, beside its filter and QoS. */
export interface Wishes {
  readonly noLocal: boolean
  readonly withoutRetained: boolean
}

/** Messages that one sends without having been answered. */
const window = 5

/** A SUBSCRIBE, or an UNSUBSCRIBE, that is not answered. */
interface Asked {
  readonly filter: string
  readonly sub: Subscribed | undefined
  /** Order. */
  readonly at: number
}

export class Client {
  readonly id: string
  readonly version: wire.Version
  /** Seconds. */
  readonly expiry: number
  readonly receiveMaximum: number
  link: Link | undefined
  /** CONNACK has come. */
  connected = false
  session: SessionOf | undefined
  /** It begins anew, and has not been told yet that it has. */
  #cleans: boolean
  /** The session of this connection ends with it. */
  #passing = false
  #present = false
  /** Its session's time may have been over when its CONNECT came: whether there is another one it cannot know. */
  #doubtful = false
  #reader: wire.Reader
  #aliases: Map<number, string> = new Map()
  #nextId = 0
  readonly #outgoing: Map<number, Outgoing> = new Map()
  readonly #asking: Map<number, Asked> = new Map()
  /** QoS 1 that it has not acknowledged, and QoS 2 that is not released. */
  readonly #one: Set<number> = new Set()
  readonly #two: Map<number, string> = new Map()
  #acknowledgements: Acknowledgement[] = []
  /** In flight on this connection. */
  #quota: Set<number> = new Set()
  will: WillOf | undefined
  /** Topics on which retained messages have come. */
  readonly retainedSeen: Set<string> = new Set()
  readonly #world: Surroundings

  constructor(world: Surroundings, id: string, version: wire.Version, expiry: number, receiveMaximum: number) {
    this.#world = world
    this.id = id
    this.version = version
    this.expiry = expiry
    this.receiveMaximum = version === 5 ? receiveMaximum : 65_535
    this.#reader = new wire.Reader(version)
    this.#cleans = version === 4 && expiry === 0
  }

  get busy(): boolean {
    return this.#outgoing.size > 0 || this.#asking.size > 0 || this.#acknowledgements.length > 0 || this.#two.size > 0
  }

  /** A SUBSCRIBE or UNSUBSCRIBE of it is not answered. */
  get asks(): boolean {
    return this.#asking.size > 0
  }

  get mayPublish(): boolean {
    return this.connected && this.#outgoing.size < window
  }

  get owes(): boolean {
    return this.connected && this.#acknowledgements.length > 0
  }

  connect(clean: boolean, will: { readonly qos: wire.Qos; readonly delay: number } | undefined): void {
    const { model } = this.#world
    this.lost()
    if (clean) this.#cleans = true
    const cleans = this.#cleans
    const expiry = this.version === 4 && cleans ? 0 : this.expiry
    this.#passing = expiry === 0
    this.#reader = new wire.Reader(this.version)
    this.will = undefined
    const delay = this.version === 5 ? Math.min(will?.delay ?? 0, expiry) * 1000 : 0
    const topic = `w/${this.id}`
    if (will !== undefined) {
      const msg = model.message(this.id, topic, will.qos, false, undefined)
      msg.firstSent = ++model.order
      msg.sends = 1
      const state = { state: "maybe", dueFrom: 0, dueTo: 0, set: 0, turn: 0 } as const
      this.will = { msg, clientId: this.id, delay, ...state }
    }
    this.link = this.#world.open(this)
    const { version, id: clientId, receiveMaximum } = this
    const more = { version, clientId, user: clientId, expiry, receiveMaximum }
    const packet = this.will && {
      topic,
      payload: `${this.will.msg.id}`,
      qos: this.will.msg.qos,
      delay: will?.delay ?? 0,
    }
    this.#send(wire.connect({ ...more, clean: cleans, aliases: 2, will: packet }))
    this.#world.tell(
      `${this.id} connects, ${cleans ? "clean" : "not clean"}, will ${this.will?.msg.id} in ${delay} ms, expiry ${expiry}`,
    )
  }

  get cleans(): boolean {
    return this.#cleans
  }

  /** Its session ends with the connection. */
  get passing(): boolean {
    return this.#passing
  }

  /** The broker has accepted a CONNECT of it, this connection's or an earlier one's. @param left when it lost the one before */
  taken(now: number, left: { readonly from: number } | undefined): void {
    if (this.expiry !== forever && left !== undefined && now >= left.from + this.expiry * 1000) this.#doubtful = true
  }

  /** The connection is no more. */
  lost(): void {
    this.connected = false
    this.link = undefined
    this.#acknowledgements = []
    this.#quota = new Set()
    this.#aliases = new Map()
    // Whether they are granted nobody knows.
    this.#asking.clear()
    if (this.#passing) this.#forget()
  }

  #forget(): void {
    if (this.session !== undefined) this.session.alive = false
    this.session = undefined
    this.#outgoing.clear()
    this.#one.clear()
    this.#two.clear()
  }

  #send(bytes: Uint8Array): void {
    this.link?.send(bytes)
  }

  #id(): number {
    do this.#nextId = (this.#nextId % 40) + 1
    while (this.#outgoing.has(this.#nextId) || this.#asking.has(this.#nextId))
    return this.#nextId
  }

  publish(topic: string, qos: wire.Qos, expiry: number | undefined, writes: Write[] | undefined, empty: boolean): void {
    const { model } = this.#world
    const retain = writes !== undefined
    const msg = empty ? undefined : model.message(this.id, topic, qos, retain, this.version === 5 ? expiry : undefined)
    const answered = Number.POSITIVE_INFINITY
    const write = writes && { msg, qos, sent: ++model.order, sends: 0, answered, acked: false, refused: false }
    if (write !== undefined) writes?.push(write)
    const packetId = qos === 0 ? 0 : this.#id()
    const one: Outgoing = { msg, write, topic, qos, retain, expiry: msg?.expiry, state: "publish" }
    if (qos > 0) this.#outgoing.set(packetId, one)
    this.#publish(packetId, one, false)
  }

  #publish(packetId: number, { msg, write, topic, qos, retain, expiry }: Outgoing, dup: boolean): void {
    const { model, tell } = this.#world
    if (write !== undefined) write.sends++
    if (msg !== undefined) {
      msg.sends++
      if (msg.firstSent === 0) msg.firstSent = ++model.order
    }
    tell(`${this.id} publishes ${msg?.id} on ${topic}, QoS ${qos}, id ${packetId}${dup ? ", DUP" : ""}`)
    const payload = msg === undefined ? "" : msg.id % 3 === 0 ? `${msg.id}${" ".repeat(200)}` : `${msg.id}`
    this.#send(wire.publish(this.version, { topic, payload, qos, dup, retain, packetId, expiry }))
  }

  subscribe(filter: string, qos: wire.Qos, wishes: Wishes): void {
    const { model, tell, count } = this.#world
    const { session } = this
    if (session === undefined) return
    const asked = ++model.order
    for (const sub of session.subs) if (sub.filter === filter) sub.until = Math.min(sub.until, asked)
    const never = Number.POSITIVE_INFINITY
    const { noLocal, withoutRetained } = this.version === 5 ? wishes : { noLocal: false, withoutRetained: false }
    const retained = model.retainedNow()
    const sub = { filter, qos, noLocal, withoutRetained, asked, from: never, until: never, gone: never, retained }
    session.subs.push(sub)
    if (noLocal) count("subscriptions with No Local")
    const packetId = this.#id()
    this.#asking.set(packetId, { filter, sub, at: asked })
    const told = `${noLocal ? ", No Local" : ""}${withoutRetained ? ", without retained" : ""}`
    tell(`${this.id} subscribes to ${filter}, QoS ${qos}${told}`)
    this.#send(wire.subscribe(this.version, packetId, filter, qos, { noLocal, withoutRetained }))
  }

  unsubscribe(filter: string): void {
    const { model, tell } = this.#world
    const now = ++model.order
    for (const sub of this.session?.subs ?? []) if (sub.filter === filter) sub.until = Math.min(sub.until, now)
    const packetId = this.#id()
    this.#asking.set(packetId, { filter, sub: undefined, at: now })
    tell(`${this.id} unsubscribes from ${filter}`)
    this.#send(wire.unsubscribe(this.version, packetId, filter))
  }

  /** @param code 4: its will is to be published */
  disconnect(code: 0 | 4, expiry?: number): void {
    this.#world.tell(`${this.id} says good-bye${code === 4 && this.version === 5 ? ", with its will" : ""}`)
    this.#send(wire.disconnect(this.version, code, expiry))
  }

  /** Sends some of what it owes. */
  acknowledge(random: Random | undefined): void {
    let count = random === undefined ? this.#acknowledgements.length : 1 + random.integer(4)
    while (count-- > 0) {
      const next = this.#acknowledgements.shift()
      if (next === undefined) return
      if (next.kind !== 5) this.#quota.delete(next.packetId)
      if (next.kind === 4) this.#one.delete(next.packetId)
      this.#send(wire.acknowledge(next.kind, next.packetId))
    }
  }

  /** Bytes of the broker's. `at`, in milliseconds: when it has written them. */
  receive(bytes: Uint8Array, at: number): void {
    this.#reader.push(bytes)
    for (let one = this.#reader.next(); one !== undefined; one = this.#reader.next()) this.#packet(one, at)
  }

  #packet(one: wire.Packet, at: number): void {
    if (one.type === "connack") {
      this.#connack(one.present, one.code)
      return
    }
    if (!this.connected) {
      if (one.type === "disconnect") return
      throw new Broken("CONNACK comes first, once", `${this.id} was sent ${one.type} before CONNACK`)
    }
    if (one.type === "publish") this.#published(one, at)
    else if (one.type === "ack") this.#acknowledged(one.kind, one.packetId, one.code)
    else if (one.type === "suback" || one.type === "unsuback") this.#answered(one.packetId, one.codes)
    else this.#world.tell(`${this.id} was sent ${one.type}${one.type === "disconnect" ? ` ${one.code}` : ""}`)
  }

  #connack(present: boolean, code: number): void {
    const { sessions, tell, count } = this.#world
    const { id } = this
    tell(`${id} was answered ${code}, ${present ? "session present" : "no session"}`)
    if (this.connected) throw new Broken("CONNACK comes first, once", `${id} was sent CONNACK twice`)
    if (code !== 0) return
    const taken = this.link?.taken
    if (taken === undefined)
      throw new Broken("CONNACK comes first, once", `${id} was sent a CONNACK that nobody has decided`)
    if (present && this.#cleans) throw new Broken("clean start", `${id} begins clean, and has a session`)
    const { at, left: gone } = taken
    const ends = this.expiry === forever ? Number.POSITIVE_INFINITY : this.expiry * 1000
    if (present && gone !== undefined && at >= gone.to + ends)
      throw new Broken("a session ends", `the session of ${id} has come back after its time`)
    const still = gone === undefined || at < gone.from + ends
    if (!present && !this.#cleans && this.session !== undefined) {
      if (still) throw new Broken("a session goes on", `the session of ${id} is lost`)
      count("sessions whose time is over")
    }
    count(present ? "sessions that go on" : "new sessions")
    if (!present || this.session === undefined) {
      this.#forget()
      this.session = new SessionOf(id, this.version)
      sessions.push(this.session)
    } else if (this.#doubtful) {
      const { subs } = this.session
      this.#forget()
      this.session = new SessionOf(id, this.version)
      this.session.subs.push(...subs.map((sub) => ({ ...sub, until: 0 })))
      sessions.push(this.session)
    }
    this.#doubtful = false
    this.#present = present
    this.#cleans = this.version === 4 && this.expiry === 0
    this.connected = true
    for (const [packetId, outgoing] of this.#outgoing) {
      if (outgoing.state === "publish") this.#publish(packetId, outgoing, true)
      else this.#send(wire.acknowledge(6, packetId))
    }
  }

  #published(one: wire.PublishSeen, at: number): void {
    const { model, tell, calm } = this.#world
    const { id, link, session } = this
    if (session === undefined || link === undefined) return
    const { packetId, qos, dup, alias } = one
    const topic = one.topic === "" ? this.#aliases.get(alias) : one.topic
    if (topic === undefined) throw new Broken("topic aliases", `${id} was sent a Topic Alias that it does not know`)
    if (alias > 0) this.#aliases.set(alias, topic)
    const told = `QoS ${qos}, id ${packetId}${dup ? ", DUP" : ""}${one.retain ? ", retained" : ""}`
    tell(`${id} is sent ${one.payload.trim()} on ${topic}, ${told}`)
    this.#count(one, topic)
    if (one.retain) this.retainedSeen.add(topic)
    if (dup && !this.#present)
      throw new Broken("DUP says what comes again", `${id} was sent DUP in a session that has just begun`)
    if (qos > 0) this.#flow(packetId, dup)
    if (qos === 1) {
      this.#one.add(packetId)
      this.#acknowledgements.push({ kind: 4, packetId })
    } else if (qos === 2) {
      this.#acknowledgements.push({ kind: 5, packetId })
      const known = this.#two.get(packetId)
      if (known !== undefined && known !== one.payload)
        throw new Broken("an identifier for one message", `${id} was sent another message with DUP`)
      if (known !== undefined) return
      this.#two.set(packetId, one.payload)
    }
    model.received(session, one, topic, at, (since) => calm(link, since))
    if (topic.startsWith("w/")) model.wills.came(model.messages[Number.parseInt(one.payload, 10)]!, at)
  }

  #count({ qos, dup, retain }: wire.PublishSeen, topic: string): void {
    const { count } = this.#world
    count(`messages of QoS ${qos}`)
    if (dup) count("messages that come again")
    if (retain) count("retained messages")
    if (topic.startsWith("w/")) count("wills that come")
    if (topic.startsWith("s/")) count("messages of Shared Subscriptions")
  }

  /** QoS 1 and 2: identifiers, DUP, and how much is unacknowledged. */
  #flow(packetId: number, dup: boolean): void {
    const { id } = this
    if (dup && this.#quota.has(packetId))
      throw new Broken("again after a reconnect only", `${id} was sent ${packetId} twice on one connection`)
    const open = this.#one.has(packetId) || this.#two.has(packetId)
    const late = this.#acknowledgements.some((owed) => owed.packetId === packetId)
    if (!dup && (open || late)) {
      const what = `${id} was sent identifier ${packetId} for another message, or without DUP`
      throw new Broken("an identifier for one message", what)
    }
    this.#quota.add(packetId)
    if (this.#quota.size > this.receiveMaximum)
      throw new Broken("receive maximum", `${id} was sent more than its Receive Maximum`)
  }

  #acknowledged(kind: 4 | 5 | 6 | 7, packetId: number, code: number): void {
    const { model, now, tell } = this.#world
    tell(`${this.id} is acknowledged: ${kind}, id ${packetId}, code ${code}`)
    if (kind === 6) {
      this.#two.delete(packetId)
      this.#acknowledgements.push({ kind: 7, packetId })
      return
    }
    const one = this.#outgoing.get(packetId)
    const expected = one?.state === "pubrel" ? 7 : one?.qos === 2 ? 5 : 4
    if (one === undefined || kind !== expected)
      throw new Broken(
        "answers have a question",
        `${this.id} was sent ${kind} for ${packetId}, which does not wait for it`,
      )
    if (kind !== 7 && one.write !== undefined) one.write.answered = ++model.order
    if (kind !== 7 && code < 0x80) {
      if (one.msg !== undefined) model.acknowledged(one.msg, now())
      if (one.write !== undefined) one.write.acked = true
    } else if (kind !== 7) {
      if (one.msg !== undefined) one.msg.refused = true
      if (one.write !== undefined) one.write.refused = true
    }
    if (kind === 5 && code < 0x80) {
      one.state = "pubrel"
      this.#send(wire.acknowledge(6, packetId))
    } else this.#outgoing.delete(packetId)
  }

  #answered(packetId: number, codes: readonly number[]): void {
    const { model } = this.#world
    const asked = this.#asking.get(packetId)
    if (asked === undefined)
      throw new Broken("answers have a question", `${this.id} was answered ${packetId}, which it did not ask`)
    this.#asking.delete(packetId)
    const order = ++model.order
    if (asked.sub === undefined) {
      // One that was made since, and is to end by a later one, is there until that is answered.
      for (const sub of this.session?.subs ?? [])
        if (sub.filter === asked.filter && sub.until <= asked.at) sub.gone = Math.min(sub.gone, order)
    } else if (codes[0]! < 0x80) {
      asked.sub.from = order
    } else asked.sub.until = 0
  }
}
