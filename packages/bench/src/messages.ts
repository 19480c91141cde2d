// Messages a second from one publisher to one subscriber, through the broker over TLS; the load comes through node:tls.

import { once } from "node:events"
import nodeTls from "node:tls"
import type { Pems } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { type Peer, startPeer } from "./peers.ts"

const names = { aedes: "aedes on node:tls", puremq: "PureMQ" } as const
const payload = new Uint8Array(64).fill(0x61)
const topic = "bench/topic"

export async function compareBrokers(pems: Pems, rounds: number): Promise<Comparison[]> {
  const peers = new Map<keyof typeof names, Peer>()
  for (const which of ["aedes", "puremq"] as const) peers.set(which, await startPeer({ kind: "broker", which, pems }))
  const comparisons: Comparison[] = []
  for (const qos of [0, 1] as const) {
    const contestants = [...peers].map(([which, { port }]) => ({
      name: names[which],
      measure: () => messagesPerSecond(port, pems, qos, qos === 0 ? 20_000 : 5_000),
    }))
    comparisons.push(
      await compare(
        `Messages of 64 bytes, QoS ${qos}, one publisher, one subscriber`,
        "messages/s",
        rounds,
        contestants,
      ),
    )
  }
  for (const peer of peers.values()) peer.stop()
  return comparisons
}

const keptIn = { memory: "in memory", process: "in files", power: "in files, power" } as const

/** QoS 1 to a session that outlives its connection. */
export async function compareStores(pems: Pems, rounds: number): Promise<Comparison> {
  const peers: [string, Peer][] = []
  for (const durability of ["memory", "process", "power"] as const)
    peers.push([keptIn[durability], await startPeer({ kind: "store", durability, pems })])
  const contestants = peers.map(([name, { port }]) => ({
    name,
    measure: () => messagesPerSecond(port, pems, 1, 5_000, true),
  }))
  const title = "Messages of 64 bytes, QoS 1, to a session that is kept"
  const comparison = await compare(title, "messages/s", rounds, contestants)
  for (const [, peer] of peers) peer.stop()
  return comparison
}

async function messagesPerSecond(port: number, pems: Pems, qos: 0 | 1, count: number, kept = false): Promise<number> {
  // A session that was there before ends, so Packet Identifiers begin with 1.
  if (kept) (await connectMqtt(port, pems, "subscriber")).destroy()
  const subscriber = await connectMqtt(port, pems, "subscriber", kept)
  subscriber.write(packet(0x82, [0, 1, ...text(topic), qos]))
  await once(subscriber, "data")
  const publisher = await connectMqtt(port, pems, "publisher")
  // What comes is of known length, so bytes are counted instead of packets.
  const length = publish(qos, 1).length
  const arrived = arrival(subscriber, count * length, qos, length)
  let acknowledged = 0
  publisher.on("data", (data: Uint8Array) => {
    acknowledged += data.length / 4
  })
  const start = performance.now()
  for (let sent = 0; sent < count; ) {
    const batch: Uint8Array[] = []
    for (; batch.length < 50 && sent < count; sent++) batch.push(publish(qos, (sent % 65_535) + 1))
    const flows = publisher.write(Buffer.concat(batch))
    if (!flows) await once(publisher, "drain")
    // At most 200 unacknowledged, as a client of MQTT would hold.
    while (qos === 1 && sent - acknowledged > 200) await once(publisher, "data")
  }
  await arrived
  const rate = (count * 1000) / (performance.now() - start)
  for (const client of [subscriber, publisher]) client.destroy()
  return rate
}

function arrival(subscriber: nodeTls.TLSSocket, bytes: number, qos: 0 | 1, length: number): Promise<void> {
  return new Promise((resolve) => {
    let received = 0
    let answered = 0
    subscriber.on("data", (data: Uint8Array) => {
      received += data.length
      if (qos === 1) {
        const acknowledgements: Uint8Array[] = []
        // The broker numbers its packets from 1 in order, so a whole packet's identifier is known by its position.
        for (; answered < Math.floor(received / length); answered++) {
          acknowledgements.push(packet(0x40, identifier(answered + 1)))
        }
        subscriber.write(Buffer.concat(acknowledgements))
      }
      if (received >= bytes) resolve()
    })
  })
}

async function connectMqtt(port: number, pems: Pems, clientId: string, kept = false): Promise<nodeTls.TLSSocket> {
  const socket = nodeTls.connect({ host: "127.0.0.1", port, ca: pems.ca, servername: "localhost" })
  await once(socket, "secureConnect")
  socket.setNoDelay(true)
  socket.write(packet(0x10, [...text("MQTT"), 4, kept ? 0 : 2, 0, 60, ...text(clientId)]))
  await once(socket, "data")
  return socket
}

function publish(qos: 0 | 1, id: number): Uint8Array {
  return packet(0x30 | (qos << 1), [...text(topic), ...(qos === 0 ? [] : identifier(id)), ...payload])
}

function packet(first: number, rest: readonly number[]): Uint8Array {
  if (rest.length > 127) throw new Error("longer than one byte of length says")
  return Uint8Array.of(first, rest.length, ...rest)
}

function identifier(id: number): number[] {
  return [(id >>> 8) & 0xff, id & 0xff]
}

function text(value: string): number[] {
  return [0, value.length, ...Buffer.from(value)]
}
