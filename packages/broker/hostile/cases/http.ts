// HTTP in front of WebSocket and of the metrics, and connections of which one half has ended.

import type { Case } from "../case.ts"
import type { Scene } from "../scene.ts"
import { Client, each, pause } from "../wire/client.ts"
import { publish, readPublish } from "../wire/mqtt.ts"
import { frame } from "../wire/websocket.ts"
import { openStream, openWire } from "../wire/wire.ts"

/** As many requests as a read of a socket holds, of each connection at the same moment. */
async function pipelines(
  scene: Scene,
  listener: "ws" | "metrics",
  connections: number,
  request: string,
): Promise<void> {
  const server = await scene.broker({ listeners: ["tcp", listener] })
  await scene.neighbour(server)
  const bytes = Buffer.from(request.repeat(Math.floor(65_000 / request.length)))
  const port = server.port(listener)
  const streams = await Promise.all(Array.from({ length: connections }, () => openStream("tcp", port)))
  for (const stream of streams) {
    stream.on("error", () => undefined)
    scene.atEnd(() => stream.destroy())
    stream.write(bytes)
  }
  await pause(3000)
}

const request = (path: string, more = "") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`

/** Clients with a will and 5 MB that they do not read begin to close, and stay. */
async function halfClosed(scene: Scene, how: "end" | "close frame"): Promise<void> {
  const server = await scene.broker({ listeners: ["tcp", "ws"] })
  await scene.neighbour(server)
  const count = 20
  const wills = new Map<string, number>()
  const heir = await scene.client(server, "tcp", { clientId: "heir" })
  heir.onPacket = (packet) => {
    if (packet.type !== 3) return
    const { topic } = readPublish(packet)
    wills.set(topic, (wills.get(topic) ?? 0) + 1)
  }
  await heir.subscribe(["will/#"])
  const leaving = Array.from({ length: count }, async (_, i) => {
    const client = new Client(await openWire("ws", server.port("ws")))
    scene.atEnd(() => client.wire.destroy())
    await client.login({ clientId: `half-${i}`, will: { topic: `will/${i}`, payload: "x" } })
    await client.subscribe(["load"])
    client.wire.pause()
    return client.wire
  })
  const wires = await Promise.all(leaving)
  const publisher = await scene.client(server, "tcp", { clientId: "publisher" })
  for (let i = 0; i < 50; i++) publisher.wire.send(publish(5, "load", Buffer.alloc(100_000, "x")))
  await publisher.ping()
  for (const { stream } of wires) {
    if (how === "end") stream.end()
    else stream.write(frame({ opcode: 8, payload: Uint8Array.of(3, 232) }))
  }
  const end = performance.now() + 10_000
  while (wills.size < count && performance.now() < end) await pause(50)
  await pause(500)
  scene.check(wills.size === count, `${count - wills.size} of ${count} wills did not come`)
  scene.check(
    [...wills.values()].every((times) => times === 1),
    "a will came twice",
  )
}

export const httpCases: readonly Case[] = [
  {
    name: "280,000 refused requests in 200 reads, ws",
    run: (scene) => pipelines(scene, "ws", 200, request("/", "Expect: nothing\r\n")),
  },
  {
    name: "600,000 requests in 400 reads, metrics",
    run: (scene) => pipelines(scene, "metrics", 400, request("/metrics")),
  },
  {
    name: "WebSocket clients that read nothing and end their half",
    beside: true,
    run: (scene) => halfClosed(scene, "end"),
  },
  {
    name: "WebSocket clients that read nothing and send a Close frame",
    beside: true,
    run: (scene) => halfClosed(scene, "close frame"),
  },
  {
    name: "an input without end and a client that reads nothing, tls13 serve",
    beside: true,
    async run(scene) {
      scene.bound({ memory: 256 })
      const { program, port } = await scene.tlsServer()
      const stream = await openStream("tls", port())
      scene.atEnd(() => stream.destroy())
      stream.on("error", () => undefined).pause()
      const { stdin } = program.child
      const bytes = Buffer.alloc(65_536, "x")
      const go = () => {
        while (stdin?.writable && stdin.write(bytes)) {}
      }
      stdin?.on("drain", go)
      go()
      await pause(4000)
      stdin?.off("drain", go)
    },
  },
  {
    name: "600 clients that send 100 KB and leave, tls13 serve whose output nobody reads",
    async run(scene) {
      scene.bound({ memory: 384 })
      const { program, port } = await scene.tlsServer(["--max-connections", "100"])
      program.child.stdout?.pause()
      await each(Array.from({ length: 600 }).keys(), 8, async () => {
        const stream = await openStream("tls", port()).catch(() => undefined)
        stream?.on("error", () => undefined)
        stream?.write(Buffer.alloc(100_000, "x"))
        await pause(20)
        stream?.destroy()
      })
      program.child.stdout?.resume()
    },
  },
]
