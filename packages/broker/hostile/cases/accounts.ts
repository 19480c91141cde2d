// All that the broker keeps, full at the same time; and payloads that only one slow reader keeps alive.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { disconnect, packetType, property, publish, uint16 } from "../wire/mqtt.ts"
import { openWire } from "../wire/wire.ts"
import { lasting, send } from "./memory.ts"

const sessions = 99_000

/** All that clients may make the broker keep. */
async function fill(scene: Scene, server: Server): Promise<void> {
  const { program } = server
  // They are in before there is no room for anybody.
  const enter = (name: string, count: number, net: number, properties: readonly Uint8Array[] = []) =>
    Promise.all(
      Array.from({ length: count }, (_, i) => {
        const wire = { from: `127.${net}.${i % 20}.1` }
        return scene.client(server, "tcp", { clientId: `${name}${i}`, properties, wire })
      }),
    )
  const keepers = await enter("keeper", 8, 2)
  const subscribers = await enter("subscriber", 60, 3)
  const one = Buffer.concat([Uint8Array.of(property.receiveMaximum), uint16(1)])
  const readers = await enter("reader", 40, 4, [...lasting, one])
  const publishers = await enter("publisher", 40, 5)
  await each(readers.entries(), 10, async ([i, reader]) => {
    await reader.subscribe([`q/${i}`], 1)
    reader.wire.pause()
  })
  const [first] = publishers
  await send(
    first!,
    Array.from({ length: 500 }, (_, n) => publish(5, "q/0", "x", { qos: 1, packetId: n + 1 })),
  )
  await each(Array.from({ length: sessions }).keys(), 100, async (i) => {
    if (!program.alive) return
    const wire = { from: `127.1.${Math.floor(i / 9000)}.1` }
    const request = { clientId: `s${i}_`.padEnd(250, "x"), cleanStart: false, properties: lasting, wire }
    // Not everybody gets in, once there is no room.
    const client = await Client.connect("tcp", server.port(), request).catch(() => undefined)
    client?.wire.send(disconnect(5))
    await client?.wire.closed
  })
  await each(keepers.entries(), 8, async ([i, keeper]) => {
    const kept = function* () {
      for (let n = 0; n < 34_000; n++) yield publish(5, `${i}/${n.toString(36)}`, "x", { retain: true })
    }
    await send(keeper, kept())
  })
  await each(subscribers.entries(), 10, async ([i, subscriber]) => {
    for (let at = 0; at < 10_000 && !subscriber.wire.isClosed; at += 1000) {
      await subscriber.subscribe(Array.from({ length: 1000 }, (_, n) => `u${i}/${at + n}`))
    }
  })
  await each(publishers.entries(), 8, async ([i, publisher]) => {
    const own = Array.from({ length: 9900 }, (_, n) => publish(5, `q/${i}`, "x", { qos: 1, packetId: n + 1 }))
    await send(publisher, own)
  })
  const gone = [...keepers, ...subscribers, ...publishers].filter(({ wire }) => wire.isClosed).length
  scene.check(gone === 0, `${gone} clients are ended that ask for no more than they may`)
}

export const accountCases: readonly Case[] = [
  {
    name: "sessions, retained messages, subscriptions and queues, all full at once",
    when: "last",
    seconds: 600,
    addresses: true,
    async run(scene) {
      // A heap that is nearly full takes its time to be gone through.
      scene.bound({ holdUp: 2500 })
      const server = await scene.broker()
      // A message of its own would find no room.
      await scene.neighbour(server, { asks: "ping" })
      await fill(scene, server)
      await pause(2000)
    },
  },
  {
    name: "a broker whose sessions, retained messages and queues are full is killed, and starts again",
    when: "last",
    seconds: 600,
    addresses: true,
    async run(scene) {
      const server = await scene.broker()
      await fill(scene, server)
      const again = await scene.killed(server)
      await scene.neighbour(again, { asks: "ping" })
      const reader = new Client(await openWire("tcp", again.port()))
      scene.atEnd(() => reader.wire.destroy())
      let messages = 0
      reader.onPacket = ({ type }) => {
        if (type === packetType.publish) messages++
      }
      await reader.login({ clientId: "reader0", cleanStart: false, properties: lasting })
      await pause(2000)
      scene.check(messages > 100, `of what waited for a client ${messages} messages come`)
    },
  },
  {
    name: "1,800 payloads of 1 MB, each for one of 300 who do not read",
    when: "first",
    seconds: 180,
    async run(scene) {
      // 1 MB for each, beside what the rest takes, would be more.
      scene.bound({ memory: 360 })
      const server = await scene.broker()
      await scene.neighbour(server)
      // The payloads go to these, too, but nobody but the one keeps them.
      for (let i = 0; i < 9; i++) {
        const absent = await scene.client(server, "tcp", { clientId: `a${i}`, properties: lasting })
        await absent.subscribe(["big/#"])
        absent.wire.destroy()
      }
      await each(Array.from({ length: 300 }).keys(), 32, async (i) => {
        const client = await scene.client(server, "tcp", { clientId: `r${i}` })
        await client.subscribe([`big/${i}`])
        client.wire.pause()
      })
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      const payload = Buffer.alloc(1_000_000, "x")
      const all = function* () {
        for (let round = 0; round < 6; round++) for (let i = 0; i < 300; i++) yield publish(5, `big/${i}`, payload)
      }
      await send(publisher, all())
    },
  },
]
