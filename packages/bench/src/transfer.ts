// Application data through one connection, both ends of the same stack: MB a second in 16 KiB writes, and records a
// second in writes of 64 bytes.

import { once } from "node:events"
import type { Duplex } from "node:stream"
import { type Pems, type Stack, stackNames, stacks, startClient } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { type Peer, startPeer } from "./peers.ts"

const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
const megabyte = 2 ** 20

export async function compareTransfers(pems: Pems, rounds: number): Promise<Comparison[]> {
  const peers = new Map<Stack, Peer>()
  for (const stack of stacks) peers.set(stack, await startPeer({ kind: "sink", stack, pems }))
  const comparisons: Comparison[] = []
  for (const cipherSuite of suites) {
    const clients = new Map<Stack, Duplex>()
    for (const [stack, { port }] of peers) clients.set(stack, await startClient(stack, pems, { port, cipherSuite }))
    const contestants = (measure: (client: Duplex) => Promise<number>) =>
      [...clients].map(([stack, client]) => ({ name: stackNames[stack], measure: () => measure(client) }))
    const large = contestants((client) => megabytesPerSecond(client, 16_384, 8))
    comparisons.push(await compare(`${cipherSuite}, writes of 16 KiB`, "MB/s", rounds, large))
    const small = contestants(async (client) => ((await megabytesPerSecond(client, 64, 1)) * 1e6) / 64)
    comparisons.push(await compare(`${cipherSuite}, writes of 64 bytes`, "writes/s", rounds, small))
    for (const client of clients.values()) client.destroy()
  }
  for (const peer of peers.values()) peer.stop()
  return comparisons
}

/** Until the receiver has acknowledged all: it answers each megabyte with a byte. */
async function megabytesPerSecond(client: Duplex, write: number, megabytes: number): Promise<number> {
  const data = new Uint8Array(write).fill(0x61)
  const start = performance.now()
  const acknowledged = receive(client, megabytes)
  for (let sent = 0; sent < megabytes * megabyte; sent += write) {
    if (!client.write(data)) await once(client, "drain")
  }
  await acknowledged
  return (megabytes * megabyte) / 1e6 / ((performance.now() - start) / 1000)
}

function receive(client: Duplex, bytes: number): Promise<void> {
  return new Promise((resolve) => {
    let left = bytes
    const take = (data: Uint8Array) => {
      left -= data.length
      if (left > 0) return
      client.off("data", take)
      resolve()
    }
    client.on("data", take)
  })
}
