// One message of 1 KiB to 10,000 sessions whose clients are away: for how long the broker answers nobody meanwhile, and what
// heap it takes. The first one finds code that has not run yet, and who subscribes to its topic.

import { once } from "node:events"
import type { Socket } from "node:net"
import { type Address, connectMqtt, disconnectPacket, publishPacket, subscribe } from "./mqtt.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { quartiles, type Spread } from "./statistics.ts"
import { type TextTable, tableMarkdown } from "./tables.ts"

const sessions = 10_000
const starts = 5
const messages = 8
const topic = "bench/absent"
const payload = new Uint8Array(1024).fill(0x61)
const names = { memory: "in memory", process: "in files" } as const

export interface AbsentRow {
  readonly name: string
  /** Milliseconds for which the broker was held up: by the first message of a start, and by those after it. */
  readonly first: Spread
  readonly later: Spread
  readonly longest: number
  /** Bytes of heap a session and message, once the first is there. */
  readonly heap: number
}

export async function measureAbsent(): Promise<readonly AbsentRow[]> {
  const rows: AbsentRow[] = []
  for (const store of ["memory", "process"] as const) {
    const [first, later, heaps]: [number[], number[], number[]] = [[], [], []]
    for (let start = 0; start < starts; start++) {
      progress(`absent: ${sessions} sessions, ${names[store]}, start ${start + 1} of ${starts}`)
      const peer = await startPeer({ kind: "puremq", store })
      await leaveSessions(peer)
      const publisher = await connectMqtt(peer, { clientId: "publisher" })
      let before = 0
      for (let message = 1; message <= messages; message++) {
        if (message === 2) before = (await peer.ask("memory")).heap
        await peer.ask("watch")
        await acknowledged(publisher, message)
        const holdUp = await peer.ask("longest")
        if (message === 1) first.push(holdUp)
        else later.push(holdUp)
      }
      heaps.push(((await peer.ask("memory")).heap - before) / (messages - 1) / sessions)
      publisher.destroy()
      peer.stop()
    }
    const longest = Math.max(...first, ...later)
    rows.push({
      name: names[store],
      first: quartiles(first),
      later: quartiles(later),
      longest,
      heap: quartiles(heaps)[1],
    })
  }
  console.log(tableMarkdown(absentTable(rows)))
  return rows
}

async function leaveSessions(address: Address): Promise<void> {
  const some = 50
  for (let from = 0; from < sessions; from += some) {
    await Promise.all(Array.from({ length: some }, (_, i) => leaveSession(address, `absent-${from + i}`)))
  }
}

async function leaveSession(address: Address, clientId: string): Promise<void> {
  const client = await connectMqtt(address, { clientId, kept: true })
  await subscribe(client, topic, 1)
  client.end(disconnectPacket)
  await once(client, "close")
}

async function acknowledged(publisher: Socket, id: number): Promise<void> {
  publisher.write(publishPacket({ topic, payload, qos: 1, id }))
  await once(publisher, "data")
}

export function absentTable(rows: readonly AbsentRow[]): TextTable {
  const spread = ([low, median, high]: Spread) => `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`
  return {
    title: `One message of 1 KiB, QoS 1, to ${sessions} sessions whose clients are away`,
    lead: `Milliseconds for which the broker answers nobody, at most 20 wanted: median and quartiles of the first message after each of ${starts} starts, and of ${messages - 1} after it. A message that was not held once would take 1024 bytes more of heap a session.`,
    head: ["store", "first message, ms", "later ones, ms", "longest of all, ms", "heap, bytes a session"],
    cells: rows.map(({ name, first, later, longest, heap }) => [
      name,
      spread(first),
      spread(later),
      longest.toFixed(1),
      heap.toFixed(0),
    ]),
  }
}
