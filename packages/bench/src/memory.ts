// Heap a connection: a server with 1,000 idle TLS clients, less the same server without them.

import type { Duplex } from "node:stream"
import { type Pems, type Stack, stackNames, stacks, startClient } from "./contestants.ts"
import { type Memory, startPeer } from "./peers.ts"
import { type TextTable, tableMarkdown } from "./tables.ts"

const clients = 1000
const first = 200
/** Milliseconds after the last handshake. */
const settling = 500

export interface MemoryRow {
  readonly name: string
  /** KiB a connection in the engine's heap, and in buffers outside of it. */
  readonly heap: number
  readonly buffers: number
}

export async function compareMemory(pems: Pems): Promise<readonly MemoryRow[]> {
  const rows: MemoryRow[] = []
  for (const stack of stacks) rows.push(await heapOfIdle(stack, pems))
  console.log(tableMarkdown(memoryTable(rows)))
  return rows
}

export async function heapOfIdle(stack: Stack, pems: Pems): Promise<MemoryRow> {
  const peer = await startPeer({ kind: "sink", stack, pems })
  const sockets: Duplex[] = []
  try {
    const grow = async (count: number): Promise<Memory> => {
      while (sockets.length < count) sockets.push(await startClient("node:tls", pems, { port: peer.port }))
      await new Promise((resolve) => setTimeout(resolve, settling))
      return peer.ask("memory")
    }
    // The first ones bring what is made once, and what the engine keeps of functions that it has run often.
    const before = await grow(first)
    const after = await grow(first + clients)
    const each = (key: "heap" | "buffers") => (after[key] - before[key]) / clients / 1024
    return { name: stackNames[stack], heap: each("heap"), buffers: each("buffers") }
  } finally {
    for (const socket of sockets) socket.destroy()
    peer.stop()
  }
}

export function memoryTable(rows: readonly MemoryRow[]): TextTable {
  return {
    title: `Memory of a server for each of ${clients} idle TLS clients`,
    head: ["", "heap, KiB", "buffers, KiB"],
    cells: rows.map(({ name, heap, buffers }) => [name, heap.toFixed(1), buffers.toFixed(1)]),
    bars: { axis: "KiB of heap", values: rows.map(({ name, heap }) => ({ name, value: heap })) },
  }
}
