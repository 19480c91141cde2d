import { describe, expect, it } from "vitest"
import { type PublishOptions, publishBytes, text, userProperty, variable } from "../../tests/harness.ts"
import { PacketError } from "./errors.ts"
import { type Delivery, firstByte, type Message } from "./message.ts"
import type { ProtocolVersion } from "./packets.ts"
import { PublishReader } from "./publish.ts"
import { ReasonCode } from "./reason-codes.ts"
import { TopicTable } from "./topic.ts"

function open(): PublishReader {
  return new PublishReader(new TopicTable(128))
}

function readBytes(bytes: Uint8Array, version: ProtocolVersion, reader = open()): PublishReader {
  let body = 2
  while ((bytes[body - 1]! & 0x80) !== 0) body++
  reader.read(bytes, 0, body, bytes.length, false, version)
  return reader
}

function message(version: ProtocolVersion, topic: string, payload: string, options: PublishOptions = {}): Message {
  const reader = readBytes(publishBytes(version, topic, payload, options), version)
  return reader.message(reader.topic!, 0)
}

function encode(one: Message, delivery: Partial<Delivery>, now = 0): Uint8Array {
  const whole: Delivery = {
    version: 5,
    qos: 0,
    retain: false,
    dup: false,
    packetId: 1,
    identifiers: [],
    topicAlias: 0,
    aliasOnly: false,
    ...delivery,
  }
  const out = new Uint8Array(one.encodedLength(whole))
  const end = one.encodeHead(out, 0, whole, now)
  out.set(one.payload, end)
  expect(end + one.payload.length).toBe(out.length)
  return out
}

const user = [...userProperty("z", "1"), ...userProperty("a", "2"), ...userProperty("z", "3")]

describe("reading PUBLISH", () => {
  it.each([4, 5] as const)("version %i: topic, identifier, payload", (version) => {
    const reader = readBytes(
      publishBytes(version, "a/ä", "hello", { qos: 2, retain: true, dup: true, packetId: 0x1234 }),
      version,
    )
    expect(reader).toMatchObject({ qos: 2, retain: true, dup: true, packetId: 0x1234, payloadLength: 5 })
    expect(reader.topic?.name).toBe("a/ä")
    expect(new TextDecoder().decode(reader.message(reader.topic!, 0).payload)).toBe("hello")
  })

  it("[MQTT-3.3.2-17] [MQTT-3.3.2-18] keeps the property bytes as they came", () => {
    const properties = [0x01, 1, 0x03, ...text("text/plain"), 0x08, ...text("reply"), 0x09, 0, 2, 0, 255, ...user]
    expect([...message(5, "t", "p", { properties }).properties]).toEqual(properties)
  })

  it("takes Topic Alias and Message Expiry Interval out and keeps the rest in order", () => {
    const properties = [...user.slice(0, 7), 0x23, 0, 9, ...user.slice(7), 0x02, 0, 0, 1, 0]
    const reader = readBytes(publishBytes(5, "t", "payload", { properties }), 5)
    expect(reader).toMatchObject({ topicAlias: 9, messageExpiryInterval: 256 })
    const one = reader.message(reader.topic!, 1000)
    expect([...one.properties]).toEqual(user)
    expect(new TextDecoder().decode(one.payload)).toBe("payload")
    expect(one.expiresAt).toBe(257_000)
  })

  it("reads properties of more than 127 bytes", () => {
    const properties = userProperty("name", "v".repeat(300))
    const one = message(5, "t", "p", { properties, qos: 1 })
    expect([...one.properties]).toEqual(properties)
    expect(one.payload.length).toBe(1)
  })

  it.each<[string, ProtocolVersion, Uint8Array, number]>([
    [
      "[MQTT-2.2.1-3] Packet Identifier 0",
      4,
      publishBytes(4, "a", "", { qos: 1, packetId: 0 }),
      ReasonCode.ProtocolError,
    ],
    ["[MQTT-3.3.2-2] a wildcard", 4, publishBytes(4, "a/+", ""), ReasonCode.MalformedPacket],
    ["[MQTT-3.3.2-2] a wildcard", 5, publishBytes(5, "#", ""), ReasonCode.MalformedPacket],
    ["[MQTT-4.7.3-1] an empty topic in 3.1.1", 4, publishBytes(4, "", ""), ReasonCode.MalformedPacket],
    ["neither topic nor alias", 5, publishBytes(5, "", ""), ReasonCode.ProtocolError],
    [
      "[MQTT-3.3.2-8] Topic Alias 0",
      5,
      publishBytes(5, "a", "", { properties: [0x23, 0, 0] }),
      ReasonCode.TopicAliasInvalid,
    ],
    [
      "[MQTT-3.3.4-6] a Subscription Identifier",
      5,
      publishBytes(5, "a", "", { properties: [0x0b, 1] }),
      ReasonCode.ProtocolError,
    ],
    [
      "[MQTT-3.3.2-14] a wildcard in Response Topic",
      5,
      publishBytes(5, "a", "", { properties: [0x08, ...text("r/+")] }),
      ReasonCode.ProtocolError,
    ],
    [
      "[MQTT-4.7.3-1] an empty Response Topic",
      5,
      publishBytes(5, "a", "", { properties: [0x08, 0, 0] }),
      ReasonCode.ProtocolError,
    ],
    [
      "a control character in a User Property (section 1.5.4)",
      5,
      publishBytes(5, "a", "", { properties: [0x26, ...text("a\n"), 0, 0] }),
      ReasonCode.MalformedPacket,
    ],
    ["Payload Format Indicator 2", 5, publishBytes(5, "a", "", { properties: [0x01, 2] }), ReasonCode.ProtocolError],
    ["a property twice", 5, publishBytes(5, "a", "", { properties: [0x01, 1, 0x01, 1] }), ReasonCode.ProtocolError],
    [
      "a property of CONNECT",
      5,
      publishBytes(5, "a", "", { properties: [0x11, 0, 0, 0, 1] }),
      ReasonCode.MalformedPacket,
    ],
    ["no Property Length", 5, Uint8Array.of(0x30, 3, 0, 1, 0x61), ReasonCode.MalformedPacket],
    ["a Property Length beyond the packet", 5, Uint8Array.of(0x30, 4, 0, 1, 0x61, 9), ReasonCode.MalformedPacket],
    ["a topic beyond the packet", 4, Uint8Array.of(0x30, 3, 0, 9, 0x61), ReasonCode.MalformedPacket],
    ["[MQTT-1.5.4-2] U+0000", 4, Uint8Array.of(0x30, 3, 0, 1, 0), ReasonCode.MalformedPacket],
    ["[MQTT-1.5.4-1] bad UTF-8", 4, Uint8Array.of(0x30, 3, 0, 1, 0xe9), ReasonCode.MalformedPacket],
    ["a control character in the topic (section 1.5.4)", 4, publishBytes(4, "a\u0007", ""), ReasonCode.MalformedPacket],
    ["a non-character in the topic", 4, publishBytes(4, "a\u{1ffff}", ""), ReasonCode.MalformedPacket],
  ])("refuses %s", (_what, version, bytes, code) => {
    expect(() => readBytes(bytes, version)).toThrow(expect.objectContaining({ reasonCode: code }))
  })

  it("throws nothing but PacketError, whatever the bytes", () => {
    const whole = publishBytes(5, "topic", "payload", { qos: 1, properties: [0x02, 0, 0, 0, 9, ...user, 0x23, 0, 1] })
    let random = 7
    let refused = 0
    for (let n = 0; n < 20_000; n++) {
      const bytes = whole.slice()
      for (let k = 0; k < 3; k++) {
        random = (Math.imul(random, 1_103_515_245) + 12_345) >>> 0
        bytes[2 + ((random >>> 8) % (bytes.length - 2))] = random >>> 24
      }
      try {
        const reader = readBytes(bytes, 5)
        reader.message(reader.topic ?? new TopicTable(8).of("x"), 0)
      } catch (error) {
        expect(error).toBeInstanceOf(PacketError)
        refused++
      }
    }
    expect(refused).toBeGreaterThan(1000)
  })

  it("takes a topic of the highest number of levels and refuses one more", () => {
    const reader = new PublishReader(new TopicTable(4))
    expect(readBytes(publishBytes(4, "a/b/c/d", ""), 4, reader).topic?.name).toBe("a/b/c/d")
    expect(() => readBytes(publishBytes(4, "a/b/c/d/e", ""), 4, reader)).toThrow(/more than 4 levels/)
  })
})

describe("sending a message on", () => {
  const options = { qos: 1 as const, packetId: 77, properties: user, retain: true }

  it.each([4, 5] as const)(
    "to version %i: the shared encoding equals the one made for a single subscriber",
    (version) => {
      for (const from of [4, 5] as const) {
        const one = message(from, "some/topic", "payload", options)
        if (from === 5) one.own()
        for (const qos of [0, 1, 2] as const) {
          const template = one.template(version, qos > 0)
          const shared = template.bytes.slice()
          shared[0] = firstByte(qos, true, false)
          if (qos > 0) shared.set([0x01, 0x02], template.idAt)
          expect([...shared]).toEqual([...encode(one, { version, qos, retain: true, packetId: 0x0102 })])
          const expected = publishBytes(version, "some/topic", "payload", {
            qos,
            retain: true,
            packetId: 0x0102,
            properties: from === 5 && version === 5 ? user : [],
          })
          expect([...shared]).toEqual([...expected])
        }
      }
    },
  )

  it("owning takes the bytes out of the chunk and changes nothing else", () => {
    const chunk = new Uint8Array(200)
    const bytes = publishBytes(5, "t", "payload", options)
    chunk.set(bytes, 50)
    const reader = open()
    reader.read(chunk, 50, 52, 50 + bytes.length, false, 5)
    const one = reader.message(reader.topic!, 0)
    const before = { properties: [...one.properties], payload: [...one.payload], size: one.size }
    one.own()
    chunk.fill(0xee)
    expect({ properties: [...one.properties], payload: [...one.payload], size: one.size }).toEqual(before)
    expect([...one.template(4, false).bytes.subarray(1)]).toEqual([...publishBytes(4, "t", "payload").subarray(1)])
  })

  it("[MQTT-3.3.2-6] sends the Message Expiry Interval that was received where nothing was waited for, at fractions of time", () => {
    for (const interval of [1, 120, 0x7fff_ffff, 0xffff_ffff]) {
      const properties = [0x02, interval >>> 24, (interval >>> 16) & 0xff, (interval >>> 8) & 0xff, interval & 0xff]
      const reader = readBytes(publishBytes(5, "t", "p", { properties }), 5)
      const wrong = Array.from({ length: 2000 }, (_, i) =>
        i % 2 === 0 ? i * 12.345_678_9 : 1_790_000_000_000 + i * 0.012_345_678_9,
      ).filter(
        (now) => readBytes(encode(reader.message(reader.topic!, now), {}, now), 5).messageExpiryInterval !== interval,
      )
      expect(wrong).toEqual([])
    }
  })

  it("[MQTT-3.3.2-6] sends the received Message Expiry Interval minus the time waited", () => {
    const one = message(5, "t", "p", { properties: [0x02, 0, 1, 0, 0] })
    for (const [waited, left] of [
      [0, 65_536],
      [1000, 65_535],
      [60_000, 65_476],
    ] as const) {
      const reader = readBytes(encode(one, {}, waited), 5)
      expect(reader.messageExpiryInterval).toBe(left)
    }
    expect(one.expired(65_536_000)).toBe(true)
    expect(one.expired(65_535_999)).toBe(false)
  })

  it("writes identifiers, alias and an empty topic where the alias is known", () => {
    const one = message(5, "long/topic", "p", { properties: user })
    const bytes = encode(one, {
      identifiers: [1, 200, 268_435_455],
      topicAlias: 300,
      aliasOnly: true,
      qos: 2,
      dup: true,
      packetId: 5,
    })
    const reader = open()
    reader.read(bytes, 0, 2, bytes.length, false, 5, true)
    expect(reader).toMatchObject({
      topic: undefined,
      topicAlias: 300,
      subscriptionIdentifiers: [1, 200, 268_435_455],
      dup: true,
      packetId: 5,
    })
    expect([...reader.message(one.topic, 0).properties]).toEqual(user)
  })

  it("a server's packet of so many Subscription Identifiers as a MiB holds is read as fast as any other", () => {
    const count = 500_000
    const ids = new Uint8Array(2 * count).map((_, at) => (at % 2 === 0 ? 0x0b : 1))
    const head = [0x30, 0xc7, 0x84, 0x3d, 0, 1, 0x74, 0xc0, 0x84, 0x3d]
    const bytes = new Uint8Array(head.length + ids.length + 1)
    bytes.set(head)
    bytes.set(ids, head.length)
    bytes[bytes.length - 1] = 0x78
    const reader = open()
    const before = process.cpuUsage().user
    reader.read(bytes, 0, 4, bytes.length, false, 5, true)
    expect(reader.subscriptionIdentifiers).toHaveLength(count)
    // With a copy for each it took minutes.
    expect((process.cpuUsage().user - before) / 1000).toBeLessThan(2000)
  })
})

describe("the table of topics", () => {
  it("gives the same object for the same bytes, and the right one after a collision", () => {
    const table = new TopicTable(128, 2)
    const first = table.of("a")
    expect(table.of("a")).toBe(first)
    const names = Array.from({ length: 50 }, (_, i) => `topic/${i}`)
    for (let round = 0; round < 2; round++) for (const name of names) expect(table.of(name).name).toBe(name)
  })

  it("does not remember long topics, and refuses what no packet can carry", () => {
    const table = new TopicTable(128)
    const long = "x".repeat(600)
    expect(table.of(long)).not.toBe(table.of(long))
    expect(() => table.of("x".repeat(65_536))).toThrow(/65,535/)
    expect(variable(128)).toEqual([0x80, 1])
  })
})
