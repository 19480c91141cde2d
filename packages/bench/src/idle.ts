// What a client costs that is connected over TLS and does nothing: each broker with 5,000 of them, less the same one without.

import type { Socket } from "node:net"
import type { Pems } from "./contestants.ts"
import { startMosquitto } from "./mosquitto.ts"
import { connectMqtt } from "./mqtt.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { type AbsentSubject, type TextTable, tableMarkdown } from "./tables.ts"

const clients = 5000
/** Connecting at the same time; a broker of ours lets 64 of one address shake hands. */
const atOnce = 32
/** Milliseconds after the last one. */
const settling = 2000

export interface IdleRow {
  readonly name: string
  /** KiB a client; undefined where nobody says. */
  readonly heap: number | undefined
  readonly buffers: number | undefined
  readonly rss: number | undefined
}

export interface IdleMemory {
  readonly rows: readonly IdleRow[]
  readonly absent: readonly AbsentSubject[]
}

const notInstalled = "it is not installed, or does not start"

interface Measured {
  readonly heap?: number
  readonly buffers?: number
  readonly rss?: number | undefined
}

interface Measurable {
  readonly port: number
  memory(): Promise<Measured>
  stop(): void
}

export async function compareIdle(pems: Pems): Promise<IdleMemory> {
  const [rows, absent]: [IdleRow[], AbsentSubject[]] = [[], []]
  const brokers: readonly [string, () => Promise<Measurable | undefined>][] = [
    ["PureMQ", () => node({ kind: "puremq", store: "memory", pems })],
    ["aedes on node:tls", () => node({ kind: "aedes", pems })],
    ["Mosquitto", () => mosquitto(pems)],
  ]
  for (const [name, start] of brokers) {
    const broker = await start()
    if (broker === undefined) {
      progress(`skipped ${name}: ${notInstalled}`)
      absent.push({ name, why: notInstalled })
      continue
    }
    progress(`idle: ${clients} clients of ${name}`)
    rows.push({ name, ...(await measure(broker, pems)) })
    broker.stop()
  }
  console.log(tableMarkdown(idleTable({ rows, absent })))
  return { rows, absent }
}

async function node(task: Parameters<typeof startPeer>[0]): Promise<Measurable> {
  const { port, ask, stop } = await startPeer(task)
  return { port, memory: () => ask("memory"), stop }
}

async function mosquitto(pems: Pems): Promise<Measurable | undefined> {
  const started = await startMosquitto(pems)
  return started && { ...started, memory: async () => ({ rss: started.rss() }) }
}

async function measure({ port, memory }: Measurable, pems: Pems): Promise<Omit<IdleRow, "name">> {
  const connect = (i: number) => connectMqtt({ port, pems }, { clientId: `idle-${i}`, keepAlive: 3600 })
  // The first ones bring what is made once.
  const sockets: Socket[] = []
  const grow = async (count: number) => {
    while (sockets.length < count) {
      const from = sockets.length
      const some = Array.from({ length: Math.min(atOnce, count - from) }, (_, i) => connect(from + i))
      sockets.push(...(await Promise.all(some)))
    }
  }
  await grow(atOnce)
  const before = await settled(memory)
  await grow(atOnce + clients)
  const after = await settled(memory)
  for (const socket of sockets) socket.destroy()
  const each = (key: keyof Measured): number | undefined => {
    const [with_, without] = [after[key], before[key]]
    return with_ === undefined || without === undefined ? undefined : (with_ - without) / clients / 1024
  }
  return { heap: each("heap"), buffers: each("buffers"), rss: each("rss") }
}

async function settled(memory: () => Promise<Measured>): Promise<Measured> {
  await new Promise((resolve) => setTimeout(resolve, settling))
  return memory()
}

export function idleTable({ rows, absent }: IdleMemory): TextTable {
  const kib = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(1))
  return {
    title: `Memory of a broker for each of ${clients} idle MQTT clients over TLS`,
    head: ["", "heap, KiB", "buffers, KiB", "RSS, KiB"],
    cells: rows.map(({ name, heap, buffers, rss }) => [name, kib(heap), kib(buffers), kib(rss)]),
    absent,
    bars: {
      axis: "KiB of RSS",
      values: rows.flatMap(({ name, rss }) => (rss === undefined ? [] : { name, value: rss })),
    },
  }
}
