// The broker on PureMQ's own TLS 1.3, with clients that nobody here wrote: MQTT.js on node:tls, Mosquitto's tools, ws.

import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { connect as connectOwn } from "@puremq/tls13/node"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createWebSocketStream, WebSocket } from "ws"
import { TestBroker } from "../../tests/harness.ts"
import type { LogEvent } from "../admin/log.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "../platform/node.ts"
import { createTlsListener, type TlsServerLike } from "./tls.ts"

const made = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "device-7",
  now: Date.now(),
})
const events: LogEvent[] = []
const clients: MqttClient[] = []
let broker: PureMqBroker
let addresses: readonly ListenerAddress[] = []
let folder = ""
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "puremq-"))
  writeFileSync(file("ca.pem"), made.caCert)
  writeFileSync(file("client.pem"), made.clientCert ?? "")
  writeFileSync(file("client-key.pem"), made.clientKey ?? "")
  const tls = { cert: made.serverCert, key: made.serverKey }
  broker = createBroker({
    listeners: [
      { type: "tls", port: 0, ...tls, handshakeTimeout: 1000 },
      { type: "tls", port: 0, ...tls, ca: made.caCert, clientCertificate: "require" },
      { type: "wss", port: 0, ...tls, provider: "host" },
    ],
    acl: "user device-7 readwrite own/%u/#\nanonymous readwrite #",
    sysInterval: 0,
    onEvent: (event) => events.push(event),
  })
  addresses = await broker.listen()
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await broker.close()
  rmSync(folder, { recursive: true })
})

async function open(start: (options: IClientOptions) => MqttClient, options: IClientOptions = {}): Promise<MqttClient> {
  const client = start({ reconnectPeriod: 0, ca: made.caCert, ...options })
  clients.push(client)
  await new Promise((resolve, reject) => {
    client.once("connect", resolve)
    client.once("error", reject)
    client.once("close", () => reject(new Error("closed")))
  })
  return client
}

const ways: [string, (options: IClientOptions) => MqttClient][] = [
  ["node:tls", (options) => mqtt.connect(`mqtts://localhost:${addresses[0]?.port}`, options)],
  [
    "our own client",
    (options) =>
      new mqtt.MqttClient(
        () => connectOwn({ host: "127.0.0.1", port: addresses[0]?.port ?? 0, ca: made.caCert }),
        options,
      ),
  ],
  [
    "wss",
    (options) =>
      new mqtt.MqttClient(
        () =>
          createWebSocketStream(new WebSocket(`wss://localhost:${addresses[2]?.port}`, ["mqtt"], { ca: made.caCert })),
        options,
      ),
  ],
]

describe.each(ways)("MQTT.js over %s", (_name, start) => {
  it.each([4, 5] as const)("protocol version %i: QoS 0, 1, 2 and a large retained message", async (protocolVersion) => {
    const sub = await open(start, { protocolVersion })
    const pub = await open(start, { protocolVersion })
    const topic = `tls/${_name}/${protocolVersion}`
    await sub.subscribeAsync(`${topic}/#`, { qos: 2 })
    const large = "x".repeat(200_000)
    const got = new Promise<string[]>((resolve) => {
      const list: string[] = []
      sub.on("message", (_topic, payload, packet) => {
        list.push(`${packet.qos} ${payload.length}`)
        if (list.length === 4) resolve(list)
      })
    })
    for (const qos of [0, 1, 2] as const) await pub.publishAsync(`${topic}/${qos}`, "hello", { qos })
    await pub.publishAsync(`${topic}/large`, large, { qos: 1, retain: true })
    expect(await got).toEqual(["0 5", "1 5", "2 5", "1 200000"])
  })
})

describe("names of application protocols (RFC 7301 section 3.2)", () => {
  let named: PureMqBroker
  const ports: number[] = []
  beforeAll(async () => {
    const tls = { type: "tls", port: 0, cert: made.serverCert, key: made.serverKey } as const
    named = createBroker({
      listeners: [
        tls,
        { ...tls, alpn: ["x-amzn-mqtt-ca", "mqtt"] },
        { ...tls, alpn: ["x-amzn-mqtt-ca"] },
        { ...tls, alpn: [] },
      ],
      sysInterval: 0,
    })
    for (const { port } of await named.listen()) ports.push(port)
  })
  afterAll(() => named.close())

  it.each<[string, number, string[] | undefined, string]>([
    ["mqtt, where nothing is said", 0, ["mqtt"], "mqtt"],
    ["another name, where nothing is said", 0, ["x-amzn-mqtt-ca"], "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"],
    ["no name, where nothing is said", 0, undefined, "none"],
    ["the first of the list that the client has", 1, ["mqtt", "x-amzn-mqtt-ca"], "x-amzn-mqtt-ca"],
    ["one that both have", 1, ["http/1.1", "mqtt"], "mqtt"],
    ["none in common", 1, ["http/1.1"], "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"],
    ["mqtt, which the list has not", 2, ["mqtt"], "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL"],
    ["no name, with a list", 2, undefined, "none"],
    ["any name, with an empty list", 3, ["http/1.1"], "none"],
  ])("%s", async (_what, at, ALPNProtocols, outcome) => {
    const seen = await new Promise((resolve) => {
      const socket = connectTls({
        host: "127.0.0.1",
        port: ports[at] ?? 0,
        ca: made.caCert,
        ...(ALPNProtocols !== undefined && { ALPNProtocols }),
      })
      socket.on("error", (error) => resolve("code" in error ? error.code : error))
      // What is refused is told after the client has finished its part: an answer to CONNECT is the proof of the contrary.
      socket.on("secureConnect", () =>
        socket.write(Uint8Array.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 0)),
      )
      socket.once("data", () => {
        resolve(socket.alpnProtocol || "none")
        socket.destroy()
      })
    })
    expect(seen).toBe(outcome)
  })
})

describe("client certificates", () => {
  it("are a login: the ACL knows the name, the log tells it", async () => {
    const start = (options: IClientOptions) => mqtt.connect(`mqtts://localhost:${addresses[1]?.port}`, options)
    const client = await open(start, {
      cert: made.clientCert ?? "",
      key: made.clientKey ?? "",
      protocolVersion: 5,
      clientId: "cert",
    })
    expect(await client.subscribeAsync("own/device-7/#")).toMatchObject([{ qos: 0 }])
    await expect(client.subscribeAsync("own/device-8/#")).rejects.toThrow(/not authorized/i)
    expect(events).toContainEqual(
      expect.objectContaining({ event: "client connected", clientId: "cert", user: "device-7" }),
    )
  })

  it("are required where the listener says so", async () => {
    const start = (options: IClientOptions) => mqtt.connect(`mqtts://localhost:${addresses[1]?.port}`, options)
    await expect(open(start)).rejects.toThrow()
    await until(() => events.some((event) => event.event === "tls failure" && event.alert === "certificate_required"))
  })
})

describe("the log", () => {
  it("has a line a handshake", () => {
    expect(events).toContainEqual(
      expect.objectContaining({
        event: "tls handshake",
        peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        offered: expect.stringContaining("TLSv1.3"),
        agreed: "TLSv1.3",
        suite: expect.stringMatching(/^TLS_/),
        group: expect.any(String),
        resumed: false,
        milliseconds: expect.any(Number),
      }),
    )
  })

  it("says why a TLS 1.2 client is refused", async () => {
    const code = await new Promise<string>((resolve) => {
      const socket = connectTls({
        port: addresses[0]?.port ?? 0,
        host: "127.0.0.1",
        maxVersion: "TLSv1.2",
        ca: made.caCert,
      })
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""))
    })
    expect(code).toMatch(/PROTOCOL_VERSION/)
    const line = events.findLast((event) => event.event === "tls failure")
    expect(line).toMatchObject({
      fault: "client",
      alert: "protocol_version",
      reason: expect.stringContaining("TLS 1.2"),
    })
  })

  it("says why an HTTP client is refused", async () => {
    const socket = connectTcp(addresses[0]?.port ?? 0, "127.0.0.1")
    socket.write("GET / HTTP/1.1\r\n\r\n")
    socket.resume()
    await new Promise((resolve) => socket.on("close", resolve))
    expect(events.findLast((event) => event.event === "tls failure")).toMatchObject({
      fault: "client",
      reason: expect.stringMatching(/HTTP/),
    })
  })

  it("counts failures by reason", () => {
    const { handshakes, handshakeFailures } = broker.stats()
    expect(handshakes).toBeGreaterThan(5)
    expect(handshakeFailures["protocol_version"]).toBe(1)
  })
})

it("a renewed certificate is used for new handshakes, and one that cannot be used changes nothing", async () => {
  const next = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  const fingerprint = () =>
    new Promise<string>((resolve, reject) => {
      const socket = connectTls({ port: addresses[0]?.port ?? 0, host: "127.0.0.1", rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().fingerprint256)
        socket.destroy()
      })
      socket.on("error", reject)
    })
  const before = await fingerprint()
  expect(() => broker.renewCertificate({ cert: next.serverCert, key: made.serverKey })).toThrow(
    /cannot use certificate/,
  )
  expect(await fingerprint()).toBe(before)
  broker.renewCertificate({ cert: next.serverCert, key: next.serverKey })
  expect(await fingerprint()).not.toBe(before)
  broker.renewCertificate({ cert: made.serverCert, key: made.serverKey })
  expect(await fingerprint()).toBe(before)
})

it("a handshake that does not go on is ended at the timeout, and good clients come in meanwhile", async () => {
  const stuck = connectTcp(addresses[0]?.port ?? 0, "127.0.0.1")
  const gone = new Promise((resolve) => stuck.on("close", resolve))
  stuck.write(Uint8Array.of(0x16, 3, 1, 1))
  stuck.resume()
  const start = performance.now()
  await open(ways[0]![1])
  expect(performance.now() - start).toBeLessThan(1000)
  expect(broker.stats().handshakesPending).toBe(1)
  await gone
  expect(performance.now() - start).toBeLessThan(5000)
  await expect.poll(() => broker.stats().handshakesPending).toBe(0)
})

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 15_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${stderr}${error.message}`)) : resolve(stdout),
    )
  })
}

const mosquitto = await new Promise<boolean>((resolve) => {
  execFile("mosquitto_sub", ["--help"], (error) =>
    resolve(!(error !== null && "code" in error && error.code === "ENOENT")),
  )
})

// Mosquitto's tools are not on every machine.
describe.skipIf(!mosquitto)("mosquitto_pub and mosquitto_sub --cafile", () => {
  it.each(["mqttv311", "mqttv5"])("%s, with and without --cert and --key", async (version) => {
    for (const withCert of [false, true]) {
      const port = addresses[withCert ? 1 : 0]?.port
      const base = ["-h", "localhost", "-p", String(port), "-V", version, "--cafile", file("ca.pem")]
      if (withCert) base.push("--cert", file("client.pem"), "--key", file("client-key.pem"))
      const topic = `own/device-7/${version}`
      await run("mosquitto_pub", [...base, "-t", `${topic}/kept`, "-m", "kept", "-r", "-q", "1"])
      const before = broker.stats().subscriptions
      const output = run("mosquitto_sub", [
        ...base,
        "-q",
        "2",
        "-t",
        `${topic}/#`,
        "-C",
        "4",
        "-W",
        "10",
        "-F",
        "%t %q %r %p",
      ])
      await until(() => broker.stats().subscriptions > before)
      for (const qos of ["0", "1", "2"])
        await run("mosquitto_pub", [...base, "-q", qos, "-t", `${topic}/x`, "-m", `hello ${qos}`])
      const wanted = ["0", "1", "2"].map((qos) => `${topic}/x ${qos} 0 hello ${qos}`)
      expect((await output).trim().split("\n")).toEqual([`${topic}/kept 1 1 kept`, ...wanted])
    }
  })
})

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error("it did not happen in ten seconds")
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

it("a renewal without a list of revocations keeps the one there is; with none it goes, and undone it comes back", () => {
  const given: { crl?: string | undefined }[] = []
  const server = {
    on: () => server,
    emit: () => true,
    setSecureContext: (options: { crl?: string | undefined }) => given.push(options),
  }
  const limits = {
    handshakeTimeout: 1,
    maxPendingHandshakes: 1,
    maxPendingHandshakesPerAddress: 1,
    maxWaitingHandshakes: 1,
    maxWaitingHandshakesPerAddress: 1,
    handshakeWaitTimeout: 1,
  }
  const options = { ...limits, host: "127.0.0.1", port: 0, cert: "C", key: "K", ca: "A", crl: "L" }
  const context = { broker: new TestBroker().broker, onHandshake() {}, onFault() {}, onRefused() {} }
  const make = () => server as unknown as TlsServerLike
  const listener = createTlsListener(
    { ...options, clientCertificate: "require", nameOf: undefined },
    undefined,
    context,
    make,
  )
  listener.renew!({ cert: "C2", key: "K2" })
  const before = listener.renew!({ cert: "C3", key: "K3", crl: undefined })
  listener.renew!(before)
  expect(given.map(({ crl }) => crl)).toEqual(["L", undefined, "L"])
})

it("tickets that all nodes have are used where there are no keys of the listener's own, until a renewal brings some", () => {
  const calls: unknown[] = []
  const server = {
    on: () => server,
    emit: () => true,
    setSecureContext() {},
    setTicketKeys: (keys: Uint8Array) => calls.push(`keys ${keys.length}`),
    rotateTicketKeys: (forget: boolean) => calls.push(`rotate ${forget}`),
  }
  const limits = {
    handshakeTimeout: 1,
    maxPendingHandshakes: 1,
    maxPendingHandshakesPerAddress: 1,
    maxWaitingHandshakes: 1,
    maxWaitingHandshakesPerAddress: 1,
    handshakeWaitTimeout: 1,
  }
  const ticketKeys = { seal: () => undefined, open: () => undefined }
  const sharedTickets = { ticketKeys, rotate: (forget: boolean) => calls.push(`all rotate ${forget}`) }
  const options = { ...limits, host: "127.0.0.1", port: 0, cert: "C", key: "K", nameOf: undefined, sharedTickets }
  const context = { broker: new TestBroker().broker, onHandshake() {}, onFault() {}, onRefused() {} }
  const make: Parameters<typeof createTlsListener>[3] = (given) => {
    calls.push(given.ticketKeys === ticketKeys ? "all" : "own")
    return server as unknown as TlsServerLike
  }
  const listenerWith = (tickets: { keys?: Uint8Array }) =>
    createTlsListener({ ...options, clientCertificate: "none", tickets }, undefined, context, make)
  listenerWith({ keys: new Uint8Array(48) }).rotateTicketKeys?.(false)
  const listener = listenerWith({})
  listener.rotateTicketKeys?.(true)
  listener.renew?.({ cert: "C2", key: "K2" })
  listener.renew?.({ cert: "C2", key: "K2", ticketKeys: new Uint8Array(96) })
  listener.rotateTicketKeys?.(false)
  expect(calls).toEqual(["own", "rotate false", "all", "all rotate true", "keys 96", "rotate false"])
})
