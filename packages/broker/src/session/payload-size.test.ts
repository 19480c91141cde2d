// maximumPayloadSize: how large the payload of a message may be, whatever a packet may have.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { ReasonCode } from "../packet/reason-codes.ts"

const versions = [4, 5] as const
const limits = { maximumPayloadSize: 100 }
const most = "x".repeat(100)
const more = "x".repeat(101)

describe.each(versions)("MQTT version %i", (protocolVersion) => {
  it.each([0, 1, 2] as const)(
    "QoS %i: a payload of maximumPayloadSize goes to subscribers, one byte more to nobody",
    (qos) => {
      const test = new TestBroker({ limits })
      const sub = test.connect({ clientId: "sub", protocolVersion: 5 })
      sub.subscribe("t")
      const pub = test.connect({ clientId: "pub", protocolVersion })
      pub.publish("t", most, { qos, packetId: 1 })
      pub.publish("t", more, { qos, packetId: 2, retain: true })
      expect(sub.payloads()).toEqual([most])
      // [MQTT-3.3.1-5] would have it kept if it were taken.
      expect(test.broker.retained.size).toBe(0)
      expect(pub.closed).toBe(false)
      const codes = pub.acks().map(({ reasonCode }) => reasonCode)
      const refused = protocolVersion === 5 ? ReasonCode.QuotaExceeded : 0
      expect(codes).toEqual(qos === 0 ? [] : [0, refused])
      expect(test.broker.counters.dropped["payload too large"]).toBe(1)
      expect(test.events).toContainEqual(
        expect.objectContaining({
          event: "message refused",
          clientId: "pub",
          topic: "t",
          reason: "its payload is above this broker's maximum of 100 bytes",
        }),
      )
    },
  )

  it("section 4.3.3: after it is refused at QoS 2, its Packet Identifier is free (5.0), or goes on to PUBCOMP (3.1.1)", () => {
    const test = new TestBroker({ limits })
    const sub = test.connect({ clientId: "sub", protocolVersion: 5 })
    sub.subscribe("t")
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("t", more, { qos: 2, packetId: 7 })
    if (protocolVersion === 4) pub.ack(6, 7)
    pub.publish("t", most, { qos: 2, packetId: 7 })
    expect(sub.payloads()).toEqual([most])
    expect(test.broker.counters.dropped["payload too large"]).toBe(1)
  })

  it("a will of maximumPayloadSize is taken, and CONNECT with one byte more refused", () => {
    const test = new TestBroker({ limits })
    const will = (payload: string) => ({
      topic: "w",
      payload: new TextEncoder().encode(payload),
      qos: 0 as const,
      retain: false,
      properties: new Uint8Array(0),
      delayInterval: 0,
      messageExpiryInterval: undefined,
    })
    const good = test.connect({ clientId: "good", protocolVersion, will: will(most) })
    expect(good.connack.reasonCode).toBe(0)
    const bad = test.connect({ clientId: "bad", protocolVersion, will: will(more) })
    expect(bad.connack.reasonCode).toBe(protocolVersion === 5 ? ReasonCode.QuotaExceeded : 3)
    expect(bad.closed).toBe(true)
  })
})

it("by default the packet decides: a payload that fills it is taken", () => {
  const test = new TestBroker({ limits: { maximumPacketSize: 2000 } })
  const sub = test.connect({ clientId: "sub", protocolVersion: 5 })
  sub.subscribe("t")
  const pub = test.connect({ clientId: "pub", protocolVersion: 5 })
  const room = 2000 - 1 - 2 - 3 - 1
  pub.publish("t", "x".repeat(room))
  expect(sub.payloads()).toEqual(["x".repeat(room)])
  pub.publish("t", "x".repeat(room + 1))
  expect(pub.farewell).toBe(ReasonCode.PacketTooLarge)
})
