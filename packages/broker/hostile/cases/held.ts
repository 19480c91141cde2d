// What is kept for a client beside its messages: their Packet Identifiers, Subscription Identifiers and Topic Aliases.

import type { Case } from "../case.ts"
import type { Scene } from "../scene.ts"
import { Client, each, fromOneOfMany, pause } from "../wire/client.ts"
import {
  acknowledge,
  packetType,
  property,
  publish,
  readPublish,
  subscribe,
  unsubscribe,
  variable,
} from "../wire/mqtt.ts"
import { openWire } from "../wire/wire.ts"
import { lasting, send } from "./memory.ts"

/** The neighbour is another owner, where the system has the addresses: within one, clients are treated alike. */
const elsewhere: { readonly from?: string } = process.platform === "linux" ? { from: "127.0.0.9" } : {}

const atOnce = 1024

const aliasMaximum = 32

/** Clients that publish to themselves. @param within the bytes of a Topic Name that a client may give an alias */
async function aliases(
  scene: Scene,
  count: number,
  topicOf: (client: number, alias: number) => string,
  within = 0,
): Promise<void> {
  const server = await scene.broker()
  await scene.neighbour(server, elsewhere)
  const properties = [Buffer.from([property.topicAliasMaximum, 0xff, 0xff])]
  await each(Array.from({ length: count }).keys(), 16, async (i) => {
    if (!server.program.alive) return
    const request = { clientId: `a${i}`, properties, wire: fromOneOfMany(i) }
    const client = await Client.connect("tcp", server.port(), request).catch(() => undefined)
    if (client === undefined) return
    scene.atEnd(() => client.wire.destroy())
    await client.subscribe([`${i}/#`])
    for (let alias = 1; alias <= aliasMaximum && !client.wire.isClosed; alias++) {
      const topic = Buffer.from(topicOf(i, alias))
      const own = topic.length <= within ? [Buffer.from([property.topicAlias, 0, alias])] : []
      client.wire.send(publish(5, topic, "", { properties: own }))
      if (topic.length > within) await client.flushed()
    }
    await client.ping()
  })
}

export const heldCases: readonly Case[] = [
  {
    name: "a session that completes no QoS 2 message, over 72 connections",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      const messages = Array.from({ length: atOnce }, (_, i) => publish(5, "t", "", { qos: 2, packetId: i + 1 }))
      const ids = new Set<number>()
      // Ends early when the broker has nothing more for a client that completes nothing.
      for (let turn = 0, idle = 0; turn < 72 && idle < 3 && server.program.alive; turn++) {
        const client = new Client(await openWire("tcp", server.port()))
        client.acknowledges = false
        client.onPacket = (packet) => {
          if (packet.type !== packetType.publish) return
          ids.add(readPublish(packet).packetId)
          client.wire.send(acknowledge(5, 5, readPublish(packet).packetId))
        }
        const before = ids.size
        await client.login({ clientId: "never", cleanStart: turn === 0, properties: lasting })
        if (turn === 0) await client.subscribe(["t"], 2)
        await send(publisher, messages)
        // What comes again stands before what is new.
        const end = performance.now() + 1500
        while (ids.size < before + atOnce && performance.now() < end) await pause(10)
        idle = ids.size === before ? idle + 1 : 0
        const answered = await client.ping(5000)
        client.wire.destroy()
        if (!answered) return
      }
    },
  },
  {
    name: "2,000 topics with 1,000 Subscription Identifiers for each of 60 absent sessions",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      const levels = 10
      const filters = Array.from({ length: 1000 }, (_, i) => {
        const each = Array.from({ length: levels }, (_, bit) => ((i >> bit) & 1 ? "+" : "a"))
        const identifier = Buffer.concat([Uint8Array.of(property.subscriptionIdentifier), variable(200_000_000 + i)])
        return subscribe(5, i + 1, [{ filter: `${each.join("/")}/#`, options: 1 }], [identifier])
      })
      await each(Array.from({ length: 60 }).keys(), 4, async (i) => {
        const client = await scene.client(server, "tcp", { clientId: `s${i}`, properties: lasting })
        await send(client, filters)
        client.wire.destroy()
      })
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      const topic = "a/".repeat(levels)
      const message = (i: number) => publish(5, `${topic}${i}`, "", { qos: 1, packetId: i + 1 })
      await send(
        publisher,
        Array.from({ length: 2000 }, (_, i) => message(i)),
      )
    },
  },
  {
    name: "9,000 messages of one session, each by another Share Name of 65,000 bytes",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      const client = await scene.client(server, "tcp", { clientId: "shares" })
      client.acknowledges = false
      const packets = function* () {
        for (let i = 0; i < 9000; i++) {
          const filter = `$share/${String(i).padEnd(64_900, "x")}/t`
          yield subscribe(5, 1, [{ filter, options: 1 }])
          yield publish(5, "t", "", { qos: 1, packetId: i + 1 })
          yield unsubscribe(5, 1, [filter])
        }
      }
      await send(client, packets())
    },
  },
  {
    name: "Topic Aliases for 2 MB of Topic Names towards each of 300 subscribers",
    when: "first",
    seconds: 60,
    run: (scene) => aliases(scene, 300, (client, alias) => `${client}/${alias}/\u0436${"x".repeat(65_000)}`),
  },
  {
    name: "8,000 clients with all their Topic Aliases, in both directions",
    when: "last",
    seconds: 180,
    run(scene) {
      scene.bound({ memory: 640 })
      return aliases(scene, 8000, (client, alias) => `${client}/${alias}/\u0436${"x".repeat(480)}`, 512)
    },
  },
]
