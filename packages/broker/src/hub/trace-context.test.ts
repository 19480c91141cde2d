// W3C Trace Context in User Properties (traceparent, tracestate, as OpenTelemetry's MQTT instrumentation has them) goes through the
// broker untouched: each byte, in its order ([MQTT-3.3.2-17], [MQTT-3.3.2-18]), beside properties of the same names.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, describe, expect, it } from "vitest"
import { packet, TestBroker, type TestClient, text, userProperty, variable } from "../../tests/harness.ts"
import { answerOf } from "../platform/answer.ts"
import { openFileStore } from "../stores/node-files.ts"

const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
const state = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE,vendor@tenant=a:b;c"

const context = [
  ...userProperty("zuerst", "1"),
  ...userProperty("traceparent", parent),
  ...userProperty("tracestate", state),
  // Some send a list in several; RFC 9110 joins them in their order.
  ...userProperty("tracestate", "other=1"),
  ...userProperty("baggage", "userId=alice,serverNode=DF%2028"),
  ...userProperty("Traceparent", "of another case"),
  ...userProperty("traceparent", ""),
]

/** Properties that a PUBLISH has beside them, which stay where they are. */
const contentType = [0x03, 0, 4, ...Buffer.from("json")]
const properties = [...contentType, ...context]

function contextOf(client: TestClient): (readonly number[])[] {
  return client.take().map((publish) => [...publish.properties])
}

const kept = { cleanStart: false, sessionExpiryInterval: 1000 } as const

describe("trace context in User Properties", () => {
  it.each([0, 1, 2] as const)("at QoS %i, to one and to many", (qos) => {
    const test = new TestBroker()
    const clients = ["a", "b", "c"].map((clientId) => test.connect({ clientId }))
    for (const client of clients) client.subscribe("t/#", { qos })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t/1", "x", { qos, properties })
    for (const client of clients) expect(contextOf(client)).toEqual([properties])
  })

  it.each([0, 1, 2] as const)(
    "at QoS %i with a Subscription Identifier, a Topic Alias and an expiry in front",
    (qos) => {
      const test = new TestBroker()
      const sub = test.connect({ clientId: "sub", topicAliasMaximum: 5 })
      sub.subscribe("t", { qos, id: 77 })
      const pub = test.connect({ clientId: "pub" })
      for (let i = 1; i <= 2; i++)
        pub.publish("t", "x", { qos, packetId: i, properties: [...[0x02, 0, 0, 0, 60], ...properties] })
      const got = sub.take()
      expect(got).toHaveLength(2)
      for (const { properties: received, identifiers, expiry } of got) {
        expect([...received]).toEqual(properties)
        expect([identifiers, expiry]).toEqual([[77], 60])
      }
    },
  )

  it("retained, for who subscribes later", () => {
    const test = new TestBroker()
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1, retain: true, properties })
    for (const qos of [0, 1, 2] as const) {
      const sub = test.connect({ clientId: `sub${qos}` })
      sub.subscribe("t", { qos })
      expect(contextOf(sub)).toEqual([properties])
    }
  })

  it("by a Shared Subscription, and to the next when its first receiver has gone", () => {
    const test = new TestBroker()
    const first = test.connect({ clientId: "first", ...kept })
    first.subscribe("$share/group/t", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1, properties })
    expect(contextOf(first)).toEqual([properties])
    const second = test.connect({ clientId: "second" })
    second.subscribe("$share/group/t", { qos: 1 })
    first.disconnect(0, 0)
    test.settle()
    expect(contextOf(second)).toEqual([properties])
  })

  it("of a will", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("w", { qos: 1 })
    // CONNECT with Clean Start and a will at QoS 1.
    const connect = [...text("MQTT"), 5, 0x0e, 0, 0, 0, ...text("mortal")]
    const mortal = test.open()
    mortal.send(packet(0x10, [...connect, ...variable(context.length), ...context, ...text("w"), 0, 1, 0x78]))
    mortal.cut()
    expect(contextOf(sub)).toEqual([context])
  })

  it("sent again after a lost connection", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 2 })
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 2, properties })
    expect(contextOf(sub)).toEqual([properties])
    sub.cut()
    const again = test.connect({ clientId: "sub", ...kept })
    expect(again.take()).toMatchObject([{ dup: true, properties: Uint8Array.from(properties) }])
  })

  it("a client of MQTT 3.1.1 has no place for it, and none of it is in what it gets", () => {
    const test = new TestBroker()
    const old = test.connect({ clientId: "old", protocolVersion: 4 })
    old.subscribe("t", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1, properties })
    expect(old.take()).toMatchObject([{ payload: "x", size: 2 + 2 + 1 + 2 + 1 }])
  })
})

describe("trace context in a store of files", () => {
  let folder = ""
  afterEach(() => rmSync(folder, { recursive: true }))

  it.each([1, 2] as const)(
    "at QoS %i what waited and what is retained has it after a restart, and after a fold",
    async (qos) => {
      folder = mkdtempSync(join(tmpdir(), "puremq-trace-"))
      const starts = async (): Promise<{ test: TestBroker; fold: () => Promise<void> }> => {
        const store = await openFileStore({ directory: folder })
        const test = new TestBroker({ store })
        expect(await answerOf(test.broker.restore(test.now))).toBe("restored")
        test.settle()
        return { test, fold: () => store.compact() }
      }
      const ends = async ({ test }: { readonly test: TestBroker }): Promise<void> => {
        await answerOf(test.broker.close(test.now))
      }
      const one = await starts()
      const sub = one.test.connect({ clientId: "sub", ...kept })
      sub.subscribe("t/#", { qos })
      sub.cut()
      const pub = one.test.connect({ clientId: "pub" })
      pub.publish("t/waits", "x", { qos, packetId: 1, properties })
      pub.publish("r", "x", { qos, packetId: 2, retain: true, properties })
      await ends(one)
      const two = await starts()
      await two.fold()
      await ends(two)
      const three = await starts()
      expect(contextOf(three.test.connect({ clientId: "sub", ...kept }))).toEqual([properties])
      const late = three.test.connect({ clientId: "late" })
      late.subscribe("r", { qos })
      expect(contextOf(late)).toEqual([properties])
      await ends(three)
    },
  )
})
