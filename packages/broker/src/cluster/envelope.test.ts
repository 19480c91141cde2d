import { describe, expect, it } from "vitest"
import { seeded } from "../../../tls13/src/measure/seeded.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Qos } from "../packet/packets.ts"
import { appendOf, arrivedOf, type Published, sentBy, sentOf } from "./envelope.ts"
import { partitionOf } from "./partition.ts"

const random = seeded(7)
const below = (limit: number) => Math.floor(random() * limit)
const bytes = (length: number) => Uint8Array.from({ length }, () => below(256))
const topics = ["a/b", "/", "a b/c.d", "$x/y", "日本/é", "a/".repeat(2000), "%/%20", "\u3000 x", "é".repeat(32_000)]

function message(): Published {
  const qos: Qos = below(2) === 0 ? 1 : 2
  return {
    topic: topics[below(topics.length)]!,
    qos,
    retain: below(2) === 0,
    expiresAt: below(2) === 0 ? Number.POSITIVE_INFINITY : 1_900_000_000_000 + below(1_000_000),
    // User Properties.
    properties: Uint8Array.from(
      Array.from({ length: below(2) * below(9) }, () => [0x26, 0, 1, 0x61, 0, 1, 0x62]).flat(),
    ),
    payload: bytes(below(300)),
    publisher: ["", "c1", "a b%", "日本", "é".repeat(30_000)][below(5)]!,
  }
}

describe("a message in a stream", () => {
  it("comes out as it went in", () => {
    for (let run = 0; run < 500; run++) {
      const sent = message()
      const { subject, headers, data } = appendOf(sent, 3600, 1_800_000_000_000)
      const position = { partition: 2, sequence: 17 }
      expect(arrivedOf({ subject, headers, data, sequence: 17 }, 2)).toEqual({ ...sent, position })
      // nats-server refuses more than 65,535 bytes of headers, whatever the message: nothing of the node would be committed.
      expect(JSON.stringify(headers).length).toBeLessThan(8000)
      for (const [name, value] of Object.entries(headers))
        expect(`${name}: ${value}`).toMatch(/^Mqtt-[A-Za-z-]+: [\x21-\x7e]*$/)
      expect(subject.startsWith(sent.retain ? "r." : "m.")).toBe(true)
    }
  })

  it("has its payload as its data, for other readers, where it has no properties", () => {
    const { data } = appendOf(
      { ...message(), topic: "hall/temperature", publisher: "c1", payload: encodeText("21.5"), properties: bytes(0) },
      60,
      0,
    )
    expect(data).toEqual(encodeText("21.5"))
  })

  it("is kept an hour longer than it says itself, as it may have been sent, a second at least", () => {
    const now = 1_800_000_000_000
    const lifetimeOf = (expiresAt: number) => appendOf({ ...message(), expiresAt }, 7200, now).lifetime
    expect(lifetimeOf(Number.POSITIVE_INFINITY)).toBe(7200)
    expect(lifetimeOf(now + 90_001)).toBe(3600 + 91)
    expect(lifetimeOf(now - 3_700_000)).toBe(1)
    expect(lifetimeOf(now + 3_700_000)).toBe(7200)
  })

  it.each([
    ["no QoS", { "Mqtt-Retain": "1" }],
    ["QoS 3", { "Mqtt-Qos": "3" }],
    ["more properties than bytes", { "Mqtt-Qos": "1", "Mqtt-Properties": "9" }],
    ["properties of no length", { "Mqtt-Qos": "1", "Mqtt-Properties": "x" }],
    ["properties that are none", { "Mqtt-Qos": "1", "Mqtt-Properties": "2" }],
    ["a Client Identifier that is none", { "Mqtt-Qos": "1", "Mqtt-Client": "%E0" }],
    ["an expiry that is no time", { "Mqtt-Qos": "1", "Mqtt-Expires": "soon" }],
  ])("that others have written, with %s, is none", (_, headers) => {
    expect(arrivedOf({ subject: "m.t.a", headers, data: bytes(3), sequence: 1 }, 0)).toBeUndefined()
  })

  it("on a subject that is no topic's is none", () => {
    expect(
      arrivedOf({ subject: "m.x.a", headers: { "Mqtt-Qos": "1" }, data: bytes(1), sequence: 1 }, 0),
    ).toBeUndefined()
  })
})

describe("the partition of a Client Identifier", () => {
  // Another answer in another version would be other sessions. The first three are FNV-1a's own vectors.
  it.each([
    ["", 2 ** 32, 0x811c9dc5],
    ["a", 2 ** 32, 0xe40c292c],
    ["foobar", 2 ** 32, 0xbf9cf968],
    ["client-1", 4, 0],
    ["日本", 16, 1],
  ])("%s of %i is %i", (clientId, partitions, partition) => {
    expect(partitionOf(clientId, partitions)).toBe(partition)
  })

  it("is spread evenly", () => {
    const counts = new Array<number>(8).fill(0)
    for (let client = 0; client < 8000; client++) counts[partitionOf(`device-${client}`, 8)]!++
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })
})

it("a message that nobody keeps says who sent it and when; what makes no sense says nothing", () => {
  expect(sentOf(sentBy("a-1", 1_795_000_000_000.5))).toEqual({ node: "a-1", at: 1_795_000_000_000 })
  for (const wrong of [undefined, "", "a", "a x", "a 1 2", "a -1", "a 1e3", `${"a".repeat(65)} 1`])
    expect(sentOf(wrong === undefined ? {} : { "Mqtt-Sent": wrong })).toBeUndefined()
})
