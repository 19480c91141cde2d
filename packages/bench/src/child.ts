// A server in a process of its own, told by messages what to be and asked what it needs: see peers.ts.

import { createHash } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo, Server as NetServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import nodeTls from "node:tls"
import { type BrokerConfig, createBroker, letSmallHeapGrow, type PureMqBroker } from "@puremq/broker"
import { Aedes } from "aedes"
import { type Pems, type ServerChoice, type Stack, startServer } from "./contestants.ts"
import { fill } from "./filler.ts"
import { HoldUps } from "./hold-ups.ts"
import { createLoad } from "./load.ts"
import type { Memory, Questions, StoreKind, Task } from "./peers.ts"

const task: Task = JSON.parse(process.env["PUREMQ_BENCH_TASK"] ?? "null")
if (task === null) throw new Error("this program is started by main.js")
const { port, broker, watched = { metrics: 0, admin: 0 } } = await start(task)
const answers = answersOf(broker)
process.on("message", async (question: keyof Questions) => {
  process.send!(await answers[question]())
})
process.on("disconnect", () => process.exit())
process.send!({ port, started: { elapsed: performance.now(), busy: busy() } })

interface Running {
  readonly port: number
  readonly broker?: PureMqBroker
  readonly watched?: Questions["watched"]
}

async function start(task: Task): Promise<Running> {
  switch (task.kind) {
    case "sink":
      return { port: await sink(task.stack, task) }
    case "aedes":
      return { port: await aedes(task.pems) }
    case "puremq":
      return puremq(task)
    case "load":
      return { port: 0 }
    case "filler":
      await fill(task.directory, task.amounts)
      return { port: 0 }
  }
}

async function sink(stack: Stack, choice: ServerChoice): Promise<number> {
  const server = startServer(stack, choice, (socket) => {
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

async function aedes({ cert, key }: Pems): Promise<number> {
  const server = await Aedes.createBroker()
  return listen(nodeTls.createServer({ cert, key, noDelay: true }, (socket: Duplex) => server.handle(socket)))
}

async function puremq({
  store,
  pems,
  directory,
  workers = 0,
  provider,
  watchedBy,
  cluster,
}: Extract<Task, { kind: "puremq" }>): Promise<Running> {
  const listener =
    pems === undefined
      ? { type: "tcp" as const }
      : { type: "tls" as const, cert: pems.cert, key: pems.key, workers, provider }
  // As `puremq start` does.
  letSmallHeapGrow()
  const broker = createBroker({
    listeners: [{ ...listener, port: 0 }],
    sysInterval: 0,
    ...(watchedBy !== undefined && {
      metrics: { port: 0 },
      admin: { port: 0, tokens: `bench:read:${createHash("sha256").update(watchedBy).digest("hex")}` },
    }),
    ...(cluster === undefined
      ? { store: keptIn(store, directory) }
      : { cluster: { nats: [cluster.nats], node: cluster.node } }),
    // One address has them all here.
    limits: { maximumSessionsPerOwner: 200_000, maximumSessions: 200_000 },
  })
  const addresses = await broker.listen()
  const portOf = (type: string) => addresses.find((each) => each.type === type)?.port ?? 0
  return { port: addresses[0]!.port, broker, watched: { metrics: portOf("metrics"), admin: portOf("admin") } }
}

function keptIn(store: StoreKind, directory: string | undefined): BrokerConfig["store"] {
  if (store === "memory") return { type: "memory" }
  if (directory !== undefined) return { directory, durability: store }
  const made = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  process.on("exit", () => rmSync(made, { recursive: true }))
  return { directory: made, durability: store }
}

async function listen(server: NetServer): Promise<number> {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

type Answers = { readonly [Question in keyof Questions]: () => Questions[Question] | Promise<Questions[Question]> }

function answersOf(broker: PureMqBroker | undefined): Answers {
  let holdUps: HoldUps | undefined
  const load = task.kind === "load" ? createLoad(task.load) : undefined
  return {
    busy,
    load: () => load!(),
    memory,
    async watch() {
      holdUps ??= await HoldUps.start()
      holdUps.begin()
      return null
    },
    longest() {
      holdUps?.end()
      return holdUps?.longest ?? 0
    },
    watched: () => watched,
    counts() {
      const { sessions, retainedMessages: retained, storedMessages } = broker!.stats()
      return { sessions, retained, queued: storedMessages - retained }
    },
  }
}

function busy(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function memory(): Memory {
  for (let i = 0; i < 3; i++) globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heap: heapUsed, buffers: external, rss }
}
