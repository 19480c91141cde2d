// What one SUBSCRIBE or UNSUBSCRIBE, and the subscriptions of one session, may cost.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import type { SubscriptionRequest } from "../packet/packets.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { defaultLimits } from "./limits.ts"

const versions = [4, 5] as const

function requests(count: number, filter: (i: number) => string): SubscriptionRequest[] {
  return Array.from({ length: count }, (_, i) => ({
    filter: filter(i),
    qos: 0,
    noLocal: false,
    retainAsPublished: false,
    retainHandling: 0,
  }))
}

describe.each(versions)("MQTT version %i", (protocolVersion) => {
  it("sections 3.8.3 and 3.10.3: maximumFiltersPerPacket filters are taken, one more ends the connection", () => {
    const most = defaultLimits.maximumFiltersPerPacket
    for (const packet of ["subscribe", "unsubscribe"] as const) {
      const test = new TestBroker()
      const client = test.connect({ protocolVersion })
      const send = (count: number) => {
        if (packet === "subscribe") client.subscribeAll(requests(count, (i) => `t/${i}`))
        else client.unsubscribe(...requests(count, (i) => `t/${i}`).map(({ filter }) => filter))
      }
      send(most)
      expect(client.closed).toBe(false)
      expect(client.seen.at(-1)).toMatchObject({ type: packet === "subscribe" ? "suback" : "unsuback" })
      send(most + 1)
      expect(client.closed).toBe(true)
      expect(client.farewell).toBe(protocolVersion === 5 ? ReasonCode.QuotaExceeded : undefined)
    }
  })

  it("takes maximumWildcardSubscriptions with a wildcard or a Share Name and refuses one more; others go on", () => {
    const test = new TestBroker({ limits: { maximumWildcardSubscriptions: 2 } })
    const client = test.connect({ protocolVersion })
    const refused = protocolVersion === 5 ? ReasonCode.QuotaExceeded : 0x80
    expect(client.subscribe("a/+")).toBe(2)
    expect(client.subscribe("$share/g/t")).toBe(2)
    for (const filter of ["#", "b/#", "+", "$share/h/t"]) expect(client.subscribe(filter)).toBe(refused)
    // Replacing one is not one more, and those without a wildcard are not counted.
    expect(client.subscribe("a/+")).toBe(2)
    expect(client.subscribe("plain")).toBe(2)
    client.unsubscribe("plain", "a/+", "a/+")
    expect(client.subscribe("#")).toBe(2)
    expect(client.subscribe("b/#")).toBe(refused)
  })

  it("[MQTT-3.8.4-6] one code for each filter; one that is not taken does not stop the others", () => {
    const client = new TestBroker().connect({ protocolVersion })
    client.subscribeAll(requests(3, (i) => ["x/".repeat(100), "$share/g/".concat("x/".repeat(32)), "right"][i]!))
    const refused = protocolVersion === 5 ? ReasonCode.TopicFilterInvalid : 0x80
    expect(client.seen.at(-1)).toMatchObject({ type: "suback", reasonCodes: [refused, refused, 0] })
    expect(client.closed).toBe(false)
  })

  it("section 4.7.3: topics and filters have 32 levels by default, and not one more", () => {
    const test = new TestBroker()
    const client = test.connect({ protocolVersion, clientId: "filters" })
    const levels = (count: number) => Array.from({ length: count }, () => "a").join("/")
    expect(client.subscribe(levels(32))).toBe(2)
    expect(client.subscribe(levels(33))).toBe(protocolVersion === 5 ? ReasonCode.TopicFilterInvalid : 0x80)
    const publisher = test.connect({ protocolVersion, clientId: "topics" })
    publisher.publish(levels(32), "x")
    expect(client.payloads()).toEqual(["x"])
    publisher.publish(levels(33), "x")
    expect(publisher.closed).toBe(true)
    expect(publisher.farewell).toBe(protocolVersion === 5 ? ReasonCode.TopicNameInvalid : undefined)
  })
})
