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
import { type Freed, Splice, type SpliceEvent } from "./splice.ts"
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
  readonly origin: string
  readonly freed: Freed = { out: undefined, in: undefined }

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
      maximumPacketSize: 100_000,
      origin: this.origin,
      freed: this.freed,
      openLocal: () =>
        this.here.broker.open({ address: "bridge" }, () => {
          this.#changed = true
        }),
      staleFilters: () => [],
      onEvent: (event) => this.events.push(event),
    })
    this.splice.start(0)
  }

  cut(): void {
    this.splice?.lost("cut")
    this.#far?.lost("cut")
    this.splice = undefined
    this.#far = undefined
    this.left = Number.POSITIVE_INFINITY
  }

  /** Carries what there is to carry, until nothing moves or the connection is cut. */
  run(): void {
    for (let moved = true; moved; ) {
      moved = this.here.move()
      if (this.there.move()) moved = true
      const [splice, far] = [this.splice, this.#far]
      if (splice === undefined || far === undefined) continue
      if (this.#changed) moved = true
      this.#changed = false
      splice.turn(0)
      const up = splice.take(0)
      const down = splice.reads ? far.take() : new Uint8Array(0)
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

it("what the other broker cannot take is told, and holds up nothing", () => {
  const there = new Side({ limits: { maximumPacketSize: 2000 } })
  const bridged = new Bridged([{ filter: "#", direction: "out", qos: 2, remotePrefix: "p/" }], 5, new Side(), there)
  const far = subscribed(there, "#")
  bridged.connect()
  bridged.run()
  const a = publisher(bridged.here)
  for (const qos of [0, 1, 2] as const) {
    a.client.publish({ topic: "large", payload: "x".repeat(3000), qos })
    a.client.publish({ topic: "small", payload: `${qos}`, qos })
  }
  bridged.run()
  expect(far.got.map(({ text }) => text)).toEqual(["0", "1", "2"])
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
    reason: expect.stringMatching(/^the other broker has no room for a message: /),
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
