// Bridges between real brokers, over TLS with client certificates, with a pre-shared key, over TCP and WebSocket.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { afterEach, describe, expect, it } from "vitest"
import { AdminWorld } from "../../tests/admin-world.ts"
import type { LogEvent } from "../admin/log.ts"
import { toPrometheus } from "../admin/metric-text.ts"
import type { BridgeConfig, BrokerConfig } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "./node.ts"

const certificates = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "bridge-7",
  now: Date.now(),
})
const brokers: PureMqBroker[] = []
const clients: MqttClient[] = []
const folders: string[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.end(true)
  for (const broker of brokers.splice(0)) await broker.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

interface Open {
  readonly broker: PureMqBroker
  readonly events: LogEvent[]
  readonly ports: Readonly<Record<string, number>>
}

async function open(config: BrokerConfig): Promise<Open> {
  const events: LogEvent[] = []
  const broker = createBroker({ sysInterval: 0, ...config, onEvent: (event) => events.push(event) })
  brokers.push(broker)
  const addresses = await broker.listen()
  return { broker, events, ports: Object.fromEntries(addresses.map(({ type, port }) => [type, port])) }
}

async function client(
  port: number,
  filter?: string,
  options: IClientOptions = {},
): Promise<{ client: MqttClient; got: [string, string][] }> {
  const made = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  clients.push(made)
  const got: [string, string][] = []
  made.on("message", (topic, payload) => got.push([topic, payload.toString()]))
  await new Promise((resolve, reject) => made.once("connect", resolve).once("error", reject))
  if (filter !== undefined) await made.subscribeAsync(filter, { qos: 2 })
  return { client: made, got }
}

async function until(what: string, met: () => boolean): Promise<void> {
  for (const end = Date.now() + 30_000; !met(); ) {
    if (Date.now() > end) throw new Error(`${what} did not come about`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const connected = ({ events }: Open) => events.some(({ event }) => event === "bridge connected")

const tcp = { type: "tcp", port: 0 } as const

describe("over each transport", { timeout: 60_000 }, () => {
  const far: Readonly<Record<string, (port: Open["ports"]) => Partial<BridgeConfig>>> = {
    tcp: ({ tcp: port }) => ({ address: `mqtt://127.0.0.1:${port}` }),
    ws: ({ ws: port }) => ({ address: `ws://127.0.0.1:${port}/mqtt` }),
    tls: ({ tls: port }) => ({ address: `mqtts://localhost:${port}`, ca: certificates.caCert }),
    wss: ({ wss: port }) => ({ address: `wss://localhost:${port}/site/broker`, ca: certificates.caCert }),
  }

  it.each(Object.entries(far))("%s", async (_transport, address) => {
    const secure = { cert: certificates.serverCert, key: certificates.serverKey }
    const there = await open({
      listeners: [
        tcp,
        { type: "ws", port: 0 },
        { type: "tls", port: 0, ...secure },
        { type: "wss", port: 0, path: "/site/broker", ...secure },
      ],
    })
    const here = await open({
      listeners: [tcp],
      bridges: [
        {
          name: "far",
          address: "",
          topics: [
            { filter: "up/#", direction: "out", qos: 2, remotePrefix: "site/" },
            { filter: "down/#", direction: "in", qos: 2, remotePrefix: "site/" },
          ],
          ...address(there.ports),
        },
      ],
    })
    await until("the bridge", () => connected(here))
    const state = await client(here.ports["tcp"]!, "$SYS/broker/connection/#")
    await until("its state", () => state.got.length > 0)
    expect(state.got).toEqual([["$SYS/broker/connection/far/state", "1"]])
    const a = await client(here.ports["tcp"]!, "down/#")
    const b = await client(there.ports["tcp"]!, "site/up/#")
    await Promise.all(
      ([0, 1, 2] as const).flatMap((qos) => [
        a.client.publishAsync(`up/${qos}`, `${qos}`, { qos }),
        b.client.publishAsync(`site/down/${qos}`, `${qos}`, { qos }),
      ]),
    )
    await until("the messages", () => a.got.length + b.got.length === 6)
    expect(b.got.map(([topic]) => topic).sort()).toEqual(["site/up/0", "site/up/1", "site/up/2"])
    expect(a.got.map(([topic]) => topic).sort()).toEqual(["down/0", "down/1", "down/2"])
  })
})

describe("who it is there", { timeout: 60_000 }, () => {
  const topics = [{ filter: "#", direction: "out", qos: 1 }] as const

  it("a client certificate is its login", async () => {
    const { serverCert: cert, serverKey: key, caCert: ca, clientCert = "", clientKey = "" } = certificates
    const there = await open({ listeners: [{ type: "tls", port: 0, cert, key, ca, clientCertificate: "require" }] })
    const address = `mqtts://localhost:${there.ports["tls"]}`
    const here = await open({ bridges: [{ name: "far", address, topics, ca, cert: clientCert, key: clientKey }] })
    await until("the bridge", () => connected(here))
    expect(there.events.find(({ event }) => event === "client connected")).toMatchObject({
      clientId: "puremq-far",
      user: "bridge-7",
    })
  })

  it("a path that the other broker has not is told", async () => {
    const there = await open({ listeners: [{ type: "ws", port: 0, path: "/site/broker" }] })
    const address = `ws://127.0.0.1:${there.ports["ws"]}/elsewhere`
    const here = await open({ bridges: [{ name: "far", address, topics }] })
    await until("a failure", () => here.events.some(({ event }) => event === "bridge lost"))
    expect(here.events.find(({ event }) => event === "bridge lost")).toMatchObject({
      reason: expect.stringMatching(/404/),
    })
  })

  it("what goes wrong is told with where, why, and when it is tried again", async () => {
    const { serverCert: cert, serverKey: key, caCert: ca } = certificates
    const there = await open({
      listeners: [
        { type: "tls", port: 0, cert, key },
        { type: "tcp", port: 0 },
      ],
      login: { anonymous: false, passwords: "" },
    })
    const bridges: readonly BridgeConfig[] = [
      { name: "stranger", address: `mqtts://localhost:${there.ports["tls"]}`, topics },
      {
        name: "elsewhere",
        address: `mqtts://localhost:${there.ports["tls"]}`,
        topics,
        ca,
        serverName: "other.example",
      },
      { name: "unknown", address: `mqtt://127.0.0.1:${there.ports["tcp"]}`, topics },
      { name: "nobody", address: "mqtt://127.0.0.1:1", topics },
    ]
    const here = await open({ bridges })
    const lost = (name: string) =>
      here.events.find((event) => event.event === "bridge lost" && event.bridge === name) as
        | { reason: string }
        | undefined
    await until("four failures", () => bridges.every(({ name }) => lost(name) !== undefined))
    expect(Object.fromEntries(bridges.map(({ name }) => [name, lost(name)?.reason]))).toMatchInlineSnapshot(`
      {
        "elsewhere": "the certificate of CN=localhost is refused: the certificate is for DNS:localhost, IP:127.0.0.1, not for other.example; connect by a name that it has, or issue one for this name",
        "nobody": "connect ECONNREFUSED 127.0.0.1:1",
        "stranger": "the certificate of CN=localhost is refused: its issuer is neither trusted nor in the chain; send the missing intermediate, or trust its root",
        "unknown": "the broker refused the connection: not authorized",
      }
    `)
  })
})

it("a start that fails ends the bridges", { timeout: 60_000 }, async () => {
  const there = await open({ listeners: [tcp] })
  const taken = await open({ metrics: { port: 0 } })
  const bridge = {
    name: "far",
    address: `mqtt://127.0.0.1:${there.ports["tcp"]}`,
    retryMinimum: 100,
    retryMaximum: 100,
  }
  const topics = [{ filter: "#", direction: "out" }] as const
  const failing = createBroker({
    listeners: [tcp],
    sysInterval: 0,
    bridges: [{ ...bridge, topics }],
    metrics: { port: taken.ports["metrics"]! },
  })
  await expect(failing.listen()).rejects.toThrow(/the port is taken/)
  // As long as several attempts: nobody comes, or whoever came has gone.
  await new Promise((resolve) => setTimeout(resolve, 600))
  const { length } = there.events.filter(({ event }) => event === "client connected")
  expect(length).toBeLessThanOrEqual(1)
  expect(there.broker.stats().connections).toBe(0)
})

it("is seen: in the admin API, in the metrics, and in the log", { timeout: 60_000 }, async () => {
  const there = await open({ listeners: [tcp], limits: { maximumPacketSize: 2000 } })
  const world = await AdminWorld.start({
    bridges: [
      {
        name: "far",
        address: `mqtt://127.0.0.1:${there.ports["tcp"]}`,
        topics: [{ filter: "up/#", direction: "out", qos: 1 }],
      },
      { name: "nobody", address: "mqtt://127.0.0.1:1", topics: [{ filter: "kept/#", direction: "out", qos: 1 }] },
    ],
  })
  try {
    await until("the bridge", () => world.events.some(({ event }) => event === "bridge connected"))
    await until("the failure", () => world.events.some(({ event }) => event === "bridge lost"))
    const a = await world.client("a")
    await a.publishAsync("up/small", "1", { qos: 1 })
    await a.publishAsync("up/large", "x".repeat(3000), { qos: 1 })
    await a.publishAsync("kept/one", "1", { qos: 1 })
    await until("an event", () => world.events.some(({ event }) => event === "bridge dropped"))
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT.+Z$/)
    expect(await world.get("/bridges")).toEqual([
      {
        name: "far",
        address: `mqtt://127.0.0.1:${there.ports["tcp"]}`,
        connected: true,
        since: time,
        handedOn: { out: 1, in: 0 },
        dropped: { out: { "packet too large": 1 }, in: {} },
        waiting: 0,
        failures: 0,
      },
      {
        name: "nobody",
        address: "mqtt://127.0.0.1:1",
        connected: false,
        handedOn: { out: 0, in: 0 },
        dropped: { out: {}, in: {} },
        waiting: 1,
        failures: expect.any(Number),
        lastFailure: { at: time, reason: "connect ECONNREFUSED 127.0.0.1:1" },
      },
    ])
    const text = toPrometheus(world.broker.stats())
    for (const line of [
      'puremq_bridge_connected{bridge="far"} 1',
      'puremq_bridge_connected{bridge="nobody"} 0',
      'puremq_bridge_messages_total{bridge="far",direction="out"} 1',
      'puremq_bridge_messages_dropped_total{bridge="far",direction="out",reason="packet too large"} 1',
      'puremq_bridge_waiting_messages{bridge="nobody"} 1',
    ])
      expect(text).toContain(`\n${line}\n`)
    expect(world.events.find(({ event }) => event === "bridge dropped")).toMatchObject({
      bridge: "far",
      to: `127.0.0.1:${there.ports["tcp"]}`,
      direction: "out",
      topic: "up/large",
      reason: expect.stringMatching(/^the message makes a packet of \d+ bytes; the broker takes 2000 at most$/),
    })
  } finally {
    await world.close()
  }
})

it("a session of a bridge is nobody else's", { timeout: 60_000 }, async () => {
  const here = await open({
    listeners: [tcp],
    bridges: [{ name: "far", address: "mqtt://127.0.0.1:1", topics: [{ filter: "#", direction: "out" }] }],
  })
  expect(here.broker.stats().sessions).toBe(1)
  const thief = mqtt.connect(`mqtt://127.0.0.1:${here.ports["tcp"]}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    clientId: "$bridge/far",
    clean: false,
  })
  clients.push(thief)
  const error = await new Promise((resolve) => thief.once("error", resolve))
  expect(error).toMatchObject({ code: 0x85 })
})

// Whoever has waited for the broker publishes in the moment in which it listens: there must be a session that takes it.
it("what is published as soon as anybody can connect is handed on", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "puremq-"))
  folders.push(directory)
  const secure = { cert: certificates.serverCert, key: certificates.serverKey }
  const there = await open({ listeners: [tcp] })
  const subscriber = await client(there.ports["tcp"]!, "#")
  const first = await open({ listeners: [tcp] })
  const port = first.ports["tcp"]!
  await first.broker.close()
  const publisher = mqtt.connect(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5, reconnectPeriod: 1 })
  clients.push(publisher)
  publisher.on("error", () => undefined)
  const published = publisher.publishAsync("t", "early", { qos: 1 })
  await until("an attempt in vain", () => publisher.reconnecting)
  const address = `mqtt://127.0.0.1:${there.ports["tcp"]}`
  await open({
    // The first of them listens for a while before the last does.
    listeners: [
      { type: "tcp", port },
      ...Array.from({ length: 20 }, () => ({ type: "tls", port: 0, ...secure }) as const),
    ],
    store: { type: "files", directory },
    bridges: [{ name: "far", address, topics: [{ filter: "#", direction: "out", qos: 2 }] }],
  })
  await published
  await until("the message", () => subscriber.got.length > 0)
  expect(subscriber.got).toEqual([["t", "early"]])
})

it("what is published while the other broker has never been there waits", { timeout: 60_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "puremq-"))
  folders.push(directory)
  const config: BrokerConfig = { listeners: [tcp], store: { type: "files", directory } }
  const before = await open(config)
  const kept = { clientId: "kept", clean: false, properties: { sessionExpiryInterval: 1000 } }
  const port = before.ports["tcp"]!
  await client(port, "#", kept)
  await before.broker.close()
  const here = await open({
    listeners: [tcp],
    bridges: [
      {
        name: "far",
        address: `mqtt://127.0.0.1:${port}`,
        retryMinimum: 100,
        retryMaximum: 200,
        topics: [{ filter: "#", direction: "out", qos: 2 }],
      },
    ],
  })
  await until("an attempt", () => here.events.some(({ event }) => event === "bridge lost"))
  const a = await client(here.ports["tcp"]!)
  for (let i = 0; i < 100; i++) await a.client.publishAsync("t", `${i}`, { qos: 2 })
  await open({ ...config, listeners: [{ type: "tcp", port }] })
  const b = await client(port, undefined, kept)
  await until("all of them", () => b.got.length === 100)
  expect(b.got.map(([, text]) => text)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`))
})
