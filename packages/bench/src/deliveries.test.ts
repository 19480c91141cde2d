import { once } from "node:events"
import net, { type AddressInfo } from "node:net"
import { createBroker } from "@puremq/broker"
import { describe, expect, it } from "vitest"
import { connectDeliveries } from "./deliveries.ts"
import { PacketReader } from "./mqtt.ts"

const shape = { publishers: 3, subscribers: 2, bytes: 64, messages: 300, window: 30 }

/** Between clients and a broker: which packets go by, counted by their first bytes' high halves. */
async function listeningBetween(port: number) {
  const seen = { up: new Map<number, number>(), down: new Map<number, number>() }
  const between = net.createServer((client) => {
    const broker = net.connect({ host: "127.0.0.1", port })
    for (const [from, to, way] of [
      [client, broker, "up"],
      [broker, client, "down"],
    ] as const) {
      const reader = new PacketReader()
      from.on("data", (data: Uint8Array) => {
        reader.read(data, (first) => seen[way].set(first >> 4, (seen[way].get(first >> 4) ?? 0) + 1))
        to.write(data)
      })
      from.on("error", () => to.destroy()).on("close", () => to.destroy())
    }
  })
  between.listen(0, "127.0.0.1")
  await once(between, "listening")
  return { seen, port: (between.address() as AddressInfo).port, close: () => between.close() }
}

describe("deliveries through a broker", () => {
  it.each([
    [0, {}, {}],
    [1, { 4: 600 }, { 4: 300 }],
    // MQTT 4.3.3: from publishers PUBLISH, PUBREL; from subscribers PUBREC, PUBCOMP; and from the broker the others.
    [2, { 5: 600, 6: 300, 7: 600 }, { 5: 300, 6: 600, 7: 300 }],
  ] as const)("at QoS %s go the whole way of the protocol, each message to all", async (qos, up, down) => {
    const broker = createBroker({ listeners: [{ type: "tcp", port: 0 }], sysInterval: 0 })
    const [address] = await broker.listen()
    const between = await listeningBetween(address!.port)
    const load = await connectDeliveries({ port: between.port }, { ...shape, qos })
    try {
      await load.run()
      const rest = (ways: ReadonlyMap<number, number>) =>
        Object.fromEntries([...ways].filter(([type]) => type >= 3 && type <= 7))
      // The last acknowledgements may be under way still.
      await expect.poll(() => rest(between.seen.up)).toEqual({ 3: 300, ...up })
      await expect.poll(() => rest(between.seen.down)).toEqual({ 3: 600, ...down })
      // And again, with Packet Identifiers that were used before.
      await load.run()
    } finally {
      load.stop()
      between.close()
      await broker.close()
    }
  })

  it("say so when the broker closes a connection, and do not hang", async () => {
    const broker = createBroker({ listeners: [{ type: "tcp", port: 0 }], sysInterval: 0 })
    const [address] = await broker.listen()
    const load = await connectDeliveries({ port: address!.port }, { ...shape, messages: 1e6, qos: 1 })
    const run = expect(load.run()).rejects.toThrow("the broker closed a connection")
    await broker.close()
    await run
    load.stop()
  })
})
