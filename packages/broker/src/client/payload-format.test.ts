// MQTT 5.0 section 3.3.2.3.2: a server may check that what says UTF-8 is that.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

const asText = { properties: [0x01, 1] }
const good = new TextEncoder().encode("gr\u00fc\u00dfe \u0000 \u{1f30d}")
const bad = good.subarray(0, good.length - 1)

function connected(checksPayloadFormat: boolean | undefined) {
  const test = new TestBroker({ checksPayloadFormat })
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("t")
  return { test, sub, pub: test.connect({ clientId: "pub" }) }
}

describe.each([0, 1, 2] as const)("QoS %i", (qos) => {
  it("what says UTF-8 and is not goes to nobody, with 0x99; what is, and what says nothing, goes on", () => {
    const { test, sub, pub } = connected(true)
    pub.send(publishBytes(5, "t", good, { qos, packetId: 1, ...asText }))
    pub.send(publishBytes(5, "t", bad, { qos, packetId: 2, ...asText, retain: true }))
    pub.send(publishBytes(5, "t", bad, { qos, packetId: 3 }))
    pub.send(publishBytes(5, "t", bad, { qos, packetId: 4, properties: [0x01, 0] }))
    expect(sub.take()).toHaveLength(3)
    expect(test.broker.retained.size).toBe(0)
    const codes = pub.acks().map(({ reasonCode }) => reasonCode)
    expect(codes).toEqual(qos === 0 ? [] : [0, ReasonCode.PayloadFormatInvalid, 0, 0])
    expect(test.broker.counters.dropped["payload format invalid"]).toBe(1)
    expect(test.events).toContainEqual(
      expect.objectContaining({
        event: "message refused",
        reason: "its Payload Format Indicator says UTF-8, and its payload is not",
      }),
    )
    expect(pub.closed).toBe(false)
  })

  it("nobody looks unless it is asked for", () => {
    const { sub, pub } = connected(undefined)
    pub.send(publishBytes(5, "t", bad, { qos, packetId: 2, ...asText }))
    expect(sub.take()).toHaveLength(1)
  })
})

it.each([
  ["a good will", true, good, 0],
  ["a bad will", true, bad, ReasonCode.PayloadFormatInvalid],
  ["a bad will that nobody looks at", false, bad, 0],
] as const)("section 3.1.3.2.3: %s", (_what, checksPayloadFormat, payload, code) => {
  const test = new TestBroker({ checksPayloadFormat })
  const client = test.open()
  // CONNECT of "c" with a will of QoS 0 to "w", whose properties are the Payload Format Indicator.
  const body = [
    0,
    4,
    0x4d,
    0x51,
    0x54,
    0x54,
    5,
    0x06,
    0,
    0,
    0,
    0,
    1,
    0x63,
    2,
    1,
    1,
    0,
    1,
    0x77,
    0,
    payload.length,
    ...payload,
  ]
  client.send([0x10, body.length, ...body])
  expect(client.connack.reasonCode).toBe(code)
})
