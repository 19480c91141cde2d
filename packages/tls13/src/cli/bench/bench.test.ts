// `tls13 bench` as people run it: its processes are those of the built package.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { connect, createServer as createTcpServer, type Server, type Socket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest"
import { portOf } from "../../../tests/tools/sockets.ts"
import { createServer, type TlsServerOptions } from "../../adapters/node/server.ts"
import { createDevelopmentCertificates } from "../../devcert/index.ts"
import type { Report } from "../../measure/report.ts"
import { reportSchema, schemaProblem } from "../../measure/report-schema.ts"
import { run } from "../run.ts"

const root = fileURLToPath(new URL("../../../../..", import.meta.url))
const patience = 120_000
const folder = mkdtempSync(join(tmpdir(), "tls13-bench-"))
const at = (name: string) => join(folder, name)
const servers: Pick<Server, "close">[] = []
const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "c", now: Date.now() })
for (const [name, text] of Object.entries(pem)) writeFileSync(at(`${name}.pem`), text)
const other = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
writeFileSync(at("other-ca.pem"), other.caCert)

beforeAll(() => {
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], { encoding: "utf8" })
  if (status !== 0) throw new Error(stdout)
}, patience)
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function bench(...args: string[]) {
  const output = new PassThrough()
  const said: string[] = []
  let shown = ""
  output.on("data", (data) => {
    shown += data
  })
  const status = await run(["bench", ...args], {
    input: new PassThrough(),
    output,
    say: (line) => void said.push(line),
  })
  return { status, shown, said: said.filter((line) => !line.startsWith("bench: ")) }
}

const short = ["--count", "30", "--warm-up", "0", "--concurrency", "3"]

/** Measures, and gives the report, which is as the schema says. */
async function measured(...args: string[]): Promise<Report> {
  const { status, said } = await bench(...args, "--json", at("report.json"))
  expect({ status, said }).toEqual({ status: 0, said: [] })
  const report = JSON.parse(readFileSync(at("report.json"), "utf8"))
  expect(schemaProblem(report, reportSchema)).toBeUndefined()
  return report
}

async function serving(options: TlsServerOptions = {}): Promise<number> {
  const server = createServer({ cert: pem.serverCert, key: pem.serverKey, ...options })
  server.on("secureConnection", (socket) => socket.resume().on("error", () => undefined))
  server.on("tlsClientError", () => undefined)
  servers.push(server)
  return portOf(server)
}

async function servingTcp(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => undefined)
    onConnection(socket)
  })
  servers.push(server)
  return portOf(server)
}

describe.sequential("tls13 bench", () => {
  const expected: Readonly<Record<string, object>> = {
    full: { agreed: { signature: "ecdsa_secp256r1_sha256" }, flights: [2, 1] },
    resumed: { agreed: { resumed: "yes" }, flights: [2, 1] },
    "0-rtt": { agreed: { resumed: "yes", "early data": "accepted" }, flights: [2, 1] },
    hrr: { agreed: { "after a HelloRetryRequest": "yes" }, flights: [3, 2] },
    mtls: { agreed: { "client certificate": "shown" }, flights: [2, 1] },
  }

  it.each(Object.entries(expected))("--loopback --mode %s", { timeout: patience }, async (mode, wanted) => {
    const { agreed, flights } = wanted as { agreed: Record<string, string>; flights: [number, number] }
    const report = await measured("--loopback", "--mode", mode, ...short)
    const [run] = report.runs
    expect(run).toMatchObject({ name: mode, agreed, failures: [], authenticated: { verified: true } })
    expect([run!.counts.completed, run!.counts.failed, run!.latency?.count]).toEqual([30, 0, 30])
    expect([run!.wire?.sent.flights, run!.wire?.received.flights]).toEqual(flights)
    // Those between two readings of the server: on a busy machine a handshake may be done before the first one.
    expect(run!.server?.operations).toBeGreaterThan(25)
    expect(run!.server?.operations).toBeLessThanOrEqual(30)
    // They are all of the latency.
    const { connect: tcp, client, wait } = run!.parts
    expect(tcp!.mean + client!.mean + wait!.mean).toBeCloseTo(run!.latency!.mean, 1)
    expect(run!.parts["behind"]!.mean).toBeLessThanOrEqual(wait!.mean)
  })

  it.each(["full", "resumed", "mtls"])("--engine node --mode %s, of node:tls", { timeout: patience }, async (mode) => {
    const report = await measured("--loopback=node", "--engine", "node", "--mode", mode, "--workers", "2", ...short)
    const [run] = report.runs
    expect(run).toMatchObject({ name: mode, workers: 2, failures: [], target: { name: "node:tls", own: true } })
    expect(run!.counts.completed).toBe(30)
    expect(run!.wire).toMatchObject({ sent: { flights: 2 }, received: { flights: 1 }, seen: 1 })
    expect(run!.parts["client"]).toBeNull()
  })

  it("each group and signature has a run of its own, and agrees on what it names", { timeout: patience }, async () => {
    const names = ["--groups", "x25519,secp256r1", "--sigalgs", "ed25519,ecdsa_secp256r1_sha256"]
    const report = await measured("--loopback", ...names, "--each", "groups,sigalgs", "--count", "4", "--warm-up", "0")
    const found = report.runs.map(({ agreed }) => [agreed["key exchange"], agreed["signature"]])
    expect(found).toEqual([
      ["x25519", "ed25519"],
      ["x25519", "ecdsa_secp256r1_sha256"],
      ["secp256r1", "ed25519"],
      ["secp256r1", "ecdsa_secp256r1_sha256"],
    ])
  })

  it("several servers take turns, and are compared in pairs", { timeout: patience }, async () => {
    const { status, shown } = await bench("--loopback=fast,noble", "--repeat", "2", ...short, "--html", at("page.html"))
    expect(status).toBe(0)
    const order = shown.split("\n").filter((line) => /^tls13 (fast|noble): full/.test(line))
    expect(order).toEqual(
      ["fast", "noble", "fast", "noble"].map((name, i) => `tls13 ${name}: full (${i < 2 ? 1 : 2} of 2)`),
    )
    expect(shown).toMatch(/handshake, TCP included +[\d.,]+ +[\d.,]+ +[\d.,]+ +[\d.,]+ +[\d.,]+ +[\d.,]+\n/)
    expect(shown).toMatch(/sent +[\d,]+ bytes, 3 records, 2 flights; afterwards 24 bytes/)
    expect(shown.match(/server CPU +[\d.]+ ms a handshake/g)).toHaveLength(4)
    expect(shown).toMatch(/A: tls13 fast\nB: tls13 noble/)
    expect(shown).toMatch(/full \(2 runs of A, 2 of B, in turns\)/)
    expect(readFileSync(at("page.html"), "utf8")).toContain("tls13 noble beside tls13 fast")
  })

  it("a closed loop has so many at once, for so long", { timeout: patience }, async () => {
    const report = await measured(
      "--loopback",
      "--duration",
      "1",
      "--warm-up",
      "0.3",
      "--concurrency",
      "4",
      "--samples",
      at("s.csv"),
    )
    const [run] = report.runs
    expect(run).toMatchObject({ seconds: 1, warmUpSeconds: 0.3, loop: { kind: "closed", concurrency: 4 } })
    const [head, ...lines] = readFileSync(at("s.csv"), "utf8").trim().split("\n")
    const rows = lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [head!.split(",")[i], cell])))
    const good = rows.filter((row) => row["phase"] === "measured" && row["failure"] === "")
    expect(good).toHaveLength(run!.latency!.count)
    const times = good.map((row) => Number(row["done_ms"]) - Number(row["due_ms"]))
    expect(Math.max(...times)).toBeCloseTo(run!.latency!.max, 2)
    const open = (row: Record<string, string>) =>
      rows.filter(
        (each) =>
          Number(each["began_ms"]) <= Number(row["began_ms"]) && Number(each["ended_ms"]) > Number(row["began_ms"]),
      )
    expect(Math.max(...good.map((row) => open(row).length))).toBeLessThanOrEqual(4)
  })

  it("an open loop counts latency from when each was due: a stall of the server is seen by all that it holds up", {
    timeout: patience,
  }, async () => {
    // A server that takes nothing for a while, now and then.
    const port = await serving()
    const held: Socket[] = []
    let isStalled = false
    const stall = setInterval(() => {
      isStalled = !isStalled
      if (!isStalled) for (const socket of held.splice(0)) socket.resume()
    }, 300)
    const proxy = await servingTcp((socket) => {
      const onward = connect({ port, host: "127.0.0.1" })
      onward.on("error", () => socket.destroy())
      socket.pipe(onward).pipe(socket)
      if (isStalled) held.push(socket.pause())
    })
    const args = [`localhost:${proxy}`, "--ca", at("caCert.pem"), "--warm-up", "0", "--duration", "2"]
    const open = await measured(...args, "--rate", "40", "--concurrency", "1")
    const closed = await measured(...args, "--concurrency", "1")
    clearInterval(stall)
    const [ofOpen, ofClosed] = [open.runs[0]!, closed.runs[0]!]
    // With one place the others wait for theirs: that is in "late", and in the latency.
    expect(ofOpen.parts["late"]!.p90).toBeGreaterThan(50)
    expect(ofOpen.latency!.p50).toBeGreaterThan(2 * ofClosed.latency!.p50)
    expect(ofClosed.notes.join()).toMatch(/coordinated omission/)
    expect(ofOpen.notes.join()).not.toMatch(/coordinated omission/)
  })

  it("--rtt makes a connection one round trip later, and a handshake one more", { timeout: patience }, async () => {
    const report = await measured("--loopback", "--rtt", "60", "--count", "5", "--warm-up", "0", "--mode", "full,hrr")
    const [full, hrr] = report.runs
    for (const run of [full!, hrr!]) expect(run.parts["connect"]!.min).toBeGreaterThanOrEqual(59)
    expect(full!.parts["wait"]!.min).toBeGreaterThanOrEqual(60)
    expect(hrr!.parts["wait"]!.min).toBeGreaterThanOrEqual(120)
    expect(full!.counts.notClosedByServer).toBe(0)
    expect(full!.name).toBe("full rtt 60 ms")
  })

  it("Ctrl-C ends a measurement, and tells what there is", { timeout: patience }, async () => {
    let connections = 0
    const port = await serving()
    const proxy = await servingTcp((socket) => {
      connections++
      const onward = connect({ port, host: "127.0.0.1" })
      onward.on("error", () => socket.destroy())
      socket.pipe(onward).pipe(socket)
    })
    const files = ["--ca", at("caCert.pem"), "--json", at("part.json")]
    const args = ["bench", `localhost:${proxy}`, ...files, "--warm-up", "0", "--duration", "300", "--repeat", "5"]
    const child = spawn(process.execPath, [join(root, "packages/tls13/bin/tls13.js"), ...args], { stdio: "ignore" })
    const ended = once(child, "exit")
    const late = setTimeout(() => child.kill("SIGKILL"), patience - 10_000)
    await vi.waitFor(() => expect(connections).toBeGreaterThan(30), { timeout: 60_000 })
    child.kill("SIGINT")
    expect(await ended).toEqual([130, null])
    clearTimeout(late)
    const report = JSON.parse(readFileSync(at("part.json"), "utf8")) as Report
    expect(report.runs).toHaveLength(1)
    expect(report.runs[0]!.notes[0]).toMatch(/^interrupted: /)
    expect(report.runs[0]!.counts.completed).toBeGreaterThan(10)
    expect(report.runs[0]!.seconds).toBeLessThan(100)
  })

  it("CSV has a line a run, of as many cells as its head", { timeout: patience }, async () => {
    await bench("--loopback", "--mode", "full,hrr", ...short, "--csv", at("runs.csv"))
    const lines = readFileSync(at("runs.csv"), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.split(","))
    expect(lines.map(({ length }) => length)).toEqual([lines[0]!.length, lines[0]!.length, lines[0]!.length])
    expect(lines[0]).toContain("handshakes_per_s")
  })
})

describe.sequential("what goes wrong is one clear line", () => {
  const ca = ["--ca", at("caCert.pem")]
  const failing = async (...args: string[]) => {
    const { status, said } = await bench(...args, ...short)
    expect(said).toHaveLength(1)
    return [status, said[0]]
  }

  it("a refused port, a name that is none, a process that is none", { timeout: patience }, async () => {
    const port = await servingTcp(() => undefined)
    for (const server of servers.splice(0)) server.close()
    expect(await failing(`127.0.0.1:${port}`)).toEqual([
      1,
      `tls13: 127.0.0.1:${port}, full: the first handshake failed: cannot connect: nothing listens there`,
    ])
    expect(await failing("no-such-host.invalid:443")).toEqual([
      1,
      expect.stringMatching(/no-such-host.invalid: no such host|resolved/),
    ])
    expect(await failing("127.0.0.1:1", "--pid", "4194305")).toEqual([
      1,
      expect.stringMatching(/--pid 4194305: there is no such process/),
    ])
  })

  it.each(["ours", "node"])(
    "a certificate that is not believed (%s); --insecure goes on, loudly",
    { timeout: patience },
    async (engine) => {
      const port = await serving()
      const args = [`localhost:${port}`, "--engine", engine, "--ca", at("other-ca.pem")]
      expect(await failing(...args)).toEqual([
        1,
        expect.stringMatching(/first handshake failed: .*(issuer|signature|verify|trust|certificate)/i),
      ])
      const report = await measured(...args, "--insecure", ...short)
      expect(report.runs[0]!.authenticated).toEqual({ verified: false, words: expect.stringContaining("NOT verified") })
      expect(report.runs[0]!.notes.join()).toMatch(/NOT verified/)
    },
  )

  it("a server that closes at once, and one that hangs", { timeout: patience }, async () => {
    const closing = await servingTcp((socket) => socket.end())
    expect(await failing(`localhost:${closing}`, ...ca)).toEqual([1, expect.stringMatching(/first handshake failed: /)])
    const held: Socket[] = []
    const hanging = await servingTcp((socket) => void held.push(socket))
    expect(await failing(`localhost:${hanging}`, ...ca, "--timeout", "300")).toEqual([
      1,
      expect.stringMatching(/first handshake failed: .*300 ms/),
    ])
    for (const socket of held) socket.destroy()
  })

  it("a server that resumes nothing, takes no early data, asks for no certificate", { timeout: patience }, async () => {
    const port = await serving({ tickets: 0 })
    expect(await failing(`localhost:${port}`, ...ca, "--mode", "resumed")).toEqual([
      1,
      expect.stringMatching(/gave no ticket/),
    ])
    const withTickets = await serving()
    expect(await failing(`localhost:${withTickets}`, ...ca, "--mode", "0-rtt")).toEqual([
      1,
      expect.stringMatching(/early data/),
    ])
    const own = ["--cert", at("clientCert.pem"), "--key", at("clientKey.pem")]
    expect(await failing(`localhost:${withTickets}`, ...ca, "--mode", "mtls", ...own)).toEqual([
      1,
      expect.stringMatching(/asked for no client certificate/),
    ])
  })

  it.each(["ours", "node"])(
    "a client certificate that the server does not believe (%s)",
    { timeout: patience },
    async (engine) => {
      const port = await serving({ requestCert: true, ca: other.caCert })
      const own = ["--cert", at("clientCert.pem"), "--key", at("clientKey.pem")]
      const [status, line] = await failing(`localhost:${port}`, ...ca, "--engine", engine, "--mode", "mtls", ...own)
      expect([status, line]).toEqual([
        1,
        expect.stringMatching(/first handshake failed: .*(alert|unknown|certificate)/i),
      ])
    },
  )

  it("failures in the measurement are counted by reason, and are not in the latencies", {
    timeout: patience,
  }, async () => {
    const port = await serving()
    let count = 0
    const proxy = await servingTcp((socket) => {
      if (++count % 3 === 0) {
        socket.end()
        return
      }
      const onward = connect({ port, host: "127.0.0.1" })
      onward.on("error", () => socket.destroy())
      socket.pipe(onward).pipe(socket)
    })
    const report = await measured(`localhost:${proxy}`, ...ca, ...short)
    const [run] = report.runs
    expect([run!.counts.completed, run!.counts.failed]).toEqual([20, 10])
    expect(run!.failures).toEqual([{ reason: expect.stringMatching(/clos|end/), count: 10 }])
    expect(run!.latency!.count).toBe(20)
    expect(run!.notes.join()).toMatch(/33% of the handshakes failed/)
  })

  it("command lines that make no sense", async () => {
    const usage = async (...args: string[]) => {
      const { status, said } = await bench(...args)
      expect([status, said.length]).toEqual([2, 1])
      return said[0]
    }
    expect(await usage()).toMatch(/give HOST:PORT, or --loopback/)
    expect(await usage("--loopback", "localhost:1")).toMatch(/give HOST:PORT, or --loopback/)
    expect(await usage("--loopback=go")).toMatch(/--loopback takes fast, noble, host, node/)
    expect(await usage("x:1", "--mode", "quick")).toMatch(/--mode must be of full, resumed/)
    expect(await usage("x:1", "--mode", "mtls")).toMatch(/give --cert and --key/)
    expect(await usage("x:1", "--each", "groups")).toMatch(/give --groups/)
    expect(await usage("x:1", "--each", "colours")).toMatch(/--each must be of/)
    expect(await usage("x:1", "--duration", "1", "--count", "1")).toMatch(/exclude each other/)
    expect(await usage("x:1", "--duration", "0")).toMatch(/--duration must be a number from 0.1/)
    expect(await usage("x:1", "--concurrency", "1", "--workers", "2")).toMatch(/not one connection for each of 2/)
    expect(await usage("x:1", "--engine", "node", "--mode", "hrr")).toMatch(/--mode hrr needs --engine ours/)
    expect(await usage("x:1", "--engine", "node", "--provider", "fast")).toMatch(/--provider is about --engine ours/)
    expect(await usage("x:1", "--pid", "1", "--pid", "2")).toMatch(/2 --pid but 1 HOST:PORT/)
    expect(await usage("x:1", "--pid", "init")).toMatch(/--pid must be the number of a process/)
    expect(await usage("--loopback", "--abrupt", "--mode", "mtls")).toMatch(/which --mode mtls needs/)
    expect(await usage("x:1", "--early-data", "x")).toMatch(/is about --mode 0-rtt/)
    expect(await usage("--compare", at("a.json"))).toMatch(/needs a file to compare with/)
  })

  it("a file that cannot be written is found out before anything is measured", async () => {
    const { status, said, shown } = await bench("--loopback", ...short, "--html", join(folder, "none", "x.html"))
    expect([status, said, shown]).toEqual([
      1,
      [expect.stringMatching(/x\.html cannot be written: it does not exist/)],
      "",
    ])
  })
})

describe.sequential("--compare", () => {
  it("tells two files apart, and says how sure that is", { timeout: patience }, async () => {
    await measured("--loopback", ...short)
    const file = readFileSync(at("report.json"), "utf8")
    writeFileSync(at("a.json"), file)
    const faster = JSON.parse(file) as { runs: { slices: { completed: number }[] }[] }
    for (const { slices } of faster.runs) for (const slice of slices) slice.completed *= 2
    writeFileSync(at("b.json"), JSON.stringify(faster))
    const { status, shown } = await bench("--compare", at("a.json"), at("b.json"))
    expect(status).toBe(0)
    expect(shown).toMatch(/handshakes\/s +\S+ +\S+ +2\.000/)
    expect(shown).toMatch(/server CPU \(ms\) .* one figure a side/)
    const several = await bench("--compare", `${at("a.json")},${at("b.json")}`, `${at("b.json")},${at("b.json")}`)
    expect(several.shown).toMatch(/full \(2 runs of A, 2 of B\)/)
  })

  it("what is no report is one line", async () => {
    writeFileSync(at("x.json"), "{")
    writeFileSync(at("y.json"), '{"format":"puremq-bench/1"}')
    const refused = async (file: string) => (await bench("--compare", at(file), at("y.json"))).said
    expect(await refused("x.json")).toEqual([expect.stringMatching(/x\.json: it is no JSON; wanted is a file that/)])
    expect(await refused("y.json")).toEqual([expect.stringMatching(/y\.json: tool: it is missing; wanted/)])
    expect(await refused("z.json")).toEqual([expect.stringMatching(/z\.json cannot be read: it does not exist/)])
  })
})
