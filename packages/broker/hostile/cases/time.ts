// One packet, or one message, that costs the broker far more than the client.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { type Client, pause } from "../wire/client.ts"
import { packetType, publish, subscribe, unsubscribe } from "../wire/mqtt.ts"

/** Sends one packet and waits until the broker has worked at it, or ended the connection. */
async function work(client: Client, packet: Uint8Array, answer: number): Promise<void> {
  const answered = client.next(({ type }) => type === answer || type === packetType.disconnect, 100_000)
  client.wire.send(packet)
  await answered
  await pause(100)
}

async function alone(scene: Scene): Promise<{ readonly server: Server; readonly client: Client }> {
  const server = await scene.broker()
  const client = await scene.client(server, "tcp", { clientId: "greedy" })
  return { server, client }
}

/** Subscribes in packets of 500; a refusal is the broker's good right. */
async function subscribeAll(client: Client, filters: readonly string[]): Promise<void> {
  for (let at = 0; at < filters.length && !client.wire.isClosed; at += 500) {
    await client.subscribe(filters.slice(at, at + 500))
  }
}

/** Milliseconds of the processor that a message may cost, whatever the subscriptions of others are. */
const mostCost = 5

export async function publishMany(
  scene: Scene,
  server: Server,
  topic: (i: number) => string,
  count: number,
): Promise<void> {
  const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
  const before = server.program.processorTime
  publisher.wire.send(Buffer.concat(Array.from({ length: count }, (_, i) => publish(5, topic(i), "m"))))
  await publisher.ping(60_000)
  const after = server.program.processorTime
  if (before === undefined || after === undefined) return
  const cost = (after - before) / count
  scene.check(cost <= mostCost, `a message costs ${cost.toFixed(0)} ms of the processor`)
}

export const timeCases: readonly Case[] = [
  {
    name: "SUBSCRIBE with 200,000 times # and 1,000 retained messages",
    when: "first",
    seconds: 150,
    async run(scene) {
      const { server, client } = await alone(scene)
      const keeper = await scene.client(server, "tcp", { clientId: "keeper" })
      for (let i = 0; i < 1000; i++) keeper.wire.send(publish(5, `r/${i}`, "x", { retain: true }))
      await keeper.ping()
      await scene.neighbour(server)
      const filters = Array.from({ length: 200_000 }, () => ({ filter: "#" }))
      await work(client, subscribe(5, 1, filters), packetType.suback)
    },
  },
  {
    name: "SUBSCRIBE with 170,000 invalid filters",
    seconds: 90,
    async run(scene) {
      const { server, client } = await alone(scene)
      await scene.neighbour(server)
      const filters = Array.from({ length: 170_000 }, () => ({ filter: "#a" }))
      await work(client, subscribe(5, 1, filters), packetType.suback)
    },
  },
  {
    name: "UNSUBSCRIBE with 250,000 filters",
    seconds: 90,
    async run(scene) {
      const { server, client } = await alone(scene)
      await scene.neighbour(server)
      const names = Array.from({ length: 250_000 }, (_, i) => (i % 2 === 0 ? "#a" : "a"))
      await work(client, unsubscribe(5, 1, names), packetType.unsuback)
    },
  },
  {
    name: "8,192 filters {a,+}^13/# and 100 messages",
    when: "first",
    seconds: 90,
    async run(scene) {
      const { server, client } = await alone(scene)
      const filters = Array.from({ length: 8192 }, (_, i) => {
        const levels = Array.from({ length: 13 }, (_, bit) => ((i >> bit) & 1 ? "a" : "+"))
        return `${levels.join("/")}/#`
      })
      await subscribeAll(client, filters)
      await scene.neighbour(server)
      // Each a topic of its own, whose subscribers nobody has looked up before.
      await publishMany(scene, server, (i) => `${"a/".repeat(13)}${i}`, 100)
    },
  },
  {
    name: "10,000 share groups on one topic and 200 messages",
    when: "first",
    seconds: 90,
    async run(scene) {
      const { server, client } = await alone(scene)
      await subscribeAll(
        client,
        Array.from({ length: 10_000 }, (_, i) => `$share/g${i}/t`),
      )
      await scene.neighbour(server)
      await publishMany(scene, server, () => "t", 200)
    },
  },
]
