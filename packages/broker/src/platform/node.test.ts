// The broker with real clients on real sockets: MQTT.js 5 and Mosquitto's tools, over TCP and WebSocket.

import { execFile } from "node:child_process"
import { connect as connectTcp } from "node:net"
import { Duplex } from "node:stream"
import mqtt, { type IClientOptions, type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { createWebSocketStream, WebSocket } from "ws"
import type { LogEvent } from "../admin/log.ts"
import { ListenError } from "../listen/listener.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "./node.ts"

const events: LogEvent[] = []
let broker: PureMqBroker
let addresses: readonly ListenerAddress[]
const clients: MqttClient[] = []

beforeAll(async () => {
  broker = createBroker({
    listeners: [
      { type: "tcp", port: 0 },
      { type: "ws", port: 0, path: "/mqtt", origins: undefined },
    ],
    metrics: { port: 0 },
    sysInterval: 1,
    onEvent: (event) => events.push(event),
  })
  addresses = await broker.listen()
})
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await broker.close()
})

function portOf(type: string): number {
  return addresses.find((one) => one.type === type)?.port ?? 0
}

/** MQTT.js, connected. Its WebSocket is made here, so that it is the same one with every test runner. */
async function open(url: string, options: IClientOptions = {}): Promise<MqttClient> {
  const client = start(url, options)
  await new Promise((resolve, reject) => {
    client.once("connect", resolve)
    client.once("error", reject)
    client.once("close", () => reject(new Error("closed")))
  })
  return client
}

function start(url: string, options: IClientOptions): MqttClient {
  const whole: IClientOptions = { reconnectPeriod: 0, connectTimeout: 5000, ...options }
  const client = url.startsWith("ws")
    ? new mqtt.MqttClient(() => createWebSocketStream(new WebSocket(url, ["mqtt"])), whole)
    : mqtt.connect(url, whole)
  clients.push(client)
  return client
}

interface Got {
  topic: string
  payload: string
  qos: number
  retain: boolean
}

function messages(client: MqttClient, count: number): Promise<Got[]> {
  return new Promise((resolve) => {
    const list: Got[] = []
    client.on("message", (topic, payload, packet) => {
      list.push({ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain })
      if (list.length === count) resolve(list)
    })
  })
}

const transports = [
  ["tcp", () => `mqtt://127.0.0.1:${portOf("tcp")}`],
  ["ws", () => `ws://127.0.0.1:${portOf("ws")}/mqtt`],
] as const

describe.each(transports)("MQTT.js over %s", (transport, url) => {
  describe.each([4, 5] as const)("protocol version %i", (protocolVersion) => {
    it.each([0, 1, 2] as const)("publishes and receives at QoS %i, in order", async (qos) => {
      const sub = await open(url(), { protocolVersion })
      const pub = await open(url(), { protocolVersion })
      await sub.subscribeAsync(`${transport}/${protocolVersion}/${qos}/#`, { qos: 2 })
      const got = messages(sub, 500)
      const sent = Array.from({ length: 500 }, (_, i) => `m${i}`)
      await Promise.all(
        sent.map((payload, i) => pub.publishAsync(`${transport}/${protocolVersion}/${qos}/${i % 3}`, payload, { qos })),
      )
      const list = await got
      expect(list.map((one) => one.payload)).toEqual(sent)
      expect(list.every((one) => one.qos === qos && !one.retain)).toBe(true)
    })

    it("carries a payload of one megabyte, retained", async () => {
      const topic = `${transport}/${protocolVersion}/large`
      const payload = "0123456789abcdef".repeat(65_536)
      const pub = await open(url(), { protocolVersion })
      await pub.publishAsync(topic, payload, { qos: 1, retain: true })
      const sub = await open(url(), { protocolVersion })
      const got = messages(sub, 1)
      await sub.subscribeAsync(topic, { qos: 1 })
      const [one] = await got
      expect([one?.payload === payload, one?.retain]).toEqual([true, true])
      await pub.publishAsync(topic, "", { retain: true })
    })

    it("publishes the will of a client whose connection breaks", async () => {
      const topic = `${transport}/${protocolVersion}/will`
      const watcher = await open(url(), { protocolVersion })
      const got = messages(watcher, 1)
      await watcher.subscribeAsync(topic, { qos: 2 })
      const client = await open(url(), {
        protocolVersion,
        will: { topic, payload: Buffer.from("gone"), qos: 2, retain: false },
      })
      client.stream.destroy()
      expect(await got).toEqual([{ topic, payload: "gone", qos: 2, retain: false }])
    })

    it("keeps the session and its messages while the client is away", async () => {
      const topic = `${transport}/${protocolVersion}/session`
      const options: IClientOptions = { protocolVersion, clientId: `s-${transport}-${protocolVersion}`, clean: false }
      if (protocolVersion === 5) options.properties = { sessionExpiryInterval: 60 }
      const first = await open(url(), options)
      await first.subscribeAsync(topic, { qos: 1 })
      await first.endAsync()
      const pub = await open(url(), { protocolVersion })
      for (const payload of ["a", "b"]) await pub.publishAsync(topic, payload, { qos: 1 })
      const second = start(url(), options)
      const got = messages(second, 2)
      expect((await got).map((one) => one.payload)).toEqual(["a", "b"])
    })
  })

  it("MQTT 5.0: user properties keep their order of names, request and response find each other", async () => {
    const responder = await open(url(), { protocolVersion: 5 })
    await responder.subscribeAsync(`${transport}/ask`)
    responder.on("message", (_topic, payload, packet) => {
      const { responseTopic, correlationData, userProperties } = packet.properties ?? {}
      if (responseTopic === undefined || correlationData === undefined) return
      responder.publish(responseTopic, `${payload} ${JSON.stringify(userProperties)}`, {
        properties: { correlationData },
      })
    })
    const asker = await open(url(), { protocolVersion: 5 })
    await asker.subscribeAsync(`${transport}/answer`)
    const got = messages(asker, 1)
    await asker.publishAsync(`${transport}/ask`, "ping", {
      properties: {
        responseTopic: `${transport}/answer`,
        correlationData: Buffer.from("7"),
        userProperties: { z: "1", a: ["2", "3"] },
      },
    })
    expect((await got)[0]?.payload).toBe('ping {"z":"1","a":["2","3"]}')
  })
})

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: 15_000 }, (error, stdout, stderr) =>
      error ? reject(new Error(stderr)) : resolve(stdout),
    )
  })
}

const mosquitto = await new Promise<boolean>((resolve) => {
  execFile("mosquitto_sub", ["--help"], (error) =>
    resolve(!(error !== null && "code" in error && error.code === "ENOENT")),
  )
})

// Mosquitto's tools are not on every machine; where they are missing this says so.
describe.skipIf(!mosquitto)("mosquitto_pub and mosquitto_sub", () => {
  it.each(["mqttv311", "mqttv5"])("%s: QoS 0, 1, 2, retained and will", async (version) => {
    const base = ["-h", "127.0.0.1", "-p", String(portOf("tcp")), "-V", version]
    const topic = `mosquitto/${version}`
    await run("mosquitto_pub", [...base, "-t", `${topic}/kept`, "-m", "kept", "-r", "-q", "1"])
    const output = run("mosquitto_sub", [
      ...base,
      "-q",
      "2",
      "-t",
      `${topic}/#`,
      "-C",
      "5",
      "-W",
      "10",
      "-F",
      "%t %q %r %p",
    ])
    await until(
      () =>
        broker.stats().subscriptions > 0 &&
        events.some((event) => event.event === "client connected" && event.clientId.startsWith("auto-")),
    )
    await new Promise((resolve) => setTimeout(resolve, 200))
    for (const qos of ["0", "1", "2"])
      await run("mosquitto_pub", [...base, "-q", qos, "-t", `${topic}/x`, "-m", `hello ${qos}`])
    const client = await open(`mqtt://127.0.0.1:${portOf("tcp")}`, {
      will: { topic: `${topic}/will`, payload: Buffer.from("bye"), qos: 1, retain: false },
    })
    client.stream.destroy()
    const lines = (await output).trim().split("\n")
    expect(lines.slice(0, 3)).toEqual([`${topic}/kept 1 1 kept`, `${topic}/x 0 0 hello 0`, `${topic}/x 1 0 hello 1`])
    // A message of QoS 2 is shown at its PUBREL, and the will is another client's: no order binds these two.
    expect(lines.slice(3).sort()).toEqual([`${topic}/will 1 0 bye`, `${topic}/x 2 0 hello 2`])
  })
})

async function until(condition: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!condition()) {
    if (Date.now() > end) throw new Error("it did not happen in ten seconds")
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

describe("WebSocket (chapter 6)", () => {
  const status = (path: string, protocols: string[]): Promise<number> =>
    new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${portOf("ws")}${path}`, protocols)
      socket.on("unexpected-response", (_request, response) => {
        resolve(response.statusCode ?? 0)
        socket.terminate()
      })
      socket.on("error", () => undefined)
      socket.on("open", () => {
        resolve(socket.protocol === "mqtt" ? 101 : -1)
        socket.terminate()
      })
    })

  it("[MQTT-6.0.0-3] [MQTT-6.0.0-4] speaks subprotocol mqtt at its path and nothing else", async () => {
    expect(await status("/mqtt", ["mqtt"])).toBe(101)
    expect(await status("/mqtt", ["other", "mqtt"])).toBe(101)
    expect(await status("/mqtt", ["other"])).toBe(400)
    expect(await status("/mqtt", [])).toBe(400)
    expect(await status("/elsewhere", ["mqtt"])).toBe(404)
    expect((await fetch(`http://127.0.0.1:${portOf("ws")}/mqtt`)).status).toBe(426)
  })

  it("[MQTT-6.0.0-1] a text frame closes the connection", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${portOf("ws")}/mqtt`, ["mqtt"])
    const code = await new Promise<number>((resolve) => {
      socket.on("open", () => socket.send("text"))
      socket.on("close", resolve)
    })
    expect(code).toBe(1003)
  })

  it("[MQTT-6.0.0-2] packets may be cut into frames anywhere", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${portOf("ws")}/mqtt`, ["mqtt"])
    const bytes = [0x10, 13, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x77, 0xc0, 0]
    const answer = await new Promise<Buffer>((resolve) => {
      const parts: Buffer[] = []
      socket.on("open", () => {
        for (const byte of bytes) socket.send(Uint8Array.of(byte))
      })
      socket.on("message", (data: Buffer) => {
        parts.push(data)
        if (Buffer.concat(parts).length === 6) resolve(Buffer.concat(parts))
      })
    })
    expect([...answer]).toEqual([0x20, 2, 0, 0, 0xd0, 0])
    socket.terminate()
  })
})

describe("the program's own side", () => {
  it("$SYS topics come by themselves", async () => {
    const client = await open(`mqtt://127.0.0.1:${portOf("tcp")}`)
    const got = messages(client, 1)
    await client.subscribeAsync("$SYS/broker/version")
    expect((await got)[0]?.payload).toMatch(/^puremq version \d/)
  })

  it("metrics are served", async () => {
    const text = await (await fetch(`http://127.0.0.1:${portOf("metrics")}/metrics`)).text()
    expect(text).toMatch(/^puremq_connects_accepted_total [1-9]/m)
  })

  it("attach serves any stream; publish reaches its clients", async () => {
    const [ours, theirs] = pair()
    broker.attach(ours, { address: "in-process" })
    const client = new mqtt.MqttClient(() => theirs, { reconnectPeriod: 0, protocolVersion: 5 })
    clients.push(client)
    await new Promise((resolve) => client.once("connect", resolve))
    await client.subscribeAsync("own/#", { qos: 1 })
    const got = messages(client, 1)
    broker.publish("own/x", "hello", { qos: 1 })
    expect(await got).toEqual([{ topic: "own/x", payload: "hello", qos: 1, retain: false }])
    expect(events).toContainEqual(
      expect.objectContaining({ event: "client connected", peer: expect.objectContaining({ address: "in-process" }) }),
    )
  })

  it("a garbage client costs one line and nothing else", async () => {
    const before = broker.stats().connections
    const socket = connectTcp(portOf("tcp"), "127.0.0.1")
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await new Promise((resolve) => socket.on("close", resolve))
    expect(events.at(-1)).toMatchObject({ event: "client refused", reason: expect.stringContaining("speaks HTTP") })
    await until(() => broker.stats().connections <= before)
  })

  it("a taken port is one clear error, and leaves nothing open", async () => {
    const second = createBroker({
      listeners: [
        { type: "tcp", port: 0 },
        { type: "tcp", port: portOf("tcp") },
      ],
    })
    const failed = second.listen()
    await expect(failed).rejects.toThrow(ListenError)
    await expect(failed).rejects.toThrow(/cannot listen for tcp-2 on 127\.0\.0\.1:\d+: the port is taken/)
    await second.close()
  })

  it("close tells MQTT 5.0 clients (0x8B) and resolves", async () => {
    const short = createBroker({
      listeners: [
        { type: "tcp", port: 0 },
        { type: "ws", port: 0 },
      ],
    })
    const [tcp, ws] = await short.listen()
    const codes: unknown[] = []
    for (const url of [`mqtt://127.0.0.1:${tcp?.port}`, `ws://127.0.0.1:${ws?.port}`]) {
      const client = await open(url, { protocolVersion: 5 })
      client.on("disconnect", (packet) => codes.push(packet.reasonCode))
    }
    const start = Date.now()
    await short.close()
    expect(Date.now() - start).toBeLessThan(1600)
    await until(() => codes.length === 2)
    expect(codes).toEqual([0x8b, 0x8b])
  })
})

/** Two ends of one stream in memory. */
function pair(): [Duplex, Duplex] {
  const make = (other: () => Duplex) =>
    new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        other().push(chunk)
        done()
      },
      final(done) {
        other().push(null)
        done()
      },
    })
  const left: Duplex = make(() => right)
  const right: Duplex = make(() => left)
  return [left, right]
}
