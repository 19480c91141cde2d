import { execFile } from "node:child_process"
import { type AddressInfo, createServer, type Server } from "node:net"
import mqtt, { type MqttClient } from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Broker } from "./broker.ts"
import { attachStream } from "./transport/stream.ts"

let server: Server
let port = 0
let broker: Broker

beforeAll(async () => {
  broker = new Broker({
    now: () => Date.now(),
    schedule: () => setImmediate(() => broker.flush(Date.now())),
    randomName: () => Math.random().toString(16).slice(2),
    events: process.env["DEBUG_EVENTS"] ? (e) => console.log(JSON.stringify(e)) : undefined,
  })
  server = createServer((socket) => {
    socket.setNoDelay(true)
    attachStream(broker, socket, { transport: "tcp", address: `${socket.remoteAddress}:${socket.remotePort}` })
  })
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  broker.close(Date.now())
  server.close()
})

function received(
  client: MqttClient,
  count: number,
): Promise<{ topic: string; payload: string; qos: number; retain: boolean }[]> {
  return new Promise((resolve) => {
    const list: { topic: string; payload: string; qos: number; retain: boolean }[] = []
    client.on("message", (topic, payload, packet) => {
      list.push({ topic, payload: payload.toString(), qos: packet.qos, retain: packet.retain })
      if (list.length === count) resolve(list)
    })
  })
}

describe.each([4, 5] as const)("MQTT.js, protocol version %i, over TCP", (protocolVersion) => {
  const options = () => ({ protocolVersion, reconnectPeriod: 0, connectTimeout: 3000 })
  for (const qos of [0, 1, 2] as const) {
    it(`publishes and receives at QoS ${qos}`, async () => {
      const sub = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options())
      const pub = await mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, options())
      await sub.subscribeAsync(`t/${qos}/#`, { qos: 2 })
      const got = received(sub, 200)
      for (let i = 0; i < 200; i++) await pub.publishAsync(`t/${qos}/${i % 3}`, `m${i}`, { qos })
      const list = await got
      expect(list.map((m) => m.payload)).toEqual(Array.from({ length: 200 }, (_, i) => `m${i}`))
      expect(list.every((m) => m.qos === qos && !m.retain)).toBe(true)
      await sub.endAsync()
      await pub.endAsync()
    })
  }
})

it("mosquitto_sub gets what mosquitto_pub sends", async () => {
  for (const version of ["mqttv311", "mqttv5"]) {
    const output = new Promise<string>((resolve, reject) => {
      execFile(
        "mosquitto_sub",
        ["-p", String(port), "-V", version, "-q", "2", "-t", "mos/#", "-C", "3", "-W", "5", "-v"],
        (error, stdout) => (error ? reject(error) : resolve(stdout)),
      )
    })
    await new Promise((r) => setTimeout(r, 300))
    for (const qos of ["0", "1", "2"]) {
      await new Promise<void>((resolve, reject) => {
        execFile(
          "mosquitto_pub",
          ["-p", String(port), "-V", version, "-q", qos, "-t", "mos/x", "-m", `hello ${qos}`],
          (error) => (error ? reject(error) : resolve()),
        )
      })
    }
    expect(await output).toBe("mos/x hello 0\nmos/x hello 1\nmos/x hello 2\n")
  }
})
