// A server in a process of its own, told by messages what to be: so that client and server have a core each, and the
// memory that is measured is the server's alone.

import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo, Server as NetServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import nodeTls from "node:tls"
import { type BrokerConfig, createBroker } from "@puremq/broker"
import { Aedes } from "aedes"
import { type Pems, type Stack, startServer } from "./contestants.ts"

export type Task =
  /** Answers each megabyte with one byte, and each connection's first bytes after its end. */
  | { readonly kind: "sink"; readonly stack: Stack; readonly pems: Pems }
  | { readonly kind: "broker"; readonly which: "puremq" | "aedes"; readonly pems: Pems }
  /** PureMQ, with what it keeps in memory, or in files that outlive the process, or the power. */
  | { readonly kind: "store"; readonly durability: "memory" | "process" | "power"; readonly pems: Pems }

const task: Task = JSON.parse(process.env["PUREMQ_BENCH_TASK"] ?? "null")
if (task === null) throw new Error("this program is started by main.js")
const port = await start(task)
process.send!({ port })
process.on("message", (message) => {
  if (message === "memory") process.send!(memory())
})
process.on("disconnect", () => process.exit())

function start(task: Task): Promise<number> {
  if (task.kind === "sink") return sink(task.stack, task.pems)
  return task.kind === "broker" ? broker(task.which, task.pems) : keeping(task.durability, task.pems)
}

async function sink(stack: Stack, pems: Pems): Promise<number> {
  const server = startServer(stack, pems, (socket) => {
    let received = 0
    socket.on("data", (data: Uint8Array) => {
      const before = Math.floor(received / 2 ** 20)
      received += data.length
      const acknowledged = Math.floor(received / 2 ** 20) - before
      if (acknowledged > 0) socket.write(Buffer.alloc(acknowledged))
    })
    socket.on("error", () => socket.destroy())
  })
  return listen(server)
}

async function broker(which: "puremq" | "aedes", pems: Pems): Promise<number> {
  const { cert, key } = pems
  if (which === "aedes") {
    const aedes = await Aedes.createBroker()
    return listen(nodeTls.createServer({ cert, key }, (socket: Duplex) => aedes.handle(socket)))
  }
  return puremq(pems, { type: "memory" })
}

async function keeping(durability: "memory" | "process" | "power", pems: Pems): Promise<number> {
  if (durability === "memory") return puremq(pems, { type: "memory" })
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  process.on("exit", () => rmSync(directory, { recursive: true }))
  return puremq(pems, { directory, durability })
}

async function puremq({ cert, key }: Pems, store: BrokerConfig["store"]): Promise<number> {
  const broker = createBroker({ listeners: [{ type: "tls", port: 0, cert, key }], sysInterval: 0, store })
  const [address] = await broker.listen()
  return address!.port
}

async function listen(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

/** Bytes after a collection: what the engine's heap holds, and what buffers hold outside of it. */
function memory(): { heap: number; buffers: number } {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return { heap: heapUsed, buffers: external }
}
