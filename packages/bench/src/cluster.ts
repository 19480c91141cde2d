// What several nodes of a cluster carry, and what that costs: messages at QoS 1 to sessions that are kept, each from a client of one
// node to a client of the next, beside one broker that keeps them in files. Without TLS, so that it is the cluster that is measured.

import type { Socket } from "node:net"
import { connectMqtt, PacketReader, pubackPacket, publishPacket, subscribe } from "./mqtt.ts"
import { type NatsServer, natsServerProgram, startNatsServer } from "./nats-server.ts"
import { type Peer, startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { median, quartiles, ratios, type Spread } from "./statistics.ts"
import { type AbsentSubject, type TextTable, tableMarkdown } from "./tables.ts"

/** Publishers, each with a subscriber of its own; messages of each in a run, and how many of them are not acknowledged at most. */
const pairs = 100
const messages = 60
const window = 20
const payload = new Uint8Array(64).fill(0x61)
const [rounds, uncounted] = [5, 3]
/** Milliseconds without a message, after which some are lost. */
const patience = 15_000
const topicOf = (pair: number) => `bench/cluster/${pair}`

interface Sample {
  /** By the clock. */
  readonly rate: number
  /** Microseconds of processor time a message: all brokers, the one with most, and the nats-server. */
  readonly brokers: number
  readonly busiest: number
  readonly nats: number | undefined
}

interface Subject {
  readonly name: string
  readonly peers: readonly Peer[]
  readonly nats: NatsServer | undefined
  readonly load: Load
  readonly samples: Sample[]
}

export interface ClusterRow {
  readonly name: string
  readonly rate: number
  /** To the first, within a round. */
  readonly ratio: Spread
  readonly brokers: number
  readonly busiest: number
  readonly nats: number | undefined
}

export interface ClusterFigures {
  readonly rows: readonly ClusterRow[]
  readonly absent: readonly AbsentSubject[]
}

export async function measureCluster(): Promise<ClusterFigures> {
  const program = natsServerProgram()
  const subjects = [await subject("one broker, in files", 1, undefined)]
  if (program !== undefined) {
    for (const count of [1, 2, 3])
      subjects.push(await subject(count === 1 ? "1 node" : `${count} nodes`, count, program))
  }
  for (let round = -uncounted; round < rounds; round++) {
    progress(round < 0 ? "cluster: warming up" : `cluster: round ${round + 1} of ${rounds}`)
    for (let turn = 0; turn < subjects.length; turn++) {
      const each = subjects[(round + uncounted + turn) % subjects.length]!
      const sample = await measure(each)
      if (round >= 0) each.samples.push(sample)
    }
  }
  for (const { load, nats, peers } of subjects) {
    load.stop()
    for (const peer of peers) peer.stop()
    nats?.stop()
  }
  const rates = subjects.map(({ samples }) => samples.map(({ rate }) => rate))
  const rows = subjects.map(({ name, samples }, at) => ({
    name,
    rate: median(rates[at]!),
    ratio: quartiles(ratios(rates[at]!, rates[0]!)),
    brokers: median(samples.map(({ brokers }) => brokers)),
    busiest: median(samples.map(({ busiest }) => busiest)),
    nats: medianOfKnown(samples.map(({ nats }) => nats)),
  }))
  const why =
    "there is no nats-server: go install github.com/nats-io/nats-server/v2@latest, or say where it is with NATS_SERVER"
  const figures = { rows, absent: program === undefined ? [{ name: "1 to 3 nodes", why }] : [] }
  console.log(tableMarkdown(clusterTable(figures)))
  return figures
}

/** @param program of nats-server; undefined: a broker that is none of a cluster */
async function subject(name: string, count: number, program: string | undefined): Promise<Subject> {
  const nats = program === undefined ? undefined : await startNatsServer(program)
  const peers: Peer[] = []
  for (let at = 0; at < count; at++) {
    const cluster = nats && { nats: nats.url, node: `node-${at + 1}` }
    peers.push(await startPeer({ kind: "puremq", store: "process", cluster }))
  }
  const load = await connectPairs(peers.map(({ port }) => port))
  return { name, peers, nats, load, samples: [] }
}

async function measure({ load, nats, peers }: Subject): Promise<Sample> {
  const busy = () => Promise.all(peers.map((peer) => peer.ask("busy")))
  const [before, natsBefore] = [await busy(), nats?.busy()]
  const elapsed = await load.run()
  const [after, natsAfter] = [await busy(), nats?.busy()]
  const count = pairs * messages
  const each = after.map((time, at) => ((time - before[at]!) * 1000) / count)
  return {
    rate: (count * 1000) / elapsed,
    brokers: each.reduce((sum, one) => sum + one, 0),
    busiest: Math.max(...each),
    nats: natsBefore === undefined || natsAfter === undefined ? undefined : ((natsAfter - natsBefore) * 1000) / count,
  }
}

interface Load {
  /** Until all messages have come, and all are acknowledged. @returns milliseconds */
  run(): Promise<number>
  stop(): void
}

/** The publisher of a pair is at one node, its subscriber at the next. */
async function connectPairs(ports: readonly number[]): Promise<Load> {
  let [due, left]: [number, number] = [0, 0]
  let over: (() => void) | undefined
  let isStopped = false
  let fail: ((error: Error) => void) | undefined
  const lost = () => {
    if (!isStopped) fail?.(new Error("a broker closed a connection"))
  }
  const one = () => {
    if (--left === 0) over?.()
  }
  const clients: Socket[] = []
  const pumps: (() => void)[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const [port, next] = [ports[pair % ports.length]!, ports[(pair + 1) % ports.length]!]
    const topic = topicOf(pair)
    const subscriber = await connectMqtt({ port: next }, { clientId: `subscriber-${pair}`, kept: true })
    await subscribe(subscriber, topic, 1)
    const publisher = await connectMqtt({ port }, { clientId: `publisher-${pair}` })
    acknowledge(subscriber, one)
    let [sent, acknowledged] = [0, 0]
    const pump = () => {
      const batch: Uint8Array[] = []
      for (; sent < due && sent - acknowledged < window; sent++)
        batch.push(publishPacket({ topic, payload, qos: 1, id: (sent % 65_535) + 1 }))
      if (batch.length > 0) publisher.write(Buffer.concat(batch))
    }
    // PUBACK of MQTT 3.1.1 has four bytes.
    let bytes = 0
    publisher.on("data", (data: Uint8Array) => {
      bytes += data.length
      for (; (acknowledged + 1) * 4 <= bytes; acknowledged++) one()
      pump()
    })
    pumps.push(pump)
    for (const client of [subscriber, publisher]) client.on("error", lost).on("close", lost)
    clients.push(subscriber, publisher)
  }
  return {
    run() {
      const began = performance.now()
      due += messages
      left = 2 * pairs * messages
      return new Promise((resolve, reject) => {
        let before = -1
        const watch = setInterval(() => {
          if (left === before)
            fail?.(new Error(`${left} messages or acknowledgements have not come, and none come any more`))
          before = left
        }, patience)
        over = () => {
          clearInterval(watch)
          resolve(performance.now() - began)
        }
        fail = (error) => {
          clearInterval(watch)
          reject(error)
        }
        for (const pump of pumps) pump()
      })
    },
    stop() {
      isStopped = true
      for (const client of clients) client.destroy()
    },
  }
}

function acknowledge(subscriber: Socket, arrived: () => void): void {
  const reader = new PacketReader()
  subscriber.on("data", (data: Uint8Array) => {
    const answers: Uint8Array[] = []
    reader.read(data, (first, body) => {
      if (first >> 4 !== 3) return
      answers.push(pubackPacket(body.readUInt16BE(2 + body.readUInt16BE(0))))
      arrived()
    })
    if (answers.length > 0) subscriber.write(Buffer.concat(answers))
  })
}

function medianOfKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : median(known)
}

export function clusterTable({ rows, absent }: ClusterFigures): TextTable {
  return {
    title: `Messages of ${payload.length} bytes, QoS 1, to sessions that are kept, through a cluster`,
    lead: `${pairs} publishers, each with a subscriber at the next node, ${window} in flight, over TCP; one nats-server, on the same machine as nodes and load. ${rounds} rounds, medians; microseconds of processor time a message.`,
    head: ["", "messages/s", "ratio (quartiles)", "all brokers, µs CPU", "the busiest, µs CPU", "nats-server, µs CPU"],
    cells: rows.map(({ name, rate, ratio: [low, middle, high], brokers, busiest, nats }, at) => [
      name,
      `${Math.round(rate)}`,
      at === 0 ? "1" : `${middle.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
      brokers.toFixed(1),
      busiest.toFixed(1),
      nats === undefined ? "-" : nats.toFixed(1),
    ]),
    bars: {
      axis: "µs CPU a message, the busiest broker",
      values: rows.map(({ name, busiest }) => ({ name, value: busiest })),
    },
    absent,
  }
}
