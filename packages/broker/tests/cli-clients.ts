// A broker with every kind of listener, the command `puremq` to run against it, and a witness that is not ours: MQTT.js.

import { once } from "node:events"
import { existsSync, writeFileSync } from "node:fs"
import { type AddressInfo, createServer, type Server, type Socket } from "node:net"
import { delimiter, join } from "node:path"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import mqtt, { type IClientOptions, type IPublishPacket, type MqttClient } from "mqtt"
import type { LogEvent } from "../src/admin/log.ts"
import type { BrokerConfig } from "../src/config/config.ts"
import { createBroker, type ListenerAddress, type PureMqBroker } from "../src/platform/node.ts"
import { Command, type Ended, type Running } from "./command.ts"

/** For a test that starts processes, on a machine that has other things to do. */
export const patience = 120_000

export interface Message {
  readonly topic: string
  readonly payload: Buffer
  readonly packet: IPublishPacket
}

export class CliWorld {
  readonly command: Command = new Command()
  readonly events: LogEvent[] = []
  readonly #closing: (() => unknown)[] = []
  #addresses: readonly ListenerAddress[] = []
  #first: PureMqBroker | undefined

  async open(): Promise<void> {
    await this.command.build()
    const names = ["localhost", "127.0.0.1"]
    const made = createDevelopmentCertificates({ names, clientName: "device", now: Date.now() })
    writeFileSync(this.command.at("ca.pem"), made.caCert)
    writeFileSync(this.command.at("client.pem"), made.clientCert ?? "")
    writeFileSync(this.command.at("client-key.pem"), made.clientKey ?? "")
    const tls = {
      port: 0,
      cert: made.serverCert,
      key: made.serverKey,
      ca: made.caCert,
      clientCertificate: "request",
    } as const
    this.#addresses = await this.broker({
      listeners: [
        { type: "tcp", port: 0 },
        { type: "ws", port: 0, path: "/mqtt" },
        { type: "tls", ...tls },
        { type: "wss", ...tls, path: "/elsewhere" },
      ],
    })
  }

  /** Another broker, on TCP unless told otherwise; where it listens. */
  async broker(config: BrokerConfig = {}): Promise<readonly ListenerAddress[]> {
    const broker: PureMqBroker = createBroker({
      listeners: [{ type: "tcp", port: 0 }],
      onEvent: (event) => this.events.push(event),
      ...config,
    })
    this.#first ??= broker
    this.#closing.push(() => broker.close())
    return broker.listen()
  }

  port(type: "tcp" | "tls" | "ws" | "wss"): string {
    return String(this.#addresses.find((each) => each.type === type)?.port ?? 0)
  }

  /** What leads to the broker over TCP. */
  get tcp(): string[] {
    return ["--tcp", "-p", this.port("tcp")]
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close()
    this.command.remove()
  }

  start(args: readonly string[]): Running {
    return this.command.start(args)
  }

  /** A process with `count` subscriptions, once the broker has them. */
  async subscriber(args: readonly string[], count = 1): Promise<Running> {
    const subscriptions = () => this.#first?.stats().subscriptions ?? 0
    const before = subscriptions()
    const running = this.command.start(args)
    const end = Date.now() + 60_000
    while (subscriptions() < before + count) {
      if (Date.now() > end || running.child.exitCode !== null) throw new Error(`not subscribed: ${running.err}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return running
  }

  async run(args: readonly string[], input: string | Uint8Array = ""): Promise<Ended> {
    const running = this.command.start(args)
    running.child.stdin?.on("error", () => undefined)
    running.child.stdin?.end(input)
    return running.ended
  }

  /** Waits until the broker says something of the client with that identifier. */
  async until(event: LogEvent["event"], clientId: string): Promise<void> {
    const end = Date.now() + 60_000
    while (!this.events.some((each) => each.event === event && "clientId" in each && each.clientId === clientId)) {
      if (Date.now() > end) throw new Error(`no ${event} of ${clientId}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** MQTT.js on the broker, which has subscribed. */
  async witness(filter: string, options: IClientOptions = {}): Promise<Witness> {
    const url = `mqtt://127.0.0.1:${this.port("tcp")}`
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options })
    this.#closing.push(() => client.endAsync(true))
    const witness = new Witness(client)
    await client.subscribeAsync(filter, { qos: 2 })
    return witness
  }

  /** A server that does what the test says. */
  async serve(handle: (socket: Socket) => void): Promise<string> {
    const sockets = new Set<Socket>()
    const server: Server = createServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => undefined)
      handle(socket)
    })
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    this.#closing.push(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return String((server.address() as AddressInfo).port)
  }
}

export class Witness {
  readonly client: MqttClient
  readonly messages: Message[] = []

  constructor(client: MqttClient) {
    this.client = client
    client.on("message", (topic, payload, packet) => this.messages.push({ topic, payload, packet }))
  }

  async saw(count: number): Promise<readonly Message[]> {
    const end = Date.now() + 60_000
    while (this.messages.length < count) {
      if (Date.now() > end) throw new Error(`${this.messages.length} messages instead of ${count}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    return this.messages
  }
}

/** Whether a program of that name can be started. */
export function isInstalled(program: string): boolean {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"]
  return folders.some((folder) => existsSync(join(folder, program)))
}
