// $SYS topics of a running broker beside those of a running Mosquitto.

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import mqtt, { type MqttClient } from "mqtt"
import { afterAll, describe, expect, it } from "vitest"
import { createBroker, type PureMqBroker } from "./node.ts"

const installed = spawnSync("mosquitto", ["-h"]).error === undefined
const brokers: PureMqBroker[] = []
const clients: MqttClient[] = []
const children: ChildProcess[] = []
const folders: string[] = []

afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  for (const child of children) child.kill()
  await Promise.all(brokers.map((broker) => broker.close()))
  for (const folder of folders) rmSync(folder, { recursive: true })
})

interface Said {
  readonly text: string
  readonly qos: number
  /** True of what was there at SUBSCRIBE. */
  readonly retain: boolean
}

/** What a broker says below $SYS, each topic with all that came of it. */
async function listen(port: number): Promise<Map<string, Said[]>> {
  const said = new Map<string, Said[]>()
  const client = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 200 })
  clients.push(client)
  client.on("message", (topic, payload, { qos, retain }) => {
    const one = { text: payload.toString(), qos, retain }
    said.set(topic, [...(said.get(topic) ?? []), one])
  })
  await new Promise((resolve) => client.once("connect", resolve))
  await client.subscribeAsync("$SYS/#", { qos: 2 })
  return said
}

async function startOurs(): Promise<number> {
  const broker = createBroker({ sysInterval: 1, listeners: [{ type: "tcp", port: 0 }] })
  brokers.push(broker)
  return (await broker.listen())[0]!.port
}

async function startMosquitto(): Promise<number> {
  const server = createServer()
  const port = await new Promise<number>((resolve, reject) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address === "object" && address !== null) resolve(address.port)
      else reject(new Error("no port"))
    })
  })
  await new Promise((resolve) => server.close(resolve))
  const folder = mkdtempSync(join(tmpdir(), "puremq-mosquitto-"))
  folders.push(folder)
  const file = join(folder, "mosquitto.conf")
  writeFileSync(file, `listener ${port} 127.0.0.1\nallow_anonymous true\nsys_interval 1\nlog_dest none\n`)
  children.push(spawn("mosquitto", ["-c", file], { stdio: "ignore" }))
  return port
}

/** A topic's text as a pattern: `123 seconds` is `N seconds`. */
function patternOf(topic: string, text: string): string {
  if (topic === "$SYS/broker/version") return text.replace(/^\w+ /, "NAME ").replace(/\d+(\.\d+)+/, "N.N.N")
  return text.replaceAll(/\d+/g, "N")
}

/** Work of a few seconds: a client that comes, publishes, leaves. */
async function work(port: number): Promise<void> {
  const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 })
  clients.push(client)
  await client.subscribeAsync(["work/#", "$share/g/work/#"], { qos: 1 })
  for (let i = 0; i < 20; i++) await client.publishAsync("work/a", "x".repeat(100), { qos: 1, retain: i === 0 })
  await client.endAsync()
}

describe("a broker that runs", () => {
  it("publishes what is retained at SUBSCRIBE, then what changes, in each round", async () => {
    const port = await startOurs()
    const said = await listen(port)
    await expect.poll(() => said.get("$SYS/broker/uptime")?.length ?? 0).toBeGreaterThan(2)
    expect(said.get("$SYS/broker/version")).toEqual([
      { text: expect.stringMatching(/^puremq version \d/), qos: 2, retain: true },
    ])
    const [first, ...later] = said.get("$SYS/broker/uptime") ?? []
    expect(first).toMatchObject({ text: expect.stringMatching(/^\d+ seconds$/), qos: 2, retain: true })
    for (const one of later) expect(one).toMatchObject({ qos: 2, retain: false })
    expect(said.get("$SYS/puremq/faults")?.map(({ text }) => text)).toEqual(["0"])
  })
})

describe.skipIf(!installed)("beside Mosquitto", () => {
  it("its topics are all here, retained, at its QoS, with texts of the same form", async () => {
    const [ours, theirs] = [await startOurs(), await startMosquitto()]
    const saidByOurs = await listen(ours)
    const saidByTheirs = await listen(theirs)
    await Promise.all([work(ours), work(theirs)])
    // Rounds after the work.
    const uptimes = () => [saidByOurs, saidByTheirs].map((said) => said.get("$SYS/broker/uptime")?.length ?? 0)
    const before = uptimes()
    await expect.poll(() => uptimes().every((count, i) => count > before[i]! + 2)).toBe(true)
    expect(saidByTheirs.size).toBeGreaterThan(40)
    const wrong: string[] = []
    for (const [topic, all] of saidByTheirs) {
      const same = saidByOurs.get(topic)
      if (same === undefined) {
        wrong.push(`${topic} is not here`)
        continue
      }
      const last = [all.at(-1)!, same.at(-1)!]
      const [pattern, ourPattern] = last.map(({ text }) => patternOf(topic, text))
      if (pattern !== ourPattern) wrong.push(`${topic}: ${last.map(({ text }) => text).join(" there, here ")}`)
      if (last[0]!.qos !== last[1]!.qos) wrong.push(`${topic}: QoS ${last[0]!.qos} there, ${last[1]!.qos} here`)
    }
    expect(wrong).toEqual([])
    // What says of both the same that was done with both.
    for (const topic of ["subscriptions/count", "shared_subscriptions/count", "clients/total", "clients/expired"]) {
      const last = [saidByTheirs, saidByOurs].map((said) => said.get(`$SYS/broker/${topic}`)?.at(-1)?.text)
      expect([topic, last[1]]).toEqual([topic, last[0]])
    }
  })
})
