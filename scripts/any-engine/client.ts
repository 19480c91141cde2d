// A client that subscribes and publishes at a broker, both on an engine that has nothing but the language.

import { type ClientEvent, MqttClient } from "@puremq/broker/client"
import { createSimpleAccess, EmbeddedBroker } from "@puremq/broker/core"

const host = { passed: () => 0, random: (length: number) => new Uint8Array(length).fill(7) }
const broker = new EmbeddedBroker(host, { access: createSimpleAccess({ passwords: { sensor: "secret" } }) })

function words(event: ClientEvent): string {
  if (event.event !== "message") return event.event
  return `message ${event.topic} ${String.fromCharCode(...event.payload)} ${event.qos}`
}

/** What the client is told. */
export function run(): readonly string[] {
  const told: string[] = []
  const login = { username: "sensor", password: "secret" }
  const client = new MqttClient({ clientId: "sensor-1", ...login }, (event) => told.push(words(event)))
  const link = broker.open()
  if (link === undefined) throw new Error("refused")
  const exchange = (): void => {
    while (client.waiting > 0 || link.waiting > 0) {
      link.receive(client.take())
      while (broker.turn() === 0);
      client.receive(link.take(), 0)
    }
  }
  client.connect(0)
  exchange()
  client.subscribe([{ filter: "t/#", qos: 1 }])
  exchange()
  client.publish({ topic: "t/1", payload: "21.5", qos: 1 })
  exchange()
  client.disconnect()
  exchange()
  client.lost()
  return told
}
