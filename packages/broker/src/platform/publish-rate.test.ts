// maximumPublishRate with a real client on a real socket: the transport is not read from meanwhile.

import mqtt from "mqtt"
import { expect, it } from "vitest"
import { createBroker } from "./node.ts"

it("a client that is too fast is slowed down: everything comes, in the time that it may take, and it stays", async () => {
  const broker = createBroker({
    listeners: [{ type: "tcp", port: 0 }],
    limits: { maximumPublishRate: 20 },
    sysInterval: 0,
  })
  const [address] = await broker.listen()
  const clients = ["sub", "pub"].map((clientId) => {
    const client = mqtt.connect(`mqtt://127.0.0.1:${address?.port}`, {
      clientId,
      reconnectPeriod: 0,
      protocolVersion: 5,
    })
    client.on("error", () => undefined)
    return client
  })
  const [sub, pub] = clients
  if (sub === undefined || pub === undefined) throw new Error("no client")
  let closed = false
  pub.on("close", () => {
    closed = true
  })
  const seen: string[] = []
  sub.on("message", (_topic, payload) => seen.push(payload.toString()))
  await sub.subscribeAsync("t", { qos: 1 })
  const begin = performance.now()
  await Promise.all(Array.from({ length: 50 }, (_, i) => pub.publishAsync("t", `${i}`, { qos: 1 })))
  const took = performance.now() - begin
  // 20 at once, and 30 at 20 a second.
  expect(took).toBeGreaterThan(1400)
  await expect.poll(() => seen).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`))
  expect(closed).toBe(false)
  expect(broker.stats().publishersRationed).toBeGreaterThan(0)
  await Promise.all(clients.map((client) => client.endAsync()))
  await broker.close()
})
