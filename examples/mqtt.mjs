// MQTT.js over this TLS: publishes a message and waits until it comes back.
// PORT=8883 CA=.puremq/ca.pem node examples/mqtt.mjs
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { mqttStreamBuilder } from "@puremq/tls13/node"
import mqtt from "mqtt"

const { HOST: host = "localhost", PORT: port = "8883", CA } = process.env
const ca = readFileSync(CA)

const client = new mqtt.MqttClient(mqttStreamBuilder({ host, port: Number(port), ca }), { protocolVersion: 5 })
await once(client, "connect")
await client.subscribeAsync("demo/#", { qos: 1 })
const message = once(client, "message")
await client.publishAsync("demo/hello", "hello", { qos: 1 })
const [topic, payload] = await message
console.log(`${topic}: ${payload}`)
await client.endAsync()
