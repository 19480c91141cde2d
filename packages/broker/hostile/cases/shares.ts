// One address takes all that it can get of what everybody shares; a client of another address still gets its part.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { type Client, each, pause } from "../wire/client.ts"
import { publish } from "../wire/mqtt.ts"
import { lasting, send } from "./memory.ts"

/** Where those come from who want all of it. The neighbour and the stranger come from 127.0.0.1. */
const greedy = { wire: { from: "127.0.0.2" } } as const

const wanted = 20

/** How many messages arrive in time, those included that came with CONNACK. */
async function arrivals(client: Client): Promise<number> {
  const end = performance.now() + 5000
  while (client.published < wanted && performance.now() < end) await pause(20)
  return client.published
}

/** A client of another address subscribes, goes away, and gets what was published meanwhile. */
async function queueWorks(scene: Scene, server: Server): Promise<void> {
  const request = { clientId: "stranger", cleanStart: false, properties: lasting }
  const before = await scene.client(server, "tcp", request)
  const codes = await before.subscribe(["to/stranger/#"], 1)
  scene.check(codes?.[0] === 1, `a stranger's SUBACK has code ${codes?.[0]}`)
  before.wire.destroy()
  await pause(100)
  const friend = await scene.client(server, "tcp", { clientId: "friend" })
  // More than what is left over because the greedy ones' do not fit exactly.
  const messages = Array.from({ length: wanted }, (_, i) =>
    publish(5, `to/stranger/${i}`, Buffer.alloc(60_000), { qos: 1, packetId: i + 1 }),
  )
  await send(friend, messages)
  const again = await scene.client(server, "tcp", request)
  const count = await arrivals(again)
  scene.check(count === wanted, `a stranger's session kept ${count} of ${wanted} messages`)
}

export const shareCases: readonly Case[] = [
  {
    name: "1,500 absent sessions of one address with 80 KB each",
    when: "first",
    seconds: 120,
    addresses: true,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      await each(Array.from({ length: 1500 }).keys(), 32, async (i) => {
        const request = { ...greedy, clientId: `absent-${i}`, cleanStart: false, properties: lasting }
        const absent = await scene.client(server, "tcp", request)
        await absent.subscribe([`fill/${i}`], 1)
        absent.wire.destroy()
      })
      const publisher = await scene.client(server, "tcp", { ...greedy, clientId: "publisher" })
      const payload = Buffer.alloc(80_000, "x")
      const all = Array.from({ length: 1500 }, (_, i) => i)
      for (let at = 0; at < all.length; at += 100) {
        const some = all.slice(at, at + 100)
        await send(
          publisher,
          some.map((i) => publish(5, `fill/${i}`, payload, { qos: 1, packetId: i + 1 })),
        )
      }
      await queueWorks(scene, server)
    },
  },
  {
    name: "2,000 absent sessions of one address with a will of 64 KB each",
    seconds: 120,
    addresses: true,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const will = { topic: "w", payload: Buffer.alloc(64_000), properties: [Buffer.from([0x18, 0, 7, 0, 0])] }
      await each(Array.from({ length: 2000 }).keys(), 32, async (i) => {
        const request = { ...greedy, clientId: `w${i}`, cleanStart: false, properties: lasting, will }
        const client = await scene.client(server, "tcp", request).catch(() => undefined)
        client?.wire.destroy()
      })
      await queueWorks(scene, server)
    },
  },
  {
    name: "subscriptions of one address, until it gets no more",
    when: "first",
    seconds: 120,
    addresses: true,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const perPacket = 1000
      for (let i = 0, refused = 0; i < 60 && refused < 3 && server.program.alive; i++) {
        const client = await scene.client(server, "tcp", { ...greedy, clientId: `s${i}` })
        let granted = 0
        for (let at = 0; at < 10 * perPacket; at += perPacket) {
          const filters = Array.from({ length: perPacket }, (_, n) => `greedy/${i}/${at + n}/of/all/that/there/is`)
          const codes = await client.subscribe(filters)
          const more = codes?.filter((code) => code < 0x80).length ?? 0
          granted += more
          if (more === 0) break
        }
        refused = granted === 0 ? refused + 1 : 0
      }
      const stranger = await scene.client(server, "tcp", { clientId: "stranger" })
      const codes = await stranger.subscribe(Array.from({ length: 50 }, (_, i) => `stranger/${i}`))
      const granted = codes?.filter((code) => code < 0x80).length ?? 0
      scene.check(granted === 50, `a stranger gets ${granted} of 50 subscriptions`)
    },
  },
  {
    name: "retained messages of one address, 225 MB",
    seconds: 120,
    addresses: true,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const keeper = await scene.client(server, "tcp", { ...greedy, clientId: "keeper" })
      const payload = Buffer.alloc(5000, "x")
      const kept = function* () {
        for (let i = 0; i < 45_000; i++) yield publish(5, `kept/${i}`, payload, { retain: true })
      }
      await send(keeper, kept())
      const stranger = await scene.client(server, "tcp", { clientId: "stranger" })
      const own = Array.from({ length: wanted }, (_, i) => publish(5, `own/${i}`, "x", { retain: true }))
      await send(stranger, own)
      const reader = await scene.client(server, "tcp", { clientId: "reader" })
      await reader.subscribe(["own/#"])
      const found = await arrivals(reader)
      scene.check(found === wanted, `of a stranger's ${wanted} retained messages there are ${found}`)
    },
  },
]
