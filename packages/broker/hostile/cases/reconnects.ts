// Everybody comes again at once, and everybody has something that waits.

import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { each, pause } from "../wire/client.ts"
import { connect, disconnect, publish } from "../wire/mqtt.ts"
import { openWire, type Wire } from "../wire/wire.ts"
import { knownNeighbour } from "./bursts.ts"
import { lasting, send } from "./memory.ts"

const sessions = 900
const messages = 900
const bytesEach = 10

const id = (i: number) => `full-${i}`
/** A few addresses, as one has three quarters of the queues at most. */
const from = (i: number) => (process.platform === "linux" ? { from: `127.0.6.${1 + (i % 7)}` } : {})

/** Absent sessions for each of which as much waits. */
async function fill(scene: Scene, server: Server): Promise<void> {
  await each(Array.from({ length: sessions }).keys(), 32, async (i) => {
    const request = { clientId: id(i), cleanStart: false, properties: lasting, wire: from(i) }
    const client = await scene.client(server, "tcp", request)
    await client.subscribe(["full"], 1)
    client.wire.send(disconnect(5))
    await client.wire.closed
  })
  const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
  const payload = Buffer.alloc(bytesEach, "x")
  await send(
    publisher,
    Array.from({ length: messages }, (_, i) => publish(5, "full", payload, { qos: 1, packetId: i + 1 })),
  )
  publisher.wire.destroy()
}

/** Connections that are open before the first of them says anything. */
async function open(scene: Scene, server: Server, reading: boolean): Promise<{ wire: Wire; bytes: number }[]> {
  const all: { wire: Wire; bytes: number }[] = []
  await each(Array.from({ length: sessions }).keys(), 64, async (i) => {
    const wire = await openWire("tcp", server.port(), { ...from(i), timeout: 60_000 })
    scene.atEnd(() => wire.destroy())
    const one = { wire, bytes: 0 }
    wire.onBytes = ({ length }) => {
      one.bytes += length
    }
    if (!reading) wire.pause()
    all[i] = one
  })
  return all
}

function comeAgain(wires: readonly { wire: Wire }[], cleanStart = false): void {
  for (const [i, { wire }] of wires.entries()) {
    wire.send(connect({ clientId: id(i), cleanStart, properties: lasting }))
  }
}

/** What each gets at least. */
const atLeast = messages * bytesEach

async function arrival(scene: Scene, wires: readonly { bytes: number }[]): Promise<void> {
  const late = () => wires.filter(({ bytes }) => bytes < atLeast).length
  // What counts is that all of it comes: a busy machine takes its time.
  const end = performance.now() + 90_000
  while (late() > 0 && performance.now() < end) await pause(50)
  scene.check(late() === 0, `${late()} of ${sessions} clients do not get what waited for them`)
}

export const reconnectCases: readonly Case[] = [
  {
    name: `${sessions} sessions for which ${messages} messages wait come again`,
    when: "first",
    seconds: 180,
    async run(scene) {
      const server = await scene.broker()
      await fill(scene, server)
      const wires = await open(scene, server, true)
      await knownNeighbour(scene, server)
      comeAgain(wires)
      await arrival(scene, wires)
    },
  },
  {
    name: `${sessions} such sessions are taken over, three times`,
    seconds: 210,
    async run(scene) {
      const server = await scene.broker()
      await fill(scene, server)
      const rounds = [
        await open(scene, server, false),
        await open(scene, server, true),
        await open(scene, server, true),
      ]
      const last = await open(scene, server, true)
      await knownNeighbour(scene, server)
      for (const wires of rounds) {
        comeAgain(wires)
        await pause(1000)
      }
      comeAgain(last)
      await arrival(scene, last)
    },
  },
  {
    name: `${sessions} such sessions begin anew`,
    seconds: 180,
    async run(scene) {
      const server = await scene.broker()
      await fill(scene, server)
      const wires = await open(scene, server, true)
      await knownNeighbour(scene, server)
      comeAgain(wires, true)
      const end = performance.now() + 30_000
      while (wires.some(({ bytes }) => bytes === 0) && performance.now() < end) await pause(50)
      scene.check(
        wires.every(({ bytes }) => bytes > 0),
        "not everybody has a CONNACK",
      )
    },
  },
]
