// Heap a connection: a server with 1,000 idle TLS clients, less the same server without them.

import type { Duplex } from "node:stream"
import { type Pems, type Stack, stackNames, stacks, startClient } from "./contestants.ts"
import { startPeer } from "./peers.ts"

const clients = 1000

export interface MemoryRow {
  readonly name: string
  /** KiB a connection in the engine's heap, and in buffers outside of it. */
  readonly heap: number
  readonly buffers: number
}

export async function compareMemory(pems: Pems): Promise<readonly MemoryRow[]> {
  const rows: MemoryRow[] = []
  for (const stack of stacks) rows.push(await heapOfIdle(stack, pems))
  console.log(memoryAsMarkdown(rows))
  return rows
}

export async function heapOfIdle(stack: Stack, pems: Pems): Promise<MemoryRow> {
  const peer = await startPeer({ kind: "sink", stack, pems })
  const sockets: Duplex[] = []
  try {
    // The first connection brings what is made once.
    sockets.push(await startClient("node:tls", pems, { port: peer.port }))
    const before = await peer.ask("memory")
    while (sockets.length <= clients) sockets.push(await startClient("node:tls", pems, { port: peer.port }))
    const after = await peer.ask("memory")
    const each = (key: "heap" | "buffers") => (after[key] - before[key]) / clients / 1024
    return { name: stackNames[stack], heap: each("heap"), buffers: each("buffers") }
  } finally {
    for (const socket of sockets) socket.destroy()
    peer.stop()
  }
}

export function memoryAsMarkdown(rows: readonly MemoryRow[]): string {
  const lines = rows.map(({ name, heap, buffers }) => `| ${name} | ${heap.toFixed(1)} | ${buffers.toFixed(1)} |`)
  const head = [
    `### Memory of a server for each of ${clients} idle TLS clients`,
    "",
    "| | heap, KiB | buffers, KiB |",
    "|---|---|---|",
  ]
  return [...head, ...lines, ""].join("\n")
}
