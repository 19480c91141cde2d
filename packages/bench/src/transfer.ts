// Application data into a server over one connection, by the server's processor time: MB a second of it in 16 KiB writes, and
// writes a second of 64 bytes, several of which share a record. The clients are OpenSSL for all of them.

import { once } from "node:events"
import type { Duplex } from "node:stream"
import { type Pems, type Stack, stackNames, stacks, startClient } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { onOneProcessor } from "./one-processor.ts"
import { startPeer } from "./peers.ts"

const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
const megabyte = 2 ** 20

export interface TransferPlan {
  readonly stacks: readonly Stack[]
  readonly rounds: number
  readonly uncounted: number
  /** Milliseconds of the server's processor time in one measurement, at least. */
  readonly slice: number
}

export const usualTransferPlan: TransferPlan = { stacks, rounds: 7, uncounted: 6, slice: 200 }

export async function compareTransfers(pems: Pems, plan: TransferPlan): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const suite of suites) {
    comparisons.push(await compareTransfer(pems, suite, 16_384, plan))
    comparisons.push(await compareTransfer(pems, suite, 64, plan))
  }
  return comparisons
}

/** @param write bytes of each write of the client's */
export async function compareTransfer(
  pems: Pems,
  cipherSuite: string,
  write: number,
  plan: TransferPlan,
): Promise<Comparison> {
  // MiB, until their receipt is acknowledged.
  const atOnce = write === 64 ? 1 : 8
  const running = []
  try {
    for (const stack of plan.stacks) {
      const peer = await startPeer({ kind: "sink", stack, pems })
      onOneProcessor(peer.pid)
      const client = await startClient("node:tls", pems, { port: peer.port, cipherSuite })
      running.push({ stack, peer, client })
    }
    const contestants = running.map(({ stack, peer, client }) => ({
      name: stackNames[stack],
      async measure() {
        const before = await peer.ask("busy")
        let [busy, megabytes] = [0, 0]
        for (; busy < plan.slice; megabytes += atOnce) {
          await send(client, write, atOnce)
          busy = (await peer.ask("busy")) - before
        }
        const bytes = megabytes * megabyte
        return write === 64 ? (bytes / write / busy) * 1000 : bytes / 1000 / busy
      },
    }))
    const [size, unit] = write === 64 ? ["64 bytes", "writes/CPU s"] : ["16 KiB", "MB/CPU s"]
    return await compare(`${cipherSuite}, writes of ${size}, by server`, unit, plan.rounds, contestants, plan.uncounted)
  } finally {
    for (const { peer, client } of running) {
      client.destroy()
      peer.stop()
    }
  }
}

/** Until the server has acknowledged all: it answers each megabyte with a byte. */
async function send(client: Duplex, write: number, megabytes: number): Promise<void> {
  const data = new Uint8Array(write).fill(0x61)
  const acknowledged = receive(client, megabytes)
  for (let sent = 0; sent < megabytes * megabyte; sent += write) {
    if (!client.write(data)) await once(client, "drain")
  }
  await acknowledged
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
