// Two brokers without I/O, a bridge between them, and a connection that is cut wherever a seed says.

import { describe, expect, it } from "vitest"
import { openAccess } from "../../tests/open-access.ts"
import type { ByteLink } from "../embed/byte-link.ts"
import { EmbeddedBroker, type EmbeddedOptions } from "../embed/embedded.ts"
import { MqttClient } from "../mqtt-client/client.ts"
import type { ClientEvent } from "../mqtt-client/events.ts"
import type { MqttClientOptions } from "../mqtt-client/options.ts"
import type { Qos } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { type LaneMemory, newLaneMemory } from "./lane-memory.ts"
import { type Direction, Splice, type SpliceEvent } from "./splice.ts"
import type { BridgeTopic } from "./topics.ts"

type Message = Extract<ClientEvent, { event: "message" }>

/** Numbers from 0 to below 1 that follow from a seed (mulberry32). */
function numbersOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

class Client {
  readonly client: MqttClient
  readonly link: ByteLink
  readonly got: (Pick<Message, "topic" | "qos" | "retain" | "properties"> & { readonly text: string })[] = []
  error: Error | undefined

  constructor(broker: EmbeddedBroker, options: Partial<MqttClientOptions>) {
    this.client = new MqttClient({ clientId: "c", maximumWaiting: 10_000_000, ...options }, (event) => {
      if (event.event === "closed") this.error = event.error
      if (event.event !== "message") return
      const { topic, qos, retain, properties, payload } = event
      this.got.push({ topic, qos, retain, properties, text: new TextDecoder().decode(payload) })
    })
    this.link = broker.open()!
    this.client.connect(0)
  }

  move(): boolean {
    const [up, down] = [this.client.take(), this.link.take()]
    if (up.length > 0) this.link.receive(up)
    if (down.length > 0) this.client.receive(down, 0)
    return up.length + down.length > 0
  }
}

/** A broker in memory, and its clients. */
class Side {
  readonly broker: EmbeddedBroker
  readonly clients: Client[] = []

  constructor(options: Partial<EmbeddedOptions> = {}) {
    let passed = 0
    let id = 0
    const random = (length: number) => new Uint8Array(length).fill(id++)
    this.broker = new EmbeddedBroker({ passed: () => passed++, random }, { access: openAccess, ...options })
  }

  client(options: Partial<MqttClientOptions> = {}): Client {
    const client = new Client(this.broker, { clientId: `client-${this.clients.length}`, ...options })
    this.clients.push(client)
    return client
  }

  move(): boolean {
    let moved = false
    for (const client of this.clients) if (client.move()) moved = true
    for (let i = 0; i < 10 && this.broker.turn() === 0; i++) moved = true
    return moved
  }
}

class Bridged {
  readonly events: SpliceEvent[] = []
  here: Side
  there: Side
  splice: Splice | undefined
  #far: ByteLink | undefined
  #changed = false
  readonly #topics: readonly BridgeTopic[]
  readonly #version: 4 | 5
  /** Bytes that go over the connection before it is cut. */
  left: number = Number.POSITIVE_INFINITY
  maximumInflight = 20
  maximumPacketSize = 100_000
  /** The first byte of what the other broker sends that does not come: the connection is cut before it. */
  loses: number | undefined
  /** What comes of what the other broker sends. */
  instead: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes
  readonly origin: string
  attempts = 10
  /** Whether the other broker ends the connection for what is about to reach it. */
  endsFor: (bytes: Uint8Array) => boolean = () => false
  readonly memory: Readonly<Record<Direction, LaneMemory>> = { out: newLaneMemory(), in: newLaneMemory() }

  constructor(
    topics: readonly BridgeTopic[],
    version: 4 | 5 = 5,
    here: Side = new Side(),
    there: Side = new Side(),
    origin: string = "here",
  ) {
    this.origin = origin
    this.#topics = topics
    this.#version = version
    this.here = here
    this.there = there
  }

  connect(): void {
    this.#far = this.there.broker.open()!
    this.splice = new Splice({
      topics: this.#topics,
      localId: "$bridge/test",
      remote: { clientId: "bridge", version: this.#version },
      sessionExpiry: 0xffff_ffff,
      maximumInflight: this.maximumInflight,
      maximumPacketSize: this.maximumPacketSize,
      origin: this.origin,
      attempts: this.attempts,
      memory: this.memory,
      openLocal: () =>
        this.here.broker.open({ address: "bridge" }, () => {
          this.#changed = true
        }),
      staleFilters: () => [],
      onEvent: (event) => this.events.push(event),
    })
    this.splice.start(0)
  }

  cut(by?: "peer"): void {
    this.splice?.lost("cut", by)
    this.#far?.lost("cut")
    this.splice = undefined
    this.#far = undefined
    this.left = Number.POSITIVE_INFINITY
  }

  /** Carries what there is to carry, until nothing moves or the connection is cut. */
  run(): void {
    // What has moved within a round may be all that there is of the next.
    for (let [moved, idle] = [true, 0]; idle < 2; idle = moved ? 0 : idle + 1) {
      moved = this.here.move()
      if (this.there.move()) moved = true
      const [splice, far] = [this.splice, this.#far]
      if (splice === undefined || far === undefined) continue
      if (this.#changed) moved = true
      this.#changed = false
      splice.turn(0)
      const up = splice.take(0)
      if (this.endsFor(up)) {
        this.cut("peer")
        continue
      }
      const down = this.instead(splice.reads ? far.take() : new Uint8Array(0))
      if (down.length > 0 && down[0] === this.loses) {
        this.cut()
        continue
      }
      if (up.length > 0) far.receive(up.subarray(0, Math.max(0, this.left)))
      this.left -= up.length
      if (down.length > 0) splice.receive(down.subarray(0, Math.max(0, this.left)), 0)
      this.left -= down.length
      if (up.length + down.length > 0) moved = true
      if (this.left <= 0) this.cut()
      else if (far.state === "closed") {
        splice.lost("the other broker closed the connection")
        this.splice = undefined
      }
    }
  }

  get warnings(): string[] {
    return this.events.flatMap((event) => (event.event === "warning" ? [event.text] : []))
  }

  /** What was dropped, each with how often. */
  get drops(): string[] {
    return this.events.flatMap((event) =>
      event.event === "dropped" ? [`${event.direction} ${event.topic}: ${event.reason}`] : [],
    )
  }
}

const both: readonly BridgeTopic[] = [{ filter: "#", direction: "both", qos: 2 }]

function subscribed(side: Side, filter: string, qos: Qos = 2): Client {
  const client = side.client({ cleanStart: false, properties: [{ id: PropertyId.SessionExpiryInterval, value: 1000 }] })
  side.move()
  for (let i = 0; i < 5; i++) side.move()
  client.client.subscribe([{ filter, qos }])
  for (let i = 0; i < 5; i++) side.move()
  return client
}

function publisher(side: Side): Client {
  const client = side.client()
  for (let i = 0; i < 5; i++) side.move()
  return client
}

describe.each([5, 4] as const)("to a broker of MQTT version %d", (version) => {
  it("hands on messages of every QoS in both directions, with topics by their prefixes", () => {
    const topics: readonly BridgeTopic[] = [
      { filter: "up/#", direction: "out", qos: 2, localPrefix: "site/", remotePrefix: "sites/7/" },
      { filter: "down/+", direction: "in", qos: 2, localPrefix: "cloud/", remotePrefix: "sites/7/" },
    ]
    const bridged = new Bridged(topics, version)
    const [here, there] = [subscribed(bridged.here, "cloud/#"), subscribed(bridged.there, "#")]
    bridged.connect()
    bridged.run()
    expect(bridged.events).toEqual([{ event: "up", sessionPresent: false }])
    const [a, b] = [publisher(bridged.here), publisher(bridged.there)]
    for (const qos of [0, 1, 2] as const) {
      a.client.publish({ topic: `site/up/${qos}`, payload: `up ${qos}`, qos })
      a.client.publish({ topic: `site/other/${qos}`, payload: "not bridged", qos })
      b.client.publish({ topic: `sites/7/down/${qos}`, payload: `down ${qos}`, qos })
    }
    bridged.run()
    expect(
      there.got.filter(({ topic }) => topic.startsWith("sites/7/up")).map(({ topic, text, qos }) => [topic, text, qos]),
    ).toEqual([
      ["sites/7/up/0", "up 0", 0],
      ["sites/7/up/1", "up 1", 1],
      ["sites/7/up/2", "up 2", 2],
    ])
    expect(here.got.map(({ topic, text, qos }) => [topic, text, qos])).toEqual([
      ["cloud/down/0", "down 0", 0],
      ["cloud/down/1", "down 1", 1],
      ["cloud/down/2", "down 2", 2],
    ])
    expect(bridged.warnings).toEqual([])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])(
    "seed %d: none is lost at QoS 1, and none lost or doubled at QoS 2, wherever the connection is cut",
    (seed) => {
      const next = numbersOf(seed)
      const topics: readonly BridgeTopic[] = [
        { filter: "out/#", direction: "out", qos: 2 },
        { filter: "in/#", direction: "in", qos: 2 },
      ]
      // Each lets the other have fewer under way than the bridge would.
      const narrow = () => new Side({ limits: { receiveMaximum: 2 + (seed % 4) } })
      const bridged = new Bridged(topics, version, narrow(), narrow())
      // MQTT 3.1.1 has no Receive Maximum: whoever sets up the bridge has to know it.
      if (version === 4) bridged.maximumInflight = 2
      const ends = [
        { topic: "out/", publisher: publisher(bridged.here), subscriber: subscribed(bridged.there, "out/#") },
        { topic: "in/", publisher: publisher(bridged.there), subscriber: subscribed(bridged.here, "in/#") },
      ]
      // Both sessions are there from now on.
      bridged.connect()
      bridged.run()
      let sent = 0
      for (let round = 0; round < 60; round++) {
        if (bridged.splice === undefined) bridged.connect()
        bridged.left = Math.floor(next() * 1500)
        for (const { topic, publisher } of ends) {
          for (let i = 0; i < 5; i++) {
            const qos = next() < 0.3 ? 1 : 2
            publisher.client.publish({ topic: `${topic}${qos}`, payload: `${sent++}`, qos })
            if (next() < 0.5 || publisher.client.room === 0) bridged.run()
          }
        }
        bridged.run()
      }
      if (bridged.splice === undefined) bridged.connect()
      bridged.left = Number.POSITIVE_INFINITY
      bridged.run()
      for (const { topic, subscriber } of ends) {
        const of = (qos: Qos) =>
          subscriber.got.filter((one) => one.topic === `${topic}${qos}`).map(({ text }) => Number(text))
        expect(of(2)).toEqual([...new Set(of(2))].sort((a, b) => a - b))
        const all = new Set([...of(1), ...of(2)])
        expect(all.size).toBe(sent / 2)
      }
      expect(bridged.here.broker.broker.faults.total + bridged.there.broker.broker.faults.total).toBe(0)
      expect(bridged.warnings).toEqual([])
      expect(bridged.drops).toEqual([])
      expect(bridged.memory.out.handedOn).toBe(sent / 2)
    },
  )

  it("keeps at this broker what comes while the other is away, and hands it on in order", () => {
    const bridged = new Bridged([{ filter: "#", direction: "out", qos: 1 }], version)
    bridged.connect()
    bridged.run()
    bridged.cut()
    const a = publisher(bridged.here)
    for (let i = 0; i < 500; i++) {
      a.client.publish({ topic: "t", payload: `${i}`, qos: 1 })
      bridged.run()
    }
    const there = subscribed(bridged.there, "t")
    bridged.connect()
    bridged.run()
    expect(there.got.map(({ text }) => text)).toEqual(Array.from({ length: 500 }, (_, i) => `${i}`))
  })

  it("a retained message is retained there, unless the rule says otherwise", () => {
    const bridged = new Bridged(
      [
        { filter: "kept/#", direction: "out", qos: 1 },
        { filter: "passing/#", direction: "out", qos: 1, retain: false },
      ],
      version,
    )
    const a = publisher(bridged.here)
    a.client.publish({ topic: "kept/before", payload: "1", qos: 1, retain: true })
    bridged.run()
    bridged.connect()
    bridged.run()
    a.client.publish({ topic: "kept/later", payload: "2", qos: 1, retain: true })
    a.client.publish({ topic: "passing/later", payload: "3", qos: 1, retain: true })
    bridged.run()
    const late = subscribed(bridged.there, "#")
    bridged.run()
    expect(late.got.map(({ topic, retain }) => [topic, retain])).toEqual([
      ["kept/before", true],
      ["kept/later", true],
    ])
  })
})

it("No Local, both ways: what is handed on does not come back", () => {
  const bridged = new Bridged(both)
  const [here, there] = [subscribed(bridged.here, "#"), subscribed(bridged.there, "#")]
  bridged.connect()
  bridged.run()
  publisher(bridged.here).client.publish({ topic: "a", payload: "1", qos: 2 })
  publisher(bridged.there).client.publish({ topic: "b", payload: "2", qos: 1 })
  bridged.run()
  for (const { got } of [here, there]) expect(got.map(({ topic }) => topic).sort()).toEqual(["a", "b"])
})

it("two bridges against each other: a message goes round once", () => {
  const [here, there] = [new Side(), new Side()]
  const out: readonly BridgeTopic[] = [{ filter: "#", direction: "out" }]
  const [forth, back] = [new Bridged(out, 5, here, there), new Bridged(out, 5, there, here, "there")]
  const [a, b] = [subscribed(here, "#"), subscribed(there, "#")]
  for (const bridge of [forth, back]) bridge.connect()
  for (let i = 0; i < 5; i++) for (const bridge of [forth, back]) bridge.run()
  publisher(here).client.publish({ topic: "t", payload: "1", qos: 1 })
  for (let i = 0; i < 20; i++) for (const bridge of [forth, back]) bridge.run()
  // The one that comes back has been at both.
  expect(a.got.map(viaOf)).toEqual([[], ["here", "there"]])
  expect(b.got.map(viaOf)).toEqual([["here"]])
})

function viaOf({ properties }: Pick<Message, "properties">): unknown[] {
  return properties.map(({ value }) => (Array.isArray(value) && value[0] === "puremq-via" ? value[1] : value))
}

it("a session that one side has lost: no message is taken for one of before by its Packet Identifier", () => {
  const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }])
  const there = subscribed(bridged.there, "t")
  bridged.connect()
  bridged.run()
  // The other broker has got messages by these identifiers, and no PUBREL for them.
  for (let length = 40; length < 160; length += 7) {
    const a = publisher(bridged.here)
    bridged.left = length
    a.client.publish({ topic: "t", payload: `first of ${length}`, qos: 2 })
    bridged.run()
    bridged.cut()
    bridged.here = new Side()
    // Its session is there before a message, and the connection is lost before one has freed its identifier.
    bridged.connect()
    bridged.run()
    bridged.cut()
    bridged.connect()
    bridged.run()
    const b = publisher(bridged.here)
    b.client.publish({ topic: "t", payload: `second of ${length}`, qos: 2 })
    bridged.run()
    expect(there.got.at(-1)?.text).toBe(`second of ${length}`)
  }
})

describe("MQTT 5.0 3.1.2-24, 3.2.2-15: Maximum Packet Size", () => {
  /** Bytes of the payload of a PUBLISH of that many: head, topic "t", Packet Identifier, properties with ours. */
  const payloadOf = (packet: number, qos: Qos) => packet - 3 - 3 - (qos === 0 ? 0 : 2) - 1 - (1 + 2 + 10 + 2 + 4)
  const most = 2000

  it.each([0, 1, 2] as const)("QoS %d: one that just fits goes, one byte more is dropped, told and counted", (qos) => {
    const there = new Side({ limits: { maximumPacketSize: most } })
    const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }], 5, new Side(), there)
    const far = subscribed(there, "#")
    bridged.connect()
    bridged.run()
    const a = publisher(bridged.here)
    for (const length of [payloadOf(most, qos), payloadOf(most, qos) + 1, 1]) {
      a.client.publish({ topic: "t", payload: "x".repeat(length), qos })
      bridged.run()
    }
    bridged.run()
    expect(far.got.map(({ text }) => text.length)).toEqual([payloadOf(most, qos), 1])
    expect(bridged.drops).toEqual(["out t: the message makes a packet of 2001 bytes; the broker takes 2000 at most"])
    expect([...bridged.memory.out.dropped]).toEqual([["packet too large", 1]])
    expect(bridged.memory.out.handedOn).toBe(2)
  })

  it("of this broker: what becomes too large on its way here is dropped, told and counted", () => {
    const here = new Side({ limits: { maximumPacketSize: most } })
    const bridged = new Bridged([{ filter: "#", direction: "in", qos: 1, localPrefix: "far/" }], 5, here, new Side())
    bridged.maximumPacketSize = most
    const near = subscribed(here, "#")
    bridged.connect()
    bridged.run()
    const a = publisher(bridged.there)
    for (const length of [payloadOf(most, 1) - 4, payloadOf(most, 1) - 3, 1]) {
      a.client.publish({ topic: "t", payload: "x".repeat(length), qos: 1 })
      bridged.run()
    }
    expect(near.got.map(({ text }) => text.length)).toEqual([payloadOf(most, 1) - 4, 1])
    expect(bridged.drops).toEqual(["in t: the message makes a packet of 2001 bytes; the broker takes 2000 at most"])
  })

  it("MQTT 3.1.1 has no word for it: what is too large for this broker is read, and dropped", () => {
    const here = new Side({ limits: { maximumPacketSize: most } })
    const bridged = new Bridged([{ filter: "#", direction: "in", qos: 1 }], 4, here, new Side())
    bridged.maximumPacketSize = most
    const near = subscribed(here, "#")
    bridged.connect()
    bridged.run()
    const a = publisher(bridged.there)
    for (const length of [5000, 1]) {
      a.client.publish({ topic: "t", payload: "x".repeat(length), qos: 1 })
      bridged.run()
    }
    expect(near.got.map(({ text }) => text.length)).toEqual([1])
    expect([...bridged.memory.in.dropped]).toEqual([["packet too large", 1]])
  })
})

describe("MQTT 5.0 3.4.2.1, 3.5.2.1: a message that the other broker refuses", () => {
  it.each([1, 2] as const)(
    "QoS %d: not for want of room: it is dropped, told and counted, and holds up nothing",
    (qos) => {
      const access = { ...openAccess, publishRefusal: (_: unknown, __: string, topic: string) => refusalOf(topic) }
      const there = new Side({ access })
      const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }], 5, new Side(), there)
      const far = subscribed(there, "#")
      bridged.connect()
      bridged.run()
      const a = publisher(bridged.here)
      for (const topic of ["forbidden", "allowed"]) a.client.publish({ topic, payload: topic, qos })
      bridged.run()
      expect(far.got.map(({ text }) => text)).toEqual(["allowed"])
      expect(bridged.drops).toEqual([expect.stringMatching(/^out forbidden: not authorized/)])
      expect([...bridged.memory.out.dropped]).toEqual([["not authorized", 1]])
      expect(bridged.events.some(({ event }) => event === "closed")).toBe(false)
    },
  )

  it("0x99, when this broker is the one that refuses", () => {
    const here = new Side({ checksPayloadFormat: true })
    const bridged = new Bridged([{ filter: "#", direction: "in", qos: 2 }], 5, here, new Side())
    const near = subscribed(here, "#")
    bridged.connect()
    bridged.run()
    const a = publisher(bridged.there)
    const properties = [{ id: PropertyId.PayloadFormatIndicator, value: 1 }]
    for (const payload of [Uint8Array.of(0xff), Uint8Array.of(0x41)])
      a.client.publish({ topic: "t", payload, qos: 2, properties })
    bridged.run()
    expect(near.got.map(({ text }) => text)).toEqual(["A"])
    expect([...bridged.memory.in.dropped]).toEqual([["payload format invalid", 1]])
  })
})

function refusalOf(topic: string): { reasonCode: number; rule: string } | undefined {
  return topic === "forbidden" ? { reasonCode: 0x87, rule: "a test" } : undefined
}

describe("a message that the connection ends for", () => {
  const poison = (bytes: Uint8Array) => new TextDecoder().decode(bytes).includes("poison")

  it.each([
    [5, 1],
    [5, 2],
    [4, 1],
    [4, 2],
  ] as const)("version %d, QoS %d: is found among others, dropped after so many attempts, and told", (version, qos) => {
    const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }], version)
    bridged.attempts = 3
    bridged.endsFor = poison
    const far = subscribed(bridged.there, "#")
    bridged.connect()
    bridged.run()
    const a = publisher(bridged.here)
    for (const text of ["1", "2", "poison", "3", "4"]) a.client.publish({ topic: text, payload: text, qos })
    bridged.run()
    let connections = 1
    for (; far.got.length < 4 && connections < 20; connections++) {
      expect(bridged.drops).toEqual([])
      bridged.cut()
      bridged.connect()
      bridged.run()
    }
    // The first of five is not known to be the one; then three alone; then without it.
    expect(connections).toBe(5)
    expect(far.got.map(({ text }) => text)).toEqual(["1", "2", "3", "4"])
    expect(bridged.drops).toEqual(["out poison: the connection has ended 3 times when it was sent"])
    expect([...bridged.memory.out.dropped]).toEqual([["connection ended", 1]])
    // Nothing waits for it any more, and its Packet Identifier is free.
    for (let i = 0; i < 300; i++) {
      a.client.publish({ topic: "t", payload: `${i}`, qos })
      bridged.run()
    }
    expect(far.got.length).toBe(304)
  })

  it("is not one of those that are under way when the network fails, however often it does", () => {
    const bridged = new Bridged([{ filter: "#", direction: "out", qos: 1 }])
    bridged.attempts = 1
    const far = subscribed(bridged.there, "#")
    const a = publisher(bridged.here)
    bridged.connect()
    bridged.run()
    bridged.left = 0
    a.client.publish({ topic: "t", payload: "1", qos: 1 })
    for (let i = 0; i < 20; i++) {
      bridged.run()
      bridged.cut()
      bridged.connect()
      bridged.left = 190
    }
    bridged.left = Number.POSITIVE_INFINITY
    bridged.run()
    expect(new Set(far.got.map(({ text }) => text))).toEqual(new Set(["1"]))
    expect(bridged.drops).toEqual([])
  })
})

it("MQTT 5.0 3.5.2.1: what comes again, and the other broker says so by 0x91, has arrived", () => {
  const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }])
  const far = subscribed(bridged.there, "#")
  bridged.connect()
  bridged.run()
  const a = publisher(bridged.here)
  // PUBREC is lost on its way: 4 bytes of it do not come.
  bridged.loses = 0x50
  a.client.publish({ topic: "t", payload: "1", qos: 2 })
  bridged.run()
  bridged.loses = undefined
  bridged.instead = (bytes) => (bytes[0] === 0x50 ? Uint8Array.of(0x50, 3, bytes[2]!, bytes[3]!, 0x91) : bytes)
  bridged.connect()
  bridged.run()
  expect(bridged.drops).toEqual([])
  expect(far.got.map(({ text }) => text)).toEqual(["1"])
  bridged.instead = (bytes) => bytes
  a.client.publish({ topic: "t", payload: "2", qos: 2 })
  bridged.run()
  expect(far.got.map(({ text }) => text)).toEqual(["1", "2"])
})

it("a broker that has no room is asked again, and nothing is lost", () => {
  const there = new Side({ limits: { maximumQueuedMessages: 3 } })
  const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }], 5, new Side(), there)
  const away = subscribed(there, "#")
  away.link.lost()
  bridged.connect()
  bridged.run()
  const a = publisher(bridged.here)
  const wanted = Array.from({ length: 10 }, (_, i) => `${i}`)
  for (const payload of wanted) {
    a.client.publish({ topic: "t", payload, qos: 2 })
    bridged.run()
  }
  expect(bridged.events.at(-1)).toEqual({
    event: "closed",
    reason: expect.stringMatching(/^the other broker does not take a message yet: /),
  })
  const got: string[] = []
  for (let round = 0; round < 10 && got.length < wanted.length; round++) {
    const back = there.client({
      clientId: "client-0",
      cleanStart: false,
      properties: [{ id: PropertyId.SessionExpiryInterval, value: 1000 }],
    })
    bridged.cut()
    bridged.connect()
    bridged.run()
    got.push(...back.got.map(({ text }) => text))
  }
  expect(got).toEqual(wanted)
})

it("a broker that has no room for long: one message after the other is dropped, told and counted", () => {
  const there = new Side({ limits: { maximumQueuedMessages: 3 } })
  const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2 }], 5, new Side(), there)
  bridged.attempts = 4
  const away = subscribed(there, "full")
  away.link.lost()
  const far = subscribed(there, "other")
  bridged.connect()
  bridged.run()
  const a = publisher(bridged.here)
  for (const payload of ["1", "2", "3", "4"]) a.client.publish({ topic: "full", payload, qos: 1 })
  a.client.publish({ topic: "other", payload: "behind", qos: 1 })
  bridged.run()
  let connections = 1
  for (; bridged.drops.length === 0 && connections < 20; connections++) {
    bridged.cut()
    bridged.connect()
    bridged.run()
  }
  expect(connections).toBe(4)
  bridged.run()
  expect(new Set(far.got.map(({ text }) => text))).toEqual(new Set(["behind"]))
  expect(bridged.drops).toEqual([expect.stringMatching(/^out full: quota exceeded.*, 4 times$/)])
  expect([...bridged.memory.out.dropped]).toEqual([["quota exceeded", 1]])
})
