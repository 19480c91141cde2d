// The heap of a small device. What the broker's limits are shares of is small then, and so must be all that it works with beside.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { disconnect, packetType, property, publish, uint16 } from "../wire/mqtt.ts"
import { openWire } from "../wire/wire.ts"
import { lasting } from "./memory.ts"

const sessions = 3000
/** Messages of a publisher that are not answered yet. */
const window = 50
/** Retained messages that are refused before it counts as full; and milliseconds from the beginning until it must be. */
const refusals = 2000
const longest = 90_000
/** Milliseconds that the load goes on at the least: folds of the store are made meanwhile. */
const shortest = 20_000

/** Each has two subscriptions: one of its own, and one that all have. */
async function enter(scene: Scene, server: Server): Promise<void> {
  await each(Array.from({ length: sessions }).keys(), 50, async (i) => {
    const client = await scene.client(server, "tcp", { clientId: `s${i}`, properties: lasting }).catch(() => undefined)
    await client?.subscribe(["o/#", `own/${i}`], 1)
    client?.wire.send(disconnect(5))
    await client?.wire.closed
  })
}

/** To one topic that all have, retained on ever new topics, or to one session each. */
function message(kind: number, packetId: number, n: number): Uint8Array {
  const own = { qos: 1, packetId } as const
  if (kind === 0) return publish(5, "o/x", Buffer.alloc(10_000, "x"), own)
  if (kind === 2) return publish(5, `own/${n % sessions}`, Buffer.alloc(2000, "x"), own)
  return publish(5, `r/${packetId}/${n}/${"t".repeat(100)}`, Buffer.alloc(300, "x"), { ...own, retain: true })
}

class Publisher {
  /** How often each Reason Code was the answer. */
  readonly codes = new Map<number, number>()
  readonly client: Client
  readonly #kind: number

  constructor(client: Client, kind: number) {
    this.client = client
    this.#kind = kind
  }

  get refused(): number {
    return this.codes.get(0x97) ?? 0
  }

  async run(goesOn: () => boolean): Promise<void> {
    const { client, codes } = this
    let due = 0
    let answered = () => {}
    client.onPacket = ({ type, body }) => {
      if (type !== packetType.puback) return
      const code = body[2] ?? 0
      codes.set(code, (codes.get(code) ?? 0) + 1)
      due--
      answered()
    }
    for (let n = 0; goesOn() && !client.wire.isClosed; n++) {
      due++
      client.wire.send(message(this.#kind, client.packetId(), n))
      if (due >= window) await Promise.race([new Promise<void>((resolve) => (answered = resolve)), client.wire.closed])
    }
  }
}

/** Sessions that come, are owed all retained messages, take some and go. */
async function walking(server: Server, goesOn: () => boolean): Promise<void> {
  const quota = Buffer.concat([Uint8Array.of(property.receiveMaximum), uint16(10)])
  for (let i = 0; goesOn() && server.program.alive; i++) {
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
    when: heap === 48 ? "first" : "last",
    async run(scene) {
      scene.bound({ holdUp: 2500, memory: heap + 120 })
      const server = await scene.broker({ heap })
      const neighbour = await scene.neighbour(server, { asks: "ping" })
      const publishers = await Promise.all(
        Array.from(
          { length: 6 },
          async (_, i) => new Publisher(await scene.client(server, "tcp", { clientId: `p${i}` }), i % 3),
        ),
      )
      await enter(scene, server)
      const began = performance.now()
      const isFull = () => (publishers[1]?.refused ?? 0) > refusals
      const goesOn = () => {
        const passed = performance.now() - began
        return server.program.alive && passed < longest && (passed < shortest || !isFull())
      }
      await Promise.all([walking(server, goesOn), ...publishers.map((publisher) => publisher.run(goesOn))])
      scene.check(isFull(), "it does not get full")
      for (const [i, { client, codes, refused }] of publishers.entries()) {
        const others = [...codes.keys()].filter((code) => code !== 0 && code !== 0x10 && code !== 0x97)
        scene.check(others.length === 0, `publisher ${i} is answered ${others.join(", ")}`)
        scene.check(refused > 0, `publisher ${i} is never refused for want of room`)
        scene.check(!client.wire.isClosed, `the connection of publisher ${i} ended`)
      }
      await neighbour.stop()
      await scene.killed(server)
    },
  }
}

export const smallHeapCases: readonly Case[] = [load(96), load(48)]
