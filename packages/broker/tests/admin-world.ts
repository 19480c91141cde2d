// A broker with its admin API, and somebody who asks it.

import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { connect } from "@puremq/tls13/node"
import mqtt, { type MqttClient } from "mqtt"
import type { LogEvent } from "../src/admin/log.ts"
import { tokenLine } from "../src/admin/tokens.ts"
import { type BrokerConfig, createBroker, type PureMqBroker } from "../src/index.ts"

export const tokens = { read: "puremq_reads", operate: "puremq_operates" } as const

export const tokenFile: string = [
  "# tokens",
  tokenLine("reader", "read", tokens.read),
  tokenLine("operator", "operate", tokens.operate),
  "",
].join("\n")

export const pem: ReturnType<typeof createDevelopmentCertificates> = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "device",
  now: Date.now(),
})

export interface Asked {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed, where it is JSON. */
  readonly body: unknown
}

export interface AskOptions {
  /** A token; "none": no header. Default: that of the operator. */
  readonly token?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export class AdminWorld {
  readonly broker: PureMqBroker
  readonly events: LogEvent[]
  readonly #ports: ReadonlyMap<string, number>
  readonly #clients: MqttClient[] = []

  private constructor(broker: PureMqBroker, events: LogEvent[], ports: ReadonlyMap<string, number>) {
    this.broker = broker
    this.events = events
    this.#ports = ports
  }

  static async start(config: Partial<BrokerConfig> = {}): Promise<AdminWorld> {
    const events: LogEvent[] = []
    const tls = { cert: pem.serverCert, key: pem.serverKey, port: 0 }
    const broker = createBroker({
      listeners: [
        { type: "tcp", port: 0 },
        { type: "tls", ...tls, ca: pem.caCert, clientCertificate: "request" },
      ],
      admin: { port: 0, tokens: tokenFile },
      sysInterval: 0,
      onEvent: (event) => events.push(event),
      ...config,
    })
    const ports = new Map<string, number>()
    for (const { type, port } of await broker.listen()) ports.set(type, port)
    return new AdminWorld(broker, events, ports)
  }

  port(name: string): number {
    return this.#ports.get(name) ?? 0
  }

  /** A client of MQTT.js. */
  async client(clientId: string, options: Partial<mqtt.IClientOptions> = {}): Promise<MqttClient> {
    const client = await mqtt.connectAsync({
      protocol: "mqtt",
      host: "127.0.0.1",
      port: this.port("tcp"),
      protocolVersion: 5,
      reconnectPeriod: 0,
      clientId,
      ...options,
    })
    client.on("error", () => undefined)
    this.#clients.push(client)
    return client
  }

  /** A client of MQTT.js over our TLS. */
  tlsClient(clientId: string, options: Partial<mqtt.IClientOptions> = {}): Promise<MqttClient> {
    const { clientCert: cert = "", clientKey: key = "" } = pem
    const stream = () =>
      connect({ host: "127.0.0.1", port: this.port("tls"), servername: "localhost", ca: pem.caCert, cert, key })
    return new Promise((resolve, reject) => {
      const client = new mqtt.MqttClient(stream, { protocolVersion: 5, reconnectPeriod: 0, clientId, ...options })
      this.#clients.push(client)
      client.once("connect", () => resolve(client))
      client.once("error", reject)
      client.on("error", () => undefined)
    })
  }

  async ask(
    method: string,
    path: string,
    { token = tokens.operate, body, headers = {} }: AskOptions = {},
  ): Promise<Asked> {
    const sent: Record<string, string> = { ...headers }
    if (token !== "none") sent["authorization"] = `Bearer ${token}`
    if (body !== undefined) sent["content-type"] ??= "application/json"
    const answer = await fetch(`http://127.0.0.1:${this.port("admin")}${path}`, {
      method,
      headers: sent,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    const text = await answer.text()
    const isJson = /json/.test(answer.headers.get("content-type") ?? "")
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: isJson && text !== "" ? JSON.parse(text) : undefined,
    }
  }

  /** What the API answers to a reader, at `/api/v1` and this path. */
  async get(path: string): Promise<unknown> {
    const { status, body, text } = await this.ask("GET", `/api/v1${path}`, { token: tokens.read })
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    return body
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.end(true)
    await this.broker.close()
  }
}
