// Handshakes of the bundled small client with a server beside it in memory: CPU time of the client's part, and the heap that a
// connected client retains. `npm run size` starts it: node --expose-gc run-small.mjs BUNDLE

import { pathToFileURL } from "node:url"
import { createServerConfig, ServerConnection } from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { MemoryPskStore } from "@puremq/tls13/session"

const { connect } = await import(pathToFileURL(process.argv[2]).href)
const [identity, key] = [Uint8Array.of(1), new Uint8Array(32).fill(1)]
const store = new MemoryPskStore([{ identity, key, hash: "sha256", kind: "external" }])
const config = createServerConfig({ provider: createNobleProvider(), externalPsks: store })
const now = Date.now()

/** @returns a connected client, and the milliseconds of CPU time that it took */
function handshake() {
  let spent = 0
  const timed = (work) => {
    const before = process.cpuUsage()
    const result = work()
    const { user, system } = process.cpuUsage(before)
    spent += (user + system) / 1000
    return result
  }
  const client = timed(() => connect(identity, key, now))
  const server = new ServerConnection(config, now)
  const answer = server.receive(timed(() => client.start()).output, now)
  server.receive(timed(() => client.receive(answer.output, now)).output, now)
  if (client.info === undefined || server.info === undefined) throw new Error("the small client did not connect")
  return { client, spent }
}

const first = handshake().spent
for (let i = 0; i < 30; i++) handshake()
const times = Array.from({ length: 30 }, () => handshake().spent).sort((a, b) => a - b)

const held = []
const heap = () => {
  for (let i = 0; i < 3; i++) globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
const before = heap()
for (let i = 0; i < 100; i++) held.push(handshake().client)
const retained = (heap() - before) / held.length
console.log(JSON.stringify({ first, median: times[15], retained }))
