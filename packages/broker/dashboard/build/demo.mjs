// A broker with a building's sensors, for pictures of the dashboard and for whoever works on it:
// `node packages/broker/dashboard/build/demo.mjs` prints an address and a token. Needs `npm run build`.
//
// Addresses of clients are made up: they come in PROXY headers, which the listeners of this demo take from this machine.

import { createHash, randomBytes } from "node:crypto"
import { once } from "node:events"
import { connect as connectTcp } from "node:net"
import { connect as connectNodeTls } from "node:tls"
import { fileURLToPath } from "node:url"
import { createBroker } from "@puremq/broker"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { connect as connectTls } from "@puremq/tls13/node"
import mqtt from "mqtt"

const floors = ["cellar", "ground", "first", "second", "roof"]

/** @param clients so many sensors; 0: nobody comes */
export async function startDemo({ clients = 60, port = 0 } = {}) {
  const now = Date.now()
  const { caCert, serverCert, serverKey } = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now })
  const short = createDevelopmentCertificates({ names: ["sensors.example", "127.0.0.1"], now, days: 5.5 })
  const token = `puremq_${randomBytes(32).toString("base64url")}`
  const tokens = `desk:operate:${createHash("sha256").update(token).digest("hex")}\n`
  const proxyProtocol = { trusted: ["127.0.0.1"] }
  const broker = createBroker({
    listeners: [
      { type: "tls", port: 0, cert: serverCert, key: serverKey, proxyProtocol },
      { type: "tcp", port: 0, proxyProtocol },
      { type: "wss", port: 0, cert: short.serverCert, key: short.serverKey, proxyProtocol },
      { type: "ws", port: 0 },
    ],
    login: { passwords: "", anonymous: true },
    acl: "all readwrite building/#\nall readwrite demo/#\nall read $SYS/#\n",
    admin: { host: "127.0.0.1", port, tokens },
    onEvent: () => undefined,
  })
  const addresses = await broker.listen()
  const portOf = (type) => addresses.find((each) => each.type === type).port
  const world = { broker, token, addresses, address: `http://127.0.0.1:${portOf("admin")}/`, timers: [], open: [] }
  const demo = { ...world, portOf, caCert }
  if (clients > 0) await populate(demo, clients)
  return {
    ...demo,
    async close() {
      for (const timer of demo.timers) clearInterval(timer)
      for (const client of demo.open) client.end(true)
      await broker.close()
    },
  }
}

/** A connection to a listener behind a proxy, as if from this address. */
async function through(port, address) {
  const socket = connectTcp({ host: "127.0.0.1", port, noDelay: true })
  socket.on("error", () => undefined)
  await once(socket, "connect")
  socket.write(`PROXY TCP4 ${address} 10.0.0.1 ${20_000 + Math.floor(Math.random() * 40_000)} 1883\r\n`)
  return socket
}

async function join(demo, stream, options) {
  const client = new mqtt.MqttClient(() => stream, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    keepalive: 60,
    ...options,
  })
  client.on("error", () => undefined)
  demo.open.push(client)
  if (!client.connected) await once(client, "connect")
  return client
}

async function secure(demo, address, ours) {
  const socket = await through(demo.portOf("tls"), address)
  const options = { socket, host: "127.0.0.1", ca: demo.caCert, ALPNProtocols: ["mqtt"] }
  return ours ? connectTls(options) : connectNodeTls({ ...options, servername: "localhost" })
}

async function populate(demo, clients) {
  const sensors = []
  for (let at = 0; at < clients; at++) {
    const floor = floors[at % floors.length]
    const address = `10.0.${at % 5}.${10 + Math.floor(at / 5)}`
    const stream = at % 4 === 3 ? await through(demo.portOf("tcp"), address) : await secure(demo, address, at % 4 !== 2)
    const clientId = `${floor}-${["climate", "meter", "light", "door"][at % 4]}-${String(at).padStart(3, "0")}`
    const client = await join(demo, stream, {
      clientId,
      clean: at % 3 === 0,
      properties: { sessionExpiryInterval: 86_400 },
    })
    sensors.push({ client, floor, clientId })
  }
  const desk = await join(demo, await secure(demo, "10.0.9.2", true), { clientId: "control-room" })
  await desk.subscribeAsync(["building/#"], { qos: 0 })
  const archive = await join(demo, await secure(demo, "10.0.9.3", true), {
    clientId: "archive",
    clean: false,
    properties: { sessionExpiryInterval: 604_800 },
  })
  await archive.subscribeAsync(["building/+/+/temperature", "$share/store/building/#"], { qos: 1 })
  for (const { client, floor, clientId } of sensors) {
    await client.subscribeAsync(`building/${floor}/${clientId}/set`, { qos: 1 })
    await client.publishAsync(`building/${floor}/${clientId}/state`, JSON.stringify({ on: true, battery: 87 }), {
      retain: true,
      qos: 1,
    })
    await client.publishAsync(`building/${floor}/${clientId}/temperature`, (18 + Math.random() * 6).toFixed(1), {
      retain: true,
    })
  }
  let turn = 0
  demo.timers.push(
    setInterval(() => {
      turn++
      const busy = 10 + Math.round(8 * Math.sin(turn / 40) + 4 * Math.random())
      for (let i = 0; i < busy; i++) {
        const { client, floor, clientId } = sensors[Math.floor(Math.random() * sensors.length)]
        if (!client.connected) continue
        const value = (18 + Math.random() * 6).toFixed(1)
        client.publish(`building/${floor}/${clientId}/temperature`, value, {
          retain: i % 8 === 0,
          qos: i % 5 === 0 ? 1 : 0,
        })
      }
    }, 100),
  )
  // Somebody comes and goes.
  demo.timers.push(
    setInterval(async () => {
      try {
        const stream = await secure(demo, `10.0.7.${5 + Math.floor(Math.random() * 40)}`, Math.random() < 0.8)
        const visitor = await join(demo, stream, { clientId: `panel-${Math.floor(Math.random() * 90) + 10}` })
        setTimeout(() => visitor.end(), 1500)
      } catch {
        // It was taken over.
      }
    }, 900),
  )
}

/** What goes wrong: an old client twice, one that speaks no TLS, one that trusts another, a publication that is not allowed. */
export async function misbehave(demo) {
  const settle = () => new Promise((resolve) => setTimeout(resolve, 150))
  const old = async (address, maxVersion) => {
    const socket = await through(demo.portOf("tls"), address)
    connectNodeTls({ socket, rejectUnauthorized: false, minVersion: "TLSv1.2", maxVersion }).on(
      "error",
      () => undefined,
    )
    await settle()
  }
  await old("10.0.0.7", "TLSv1.2")
  const plain = await through(demo.portOf("tls"), "10.0.3.20")
  plain.write(Buffer.from("101000044d5154540502003c000000", "hex"))
  await settle()
  const distrusts = await through(demo.portOf("tls"), "10.0.1.44")
  connectNodeTls({ socket: distrusts, host: "localhost", servername: "localhost" }).on("error", () => undefined)
  await settle()
  const stranger = await join(demo, await secure(demo, "10.0.2.31", true), { clientId: "roof-fan-9" })
  stranger.publish("private/keys", "?", { qos: 1 })
  await settle()
  const login = { clientId: "meter-old", username: "meter", password: "wrong" }
  const refused = new mqtt.MqttClient(await streamFor(demo, "10.0.2.90"), {
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...login,
  })
  refused.on("error", () => undefined)
  await settle()
  await old("10.0.0.7", "TLSv1.2")
  const half = await through(demo.portOf("tls"), "10.0.4.12")
  await settle()
  half.destroy()
  await settle()
}

async function streamFor(demo, address) {
  const stream = await secure(demo, address, true)
  return () => stream
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const clients = Number(process.argv[2] ?? 60)
  const demo = await startDemo({ clients, port: Number(process.argv[3] ?? 0) })
  if (clients > 0) await misbehave(demo)
  console.log(`${demo.address}\n${demo.token}`)
}
