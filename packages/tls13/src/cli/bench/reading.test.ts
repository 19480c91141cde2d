// What is read of the system, and what is made of it.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { exampleRun } from "../../../tests/tools/example-report.ts"
import { limitOf } from "./limit.ts"
import { machineLoad, machineTicks, quotaOf } from "./machine.ts"
import { notesOf } from "./notes.ts"
import { countIn, endpointsOf, sourceAddresses } from "./ports.ts"
import { countCpus, parseStat, treeCpu } from "./processes.ts"

const linux = process.platform === "linux"

describe("/proc/PID/stat", () => {
  it("is read also when the program's name has spaces and parentheses", () => {
    const fields = Array.from({ length: 50 }, (_, i) => String(i + 3))
    fields[0] = "S"
    expect(parseStat(`42 (a ) (b) ${fields.join(" ")}\n`)).toEqual({
      pid: 42,
      program: "a ) (b",
      parent: 4,
      user: 14,
      system: 15,
      childrenUser: 16,
      childrenSystem: 17,
    })
    expect(parseStat("")).toBeUndefined()
  })

  it.skipIf(!linux)("gives the CPU time of a process, of its children, and of those that have ended", async () => {
    // The parent sleeps; one child has worked and ended, the other works on.
    const work = "while(process.cpuUsage().user<300_000)for(let i=0;i<1e6;i++);"
    const program = `
      const { spawn, spawnSync } = require("child_process")
      spawnSync(process.execPath, ["-e", ${JSON.stringify(work)}])
      const child = spawn(process.execPath, ["-e", ${JSON.stringify(`${work}process.stdout.write("worked");setInterval(()=>{},1e3)`)}])
      child.stdout.once("data", () => console.log("both"))
      process.on("SIGTERM", () => { child.kill(); process.exit() })
    `
    const parent = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })
    try {
      await once(parent.stdout, "data")
      const cpu = treeCpu(parent.pid!)!
      expect(cpu.processes).toBe(2)
      const own = treeCpuOfOne(parent.pid!)
      // Two that have used 0.3 s each.
      expect(cpu.user - own).toBeGreaterThan(0.55)
    } finally {
      parent.kill()
      await once(parent, "exit")
    }
    expect(treeCpu(parent.pid!)).toBeUndefined()
  })

  it.skipIf(!linux)("agrees with what the process counts of itself", async () => {
    const program =
      "while(process.cpuUsage().user<500_000)for(let i=0;i<1e6;i++);console.log(process.cpuUsage().user+process.cpuUsage().system);setInterval(()=>{},1e3)"
    const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] })
    try {
      const [told] = await once(child.stdout, "data")
      const { user, system } = treeCpu(child.pid!)!
      const ratio = (user + system) / (Number(String(told)) / 1e6)
      expect(ratio).toBeGreaterThan(0.9)
      expect(ratio).toBeLessThan(1.25)
    } finally {
      child.kill()
      await once(child, "exit")
    }
  })

  it("lists of CPUs are counted", () => {
    expect(["0", "0-3", "0-3,8", "1,3,5-6"].map(countCpus)).toEqual([1, 4, 5, 4])
  })
})

function treeCpuOfOne(pid: number): number {
  const { threads } = treeCpu(pid)!
  return threads.get(pid) ?? 0
}

describe("the machine", () => {
  it("was busy and robbed by so much between two readings of /proc/stat", () => {
    const before = machineTicks("cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n")
    const after = machineTicks("cpu  180 0 70 860 60 0 0 30 0 0\n")
    expect(before).toEqual({ total: 1000, idle: 850, steal: 0 })
    expect(machineLoad(before, after)).toEqual({ busy: expect.closeTo(0.65, 6), steal: expect.closeTo(0.15, 6) })
    expect([machineLoad(undefined, after), machineLoad(after, after)]).toEqual([null, null])
    expect([quotaOf("max 100000\n"), quotaOf("150000 100000\n"), quotaOf(undefined)]).toEqual([null, 1.5, null])
  })
})

describe("ports", () => {
  it("endpoints are written as the kernel writes them", () => {
    expect(endpointsOf("127.0.0.1", 4433)).toEqual(["0100007F:1151", "0000000000000000FFFF00000100007F:1151"])
    expect(endpointsOf("::1", 443)).toEqual(["00000000000000000000000001000000:01BB"])
    expect(endpointsOf("2001:db8::8:800", 80)).toEqual([
      "B80D0120000000000000000000080800:0050".replace("00080800", "00080800"),
    ])
    expect(endpointsOf("no address", 80)).toEqual([])
  })

  it("in TIME_WAIT with this server are counted, on either side, and no others", () => {
    const line = (local: string, remote: string, state: string) =>
      `   0: ${local} ${remote} ${state} 00000000:00000000 03:0`
    const table = [
      "  sl  local_address rem_address   st",
      line("0100007F:1151", "0200007F:C000", "06"),
      line("0200007F:C001", "0100007F:1151", "06"),
      line("0200007F:C002", "0100007F:1151", "01"),
      line("0200007F:C003", "0100007F:1152", "06"),
      "",
    ].join("\n")
    expect(countIn(table, new Set(endpointsOf("127.0.0.1", 4433)))).toBe(2)
  })

  it.skipIf(!linux)("a loopback server is reached from many addresses, others from where the system likes", () => {
    const sources = sourceAddresses("127.0.0.1")
    expect(new Set(sources).size).toBe(32)
    expect(sources.every((address) => /^127\.0\.0\.\d+$/.test(address) && address !== "127.0.0.1")).toBe(true)
    expect([sourceAddresses("192.0.2.1"), sourceAddresses("::1")]).toEqual([[], []])
  })
})

describe("which side was the limit", () => {
  const cpu = (busiest: number, cores: number = busiest) => ({
    seconds: cores,
    user: cores,
    system: 0,
    cores,
    busiest,
    perOperation: 1,
  })
  const server = (busiest: number, cores: number = busiest, cpusAllowed: string | null = "0-7") => ({
    ...exampleRun("x", 1, 1).server!,
    ...cpu(busiest, cores),
    cpusAllowed,
  })
  const side = (more: Partial<Parameters<typeof limitOf>[0]>, loop: number = 0.5) =>
    limitOf({ ...exampleRun("x", 10, 1), client: cpu(0.5), server: server(0.5), ...more }, [
      { user: 0, system: 0, elapsed: 1, loop },
    ])

  it.each([
    ["server", { server: server(0.97) }, 0.5],
    ["server", { server: server(0.5, 3.8, "0-3") }, 0.5],
    ["client", { client: cpu(0.95) }, 0.5],
    ["client", {}, 0.97],
    ["both", { client: cpu(0.95), server: server(0.95) }, 0.5],
    ["waiting", {}, 0.5],
    ["unknown", { server: null }, 0.5],
    ["client", { server: null, client: cpu(0.95) }, 0.5],
    ["machine", { machine: { busy: 0.99, steal: 0 } }, 0.5],
    ["rate", { loop: { kind: "open", rate: 100, concurrency: 10 }, rate: 99 }, 0.5],
    ["waiting", { loop: { kind: "open", rate: 100, concurrency: 10 }, rate: 60 }, 0.5],
  ] as const)("%s: %j, event loop %d", (expected, more, loop) => {
    const limit = side(more, loop)
    expect(limit.side).toBe(expected)
    expect(limit.words.length).toBeGreaterThan(20)
  })
})

describe("notes", () => {
  const notes = (more: Partial<ReturnType<typeof exampleRun>>, late: number | null = null) =>
    notesOf(exampleRun("x", 10, 1, more), late, "handshake", false).join("\n")
  const counts = exampleRun("x", 10, 1).counts

  it.each([
    ["closed loop", /coordinated omission/, {}],
    [
      "handshakes that were due and not begun",
      /7 handshakes were due and not begun/,
      { counts: { ...counts, notBegun: 7 } },
    ],
    [
      "failures",
      /of the handshakes failed \(mostly: because\)/,
      { counts: { ...counts, failed: 5 }, failures: [{ reason: "because", count: 5 }] },
    ],
    ["a server that is not verified", /NOT verified/, { authenticated: { verified: false, words: "NOT verified" } }],
    ["few handshakes", /too few for a p99\.9/, {}],
    ["steal", /3% of the CPU time was stolen/, { machine: { busy: 0.5, steal: 0.03 } }],
    ["tickets that were made for", /2 full handshakes were made/, { counts: { ...counts, priming: 2 } }],
    ["servers that do not close", /9 connections were not closed/, { counts: { ...counts, notClosedByServer: 9 } }],
    [
      "a CPU time that is too coarse",
      /in steps of 10 ms/,
      { server: { ...exampleRun("x", 10, 1).server!, seconds: 0.1 } },
    ],
  ] as const)("%s", (_, expected, more) => {
    expect(notes(more)).toMatch(expected)
  })

  it("an open loop that was followed has no word on omission", () => {
    expect(notes({ loop: { kind: "open", rate: 10, concurrency: 5 } })).not.toMatch(/omission/)
  })

  it("a run that is not settled", () => {
    const { slices } = exampleRun("x", 10, 1)
    const rising = slices.map((slice, i) => ({ ...slice, completed: 20 + 5 * i }))
    expect(notes({ slices: rising })).toMatch(/not settled: the last third .* more handshakes/)
    expect(notes({ slices: slices.map((slice) => ({ ...slice, completed: 40 })) })).not.toMatch(/settled/)
  })

  it("timers that are late", () => {
    expect(notes({}, 0.7)).toMatch(/0\.700 ms late/)
  })
})
