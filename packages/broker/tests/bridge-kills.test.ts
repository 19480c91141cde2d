// A bridge between two processes, of which now one and now the other is killed while messages go over it; and to Debian's mosquitto,
// which is told to end, as it keeps nothing when it is killed. BRIDGE_MESSAGES says how many there are of each QoS.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isInstalled } from "./cli-clients.ts"
import { Command } from "./command.ts"

const messages = Number(process.env["BRIDGE_MESSAGES"] ?? 1500)
/** Milliseconds. */
const patience = 60_000 + messages * 30
const command = new Command()
const made = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "bridge",
  now: Date.now(),
})
const path = { ...process.env, PATH: `${process.env["PATH"]}:/usr/sbin:/usr/local/sbin` }

beforeAll(async () => {
  await command.build()
  const files = { ca: made.caCert, cert: made.serverCert, key: made.serverKey }
  for (const [name, text] of Object.entries(files)) writeFileSync(command.at(`${name}.pem`), text)
  writeFileSync(command.at("client.pem"), made.clientCert ?? "")
  writeFileSync(command.at("client-key.pem"), made.clientKey ?? "")
})
afterAll(() => command.remove())

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0, "127.0.0.1"), "listening")
  const address = server.address()
  server.close()
  await once(server, "close")
  return typeof address === "object" && address !== null ? address.port : 0
}

/** A broker that can be ended and started again. */
interface Life {
  /** Of MQTT over TCP, and for the bridge. */
  readonly port: number
  readonly address: string
  start(): ChildProcess
  readonly signal: NodeJS.Signals
}

async function puremq(name: string): Promise<Life> {
  const [port, secure] = [await freePort(), await freePort()]
  const config = {
    listeners: [
      { type: "tcp", port },
      { type: "tls", port: secure, cert: "cert.pem", key: "key.pem", ca: "ca.pem", clientCertificate: "require" },
    ],
    login: { anonymous: true },
    store: { directory: `${name}-store` },
    limits: { maximumQueuedMessages: 1_000_000, maximumQueuedBytes: 1_000_000_000 },
  }
  writeFileSync(command.at(`${name}.json`), JSON.stringify(config))
  const start = () =>
    command.start(["start", "--config", `${name}.json`], { stdio: ["ignore", "ignore", "inherit"] }).child
  return { port, address: `mqtts://localhost:${secure}`, start, signal: "SIGKILL" }
}

async function mosquitto(): Promise<Life> {
  const [port, secure] = [await freePort(), await freePort()]
  const folder = command.at("mosquitto")
  mkdirSync(folder)
  const lines = [
    `listener ${port} 127.0.0.1`,
    "allow_anonymous true",
    `listener ${secure} 127.0.0.1`,
    `cafile ${command.at("ca.pem")}`,
    `certfile ${command.at("cert.pem")}`,
    `keyfile ${command.at("key.pem")}`,
    "require_certificate true",
    "allow_anonymous true",
    "persistence true",
    `persistence_location ${folder}/`,
    "max_queued_messages 0",
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ]
  writeFileSync(command.at("mosquitto.conf"), `${lines.join("\n")}\n`)
  const start = () => spawn("mosquitto", ["-c", command.at("mosquitto.conf")], { env: path, stdio: "ignore" })
  return { port, address: `mqtts://localhost:${secure}`, start, signal: "SIGTERM" }
}

function client(port: number, clientId: string): MqttClient {
  const made = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId,
    clean: false,
    reconnectPeriod: 100,
    properties: { sessionExpiryInterval: 10_000, receiveMaximum: 50 },
  })
  made.on("error", () => undefined)
  return made
}

async function until(what: string, met: () => boolean): Promise<void> {
  for (const end = Date.now() + patience; !met(); ) {
    if (Date.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function run(there: Life, kills: { readonly there: number; readonly here: number }): Promise<void> {
  const here = await puremq(`here-${there.port}`)
  const file = command.at(`here-${there.port}.json`)
  const config = JSON.parse(readFileSync(file, "utf8"))
  const bridge = {
    name: "far",
    address: there.address,
    ca: "ca.pem",
    cert: "client.pem",
    key: "client-key.pem",
    retryMinimum: 100,
    retryMaximum: 500,
    topics: [{ filter: "out/#", direction: "out", qos: 2, remotePrefix: "site/" }],
  }
  writeFileSync(file, JSON.stringify({ ...config, bridges: [bridge] }))
  const lives = { there, here }
  const running = { there: there.start(), here: here.start() }
  const publisher = client(here.port, "publisher")
  const subscriber = client(there.port, "subscriber")
  const got: Record<"1" | "2", number[]> = { 1: [], 2: [] }
  subscriber.on("message", (topic, payload) => {
    const qos = topic.endsWith("1") ? "1" : "2"
    got[qos].push(Number(payload.toString()))
  })
  try {
    await until("a subscriber", () => subscriber.connected)
    await subscriber.subscribeAsync("site/out/#", { qos: 2 })
    let sent = 0
    let acknowledged = 0
    const due = (["there", "here"] as const).flatMap((which) =>
      Array.from({ length: kills[which] }, (_, i) => ({
        which,
        at: Math.floor(((i + 0.5) / kills[which]) * messages),
      })),
    )
    while (sent < messages) {
      for (const qos of [1, 2] as const) {
        publisher.publish(`out/${qos}`, `${sent}`, { qos }, () => acknowledged++)
      }
      sent++
      await until("acknowledgements", () => 2 * sent - acknowledged < 200)
      for (const { which } of due.filter(({ at }) => at === sent)) {
        const child = running[which]
        child.kill(lives[which].signal)
        await once(child, "exit")
        running[which] = lives[which].start()
      }
    }
    await until("all acknowledgements", () => acknowledged === 2 * messages)
    await until("all messages", () => new Set(got[1]).size === messages && got[2].length >= messages)
    // One that comes twice comes soon.
    await new Promise((resolve) => setTimeout(resolve, 500))
    expect(new Set(got[1]).size).toBe(messages)
    expect(got[2].length).toBe(messages)
    expect(new Set(got[2]).size).toBe(messages)
  } finally {
    for (const one of [publisher, subscriber]) one.end(true)
    for (const child of Object.values(running)) child.kill("SIGKILL")
  }
}

describe("nothing is lost, and nothing at QoS 2 doubled", { timeout: 2 * patience }, () => {
  it("while both brokers are killed, the other one five times", async () => {
    await run(await puremq("there"), { there: 5, here: 2 })
  })

  it.skipIf(!isInstalled("mosquitto"))("while mosquitto ends five times", async () => {
    await run(await mosquitto(), { there: 5, here: 2 })
  })
})
