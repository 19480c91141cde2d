// `puremq bench` as people run it: its processes are those of the built package.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { fileURLToPath } from "node:url"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import type { Report } from "@puremq/tls13/measure"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { BenchWorld, few, whole } from "../../../tests/bench-world.ts"
import { isInstalled, patience } from "../../../tests/cli-clients.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "../../platform/node.ts"

const world = new BenchWorld()
const { at, run, measured, failure } = world
let broker: PureMqBroker
let addresses: readonly ListenerAddress[]

beforeAll(async () => {
  world.open()
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
  await broker.close()
  world.close()
})

/** What leads to our broker in this process. */
function urlOf(type: "tcp" | "tls" | "ws" | "wss"): string[] {
  const scheme = { tcp: "mqtt", tls: "mqtts", ws: "ws", wss: "wss" }[type]
  const port = addresses.find((each) => each.type === type)?.port
  return [`${scheme}://localhost:${port}`, ...(type === "tls" || type === "wss" ? ["--cafile", at("ca.pem")] : [])]
}

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

  it.each(["tls", "wss"] as const)(
    "--engine node over %s: the clients are node:tls",
    { timeout: patience },
    async (type) => {
      const report = await measured(...urlOf(type), ...few, "--qos", "1", "--engine", "node")
      const [run] = report.runs
      expect(run!.tallies).toEqual({ sent: 200, delivered: 200, ...whole })
      expect(run!.agreed).toMatchObject({ "cipher suite": expect.stringMatching(/^TLS_/), "key exchange": "X25519" })
      expect([run!.scenario["engine"], run!.authenticated.verified]).toEqual(["puremq over node:tls", true])
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
      // Histograms are right to some per cent, whatever a busy machine makes of the times.
      expect((connect!.mean + handshake!.mean + wait!.mean) / each!.latency!.mean).toBeCloseTo(1, 1)
    },
  )

  it("failures are told by reason", { timeout: patience }, async () => {
    // The first one looks whether there is a broker.
    const url = await world.tampering({ connack: (n) => (n > 0 && n % 3 === 0 ? 0x97 : 0) })
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
    const child = spawn(process.execPath, [program, ...args], { stdio: "ignore" })
    // Until messages come: as a burst of them is on its way, the first has arrived.
    const before = broker.stats().publishSent
    await expect.poll(() => broker.stats().publishSent - before, { timeout: patience / 2 }).toBeGreaterThan(50)
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

  it("a broker that cannot be verified: one line", { timeout: patience }, async () => {
    expect(await failure(...urlOf("tls").slice(0, 1), ...few)).toContain("(--cafile FILE)")
    const [each] = (await measured(...urlOf("tls").slice(0, 1), "--insecure", ...few)).runs
    expect(each!.authenticated).toMatchObject({ verified: false, words: expect.stringContaining("NOT verified") })
  })

  it("has no password in its report", { timeout: patience }, async () => {
    const [url = ""] = urlOf("tcp")
    const secret = ["me:letmein@", "-P", "letmein", "--pw=letmein"]
    await measured(url.replace("//", `//${secret[0]}`), ...few)
    await measured(url, "-u", "me", ...secret.slice(1, 3), ...few)
    await measured(url, "-u", "me", "-rPletmein", ...few)
    expect(readFileSync(at("report.json"), "utf8")).not.toContain("letmein")
    await measured(url, "-u", "me", "-rP", "letmein", ...few)
    expect(readFileSync(at("report.json"), "utf8")).not.toContain("letmein")
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
