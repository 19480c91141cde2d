// A defect behind an entry of a transport ends that connection, is told once with its stack, and nobody else notices.

import { once } from "node:events"
import { connect as connectTcp } from "node:net"
import { Duplex } from "node:stream"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type MqttClient } from "mqtt"
import { afterEach, describe, expect, it, vi } from "vitest"
import { createWebSocketStream, WebSocket } from "ws"
import type { LogEvent } from "../admin/log.ts"
import { Connection } from "../client/connection.ts"
import type { ListenerConfig } from "../config/config.ts"
import { Broker } from "../hub/broker.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"
import type { BrokerFault } from "../ports/events.ts"
import { Boundary } from "./boundary.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const kinds = ["tcp", "tls", "ws", "wss"] as const
type Kind = (typeof kinds)[number]
let broker: PureMqBroker | undefined
const clients: MqttClient[] = []
const events: LogEvent[] = []

afterEach(async () => {
  vi.restoreAllMocks()
  for (const client of clients.splice(0)) await client.endAsync(true)
  await broker?.close()
  events.length = 0
})

async function start(type: Kind): Promise<number> {
  const tls = type === "tls" || type === "wss" ? { cert: pem.serverCert, key: pem.serverKey } : {}
  broker = createBroker({
    listeners: [{ type, port: 0, ...tls } as ListenerConfig],
    sysInterval: 0,
    onEvent: (event) => events.push(event),
  })
  return (await broker.listen())[0]!.port
}

function streamTo(type: Kind, port: number): Duplex {
  const host = "127.0.0.1"
  if (type === "tcp") return connectTcp({ host, port })
  if (type === "tls") return connectTls({ host, port, ca: pem.caCert, servername: "localhost" })
  const socket = new WebSocket(`${type}://localhost:${port}`, ["mqtt"], { ca: pem.caCert })
  const stream = createWebSocketStream(socket)
  socket.once("close", () => stream.destroy())
  return stream
}

async function client(type: Kind, port: number, clientId: string): Promise<MqttClient> {
  const one = new mqtt.MqttClient(() => streamTo(type, port) as never, { reconnectPeriod: 0, clientId })
  clients.push(one)
  one.on("error", () => undefined)
  await new Promise((resolve) => one.once("connect", resolve))
  return one
}

function faults(): BrokerFault[] {
  return events.filter((event) => event.event === "fault")
}

describe.each(kinds)("over %s", (type) => {
  it("a defect in receive", async () => {
    const port = await start(type)
    const [victim, neighbour] = [await client(type, port, "victim"), await client(type, port, "neighbour")]
    const { receive } = Connection.prototype
    vi.spyOn(Connection.prototype, "receive").mockImplementation(function (this: Connection, bytes, now) {
      if (Buffer.from(bytes).includes("break it")) throw new TypeError("a defect")
      receive.call(this, bytes, now)
    })
    const closed = new Promise<void>((resolve) => victim.once("close", () => resolve()))
    victim.publish("a", "break it")
    await closed
    await neighbour.publishAsync("a", "x", { qos: 1 })
    expect(faults()).toHaveLength(1)
    expect(faults()[0]).toMatchObject({
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      stack: expect.stringMatching(/^TypeError: a defect\n {4}at .*boundary\.test\.ts/),
    })
    expect(broker!.stats()).toMatchObject({ faults: 1, disconnects: { "internal error": 1 }, clientsConnected: 1 })
  })

  it("a defect where a connection is taken", async () => {
    const port = await start(type)
    const neighbour = await client(type, port, "neighbour")
    const spy = vi.spyOn(Broker.prototype, "accept").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    const victim = streamTo(type, port)
    victim.on("error", () => undefined).resume()
    await once(victim, "close")
    spy.mockRestore()
    await neighbour.publishAsync("a", "x", { qos: 1 })
    expect(faults()).toHaveLength(1)
  })

  it("a defect in what is told of the end", async () => {
    const port = await start(type)
    const [victim, neighbour] = [await client(type, port, "victim"), await client(type, port, "neighbour")]
    const spy = vi.spyOn(Connection.prototype, "transportClosed").mockImplementation(() => {
      throw new TypeError("a defect")
    })
    victim.stream.destroy()
    while (faults().length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    spy.mockRestore()
    await neighbour.publishAsync("a", "x", { qos: 1 })
    expect(faults()).toHaveLength(1)
  })
})

describe("timers", () => {
  it("a defect in a turn's flush or in the tick of a second is told, and the broker goes on", async () => {
    const port = await start("tcp")
    const one = await client("tcp", port, "one")
    let times = 0
    const { flush } = Broker.prototype
    vi.spyOn(Broker.prototype, "flush").mockImplementation(function (this: Broker, now) {
      flush.call(this, now)
      if (times++ === 0) throw new TypeError("a defect")
    })
    await one.publishAsync("a", "x", { qos: 1 })
    await one.publishAsync("a", "x", { qos: 1 })
    expect(faults()).toHaveLength(1)
  })
})

describe("the boundary", () => {
  it("ends and tells once, gives the answer for the case, and never throws, whoever else does", () => {
    const told: unknown[] = []
    let ended = 0
    const boundary = new Boundary(
      (error) => {
        told.push(error)
        throw new Error("of whoever is told")
      },
      "192.0.2.1:1",
      () => {
        ended++
        throw new Error("of the end")
      },
    )
    const fail = () => {
      throw new Error("first")
    }
    expect(boundary.run(fail, "otherwise")).toBe("otherwise")
    boundary.handler(fail)()
    expect(boundary.run(() => "fine", "otherwise")).toBe("fine")
    expect(told).toMatchObject([{ message: "first" }])
    expect(ended).toBe(2)
  })

  it("a stream of the embedding program that throws when it is written to is destroyed", async () => {
    await start("tcp")
    const stream = new Duplex({
      read: () => undefined,
      write() {
        throw new TypeError("a defect")
      },
    })
    broker!.attach(stream)
    stream.push(Buffer.from("100d00044d51545404020000000161", "hex"))
    await once(stream, "close")
    expect(faults()).toHaveLength(1)
  })
})
