// MQTT.js on our broker, over node:tls and over our own client; and aedes over node:tls as a broker.

import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { connect as connectNodeTls, createServer } from "node:tls"
import { mqttStreamBuilder } from "@puremq/tls13/node"
import { type IClientOptions, MqttClient as MqttJs } from "mqtt"
import { files, inRoot } from "../files.ts"
import { type Message, type MqttBroker, type MqttClient, mqttRow, ourBroker } from "../mqtt-rows.ts"
import type { Run } from "../program.ts"
import { Absent, type Row } from "../table.ts"
import { puremqTools } from "./puremq.ts"

const read = (file: string) => readFileSync(file, "utf8")
const require = createRequire(inRoot("package.json"))

function versionOf(name: string): string {
  try {
    const { version } = require(`${name}/package.json`) as { version: string }
    return version
  } catch {
    const found = /"version": "([^"]+)"/.exec(readFileSync(inRoot("node_modules", name, "package.json"), "utf8"))
    if (found === null) throw new Absent(`${name} is not installed`)
    return found[1]!
  }
}

type Transport = "node:tls" | "our client"

function open(transport: Transport, port: number, withCertificate: boolean, options: IClientOptions): MqttJs {
  const tls = {
    ...{ host: "127.0.0.1", port, servername: "localhost", ca: read(files.ca), ALPNProtocols: ["mqtt"] },
    ...(withCertificate && { cert: read(files.clientCert), key: read(files.clientKey) }),
  }
  const build =
    transport === "our client" ? mqttStreamBuilder(tls) : () => connectNodeTls({ ...tls, minVersion: "TLSv1.3" })
  return new MqttJs(build, { reconnectPeriod: 0, connectTimeout: 5000, ...options })
}

/** Until it is connected. @throws what the connection failed with */
async function connected(run: Run, client: MqttJs): Promise<MqttJs> {
  run.atEnd(() => {
    client.on("error", () => undefined).end(true)
  })
  await new Promise<void>((resolve, reject) => {
    client.once("connect", () => resolve())
    client.once("error", reject)
    client.once("close", () => reject(new Error("the connection was closed")))
  })
  return client
}

function mqttJs(transport: Transport, protocolVersion: 4 | 5): MqttClient {
  const common = { protocolVersion } as const
  return {
    async subscribe(run, { port }, { topic, qos, count, withCertificate }) {
      const client = await connected(run, open(transport, port, withCertificate, common))
      const messages: Message[] = []
      let complete = (): void => undefined
      const all = new Promise<void>((resolve) => {
        complete = resolve
      })
      client.on("message", (name, payload, packet) => {
        messages.push({ topic: name, payload: payload.toString(), qos: packet.qos, retain: packet.retain })
        if (messages.length === count) complete()
      })
      await client.subscribeAsync(topic, { qos })
      return async () => {
        await all
        await client.endAsync()
        return messages
      }
    },
    async publish(run, { port }, { topic, qos, payload, retain = false, withCertificate }) {
      const client = await connected(run, open(transport, port, withCertificate, common))
      await client.publishAsync(topic, payload, { qos, retain })
      await client.endAsync()
    },
    async dieWithWill(run, { port }, { topic, payload }) {
      const will = { topic, payload: Buffer.from(payload), qos: 1, retain: false } as const
      const client = await connected(run, open(transport, port, false, { ...common, will }))
      client.stream.destroy()
    },
  }
}

export const mqttJsRows: readonly Row[] = (["node:tls", "our client"] as const).flatMap((transport) =>
  ([5, 4] as const).map((protocol) =>
    mqttRow({
      name: `MQTT.js over ${transport}; MQTT ${protocol === 5 ? "5.0" : "3.1.1"}`,
      version: async () => `MQTT.js ${versionOf("mqtt")}`,
      broker: ourBroker,
      client: mqttJs(transport, protocol),
    }),
  ),
)

/* ------------------------------------------------------------ aedes */

const aedes: MqttBroker = async (run, { withCertificate }) => {
  const { Aedes } = await import("aedes")
  const broker = await Aedes.createBroker()
  const server = createServer(
    {
      ...{ cert: read(files.cert), key: read(files.key), ca: read(files.ca), minVersion: "TLSv1.3" },
      ...{ requestCert: withCertificate, rejectUnauthorized: withCertificate },
    },
    broker.handle,
  )
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  run.atEnd(() => {
    broker.close()
    server.close()
  })
  const subscribed = once(broker, "subscribe")
  return {
    port: (server.address() as AddressInfo).port,
    async subscribed() {
      await subscribed
    },
  }
}

export const aedesRow: Row = mqttRow({
  name: "aedes on node:tls with puremq pub and sub; MQTT 3.1.1",
  version: async () => `aedes ${versionOf("aedes")}`,
  broker: aedes,
  client: puremqTools("3.1.1"),
  not: { will: "puremq pub and sub have no wills" },
})
