// `puremq bench` as people run it: its processes are those of the built package.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { fileURLToPath } from "node:url"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { type Report, reportSchema, schemaProblem } from "@puremq/tls13/measure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isInstalled, patience } from "../../../tests/cli-clients.ts"
import { TamperingBroker } from "../../../tests/tampering-broker.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "../../platform/node.ts"
import { ClientError } from "../client/errors.ts"
import { bench } from "./bench.ts"

const root = fileURLToPath(new URL("../../../../..", import.meta.url))
const folder = mkdtempSync(join(tmpdir(), "puremq-bench-"))
const at = (name: string) => join(folder, name)
const tampering: TamperingBroker[] = []
let broker: PureMqBroker
let addresses: readonly ListenerAddress[]

beforeAll(async () => {
  const { status, stdout } = spawnSync(process.execPath, [join(root, "scripts/run.mjs"), "build"], { encoding: "utf8" })
  if (status !== 0) throw new Error(stdout)
  const pem = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
  writeFileSync(at("ca.pem"), pem.caCert)
  const tls = { port: 0, cert: pem.serverCert, key: pem.serverKey }
  broker = createBroker({
    listeners: [
      { type: "tcp", port: 0 },
      { type: "tls", ...tls },
      { type: "ws", port: 0, path: "/mqtt" },
      { type: "wss", ...tls, path: "/mqtt" },
    ],
  })
  addresses = await broker.listen()
}, patience)
afterAll(async () => {
  for (const each of tampering) each.close()
  await broker.close()
  rmSync(folder, { recursive: true })
})

/** What leads to our broker in this process. */
function urlOf(type: "tcp" | "tls" | "ws" | "wss"): string[] {
  const scheme = { tcp: "mqtt", tls: "mqtts", ws: "ws", wss: "wss" }[type]
  const port = addresses.find((each) => each.type === type)?.port
  return [`${scheme}://localhost:${port}`, ...(type === "tls" || type === "wss" ? ["--cafile", at("ca.pem")] : [])]
}

async function tamperingUrl(...what: ConstructorParameters<typeof TamperingBroker>): Promise<string> {
  const fake = new TamperingBroker(...what)
  tampering.push(fake)
  return `mqtt://127.0.0.1:${await fake.listen()}`
}

async function run(...args: string[]) {
  const output = new PassThrough()
  let shown = ""
  output.on("data", (data) => {
    shown += data
  })
  const status = await bench(args, { input: new PassThrough(), output, say: () => undefined })
  return { status, shown }
}

/** Measures, and gives the report, which is as the schema says. */
async function measured(...args: string[]): Promise<Report & { readonly shown: string }> {
  const { status, shown } = await run(...args, "--json", at("report.json"))
  expect({ status }).toEqual({ status: 0 })
  const report = JSON.parse(readFileSync(at("report.json"), "utf8"))
  expect(schemaProblem(report, reportSchema)).toBeUndefined()
  return { ...report, shown }
}

async function failure(...args: string[]): Promise<string> {
  try {
    await run(...args)
  } catch (error) {
    if (error instanceof ClientError) return error.message
    throw error
  }
  return "is taken"
}

const few = ["--count", "200", "--warm-up", "0"]
const whole = { lost: 0, doubled: 0, "out of order": 0 }

describe.sequential("puremq bench", () => {
  it.each(["tcp", "tls", "ws", "wss"] as const)(
    "every QoS over %s: all is counted, once",
    { timeout: patience },
    async (type) => {
      const clients = ["--publishers", "3", "--subscribers", "2", "--qos", "0,1,2", "--inflight", "7"]
      const report = await measured(...urlOf(type), ...few, ...clients)
      expect(report.operation).toBe("message")
      expect(report.runs.map(({ name }) => name)).toEqual([0, 1, 2].map((qos) => `3 to 2, QoS ${qos}, 64 bytes`))
      for (const [qos, each] of report.runs.entries()) {
        expect(each.tallies, each.name).toEqual({ sent: 200, delivered: 400, ...whole })
        expect(each.counts).toMatchObject({ completed: 400, failed: 0, warmUp: 0, notBegun: 0 })
        expect([each.failures, each.latency?.count, each.authenticated.verified]).toEqual([[], 400, true])
        expect(each.loop).toEqual({ kind: "closed", concurrency: 21 })
        const { parts } = each
        const answers = ["puback", "pubcomp"].map((name) => parts[name]?.count)
        expect(answers).toEqual([qos === 1 ? 200 : undefined, qos === 2 ? 200 : undefined])
        expect([parts["connack"]?.count, parts["suback"]?.count, parts["wait"]?.count]).toEqual([5, 2, 400])
        expect(each.slices.reduce((sum, { completed }) => sum + completed, 0)).toBe(400)
        expect(each.histogram.counts.reduce((sum, count) => sum + count, 0)).toBe(400)
        expect(each.agreed["protocol"]).toMatch(/^MQTT 5\.0 over /)
      }
      if (type === "tls") expect(report.runs[0]!.agreed["cipher suite"]).toMatch(/^TLS_/)
    },
  )

  it("MQTT 3.1.1, retained, over two processes; at the end nothing is retained", { timeout: patience }, async () => {
    const args = [...urlOf("tcp"), ...few, "-V", "311", "--qos", "1", "--retain", "--workers", "2", "--publishers", "4"]
    for (let i = 0; i < 2; i++) {
      // What the first run left would come to the subscribers of the second one, as of others.
      const [each] = (await measured(...args, "--subscribers", "3")).runs
      expect(each!.tallies).toEqual({ sent: 200, delivered: 600, ...whole })
      expect([each!.workers, each!.agreed["protocol"]]).toEqual([2, "MQTT 3.1.1 over TCP"])
    }
  })

  it("shared subscriptions: each message comes once", { timeout: patience }, async () => {
    const args = ["--share", "group", "--subscribers", "3", "--publishers", "2", "--qos", "1", "--workers", "2"]
    const [each] = (await measured(...urlOf("tcp"), ...few, ...args)).runs
    expect(each!.tallies).toEqual({ sent: 200, delivered: 200, lost: 0, doubled: 0 })
  })

  it("each its own topic; more topics than publishers; large payloads", { timeout: patience }, async () => {
    const args = [
      "-t",
      "x/%i/y",
      "--filter",
      "x/%i/y",
      "--topic-count",
      "10",
      "--subscribers",
      "10",
      "--publishers",
      "2",
    ]
    const [each] = (await measured(...urlOf("tls"), ...args, "--size", "100000", ...few)).runs
    expect(each!.tallies).toEqual({ sent: 200, delivered: 200, ...whole })
    expect(each!.scenario["payload (bytes)"]).toBe(100_000)
  })

  it("an open loop: what is due is sent, and latency has its lateness in it", { timeout: patience }, async () => {
    const load = ["--rate", "500", "--duration", "1", "--warm-up", "0.2", "--publishers", "3", "--qos", "1"]
    const { runs, shown } = await measured(...urlOf("tcp"), ...load, "--samples", at("samples.csv"))
    const [each] = runs
    expect(each!.tallies).toEqual({ sent: 600, delivered: 600, ...whole })
    expect([each!.latency!.count, each!.counts.notBegun]).toEqual([500, 0])
    const { late, wait } = each!.parts
    expect(late!.mean + wait!.mean).toBeCloseTo(each!.latency!.mean, 2)
    expect(each!.loop).toMatchObject({ kind: "open", rate: 500 })
    expect(shown).toContain("500 due a second")
    const [head, ...lines] = readFileSync(at("samples.csv"), "utf8").trim().split("\n")
    expect(head).toBe("server,run,repetition,subscriber,stream,sequence,due_ms,written_ms,arrived_ms")
    expect(lines.length).toBe(600)
  })

  it("nobody subscribes: messages count when they are acknowledged", { timeout: patience }, async () => {
    const [each] = (await measured(...urlOf("tcp"), ...few, "--subscribers", "0", "--qos", "2")).runs
    expect(each!.tallies).toEqual({ sent: 200 })
    expect([each!.counts.completed, each!.latency?.count, each!.parts["pubcomp"]?.count]).toEqual([200, 200, 200])
  })

  it("--loopback starts a broker, reads its CPU, and makes a page", { timeout: patience }, async () => {
    const files = ["--html", at("report.html"), "--csv", at("report.csv")]
    const [each] = (await measured("--loopback", "--duration", "0.5", "--warm-up", "0.1", ...files)).runs
    expect(each).toMatchObject({
      target: { name: "puremq", own: true },
      failures: [],
      authenticated: { verified: true },
    })
    expect(each!.server!.operations).toBe(each!.counts.completed)
    expect(each!.tallies!["delivered"]).toBe(each!.tallies!["sent"])
    const page = readFileSync(at("report.html"), "utf8")
    for (const words of ["Messages of puremq", "delivered", "CONNECT to CONNACK", "<svg", "puremq bench --compare"])
      expect(page).toContain(words)
    expect(page).not.toMatch(/<script|(?:src|href)="https?:/)
    const [names = "", cells = ""] = readFileSync(at("report.csv"), "utf8").split("\n")
    const cell = (name: string) =>
      cells.match(/("[^"]*"|[^,]*)(,|$)/g)![names.split(",").indexOf(name)]!.replace(",", "")
    expect([cell("publishers"), cell("lost"), cell("messages_per_s")]).toEqual(["1", "0", String(each!.rate)])
  })

  it("brokers take turns, and files are compared", { timeout: patience }, async () => {
    const [url = ""] = urlOf("tcp")
    const names = ["--name", "one", "--name", "other", "--repeat", "2"]
    const { runs, shown } = await measured(url, url, ...names, ...few)
    expect(runs.map(({ target, repetition }) => `${target.name} ${repetition}`)).toEqual([
      "one 1",
      "other 1",
      "one 2",
      "other 2",
    ])
    expect(shown).toMatch(/1 to 1, QoS 0, 64 bytes \(2 runs of A, 2 of B, in turns\)\n.*\n *messages\/s /)
    const args = ["--count", "20", "--warm-up", "0", "--json"]
    await run(url, "--connect-storm", ...args, at("storm.json"))
    await run(url, ...args, at("a.json"))
    await run(url, ...args, at("b.json"))
    expect((await run("--compare", at("a.json"), at("b.json"))).shown).toContain("messages/s")
    expect(await failure("--compare", at("a.json"), at("storm.json"))).toContain("of messages and")
  })
})

describe.sequential("a broker that does not do what it should", () => {
  it("loses, doubles and reorders: each is counted", { timeout: patience }, async () => {
    // Of 200: every tenth is lost (20), every seventh of the others comes twice, every eleventh overtakes the one before it.
    const url = await tamperingUrl({ lose: (n) => n % 10 === 9, double: (n) => n % 7 === 0, swap: (n) => n % 11 === 5 })
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
    const url = await tamperingUrl({ refuse: (n) => n % 4 === 0 })
    const [each] = (await measured(url, ...few, "--qos", "1")).runs
    expect(each!.tallies).toEqual({ sent: 200, refused: 50, delivered: 150, ...whole })
    expect(each!.failures).toEqual([{ reason: "PUBACK: quota exceeded", count: 50 }])
  })

  it("sends what is not of the run: it is told, and not counted", { timeout: patience }, async () => {
    const url = await tamperingUrl({ add: (n) => n === 3 })
    const { runs, shown } = await measured(url, ...few)
    expect(runs[0]!.tallies).toEqual({ sent: 200, delivered: 200, ...whole, "of others": 1 })
    expect(shown).toContain("not of this run")
  })

  it("ends a connection: what was on its way is lost, and why is told", { timeout: patience }, async () => {
    const url = await tamperingUrl({ end: (n) => n === 100 })
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
      await measured(await tamperingUrl({ stall: (n) => (n === 100 ? stall : 0) }), ...load, ...args)
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
    const url = await tamperingUrl({ stall: (n) => (n === 50 ? 2000 : 0) })
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
    const refusing = await tamperingUrl({ connack: () => 0x87 })
    expect(await failure(refusing, ...few)).toContain("the broker refused the connection: not authorized")
    const web = createServer((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
    await once(web.listen(0, "127.0.0.1"), "listening")
    const { port } = web.address() as { port: number }
    expect(await failure(`mqtt://127.0.0.1:${port}`, ...few)).toContain(`127.0.0.1:${port} sends what is not MQTT`)
    web.close()
    expect(await failure(...urlOf("tls").slice(0, 1), ...few)).toContain("(--cafile FILE)")
  })
})

describe.sequential("puremq bench --connect-storm", () => {
  it.each(["tcp", "tls", "wss"] as const)(
    "over %s: each connection, and where its time went",
    { timeout: patience },
    async (type) => {
      const report = await measured(
        ...urlOf(type),
        "--connect-storm",
        "--count",
        "30",
        "--warm-up",
        "0",
        "--concurrency",
        "4",
        "--workers",
        "2",
      )
      expect(report.operation).toBe("connection")
      const [each] = report.runs
      expect(each).toMatchObject({ name: "connect storm", failures: [], loop: { kind: "closed", concurrency: 4 } })
      expect([each!.counts.completed, each!.counts.failed, each!.latency?.count]).toEqual([30, 0, 30])
      const { connect, handshake, wait } = each!.parts
      expect(connect!.mean + handshake!.mean + wait!.mean).toBeCloseTo(each!.latency!.mean, 1)
    },
  )

  it("failures are told by reason", { timeout: patience }, async () => {
    // The first one looks whether there is a broker.
    const url = await tamperingUrl({ connack: (n) => (n > 0 && n % 3 === 0 ? 0x97 : 0) })
    const storm = ["--connect-storm", "--count", "30", "--warm-up", "0", "--concurrency", "2"]
    const [each] = (await measured(url, ...storm, "--samples", at("storm.csv"))).runs
    expect(each!.failures).toEqual([{ reason: "the broker refused the connection: quota exceeded", count: 10 }])
    expect(each!.counts).toMatchObject({ completed: 20, failed: 10 })
    expect(readFileSync(at("storm.csv"), "utf8").trim().split("\n").length).toBe(31)
  })
})

describe.sequential("the command", () => {
  const program = fileURLToPath(new URL("../../../bin/puremq.js", import.meta.url))

  it("Ctrl-C ends it with the report of what there was, and status 130", { timeout: patience }, async () => {
    const args = [
      "bench",
      ...urlOf("tcp"),
      "--duration",
      "600",
      "--warm-up",
      "0",
      "--rate",
      "100",
      "--json",
      at("cut.json"),
    ]
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    child.stderr.on("data", (data) => {
      said += data
    })
    await expect.poll(() => said).toContain("bench: ")
    // Until messages come.
    await new Promise((resolve) => setTimeout(resolve, 3000))
    child.kill("SIGINT")
    const [status] = await once(child, "close")
    expect(status).toBe(130)
    const [each] = (JSON.parse(readFileSync(at("cut.json"), "utf8")) as Report).runs
    expect(each!.notes.join("\n")).toContain("interrupted: ")
    expect(each!.counts.completed).toBeGreaterThan(0)
    expect(each!.tallies!["delivered"]).toBe(each!.tallies!["sent"])
  })

  it("Ctrl-C while the next run begins: those before it are told", { timeout: patience }, async () => {
    // Its second broker takes connections, and says nothing.
    const silent = createServer(() => undefined)
    await once(silent.listen(0, "127.0.0.1"), "listening")
    const { port } = silent.address() as { port: number }
    const args = ["bench", ...urlOf("tcp"), `mqtt://127.0.0.1:${port}`, ...few, "--json", at("cut.json")]
    const child = spawn(process.execPath, [program, ...args], { stdio: ["ignore", "pipe", "pipe"] })
    let said = ""
    child.stderr.on("data", (data) => {
      said += data
    })
    await expect.poll(() => said).toContain("bench: 2/2")
    await new Promise((resolve) => setTimeout(resolve, 1000))
    child.kill("SIGINT")
    const [status] = await once(child, "close")
    silent.close()
    expect(status).toBe(130)
    const { runs } = JSON.parse(readFileSync(at("cut.json"), "utf8")) as Report
    expect(runs.map(({ counts }) => counts.completed)).toEqual([200])
  })

  it("has no password in its report", { timeout: patience }, async () => {
    const [url = ""] = urlOf("tcp")
    const secret = ["me:letmein@", "-P", "letmein", "--pw=letmein"]
    await measured(url.replace("//", `//${secret[0]}`), ...few)
    await measured(url, "-u", "me", ...secret.slice(1, 3), ...few)
    await measured(url, "-u", "me", ...secret.slice(3), ...few, "--html", at("secret.html"))
    for (const file of ["report.json", "secret.html"]) expect(readFileSync(at(file), "utf8")).not.toContain("letmein")
  })
})

describe.skipIf(!isInstalled("mosquitto")).sequential("beside Mosquitto", () => {
  it("every QoS, and connections", { timeout: patience }, async () => {
    const server = createServer()
    await once(server.listen(0, "127.0.0.1"), "listening")
    const { port } = server.address() as { port: number }
    await new Promise((resolve) => server.close(resolve))
    writeFileSync(at("mosquitto.conf"), `listener ${port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n`)
    const path = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` }
    const mosquitto = spawn("mosquitto", ["-c", at("mosquitto.conf")], { env: path, stdio: "ignore" })
    try {
      const url = `mqtt://127.0.0.1:${port}`
      await expect.poll(() => failure(url, ...few)).toBe("is taken")
      const clients = ["--publishers", "2", "--subscribers", "2", "--pid", String(mosquitto.pid)]
      for (const each of (await measured(url, ...few, ...clients, "--qos", "0,1,2")).runs) {
        expect(each.tallies, each.name).toEqual({ sent: 200, delivered: 400, ...whole })
        expect(each.server).toMatchObject({ pid: mosquitto.pid, processes: 1 })
      }
      const storm = ["--connect-storm", "--count", "30", "--warm-up", "0"]
      expect((await measured(url, ...storm)).runs[0]!.counts).toMatchObject({ completed: 30, failed: 0 })
    } finally {
      mosquitto.kill("SIGKILL")
    }
  })
})
