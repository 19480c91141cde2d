import { Duplex } from "node:stream"
import { expect, it } from "vitest"
import { always, testCredential, testVerifier } from "../../../tests/tools/credentials.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { utf8ToBytes } from "../../bytes/text.ts"
import { ClientConnection } from "../../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../connection/config.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../../crypto/noble/index.ts"
import { InputTurns } from "./input-turns.ts"
import { TLSSocket } from "./tls-socket.ts"

const busy = (milliseconds: number) => {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

it("work of one line is done a little in each turn, in order, and does not hold up the other line", async () => {
  const turns = new InputTurns((cause) => {
    throw cause
  }, setImmediate)
  const done: number[] = []
  for (let i = 0; i < 20; i++) {
    const work = () => {
      busy(8)
      done.push(i)
    }
    if (turns.isOver("handshakes")) turns.later("handshakes", work)
    else {
      const began = performance.now()
      work()
      turns.spend("handshakes", performance.now() - began)
    }
  }
  // 20 milliseconds of it, and what was under way then.
  expect(done.length).toBeLessThanOrEqual(3)
  expect(turns.isOver("handshakes")).toBe(true)
  expect(turns.isOver("connected")).toBe(false)
  let rounds = 0
  for (let before = 0; done.length < 20; before = done.length, rounds++) {
    await turn()
    expect(done.length - before).toBeLessThanOrEqual(6)
  }
  expect(rounds).toBeGreaterThanOrEqual(4)
  expect(done).toEqual(Array.from({ length: 20 }, (_, i) => i))
  await turn()
  await turn()
  expect(turns.isOver("handshakes")).toBe(false)
})

/** A server's socket, connected, and what its client says next; the next turn is not until the one under way is over. */
async function connected() {
  const provider = createNobleProvider()
  const key = generateEcKey("P-256", provider.random)
  const credentials = always(testCredential(key, publicKeyOf(key)))
  const verifier = testVerifier(publicKeyOf(key))
  const client = new ClientConnection(createClientConfig({ provider, verifier, serverName: "server.test" }), Date.now())
  const turns = new InputTurns((cause) => {
    throw cause
  }, setImmediate)
  const raw = new Duplex({
    allowHalfOpen: true,
    read: () => undefined,
    write(chunk, _encoding, done) {
      const { output } = client.receive(chunk, Date.now())
      if (output.length > 0) raw.push(output)
      done()
    },
  })
  const connection = new ServerConnection(createServerConfig({ provider, credentials }), Date.now())
  const begin = () => ({ connection, first: [] })
  const socket = new TLSSocket(raw, { role: "server", turns, provider, verification: undefined, begin })
  const seen: string[] = []
  socket.on("data", (data: Buffer) => seen.push(data.toString()))
  socket.on("error", (error: Error) => seen.push(error.message))
  socket.on("end", () => seen.push("the end"))
  socket.on("close", () => seen.push("closed"))
  raw.push(client.start().output)
  while (connection.info === undefined) await turn()
  await turn()
  await turn()
  for (const line of ["connected", "dear"] as const) {
    turns.spend(line, 25)
    expect(turns.isOver(line)).toBe(true)
  }
  return { client, socket, raw, seen }
}

it("what has come is worked on, though the stream below fails before its turn", async () => {
  const { client, raw, seen } = await connected()
  raw.push(client.send(utf8ToBytes("last words")).output)
  expect(seen).toEqual([])
  raw.destroy(new Error("the peer has reset the connection"))
  while (!seen.includes("closed")) await turn()
  expect(seen).toEqual(["last words", "the peer has reset the connection", "closed"])
})

it("nor is it a truncation when close_notify waits for its turn while the stream closes", async () => {
  const { client, raw, seen } = await connected()
  raw.push(concatBytes(client.send(utf8ToBytes("last words")).output, client.close().output))
  expect(seen).toEqual([])
  raw.destroy()
  while (!seen.includes("closed")) await turn()
  expect(seen).toEqual(["last words", "the end", "closed"])
})
