// What a broker does not offer is told in CONNACK, and refused (MQTT 5.0 sections 3.2.2.3.4, .5 and .11 to .13).

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import type { Qos } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Features } from "./features.ts"

const broker = (features: Partial<Features>) => new TestBroker({ features })
const will = (qos: Qos, retain: boolean) => ({ topic: "w", payload: Uint8Array.of(1), qos, retain })

it("all is offered where nothing is said, and then CONNACK says nothing of it", () => {
  const { connack } = new TestBroker().connect()
  for (const name of ["maximumQos", "retainAvailable", "wildcardSubscriptionAvailable"] as const) {
    expect(connack[name]).toBeUndefined()
  }
})

describe.each([0, 1] as const)("Maximum QoS %i", (maximumQos) => {
  const above = (maximumQos + 1) as Qos

  it("[MQTT-3.2.2-9] is told; [MQTT-3.2.2-10] subscriptions are granted no more", () => {
    const test = broker({ maximumQos })
    const client = test.connect()
    expect(client.connack.maximumQos).toBe(maximumQos)
    expect(client.subscribe("t", { qos: 2 })).toBe(maximumQos)
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: maximumQos })
    expect(client.take()).toMatchObject([{ payload: "x", qos: maximumQos }])
  })

  it("[MQTT-3.2.2-11] a PUBLISH above it ends the connection, 0x9B; [MQTT-3.2.2-12] a will above it, in CONNACK", () => {
    const test = broker({ maximumQos })
    for (const protocolVersion of [4, 5] as const) {
      const client = test.connect({ protocolVersion })
      client.publish("t", "x", { qos: maximumQos })
      expect(client.closed).toBe(false)
      client.publish("t", "x", { qos: above })
      expect([client.closed, client.farewell]).toEqual([
        true,
        protocolVersion === 5 ? ReasonCode.QosNotSupported : undefined,
      ])
      expect(test.connect({ protocolVersion, will: will(maximumQos, false) }).closed).toBe(false)
    }
    expect(test.connect({ will: will(above, false) }).connack.reasonCode).toBe(ReasonCode.QosNotSupported)
    expect(test.connect({ protocolVersion: 4, will: will(above, false) })).toMatchObject({ closed: true, seen: [] })
  })
})

it("[MQTT-3.2.2-13] [MQTT-3.2.2-14] without Retain Available nothing is retained, and who asks for it is told 0x9A", () => {
  const test = broker({ retainAvailable: false })
  const client = test.connect()
  expect(client.connack.retainAvailable).toBe(false)
  client.publish("t", "x", { retain: true })
  expect(client.farewell).toBe(ReasonCode.RetainNotSupported)
  expect(test.connect({ will: will(0, true) }).connack.reasonCode).toBe(ReasonCode.RetainNotSupported)
  test.broker.publishOwn("$SYS/x", Uint8Array.of(1), 0, true)
  expect(test.broker.retained.size).toBe(0)
})

it.each([
  ["wildcardSubscriptionAvailable", "a/+", undefined, ReasonCode.WildcardSubscriptionsNotSupported],
  ["wildcardSubscriptionAvailable", "#", undefined, ReasonCode.WildcardSubscriptionsNotSupported],
  ["wildcardSubscriptionAvailable", "$share/g/a/#", undefined, ReasonCode.WildcardSubscriptionsNotSupported],
  ["sharedSubscriptionAvailable", "$share/g/a", undefined, ReasonCode.SharedSubscriptionsNotSupported],
  ["subscriptionIdentifierAvailable", "a", 7, ReasonCode.SubscriptionIdentifiersNotSupported],
] as const)("sections 3.2.2.3.11 to 13: without %s, %s with identifier %s", (name, filter, id, code) => {
  const test = broker({ [name]: false })
  const client = test.connect()
  expect(client.connack[name]).toBe(false)
  expect(client.subscribe("plain", { qos: 1 })).toBe(1)
  client.subscribe(filter, id === undefined ? {} : { id })
  expect([client.closed, client.farewell]).toEqual([true, code])
  if (id !== undefined) return
  const four = test.connect({ protocolVersion: 4 })
  expect([four.subscribe(filter), four.closed]).toEqual([0x80, false])
})
