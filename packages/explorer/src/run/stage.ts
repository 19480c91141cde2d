// One connection of a run: a client and a server in memory, each with its trace, and the records between them, one at a time.

import type {
  ClientConnection,
  Connection,
  ConnectionEvent,
  Outcome,
  ServerConnection,
  TraceEvent,
} from "@puremq/tls13"
import { copyOf, equalBytes } from "@puremq/tls13/explore"
import { forgetNotices, noticedAt } from "../recording/noticed.ts"
import { recorder } from "../recording/recorder.ts"
import { type Meddling, meddledWith, otherEnd, recordsOf } from "./meddling.ts"
import type { ExchangeObserver } from "./providers.ts"
import type { Cost, End, Fate, Happening, Step, WireRecord } from "./step.ts"
import { traced } from "./traced.ts"

/** Records in one run, at most: two ends that answer each other for ever are stopped. */
const mostRecords = 2_000

export class Stage {
  readonly #steps: Step[]
  readonly #costs: Cost[]
  readonly #connection: number
  readonly #meddlings: readonly Meddling[]
  readonly #clock: () => number
  #client: ClientConnection | undefined
  #server: ServerConnection | undefined
  /** On their way, by who sent them. */
  readonly #under: { readonly client: WireRecord[]; readonly server: WireRecord[] } = { client: [], server: [] }
  /** Whose stream somebody has cut. */
  readonly #cut = new Set<End>()
  /** The end that is not there: what it is sent arrives nowhere. */
  #absent: End | undefined
  #flight = 0
  #lastSender: End | undefined
  #nextId: number
  /** Of the record that is being delivered. */
  #delivering: number | undefined
  readonly now: number

  constructor(options: {
    readonly steps: Step[]
    readonly costs: Cost[]
    readonly connection: number
    readonly meddlings: readonly Meddling[]
    readonly now: number
    /** Microseconds. */
    readonly clock: () => number
    readonly firstId: number
  }) {
    this.#steps = options.steps
    this.#costs = options.costs
    this.#connection = options.connection
    this.#meddlings = options.meddlings
    this.#clock = options.clock
    this.#nextId = options.firstId
    this.now = options.now
  }

  /** The id that the next record gets. */
  get nextId(): number {
    return this.#nextId
  }

  get client(): ClientConnection {
    if (this.#client === undefined) throw new Error("the client has not been opened")
    return this.#client
  }

  get server(): ServerConnection {
    if (this.#server === undefined) throw new Error("the server has not been opened")
    return this.#server
  }

  open(client: ClientConnection, server: ServerConnection): void {
    this.#client = client
    this.#server = server
  }

  /** What a connection of this end is given as its `trace`. */
  traceOf(end: End): (event: TraceEvent) => void {
    return (event) => {
      const isReceived = event.type === "record" && event.direction === "received"
      this.#add(end, traced(event, isReceived ? this.#delivering : undefined))
    }
  }

  /** What the provider of this end is observed by. */
  exchangeOf(end: End): ExchangeObserver {
    return (group, peersShare, secret) => this.#add(end, { type: "exchange", group, peersShare, secret })
  }

  /** Something that is done to an end, and what comes of it. */
  act(end: End, text: string, work: () => Outcome): void {
    this.#add(end, { type: "action", text })
    this.#call(end, work)
  }

  note(end: End | undefined, text: string): void {
    this.#add(end, { type: "action", text })
  }

  /** Carries records, one at a time, until both ends are silent. */
  run(): void {
    for (;;) {
      // A flight arrives as a whole before the other end's answer leaves.
      const from = this.#lastSender ?? "client"
      const sender = this.#under[from].length > 0 ? from : otherEnd(from)
      if (this.#under[sender].length === 0) return
      if (this.#nextId > mostRecords) throw new Error(`more than ${mostRecords} records: the ends do not come to rest`)
      if (this.#lastSender !== undefined && sender !== this.#lastSender) this.#flight++
      this.#lastSender = sender
      this.#deliver(sender, this.#under[sender].shift()!)
    }
  }

  /** Copies of what an end has sent and has not arrived yet: what somebody who listens has. */
  onTheWay(from: End): readonly Uint8Array[] {
    return this.#under[from].map(({ sent }) => copyOf(sent))
  }

  /** Somebody sends these records in the name of an end, which is not there. */
  replay(from: End, records: readonly Uint8Array[]): void {
    this.#absent = from
    for (const bytes of records) {
      this.#under[from].push({ id: this.#nextId++, from, sent: new Uint8Array(0), arrives: bytes, fate: "injected" })
    }
  }

  /** The stream of an end stops without close_notify, as when a wire is cut. */
  cutStream(from: End): void {
    this.#add(undefined, { type: "action", text: `the ${from}'s stream ends here, without close_notify` })
    const to = otherEnd(from)
    this.#call(to, () => this.#of(to).receiveEnd(this.now))
  }

  #deliver(from: End, record: WireRecord): void {
    const to = otherEnd(from)
    if (this.#cut.has(from)) return
    if (to === this.#absent) {
      this.#wire({ ...record, arrives: new Uint8Array(0), fate: "dropped" })
      return
    }
    const delay = this.#meddlings.some(({ kind, record: id }) => kind === "delay" && id === record.id)
    const next = this.#under[from][0]
    if (delay && next !== undefined && record.fate !== "delayed") {
      this.#under[from].shift()
      this.#under[from].unshift({ ...record, fate: "delayed" })
      this.#deliver(from, next)
      return
    }
    // What was injected has no sender whose bytes could be changed.
    const { parts, ends } =
      record.fate === "injected"
        ? { parts: [{ bytes: record.arrives, injected: true }], ends: false }
        : meddledWith(record.id, record.sent, this.#meddlings)
    if (parts.length === 0) this.#wire({ ...record, arrives: new Uint8Array(0), fate: "dropped" })
    parts.forEach(({ bytes, injected }, index) => {
      const sent = injected ? new Uint8Array(0) : record.sent
      const isRepeated = !injected && index > 0 && !parts[index - 1]!.injected
      const fate = injected ? "injected" : isRepeated ? "repeated" : fateOf(record, bytes)
      this.#wire({ ...record, sent, arrives: bytes, fate })
      this.#delivering = record.id
      this.#call(to, () => this.#of(to).receive(copyOf(bytes), this.now))
      this.#delivering = undefined
    })
    if (!ends) return
    this.#cut.add(from)
    this.cutStream(from)
  }

  #wire(record: WireRecord): void {
    this.#add(undefined, { type: "wire", record })
  }

  #of(end: End): Connection {
    return end === "client" ? this.client : this.server
  }

  #call(end: End, work: () => Outcome): void {
    const began = this.#clock()
    const outcome = work()
    this.#costs.push({ step: this.#steps.length, end, micros: this.#clock() - began })
    for (const event of outcome.events) {
      const happening = happeningOf(event)
      if (happening) this.#add(end, happening)
    }
    for (const sent of recordsOf(outcome.output)) {
      const record: WireRecord = { id: this.#nextId++, from: end, sent, arrives: sent, fate: "carried" }
      this.#under[end].push(record)
    }
    recorder.forget()
    forgetNotices()
  }

  #add(end: End | undefined, happening: Happening): void {
    const { length: index } = this.#steps
    this.#steps.push({ index, connection: this.#connection, end, happening, flight: this.#flight })
  }
}

function fateOf(record: WireRecord, arrives: Uint8Array): Fate {
  if (record.fate === "delayed") return "delayed"
  if (arrives.length < record.sent.length) return "cut"
  return equalBytes(arrives, record.sent) ? "carried" : "changed"
}

function happeningOf(event: ConnectionEvent): Happening | undefined {
  switch (event.type) {
    case "data":
      return { type: "data", data: copyOf(event.data), early: false }
    case "early-data":
      return { type: "data", data: copyOf(event.data), early: true }
    case "connected":
      return { type: "connected", info: event.info }
    case "end":
      return { type: "closed" }
    case "early-data-decided":
      return { type: "event", text: event.accepted ? "0-RTT data was accepted" : "0-RTT data was rejected" }
    case "ticket":
      return { type: "event", text: "a ticket for a later connection was kept" }
    case "client-authenticated":
      return { type: "event", text: `the client is authenticated: ${event.peer.subject}` }
    case "client-declined":
      return { type: "event", text: "the client shows no certificate" }
    case "failed": {
      const { kind, message, alert } = event.error
      return { type: "failed", failure: { kind, message, alert, noticed: noticedAt(event.error) } }
    }
    case "offered":
      return undefined
  }
}
