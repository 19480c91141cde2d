// The well-behaved neighbour of a row: connected before the others come, it asks for an answer every 20 ms and notes the
// longest that it waited. It runs in a thread of its own, so that what the attack costs this process is not measured.

import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import { Worker, workerData } from "node:worker_threads"
import { Client, pause } from "./wire/client.ts"
import { packetType, pingreq, publish } from "./wire/mqtt.ts"
import { openStream, type Transport } from "./wire/wire.ts"

export interface NeighbourOptions {
  /** What it does: QoS 1 to itself and PINGREQ by turns, PINGREQ alone, or bytes that a TLS server is to send back. */
  readonly asks: "publish" | "ping" | "echo"
  readonly transport: Transport
  readonly port: number
  readonly username?: string
  readonly password?: string
  readonly topic?: string
  /** The address that it comes from. */
  readonly from?: string
  /** Whom it asks: what that program waited for a processor in the meantime is not its own doing. */
  readonly pid?: number
}

/** Milliseconds between an answer and the next question. */
const interval = 20

/* Shared with the thread. Times in milliseconds, those of the clock since 1970. */
const slots = { worst: 0, since: 1, answers: 2, lost: 3, noise: 4, total: 5, length: 6 } as const

export class Neighbour {
  readonly #worker: Worker
  readonly #shared: Float64Array

  private constructor(worker: Worker, shared: Float64Array) {
    this.#worker = worker
    this.#shared = shared
  }

  /** @throws Error when it is not let in */
  static async start(options: NeighbourOptions): Promise<Neighbour> {
    const shared = new Float64Array(new SharedArrayBuffer(8 * slots.length))
    const worker = new Worker(new URL(import.meta.url), { workerData: { options, shared } })
    worker.unref()
    const [said] = await once(worker, "message")
    if (said !== "ready") {
      await worker.terminate()
      throw new Error(`the neighbour was not let in: ${said}`)
    }
    return new Neighbour(worker, shared)
  }

  /** The longest wait for an answer so far, in milliseconds, without what the machine is to blame for. */
  get longest(): number {
    // Read once: the thread sets it back as soon as the answer is there.
    const since = this.#shared[slots.since]!
    const waiting = since > 0 && !this.lost ? wallClock() - since : 0
    return Math.round(Math.max(this.#shared[slots.worst]!, waiting))
  }

  get answers(): number {
    return this.#shared[slots.answers]!
  }

  /** The most that a timer of its own was late by, in milliseconds: what the machine does to everybody. */
  get noise(): number {
    return Math.round(this.#shared[slots.noise]!)
  }

  /** Its connection ended. */
  get lost(): boolean {
    return this.#shared[slots.lost]! > 0
  }

  /** Milliseconds that an answer takes on the average, over a time from now on; what it waits for counts too. */
  async average(milliseconds: number): Promise<number> {
    const [answers, total] = [this.answers, this.#shared[slots.total]!]
    await pause(milliseconds)
    const count = this.answers - answers
    return count === 0 ? milliseconds : (this.#shared[slots.total]! - total) / count
  }

  /** It asks no more, and what comes then is not its business. */
  async stop(): Promise<void> {
    await this.#worker.terminate()
    this.#shared[slots.worst] = this.longest
    this.#shared[slots.since] = 0
  }
}

function wallClock(): number {
  return performance.timeOrigin + performance.now()
}

/** Milliseconds for which each thread of that program was ready and waited for a processor, so far; empty where nothing tells. */
function starvation(pid: number | undefined): ReadonlyMap<string, number> {
  const threads = new Map<string, number>()
  try {
    const folder = `/proc/${pid}/task`
    for (const thread of readdirSync(folder)) {
      // Nanoseconds: on a processor, and waiting for one.
      const waited = Number(readFileSync(`${folder}/${thread}/schedstat`, "utf8").split(" ")[1])
      threads.set(thread, waited / 1_000_000)
    }
  } catch {
    // Another system, or the program has ended.
  }
  return threads
}

/** What the thread waited that did most: the others, which collect garbage, say, are waited for. */
function most(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): number {
  return Math.max(0, ...[...after].map(([thread, waited]) => waited - (before.get(thread) ?? waited)))
}

/* ------------------------------------------------------------ in the thread */

interface Given {
  readonly options: NeighbourOptions
  readonly shared: Float64Array
}

/** What the thread does. */
export async function beNeighbour(tell: (message: string) => void): Promise<void> {
  const { options, shared } = workerData as Given
  let ask: () => Promise<boolean>
  try {
    ask = options.asks === "echo" ? await echoing(options) : await speaking(options)
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error))
    return
  }
  tell("ready")
  // What this thread itself was late by is not the broker's.
  let late = 0
  let expected = performance.now() + 10
  setInterval(() => {
    const by = Math.max(0, performance.now() - expected - 5)
    late += by
    shared[slots.noise] = Math.max(shared[slots.noise]!, by)
    expected = performance.now() + 10
  }, 10)
  for (;;) {
    late = 0
    const starved = starvation(options.pid)
    shared[slots.since] = wallClock()
    const asked = performance.now()
    const answered = await ask()
    // Both may have waited for the same processor.
    const excused = Math.max(late, most(starved, starvation(options.pid)))
    const took = Math.max(0, performance.now() - asked - excused)
    shared[slots.since] = 0
    if (!answered) {
      shared[slots.lost] = 1
      return
    }
    shared[slots.answers]! += 1
    shared[slots.total]! += took
    shared[slots.worst] = Math.max(shared[slots.worst]!, took)
    await pause(interval)
  }
}

/** A question waits until the connection ends: how long is for the row to judge. */
const forever = 2 ** 31 - 1

async function speaking(options: NeighbourOptions): Promise<() => Promise<boolean>> {
  const { transport, port, username, password, from, topic = "neighbour" } = options
  const client = await Client.connect(transport, port, {
    clientId: `neighbour-${process.pid}-${Math.random().toString(36).slice(2, 8)}`,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(from !== undefined && { wire: { from } }),
  })
  const pings = options.asks === "ping"
  if (!pings && (await client.subscribe([topic], 1)) === undefined) throw new Error("no SUBACK")
  let turn = 0
  return async () => {
    const pinging = pings || turn++ % 2 === 0
    if (pinging) {
      const answer = client.next((packet) => packet.type === packetType.pingresp, forever)
      client.wire.send(pingreq())
      return (await answer) !== undefined
    }
    const acknowledged = client.next((packet) => packet.type === packetType.puback, forever)
    const delivered = client.next((packet) => packet.type === packetType.publish, forever)
    client.wire.send(publish(5, topic, "well?", { qos: 1, packetId: client.packetId() }))
    const answers = await Promise.all([acknowledged, delivered])
    return answers.every((answer) => answer !== undefined)
  }
}

async function echoing({ transport, port }: NeighbourOptions): Promise<() => Promise<boolean>> {
  const stream = await openStream(transport, port)
  return () =>
    new Promise((resolve) => {
      const settle = (answered: boolean) => {
        stream.off("data", heard).off("close", gone)
        resolve(answered)
      }
      const heard = () => settle(true)
      const gone = () => settle(false)
      stream.on("data", heard).on("close", gone)
      if (stream.destroyed) settle(false)
      else stream.write("well?\n")
    })
}
