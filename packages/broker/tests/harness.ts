// A broker without sockets: a clock the test turns, and clients that read what the broker writes with the packet code.

import { expect, onTestFinished } from "vitest"
import { createLocalBus } from "../src/buses/local.ts"
import type { Connection } from "../src/client/connection.ts"
import {
  type ConnectRequest,
  mqttPacketCodec,
  writeConnect,
  writeServerPacket,
  writeSubscribe,
  writeUnsubscribe,
} from "../src/codecs/mqtt-packet.ts"
import { readServerPacket } from "../src/codecs/plain-answers.ts"
import { Broker } from "../src/hub/broker.ts"
import type { BrokerOptions } from "../src/hub/options.ts"
import { resumedAt } from "../src/hub/timeline.ts"
import { packetIdOf, readAcknowledgement, reasonCodeOf, writeAcknowledgement } from "../src/packet/acknowledgements.ts"
import { encodeText } from "../src/packet/bytes.ts"
import { Framer } from "../src/packet/framer.ts"
import type { ConnackPacket, ProtocolVersion, Qos, ServerPacket, SubscriptionRequest } from "../src/packet/packets.ts"
import { PublishReader } from "../src/packet/publish.ts"
import { TopicTable } from "../src/packet/topic.ts"
import type { BrokerEvent } from "../src/ports/events.ts"
import type { PeerInfo, Sink } from "../src/ports/peer.ts"
import { KeepingStore } from "./keeping-store.ts"
import { openAccess } from "./open-access.ts"

export interface SeenPublish {
  readonly type: "publish"
  readonly topic: string | undefined
  readonly payload: string
  readonly qos: Qos
  readonly dup: boolean
  readonly retain: boolean
  readonly packetId: number
  readonly topicAlias: number
  readonly expiry: number
  readonly identifiers: readonly number[]
  readonly properties: Uint8Array
  readonly size: number
}

export interface SeenAck {
  readonly type: "puback" | "pubrec" | "pubrel" | "pubcomp"
  readonly packetId: number
  readonly reasonCode: number
}

export type Seen = SeenPublish | SeenAck | ServerPacket | { readonly type: "pingresp" }

const ackNames = { 4: "puback", 5: "pubrec", 6: "pubrel", 7: "pubcomp" } as const

export class TestBroker {
  now = 1_000_000
  /** How far the machine's clock is ahead of that, in milliseconds. */
  wallAhead = 1_795_910_400_000
  readonly broker: Broker
  readonly events: BrokerEvent[] = []
  /** What the broker has given its store, unless it was given another. */
  readonly store: KeepingStore
  /** What the broker asks for a flush with. */
  schedule = (): void => {
    this.#scheduled = true
  }
  /** False: what is kept is not compared with what there is when the test ends. */
  checked = true
  #scheduled = false
  #names = 0

  constructor(options: Partial<BrokerOptions> = {}, store: KeepingStore = new KeepingStore()) {
    this.store = store
    if (options.store === undefined) checkAtEnd(this)
    this.broker = new Broker({
      access: openAccess,
      bus: createLocalBus(),
      store,
      codec: mqttPacketCodec,
      now: () => this.now,
      wall: () => this.wall,
      schedule: () => this.schedule(),
      randomName: () => `name${this.#names++}`,
      events: (event) => this.events.push(event),
      ...options,
    })
  }

  /** Runs turns until nothing is left to do. */
  settle(): void {
    while (this.#scheduled) {
      this.#scheduled = false
      this.broker.flush(this.now)
    }
  }

  /** What the machine's clock says, in milliseconds since 1970. */
  get wall(): number {
    return this.now + this.wallAhead
  }

  set wall(wall: number) {
    this.wallAhead = wall - this.now
  }

  /**
   * The process ends, and another begins with what the store has kept. Clients of before are gone, and do not know it.
   *
   * @param wall what the machine's clock says then; default: what it did
   */
  restart(options: Partial<BrokerOptions> = {}, wall: number = this.wall): TestBroker {
    this.checked = false
    const next = new TestBroker(options, this.store)
    next.broker.restore((last) => {
      next.now = last === undefined ? this.now : resumedAt(last, wall)
      next.wall = wall
      return next.now
    })
    next.settle()
    return next
  }

  /** Says what a restart would make different of sessions that are kept, and of retained messages. */
  lostByRestart(): string[] {
    this.settle()
    const next = new TestBroker({ limits: this.broker.limits, access: this.broker.access }, this.store)
    next.checked = false
    const restored = this.store.changes.length
    next.now = this.now
    next.broker.restore(next.now)
    const wrong: string[] = []
    const differ = (what: string, before: unknown, after: unknown) => {
      if (before !== after) wrong.push(`${what}: ${before} before, ${after} after`)
    }
    const after = new Map([...next.broker.sessions()].map((one) => [one.clientId, one]))
    for (const before of this.broker.sessions()) {
      if (!before.kept) continue
      const { clientId } = before
      const same = after.get(clientId)
      after.delete(clientId)
      if (same === undefined) wrong.push(`session ${clientId} is lost`)
      for (const key of ["queuedMessages", "queuedBytes", "inflightMessages", "receivedCount"] as const) {
        differ(`${key} of ${clientId}`, before[key], same?.[key])
      }
      differ(`walks over retained messages of ${clientId}`, before.retained.keptCount, same?.retained.keptCount)
      differ(`subscriptions of ${clientId}`, before.subscriptions.size, same?.subscriptions.size)
    }
    for (const clientId of after.keys()) wrong.push(`session ${clientId} is back`)
    differ("retained messages", this.broker.retained.size, next.broker.retained.size)
    if (this.store.changes.length !== restored) wrong.push("a restart has changed the store")
    return wrong
  }

  /** Lets time pass in steps of a second, as the timer would. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now += 1000
      this.broker.tick(this.now)
      this.settle()
    }
  }

  open(version: ProtocolVersion = 5, peer: Partial<PeerInfo> = {}): TestClient {
    return new TestClient(this, version, peer)
  }

  connect(request: Partial<ConnectRequest> = {}, peer: Partial<PeerInfo> = {}): TestClient {
    const client = this.open(request.protocolVersion ?? 5, peer)
    client.connect(request)
    return client
  }
}

/** Whatever a test does: what is kept is what there is. */
function checkAtEnd(test: TestBroker): void {
  onTestFinished(() => {
    expect(test.store.wrong).toEqual([])
    if (test.store.mode === "at once" && test.checked) expect(test.lostByRestart()).toEqual([])
  })
}

export class TestClient {
  readonly connection: Connection | undefined
  /** What the broker writes to; its members may be replaced. */
  readonly sink: Sink
  readonly version: ProtocolVersion
  readonly seen: Seen[] = []
  /** When false the transport reports itself full after each write, until drain() is called. */
  taking = true
  ended = false
  destroyed = false
  paused = false
  written = 0
  #test: TestBroker
  #framer = new Framer(0x1000_0004)
  #reader = new PublishReader(new TopicTable(1000))

  constructor(test: TestBroker, version: ProtocolVersion, peer: Partial<PeerInfo>) {
    this.#test = test
    this.version = version
    this.#framer.connectOnly = false
    this.sink = {
      write: (chunks) => {
        for (const chunk of chunks) {
          this.written += chunk.length
          this.#framer.push(Uint8Array.from(chunk))
          while (this.#framer.next()) this.seen.push(this.#read())
        }
        return this.taking
      },
      // Whoever looks at what was seen looks at copies.
      keeps: false,
      end: () => {
        this.ended = true
      },
      destroy: () => {
        this.destroyed = true
      },
      pause: () => {
        this.paused = true
      },
      resume: () => {
        this.paused = false
      },
    }
    this.connection = test.broker.accept({ transport: "stream", address: "test", ...peer }, this.sink, test.now)
  }

  get closed(): boolean {
    return this.ended || this.destroyed
  }

  connect(request: Partial<ConnectRequest> = {}): void {
    this.send(
      writeConnect({ protocolVersion: this.version, clientId: "c", cleanStart: true, keepAlive: 0, ...request }),
    )
  }

  get connack(): ConnackPacket {
    const found = this.seen.find((packet) => packet.type === "connack")
    if (found?.type !== "connack") throw new Error(`no CONNACK among ${JSON.stringify(this.seen)}`)
    return found
  }

  send(...parts: (Uint8Array | readonly number[])[]): void {
    for (const part of parts) {
      const lent = Uint8Array.from(part)
      this.connection?.receive(lent, this.#test.now)
      lent.fill(0xee) // the memory of a transport
    }
    this.#test.settle()
  }

  drain(): void {
    this.taking = true
    this.connection?.drained(this.#test.now)
    this.#test.settle()
  }

  /** The network goes away. */
  cut(): void {
    this.connection?.transportClosed(this.#test.now, "cut")
    this.#test.settle()
  }

  subscribe(filter: string, options: Partial<SubscriptionRequest> & { id?: number; packetId?: number } = {}): number {
    const { id, packetId = 1, ...rest } = options
    const request = {
      filter,
      qos: 2 as Qos,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0 as const,
      ...rest,
    }
    this.send(writeSubscribe(packetId, [request], this.version, id))
    const suback = this.seen.findLast((packet) => packet.type === "suback")
    return suback?.type === "suback" ? suback.reasonCodes[0]! : -1
  }

  /** Several filters in one packet. */
  subscribeAll(requests: readonly SubscriptionRequest[], packetId = 1): void {
    this.send(writeSubscribe(packetId, requests, this.version))
  }

  unsubscribe(...filters: string[]): readonly number[] {
    this.send(writeUnsubscribe(2, filters, this.version))
    const unsuback = this.seen.findLast((packet) => packet.type === "unsuback")
    return unsuback?.type === "unsuback" ? unsuback.reasonCodes : [-1]
  }

  publish(topic: string, payload: string, options: PublishOptions = {}): void {
    this.send(publishBytes(this.version, topic, payload, options))
  }

  ack(type: 4 | 5 | 6 | 7, packetId: number, reasonCode = 0): void {
    const out = new Uint8Array(5)
    this.send(out.subarray(0, writeAcknowledgement(out, 0, type, packetId, reasonCode, this.version)))
  }

  disconnect(reasonCode = 0, sessionExpiryInterval?: number): void {
    this.send(writeServerPacket({ type: "disconnect", reasonCode, sessionExpiryInterval }, this.version))
  }

  /** The PUBLISH packets seen so far; they are forgotten. */
  take(): SeenPublish[] {
    const found = this.seen.filter((packet) => packet.type === "publish")
    for (const one of found) this.seen.splice(this.seen.indexOf(one), 1)
    return found
  }

  /** Payloads of take(). */
  payloads(): string[] {
    return this.take().map((packet) => packet.payload)
  }

  acks(): SeenAck[] {
    return this.seen.filter(
      (packet) => "packetId" in packet && packet.type.startsWith("pub") && packet.type !== "publish",
    ) as SeenAck[]
  }

  /** Reason Code of the DISCONNECT the broker sent. */
  get farewell(): number | undefined {
    const found = this.seen.find((packet) => packet.type === "disconnect")
    return found?.type === "disconnect" ? found.reasonCode : undefined
  }

  #read(): Seen {
    const { bytes, start, bodyStart, end, header } = this.#framer
    const type = header >> 4
    if (type === 13) return { type: "pingresp" }
    if (type === 4 || type === 5 || type === 6 || type === 7) {
      const read = readAcknowledgement(type, bytes, bodyStart, end, this.version, "server")
      return { type: ackNames[type], packetId: packetIdOf(read), reasonCode: reasonCodeOf(read) }
    }
    if (type !== 3) return readServerPacket(type, bytes, bodyStart, end, this.version)
    const reader = this.#reader
    reader.read(bytes.slice(0, end), start, bodyStart, end, false, this.version, true)
    const message = reader.message(reader.topic ?? new TopicTable(9).of("alias"), 0)
    return {
      type: "publish",
      topic: reader.topic?.name,
      payload: new TextDecoder().decode(message.payload),
      qos: reader.qos,
      dup: reader.dup,
      retain: reader.retain,
      packetId: reader.packetId,
      topicAlias: reader.topicAlias,
      expiry: reader.messageExpiryInterval,
      identifiers: reader.subscriptionIdentifiers,
      properties: message.properties,
      size: end - start,
    }
  }
}

export interface PublishOptions {
  readonly qos?: Qos
  readonly retain?: boolean
  readonly dup?: boolean
  readonly packetId?: number
  /** Raw property bytes, without Property Length. */
  readonly properties?: readonly number[]
}

/** A PUBLISH, written here independently of the code under test. */
export function publishBytes(
  version: ProtocolVersion,
  topic: string,
  payload: string | Uint8Array,
  options: PublishOptions = {},
): Uint8Array {
  const { qos = 0, retain = false, dup = false, packetId = 1, properties = [] } = options
  const body: number[] = [...text(topic)]
  if (qos > 0) body.push(packetId >> 8, packetId & 0xff)
  if (version === 5) body.push(...variable(properties.length), ...properties)
  const bytes = typeof payload === "string" ? encodeText(payload) : payload
  const first = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
  const head = Uint8Array.from([first, ...variable(body.length + bytes.length), ...body])
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  return whole
}

/** Fixed header and body. */
export function packet(first: number, body: readonly number[]): Uint8Array {
  return Uint8Array.from([first, ...variable(body.length), ...body])
}

/** A UTF-8 Encoded String. */
export function text(value: string): number[] {
  const bytes = encodeText(value)
  return [bytes.length >> 8, bytes.length & 0xff, ...bytes]
}

/** A User Property with its identifier. */
export function userProperty(name: string, value: string): number[] {
  return [0x26, ...text(name), ...text(value)]
}

export function variable(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>= 7
  } while (rest > 0)
  return bytes
}
