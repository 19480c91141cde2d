// What many small things cost together: each is within its own limit.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { type Client, each, pause } from "../wire/client.ts"
import { connect, property, publish, subscribe, uint32 } from "../wire/mqtt.ts"
import { openWire } from "../wire/wire.ts"

export const lasting = [Buffer.concat([Uint8Array.of(property.sessionExpiry), uint32(7 * 24 * 3600)])]

/** 127 levels, the first of which is its own. */
function deep(name: string): string {
  return `${name}${"/a".repeat(126)}`
}

/** Sends in portions, so that neither side holds all of it. @returns whether the connection is still there */
export async function send(client: Client, packets: Iterable<Uint8Array>): Promise<boolean> {
  let held: Uint8Array[] = []
  let size = 0
  for (const packet of packets) {
    held.push(packet)
    size += packet.length
    if (size < 262_144) continue
    client.wire.send(Buffer.concat(held))
    ;[held, size] = [[], 0]
    await client.flushed()
    if (client.wire.isClosed) return false
  }
  client.wire.send(Buffer.concat(held))
  await client.flushed()
  // Once this is answered the rest was worked at.
  return client.ping(60_000)
}

function* filters(prefix: string, count: number): Iterable<Uint8Array> {
  const perPacket = 500
  for (let at = 0, id = 1; at < count; at += perPacket, id++) {
    const some = Array.from({ length: perPacket }, (_, i) => ({ filter: deep(`${prefix}-${at + i}`) }))
    yield subscribe(5, id, some)
  }
}

async function retained(scene: Scene, topic: (i: number) => string, count: number): Promise<void> {
  const server = await scene.broker()
  await scene.neighbour(server)
  const client = await scene.client(server, "tcp", { clientId: "keeper" })
  await send(client, messages(topic, count))
}

function* messages(topic: (i: number) => string, count: number): Iterable<Uint8Array> {
  for (let i = 0; i < count; i++) yield publish(5, topic(i), "x", { retain: true })
}

async function halfSent(scene: Scene, server: Server, count: number, start: Uint8Array, login: boolean): Promise<void> {
  await each(Array.from({ length: count }).keys(), 16, async (i) => {
    const wire = await openWire("tcp", server.port()).catch(() => undefined)
    if (wire === undefined) return
    scene.atEnd(() => wire.destroy())
    if (login) wire.send(connect({ clientId: `half-${i}` }))
    wire.send(start)
    const end = performance.now() + 5000
    while (wire.unsent > 0 && !wire.isClosed && performance.now() < end) await pause(2)
  })
  await pause(1000)
}

export const memoryCases: readonly Case[] = [
  {
    name: "13 sessions of 10,000 filters of 127 levels",
    when: "first",
    seconds: 180,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      for (let i = 0; i < 13 && server.program.alive; i++) {
        const client = await scene.client(server, "tcp", { clientId: `s${i}`, properties: lasting })
        await send(client, filters(`s${i}`, 10_000))
      }
    },
  },
  {
    name: "145,000 retained messages of one byte, 127 levels",
    seconds: 180,
    run: (scene) => retained(scene, (i) => deep(`t${i}`), 145_000),
  },
  {
    name: "600,000 retained messages of one byte, short topics",
    when: "first",
    seconds: 180,
    run: (scene) => retained(scene, (i) => `s/${i % 1000}/${i}`, 600_000),
  },
  {
    name: "60 absent sessions with 17 MB each",
    when: "first",
    seconds: 180,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const payload = Buffer.alloc(65_000, "x")
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      for (let i = 0; i < 60 && server.program.alive; i++) {
        const absent = await scene.client(server, "tcp", {
          clientId: `absent-${i}`,
          cleanStart: false,
          properties: lasting,
        })
        await absent.subscribe([`to/${i}`], 1)
        absent.wire.destroy()
        await pause(5)
        const own = Array.from({ length: 262 }, (_, at) =>
          publish(5, `to/${i}`, payload, { qos: 1, packetId: 1 + ((i * 262 + at) % 65_000) }),
        )
        if (!(await send(publisher, own))) return
      }
    },
  },
  {
    name: "600 half-sent PUBLISH of 1 MB",
    when: "first",
    seconds: 120,
    async run(scene) {
      // Less than what was sent: somewhere the broker says no.
      scene.bound({ memory: 512 })
      const server = await scene.broker()
      await scene.neighbour(server)
      const whole = publish(5, "t", Buffer.alloc(1_000_000, "x"))
      await halfSent(scene, server, 600, whole.subarray(0, whole.length - 1), true)
    },
  },
  {
    name: "3,000 half-sent CONNECT of 120 KB, nobody logged in",
    seconds: 120,
    async run(scene) {
      scene.bound({ memory: 320 })
      const server = await scene.broker()
      await scene.neighbour(server)
      const will = { topic: "w", payload: Buffer.alloc(60_000, "x") }
      const whole = connect({ clientId: "c", will, username: "u", password: Buffer.alloc(60_000, "x") })
      await halfSent(scene, server, 3000, whole.subarray(0, whole.length - 1), false)
    },
  },
  {
    name: "14,000 sessions with a will of 64 KB each",
    when: "last",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const will = { topic: "w", payload: Buffer.alloc(65_000, "x"), properties: [Buffer.from([0x18, 0, 9, 0, 0])] }
      let refused = 0
      await each(Array.from({ length: 14_000 }).keys(), 16, async (i) => {
        // Whoever takes no more of them takes none of the rest.
        if (!server.program.alive || refused > 300) return
        const request = { clientId: `w${i}`, will, properties: lasting }
        const client = await scene.client(server, "tcp", request).catch(() => undefined)
        refused = client === undefined ? refused + 1 : 0
        client?.wire.destroy()
      })
    },
  },
]
