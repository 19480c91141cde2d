// What `puremq bench` notices of brokers that do not do what they should.

import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BenchWorld, few, whole } from "../../../tests/bench-world.ts"
import { patience } from "../../../tests/cli-clients.ts"

const world = new BenchWorld()
const { at, measured, failure } = world

beforeAll(() => world.open(), patience)
afterAll(() => world.close())

describe.sequential("a broker that does not do what it should", () => {
  it("loses, doubles and reorders: each is counted", { timeout: patience }, async () => {
    // Of 200: every tenth is lost (20), every seventh of the others comes twice, every eleventh overtakes the one before it.
    const url = await world.tampering({
      lose: (n) => n % 10 === 9,
      double: (n) => n % 7 === 0,
      swap: (n) => n % 11 === 5,
    })
    const { runs, shown } = await measured(url, ...few, "--drain", "0.3", "--qos", "0")
    const numbers = Array.from({ length: 200 }, (_, n) => n).filter((n) => n % 10 !== 9)
    const doubled = numbers.filter((n) => n % 7 === 0).length
    const swapped = numbers.filter((n) => n % 11 === 5).length
    const [each] = runs
    expect(each!.tallies).toEqual({ sent: 200, delivered: 180, lost: 20, doubled, "out of order": swapped })
    expect(each!.failures).toEqual([{ reason: "not delivered when nothing had come for 0.3 s", count: 20 }])
    expect([each!.counts.completed, each!.counts.failed, each!.latency!.count]).toEqual([180, 20, 180])
    expect(shown).toContain(`${doubled} deliveries came TWICE, which QoS 0 forbids (MQTT 5.0 section 4.3)`)
    expect(shown).toContain("a broker must keep that order (MQTT 5.0 section 4.6)")
  })

  it("refuses some messages: by the name of the Reason Code, and they are not lost", {
    timeout: patience,
  }, async () => {
    const url = await world.tampering({ refuse: (n) => n % 4 === 0 })
    const [each] = (await measured(url, ...few, "--qos", "1")).runs
    expect(each!.tallies).toEqual({ sent: 200, refused: 50, delivered: 150, ...whole })
    expect(each!.failures).toEqual([{ reason: "PUBACK: quota exceeded", count: 50 }])
  })

  it("sends what is not of the run: it is told, and not counted", { timeout: patience }, async () => {
    const url = await world.tampering({ add: (n) => n === 3 })
    const { runs, shown } = await measured(url, ...few)
    expect(runs[0]!.tallies).toEqual({ sent: 200, delivered: 200, ...whole, "of others": 1 })
    expect(shown).toContain("not of this run")
  })

  it("is late to one of two processes: what takes retained messages away comes after all have counted", {
    timeout: patience,
  }, async () => {
    const url = await world.tampering({ late: (n, subscriber) => (n === 199 && subscriber === 1 ? 500 : 0) })
    const args = ["--retain", "--workers", "2", "--publishers", "2", "--subscribers", "2", "--qos", "1"]
    const [each] = (await measured(url, ...few, ...args)).runs
    expect(each!.tallies).toEqual({ sent: 200, delivered: 400, ...whole })
  })

  it("ends a connection: what was on its way is lost, and why is told", { timeout: patience }, async () => {
    const url = await world.tampering({ end: (n) => n === 100 })
    const [each] = (await measured(url, ...few, "--drain", "0.3")).runs
    const reasons = each!.failures.map(({ reason }) => reason)
    expect(reasons).toContain("the broker closed the connection")
    expect(each!.tallies!["delivered"]! + each!.tallies!["lost"]!).toBe(each!.tallies!["sent"])
  })

  it("stalls: an open loop shows it to all that were due meanwhile, a closed loop to few", {
    timeout: patience,
  }, async () => {
    const stall = 600
    const load = ["--duration", "1.5", "--warm-up", "0", "--qos", "1", "--size", "24", "--samples", at("stall.csv")]
    const long = async (...args: string[]) => {
      // It reads nothing for a while, after its hundredth message.
      await measured(await world.tampering({ stall: (n) => (n === 100 ? stall : 0) }), ...load, ...args)
      const rows = readFileSync(at("stall.csv"), "utf8").trim().split("\n").slice(1)
      const times = rows.map((row) => row.split(",").slice(-3).map(Number) as [number, number, number])
      return times.filter(([due, , arrived]) => arrived - due > stall / 3).length
    }
    // At 300 a second, 120 are due in the first two thirds of the stall.
    expect(await long("--rate", "300")).toBeGreaterThanOrEqual(100)
    expect(await long("--inflight", "1")).toBeLessThanOrEqual(20)
  })

  it("does not follow: what was due and could not begin is told", { timeout: patience }, async () => {
    // It takes nothing more from the fiftieth message on, and 10 may be unanswered.
    const url = await world.tampering({ stall: (n) => (n === 50 ? 2000 : 0) })
    const load = ["--rate", "200", "--duration", "1", "--warm-up", "0", "--qos", "1", "--inflight", "10"]
    const { runs, shown } = await measured(url, ...load)
    const [each] = runs
    const { notBegun } = each!.counts
    expect(each!.tallies!["sent"]! + notBegun).toBe(200)
    expect(notBegun).toBeGreaterThan(100)
    expect(each!.limit.side).not.toBe("rate")
    expect(shown).toContain(`${notBegun} messages were due and not begun at the end`)
  })

  it("does not let anybody in, or is none: one line", { timeout: patience }, async () => {
    const refusing = await world.tampering({ connack: () => 0x87 })
    expect(await failure(refusing, ...few)).toContain("the broker refused the connection: not authorized")
    const web = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    await once(web.listen(0, "127.0.0.1"), "listening")
    const { port } = web.address() as { port: number }
    expect(await failure(`mqtt://127.0.0.1:${port}`, ...few)).toContain(`127.0.0.1:${port} sends what is not MQTT`)
    web.close()
  })
})
