// Subscribers that do not read, and what the others notice of them.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, pause } from "../wire/client.ts"
import { publish, readPublish } from "../wire/mqtt.ts"

/** Subscribes and then reads nothing any more. */
async function freeze(scene: Scene, server: Server, count: number, topic: string): Promise<void> {
  for (let i = 0; i < count; i++) {
    const client = await scene.client(server, "tcp", { clientId: `frozen-${i}` })
    await client.subscribe([topic])
    client.wire.pause()
  }
}

/** Milliseconds that a publisher may wait for PINGRESP, whatever its subscribers do. */
const longestWait = 2500

function frozen(count: number): Case {
  return {
    name: `a publisher beside ${count} subscribers that do not read`,
    when: "first",
    seconds: 60 + 3 * count,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      await freeze(scene, server, count, "load/#")
      const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
      const payload = Buffer.alloc(65_000, "x")
      let longest = 0
      // 16 MB for each subscriber: more than it and the network between hold.
      for (let i = 0; i < 250; i++) {
        publisher.wire.send(publish(5, "load/x", payload))
        if (i % 10 !== 9) continue
        const asked = performance.now()
        const answered = await publisher.ping(40_000)
        longest = Math.max(longest, performance.now() - asked)
        if (!answered || longest > 20_000) break
      }
      scene.check(longest <= longestWait, `its PINGRESP came after ${(longest / 1000).toFixed(1)} s`)
    },
  }
}

const readers = 100
const still = 5
/** Milliseconds. */
const p99 = 2000

export const neighbourCases: readonly Case[] = [
  frozen(10),
  frozen(40),
  {
    name: `${readers} readers of which ${still} do not read`,
    when: "last",
    seconds: 120,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      await freeze(scene, server, still, "news")
      const latencies: number[] = []
      for (let i = 0; i < readers - still; i++) {
        const reader = await scene.client(server, "tcp", { clientId: `reader-${i}` })
        await reader.subscribe(["news"])
        reader.onPacket = (packet) => {
          if (packet.type !== 3 || readPublish(packet).topic !== "news") return
          // The topic, no properties, and the time.
          latencies.push(performance.now() - Buffer.from(packet.body).readDoubleBE(7))
        }
      }
      const publisher = await Client.connect("tcp", server.port(), { clientId: "publisher" })
      scene.atEnd(() => publisher.wire.destroy())
      const payload = Buffer.alloc(32_000)
      const count = 400
      for (let i = 0; i < count; i++) {
        payload.writeDoubleBE(performance.now())
        publisher.wire.send(publish(5, "news", Uint8Array.from(payload)))
        await pause(50)
      }
      const expected = count * (readers - still) * 0.9
      const end = performance.now() + 40_000
      while (latencies.length < expected && performance.now() < end) await pause(100)
      const sorted = latencies.sort((a, b) => a - b)
      const found = sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY
      scene.check(sorted.length >= expected, `only ${sorted.length} of ${count * (readers - still)} messages arrived`)
      scene.check(found <= p99, `p99 of the others is ${(found / 1000).toFixed(1)} s`)
    },
  },
]
