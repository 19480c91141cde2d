// The heap of a small device. What the broker's limits are shares of is small then, and so must be all that it works with beside.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { disconnect, packetType, property, publish, uint16 } from "../wire/mqtt.ts"
import { openWire } from "../wire/wire.ts"
import { lasting } from "./memory.ts"

const sessions = 3000
/** Milliseconds of publishing: some folds of the store are made meanwhile, beside full accounts. */
const loadTime = 25_000

/** Each has two subscriptions: one of its own, and one that all have. */
async function enter(scene: Scene, server: Server): Promise<void> {
  await each(Array.from({ length: sessions }).keys(), 50, async (i) => {
    const client = await scene.client(server, "tcp", { clientId: `s${i}`, properties: lasting }).catch(() => undefined)
    await client?.subscribe(["o/#", `own/${i}`], 1)
    client?.wire.send(disconnect(5))
    await client?.wire.closed
  })
}

/** Publishes one message after the other. @returns how often each Reason Code was the answer */
async function publishing(publisher: Client, kind: number, until: number): Promise<ReadonlyMap<number, number>> {
  const codes = new Map<number, number>()
  for (let n = 0; performance.now() < until && !publisher.wire.isClosed; n++) {
    const packetId = publisher.packetId()
    const [topic, size] =
      kind === 0
        ? ["o/x", 10_000]
        : kind === 1
          ? [`r/${packetId}-${n}/${"t".repeat(100)}`, 300]
          : [`own/${n % sessions}`, 2000]
    const answer = publisher.next(({ type }) => type === packetType.puback)
    publisher.wire.send(publish(5, topic, Buffer.alloc(size, "x"), { qos: 1, packetId, retain: kind === 1 }))
    const body = (await answer)?.body
    if (body === undefined) break
    codes.set(body[2] ?? 0, (codes.get(body[2] ?? 0) ?? 0) + 1)
  }
  return codes
}

/** Sessions that come, are owed all retained messages, take some and go. */
async function walking(server: Server, until: number): Promise<void> {
  const quota = Buffer.concat([Uint8Array.of(property.receiveMaximum), uint16(10)])
  for (let i = 0; performance.now() < until && server.program.alive; i++) {
    const wire = await openWire("tcp", server.port()).catch(() => undefined)
    if (wire === undefined) continue
    const client = new Client(wire)
    client.acknowledges = i % 2 === 0
    const properties = [...lasting, quota]
    const code = await client.login({ clientId: `w${i % 20}`, cleanStart: false, properties }, 5000)
    if (code === 0) await client.subscribe(["#"], 1, 150)
    if (i % 3 !== 0) wire.pause()
    await pause(100)
    wire.destroy()
  }
}

function load(heap: number): Case {
  return {
    name: `a heap of ${heap} MiB: 3,000 absent sessions, retained messages, and walks over them, until all is full`,
    seconds: 180,
    when: heap === 96 ? "first" : "last",
    async run(scene) {
      scene.bound({ holdUp: 2500, memory: heap + 120 })
      const server = await scene.broker({ heap })
      const neighbour = await scene.neighbour(server, { asks: "ping" })
      const publishers = await Promise.all(
        Array.from({ length: 6 }, (_, i) => scene.client(server, "tcp", { clientId: `p${i}` })),
      )
      await enter(scene, server)
      const until = performance.now() + loadTime
      const walks = walking(server, until)
      const answers = await Promise.all(publishers.map((one, i) => publishing(one, i % 3, until)))
      await walks
      scene.check(!publishers.some(({ wire }) => wire.isClosed), "a publisher's connection ended")
      for (const [kind, codes] of answers.entries()) {
        const all = [...codes.keys()]
        const others = all.filter((code) => code !== 0 && code !== 0x10 && code !== 0x97)
        scene.check(others.length === 0, `publisher ${kind} is answered ${others.join(", ")}`)
        scene.check(all.length > 0, `publisher ${kind} gets no answer`)
      }
      scene.check(answers[0]?.has(0x97) === true, "what has no room is not refused with 0x97")
      await neighbour.stop()
      await scene.killed(server)
    },
  }
}

export const smallHeapCases: readonly Case[] = [load(96), load(48)]
