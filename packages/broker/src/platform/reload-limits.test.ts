// A running broker is given other limits: MQTT.js on TCP and WebSocket.

import { once } from "node:events"
import { connect as connectTcp } from "node:net"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type IConnackPacket, type MqttClient } from "mqtt"
import { afterAll, expect, it } from "vitest"
import { createWebSocketStream, WebSocket } from "ws"
import type { LogEvent } from "../admin/log.ts"
import { type BrokerConfig, ConfigError } from "../config/config.ts"
import { createBroker, type PureMqBroker } from "./node.ts"

const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const brokers: PureMqBroker[] = []
const clients: MqttClient[] = []
afterAll(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await Promise.all(brokers.map((broker) => broker.close()))
})

async function start(config: BrokerConfig): Promise<{ broker: PureMqBroker; ports: number[]; told: () => string[] }> {
  const events: LogEvent[] = []
  const listeners = [{ type: "tcp", port: 0 } as const, { type: "ws", port: 0 } as const]
  const broker = createBroker({ sysInterval: 0, listeners, onEvent: (event) => events.push(event), ...config })
  brokers.push(broker)
  const ports = (await broker.listen()).map(({ port }) => port)
  const told = () => events.flatMap((one) => (one.event === "reloaded" || one.event === "unchanged" ? [one.text] : []))
  return { broker, ports, told }
}

async function open(
  transport: "tcp" | "tls" | "ws",
  port = 0,
): Promise<{ client: MqttClient; connack: IConnackPacket }> {
  const stream = () =>
    transport === "tcp"
      ? connectTcp(port, "127.0.0.1")
      : transport === "tls"
        ? connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: pem.caCert })
        : createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}`, ["mqtt"]))
  const client = new mqtt.MqttClient(stream, { reconnectPeriod: 0, protocolVersion: 5 })
  clients.push(client)
  return new Promise((resolve, reject) => {
    client.once("connect", (connack) => resolve({ client, connack }))
    client.once("error", reject)
    client.once("close", () => reject(new Error("closed")))
  })
}

const closed = (client: MqttClient): Promise<number | undefined> =>
  new Promise((resolve) => {
    let code: number | undefined
    client.once("disconnect", ({ reasonCode }) => {
      code = reasonCode
    })
    client.once("close", () => resolve(code))
  })

it("the log names what changed; what is left out has its default again", async () => {
  const { broker, told } = await start({ limits: { maximumPublishRate: 5, receiveMaximum: 9, maximumTopicLevels: 7 } })
  broker.reload({ limits: { maximumPublishRate: 50, maximumRetainedMessagesPerOwner: 20, receiveMaximum: 9 } })
  broker.reload({ limits: { maximumPublishRate: 50, maximumRetainedMessagesPerOwner: 20, receiveMaximum: 9 } })
  broker.reload({ acl: "all readwrite #" })
  broker.reload({ limits: {} })
  const rules = "access control list: 1 rule"
  expect(told()).toEqual([
    "limits: maximumPublishRate 5 -> 50, maximumRetainedMessagesPerOwner 0 -> 20; 0 open connections stay",
    "0 open connections stay",
    `${rules}, changed; 0 open connections stay`,
    `${rules}, unchanged; limits: receiveMaximum 9 -> 10000 for new connections, maximumPublishRate 50 -> 0, maximumRetainedMessagesPerOwner 20 -> 0; 0 open connections stay`,
  ])
})

it("a limit that is none, and a list of rules that is none, change nothing", async () => {
  const { broker, told } = await start({})
  expect(() => broker.reload({ limits: { maximumConnections: 0 } })).toThrow(ConfigError)
  expect(() => broker.reload({ limits: { maximumConnections: 0 } })).toThrow(/limits\.maximumConnections must be/)
  expect(() => broker.reload({ limits: { maximumConnections: 5 }, acl: "all look" })).toThrow(ConfigError)
  broker.reload({})
  expect(told()).toEqual(["0 open connections stay"])
})

it("connections: those that are there stay, and count; over TCP and WebSocket", async () => {
  const { broker, ports } = await start({})
  const [tcp, ws] = ports
  const [first, second] = [(await open("tcp", tcp)).client, (await open("ws", ws)).client]
  broker.reload({ limits: { maximumConnections: 2 } })
  await expect(open("tcp", tcp)).rejects.toThrow()
  await expect(open("ws", ws)).rejects.toThrow()
  broker.reload({ limits: { maximumConnections: 1 } })
  await first.publishAsync("still", "here", { qos: 1 })
  await second.publishAsync("still", "here", { qos: 1 })
  broker.reload({ limits: {} })
  await open("tcp", tcp)
})

it("what CONNACK has told stays, over WebSocket too: Receive Maximum, Maximum Packet Size", async () => {
  const { broker, ports } = await start({ limits: { maximumPacketSize: 200_000, receiveMaximum: 30 } })
  const old = await open("ws", ports[1])
  broker.reload({ limits: { maximumPacketSize: 1000, receiveMaximum: 3 } })
  const next = await open("ws", ports[1])
  const said = ({ connack: { properties } }: typeof old) => [properties?.maximumPacketSize, properties?.receiveMaximum]
  expect([said(old), said(next)]).toEqual([
    [200_000, 30],
    [1000, 3],
  ])
  // More than a WebSocket frame of the new limit may have.
  await old.client.publishAsync("large", "x".repeat(190_000), { qos: 1 })
  broker.reload({ limits: { maximumPacketSize: 400_000, receiveMaximum: 3 } })
  const last = await open("ws", ports[1])
  await last.client.publishAsync("large", "x".repeat(390_000), { qos: 1 })
})

it("a higher publish rate frees who has to make up for the one before", async () => {
  const { broker, ports } = await start({ limits: { maximumPublishByteRate: 10 } })
  const { client } = await open("tcp", ports[0])
  await client.publishAsync("t", "x".repeat(100_000), { qos: 1 })
  const waits = client.publishAsync("t", "next", { qos: 1 })
  const first = await Promise.race([waits.then(() => "came"), new Promise((resolve) => setTimeout(resolve, 300))])
  expect(first).toBeUndefined() // it would be hours
  broker.reload({ limits: { maximumPublishByteRate: 1_000_000 } })
  await waits
})

it("disconnectRevoked too can be another than at the start", async () => {
  const { broker, ports } = await start({ acl: "all readwrite #" })
  const { client } = await open("tcp", ports[0])
  await client.subscribeAsync("a/#")
  broker.reload({ acl: "all readwrite b/#" })
  await client.publishAsync("b/1", "x", { qos: 1 })
  broker.reload({ acl: "all readwrite #" })
  const end = closed(client)
  broker.reload({ acl: "all readwrite b/#", disconnectRevoked: true })
  expect(await end).toBe(0x87)
})

it("handshakes of a TLS listener: those that are there stay, who waits comes in when there is a place now", async () => {
  const listener = { type: "tls", port: 0, cert: pem.serverCert, key: pem.serverKey } as const
  const listeners = [
    { type: "tcp", port: 0 } as const,
    { ...listener, maxPendingHandshakes: 1, handshakeTimeout: 600_000 },
  ]
  const { broker, ports, told } = await start({ listeners })
  const [, port = 0] = ports
  const silent = connectTcp(port, "127.0.0.1").on("error", () => undefined)
  const pending = () => [broker.stats().handshakesPending, broker.stats().handshakesWaiting].join()
  while (pending() !== "1,0") await new Promise((resolve) => setTimeout(resolve, 5))
  const waits = open("tls", port)
  while (pending() !== "1,1") await new Promise((resolve) => setTimeout(resolve, 5))
  broker.reload({ handshakes: [undefined, { maxPendingHandshakes: 2, handshakeTimeout: 500_000 }] })
  await waits
  expect(pending()).toBe("1,0")
  broker.reload({})
  broker.reload({ handshakes: [undefined, {}] })
  expect(() => broker.reload({ handshakes: [undefined, { maxPendingHandshakes: 0 }] })).toThrow(
    /^listeners\.tls\.maxPendingHandshakes must be a whole number/,
  )
  expect(told()).toEqual([
    "listeners.tls: handshakeTimeout 600000 -> 500000 for new connections, maxPendingHandshakes 1 -> 2; 0 open connections stay",
    "1 open connection stays",
    "listeners.tls: handshakeTimeout 500000 -> 10000 for new connections, maxPendingHandshakes 2 -> 1024; 1 open connection stays",
  ])
  expect(silent.destroyed).toBe(false)
  silent.destroy()
})

it("limits of a listener are others at a reload: who is there stays, and they are told by its name", async () => {
  const office = { type: "tcp", name: "office", port: 0, limits: { maximumConnections: 1 } } as const
  const { broker, ports, told } = await start({ listeners: [office, { type: "tcp", port: 0 }] })
  const [port = 0, other = 0] = ports
  const opened = async (at: number) => {
    const socket = connectTcp(at, "127.0.0.1")
    socket.on("error", () => undefined)
    // CONNECT of MQTT 3.1.1, a clean session without a Client Identifier.
    socket.write(Uint8Array.of(0x10, 12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, 0))
    const [first] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [undefined])])
    return first instanceof Uint8Array ? socket : undefined
  }
  const first = await opened(port)
  expect([first?.destroyed, await opened(port)]).toEqual([false, undefined])
  const elsewhere = await opened(other)
  expect(elsewhere).toBeDefined()
  broker.reload({ listenerLimits: [{ maximumConnections: 2, maximumPacketSize: 1000 }] })
  const changes = "maximumConnections 1 -> 2, maximumPacketSize none -> 1000 for new connections"
  expect(told().at(-1)).toContain(`listeners.office.limits: ${changes}`)
  const second = await opened(port)
  expect([second?.destroyed, await opened(port)]).toEqual([false, undefined])
  expect(() => broker.reload({ listenerLimits: [{ maximumConnections: 0 }] })).toThrow(
    /^listeners\.office\.limits\.maximumConnections must be a whole number/,
  )
  for (const socket of [first, second, elsewhere]) socket?.destroy()
})

it("who gets in through a listener is other at a reload", async () => {
  const local = { type: "tcp", name: "local", port: 0, login: { anonymous: true } } as const
  const { broker, ports, told } = await start({
    listeners: [local, { type: "tcp", name: "other", port: 0 }],
    login: { anonymous: false },
  })
  const [port = 0, other = 0] = ports
  await open("tcp", port)
  await expect(open("tcp", other)).rejects.toThrow(/not authorized/i)
  broker.reload({ listenerLogins: [{}, { anonymous: true }] })
  expect(told().at(-1)).toMatch(
    /^listeners\.local: clients without login: refused now; listeners\.other: clients without login: let in now; /,
  )
  await expect(open("tcp", port)).rejects.toThrow(/not authorized/i)
  await open("tcp", other)
  broker.reload({ login: { anonymous: true } })
  expect(told().at(-1)).toMatch(/^clients without login: let in now; /)
  await open("tcp", port)
})
