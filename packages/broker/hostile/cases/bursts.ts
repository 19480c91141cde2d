// What many clients do at the same moment, each of them no more than it may: everybody has a turn, and who asks for little
// does not wait for the others.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { allSent, type Client, each, fromOneOfMany, pause } from "../wire/client.ts"
import {
  acknowledge,
  connect,
  pingreq,
  property,
  publish,
  subscribe,
  userProperty,
  type Version,
  variable,
} from "../wire/mqtt.ts"
import { frame } from "../wire/websocket.ts"
import { openWire, type Transport, type Wire } from "../wire/wire.ts"
import { dearTopic, overlappingSessions } from "./turns.ts"

interface Crowd {
  readonly version?: Version
  readonly transport?: Transport
  readonly name: string
  /** What each does once it is in. */
  readonly then?: (client: Client, i: number) => Promise<unknown>
}

/** So many clients that are in and look at nothing that comes. */
async function crowd(scene: Scene, server: Server, count: number, options: Crowd): Promise<Client[]> {
  const { version = 5, transport = "tcp", name, then } = options
  const clients: Client[] = []
  await each(Array.from({ length: count }).keys(), 64, async (i) => {
    const request = { clientId: `${name}-${i}`, version, wire: { ...fromOneOfMany(i), timeout: 60_000 } }
    const client = await scene.client(server, transport, { ...request, patience: 60_000 })
    await then?.(client, i)
    client.wire.onBytes = () => undefined
    clients.push(client)
  })
  return clients
}

/** A neighbour, once the broker knows it as one who asks for little. */
export async function knownNeighbour(scene: Scene, server: Server): Promise<void> {
  await scene.neighbour(server, { transport: "tcp" })
  await pause(500)
}

/** Gives the bytes to all of them at once and waits a while. */
async function burst(clients: readonly Client[], bytes: Uint8Array, milliseconds: number): Promise<void> {
  for (const { wire } of clients) wire.send(bytes)
  const end = performance.now() + milliseconds
  await allSent(
    clients.map(({ wire }) => wire),
    milliseconds,
  )
  await pause(Math.max(500, end - performance.now()))
}

/** All but the last of the fragments of a message, one byte each. */
function fragments(message: Uint8Array): Uint8Array {
  return Buffer.concat(
    Array.from(message.subarray(0, message.length - 1), (byte, i) =>
      frame({ fin: false, opcode: i === 0 ? 2 : 0, payload: Uint8Array.of(byte) }),
    ),
  )
}

const filtersOf = (count: number) => Array.from({ length: count }, () => ({ filter: "a" }))

function subscribeFloods(): Case[] {
  return (
    [
      ["tcp", 30],
      ["ws", 10],
    ] as const
  ).map(([transport, count]) => ({
    name: `274 SUBSCRIBE of 1,000 filters by each of ${count} clients, ${transport}`,
    ...(transport === "ws" && { when: "first" as const }),
    seconds: 90,
    async run(scene: Scene) {
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      const clients = await crowd(scene, server, count, { name: "greedy", transport })
      await knownNeighbour(scene, server)
      // More than that many do not go into a frame.
      const flood = Buffer.concat(Array.from({ length: 274 }, (_, i) => subscribe(5, i + 1, filtersOf(1000))))
      await burst(clients, flood, 3000)
    },
  }))
}

function bursts(count: number, what: string, packets: (i: number) => Uint8Array, more: Partial<Case> = {}): Case {
  return {
    name: `60 KB of ${what} by each of ${count.toLocaleString("en")} clients`,
    seconds: 150,
    ...more,
    async run(scene) {
      const server = await scene.broker()
      const clients = await crowd(scene, server, count, { name: "one" })
      await knownNeighbour(scene, server)
      const parts: Uint8Array[] = []
      for (let size = 0, i = 0; size < 60_000; i++) size += parts[parts.push(packets(i)) - 1]!.length
      await burst(clients, Buffer.concat(parts), 4000)
      const gone = clients.filter(({ wire }) => wire.isClosed).length
      scene.check(gone === 0, `${gone} clients are ended, who did what they may`)
    },
  }
}

export const burstCases: readonly Case[] = [
  {
    name: "600 WebSocket messages of 16,000 fragments",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      await knownNeighbour(scene, server)
      const message = fragments(publish(5, "t", Buffer.alloc(15_992)))
      const last = frame({ opcode: 0, payload: Uint8Array.of(0) })
      const wires: Wire[] = []
      await each(Array.from({ length: 600 }).keys(), 32, async (i) => {
        const wire = await openWire("ws", server.port("ws"), fromOneOfMany(i)).catch(() => undefined)
        if (wire === undefined) return
        scene.atEnd(() => wire.destroy())
        wire.onBytes = () => undefined
        // The others are strangers.
        if (i % 2 === 0) wire.send(connect({ clientId: `f${i}` }))
        wires.push(wire)
      })
      for (const { stream } of wires) stream.write(message)
      await allSent(wires, 30_000)
      await pause(500)
      for (const { stream, isClosed } of wires) if (!isClosed) stream.write(last)
      await pause(500)
    },
  },
  ...subscribeFloods(),
  {
    name: "3 packets of 200,000 User Properties by each of 100 clients",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      const clients = await crowd(scene, server, 100, { name: "u" })
      await knownNeighbour(scene, server)
      const crowded = [Buffer.concat(Array<Uint8Array>(200_000).fill(userProperty("", "")))]
      const packets = [
        publish(5, "t", "", { properties: crowded }),
        acknowledge(5, 4, 1, 0, crowded),
        subscribe(5, 1, [{ filter: "a" }], crowded),
      ]
      await burst(clients, Buffer.concat(packets), 8000)
    },
  },
  {
    name: "one message of 60,000 matches by each of 100 publishers",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await overlappingSessions(scene, server, 60)
      const publishers = await Promise.all(
        Array.from({ length: 100 }, (_, i) => scene.client(server, "tcp", { clientId: `p${i}` })),
      )
      await knownNeighbour(scene, server)
      const answers = publishers.map((publisher, i) => {
        publisher.wire.send(publish(5, dearTopic(i), "m"))
        return publisher.ping(60_000)
      })
      const lost = (await Promise.all(answers)).filter((answered) => !answered).length
      scene.check(lost === 0, `${lost} publishers get no PINGRESP`)
    },
  },
  {
    name: "200 wills of 60,000 matches at once",
    seconds: 150,
    async run(scene) {
      const server = await scene.broker()
      await overlappingSessions(scene, server, 60)
      const watcher = await scene.client(server, "tcp", { clientId: "watcher" })
      await watcher.subscribe([`${dearTopic(0).slice(0, -1)}#`])
      const clients: Client[] = []
      await each(Array.from({ length: 200 }).keys(), 32, async (i) => {
        const will = { topic: dearTopic(i), payload: "gone" }
        clients.push(await scene.client(server, "tcp", { clientId: `w${i}`, will }))
      })
      await knownNeighbour(scene, server)
      for (const { wire } of clients) wire.destroy()
      const end = performance.now() + 60_000
      while (watcher.published < 200 && performance.now() < end) await pause(50)
      scene.check(watcher.published === 200, `${watcher.published} of 200 wills are published`)
    },
  },
  {
    name: "50 messages of 9,000 User Properties to 1,000 subscribers",
    when: "first",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      const then = async (client: Client, i: number) => {
        // Every third has its copies to itself.
        const identifier = Buffer.concat([Uint8Array.of(property.subscriptionIdentifier), variable(i + 1)])
        client.wire.send(subscribe(5, 1, [{ filter: "st/#" }], i % 3 === 0 ? [identifier] : []))
        await client.ping(60_000)
      }
      await crowd(scene, server, 1000, { name: "reader", then })
      const publishers = await crowd(scene, server, 50, { name: "publisher" })
      await knownNeighbour(scene, server)
      const properties = Array.from({ length: 9000 }, () => userProperty("k", "v"))
      await burst(publishers, publish(5, "st/x", "x", { properties }), 3000)
    },
  },
  {
    name: "2,500 busy publishers",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      const publishers = await crowd(scene, server, 2500, { name: "busy" })
      const reader = await scene.client(server, "tcp", { clientId: "reader" })
      await reader.subscribe(["busy/0/#"])
      await knownNeighbour(scene, server)
      const batches = publishers.map((_, i) =>
        Buffer.concat(Array.from({ length: 10 }, (_, n) => publish(5, `busy/${i % 100}/${n}`, "twenty bytes of data"))),
      )
      const end = performance.now() + 4000
      while (performance.now() < end) {
        for (const [i, { wire }] of publishers.entries()) if (wire.unsent < 10_000) wire.send(batches[i]!)
        await pause(50)
      }
      const gone = publishers.filter(({ wire }) => wire.isClosed).length
      scene.check(gone === 0, `${gone} publishers are ended`)
      scene.check(reader.published > 0, "nothing arrives")
    },
  },
  bursts(2000, "PINGREQ", pingreq),
  bursts(1000, "PUBLISH with QoS 1", (i) => publish(5, "t/a", "twenty bytes of data", { qos: 1, packetId: i + 1 })),
  bursts(3000, "PUBLISH", () => publish(5, "t", ""), { when: "last" }),
]
