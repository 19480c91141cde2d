// The messages that one client process sends and gets: its share of the publishers and of the subscribers.

import { type Load, now, reasonText, shareOf } from "@puremq/tls13/bench"
import { publishHead } from "../../mqtt-client/packets.ts"
import type { ConnackPacket, Qos } from "../../packet/packets.ts"
import { TopicTable } from "../../packet/topic.ts"
import { Window } from "../client/window.ts"
import type { Connector } from "./connector.ts"
import { DeliveryCheck } from "./delivery-check.ts"
import type { LoadClient } from "./load-client.ts"
import { type Measurement, MessageRecord } from "./message-record.ts"
import type { MessageFigures, Order } from "./messages.ts"
import { filler, PublishTemplate, readStamp } from "./payload.ts"
import { type Plan, windowOf } from "./plan.ts"
import { Publisher, type Sent } from "./publisher.ts"
import { filterOf, StreamsOfFilter, streamsOf, topicOf } from "./shape.ts"

/** Milliseconds between looks at what is due: what timers do. */
const tick = 1
/** A closed loop goes on by itself: between looks at whether it is over. */
const closedTick = 5

export interface MessageSetup {
  readonly plan: Plan
  readonly scenario: { readonly qos: Qos; readonly size: number }
  readonly worker: number
  readonly run: number
  readonly samples: boolean
  readonly connector: Connector
}

interface Publishing {
  readonly publisher: Publisher
  /** Its number in all processes. */
  readonly index: number
  /** Messages that it may still begin in the measurement. */
  readonly claims: { readonly left: number }
}

interface Subscribed {
  readonly client: LoadClient
  readonly check: DeliveryCheck
  readonly filter: string
}

export class MessageLoad {
  readonly record: MessageRecord
  readonly #setup: MessageSetup
  readonly #load: Load
  readonly #measurement: Measurement
  readonly #topics = new TopicTable(0xffff)
  readonly #subscribed: Subscribed[] = []
  /** Of shared subscriptions all of a group have one. */
  readonly #checks = new Map<string, DeliveryCheck>()
  readonly #publishers: Publishing[] = []
  /** Of the open loop: its next message, of those of this process. */
  #next = 0
  #t0 = Number.POSITIVE_INFINITY
  #ending = false

  constructor(setup: MessageSetup) {
    const { plan, samples } = setup
    const { load, shape } = plan
    this.#setup = setup
    this.#load = load
    const from = 1000 * load.warmUp
    const until = load.seconds === undefined ? Number.POSITIVE_INFINITY : from + 1000 * load.seconds
    this.#measurement = { from, until, publishOnly: shape.subscribers === 0 }
    this.record = new MessageRecord(this.#measurement, () => this.#clock(), samples)
  }

  /** Makes all connections and subscriptions, `concurrency` at once. What fails is noted; rejects when all of them do. */
  async connect(): Promise<void> {
    const { plan, worker } = this.#setup
    const { workers, concurrency } = this.#load
    const places = new Window(shareOf(concurrency, worker, workers))
    const { subscribers, publishers, share } = plan.shape
    // What the members of a group got is put together in one process.
    const isMine = (index: number) => (share === undefined ? index % workers : 0) === worker
    const subscribing = numbersBelow(subscribers).filter(isMine)
    await this.#each(subscribing, places, (index) => this.#subscriber(index))
    const publishing = numbersBelow(publishers).filter((index) => index % workers === worker)
    await this.#each(publishing, places, (index) => this.#publisher(index))
  }

  /** Publishes to the end of the load. @param t0 when it begins, on the clock of this process */
  async run(t0: number): Promise<readonly Sent[]> {
    this.#t0 = t0
    do await sleep(-this.#clock())
    while (this.#clock() < 0)
    const { rate } = this.#load
    if (rate === undefined) for (const { publisher } of this.#publishers) publisher.pump()
    else this.#publishers.sort((one, other) => one.index - other.index)
    while (!this.#isOver()) {
      if (rate !== undefined) this.#pumpDue()
      await sleep(rate === undefined ? closedTick : tick)
    }
    // What was due since the last look begins yet; what is held up does not.
    for (const { publisher } of this.#publishers) {
      publisher.pump()
      publisher.finish()
    }
    const answered = Promise.all(this.#publishers.map(({ publisher }) => publisher.idle()))
    await Promise.race([answered, this.#quiet()])
    return this.#publishers.flatMap(({ publisher }) => publisher.sent)
  }

  /** Begins nothing more. */
  stop(): void {
    this.#measurement.until = Math.min(this.#measurement.until, Math.max(0, this.#clock()))
  }

  /** Waits for what is on its way: what each stream has sent, whatever process it is in. */
  async finish({ sent, refused }: Extract<Order, { readonly order: "finish" }>): Promise<MessageFigures> {
    const streams = new StreamsOfFilter(this.#setup.plan.shape)
    const wanted = new Map<DeliveryCheck, readonly number[]>()
    for (const { check, filter } of this.#subscribed) wanted.set(check, streams.of(filter))
    const lostOf = (check: DeliveryCheck) =>
      (wanted.get(check) ?? []).reduce(
        (sum, stream) => sum + Math.max(0, check.missing(stream, sent[stream]!) - refused[stream]!),
        0,
      )
    const lost = () => [...wanted.keys()].reduce((sum, check) => sum + lostOf(check), 0)
    const expected = [...wanted.values()].flat().reduce((sum, stream) => sum + sent[stream]! - refused[stream]!, 0)
    const delivered = () => [...wanted.keys()].reduce((sum, check) => sum + check.delivered, 0)
    await this.#quiet(() => delivered() >= expected)
    const missing = lost()
    if (missing > 0) this.record.fail(`not delivered when nothing had come for ${this.#setup.plan.drain} s`, missing)
    const behind = this.#publishers.reduce((sum, each) => sum + this.#behind(each), 0)
    return this.record.figures(wanted.keys(), missing, behind, this.#setup.plan.shape.share === undefined)
  }

  /** Takes what is retained away, and says goodbye. Not before all processes have counted: their subscribers get that, too. */
  async end(): Promise<void> {
    this.#ending = true
    const { plan, connector } = this.#setup
    if (plan.retain) {
      for (const { publisher } of this.#publishers) this.#clear(publisher, connector.version)
      // Subscribers of a run that comes next get what the broker has not read by then.
      const read = Promise.all(this.#publishers.map(({ publisher }) => publisher.allRead()))
      await Promise.race([read, sleep(plan.timeout)])
    }
    for (const { client } of this.#subscribed) client.end()
    for (const { publisher } of this.#publishers) publisher.client.end()
  }

  /* ---------------------------------------------------------------- connections */

  async #each(indexes: readonly number[], places: Window, work: (index: number) => Promise<void>): Promise<void> {
    let [done, first] = [0, undefined as Error | undefined]
    await Promise.all(
      indexes.map(async (index) => {
        await places.enter()
        try {
          await work(index)
          done++
        } catch (error) {
          first ??= error instanceof Error ? error : new Error(String(error))
          this.record.fail(reasonText(error))
        } finally {
          places.leave()
        }
      }),
    )
    if (done === 0 && first !== undefined) throw first
  }

  async #subscriber(index: number): Promise<void> {
    const { plan, scenario, run, connector } = this.#setup
    const { shape } = plan
    const filter = filterOf(shape, index)
    const check = this.#checkOf(filter)
    const client = connector.open(`s${index}`, this.#topics, {
      onMessage: (view, start, end) => {
        const stamp = readStamp(view, start, end)
        if (stamp === undefined || stamp.run !== run) this.record.foreign()
        else if (check.see(stamp.stream, stamp.sequence))
          this.record.arrived(index, stamp.stream, stamp.sequence, stamp.due, stamp.late, this.#clock())
      },
      onLost: (error) => this.#lost(error),
    })
    await this.#connected(client)
    const began = now()
    try {
      await client.subscribe(shape.share === undefined ? filter : `$share/${shape.share}/${filter}`, scenario.qos)
    } catch (error) {
      client.end()
      throw error
    }
    this.record.part("suback", now() - began)
    this.#subscribed.push({ client, check, filter })
  }

  async #publisher(index: number): Promise<void> {
    const { plan, scenario, run, connector } = this.#setup
    const { shape, retain } = plan
    const { qos, size } = scenario
    const { rate, count } = this.#load
    let publisher: Publisher | undefined
    const client = connector.open(`p${index}`, this.#topics, {
      onAcknowledged: (id, code) => publisher?.acknowledged(id, code),
      onPong: () => publisher?.pong(),
      onRead: () => publisher?.pump(),
      onLost: (error) => {
        this.#lost(error)
        publisher?.lost()
      },
    })
    const connack = await this.#connected(client)
    const streams = streamsOf(shape, index)
    const payload = filler(size)
    const templates = streams.map(
      (stream) =>
        new PublishTemplate(
          { run, stream },
          { topic: topicOf(shape, stream), qos, retain, payload },
          connector.version,
        ),
    )
    connector.checkSize(templates[0]!.packet.length, connack)
    const claims = {
      left: count === undefined ? Number.POSITIVE_INFINITY : shareOf(count, index, shape.publishers),
    }
    publisher = new Publisher(client, streams, templates, {
      qos,
      window: windowOf(plan, qos, connector.version, connack.receiveMaximum ?? 0xffff) ?? Number.POSITIVE_INFINITY,
      dueOf: rate === undefined ? undefined : (i) => this.#dueOf(index, i, rate),
      clock: () => this.#clock(),
      log: this.record.logOf(claims, qos === 2 ? "pubcomp" : "puback"),
    })
    this.#publishers.push({ publisher, index, claims })
  }

  async #connected(client: LoadClient): Promise<ConnackPacket> {
    const connack = await client.connect(this.#setup.plan.timeout)
    this.record.part("connack", now() - client.readyAt)
    return connack
  }

  #checkOf(filter: string): DeliveryCheck {
    if (this.#setup.plan.shape.share === undefined) return new DeliveryCheck()
    const known = this.#checks.get(filter) ?? new DeliveryCheck()
    this.#checks.set(filter, known)
    return known
  }

  #lost(error: Error): void {
    if (!this.#ending) this.record.fail(reasonText(error))
  }

  /* ---------------------------------------------------------------- time */

  #clock(): number {
    return now() - this.#t0
  }

  #isOver(): boolean {
    const at = this.#clock()
    if (at >= this.#measurement.until) return true
    return this.#publishers.every(({ publisher, claims }) => publisher.client.lost || claims.left <= 0)
  }

  /** All publishers take turns, whatever process they are in. */
  #dueOf(publisher: number, message: number, rate: number): number {
    return ((message * this.#setup.plan.shape.publishers + publisher) * 1000) / rate
  }

  /** The open loop: lets those write that have something due. */
  #pumpDue(): void {
    const [all, at, rate] = [this.#publishers, this.#clock(), this.#load.rate!]
    for (let i = 0; i < all.length; i++) {
      const { publisher, index } = all[this.#next % all.length]!
      if (this.#dueOf(index, Math.floor(this.#next / all.length), rate) > at) return
      publisher.pump()
      this.#next++
    }
    // Each has written all that it had: the rounds that are past have nothing more.
    const rounds = Math.floor((at * rate) / 1000 / this.#setup.plan.shape.publishers)
    this.#next = Math.max(this.#next, rounds * all.length)
  }

  /** Messages of the measurement that were due and not begun. */
  #behind({ publisher, index }: Publishing): number {
    const { rate } = this.#load
    const { from, until } = this.#measurement
    if (rate === undefined || !Number.isFinite(until)) return 0
    const before = (time: number) =>
      Math.ceil((time * rate) / 1000 / this.#setup.plan.shape.publishers - index / this.#setup.plan.shape.publishers)
    return Math.max(0, before(until) - Math.max(publisher.count, before(from)))
  }

  /** Resolves when nothing has come for as long as --drain says, or it is done. */
  async #quiet(isDone: () => boolean = () => false): Promise<void> {
    const began = this.#clock()
    while (!isDone() && this.#clock() - Math.max(began, this.record.lastAt) < 1000 * this.#setup.plan.drain)
      await sleep(10)
  }

  #clear({ client, sent }: Publisher, version: 4 | 5): void {
    const empty = new Uint8Array(0)
    for (const { stream } of sent) {
      const topic = topicOf(this.#setup.plan.shape, stream)
      const packet = publishHead({ topic, qos: 0, retain: true, payload: empty, properties: [] }, 0, version)
      if (packet !== undefined) client.write(packet)
    }
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (milliseconds <= 0) setImmediate(resolve)
    else setTimeout(resolve, milliseconds)
  })
}

function numbersBelow(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i)
}
