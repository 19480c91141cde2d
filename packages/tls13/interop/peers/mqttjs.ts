// MQTT.js on our broker, over node:tls and over our own client; and aedes over node:tls as a broker.

import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import type { AddressInfo } from "node:net"
import { connect as connectNodeTls, createServer } from "node:tls"
import { mqttStreamBuilder } from "@puremq/tls13/node"
import { type IClientOptions, type IConnackPacket, MqttClient as MqttJs } from "mqtt"
import { files, inRoot } from "../files.ts"
import { type Connect, Inbox, type MqttBroker, type MqttClient } from "../mqtt-client.ts"
import { mqttRow, oneAfterAnother, ourBroker } from "../mqtt-rows.ts"
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
async function connected(run: Run, client: MqttJs): Promise<IConnackPacket> {
  client.on("error", () => undefined)
  run.atEnd(() => {
    client.end(true)
  })
  return new Promise((resolve, reject) => {
    client.once("connect", resolve)
    client.once("error", reject)
    client.once("close", () => reject(new Error("the connection was closed")))
  })
}

function mqttJs(transport: Transport, protocolVersion: 4 | 5): MqttClient {
  const optionsOf = (options: Connect): IClientOptions => {
    const common = { protocolVersion, clientId: options.id, clean: !options.resume }
    const { expiry, receiveMaximum, maximumPacketSize, topicAliasMaximum, will } = options
    return {
      ...common,
      ...(protocolVersion === 5 && {
        properties: {
          ...(expiry !== undefined && { sessionExpiryInterval: expiry }),
          ...(receiveMaximum !== undefined && { receiveMaximum }),
          ...(maximumPacketSize !== undefined && { maximumPacketSize }),
          ...(topicAliasMaximum !== undefined && { topicAliasMaximum }),
        },
      }),
      ...(will !== undefined && {
        will: {
          ...{ topic: will.topic, payload: Buffer.from(will.payload), qos: will.qos, retain: false },
          ...(will.delay !== undefined && { properties: { willDelayInterval: will.delay } }),
        },
      }),
    }
  }
  return {
    resolvesAliases: [0, 1],
    async subscribe(run, { port }, { filter, qos = 0, withCertificate = false, ...options }) {
      const inbox = new Inbox()
      const client = open(transport, port, withCertificate, optionsOf(options))
      client.on("message", (topic, payload, packet) => {
        const expiry = packet.properties?.messageExpiryInterval
        inbox.push({
          ...{ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain },
          ...(expiry !== undefined && { expiry }),
        })
      })
      const { sessionPresent } = await connected(run, client)
      if (filter !== undefined) await client.subscribeAsync(filter, { qos })
      return {
        sessionPresent,
        messages: (count) => inbox.reach(count),
        acknowledge: () => undefined,
        leave: () => client.endAsync(),
        async vanish() {
          client.stream.destroy()
        },
      }
    },
    async publish(run, { port }, { topic, qos, payloads, retain = false, messageExpiry, alias, ...options }) {
      const client = open(transport, port, options.withCertificate ?? false, {
        ...optionsOf(options),
        ...(alias && { autoAssignTopicAlias: true }),
      })
      const { properties } = await connected(run, client)
      const closed = new Promise<never>((_, reject) => {
        client.once("close", () => reject(new Error("the connection was closed")))
      })
      closed.catch(() => undefined)
      const options5 = messageExpiry !== undefined && { properties: { messageExpiryInterval: messageExpiry } }
      // It leaves the broker's Receive Maximum to those who use it.
      const most = properties?.receiveMaximum ?? payloads.length
      const waiting = payloads.values()
      const work = async () => {
        for (const payload of waiting) await client.publishAsync(topic, payload, { qos, retain, ...options5 })
      }
      await Promise.race([closed, Promise.all(Array.from({ length: most }, work))])
      await client.endAsync()
    },
  }
}

export const mqttJsRows: readonly Row[] = (["node:tls", "our client"] as const).flatMap((transport) =>
  (["5.0", "3.1.1"] as const).map((mqtt) =>
    mqttRow({
      name: `MQTT.js over ${transport}; MQTT ${mqtt}`,
      mqtt,
      version: async () => `MQTT.js ${versionOf("mqtt")}`,
      broker: ourBroker,
      client: mqttJs(transport, mqtt === "5.0" ? 5 : 4),
      but: {
        "topic alias": "it gives messages of QoS 2 no topic when only an alias came: this shows the others",
        "Receive Maximum": oneAfterAnother,
      },
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
  return {
    port: (server.address() as AddressInfo).port,
    nextSubscribe: (clientId) =>
      new Promise((resolve) => {
        const heard = (_: unknown, client: { readonly id: string }) => {
          if (client.id !== clientId) return
          broker.off("subscribe", heard)
          resolve()
        }
        broker.on("subscribe", heard)
      }),
  }
}

export const aedesRow: Row = mqttRow({
  name: "aedes on node:tls with puremq pub and sub; MQTT 3.1.1",
  mqtt: "3.1.1",
  version: async () => `aedes ${versionOf("aedes")}`,
  broker: aedes,
  client: puremqTools("3.1.1"),
})
