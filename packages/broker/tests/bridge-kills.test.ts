// A bridge between two processes, of which now one and now the other is killed while messages go over it; and to Debian's mosquitto,
// which is told to end, as it keeps nothing of what came since it last wrote its file when it is killed. That is done, too: then its
// log tells what it has answered for and lost from what it never had. BRIDGE_MESSAGES says how many there are of each QoS.

import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { createServer } from "node:net"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isInstalled } from "./cli-clients.ts"
import { Command } from "./command.ts"
import { MosquittoLog } from "./mosquitto-log.ts"

const asked = process.env["BRIDGE_MESSAGES"]
const messages = Number(asked ?? 1500)
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
  /** Of one that forgets what it has taken when it is killed. */
  readonly log?: MosquittoLog
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

async function mosquitto(signal: "SIGTERM" | "SIGKILL"): Promise<Life> {
  const [port, secure] = [await freePort(), await freePort()]
  const folder = command.at(`mosquitto-${signal}`)
  mkdirSync(folder)
  const log = signal === "SIGKILL" ? new MosquittoLog("puremq-far") : undefined
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
    "max_inflight_messages 200",
    ...(log === undefined ? [] : ["log_dest stderr", "log_type debug"]),
    ...(process.getuid?.() === 0 ? ["user root"] : []),
  ]
  const file = `${folder}/mosquitto.conf`
  writeFileSync(file, `${lines.join("\n")}\n`)
  const start = () => {
    if (log === undefined) return spawn("mosquitto", ["-c", file], { env: path, stdio: "ignore" })
    const child = spawn("mosquitto", ["-c", file], { env: path, stdio: ["ignore", "ignore", "pipe"] })
    log.read(child.stderr)
    return child
  }
  return { port, address: `mqtts://localhost:${secure}`, start, signal, ...(log !== undefined && { log }) }
}

/**
 * It announces no Receive Maximum: a mosquitto 2.0 that has been started again sends what was under way and as much as it would send
 * anyhow, and MQTT.js, which counts, would leave for that each time that it comes.
 */
function client(port: number, clientId: string): MqttClient {
  const made = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    protocolVersion: 5,
    clientId,
    clean: false,
    reconnectPeriod: 100,
    properties: { sessionExpiryInterval: 10_000 },
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

interface Kills {
  readonly there: number
  readonly here: number
}

/** @param messages of each QoS */
async function run(there: Life, kills: Kills, messages: number): Promise<void> {
  const here = await puremq(`here-${there.port}`)
  const file = command.at(`here-${there.port}.json`)
  const config = JSON.parse(readFileSync(file, "utf8"))
  const bridge = {
    name: "far",
    address: there.address,
    ca: "ca.pem",
    cert: "client.pem",
    key: "client-key.pem",
    maximumInflight: 200,
    retryMinimum: 100,
    retryMaximum: 500,
    topics: [{ filter: "out/#", direction: "out", qos: 2 }],
  }
  writeFileSync(file, JSON.stringify({ ...config, bridges: [bridge] }))
  const lives = { there, here }
  const running = { there: there.start(), here: here.start() }
  const publisher = client(here.port, "publisher")
  const subscriber = client(there.port, "subscriber")
  const got = { 1: new Map<string, number>(), 2: new Map<string, number>() }
  let last = Date.now()
  subscriber.on("message", (topic) => {
    const of = got[topic.startsWith("out/1/") ? 1 : 2]
    of.set(topic, (of.get(topic) ?? 0) + 1)
    last = Date.now()
  })
  try {
    await until("a subscriber", () => subscriber.connected)
    await subscriber.subscribeAsync("out/#", { qos: 2 })
    let sent = 0
    let acknowledged = 0
    const due = (["there", "here"] as const).flatMap((which) =>
      Array.from({ length: kills[which] }, (_, i) => ({
        which,
        at: Math.floor(((i + 0.5) / kills[which]) * messages),
      })),
    )
    // What MQTT.js has not sent when a connection ends while it still sends what is older, it gives back with an error.
    const publish = (topic: string, qos: 1 | 2): void => {
      publisher.publish(topic, "", { qos }, (error) => {
        if (!error) acknowledged++
        else if (!publisher.disconnecting) setTimeout(() => publish(topic, qos), 20)
      })
    }
    while (sent < messages) {
      for (const qos of [1, 2] as const) publish(`out/${qos}/${sent}`, qos)
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
    const { log } = there
    const arrived = (topic: string) => got[1].has(topic) || got[2].has(topic) || log?.taken.has(topic) === true
    await until("all messages", () => {
      if (log === undefined) return got[1].size + got[2].size === 2 * messages
      // What it has in its queue still comes.
      return log.taken.size >= 2 * messages && Date.now() - last > 1000
    })
    // One that comes twice comes soon.
    await new Promise((resolve) => setTimeout(resolve, 500))
    const all = ([1, 2] as const).flatMap((qos) => Array.from({ length: messages }, (_, i) => `out/${qos}/${i}`))
    expect(all.filter((topic) => !arrived(topic))).toEqual([])
    const doubled = [...got[2]].filter(([, times]) => times > 1).map(([topic]) => topic)
    if (log === undefined) expect(doubled).toEqual([])
    else {
      expect(log.afterRelease).toEqual([])
      const lost = 2 * messages - got[1].size - got[2].size
      const what = `of ${2 * messages} messages ${lost} were acknowledged by mosquitto and lost by it`
      if (asked !== undefined) process.stdout.write(`${what}, ${doubled.length} of QoS 2 sent twice by it\n`)
    }
  } finally {
    for (const one of [publisher, subscriber]) one.end(true)
    for (const child of Object.values(running)) child.kill("SIGKILL")
  }
}

describe("nothing is lost, and nothing at QoS 2 doubled", { timeout: 2 * patience }, () => {
  it("while both brokers are killed, the other one five times", async () => {
    await run(await puremq("there"), { there: 5, here: 2 }, messages)
  })

  it.skipIf(!isInstalled("mosquitto"))("while mosquitto ends five times", async () => {
    await run(await mosquitto("SIGTERM"), { there: 5, here: 2 }, messages)
  })

  it.skipIf(!isInstalled("mosquitto"))("of what mosquitto, killed five times, has not acknowledged", async () => {
    await run(await mosquitto("SIGKILL"), { there: 5, here: 2 }, asked === undefined ? 500 : messages)
  })
})
