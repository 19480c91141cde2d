// The client's byte path: what is counted, and what a worse network does to it.

import { once } from "node:events"
import { connect, createServer, type Socket } from "node:net"
import { afterEach, describe, expect, it, vi } from "vitest"
import { patience } from "../../../tests/tools/patience.ts"
import { portOf } from "../../../tests/tools/sockets.ts"
import { seeded } from "../../measure/seeded.ts"
import { addressOf } from "./addresses.ts"
import { BytePath } from "./byte-path.ts"
import { type Engine, now } from "./engine.ts"
import { connectDelay, DelayLine, transferDelay } from "./impairment.ts"
import { LoadMaker } from "./load.ts"
import type { Load } from "./plan.ts"
import { RunSamples, slicesOf } from "./run-samples.ts"
import { column, SampleWriter, samplesOf, width } from "./samples.ts"
import { Tickets } from "./tickets.ts"

afterEach(() => {
  vi.useRealTimers()
})

/** Draws these, then nothing that is lost. */
function draws(...values: readonly number[]): () => number {
  const left = [...values]
  return () => left.shift() ?? 0.999
}

describe("a worse network", () => {
  it("a connection takes a round trip, a flight half of one", () => {
    expect(connectDelay({ rtt: 40, loss: 0 }, draws())).toBe(40)
    expect(transferDelay({ rtt: 40, loss: 0 }, 5000, draws())).toBe(20)
  })

  it("a lost SYN or SYN-ACK comes a second later, then two more", () => {
    const network = { rtt: 40, loss: 0.1 }
    expect(connectDelay(network, draws(0.05))).toBe(1040)
    expect(connectDelay(network, draws(0.05, 0.05, 0.5))).toBe(3040)
    expect(connectDelay(network, draws(0.5, 0.05))).toBe(1040)
  })

  it("a lost segment comes 200 ms and a round trip later; of several the last is what counts", () => {
    const network = { rtt: 40, loss: 0.1 }
    expect(transferDelay(network, 100, draws(0.05))).toBe(20 + 240)
    expect(transferDelay(network, 100, draws(0.05, 0.05))).toBe(20 + 240 + 480)
    expect(transferDelay(network, 3 * 1460, draws(0.5, 0.05, 0.5, 0.05))).toBe(20 + 240)
    expect(transferDelay(network, 3 * 1460 + 1, draws(0.5, 0.5, 0.5, 0.05))).toBe(20 + 240)
    expect(transferDelay(network, 0, draws(0.05))).toBe(20)
  })

  it("loses as many as it should", () => {
    const uniform = seeded(1)
    const lost = Array.from({ length: 20_000 }, () => transferDelay({ rtt: 0, loss: 0.05 }, 1000, uniform)).filter(
      (delay) => delay > 0,
    )
    expect(lost.length / 20_000).toBeCloseTo(0.05, 2)
  })

  it("what waits longer holds up what follows it, and all comes in order", () => {
    vi.useFakeTimers()
    const came: [string, number][] = []
    const start = performance.now()
    const line = new DelayLine(() => undefined)
    const push = (name: string, delay: number) =>
      line.push(delay, () => void came.push([name, Math.round(performance.now() - start)]))
    push("a", 10)
    push("b", 100)
    push("c", 10)
    vi.advanceTimersByTime(50)
    push("d", 10)
    push("e", 80)
    vi.advanceTimersByTime(500)
    expect(came).toEqual([
      ["a", 10],
      ["b", 100],
      ["c", 100],
      ["d", 100],
      ["e", 130],
    ])
  })

  it("what is stopped never comes", () => {
    vi.useFakeTimers()
    const line = new DelayLine(() => undefined)
    let came = 0
    line.push(10, () => came++)
    line.stop()
    line.push(5, () => came++)
    vi.advanceTimersByTime(100)
    expect(came).toBe(1)
  })
})

/** Two ends of a TCP connection. */
async function pair(): Promise<[Socket, Socket, () => void]> {
  const server = createServer({ allowHalfOpen: true })
  const port = await portOf(server)
  const client = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true })
  const [other] = (await once(server, "connection")) as [Socket]
  const done = () => {
    server.close()
    client.destroy()
    other.destroy()
  }
  return [client, other, done]
}

describe("the byte path", () => {
  const record = (length: number) => Buffer.from([22, 3, 3, length >> 8, length & 255, ...Buffer.alloc(length, 23)])

  it("counts bytes, records and flights each way, however they are cut", async () => {
    const [client, other, done] = await pair()
    let got = Buffer.alloc(0)
    const path = new BytePath(
      client,
      { bytes: (bytes) => (got = Buffer.concat([got, bytes])), end: () => {}, closed: () => {} },
      undefined,
    )
    const all = Buffer.concat([record(300), record(0), record(5)])
    path.send(all)
    const flight = Buffer.concat([record(1), record(700)])
    for (const [from, to] of [
      [0, 3],
      [3, 6],
      [6, 400],
      [400, flight.length],
    ] as const) {
      other.write(flight.subarray(from, to))
      await vi.waitFor(() => expect(got.length).toBe(to), patience)
    }
    path.send(all.subarray(0, 2))
    path.send(all.subarray(2))
    expect(path.counts).toEqual({
      sent: { bytes: 2 * all.length, records: 6, flights: 2 },
      received: { bytes: flight.length, records: 2, flights: 1 },
    })
    done()
  })

  it("with a delay tells all that came before the end, and the end, and that it is closed, in this order", async () => {
    const [client, other, done] = await pair()
    const told: string[] = []
    const worse = { rtt: 60, loss: 0, uniform: draws(), onLate: () => undefined }
    const start = performance.now()
    const path = new BytePath(
      client,
      {
        bytes: (bytes) => void told.push(String(bytes)),
        end: () => void told.push("end"),
        closed: () => void told.push("closed"),
      },
      worse,
    )
    // Our half is over by then, so TCP's connection is closed before what is on its way has arrived.
    path.end()
    other.resume()
    await once(other, "end")
    other.end("last words")
    await vi.waitFor(() => expect(told).toEqual(["last words", "end", "closed"]), patience)
    expect(performance.now() - start).toBeGreaterThanOrEqual(29)
    done()
  })
})

describe("the address of a name", () => {
  it("is the first that takes connections, or the only one", async () => {
    const server = createServer()
    const port = await portOf(server)
    const of = (...addresses: string[]) => addressOf("here", port, async () => addresses)
    expect(await of("127.0.0.77", "127.0.0.1", "127.0.0.78")).toBe("127.0.0.1")
    expect(await of("127.0.0.77")).toBe("127.0.0.77")
    expect(await of("127.0.0.77", "127.0.0.78")).toBe("127.0.0.77")
    server.close()
    const none = async (): Promise<string[]> => {
      throw Object.assign(new Error("x"), { code: "ENOTFOUND" })
    }
    await expect(addressOf("nowhere", port, none)).rejects.toThrow("cannot connect to nowhere: no such host")
  })
})

describe("samples", () => {
  it("come out as they went in, in parts", () => {
    const writer = new SampleWriter()
    const row = (due: number, failure: number) => ({
      due,
      began: 1,
      reached: 2,
      done: Number.NaN,
      ended: 4,
      own: 5,
      behind: 6,
      failure,
    })
    for (let i = 0; i < 300; i++) writer.add(row(i, i % 2 === 0 ? -1 : 0))
    const first = writer.take()
    writer.add(row(300, 1))
    const second = writer.take()
    expect([first.length, second.length, writer.take().length]).toEqual([300 * width, width, 0])
    expect(first[column.due + width]).toBe(1)
    const all = [...samplesOf([{ worker: 3, rows: [first, second], reasons: ["no", "none"] }])]
    expect(all).toHaveLength(301)
    expect(all[0]).toMatchObject({ worker: 3, due: 0, own: 5, failure: undefined })
    expect([all[1]!.failure, all[300]!.failure, all[300]!.done]).toEqual(["no", "none", Number.NaN])
  })

  it("are cut into slices: completed by when they ended, latency by when they were due", () => {
    const writer = new SampleWriter()
    const add = (due: number, done: number, failure: number = -1) =>
      writer.add({ due, began: due, reached: due, done, ended: done, own: Number.NaN, behind: 0, failure })
    add(500, 1050)
    add(1000, 1100)
    add(1150, 1950)
    add(1900, 2500)
    add(1990, 1999, 0)
    add(2000, 2001)
    add(2050, 2060, 0)
    const samples = new RunSamples([{ worker: 0, rows: [writer.take()], reasons: ["no"] }], 1000, 2000)
    const latencies = (name: "done" | "own") => [...samples.good((each) => each[name] - each.due)]
    expect([latencies("done"), latencies("own"), samples.countGood()]).toEqual([[100, 800, 600], [], 3])
    expect([samples.countCompleted(1000, 2000), samples.countCompleted(0, 1000)]).toEqual([3, 0])
    const slices = slicesOf(samples)
    expect(slices).toHaveLength(10)
    expect(slices.map(({ completed }) => completed)).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(slices.map(({ failed }) => failed)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    expect(slices[1]!.latency).toEqual([800, 800, 800, 800, 800, 800])
    expect(slices[9]!.latency).toEqual([600, 600, 600, 600, 600, 600])
    expect(slices[5]!.latency).toBeNull()
  })
})

describe("tickets", () => {
  const attempt = { failure: undefined } as never

  it("are used once each, and made by full handshakes when there are none left", async () => {
    let made = 0
    const tickets = new Tickets<number>("once", async (keep) => {
      keep(++made)
      keep(++made)
      return attempt
    })
    const taken: (number | undefined)[] = []
    for (let i = 0; i < 5; i++) {
      await tickets.prepare()
      taken.push(tickets.take())
      tickets.looked(0)
    }
    expect([taken, tickets.primings, tickets.isReused]).toEqual([[1, 2, 3, 4, 5], 3, false])
  })

  it("are promised to one only, when several are prepared", async () => {
    let made = 0
    const tickets = new Tickets<number>("once", async (keep) => {
      keep(++made)
      return attempt
    })
    await Promise.all([tickets.prepare(), tickets.prepare(), tickets.prepare()])
    expect([tickets.take(), tickets.take(), tickets.take()]).toEqual([1, 2, 3])
  })

  it("one is used again when a resumed connection brings none", async () => {
    const tickets = new Tickets<string>("again", async (keep) => {
      keep("a")
      keep("b")
      return attempt
    })
    await tickets.prepare()
    expect(tickets.take()).toBe("a")
    tickets.looked(0)
    expect([tickets.prepare(), tickets.take(), tickets.take(), tickets.isReused]).toEqual([undefined, "a", "a", true])
  })

  it("say when a server gives none", async () => {
    const none = new Tickets<string>("again", async () => attempt)
    await expect(none.prepare()).rejects.toThrow(/gave no ticket/)
    const failing = new Tickets<string>("once", async () => ({ failure: "refused" }) as never)
    await expect(failing.prepare()).rejects.toThrow(/the full handshake before it: refused/)
  })

  it("none are wanted for full handshakes", () => {
    const tickets = new Tickets<string>("never", async () => attempt)
    tickets.keep("x")
    expect([tickets.prepare(), tickets.take()]).toEqual([undefined, undefined])
  })
})

describe("the load", () => {
  const base: Omit<Load, "rate"> = {
    concurrency: 1,
    workers: 1,
    warmUp: 0,
    seconds: undefined,
    count: 3,
    rtt: 0,
    loss: 0,
    seed: 1,
  }
  const slow: Engine = {
    primings: 0,
    reusesTickets: false,
    prepare: () => undefined,
    look: () => slow.attempt(undefined),
    async attempt() {
      const before = now()
      while (now() - before < 5);
      const began = now()
      const times = { began, reached: began, done: began + 1, ended: began + 1, own: 0, behind: 0 }
      return { ...times, failure: undefined, wire: undefined, closedByServer: true, agreed: {}, unverified: undefined }
    },
  }
  const dueOf = async (load: Load) => {
    const maker = new LoadMaker(slow, { load, worker: 0, t0: now(), sources: [] })
    await maker.run()
    return [...samplesOf([{ worker: 0, rows: [maker.samples.take()], reasons: [] }])].map(
      ({ due, began }) => began - due,
    )
  }

  it("of a closed loop is due when it begins, so that its parts add up to its latency", async () => {
    expect(await dueOf({ ...base, rate: undefined })).toEqual([0, 0, 0])
  })

  it("of an open loop is due by its schedule", async () => {
    const late = await dueOf({ ...base, rate: 1000 })
    expect(late).toHaveLength(3)
    expect(Math.min(...late)).toBeGreaterThan(4)
  })
})
