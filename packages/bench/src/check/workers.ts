// Rows of handshakes in worker threads: what they cost, what connected clients see of a storm, and what more cores bring.

import { cpus } from "node:os"
import type { Pems } from "../contestants.ts"
import { makeIdentities } from "../engine/identities.ts"
import { usualHandshake } from "../engine/work.ts"
import { compare, unsettled } from "../measure.ts"
import { startPeer } from "../peers.ts"
import { connectPings } from "../pings.ts"
import { progress } from "../progress.ts"
import { connectionsUnderLoad } from "../server-load.ts"
import { ratios } from "../statistics.ts"
import type { CheckContext, CheckGroup } from "./group.ts"

const suite = "TLS_AES_128_GCM_SHA256"

export const workers: CheckGroup = {
  name: "workers",
  help: "handshakes in worker threads: their cost, and the calm of clients that are connected",
  seconds: { quick: 45, whole: 150 },
  nodeOnly: true,
  async run(context) {
    await cost(context)
    // Dearer for the thread that would else do them: there is more to give away.
    await costOf(context, "with P-384", { group: "P-384" })
    await costOf(context, "with a client certificate", { pems: pemsWithClient() })
    await calm(context)
  },
}

async function cost({ pems, quick, tell }: CheckContext): Promise<void> {
  const load = { pems, suite, resumed: false, mqtt: false, slice: quick ? 400 : 700, atOnce: 4 }
  const running = []
  const cores = cpus().length
  try {
    for (const [name, threads] of [
      ["without workers", 0],
      ["with 1 worker", 1],
      ...(cores < 4 ? [] : ([["with 3 workers", 3]] as const)),
    ] as const) {
      const peer = await startPeer({ kind: "sink", stack: "fast", pems, workers: threads })
      const server = { port: peer.port, busy: () => peer.ask("busy") }
      running.push({ name, peer, load: await connectionsUnderLoad(server, load) })
    }
    const rounds = quick ? 7 : 15
    const contestants = running.map(({ name, load: { measure } }) => ({ name, measure }))
    const two = contestants.slice(0, 2)
    const comparison = await compare("Full handshakes by server, workers", "handshakes/CPU s", rounds, two, 8)
    const [without, with1] = comparison.rows
    tell({
      name: "server's CPU of a full handshake with a worker, x without",
      unit: "x",
      values: ratios(without!.samples, with1!.samples),
      target: { most: 1.15 },
      ...unsettled(comparison),
    })
    const rateName = "full handshakes a second with 3 workers, x without"
    if (cores < 4) return tell({ name: rateName, skipped: `it needs 4 cores, and this machine has ${cores}` })
    const rates = [running[0]!, running[2]!].map(({ name, load: { measureRate } }) => ({ name, measure: measureRate }))
    const compared = await compare("Full handshakes, workers, by the clock", "handshakes/s", rounds, rates, 8)
    const [alone, with3] = compared.rows
    const values = ratios(with3!.samples, alone!.samples)
    tell({ name: rateName, unit: "x", values, target: { least: 1.6 }, ...unsettled(compared) })
  } finally {
    for (const { peer, load: own } of running) {
      own.stop()
      peer.stop()
    }
  }
}

/** The same of another handshake: nothing is wanted of it. */
async function costOf(
  { pems, quick, tell }: CheckContext,
  what: string,
  other: { readonly group?: string; readonly pems?: Pems },
): Promise<void> {
  const load = { pems, suite, resumed: false, mqtt: false, slice: quick ? 300 : 700, atOnce: 4, ...other }
  const running = []
  try {
    for (const workers of [0, 1]) {
      const peer = await startPeer({ kind: "sink", stack: "fast", pems: load.pems, group: other.group, workers })
      const server = { port: peer.port, busy: () => peer.ask("busy") }
      running.push({ name: `with ${workers} workers`, peer, load: await connectionsUnderLoad(server, load) })
    }
    const contestants = running.map(({ name, load: { measure } }) => ({ name, measure }))
    const title = `Full handshakes by server ${what}, workers`
    const comparison = await compare(title, "handshakes/CPU s", quick ? 5 : 15, contestants, quick ? 6 : 8)
    const [without, with1] = comparison.rows
    tell({
      name: `server's CPU of a full handshake ${what}, with a worker, x without`,
      unit: "x",
      values: ratios(without!.samples, with1!.samples),
      target: undefined,
      ...unsettled(comparison),
    })
  } finally {
    for (const { peer, load: own } of running) {
      own.stop()
      peer.stop()
    }
  }
}

function pemsWithClient(): Pems {
  const { ca, server, client } = makeIdentities(usualHandshake, "localhost")
  return { ca, ...server, client }
}

async function calm({ pems, quick, tell }: CheckContext): Promise<void> {
  const slice = quick ? 1500 : 3000
  const load = { pems, suite, resumed: false, mqtt: true, slice, atOnce: 8 }
  const broker = async () => {
    const peer = await startPeer({ kind: "puremq", store: "memory", pems, workers: 1 })
    const server = { port: peer.port, busy: () => peer.ask("busy") }
    return { peer, storm: await connectionsUnderLoad(server, load) }
  }
  // What a storm on another broker does to these clients is the machine's part of it.
  const [own, other] = [await broker(), await broker()]
  const pings = await connectPings({ port: own.peer.port, pems, suite }, 100, 2)
  try {
    const [values, elsewhere]: [number[], number[]] = [[], []]
    for (let round = -2; round < (quick ? 3 : 7); round++) {
      progress("PINGREQ of 100 clients, without and with a storm")
      const calmly = await pings.p99(slice)
      const [stormy] = await Promise.all([pings.p99(slice), own.storm.measure()])
      const [beside] = await Promise.all([pings.p99(slice), other.storm.measure()])
      // Engines compile what runs often: the first two do not count.
      if (round < 0) continue
      values.push(stormy / calmly)
      elsewhere.push(beside / calmly)
    }
    tell({
      name: "PINGREQ p99 of 100 clients in a storm of connections, with a worker, x undisturbed",
      unit: "x",
      values,
      target: { most: 2 },
      note: `the load takes processors, too: there are ${cpus().length}`,
    })
    tell({
      name: "the same while the storm is on another broker of the machine",
      unit: "x",
      values: elsewhere,
      target: undefined,
      note: "the machine's part: no handshake is this broker's",
    })
  } finally {
    pings.stop()
    for (const { peer, storm } of [own, other]) {
      storm.stop()
      peer.stop()
    }
  }
}
