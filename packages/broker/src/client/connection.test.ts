import { describe, expect, it } from "vitest"
import { packet, publishBytes, TestBroker, text, variable } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import type { Qos } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access } from "../ports/access.ts"

const versions = [4, 5] as const
const subscription = (filter: string, qos: Qos) =>
  ({ filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 }) as const

describe("CONNECT", () => {
  it.each(versions)("version %i: accepted with CONNACK first ([MQTT-3.1.4-5], [MQTT-3.2.0-1])", (protocolVersion) => {
    const client = new TestBroker().connect({ protocolVersion })
    expect(client.seen[0]).toMatchObject({ type: "connack", reasonCode: 0, sessionPresent: false })
  })

  it("5.0: CONNACK tells the broker's limits", () => {
    const client = new TestBroker({
      limits: { receiveMaximum: 7, maximumPacketSize: 999, topicAliasMaximum: 3 },
    }).connect()
    expect(client.connack).toMatchObject({ receiveMaximum: 7, maximumPacketSize: 999, topicAliasMaximum: 3 })
  })

  it("works with a cut at every byte", () => {
    const bytes = writeConnect({
      protocolVersion: 5,
      clientId: "c",
      cleanStart: true,
      keepAlive: 0,
      username: "u",
      password: Uint8Array.of(1),
    })
    for (let cut = 0; cut <= bytes.length; cut++) {
      const client = new TestBroker().open()
      client.send(bytes.slice(0, cut), bytes.slice(cut))
      expect(client.connack.reasonCode).toBe(0)
    }
  })

  it("leaves the transport's memory to it: nothing of a chunk is read later, and nothing is written", () => {
    const passwords: (Uint8Array | undefined)[] = []
    const decisions: (() => void)[] = []
    const access: Access = {
      ...openAccess,
      authenticate(attempt, decide) {
        passwords.push(attempt.password)
        decisions.push(() => openAccess.authenticate(attempt, decide))
      },
    }
    const test = new TestBroker({ access })
    const client = test.open()
    const connect = writeConnect({
      protocolVersion: 5,
      clientId: "c",
      cleanStart: true,
      keepAlive: 0,
      username: "u",
      password: Uint8Array.of(1, 2, 3),
      will: { topic: "gone", payload: Uint8Array.of(0x77), qos: 0, retain: false },
    })
    const subscribe = writeSubscribe(1, [subscription("#", 1)], 5)
    const publish = publishBytes(5, "t", "hello", { qos: 1, packetId: 2, retain: true })
    // A transport that has one buffer for everything, as `onread` of a Node socket does.
    const pool = Buffer.alloc(4096, 0xa5)
    const chunk = Buffer.concat([connect, subscribe, publish])
    chunk.copy(pool, 9)
    client.connection?.receive(pool.subarray(9, 9 + chunk.length), test.now)
    expect(pool.subarray(9, 9 + chunk.length).equals(chunk)).toBe(true)
    expect(pool.indexOf(chunk)).toBe(9)
    pool.fill(0)
    expect(passwords).toEqual([Uint8Array.of(1, 2, 3)])
    for (const decide of decisions) decide()
    test.settle()
    expect(client.closed).toBe(false)
    expect(client.seen).toContainEqual(expect.objectContaining({ type: "publish", topic: "t", payload: "hello" }))
    // And what is kept: the retained message, and the will.
    const late = test.connect({ clientId: "late" })
    for (const decide of decisions.splice(1)) decide()
    late.send(writeSubscribe(1, [subscription("t", 0), subscription("gone", 0)], 5))
    client.connection?.transportClosed(test.now, "gone")
    test.settle()
    expect(late.seen).toContainEqual(expect.objectContaining({ type: "publish", topic: "t", payload: "hello" }))
    expect(late.seen).toContainEqual(expect.objectContaining({ type: "publish", topic: "gone", payload: "w" }))
  })

  it("[MQTT-3.1.0-1] anything else first closes the connection", () => {
    const test = new TestBroker()
    const client = test.open()
    client.send([0xc0, 0])
    expect(client.closed).toBe(true)
    expect(client.seen).toEqual([])
    expect(test.events).toEqual([
      expect.objectContaining({ event: "client refused", reason: expect.stringContaining("MQTT-3.1.0-1") }),
    ])
  })

  it("[MQTT-3.1.0-2] a second CONNECT is a Protocol Error", () => {
    const client = new TestBroker().connect()
    client.connect()
    expect(client.farewell).toBe(ReasonCode.ProtocolError)
    expect(client.closed).toBe(true)
  })

  it("[MQTT-3.1.2-2] tells an unknown version in words its level understands", () => {
    const six = new TestBroker().open(5)
    six.send(packet(0x10, [...text("MQTT"), 6, 2, 0, 0, 0, ...text("c")]))
    expect(six.connack.reasonCode).toBe(ReasonCode.UnsupportedProtocolVersion)
    const three = new TestBroker().open(4)
    three.send(packet(0x10, [...text("MQTT"), 3, 2, 0, 0, ...text("c")]))
    expect(three.connack.reasonCode).toBe(1)
    expect([six.closed, three.closed]).toEqual([true, true])
  })

  it("[MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.2.2-16] assigns an identifier and tells it", () => {
    const test = new TestBroker()
    const one = test.connect({ clientId: "" })
    const two = test.connect({ clientId: "" })
    expect(one.connack.assignedClientIdentifier).toMatch(/^auto-/)
    expect(two.connack.assignedClientIdentifier).not.toBe(one.connack.assignedClientIdentifier)
    expect(one.closed).toBe(false)
  })

  it("3.1.1 [MQTT-3.1.3-8]: an empty identifier with CleanSession 0 is rejected with 0x02", () => {
    const client = new TestBroker().open(4)
    client.send(packet(0x10, [...text("MQTT"), 4, 0, 0, 0, ...text("")]))
    expect(client.connack.reasonCode).toBe(2)
    expect(client.closed).toBe(true)
  })

  it("takes an identifier at the limit and refuses one byte more", () => {
    const test = new TestBroker({ limits: { maximumClientIdLength: 10 } })
    expect(test.connect({ clientId: "ä".repeat(5) }).connack.reasonCode).toBe(0)
    expect(test.connect({ clientId: `${"ä".repeat(5)}x` }).connack.reasonCode).toBe(ReasonCode.ClientIdentifierNotValid)
  })

  it("section 1.5.4: refuses control characters in every string, 0x81; MQTT 3.1.1: closes", () => {
    const will = { payload: Uint8Array.of(1), qos: 0, retain: false } as const
    for (const request of [{ clientId: "a\nb" }, { username: "a\u007f" }, { will: { ...will, topic: "a\u0085" } }]) {
      const test = new TestBroker()
      expect(test.connect(request).connack.reasonCode).toBe(ReasonCode.MalformedPacket)
      const four = test.connect({ ...request, protocolVersion: 4 })
      expect([four.closed, four.seen.length]).toEqual([true, 0])
    }
  })

  it("[MQTT-4.12.0-1] refuses enhanced authentication", () => {
    const client = new TestBroker().open()
    const properties = [0x15, ...text("SCRAM-SHA-256")]
    client.send(
      packet(0x10, [...text("MQTT"), 5, 2, 0, 0, ...variable(properties.length), ...properties, ...text("c")]),
    )
    expect(client.connack.reasonCode).toBe(ReasonCode.BadAuthenticationMethod)
  })

  it("[MQTT-3.1.4-1] refuses a CONNECT above maximumConnectSize once it says its version: 0x95 for 5.0", () => {
    const limits = { maximumConnectSize: 128 }
    const begin = (length: number, version: number) => [0x10, ...variable(length), ...text("MQTT"), version]
    for (const cut of [0, 1, 2, 5, 8]) {
      const client = new TestBroker({ limits }).open()
      client.send(begin(127, 5).slice(0, cut), begin(127, 5).slice(cut, -1))
      expect(client.closed).toBe(false)
      client.send([5])
      expect(client.connack).toMatchObject({ reasonCode: ReasonCode.PacketTooLarge, reasonString: undefined })
      expect([client.closed, client.written]).toEqual([true, 5])
    }
    const largest = new TestBroker({ limits }).open()
    largest.send([0x10, 0xff, 0xff, 0xff, 0x7f, ...text("MQTT"), 5, 0xc2])
    expect(largest.connack.reasonCode).toBe(ReasonCode.PacketTooLarge)
    // MQTT 3.1.1 has no word for it.
    const four = new TestBroker({ limits }).open(4)
    four.send(begin(127, 4))
    expect([four.closed, four.seen]).toEqual([true, []])
    const good = new TestBroker({ limits }).open()
    good.send(begin(126, 5))
    expect(good.closed).toBe(false)
  })

  it("closes a connection without CONNECT at the timeout, not before", () => {
    const test = new TestBroker({ limits: { connectTimeout: 3000 } })
    const client = test.open()
    test.pass(2)
    expect(client.closed).toBe(false)
    test.pass(1)
    expect(client.closed).toBe(true)
    expect(test.broker.connectionCount).toBe(0)
  })

  it("takes as many connections as allowed and drops one more", () => {
    const test = new TestBroker({ limits: { maximumConnections: 2 } })
    const [one, two, three] = [test.open(), test.open(), test.open()]
    expect([one.destroyed, two.destroyed, three.destroyed]).toEqual([false, false, true])
  })

  it("takes as many sessions as allowed and refuses one more", () => {
    const test = new TestBroker({ limits: { maximumSessions: 1 } })
    expect(test.connect({ clientId: "a" }).connack.reasonCode).toBe(0)
    expect(test.connect({ clientId: "b" }).connack.reasonCode).toBe(ReasonCode.QuotaExceeded)
    expect(test.connect({ clientId: "b", protocolVersion: 4 }).connack.reasonCode).toBe(3)
    expect(test.connect({ clientId: "a" }).connack.reasonCode).toBe(0)
  })

  it("[MQTT-3.1.2-28] Response Information only for who asks", () => {
    const test = new TestBroker({ responseInformation: (id) => `reply/${id}` })
    expect(test.connect().connack.responseInformation).toBeUndefined()
    const client = test.open()
    client.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, 2, 0x19, 1, ...text("me")]))
    expect(client.connack.responseInformation).toBe("reply/me")
  })
})

describe("a login that takes its time", () => {
  it("holds back what follows CONNECT, and [MQTT-3.1.4-6] drops it when the login fails", () => {
    for (const good of [true, false]) {
      let decide: (() => void) | undefined
      const test = new TestBroker({
        access: {
          ...openAccess,
          authenticate: (_attempt, answer) => {
            decide = () =>
              answer(
                good
                  ? { identity: { user: "u", source: "password" } }
                  : { reasonCode: ReasonCode.BadUserNameOrPassword, why: "wrong password" },
              )
          },
        },
      })
      const watcher = new TestBroker()
      expect(watcher.broker.subscriptionCount).toBe(0)
      const client = test.open()
      const connect = writeConnect({ protocolVersion: 5, clientId: "c", cleanStart: true, keepAlive: 0 })
      const subscribe = writeSubscribe(
        1,
        [{ filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
        5,
      )
      client.send(Uint8Array.from([...connect, ...subscribe]), [0xc0], [0])
      expect(client.seen).toEqual([])
      expect(client.paused).toBe(true)
      decide?.()
      test.settle()
      expect(client.seen.map((one) => one.type)).toEqual(good ? ["connack", "suback", "pingresp"] : ["connack"])
      expect(client.connack.reasonCode).toBe(good ? 0 : ReasonCode.BadUserNameOrPassword)
      expect(client.connack.reasonString).toBeUndefined()
      expect(client.closed).toBe(!good)
      expect(test.broker.subscriptionCount).toBe(good ? 1 : 0)
    }
  })

  it("[MQTT-4.12.0-1] an Authentication Method of any length is refused, and never said back", () => {
    for (const method of ["SCRAM-SHA-256", "m".repeat(0xffff), "\u{10348}".repeat(0x3fff)]) {
      const test = new TestBroker()
      const client = test.open()
      const properties = [0x15, ...text(method)]
      client.send(
        packet(0x10, [...text("MQTT"), 5, 2, 0, 0, ...variable(properties.length), ...properties, ...text("c")]),
      )
      expect(client.connack.reasonCode).toBe(ReasonCode.BadAuthenticationMethod)
      expect(client.connack.reasonString).not.toContain(method)
      expect(client.written).toBeLessThan(250)
      expect(client.closed).toBe(true)
      expect(test.broker.faults.total).toBe(0)
    }
  })

  it("Response Information that does not fit into a string is left out", () => {
    const test = new TestBroker({ responseInformation: (clientId) => clientId.repeat(2) })
    const ask = (clientId: string) => {
      const client = test.open()
      client.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, 2, 0x19, 1, ...text(clientId)]))
      return client.connack
    }
    expect(ask("c")).toMatchObject({ reasonCode: 0, responseInformation: "cc" })
    const wide = new TestBroker({ responseInformation: () => "r".repeat(0x1_0000) }).open()
    wide.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, 2, 0x19, 1, ...text("c")]))
    expect(wide.connack).toMatchObject({ reasonCode: 0, responseInformation: undefined })
  })

  it("a decision for a client that has gone does nothing", () => {
    let decide: (() => void) | undefined
    const test = new TestBroker({
      access: {
        ...openAccess,
        authenticate: (_attempt, answer) => {
          decide = () => answer({ identity: { user: "u", source: "password" } })
        },
      },
    })
    const client = test.connect()
    client.cut()
    decide?.()
    expect(test.broker.sessionCount).toBe(0)
  })
})

describe("keep-alive", () => {
  it.each(versions)(
    "version %i: [MQTT-3.1.2-22] closes after one and a half times the Keep Alive, not before",
    (protocolVersion) => {
      const test = new TestBroker()
      const client = test.connect({ protocolVersion, keepAlive: 10 })
      test.pass(14)
      client.send([0xc0, 0])
      expect(client.seen.at(-1)).toEqual({ type: "pingresp" }) // [MQTT-3.12.4-1]
      test.pass(14)
      expect(client.closed).toBe(false)
      test.pass(1)
      expect(client.closed).toBe(true)
      expect(client.farewell).toBe(protocolVersion === 5 ? ReasonCode.KeepAliveTimeout : undefined)
    },
  )

  it("ends a client that neither sends nor takes anything, but not one that still takes", () => {
    const test = new TestBroker({ limits: { maximumOutboundBytes: 100 } })
    const clients = ["takes", "dead"].map((clientId) => test.connect({ clientId, keepAlive: 10 }))
    for (const client of clients) {
      client.taking = false
      for (let i = 0; i < 100; i++) client.send([0xc0, 0])
      expect(client.paused).toBe(true)
    }
    test.pass(14)
    clients[0]?.connection?.drained(test.now)
    test.settle()
    test.pass(1)
    expect(clients.map((client) => client.closed)).toEqual([false, true])
  })

  it("[MQTT-3.1.2-22] ends a client that says nothing, however much it is sent, and takes", () => {
    const test = new TestBroker({ limits: { maximumOutboundBytes: 2000 } })
    const silent = test.connect({ clientId: "silent", keepAlive: 10 })
    silent.subscribe("t")
    const pub = test.connect({ clientId: "pub" })
    for (let second = 0; second < 16; second++) {
      silent.taking = false
      for (let i = 0; i < 10; i++) pub.publish("t", "x".repeat(100))
      test.pass(0.5)
      silent.drain()
      test.pass(0.5)
    }
    expect(silent.closed).toBe(true)
  })

  it("[MQTT-3.1.2-22] ends a client that says nothing while answers to others are committed", () => {
    const test = new TestBroker()
    const silent = test.connect({ clientId: "silent", keepAlive: 10, cleanStart: false, sessionExpiryInterval: 100 })
    silent.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    test.store.mode = "late"
    for (let second = 0; second < 16; second++) {
      pub.publish("t", "x", { qos: 1, packetId: second + 1 })
      while (test.store.waits) {
        test.store.answer()
        test.settle()
      }
      test.pass(1)
    }
    expect(silent.closed).toBe(true)
  })

  it("begins anew when one that published too fast is read again: a large packet may be on its way", () => {
    const test = new TestBroker({ limits: { maximumPublishByteRate: 50_000 } })
    const client = test.connect({ clientId: "fast", keepAlive: 10 })
    client.publish("t", "x".repeat(1_000_000))
    expect(client.paused).toBe(true)
    test.pass(21)
    expect(client.paused).toBe(false)
    for (let second = 0; second < 12; second++) {
      client.connection!.receive(second === 0 ? Uint8Array.of(0x30, 0x80, 0x80, 0x20) : new Uint8Array(1000), test.now)
      test.pass(1)
    }
    expect(client.closed).toBe(false)
    test.pass(3)
    expect(client.closed).toBe(true)
  })

  it("does not end one that is not read: what it has said meanwhile comes when it is", () => {
    const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
    const client = test.connect({ clientId: "fast", keepAlive: 1 })
    for (let i = 0; i < 60; i++) client.publish("t", "x")
    expect(client.paused).toBe(true)
    test.pass(3)
    expect(client.closed).toBe(false)
  })

  it("0 turns it off", () => {
    const test = new TestBroker()
    const client = test.connect({ keepAlive: 0 })
    test.pass(1000)
    expect(client.closed).toBe(false)
  })

  it("[MQTT-3.2.2-21] Server Keep Alive replaces a longer one, and none", () => {
    const test = new TestBroker({ limits: { maximumKeepAlive: 20 } })
    expect(test.connect({ clientId: "a", keepAlive: 20 }).connack.serverKeepAlive).toBeUndefined()
    expect(test.connect({ clientId: "b", keepAlive: 21 }).connack.serverKeepAlive).toBe(20)
    const none = test.connect({ clientId: "c", keepAlive: 0 })
    expect(none.connack.serverKeepAlive).toBe(20)
    test.pass(30)
    expect(none.farewell).toBe(ReasonCode.KeepAliveTimeout)
  })
})

describe("PUBLISH from a client", () => {
  it.each(versions)(
    "version %i: QoS 1 is acknowledged ([MQTT-4.3.2-4]), QoS 2 in two steps ([MQTT-4.3.3-8], [MQTT-4.3.3-11])",
    (protocolVersion) => {
      const client = new TestBroker().connect({ protocolVersion })
      client.publish("a", "x", { qos: 1, packetId: 5 })
      client.publish("a", "x", { qos: 2, packetId: 6 })
      client.ack(6, 6)
      const code = protocolVersion === 5 ? ReasonCode.NoMatchingSubscribers : 0
      expect(client.acks()).toEqual([
        { type: "puback", packetId: 5, reasonCode: code },
        { type: "pubrec", packetId: 6, reasonCode: code },
        { type: "pubcomp", packetId: 6, reasonCode: 0 },
      ])
    },
  )

  it("[MQTT-4.3.3-10] [MQTT-4.3.3-12] the same QoS 2 identifier is a duplicate until PUBREL, then a new message", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("a")
    const pub = test.connect({ clientId: "pub" })
    pub.publish("a", "one", { qos: 2, packetId: 9 })
    pub.publish("a", "one", { qos: 2, packetId: 9, dup: true })
    expect(sub.payloads()).toEqual(["one"])
    expect(pub.acks().map((ack) => ack.type)).toEqual(["pubrec", "pubrec"])
    pub.ack(6, 9)
    pub.publish("a", "two", { qos: 2, packetId: 9 })
    expect(sub.payloads()).toEqual(["two"])
  })

  it("PUBREL of an unknown identifier gets PUBCOMP 0x92", () => {
    const client = new TestBroker().connect()
    client.ack(6, 77)
    expect(client.acks()).toEqual([{ type: "pubcomp", packetId: 77, reasonCode: ReasonCode.PacketIdentifierNotFound }])
  })

  it("[MQTT-3.3.4-7] as many unreleased QoS 2 messages as Receive Maximum, and not one more", () => {
    const client = new TestBroker({ limits: { receiveMaximum: 3 } }).connect()
    for (let id = 1; id <= 3; id++) client.publish("a", "", { qos: 2, packetId: id })
    expect(client.closed).toBe(false)
    client.publish("a", "", { qos: 2, packetId: 4 })
    expect(client.farewell).toBe(ReasonCode.ReceiveMaximumExceeded)
  })

  it("section 4.9: each connection begins with a new quota; what comes again on it counts, what earlier ones left does not", () => {
    const test = new TestBroker({ limits: { receiveMaximum: 3 } })
    const kept = { clientId: "c", cleanStart: false, sessionExpiryInterval: 100 }
    const first = test.connect(kept)
    for (let id = 1; id <= 3; id++) first.publish("a", "", { qos: 2, packetId: id })
    first.cut()
    const second = test.connect(kept)
    second.publish("a", "", { qos: 2, packetId: 1, dup: true })
    for (const id of [4, 5]) second.publish("a", "", { qos: 2, packetId: id })
    // It was of the connection before, and gives nothing back.
    second.ack(6, 2)
    expect(second.closed).toBe(false)
    second.publish("a", "", { qos: 2, packetId: 6 })
    expect(second.farewell).toBe(ReasonCode.ReceiveMaximumExceeded)
    const third = test.connect(kept)
    for (const id of [7, 8, 9]) third.publish("a", "", { qos: 2, packetId: id })
    third.ack(6, 7)
    third.publish("a", "", { qos: 2, packetId: 10 })
    expect(third.closed).toBe(false)
  })

  it("Topic Alias: sets, uses, changes; [MQTT-3.3.2-7] not carried to the next connection", () => {
    const test = new TestBroker({ limits: { topicAliasMaximum: 2 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const pub = test.connect({ clientId: "pub" })
    pub.publish("a/b", "1", { properties: [0x23, 0, 2] })
    pub.publish("", "2", { properties: [0x23, 0, 2] })
    pub.publish("c", "3", { properties: [0x23, 0, 2] })
    pub.publish("", "4", { properties: [0x23, 0, 2] })
    expect(sub.take().map((one) => [one.topic, one.payload, one.topicAlias])).toEqual([
      ["a/b", "1", 0],
      ["a/b", "2", 0],
      ["c", "3", 0],
      ["c", "4", 0],
    ])
    const again = test.connect({ clientId: "pub", cleanStart: false })
    again.publish("", "5", { properties: [0x23, 0, 2] })
    expect(again.farewell).toBe(ReasonCode.ProtocolError)
  })

  it("[MQTT-3.3.2-9] a Topic Alias above the maximum", () => {
    const client = new TestBroker({ limits: { topicAliasMaximum: 2 } }).connect()
    client.publish("a", "", { properties: [0x23, 0, 2] })
    expect(client.closed).toBe(false)
    client.publish("a", "", { properties: [0x23, 0, 3] })
    expect(client.farewell).toBe(ReasonCode.TopicAliasInvalid)
  })

  it("a topic that begins with $ is not for clients (section 4.7.2)", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("$SYS/#")
    for (const protocolVersion of versions) {
      const pub = test.connect({ clientId: `pub${protocolVersion}`, protocolVersion })
      pub.publish("$SYS/x", "forged", { qos: 1 })
      expect(pub.acks()).toEqual([
        { type: "puback", packetId: 1, reasonCode: protocolVersion === 5 ? ReasonCode.NotAuthorized : 0 },
      ])
    }
    expect(sub.payloads()).toEqual([])
  })

  it("[MQTT-3.2.2-15] takes a packet at maximumPacketSize and refuses one byte more with 0x95", () => {
    const client = new TestBroker({ limits: { maximumPacketSize: 1000 } }).connect()
    client.publish("a", "x".repeat(1000 - 7))
    expect(client.closed).toBe(false)
    client.publish("a", "x".repeat(1000 - 6))
    expect(client.farewell).toBe(ReasonCode.PacketTooLarge)
  })
})

describe("MQTT 3.1", () => {
  const open = (test: TestBroker, flags: number, clientId: string) => {
    const client = test.open(4)
    client.send(packet(0x10, [...text("MQIsdp"), 3, flags, 0, 0, ...text(clientId)]))
    return client
  }
  const kept = 0

  it("is served, with the session that it had, and is not told of it", () => {
    const test = new TestBroker()
    const first = open(test, kept, "old")
    expect(first.subscribe("t", { qos: 1 })).toBe(1)
    first.cut()
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    const again = open(test, kept, "old")
    expect(again.connack).toMatchObject({ sessionPresent: false, reasonCode: 0 })
    expect(again.payloads()).toEqual(["x"])
    expect(test.events).toContainEqual(expect.objectContaining({ event: "client connected", mqtt: "3.1" }))
  })

  it("sends SUBSCRIBE, UNSUBSCRIBE and PUBREL again with DUP; MQTT 3.1.1 may not ([MQTT-2.2.2-2])", () => {
    const subscribe = [0x8a, ...packet(0x82, [0, 7, ...text("t"), 1]).subarray(1)]
    const unsubscribe = [0xaa, ...packet(0xa2, [0, 8, ...text("t")]).subarray(1)]
    const test = new TestBroker()
    const old = open(test, kept, "old")
    old.send(subscribe)
    expect(old.seen.at(-1)).toMatchObject({ type: "suback", packetId: 7, reasonCodes: [1] })
    old.send(unsubscribe)
    expect(old.seen.at(-1)).toMatchObject({ type: "unsuback", packetId: 8 })
    old.publish("t", "x", { qos: 2, packetId: 9 })
    old.send([0x6a, 2, 0, 9])
    expect(old.acks().at(-1)).toMatchObject({ type: "pubcomp", packetId: 9 })
    for (const again of [subscribe, unsubscribe, [0x6a, 2, 0, 9]]) {
      const client = test.connect({ protocolVersion: 4 })
      client.send(again)
      expect(client.closed).toBe(true)
    }
    old.send([0x86, ...subscribe.slice(1)])
    expect(old.closed).toBe(true)
  })

  it("has no empty Client Identifier, and no failure in SUBACK", () => {
    const nobody = open(new TestBroker(), 2, "")
    expect([nobody.connack.reasonCode, nobody.closed]).toEqual([2, true])
    const access: Access = { ...openAccess, subscribeRefusal: () => ({ rule: "a rule" }) }
    const test = new TestBroker({ access })
    const old = open(test, 2, "old")
    expect(old.subscribe("t", { qos: 1 })).toBe(1)
    expect(test.broker.subscriptionCount).toBe(0)
    expect(test.events).toContainEqual(expect.objectContaining({ event: "access refused" }))
  })
})

describe("Reason Strings", () => {
  const refusing: Access = {
    ...openAccess,
    publishRefusal: () => ({ rule: "a rule" }),
    subscribeRefusal: () => ({ rule: "a rule" }),
  }
  const connectWith = (properties: readonly number[]) => {
    const client = new TestBroker({ access: refusing, limits: { maximumTopicLevels: 3 } }).open()
    client.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, properties.length, ...properties, ...text("c")]))
    return client
  }
  const why = "the access rules do not let this client publish to this topic"

  it("sections 3.4.2.2.2 and 3.9.2.1.2: PUBACK, PUBREC and SUBACK say why", () => {
    const client = connectWith([])
    client.written = 0
    client.publish("t", "x", { qos: 1, packetId: 1 })
    client.publish("t", "x", { qos: 2, packetId: 2 })
    expect(client.acks()).toMatchObject([
      { type: "puback", packetId: 1, reasonCode: ReasonCode.NotAuthorized },
      { type: "pubrec", packetId: 2, reasonCode: ReasonCode.NotAuthorized },
    ])
    // Fixed header, Packet Identifier, Reason Code, Property Length, the identifier of the property, its length.
    expect(client.written).toBe(2 * (2 + 2 + 1 + 1 + 1 + 2 + why.length))
    client.subscribeAll([subscription("a", 0), subscription("a/b/c/d", 0)])
    expect(client.seen.at(-1)).toMatchObject({
      reasonCodes: [ReasonCode.NotAuthorized, ReasonCode.TopicFilterInvalid],
      reasonString: "the access rules do not allow each of the filters; a filter has more than 3 levels",
    })
  })

  it("none where the rules have no say: for the broker's own topics (section 4.7.2)", () => {
    const client = connectWith([])
    client.written = 0
    client.publish("$TopicA/B", "x", { qos: 1, packetId: 1 })
    expect(client.acks()).toMatchObject([{ type: "puback", reasonCode: ReasonCode.NotAuthorized }])
    expect(client.written).toBe(5)
  })

  it("[MQTT-3.1.2-29] not to a client that wants none; [MQTT-3.4.2-2] [MQTT-3.9.2-1] nor above its limit", () => {
    for (const properties of [
      [0x17, 0],
      [0x27, 0, 0, 0, 30],
    ]) {
      const client = connectWith(properties)
      client.written = 0
      client.publish("t", "x", { qos: 1, packetId: 1 })
      expect(client.acks()).toMatchObject([{ type: "puback", reasonCode: ReasonCode.NotAuthorized }])
      expect(client.written).toBe(5)
      expect(client.subscribe("a")).toBe(ReasonCode.NotAuthorized)
      expect(client.seen.at(-1)).toMatchObject({ reasonString: undefined })
      expect(client.closed).toBe(false)
    }
  })
})

describe("[MQTT-3.1.2-24] an answer above the client's Maximum Packet Size ends the connection", () => {
  it("CONNACK: CONNACK 0x95 if that fits, and nothing else; there is no session", () => {
    const test = new TestBroker()
    const whole = test.connect({ clientId: "c", sessionExpiryInterval: 60 }).written
    test.broker.close(test.now)
    for (const [maximumPacketSize, written] of [
      [whole - 1, 5],
      [5, 5],
      [4, 0],
      [1, 0],
    ] as const) {
      const small = new TestBroker()
      const kept = small.connect({ clientId: "c", sessionExpiryInterval: 60 })
      const client = small.connect({ clientId: "c", cleanStart: true, maximumPacketSize })
      expect([client.closed, client.written]).toEqual([true, written])
      if (written > 0) expect(client.connack.reasonCode).toBe(ReasonCode.PacketTooLarge)
      // The session of before, and its connection, are as they were.
      expect([kept.closed, small.broker.sessionCount]).toEqual([false, 1])
    }
    const fits = new TestBroker().connect({ clientId: "c", sessionExpiryInterval: 60, maximumPacketSize: whole })
    expect([fits.connack.reasonCode, fits.closed]).toEqual([0, false])
  })

  it("CONNACK: Response Information is left out before that", () => {
    const test = new TestBroker({ responseInformation: () => "r".repeat(1000) })
    const client = test.open()
    const properties = [0x19, 1, 0x27, 0, 0, 0, 100]
    client.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, properties.length, ...properties, ...text("c")]))
    expect(client.connack).toMatchObject({ reasonCode: 0, responseInformation: undefined })
  })

  it("SUBACK, UNSUBACK: DISCONNECT 0x95", () => {
    const filters = Array.from({ length: 100 }, (_, i) => `f/${i}`)
    for (const packet of ["suback", "unsuback"] as const) {
      const test = new TestBroker()
      const client = test.connect({ maximumPacketSize: 100 })
      if (packet === "suback") client.subscribeAll(filters.map((filter) => subscription(filter, 0)))
      else client.unsubscribe(...filters)
      expect([client.closed, client.farewell]).toEqual([true, ReasonCode.PacketTooLarge])
      expect(client.seen.filter(({ type }) => type === packet)).toEqual([])
    }
  })
})

describe("[MQTT-4.3.2-2] [MQTT-4.3.3-6] an acknowledgement that is not of its QoS is a Protocol Error", () => {
  it.each([
    ["PUBREC for QoS 1", 1, [5]],
    ["PUBCOMP for QoS 1", 1, [7]],
    ["PUBACK for QoS 2", 2, [4]],
    ["PUBCOMP for QoS 2 before PUBREC", 2, [7]],
    ["PUBACK for QoS 2 after PUBREC", 2, [5, 4]],
  ] as const)("%s", (_what, qos, types) => {
    for (const protocolVersion of versions) {
      const test = new TestBroker()
      const client = test.connect({ protocolVersion, clientId: "sub", sessionExpiryInterval: 60, cleanStart: false })
      client.subscribe("t", { qos })
      test.connect({ clientId: "pub" }).publish("t", "x", { qos })
      for (const type of types) {
        expect(client.closed).toBe(false)
        client.ack(type, 1)
      }
      expect([client.closed, client.farewell]).toEqual([
        true,
        protocolVersion === 5 ? ReasonCode.ProtocolError : undefined,
      ])
      // Nothing is lost: it comes again.
      const again = test.connect({ protocolVersion, clientId: "sub", sessionExpiryInterval: 60, cleanStart: false })
      if (types.length === 1) expect(again.payloads()).toEqual(["x"])
      else expect(again.acks()).toMatchObject([{ type: "pubrel", packetId: 1 }])
    }
  })

  it("one of a Packet Identifier that is not in use is none", () => {
    const client = new TestBroker().connect()
    for (const type of [4, 7] as const) client.ack(type, 9)
    client.ack(5, 9)
    expect(client.acks()).toEqual([{ type: "pubrel", packetId: 9, reasonCode: ReasonCode.PacketIdentifierNotFound }])
    expect(client.closed).toBe(false)
  })
})

describe("what ends a connection", () => {
  it.each<[string, Uint8Array | readonly number[], number]>([
    ["QoS 3", [0x36, 3, 0, 1, 0x61], ReasonCode.MalformedPacket],
    ["a wildcard topic", publishBytes(5, "a/#", ""), ReasonCode.MalformedPacket],
    ["PUBACK with identifier 0", [0x40, 2, 0, 0], ReasonCode.ProtocolError],
    ["SUBSCRIBE without filter", [0x82, 3, 0, 1, 0], ReasonCode.ProtocolError],
    ["CONNACK from a client", [0x20, 3, 0, 0, 0], ReasonCode.ProtocolError],
    ["PINGRESP from a client", [0xd0, 0], ReasonCode.ProtocolError],
    ["PINGREQ with a body", [0xc0, 1, 0], ReasonCode.MalformedPacket],
    ["AUTH without method", [0xf0, 0], ReasonCode.ProtocolError],
    ["SUBACK from a client", [0x90, 4, 0, 1, 0, 0], ReasonCode.ProtocolError],
  ])("%s: DISCONNECT tells why, the session's will is published", (_what, bytes, code) => {
    const test = new TestBroker()
    const watcher = test.connect({ clientId: "watcher" })
    watcher.subscribe("will")
    const client = test.connect({ will: { topic: "will", payload: Uint8Array.of(0x77), qos: 0, retain: false } })
    client.send(bytes)
    expect(client.farewell).toBe(code)
    expect(client.closed).toBe(true)
    expect(watcher.payloads()).toEqual(["w"])
  })

  it("an MQTT 3.1.1 client gets no DISCONNECT", () => {
    const client = new TestBroker().connect({ protocolVersion: 4 })
    client.send([0x36, 3, 0, 1, 0x61])
    expect(client.closed).toBe(true)
    expect(client.farewell).toBeUndefined()
  })

  it("nothing is read after the end", () => {
    const test = new TestBroker()
    const client = test.connect()
    client.send(Uint8Array.from([0xe0, 0, 0xc0, 0]))
    client.send([0xc0, 0])
    expect(client.seen.map((one) => one.type)).toEqual(["connack"])
  })

  it("[MQTT-3.1.2-29] no Reason String on acknowledgements; DISCONNECT has one unless the client wants none", () => {
    const test = new TestBroker()
    const chatty = test.connect({ clientId: "a" })
    chatty.send([0xf0, 1, 0x18])
    expect(chatty.seen.at(-1)).toMatchObject({ type: "disconnect", reasonString: expect.stringContaining("AUTH") })
    const terse = test.open()
    terse.send(packet(0x10, [...text("MQTT"), 5, 2, 0, 0, 2, 0x17, 0, ...text("b")]))
    terse.send([0xf0, 0])
    expect(terse.seen.at(-1)).toMatchObject({ type: "disconnect", reasonString: undefined })
  })

  it("random bytes never throw and never stay open with garbage", () => {
    let random = 99
    const test = new TestBroker()
    for (let n = 0; n < 2000; n++) {
      const client = test.connect({ clientId: "fuzz" })
      const bytes = new Uint8Array(40)
      for (let i = 0; i < bytes.length; i++) {
        random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
        bytes[i] = random >>> 20
      }
      bytes[1] = 20
      client.send(bytes)
      client.cut()
    }
    expect(test.broker.connectionCount).toBe(0)
    expect(test.broker.sessionCount).toBe(0)
  })

  it("the broker's end: 0x8B to MQTT 5.0 clients, and no more connections", () => {
    const test = new TestBroker()
    const five = test.connect({ clientId: "five" })
    const four = test.connect({ clientId: "four", protocolVersion: 4 })
    const early = test.open()
    test.broker.close(test.now)
    expect(five.farewell).toBe(ReasonCode.ServerShuttingDown)
    expect([five.closed, four.closed, early.closed]).toEqual([true, true, true])
    expect(test.open().destroyed).toBe(true)
  })
})
