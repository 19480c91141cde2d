import { describe, expect, it } from "vitest"
import { packet, text, userProperty, variable } from "../../tests/harness.ts"
import { readClientPacket, readConnect, writeConnect, writeServerPacket } from "../codecs/mqtt-packet.ts"
import { readServerPacket } from "../codecs/plain-answers.ts"
import { readAcknowledgement } from "./acknowledgements.ts"
import { guard } from "./guard.ts"
import { withoutUserProperties } from "./properties.ts"
import { ReasonCode } from "./reason-codes.ts"

interface ConnectShape {
  name?: number[]
  version?: number
  flags?: number
  properties?: number[]
  clientId?: number[]
  rest?: number[]
}

function connectBytes(shape: ConnectShape = {}): Uint8Array {
  const { name = text("MQTT"), version = 5, flags = 2, properties = [], clientId = text("id"), rest = [] } = shape
  const props = version === 5 ? [...variable(properties.length), ...properties] : []
  return packet(0x10, [...name, version, flags, 0, 60, ...props, ...clientId, ...rest])
}

function read(bytes: Uint8Array): ReturnType<typeof readConnect> {
  return readConnect(bytes, 0, bytes[1]! < 0x80 ? 2 : 3, bytes.length)
}

function codeOf(work: () => unknown): number | undefined {
  try {
    work()
  } catch (error) {
    if (error instanceof Error && "reasonCode" in error) return Number(error.reasonCode)
    throw error
  }
  return undefined
}

describe("CONNECT", () => {
  it("reads every property of MQTT 5.0", () => {
    const properties = [
      0x11,
      0,
      0,
      1,
      0,
      0x21,
      0,
      10,
      0x27,
      0,
      1,
      0,
      0,
      0x22,
      0,
      5,
      0x19,
      1,
      0x17,
      0,
      ...userProperty("a", "b"),
    ]
    expect(read(connectBytes({ properties }))).toMatchObject({
      protocolVersion: 5,
      clientId: "id",
      cleanStart: true,
      keepAlive: 60,
      sessionExpiryInterval: 256,
      receiveMaximum: 10,
      maximumPacketSize: 65_536,
      topicAliasMaximum: 5,
      requestResponseInformation: true,
      requestProblemInformation: false,
    })
  })

  it("MQTT 3.1.1: CleanSession 0 keeps the session, 1 ends it with the connection", () => {
    expect(read(connectBytes({ version: 4, flags: 0 })).sessionExpiryInterval).toBe(0xffff_ffff)
    expect(read(connectBytes({ version: 4, flags: 2 })).sessionExpiryInterval).toBe(0)
  })

  it("reads what the codec writes, will and login included", () => {
    const will = { topic: "w", payload: Uint8Array.of(1, 0, 255), qos: 2 as const, retain: true, delayInterval: 9 }
    for (const protocolVersion of [4, 5] as const) {
      const bytes = writeConnect({
        protocolVersion,
        clientId: "ä",
        cleanStart: false,
        keepAlive: 7,
        username: "u",
        password: Uint8Array.of(0, 1),
        will,
      })
      expect(read(bytes)).toMatchObject({
        protocolVersion,
        clientId: "ä",
        cleanStart: false,
        keepAlive: 7,
        username: "u",
        password: Uint8Array.of(0, 1),
        will: { topic: "w", payload: will.payload, qos: 2, retain: true, delayInterval: protocolVersion === 5 ? 9 : 0 },
      })
    }
  })

  it("[MQTT-3.1.3-10] keeps the order of the Will's User Properties, and takes delay and expiry out", () => {
    const user = [...userProperty("b", "1"), ...userProperty("a", "2"), ...userProperty("b", "3")]
    const properties = [0x18, 0, 0, 0, 5, ...user, 0x02, 0, 0, 0, 9]
    const rest = [...variable(properties.length), ...properties, ...text("w"), ...text("p")]
    const packetRead = read(connectBytes({ flags: 0x06, rest }))
    expect([...packetRead.will!.properties]).toEqual(user)
    expect(packetRead.will).toMatchObject({ delayInterval: 5, messageExpiryInterval: 9 })
  })

  it.each<[string, ConnectShape, number]>([
    ["[MQTT-3.1.2-1] another protocol name", { name: text("MQTX") }, ReasonCode.UnsupportedProtocolVersion],
    ["[MQTT-3.1.2-2] version 6", { version: 6 }, ReasonCode.UnsupportedProtocolVersion],
    ["MQIsdp with another version", { name: text("MQIsdp"), version: 4 }, ReasonCode.UnsupportedProtocolVersion],
    ["MQTT with version 3", { version: 3 }, ReasonCode.UnsupportedProtocolVersion],
    ["a bridge's version 0x84", { version: 0x84 }, ReasonCode.UnsupportedProtocolVersion],
    ["[MQTT-3.1.2-3] the reserved flag", { flags: 3 }, ReasonCode.MalformedPacket],
    ["[MQTT-3.1.2-11] Will QoS without will", { flags: 0x0a }, ReasonCode.MalformedPacket],
    ["[MQTT-3.1.2-12] Will QoS 3", { flags: 0x1e, rest: [0, ...text("w"), ...text("p")] }, ReasonCode.MalformedPacket],
    ["[MQTT-3.1.2-13] Will Retain without will", { flags: 0x22 }, ReasonCode.MalformedPacket],
    [
      "3.1.1 [MQTT-3.1.2-22] password without user name",
      { version: 4, flags: 0x42, rest: text("p") },
      ReasonCode.MalformedPacket,
    ],
    ["[MQTT-1.5.4-2] U+0000 in the Client Identifier", { clientId: [0, 1, 0] }, ReasonCode.MalformedPacket],
    ["[MQTT-1.5.4-1] bad UTF-8 in the Client Identifier", { clientId: [0, 1, 0xff] }, ReasonCode.MalformedPacket],
    ["bytes after the last field", { rest: [1] }, ReasonCode.MalformedPacket],
    ["[MQTT-3.1.2-17] User Name Flag without User Name", { flags: 0x82 }, ReasonCode.MalformedPacket],
    [
      "a wildcard in the Will Topic",
      { flags: 0x06, rest: [0, ...text("w/#"), ...text("p")] },
      ReasonCode.MalformedPacket,
    ],
    [
      "[MQTT-4.7.3-1] an empty Response Topic of the will",
      { flags: 0x06, rest: [3, 0x08, 0, 0, ...text("w"), ...text("p")] },
      ReasonCode.ProtocolError,
    ],
    ["Receive Maximum 0", { properties: [0x21, 0, 0] }, ReasonCode.ProtocolError],
    ["Maximum Packet Size 0", { properties: [0x27, 0, 0, 0, 0] }, ReasonCode.ProtocolError],
    ["a property twice", { properties: [0x22, 0, 1, 0x22, 0, 1] }, ReasonCode.ProtocolError],
    ["a property of PUBLISH", { properties: [0x01, 1] }, ReasonCode.MalformedPacket],
    ["a property of CONNACK", { properties: [0x13, 0, 1] }, ReasonCode.MalformedPacket],
    ["a property that does not exist", { properties: [0x7f, 0] }, ReasonCode.MalformedPacket],
    ["Request Problem Information 2", { properties: [0x17, 2] }, ReasonCode.ProtocolError],
    ["Authentication Data alone", { properties: [0x16, 0, 1, 9] }, ReasonCode.ProtocolError],
    ["a property cut short", { properties: [0x11, 0, 0] }, ReasonCode.MalformedPacket],
    ["a bad string in a User Property", { properties: [0x26, 0, 1, 0xc0, 0, 0] }, ReasonCode.MalformedPacket],
  ])("refuses %s", (_what, shape, code) => {
    expect(codeOf(() => read(connectBytes(shape)))).toBe(code)
  })

  it("refuses every shorter form of a CONNECT that has everything", () => {
    const whole = writeConnect({
      protocolVersion: 5,
      clientId: "client",
      cleanStart: true,
      keepAlive: 1,
      username: "user",
      password: Uint8Array.of(1, 2, 3),
      will: { topic: "w", payload: Uint8Array.of(1), qos: 1, retain: false, delayInterval: 3 },
      sessionExpiryInterval: 5,
      receiveMaximum: 5,
    })
    for (let length = 0; length < whole.length - 2; length++) {
      const cut = packet(0x10, [...whole.subarray(2, 2 + length)])
      expect(
        codeOf(() => read(cut)),
        `${length} bytes`,
      ).toBeGreaterThanOrEqual(0x80)
    }
  })
})

describe("SUBSCRIBE and UNSUBSCRIBE", () => {
  function readBody(type: number, body: number[], version: 4 | 5 = 5, maximumFilters = 10): unknown {
    const bytes = packet((type << 4) | (type < 12 ? 2 : 0), body)
    return readClientPacket(type, bytes, 0, 2, bytes.length, version, maximumFilters)
  }

  it("User Properties, however many, are checked and do not reach the packet library", () => {
    const many = Array.from({ length: 30_000 }, (_, i) =>
      i % 1000 === 0 ? userProperty("n", `${i}`) : [0x26, 0, 0, 0, 0],
    ).flat()
    const properties = [...many, 0x0b, 7, ...userProperty("last", "one")]
    const rest = [...text("a"), 1]
    const bytes = packet(0x82, [0, 9, ...variable(properties.length), ...properties, ...rest])
    const bodyStart = bytes.length - 2 - variable(properties.length).length - properties.length - rest.length
    const less = withoutUserProperties(bytes, 0, bodyStart, bytes.length, [{ at: bodyStart + 2, of: 8 }])
    expect([...less!]).toEqual([...packet(0x82, [0, 9, 2, 0x0b, 7, ...rest])])
    const read = readClientPacket(8, bytes, 0, bodyStart, bytes.length, 5, 1)
    expect(read).toMatchObject({ packetId: 9, subscriptionIdentifier: 7, subscriptions: [{ filter: "a", qos: 1 }] })
    expect(withoutUserProperties(less!, 0, 2, less!.length, [{ at: 4, of: 8 }])).toBeUndefined()
    // The same of CONNECT, where the will has properties of its own, which are kept for its message, and of DISCONNECT.
    const set = (list: number[]) => [...variable(list.length), ...list]
    const will = [0x18, 0, 0, 0, 9, ...userProperty("of", "will"), 0x02, 0, 0, 0, 8]
    const connect = packet(0x10, [
      ...text("MQTT"),
      ...[5, 0x04, 0, 60],
      ...set([...new Array(10_000).fill([0x26, 0, 0, 0, 0]).flat(), 0x21, 0, 5, ...userProperty("x", "y")]),
      ...text("id"),
      ...set(will),
      ...text("will/topic"),
      ...[0, 1, 0x77],
    ])
    expect(readConnect(connect, 0, 4, connect.length)).toMatchObject({
      receiveMaximum: 5,
      clientId: "id",
      keepAlive: 60,
      will: {
        topic: "will/topic",
        payload: Uint8Array.of(0x77),
        delayInterval: 9,
        messageExpiryInterval: 8,
        properties: Uint8Array.from(userProperty("of", "will")),
      },
    })
    const disconnect = packet(0xe0, [0x04, ...set([...userProperty("x", "y"), 0x11, 0, 0, 0, 9])])
    const end = disconnect.length
    expect(readClientPacket(14, disconnect, 0, 2, end, 5, 1)).toMatchObject({ reasonCode: 4, sessionExpiryInterval: 9 })
  })

  it("sections 3.8.3 and 3.10.3: counts the filters before they are read, 0x97 for one too many", () => {
    for (const version of [4, 5] as const) {
      const head = version === 5 ? [0, 9, 0] : [0, 9]
      for (const [type, options] of [
        [8, [0]],
        [10, []],
      ] as const) {
        const body = (count: number) => [
          ...head,
          ...Array.from({ length: count }, () => [0, 1, 0x61, ...options]).flat(),
        ]
        expect(() => readBody(type, body(3), version, 3)).not.toThrow()
        expect(codeOf(() => readBody(type, body(4), version, 3))).toBe(ReasonCode.QuotaExceeded)
        // What comes after that is not looked at.
        expect(codeOf(() => readBody(type, [...body(4), 0xff], version, 3))).toBe(ReasonCode.QuotaExceeded)
      }
    }
  })

  it("reads filters, options and the Subscription Identifier", () => {
    expect(readBody(8, [0, 9, 3, 0x0b, 0x80, 0x01, ...text("a/+"), 0x2d, ...text("b"), 0x02])).toEqual({
      type: "subscribe",
      packetId: 9,
      subscriptionIdentifier: 128,
      subscriptions: [
        { filter: "a/+", qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 },
        { filter: "b", qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
    })
    expect(readBody(10, [0, 9, 0, ...text("a"), ...text("b")])).toEqual({
      type: "unsubscribe",
      packetId: 9,
      filters: ["a", "b"],
    })
  })

  it.each<[string, number, number[], 4 | 5, number]>([
    ["[MQTT-2.2.1-3] Packet Identifier 0", 8, [0, 0, 0, ...text("a"), 0], 5, ReasonCode.ProtocolError],
    ["[MQTT-3.8.3-2] no filter", 8, [0, 1, 0], 5, ReasonCode.ProtocolError],
    ["[MQTT-3.10.3-2] no filter", 10, [0, 1, 0], 5, ReasonCode.ProtocolError],
    ["[MQTT-3.8.3-5] reserved option bits", 8, [0, 1, 0, ...text("a"), 0x40], 5, ReasonCode.MalformedPacket],
    ["3.1.1: reserved option bits", 8, [0, 1, ...text("a"), 0x04], 4, ReasonCode.MalformedPacket],
    ["QoS 3", 8, [0, 1, 0, ...text("a"), 0x03], 5, ReasonCode.ProtocolError],
    ["Retain Handling 3", 8, [0, 1, 0, ...text("a"), 0x30], 5, ReasonCode.ProtocolError],
    ["Subscription Identifier 0", 8, [0, 1, 2, 0x0b, 0, ...text("a"), 0], 5, ReasonCode.ProtocolError],
    ["two Subscription Identifiers", 8, [0, 1, 4, 0x0b, 1, 0x0b, 1, ...text("a"), 0], 5, ReasonCode.ProtocolError],
    ["a filter without options", 8, [0, 1, 0, ...text("a")], 5, ReasonCode.MalformedPacket],
    ["bad UTF-8 in a filter", 8, [0, 1, 0, 0, 1, 0xff, 0], 5, ReasonCode.MalformedPacket],
    ["bad UTF-8 in a filter", 10, [0, 1, 0, 0, 1, 0xff], 5, ReasonCode.MalformedPacket],
    ["AUTH in MQTT 3.1.1", 15, [], 4, ReasonCode.ProtocolError],
    ["DISCONNECT with an unknown reason", 14, [0x03], 5, ReasonCode.ProtocolError],
    ["3.1.1: DISCONNECT with a body", 14, [0x00], 4, ReasonCode.MalformedPacket],
    ["DISCONNECT with a property of CONNACK", 14, [0, 3, 0x13, 0, 1], 5, ReasonCode.MalformedPacket],
  ])("refuses %s", (_what, type, body, version, code) => {
    expect(codeOf(() => readBody(type, body, version))).toBe(code)
  })

  it("DISCONNECT may leave out the Property Length and the Reason Code (section 3.14.2)", () => {
    expect(readBody(14, [])).toMatchObject({ reasonCode: 0 })
    expect(readBody(14, [4])).toMatchObject({ reasonCode: 4 })
    expect(readBody(14, [0, 5, 0x11, 0, 0, 0, 7])).toMatchObject({ sessionExpiryInterval: 7 })
  })
})

describe("acknowledgements", () => {
  it.each<[string, number[], 4 | 5]>([
    ["Packet Identifier 0", [0, 0], 5],
    ["one byte", [1], 5],
    ["3.1.1 with a Reason Code", [0, 1, 0], 4],
    ["a Reason Code of another packet", [0, 1, 0x92], 5],
    ["a property of another packet", [0, 1, 0, 3, 0x21, 0, 1], 5],
    ["bytes after the properties", [0, 1, 0, 0, 9], 5],
  ])("refuses %s", (_what, body, version) => {
    const bytes = packet(0x40, body)
    expect(codeOf(() => readAcknowledgement(4, bytes, 2, bytes.length, version, "client"))).toBeGreaterThanOrEqual(0x80)
  })

  it("MQTT 5.0 Tables 3-4, 3-5, 3-10, 3-11: each side has Reason Codes that the other may not send", () => {
    for (const [type, code, sender] of [
      [4, 0x10, "server"],
      [5, 0x10, "server"],
      [14, 0x8b, "server"],
      [14, 0x04, "client"],
      [15, 0x00, "server"],
      [15, 0x19, "client"],
    ] as const) {
      for (const from of ["client", "server"] as const) {
        const read = () => {
          if (type < 8) readAcknowledgement(type, Uint8Array.of(0, 1, code), 0, 3, 5, from)
          else guard(type, Uint8Array.of(code, 0), 0, 2, 5, 0, from)
          return 0
        }
        const what = `${type} ${code} ${from}`
        if (from === sender) expect(read(), what).toBe(0)
        else expect(codeOf(read), what).toBe(ReasonCode.ProtocolError)
      }
    }
  })

  it("reads the Reason Code, and Success where there is none", () => {
    expect(readAcknowledgement(4, Uint8Array.of(0x12, 0x34), 0, 2, 5, "client")).toBe(0x1234)
    expect(readAcknowledgement(4, Uint8Array.of(0, 1, 0x97), 0, 3, 5, "client")).toBe(0x97_0001)
    expect(readAcknowledgement(5, Uint8Array.of(0, 1, 0x80, 0), 0, 4, 5, "client")).toBe(0x80_0001)
  })
})

describe("server packets", () => {
  it("reads what it writes, in both versions", () => {
    const connack = {
      type: "connack",
      sessionPresent: true,
      reasonCode: 0,
      receiveMaximum: 3,
      assignedClientIdentifier: "x",
      serverKeepAlive: 9,
    } as const
    const bytes = writeServerPacket(connack, 5)
    expect(readServerPacket(2, bytes, 2, bytes.length, 5)).toMatchObject(connack)
    expect([...writeServerPacket({ type: "connack", sessionPresent: false, reasonCode: 5 }, 4)]).toEqual([
      0x20, 2, 0, 5,
    ])
    expect([...writeServerPacket({ type: "suback", packetId: 2, reasonCodes: [0, 0x80] }, 4)]).toEqual([
      0x90, 4, 0, 2, 0, 0x80,
    ])
    expect([...writeServerPacket({ type: "unsuback", packetId: 2, reasonCodes: [] }, 4)]).toEqual([0xb0, 2, 0, 2])
    expect([...writeServerPacket({ type: "unsuback", packetId: 2, reasonCodes: [0x11] }, 5)]).toEqual([
      0xb0, 4, 0, 2, 0, 0x11,
    ])
  })

  it("[MQTT-3.2.2-19] leaves the Reason String out when it does not fit", () => {
    const packetToSend = { type: "disconnect", reasonCode: 0x82, reasonString: "r".repeat(100) } as const
    expect(writeServerPacket(packetToSend, 5, 50).length).toBeLessThan(10)
    expect(writeServerPacket(packetToSend, 5, 500).length).toBeGreaterThan(100)
  })

  it("a Reason String of 200 bytes is sent, one of 201 is left out, whatever the client takes", () => {
    const length = (reasonString: string) =>
      writeServerPacket({ type: "disconnect", reasonCode: 0x82, reasonString }, 5).length
    expect(length("r".repeat(200))).toBeGreaterThan(200)
    expect([length("r".repeat(201)), length("\u20ac".repeat(67)), length("r".repeat(0x1_0000))]).toEqual([4, 4, 4])
  })
})
