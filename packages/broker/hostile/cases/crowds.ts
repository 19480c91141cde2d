// Many at once, from one address: a NAT, a proxy, or everybody coming back after a power cut.

import { connect, type Socket } from "node:net"
import type { Case } from "../case.ts"
import type { Scene, Server } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { openStream, type Transport } from "../wire/wire.ts"

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
  const sockets = Array.from({ length: count }, () => connect({ host: "127.0.0.1", port, noDelay: true }))
  for (const socket of sockets) socket.on("error", () => undefined)
  await Promise.all(
    sockets.map((socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))),
  )
  return sockets
}

export const crowdCases: readonly Case[] = [
  ...(["tls", "wss"] as const).map((transport) => ({
    name: `500 clients at once from one address, ${transport}`,
    ci: transport === "tls",
    seconds: 150,
    async run(scene: Scene) {
      const server = await scene.broker({ listeners: ["tcp", transport] })
      await scene.neighbour(server)
      await crowd(scene, server, transport, 500)
    },
  })),
  {
    name: "2,000 clients at once from one address, tcp",
    ci: true,
    seconds: 90,
    async run(scene) {
      const server = await scene.broker()
      await scene.neighbour(server)
      await crowd(scene, server, "tcp", 2000)
    },
  },
  {
    name: "a client that tries again beside 200 silent connections, tls",
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
]
