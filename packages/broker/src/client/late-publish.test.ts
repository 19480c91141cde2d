// Messages to one client, some of which wait for the store and some not.

import { expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"

const kept = { cleanStart: false, sessionExpiryInterval: 1000 } as const

it("section 3.3.2.3.4: a message that waits for nothing does not use a Topic Alias that is said by one that waits", () => {
  const test = new TestBroker()
  const sub = test.connect({ clientId: "sub", topicAliasMaximum: 5, ...kept })
  sub.subscribe("t", { qos: 1 })
  const pub = test.connect({ clientId: "pub" })
  test.store.mode = "late"
  pub.publish("t", "one", { qos: 1, packetId: 1 })
  pub.publish("t", "zero", { qos: 0 })
  expect(sub.take()).toMatchObject([{ payload: "zero", topic: "t" }])
  test.store.answer()
  test.settle()
  expect(sub.take()).toMatchObject([{ payload: "one", topic: "t", topicAlias: 1 }])
  pub.publish("t", "after", { qos: 0 })
  expect(sub.take()).toMatchObject([{ payload: "after", topic: undefined, topicAlias: 1 }])
})

it("[MQTT-4.6.0-5] a message that waits for nothing does not pass by one that waits, nor use a Topic Alias of it", () => {
  const test = new TestBroker()
  const other = test.connect({ clientId: "other", ...kept })
  other.subscribe("t", { qos: 1 })
  // Of its session nothing is kept; what it publishes is, for the other.
  const client = test.connect({ clientId: "both", topicAliasMaximum: 5 })
  client.subscribe("t", { qos: 2 })
  test.store.mode = "late"
  client.publish("t", "kept", { qos: 1, packetId: 1 })
  other.unsubscribe("t")
  client.publish("t", "for nobody else", { qos: 1, packetId: 2 })
  client.publish("t", "no order", { qos: 0 })
  expect(client.take()).toMatchObject([{ payload: "no order", topic: "t" }])
  for (let i = 0; i < 2; i++) {
    test.store.answer()
    test.settle()
  }
  expect(client.take()).toMatchObject([
    { payload: "kept", topic: "t", topicAlias: 1 },
    { payload: "for nobody else", topic: undefined, topicAlias: 1 },
  ])
})
