// Many logins at once against a broker with real sockets: nobody is kept out, left without an answer or held up by them.

import { randomBytes } from "node:crypto"
import { connect, type Socket } from "node:net"
import { afterEach, beforeEach, expect, it } from "vitest"
import { writeConnect } from "../codecs/mqtt-packet.ts"
import { readServerPacket } from "../codecs/plain-answers.ts"
import { Framer } from "../packet/framer.ts"
import { createBroker, type PureMqBroker } from "../platform/node.ts"
import { scrypt } from "../platform/node-scrypt.ts"
import { passwordLine } from "./password-file.ts"

// Dear enough that many of them take longer than a CONNECT may.
const cost = { ln: 14, r: 8, p: 1 }
let broker: PureMqBroker
let port = 0
const sockets: Socket[] = []

beforeEach(async () => {
  const users = ["alice", "bob", "carol"]
  const lines = await Promise.all(users.map((user) => passwordLine(user, "right", randomBytes(16), cost, scrypt)))
  broker = createBroker({
    listeners: [{ type: "tcp", port: 0 }],
    login: { passwords: lines.join("\n") },
    limits: {
      connectTimeout: 1000,
      loginTimeout: 120_000,
      maximumWaitingLogins: 1000,
      maximumWaitingLoginsPerAddress: 1000,
    },
    sysInterval: 0,
  })
  port = (await broker.listen())[0]!.port
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await broker.close()
})

interface Opened {
  readonly socket: Socket
  /** Code of CONNACK; "closed" when there was none. */
  readonly answer: Promise<number | "closed">
}

async function open(clientId: string, username: string, password: string): Promise<Opened> {
  const socket = connect(port, "127.0.0.1")
  sockets.push(socket)
  socket.on("error", () => undefined)
  await new Promise((resolve) => socket.once("connect", resolve))
  const framer = new Framer(1000)
  framer.connectOnly = false
  const answer = new Promise<number | "closed">((resolve) => {
    socket.once("close", () => resolve("closed"))
    socket.on("data", (chunk) => {
      framer.push(chunk)
      if (!framer.next() || framer.header !== 0x20) return
      const { bytes, bodyStart, end } = framer
      const packet = readServerPacket(2, bytes, bodyStart, end, 5)
      if (packet.type === "connack") resolve(packet.reasonCode)
    })
  })
  const request = { protocolVersion: 5, clientId, cleanStart: true, keepAlive: 0, username } as const
  socket.write(writeConnect({ ...request, password: new TextEncoder().encode(password) }))
  return { socket, answer }
}

it("60 clients with one right login are all let in", async () => {
  const opened = await Promise.all(Array.from({ length: 60 }, (_, i) => open(`same${i}`, "alice", "right")))
  const answers = await Promise.all(opened.map(({ answer }) => answer))
  expect(answers).toEqual(answers.map(() => 0))
}, 60_000)

it("100 logins of unknown users do not keep a right one out, and each gets its answer", async () => {
  let refused = 0
  const wrong = await Promise.all(Array.from({ length: 100 }, (_, i) => open(`wrong${i}`, `nobody${i}`, "x")))
  for (const { answer } of wrong) void answer.then(() => refused++)
  const right = await open("right", "bob", "right")
  const before = refused
  expect(await right.answer).toBe(0)
  // Those under way, one more by its place in the line, and what is in flight between the sockets.
  expect(refused - before).toBeLessThanOrEqual(12)
  const answers = await Promise.all(wrong.map(({ answer }) => answer))
  expect(answers).toEqual(answers.map(() => 0x86)) // though the last of them waited longer than a CONNECT may take
}, 120_000)

it("bad logins do not hold up a client that is connected", async () => {
  const { socket, answer } = await open("neighbour", "carol", "right")
  expect(await answer).toBe(0)
  const roundTrips = async (milliseconds: number): Promise<number> => {
    const until = performance.now() + milliseconds
    let count = 0
    for (; performance.now() < until; count++) {
      const pong = new Promise((resolve) => socket.once("data", resolve))
      socket.write(Uint8Array.of(0xc0, 0))
      await pong
    }
    return count
  }
  await roundTrips(200)
  const quiet = await roundTrips(500)
  const wrong = await Promise.all(Array.from({ length: 60 }, (_, i) => open(`bad${i}`, `nobody${i}`, "y")))
  let refused = 0
  for (const { answer: one } of wrong) void one.then(() => refused++)
  const busy = await roundTrips(500)
  expect(refused).toBeLessThan(60) // it was busy all the time
  // In JavaScript on the event loop it was one in forty.
  expect(busy).toBeGreaterThan(quiet / 8)
  for (const { socket: one } of wrong) one.destroy()
}, 120_000)
