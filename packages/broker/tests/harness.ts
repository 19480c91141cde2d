// A broker without sockets: a clock the test turns, and clients that read what the broker writes with the packet code.

import type { BrokerEvent } from "../src/admin/events.ts"
import { Broker, type BrokerOptions } from "../src/broker.ts"
import { packetIdOf, readAcknowledgement, reasonCodeOf, writeAcknowledgement } from "../src/packet/acknowledgements.ts"
import { encodeText } from "../src/packet/bytes.ts"
import {
  type ConnectRequest,
  readServerPacket,
  writeConnect,
  writeServerPacket,
  writeSubscribe,
  writeUnsubscribe,
} from "../src/packet/codec.ts"
import { Framer } from "../src/packet/framer.ts"
import type { ConnackPacket, ProtocolVersion, Qos, ServerPacket, SubscriptionRequest } from "../src/packet/packets.ts"
import { PublishReader } from "../src/packet/publish.ts"
import { TopicTable } from "../src/packet/topic.ts"
import type { Connection } from "../src/session/connection.ts"
import type { PeerInfo, Sink } from "../src/transport/peer.ts"

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
  readonly broker: Broker
  readonly events: BrokerEvent[] = []
  /** What the broker asks for a flush with. */
  schedule = (): void => {
    this.#scheduled = true
  }
  #scheduled = false
  #names = 0

  constructor(options: Partial<BrokerOptions> = {}) {
    this.broker = new Broker({
      now: () => this.now,
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
          this.#framer.push(chunk)
          while (this.#framer.next()) this.seen.push(this.#read())
        }
        return this.taking
      },
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
    for (const part of parts) this.connection?.receive(Uint8Array.from(part), this.#test.now)
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
      const read = readAcknowledgement(type, bytes, bodyStart, end, this.version)
      return { type: ackNames[type], packetId: packetIdOf(read), reasonCode: reasonCodeOf(read) }
    }
    if (type !== 3) return readServerPacket(type, bytes, start, bodyStart, end, this.version)
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
