// Many at once, from one address: a NAT, a proxy, or everybody coming back after a power cut.

import { connect as connectTcp, type Socket } from "node:net"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { connect, packetType, publish } from "../wire/mqtt.ts"
import { openStream, openWire, type Transport } from "../wire/wire.ts"

/** Milliseconds that a client waits to get in. */
const patience = 90_000

async function crowd(scene: Scene, server: Server, transport: Transport, count: number): Promise<void> {
  scene.bound({ holdUp: 2000 })
  const reasons = new Map<string, number>()
  // All of them are there before the first begins to speak.
  const sockets = transport === "tcp" ? [] : await openAll(server.port(transport), count)
  await Promise.all(
    Array.from({ length: count }, async (_, i) => {
      try {
        const over = sockets[i]
        const request = { clientId: `crowd-${i}`, patience, wire: { timeout: patience, ...(over && { over }) } }
        await scene.client(server, transport, request)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        reasons.set(why, (reasons.get(why) ?? 0) + 1)
      }
    }),
  )
  const out = [...reasons.values()].reduce((sum, one) => sum + one, 0)
  const [most = ""] = [...reasons].sort(([, a], [, b]) => b - a).map(([why]) => why)
  scene.check(out === 0, `${out} of ${count} do not get in: ${most}`)
}

async function openAll(port: number, count: number): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => connectTcp({ host: "127.0.0.1", port, noDelay: true }))
  for (const socket of sockets) socket.on("error", () => undefined)
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
  )
  return sockets
}

export const crowdCases: readonly Case[] = [
  ...(["tls", "wss"] as const).map((transport) => ({
    name: `500 clients at once from one address, ${transport}`,
    ...(transport === "tls" && { when: "first" as const }),
    seconds: 150,
    async run(scene: Scene) {
      const server = await scene.broker({ listeners: ["tcp", transport] })
      await scene.neighbour(server)
      await crowd(scene, server, transport, 500)
    },
  })),
  {
    name: "2,000 clients at once from one address, tcp",
    seconds: 90,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      await crowd(scene, server, "tcp", 2000)
    },
  },
  {
    name: "a client that tries again beside 200 silent connections, tls",
    when: "last",
    async run(scene) {
      const server = await scene.broker({ listeners: ["tcp", "tls"] })
      await scene.neighbour(server)
      await each(Array.from({ length: 200 }).keys(), 50, async () => {
        const stream = await openStream("tcp", server.port("tls")).catch(() => undefined)
        if (stream === undefined) return
        stream.on("error", () => undefined)
        scene.atEnd(() => stream.destroy())
      })
      const end = performance.now() + 25_000
      let client: Client | undefined
      while (client === undefined && performance.now() < end) {
        client = await Client.connect("tls", server.port("tls"), { clientId: "patient" }).catch(() => undefined)
        if (client === undefined) await pause(500)
      }
      scene.check(client !== undefined, "it does not get in within 25 s")
      client?.wire.destroy()
    },
  },
  {
    name: "an upload of 150 KB a second beside 320 half CONNECTs of 120 KB",
    when: "first",
    seconds: 90,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      const uploader = await scene.client(server, "tcp", { clientId: "uploader" })
      const upload = publish(5, "t", Buffer.alloc(600_000, "x"), { qos: 1, packetId: 9 })
      const acknowledged = uploader.next(({ type }) => type === packetType.puback, 30_000)
      const will = { topic: "w", payload: Buffer.alloc(60_000, "x") }
      const whole = connect({ clientId: "c", will, username: "u", password: Buffer.alloc(60_000, "x") })
      let flooding = true
      scene.atEnd(() => {
        flooding = false
      })
      const flood = each(Array.from({ length: 320 }).keys(), 320, async () => {
        while (flooding) {
          const wire = await openWire("tcp", server.port()).catch(() => undefined)
          wire?.send(whole.subarray(0, whole.length - 1))
          // It comes again when it is ended.
          while (flooding && wire?.isClosed === false) await pause(50)
          wire?.destroy()
          await pause(50)
        }
      })
      for (let at = 0; at < upload.length && !uploader.wire.isClosed; at += 15_000) {
        uploader.wire.send(upload.subarray(at, at + 15_000))
        await pause(100)
      }
      const answer = await acknowledged
      flooding = false
      await flood
      scene.check(answer !== undefined, "the upload is not acknowledged")
    },
  },
]
