// What is begun and never ended: flows of QoS 2, wills that wait, aliases, frames, output that nobody takes.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import {
  acknowledge,
  connect,
  packetType,
  pingreq,
  property,
  publish,
  uint16,
  uint32,
  userProperty,
  type Will,
} from "../wire/mqtt.ts"
import { frame } from "../wire/websocket.ts"
import { openWire } from "../wire/wire.ts"
import { lasting, send } from "./memory.ts"

/** The neighbour is another owner, where the system has the addresses: within one, clients are treated alike. */
const elsewhere: { readonly from?: string } = process.platform === "linux" ? { from: "127.0.0.9" } : {}

const inflight = 1024

/**
 * Sessions that receive QoS 2 messages, answer PUBREC and go away: the broker keeps each Packet Identifier for PUBREL.
 * Ends early when the broker lets so many in a row have nothing any more.
 */
async function neverComplete(scene: Scene, server: Server, sessions: number): Promise<void> {
  const width = 50
  const received = Buffer.concat(Array.from({ length: inflight }, (_, i) => acknowledge(5, 5, i + 1)))
  const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
  for (let batch = 0, refused = 0; batch * width < sessions && refused < 3 && server.program.alive; batch++) {
    const topic = `b/${1000 + batch}`
    const size = publish(5, topic, "x", { qos: 2 }).length
    let complete = 0
    const clients = await Promise.all(
      Array.from({ length: width }, async (_, i) => {
        const clientId = `q${batch * width + i}`
        const client = await scene.client(server, "tcp", { clientId, cleanStart: false, properties: lasting })
        await client.subscribe([topic], 2)
        let bytes = 0
        client.wire.onBytes = (more) => {
          const before = bytes
          bytes += more.length
          if (before < inflight * size && bytes >= inflight * size) client.wire.send(received)
          // PUBREL is 4 bytes.
          if (bytes === inflight * (size + 4)) complete++
        }
        return client
      }),
    )
    const messages = Array.from({ length: inflight }, (_, i) => publish(5, topic, "x", { qos: 2, packetId: i + 1 }))
    if (!(await send(publisher, messages))) return
    const end = performance.now() + 3000
    for (let last = -1; complete < width && performance.now() < end; ) {
      const now = complete
      await pause(last === now ? 100 : 20)
      if (last === now && now === 0 && performance.now() > end - 2000) break
      last = now
    }
    refused = complete === 0 ? refused + 1 : 0
    for (const client of clients) client.wire.destroy()
  }
}

/** Sessions that send QoS 2 messages and no PUBREL. */
async function neverRelease(scene: Scene, server: Server, sessions: number, messages: number): Promise<void> {
  const all = Buffer.concat(
    Array.from({ length: messages }, (_, i) => publish(5, "t", "", { qos: 2, packetId: i + 1 })),
  )
  let refused = 0
  await each(Array.from({ length: sessions }).keys(), 8, async (i) => {
    if (!server.program.alive || refused > 20) return
    const client = await scene.client(server, "tcp", { clientId: `p${i}`, cleanStart: false, properties: lasting })
    client.acknowledges = false
    let taken = 0
    client.onPacket = ({ type, body }) => {
      if (type === packetType.pubrec && (body[2] ?? 0) < 0x80) taken++
    }
    client.wire.send(all)
    await client.ping(60_000)
    client.wire.destroy()
    refused = taken === 0 ? refused + 1 : 0
  })
}

/** Sessions with a will each that waits for days; ends early when the broker takes none any more. */
async function wills(scene: Scene, count: number, will: Will): Promise<void> {
  const server = await scene.broker()
  await scene.neighbour(server, elsewhere)
  const delay = Buffer.concat([Uint8Array.of(property.willDelay), uint32(500_000)])
  const whole = { ...will, properties: [Buffer.concat([delay, ...(will.properties ?? [])])] }
  let refused = 0
  await each(Array.from({ length: count }).keys(), 16, async (i) => {
    if (!server.program.alive || refused > 300) return
    const request = { clientId: `w${i}`, properties: lasting, will: whole }
    const client = await Client.connect("tcp", server.port(), request).catch(() => undefined)
    refused = client === undefined ? refused + 1 : 0
    client?.wire.destroy()
  })
}

function aliased(alias: number, topic: string): Uint8Array {
  return publish(5, topic, "", { properties: [Uint8Array.of(property.topicAlias, ...uint16(alias))] })
}

const aliases = 32

export const halfDoneCases: readonly Case[] = [
  {
    name: "6,500 sessions that complete none of 1,024 QoS 2 messages received",
    when: "first",
    seconds: 180,
    async run(scene) {
      scene.bound({ memory: 512 })
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      await neverComplete(scene, server, 6500)
    },
  },
  {
    name: "1,600 sessions that release none of 8,200 QoS 2 messages sent",
    when: "first",
    seconds: 180,
    async run(scene) {
      scene.bound({ memory: 512 })
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      await neverRelease(scene, server, 1600, 8200)
    },
  },
  {
    name: "8,000 wills of 127 KB, half of it a topic beyond Latin-1",
    when: "first",
    seconds: 120,
    run: (scene) =>
      wills(scene, 8000, {
        topic: Buffer.from("\u0436".repeat(32_400)),
        payload: Buffer.alloc(60_000, "x"),
      }),
  },
  {
    name: "8,000 wills of 127 KB, half of it User Properties",
    when: "last",
    seconds: 120,
    run: (scene) =>
      wills(scene, 8000, {
        topic: "w",
        payload: Buffer.alloc(62_000, "x"),
        // As many as fit, as each of them may cost more than its bytes.
        properties: Array.from({ length: 7500 }, () => userProperty("n", "\u0436")),
      }),
  },
  {
    name: "1,500 sessions with all their Topic Aliases, and 100 with longer ones",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      let kept = 0
      await each(Array.from({ length: 1600 }).keys(), 64, async (i) => {
        if (!server.program.alive) return
        const client = await scene.client(server, "tcp", { clientId: `a${i}` })
        const letters = i < 1500 ? 250 : 32_000
        for (let alias = 1; alias <= aliases && !client.wire.isClosed; alias++) {
          client.wire.send(aliased(alias, `${String(i * 100 + alias).padStart(12, "0")}${"\u0436".repeat(letters)}`))
          if (letters > 250) await client.flushed()
        }
        const stays = await client.ping(60_000)
        if (i < 1500) scene.check(stays, "a client within the limit is ended")
        else if (stays) kept++
      })
      scene.check(kept === 0, `${kept} clients have aliases for 2 MB of Topic Names each`)
    },
  },
  {
    name: "600 half-sent WebSocket frames of 1 MB",
    when: "first",
    seconds: 120,
    async run(scene) {
      scene.bound({ memory: 512 })
      const server = await scene.broker({ listeners: ["tcp", "ws"] })
      await scene.neighbour(server, elsewhere)
      const half = frame({ payload: Buffer.alloc(999_000, 1), length: 1_000_000 })
      await each(Array.from({ length: 600 }).keys(), 16, async (i) => {
        const wire = await openWire("ws", server.port("ws")).catch(() => undefined)
        if (wire === undefined) return
        scene.atEnd(() => wire.destroy())
        wire.send(connect({ clientId: `half-${i}` }))
        wire.stream.write(half)
        const end = performance.now() + 5000
        while (wire.unsent > 0 && !wire.isClosed && performance.now() < end) await pause(2)
      })
      await pause(500)
    },
  },
  {
    name: "400 subscribers that do not read, and 6 MB for each",
    seconds: 120,
    async run(scene) {
      // 2 MB for each would be 800 MB.
      scene.bound({ memory: 640 })
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      await each(Array.from({ length: 400 }).keys(), 32, async (i) => {
        const client = await scene.client(server, "tcp", { clientId: `frozen-${i}` })
        await client.subscribe(["load"])
        client.wire.pause()
      })
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      // Short ones: what is written for one client is a copy of its own.
      const message = publish(5, "load", Buffer.alloc(1500, "x"))
      await send(publisher, Array<Uint8Array>(4000).fill(message))
    },
  },
  {
    name: "300 clients that send PINGREQ for 4 s and do not read",
    when: "first",
    seconds: 60,
    async run(scene) {
      scene.bound({ memory: 640, holdUp: 2000 })
      const server = await scene.broker()
      await scene.neighbour(server, elsewhere)
      const pings = Buffer.concat(Array<Uint8Array>(32_768).fill(pingreq()))
      const clients: Client[] = []
      await each(Array.from({ length: 300 }).keys(), 32, async (i) => {
        clients.push(await scene.client(server, "tcp", { clientId: `p${i}` }))
      })
      const end = performance.now() + 4000
      await each(clients, 300, async ({ wire }) => {
        wire.pause()
        while (performance.now() < end && !wire.isClosed) {
          if (wire.unsent < pings.length) wire.send(pings)
          await pause(20)
        }
      })
    },
  },
]
