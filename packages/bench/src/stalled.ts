// A subscriber that stops reading, beside 100 that go on: what these lose, and how long their messages take, against the same
// load while it reads. Both are measured in one run on the same connections; what is undisturbed, before and after, so that
// what else the machine does falls on both.

import type { Socket } from "node:net"
import type { Pems } from "./contestants.ts"
import { type Address, connectMqtt, PacketReader, pubackPacket, publishPacket, subscribe } from "./mqtt.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { quartiles, type Spread } from "./statistics.ts"
import { type TextTable, tableMarkdown } from "./tables.ts"

const readers = 100
const secondsUndisturbed = 30
const secondsDisturbed = 60
/** Messages a second for everybody, and for the one that stops, in bytes of payload: enough that nothing in between holds them. */
const rate = 50
const payloadBytes = 256
const bulkRate = 64
const bulkBytes = 16_384
const windowMilliseconds = 5000

export interface StalledRow {
  readonly name: string
  readonly expected: number
  readonly arrived: number
  /** Milliseconds from PUBLISH to its arrival at a reader. */
  readonly median: number
  readonly p99: number
  /** Of the windows of the phase: a stall of the machine is in one of them. */
  readonly windowP99: Spread
  readonly longest: number
}

interface Phase {
  /** Messages that were to come to all readers together, and how long each took that came. */
  readonly expected: number
  readonly times: readonly Arrival[]
}

/** Milliseconds. */
interface Arrival {
  readonly due: number
  readonly took: number
}

export async function measureStalled(pems: Pems): Promise<readonly StalledRow[]> {
  const peer = await startPeer({ kind: "puremq", store: "memory", pems })
  const address: Address = { port: peer.port, pems }
  let times: Arrival[] = []
  const arrived = (payload: Buffer) => {
    const due = payload.readDoubleLE(0)
    times.push({ due, took: performance.now() - due })
  }
  const clients: Socket[] = []
  for (let i = 0; i < readers; i++) clients.push(await reader(address, `reader-${i}`, "bench/all", arrived))
  const slow = await reader(address, "slow", "bench/#", () => undefined)
  const publisher = await connectMqtt(address, { clientId: "publisher" })
  const bulk = await connectMqtt(address, { clientId: "bulk" })
  for (const one of [publisher, bulk]) one.on("data", () => undefined) // PUBACKs
  clients.push(slow, publisher, bulk)

  const load = async (what: string, seconds: number): Promise<Phase> => {
    progress(`stalled: ${what}, ${seconds} s`)
    times = []
    const sent = await publishFor(publisher, bulk, seconds)
    return { expected: sent * readers, times }
  }
  await load("warming up", 5)
  const before = await load("all of them read", secondsUndisturbed)
  slow.pause()
  const disturbed = await load("one has stopped reading", secondsDisturbed)
  slow.resume()
  await load("it reads what is left", 5)
  const after = await load("all of them read", secondsUndisturbed)
  const undisturbed = { expected: before.expected + after.expected, times: [...before.times, ...after.times] }
  const rows = [row("all of them read", undisturbed), row("one has stopped reading", disturbed)]
  for (const one of clients) one.destroy()
  peer.stop()
  console.log(tableMarkdown(stalledTable(rows)))
  return rows
}

/** A subscriber at QoS 1 that acknowledges what it gets. */
async function reader(
  address: Address,
  clientId: string,
  filter: string,
  arrived: (payload: Buffer) => void,
): Promise<Socket> {
  const client = await connectMqtt(address, { clientId })
  await subscribe(client, filter, 1)
  const packets = new PacketReader()
  client.on("data", (data: Uint8Array) => {
    const answers: Uint8Array[] = []
    packets.read(data, (first, body) => {
      if (first >> 4 !== 3) return
      const at = 2 + body.readUInt16BE(0)
      answers.push(pubackPacket(body.readUInt16BE(at)))
      arrived(body.subarray(at + 2))
    })
    if (answers.length > 0) client.write(Buffer.concat(answers))
  })
  return client
}

/** Publishes at the rates, and waits until what is on its way has come. Returns how many everybody gets. */
async function publishFor(publisher: Socket, bulk: Socket, seconds: number): Promise<number> {
  const start = performance.now()
  const [mine, its] = [{ sent: 0 }, { sent: 0 }]
  for (;;) {
    const elapsed = (performance.now() - start) / 1000
    if (elapsed >= seconds) break
    // A message has the time at which it was due: a wait to be sent is a wait.
    for (; mine.sent < elapsed * rate; mine.sent++) {
      const payload = Buffer.alloc(payloadBytes)
      payload.writeDoubleLE(start + (mine.sent * 1000) / rate)
      publisher.write(publishPacket({ topic: "bench/all", payload, qos: 1, id: (mine.sent % 65_535) + 1 }))
    }
    // A publisher that is not read does not pile up here.
    for (; its.sent < elapsed * bulkRate; its.sent++) {
      if (bulk.writableLength > 1_048_576) continue
      const payload = Buffer.alloc(bulkBytes)
      bulk.write(publishPacket({ topic: "bench/bulk", payload, qos: 1, id: (its.sent % 65_535) + 1 }))
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await new Promise((resolve) => setTimeout(resolve, 2000))
  return mine.sent
}

function row(name: string, { expected, times }: Phase): StalledRow {
  const all = inOrder(times)
  const windows = new Map<number, Arrival[]>()
  for (const arrival of times) {
    const number = Math.floor(arrival.due / windowMilliseconds)
    const window = windows.get(number)
    if (window === undefined) windows.set(number, [arrival])
    else window.push(arrival)
  }
  const windowP99 = quartiles(Array.from(windows.values(), (window) => at(inOrder(window), 0.99)))
  return {
    name,
    expected,
    arrived: times.length,
    median: at(all, 0.5),
    p99: at(all, 0.99),
    windowP99,
    longest: at(all, 1),
  }
}

function inOrder(times: readonly Arrival[]): Float64Array {
  return Float64Array.from(times, ({ took }) => took).sort()
}

function at(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

export function stalledTable(rows: readonly StalledRow[]): TextTable {
  const [first] = rows
  return {
    title: `${readers} subscribers over TLS beside one that stops reading for ${secondsDisturbed} s, QoS 1`,
    lead: `${rate} messages of ${payloadBytes} bytes a second to all; ${bulkRate} of ${bulkBytes} bytes more to the one. Milliseconds from PUBLISH to arrival; a p99 of at most twice the first is wanted.`,
    head: [
      "",
      "lost",
      "median, ms",
      "p99, ms",
      "ratio",
      `p99 of ${windowMilliseconds / 1000} s, median, ms`,
      "ratio",
      "longest, ms",
    ],
    cells: rows.map(({ name, expected, arrived, median, p99, windowP99, longest }) => [
      name,
      `${expected - arrived} of ${expected}`,
      median.toFixed(1),
      p99.toFixed(1),
      (p99 / first!.p99).toFixed(2),
      windowP99[1].toFixed(1),
      (windowP99[1] / first!.windowP99[1]).toFixed(2),
      longest.toFixed(1),
    ]),
    bars: { axis: "ms, p99", values: rows.map(({ name, p99 }) => ({ name, value: p99 })) },
  }
}
