// The client without I/O beside a broker that does what the test says, and beside ours.

import { describe, expect, it } from "vitest"
import { publishBytes } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { plainCodec } from "../codecs/plain.ts"
import { EmbeddedBroker } from "../embed/embedded.ts"
import { Framer } from "../packet/framer.ts"
import type { ConnackPacket, ServerPacket } from "../packet/packets.ts"
import { PropertyId } from "../packet/properties.ts"
import { MqttClient } from "./client.ts"
import { MqttClientError } from "./errors.ts"
import type { ClientEvent } from "./events.ts"
import type { MqttClientOptions } from "./options.ts"

class Puppet {
  now = 1000
  readonly events: ClientEvent[] = []
  readonly client: MqttClient
  readonly #framer = new Framer(0x1000_0004)
  /** Packets that the client has sent. */
  readonly sent: Uint8Array[] = []
  takes = true

  constructor(options: Partial<MqttClientOptions> = {}) {
    this.client = new MqttClient({ clientId: "c", ...options }, (event) => {
      this.events.push(event)
      return this.takes
    })
    this.#framer.connectOnly = false
  }

  static connected(options: Partial<MqttClientOptions> = {}, connack: Partial<ConnackPacket> = {}): Puppet {
    const puppet = new Puppet(options)
    puppet.client.connect(puppet.now)
    puppet.say({ type: "connack", sessionPresent: false, reasonCode: 0, ...connack })
    expect(puppet.events.splice(0)).toMatchObject([{ event: "connected" }])
    puppet.look()
    puppet.sent.splice(0)
    return puppet
  }

  say(...packets: (ServerPacket | Uint8Array | readonly number[])[]): void {
    for (const packet of packets) {
      const isPacket = !(packet instanceof Uint8Array) && "type" in packet
      const bytes = isPacket ? plainCodec.writeServerPacket(packet, this.client.version) : Uint8Array.from(packet)
      this.client.receive(bytes, this.now)
      bytes.fill(0xee) // the memory of a transport
    }
  }

  /** Types of the packets that the client has sent since. */
  look(): number[] {
    this.#framer.push(this.client.take())
    const types: number[] = []
    while (this.#framer.next()) {
      const { bytes, start, end, header } = this.#framer
      this.sent.push(Uint8Array.from(bytes.subarray(start, end)))
      types.push(header >> 4)
    }
    return types
  }

  get error(): MqttClientError | undefined {
    const last = this.events.at(-1)
    return last?.event === "closed" ? last.error : undefined
  }
}

function problemOf(work: () => unknown): MqttClientError {
  try {
    work()
  } catch (error) {
    if (error instanceof MqttClientError) return error
    throw error
  }
  throw new Error("nothing was thrown")
}

const message = { topic: "t", payload: "x", qos: 1 } as const

describe("a connection", () => {
  it.each([4, 5] as const)("version %s: begins with CONNECT and CONNACK, and ends with DISCONNECT", (version) => {
    const puppet = new Puppet({ version, cleanStart: false })
    const { client } = puppet
    expect(client.state).toBe("new")
    client.connect(0)
    expect(puppet.look()).toEqual([1])
    puppet.say({ type: "connack", sessionPresent: true, reasonCode: 0 })
    expect(puppet.events).toMatchObject([{ event: "connected", connack: { sessionPresent: true } }])
    client.disconnect()
    expect(puppet.look()).toEqual([14])
    client.lost()
    expect(puppet.events.at(-1)).toEqual({ event: "closed", error: undefined })
    expect(client.state).toBe("closed")
  })

  it("tells the broker of MQTT 5.0 what is taken", () => {
    const puppet = new Puppet({ maximumPacketSize: 512, receiveMaximum: 3 })
    puppet.client.connect(0)
    puppet.look()
    const [connect] = puppet.sent
    const read = plainCodec.readConnect(connect!, 0, 2, connect!.length)
    expect(read).toMatchObject({ maximumPacketSize: 512, receiveMaximum: 3, keepAlive: 60, cleanStart: true })
  })

  it.each([
    [4, 5, "not authorized"],
    [5, 0x87, "not authorized"],
  ] as const)("version %s: a refusal has its Reason Code %s and words", (version, reasonCode, words) => {
    const puppet = new Puppet({ version })
    puppet.client.connect(0)
    puppet.say({ type: "connack", sessionPresent: false, reasonCode })
    const { error } = puppet
    expect(error).toMatchObject({ kind: "refused", reasonCode })
    expect(error?.message).toBe(`the broker refused the connection: ${words}`)
  })

  it("a broker that does not answer, and one that no longer does", () => {
    const mute = new Puppet({ patience: 5000 })
    mute.client.connect(1000)
    expect(mute.client.tickAt).toBe(6000)
    mute.client.tick(5999)
    expect(mute.events).toEqual([])
    mute.client.tick(6000)
    expect(mute.error).toMatchObject({ kind: "silent", message: "the broker does not answer in 5 s" })

    const { client, ...puppet } = Puppet.connected({ keepAlive: 10 })
    expect(client.tickAt).toBe(9000)
    client.tick(9000)
    expect([...client.take()]).toEqual([0xc0, 0])
    client.receive(Uint8Array.of(0xd0, 0), 9500)
    client.tick(17_000)
    expect([...client.take()]).toEqual([0xc0, 0])
    client.tick(25_000)
    expect(puppet.events).toMatchObject([{ event: "closed", error: { kind: "silent" } }])
  })

  it("[MQTT-3.2.2-21] Server Keep Alive goes before ours, and 0 is none", () => {
    expect(Puppet.connected({ keepAlive: 10 }, { serverKeepAlive: 100 }).client.tickAt).toBe(81_000)
    expect(Puppet.connected({ keepAlive: 0 }).client.tickAt).toBe(Number.POSITIVE_INFINITY)
  })

  it("what waits to be sent is no silence of the broker's", () => {
    const puppet = Puppet.connected({ keepAlive: 10 })
    for (const now of [9000, 17_000, 25_000]) puppet.client.tick(now)
    expect(puppet.events).toEqual([])
    expect(puppet.look()).toEqual([12])
  })

  it("the end by the broker's DISCONNECT, by the transport, and by what is not MQTT", () => {
    const told = Puppet.connected()
    told.say({ type: "disconnect", reasonCode: 0x8b, reasonString: "night" })
    expect(told.error).toMatchObject({ kind: "disconnected", reasonCode: 0x8b })
    expect(told.error?.message).toBe("the broker disconnected: server shutting down (night)")
    const cut = Puppet.connected()
    cut.client.lost()
    expect(cut.error).toMatchObject({ kind: "lost" })
    cut.client.lost()
    expect(cut.events).toHaveLength(1)
    const odd = Puppet.connected()
    odd.say([0x20, 2, 0, 0])
    expect(odd.error).toMatchObject({ kind: "malformed", cause: { name: "PacketError" } })
  })

  it.each<[string, readonly number[]]>([
    ["a packet before CONNACK", [0xd0, 0]],
    ["AUTH without a method", [0xf0, 2, 0x18, 0]],
    ["a packet that only a client sends", [0x82, 5, 0, 1, 0, 0, 0]],
  ])("%s is not MQTT", (_, bytes) => {
    const puppet = new Puppet()
    puppet.client.connect(0)
    puppet.say(bytes)
    expect(puppet.error).toMatchObject({ kind: "malformed" })
    puppet.say([0x20, 3, 0, 0, 0])
    expect(puppet.events).toHaveLength(1)
  })

  it.each([4, 5] as const)("[MQTT-3.2.2-4] version %s: a session that was not asked for is the end", (version) => {
    const puppet = new Puppet({ version })
    puppet.client.connect(0)
    puppet.say({ type: "connack", sessionPresent: true, reasonCode: 0 })
    expect(puppet.error).toMatchObject({ kind: "malformed", cause: { rule: "MQTT-3.2.2-4" } })
  })

  it("[MQTT-4.12.0-5] so is another Authentication Method, of CONNACK and of AUTH", () => {
    for (const packet of [
      { type: "connack", sessionPresent: false, reasonCode: 0, authenticationMethod: "N" },
      { type: "auth", reasonCode: 0x18, authenticationMethod: "N", authenticationData: Uint8Array.of(1) },
    ] as const) {
      const puppet = new Puppet({ properties: [{ id: PropertyId.AuthenticationMethod, value: "M" }] })
      puppet.client.connect(0)
      puppet.say(packet)
      expect(puppet.events).toHaveLength(1)
      expect(puppet.error).toMatchObject({ kind: "malformed", cause: { rule: "MQTT-4.12.0-5" } })
    }
  })

  it.each([
    [5, "subscribe", [0x90, 5, 0, 1, 0, 0, 0], "MQTT-3.8.4-6"],
    [5, "subscribe", [0x90, 7, 0, 1, 0, 0, 0, 0, 0], "MQTT-3.8.4-6"],
    [4, "subscribe", [0x90, 3, 0, 1, 0], "MQTT-3.8.4-6"],
    [5, "unsubscribe", [0xb0, 4, 0, 1, 0, 0], "MQTT-3.11.3-1"],
  ] as const)("version %s: %s of three filters has an answer for each", (version, request, answer, rule) => {
    const puppet = Puppet.connected({ version })
    const filters = ["a", "b", "c"]
    if (request === "subscribe") puppet.client.subscribe(filters.map((filter) => ({ filter })))
    else puppet.client.unsubscribe(filters)
    puppet.say(answer)
    expect(puppet.events).toHaveLength(1)
    expect(puppet.error).toMatchObject({ kind: "malformed", cause: { rule } })
  })

  it("what the receiver of events throws comes out, and what came with it is read afterwards", () => {
    const told: string[] = []
    const client = new MqttClient({ clientId: "c" }, (event) => {
      told.push(event.event === "message" ? event.topic : event.event)
      if (told.length === 2) throw new Error("of the receiver")
    })
    client.connect(0)
    client.receive(Uint8Array.of(0x20, 3, 0, 0, 0), 0)
    const both = Uint8Array.from([...publishBytes(5, "one", ""), ...publishBytes(5, "two", "")])
    expect(() => client.receive(both, 0)).toThrow("of the receiver")
    both.fill(0xee) // the memory of a transport
    client.receive(new Uint8Array(0), 0)
    expect(told).toEqual(["connected", "one", "two"])
  })

  it("[MQTT-3.1.2-24] a packet is not larger than was allowed, whoever keeps to it", () => {
    const puppet = Puppet.connected({ maximumPacketSize: 20 })
    puppet.say(publishBytes(5, "t", "x".repeat(14)))
    expect(puppet.events).toHaveLength(1)
    puppet.say(publishBytes(5, "t", "x".repeat(15)))
    expect(puppet.error?.message).toContain("a packet of 21 bytes is above the limit of 20")
  })

  it("goes on with an Authentication Method", () => {
    const properties = [{ id: PropertyId.AuthenticationMethod, value: "M" }]
    const puppet = new Puppet({ properties })
    puppet.client.connect(0)
    puppet.look()
    const data = Uint8Array.of(1, 2)
    puppet.say({ type: "auth", reasonCode: 0x18, authenticationMethod: "M", authenticationData: data })
    expect(puppet.events).toEqual([{ event: "authentication", reasonCode: 0x18, data }])
    puppet.client.authenticate(Uint8Array.of(3))
    expect(puppet.look()).toEqual([15])
    expect(puppet.sent.at(-1)).toEqual(Uint8Array.of(0xf0, 10, 0x18, 8, 0x15, 0, 1, 0x4d, 0x16, 0, 1, 3))
  })
})

describe("what is sent", () => {
  it.each([4, 5] as const)("version %s: messages of each QoS, and what becomes of them", (version) => {
    const puppet = Puppet.connected({ version })
    const { client } = puppet
    expect(client.publish({ topic: "t", payload: "x" })).toBe(0)
    expect(client.publish(message)).toBe(1)
    expect(client.publish({ ...message, qos: 2 })).toBe(2)
    expect(puppet.look()).toEqual([3, 3, 3])
    puppet.say([0x40, 2, 0, 1], [0x50, 2, 0, 2])
    expect(puppet.look()).toEqual([6])
    puppet.say([0x70, 2, 0, 2])
    expect(puppet.events).toEqual([1, 2].map((packetId) => ({ ...done, packetId })))
    expect(client.room).toBe(20)
  })

  it("a refusal of the broker's is told with its words, and is the end of it", () => {
    const puppet = Puppet.connected()
    puppet.client.publish(message)
    puppet.client.publish({ ...message, qos: 2 })
    puppet.say([0x40, 10, 0, 1, 0x97, 6, 0x1f, 0, 3, 0x77, 0x68, 0x79], [0x50, 3, 0, 2, 0x87])
    expect(puppet.events).toEqual([
      { event: "acknowledged", packetId: 1, reasonCode: 0x97, reasonString: "why" },
      { event: "acknowledged", packetId: 2, reasonCode: 0x87, reasonString: undefined },
    ])
    expect(puppet.look()).toEqual([3, 3])
  })

  it("acknowledgements that nobody waits for change nothing", () => {
    const puppet = Puppet.connected()
    puppet.client.publish(message)
    puppet.client.subscribe("s")
    puppet.say([0x40, 2, 0, 9], [0x70, 2, 0, 1], [0x50, 2, 0, 7], [0x90, 4, 0, 1, 0, 0], [0xb0, 4, 0, 2, 0, 0])
    expect(puppet.events).toEqual([])
    expect(puppet.client.room).toBe(19)
    puppet.say([0x40, 2, 0, 1], [0x40, 2, 0, 1], [0x90, 4, 0, 2, 0, 1])
    expect(puppet.events).toEqual([
      { ...done, packetId: 1 },
      { event: "subscribed", packetId: 2, reasonCodes: [1], reasonString: undefined },
    ])
  })

  it("[MQTT-4.4.0-1] a message goes again with its identifier and DUP", () => {
    const puppet = Puppet.connected({ firstPacketId: 5, cleanStart: false }, { sessionPresent: true })
    expect(puppet.client.publish({ ...message, again: 7 })).toBe(7)
    expect(puppet.client.publish(message)).toBe(5)
    puppet.look()
    expect(puppet.sent.map((bytes) => bytes[0])).toEqual([0x3a, 0x32])
    expect(problemOf(() => puppet.client.publish({ ...message, again: 7 })).kind).toBe("misuse")
    expect(problemOf(() => puppet.client.publish({ ...message, qos: 0, again: 8 })).kind).toBe("misuse")
  })

  it("identifiers that wait for an answer are not given again, and none is 0", () => {
    const puppet = Puppet.connected({ firstPacketId: 65_534 })
    expect(puppet.client.publish({ ...message, again: 1 })).toBe(1)
    expect([1, 2, 3].map(() => puppet.client.publish(message))).toEqual([65_534, 65_535, 2])
  })

  it("a head alone, of a payload that its caller sends", () => {
    const { client } = Puppet.connected()
    const { packetId, head } = client.publishHead({ ...message, payload: { length: 1 } })
    expect(packetId).toBe(1)
    expect([...head]).toEqual([0x32, 7, 0, 1, 0x74, 0, 1, 0])
    expect(client.waiting).toBe(0)
    expect(client.room).toBe(19)
  })

  it.each<[string, (client: MqttClient) => unknown]>([
    ["a wildcard in a Topic Name", (client) => client.publish({ topic: "a/#", payload: "" })],
    ["no Topic Name", (client) => client.publish({ topic: "", payload: "" })],
    ["a long one", (client) => client.publish({ topic: "x".repeat(65_536), payload: "" })],
    ["U+0000", (client) => client.publish({ topic: "a\0", payload: "" })],
    ["a filter that is none", (client) => client.subscribe("a/#/b")],
    ["no filter", (client) => client.subscribe([])],
    ["a long filter", (client) => client.unsubscribe(["x".repeat(65_537)])],
    ["no filter to leave", (client) => client.unsubscribe([])],
    ["a property of another packet", (client) => client.subscribe("a", [{ id: PropertyId.ContentType, value: "x" }])],
    ["a value of another kind", (client) => client.publish({ ...message, properties: [{ id: 0x02, value: "x" }] })],
    [
      "a Subscription Identifier, which is the broker's to send [MQTT-3.3.4-6]",
      (client) => client.publish({ ...message, properties: [{ id: PropertyId.SubscriptionIdentifier, value: 1 }] }),
    ],
    [
      "a wildcard in a Response Topic [MQTT-3.3.2-14]",
      (client) => client.publish({ ...message, properties: [{ id: PropertyId.ResponseTopic, value: "a/+" }] }),
    ],
    [
      "a number with no room in its property",
      (client) =>
        client.publish({ ...message, properties: [{ id: PropertyId.MessageExpiryInterval, value: 2 ** 32 }] }),
    ],
    ["no identifier to send again", (client) => client.publish({ ...message, again: 0 })],
    ["a number that is no identifier", (client) => client.publish({ ...message, again: 65_536 })],
    ["a Reason Code of a server", (client) => client.disconnect(0x8b)],
    ["authentication that is none", (client) => client.authenticate(Uint8Array.of(1))],
    ["a second CONNECT", (client) => client.connect(0)],
  ])("what is no MQTT is refused, and nothing is sent: %s", (_, work) => {
    const puppet = Puppet.connected()
    expect(problemOf(() => work(puppet.client)).kind).toBe("misuse")
    expect(puppet.look()).toEqual([])
    expect(puppet.client.room).toBe(20)
    expect(puppet.client.state).toBe("connected")
  })

  it.each<[string, Partial<MqttClientOptions>]>([
    ["a long Client Identifier", { clientId: "x".repeat(65_536) }],
    ["a control character", { clientId: "\u0001" }],
    ["a will to a wildcard", { will: { topic: "#", payload: "" } }],
    ["MQTT 3.1.1 with a password and no user", { version: 4, password: "p" }],
    ["a Receive Maximum of 0", { receiveMaximum: 0 }],
    ["a Keep Alive of more than its field", { keepAlive: 65_536 }],
    ["a part of a second", { keepAlive: 0.5 }],
    ["no number", { properties: [{ id: PropertyId.SessionExpiryInterval, value: Number.NaN }] }],
  ])("options that make no CONNECT: %s", (_, options) => {
    expect(problemOf(() => new Puppet(options)).kind).toBe("misuse")
  })

  it("[MQTT-3.14.4-2] nothing after DISCONNECT, an answer to AUTH neither", () => {
    const puppet = Puppet.connected({ properties: [{ id: PropertyId.AuthenticationMethod, value: "M" }] })
    puppet.client.disconnect()
    expect(puppet.look()).toEqual([14])
    expect(problemOf(() => puppet.client.authenticate(Uint8Array.of(1))).kind).toBe("misuse")
    expect(puppet.client.waiting).toBe(0)
  })

  it("not before CONNACK, and not after the end", () => {
    const puppet = new Puppet()
    expect(problemOf(() => puppet.client.publish(message)).kind).toBe("misuse")
    puppet.client.connect(0)
    expect(problemOf(() => puppet.client.subscribe("a")).kind).toBe("misuse")
    puppet.client.disconnect()
    expect(puppet.events).toEqual([{ event: "closed", error: undefined }])
    expect(problemOf(() => puppet.client.publish(message)).kind).toBe("misuse")
  })
})

const done = { event: "acknowledged", reasonCode: 0, reasonString: undefined } as const

describe("limits", () => {
  it("[MQTT-4.9.0-2] as many messages are unacknowledged as both allow, and one more when one is done", () => {
    for (const [options, connack, most] of [
      [{ maximumInFlight: 2 }, {}, 2],
      [{ maximumInFlight: 5 }, { receiveMaximum: 3 }, 3],
    ] as const) {
      const puppet = Puppet.connected(options, connack)
      for (let i = 0; i < most; i++) puppet.client.publish(message)
      const problem = problemOf(() => puppet.client.publish(message))
      expect(problem).toMatchObject({ kind: "limit", limit: "maximumInFlight" })
      puppet.client.publish({ ...message, qos: 0 })
      puppet.say([0x40, 2, 0, 1])
      puppet.client.publish(message)
    }
  })

  it("what waits to be sent: a packet more is refused, until it was taken", () => {
    const { client } = Puppet.connected({ maximumWaiting: 100 })
    client.publish({ topic: "t", payload: "x".repeat(94) })
    expect(client.waiting).toBe(100)
    expect(problemOf(() => client.subscribe("a"))).toMatchObject({ kind: "limit", limit: "maximumWaiting" })
    client.take()
    client.publish({ topic: "t", payload: "x".repeat(93) })
    client.publish({ topic: "t", payload: "x".repeat(1000) })
  })

  it("acknowledgements that nobody takes: as many as there are identifiers of both sides, and one more is the end", () => {
    const puppet = Puppet.connected()
    const released = Uint8Array.from([0x62, 2, 0, 1])
    const many = new Uint8Array(4 * 2 * 65_535)
    for (let at = 0; at < many.length; at += 4) many.set(released, at)
    puppet.client.receive(many, 0)
    expect([puppet.client.state, puppet.client.waiting]).toEqual(["connected", many.length])
    puppet.say(released)
    expect(puppet.error).toMatchObject({ kind: "malformed", cause: { rule: "MQTT-2.2.1-4" } })
    expect(puppet.client.waiting).toBe(many.length)
  })

  it("all identifiers: as many messages as leave some for SUBSCRIBE", () => {
    const { client } = Puppet.connected({ maximumInFlight: 70_000 })
    expect(client.room).toBe(65_535 - 16)
    while (client.room > 0) {
      client.publish(message)
      client.take()
    }
    for (let i = 0; i < 16; i++) client.subscribe("a")
    expect(problemOf(() => client.unsubscribe(["a"])).limit).toBe("maximumAsked")
  })

  it("SUBSCRIBE without an answer: 16", () => {
    const puppet = Puppet.connected()
    for (let i = 0; i < 16; i++) puppet.client.subscribe("a")
    expect(problemOf(() => puppet.client.unsubscribe(["a"]))).toMatchObject({ limit: "maximumAsked" })
    puppet.say({ type: "suback", packetId: 1, reasonCodes: [0] })
    puppet.client.unsubscribe(["a"])
  })

  it("messages of QoS 2 that the broker has not released: what was allowed", () => {
    const puppet = Puppet.connected({ receiveMaximum: 2 })
    const send = (packetId: number) => puppet.say(publishBytes(5, "t", "x", { qos: 2, packetId }))
    send(1)
    send(2)
    puppet.say([0x62, 2, 0, 1])
    send(3)
    expect(puppet.events).toHaveLength(3)
    send(4)
    expect(puppet.error).toMatchObject({ kind: "malformed" })
  })

  it.each<[string, Partial<ConnackPacket>, (client: MqttClient) => unknown]>([
    ["maximumQos", { maximumQos: 0 }, (client) => client.publish(message)],
    ["retainAvailable", { retainAvailable: false }, (client) => client.publish({ ...message, retain: true })],
    ["maximumPacketSize", { maximumPacketSize: 8 }, (client) => client.publish(message)],
    ["maximumPacketSize", { maximumPacketSize: 8 }, (client) => client.subscribe("abc")],
    ["maximumPacketSize", { maximumPacketSize: 8 }, (client) => client.authenticate(Uint8Array.of(1, 2))],
    [
      "maximumPacketSize",
      { maximumPacketSize: 8 },
      (client) => client.disconnect(0, [{ id: PropertyId.ReasonString, value: "abc" }]),
    ],
    ["wildcardSubscriptionAvailable", { wildcardSubscriptionAvailable: false }, (client) => client.subscribe("#")],
    ["sharedSubscriptionAvailable", { sharedSubscriptionAvailable: false }, (client) => client.subscribe("$share/a/b")],
  ])("what the broker does not take: %s", (limit, connack, work) => {
    const puppet = Puppet.connected({ properties: [{ id: PropertyId.AuthenticationMethod, value: "M" }] }, connack)
    expect(problemOf(() => work(puppet.client))).toMatchObject({ kind: "limit", limit })
    expect(puppet.look()).toEqual([])
  })
})

describe("messages", () => {
  it("come with their properties, and are acknowledged when they are taken", () => {
    const puppet = Puppet.connected()
    const properties = [0x03, 0, 1, 0x61]
    const body = [0, 1, 0x74, 0, 1, properties.length, ...properties, 0x78]
    puppet.say([0x32, body.length, ...body])
    expect(puppet.events).toMatchObject([
      { event: "message", topic: "t", qos: 1, packetId: 1, properties: [{ id: 0x03, value: "a" }] },
    ])
    expect(puppet.look()).toEqual([4])
    puppet.takes = false
    puppet.say(publishBytes(5, "t", "x", { qos: 1, packetId: 2 }), publishBytes(5, "t", "x", { qos: 2, packetId: 3 }))
    expect(puppet.look()).toEqual([])
  })

  it("[MQTT-4.3.3-10] of QoS 2 are told once", () => {
    const puppet = Puppet.connected()
    const again = publishBytes(5, "t", "x", { qos: 2, packetId: 3 })
    puppet.say(again, again)
    expect(puppet.events).toHaveLength(1)
    expect(puppet.look()).toEqual([5, 5])
    puppet.say([0x62, 2, 0, 3], again)
    expect(puppet.look()).toEqual([7, 5])
    expect(puppet.events).toHaveLength(2)
  })

  it("of as many levels as a Topic Name has room for", () => {
    const puppet = Puppet.connected()
    puppet.say(publishBytes(5, "/".repeat(65_500), ""))
    expect(puppet.events).toMatchObject([{ event: "message", topic: "/".repeat(65_500) }])
    const large = Puppet.connected({ maximumPacketSize: 100_000 })
    large.say(publishBytes(5, "/".repeat(65_535), ""))
    expect(large.events).toMatchObject([{ event: "message" }])
  })

  it("none comes after disconnect", () => {
    const puppet = Puppet.connected()
    puppet.client.disconnect()
    puppet.say(publishBytes(5, "t", "x", { qos: 1, packetId: 3 }))
    expect(puppet.events).toEqual([])
    expect(puppet.look()).toEqual([14])
  })

  it("in pieces of a byte are the same", () => {
    const puppet = Puppet.connected()
    for (const byte of publishBytes(5, "topic", "payload", { qos: 1, packetId: 3 })) puppet.say([byte])
    expect(puppet.events).toMatchObject([{ event: "message", topic: "topic" }])
  })
})

describe("with the broker, both without I/O", () => {
  it.each([
    [4, 1],
    [5, 1],
    [5, 2],
  ] as const)("version %s: 200 messages of QoS %s arrive in their order", (version, qos) => {
    const passed = () => 0
    const host = { passed, random: (length: number) => new Uint8Array(length) }
    const broker = new EmbeddedBroker(host, { access: openAccess })
    const arrived: string[] = []
    let acknowledged = 0
    const parties = ["publisher", "subscriber"].map((clientId) => {
      const client = new MqttClient({ clientId, version }, (event) => {
        if (event.event === "message") arrived.push(new TextDecoder().decode(event.payload))
        if (event.event === "acknowledged") acknowledged++
        if (event.event === "closed") throw event.error ?? new Error("closed")
      })
      const link = broker.open()
      if (link === undefined) throw new Error("refused")
      client.connect(0)
      return { client, link }
    })
    const exchange = () => {
      for (let moved = true; moved; ) {
        moved = false
        for (const { client, link } of parties) {
          const [up, down] = [client.take(), link.take()]
          if (up.length > 0) link.receive(up)
          if (down.length > 0) client.receive(down, 0)
          moved ||= up.length + down.length > 0
        }
        for (let i = 0; i < 10 && broker.turn() === 0; i++) moved = true
      }
    }
    exchange()
    const [publisher, subscriber] = parties.map(({ client }) => client)
    subscriber!.subscribe([{ filter: "t", qos }])
    exchange()
    const wanted = Array.from({ length: 200 }, (_, i) => `${i}`)
    for (const payload of wanted) {
      if (publisher!.room === 0) exchange()
      publisher!.publish({ topic: "t", payload, qos })
    }
    exchange()
    expect(arrived).toEqual(wanted)
    expect(acknowledged).toBe(200)
    expect(broker.broker.faults.total).toBe(0)
  })
})
