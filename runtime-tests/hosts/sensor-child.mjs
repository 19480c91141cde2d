// node sensor-child.mjs PORT ENGINE PROJECT: a sensor in an engine, at the broker that listens on that port. The bytes of its TLS go
// over a TCP socket; this program knows no more of them.

import { once } from "node:events"
import { connect } from "node:net"
import { figures, spentSince, startDevice } from "./engine.mjs"

const [port] = process.argv.slice(2)
const { certificates, now } = JSON.parse(process.env.PUREMQ_SETTING)
/** Milliseconds that each step may take. */
const patience = 20_000
/** Bytes beyond the empty engine. */
const most = 2_000_000

const device = await startDevice("sensor/sensor.js")
/** The device counts milliseconds since it was switched on. */
const uptime = () => Math.round(performance.now())
const socket = connect({ host: "127.0.0.1", port: Number(port), noDelay: true, allowHalfOpen: true })
await once(socket, "connect")
const spent = process.cpuUsage()

const told = []
let wake = () => undefined
/** Lets the device do something, and sends what comes of it. */
function step(name, ...values) {
  const bytes = device.step(name, uptime(), ...values)
  told.push(...JSON.parse(device.step("told")))
  if (bytes.length > 0) socket.write(bytes)
  wake()
}
socket.on("data", (bytes) => step("receive", bytes))
socket.on("end", () => {
  step("end")
  socket.end()
})
const ticking = setInterval(() => step("tick"), 1000)

/** The next thing that the device tells. */
async function next() {
  const deadline = performance.now() + patience
  while (told.length === 0) {
    if (performance.now() > deadline) throw new Error("the broker does not answer the sensor")
    await new Promise((resolve) => {
      wake = resolve
    })
  }
  return told.shift()
}

async function expectNext(...expected) {
  const came = []
  for (const _ of expected) came.push(await next())
  // A broker may deliver before it acknowledges.
  const find = (name) => came.find(({ event }) => event === name)
  if (!expected.every(find))
    throw new Error(`awaited ${expected.join(" and ")}, and there came ${JSON.stringify(came)}`)
  return expected.map(find)
}

function equal(actual, expected) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`expected ${b}, got ${a}`)
}

step("start", "localhost", certificates.authority, now - 86_400_000, "sensor-17")
await expectNext("connected")
const handshake = spentSince(spent)
const { cipherSuite, group, peer } = JSON.parse(device.step("info"))
equal([cipherSuite, group, peer.unchecked], ["TLS_CHACHA20_POLY1305_SHA256", "x25519", ["validity"]])
step("subscribe", "sensors/#")
const [{ reasonCodes }] = await expectNext("subscribed")
equal(reasonCodes, [1])
step("publish", "sensors/kitchen", "21.5 degrees")
const [acknowledged, message] = await expectNext("acknowledged", "message")
equal(acknowledged.reasonCode, 0)
equal([message.topic, message.payload, message.qos], ["sensors/kitchen", "21.5 degrees", 1])
step("disconnect")
const [closed] = await expectNext("closed")
equal(closed.error, undefined)
await once(socket, "close")
clearInterval(ticking)

const bytes = device.highest()
const used = figures({ ...device, bytes, ms: spentSince(spent) })
const times = `${used} of CPU time, ${Math.round(handshake)} ms of it until CONNACK`
console.log(`a sensor's message at QoS 1, there and back through the broker: ${times}`)
if (bytes > most) throw new Error(`the sensor took ${bytes} bytes, and ${most} are allowed`)
