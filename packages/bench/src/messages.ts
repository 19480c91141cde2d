// Messages a second from one publisher to one subscriber, through the broker; the load comes through node:tls, or TCP.

import { once } from "node:events"
import type { Socket } from "node:net"
import type { Pems } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { type Address, connectMqtt, pubackPacket, publishPacket, subscribe } from "./mqtt.ts"
import { type Peer, startPeer } from "./peers.ts"

const names = { aedes: "aedes on node:tls", puremq: "PureMQ" } as const
const payload = new Uint8Array(64).fill(0x61)
const topic = "bench/topic"

export async function compareBrokers(pems: Pems, rounds: number): Promise<Comparison[]> {
  const peers = new Map<keyof typeof names, Peer>()
  peers.set("aedes", await startPeer({ kind: "aedes", pems }))
  peers.set("puremq", await startPeer({ kind: "puremq", store: "memory", pems }))
  const comparisons: Comparison[] = []
  for (const qos of [0, 1] as const) {
    const contestants = [...peers].map(([which, { port }]) => ({
      name: names[which],
      measure: () =>
        messagesPerSecond({ port, pems }, { qos, count: qos === 0 ? 20_000 : 5_000, inFlight: 200, kept: false }),
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

export interface Load {
  readonly qos: 0 | 1
  readonly count: number
  /** Of QoS 1, so many at most are not acknowledged to the publisher. */
  readonly inFlight: number
  /** The subscriber's session outlives its connection. */
  readonly kept: boolean
}

export async function messagesPerSecond(address: Address, { qos, count, inFlight, kept }: Load): Promise<number> {
  // A session that was there before ends, so Packet Identifiers begin with 1.
  if (kept) (await connectMqtt(address, { clientId: "subscriber" })).destroy()
  const subscriber = await connectMqtt(address, { clientId: "subscriber", kept })
  await subscribe(subscriber, topic, qos)
  const publisher = await connectMqtt(address, { clientId: "publisher" })
  // What comes is of known length, so bytes are counted instead of packets.
  const length = publishPacket({ topic, payload, qos }).length
  const arrived = arrival(subscriber, count * length, qos, length)
  let acknowledged = 0
  publisher.on("data", (data: Uint8Array) => {
    acknowledged += data.length / 4
  })
  const start = performance.now()
  for (let sent = 0; sent < count; ) {
    const most = qos === 0 ? 50 : Math.min(50, acknowledged + inFlight - sent)
    const batch: Uint8Array[] = []
    for (; batch.length < most && sent < count; sent++) {
      batch.push(publishPacket({ topic, payload, qos, id: (sent % 65_535) + 1 }))
    }
    const flows = publisher.write(Buffer.concat(batch))
    if (!flows) await once(publisher, "drain")
    while (qos === 1 && sent - acknowledged >= inFlight) await once(publisher, "data")
  }
  await arrived
  const rate = (count * 1000) / (performance.now() - start)
  for (const client of [subscriber, publisher]) client.destroy()
  return rate
}

function arrival(subscriber: Socket, bytes: number, qos: 0 | 1, length: number): Promise<void> {
  return new Promise((resolve) => {
    let received = 0
    let answered = 0
    subscriber.on("data", (data: Uint8Array) => {
      received += data.length
      if (qos === 1) {
        const acknowledgements: Uint8Array[] = []
        // The broker numbers its packets from 1 in order, so a whole packet's identifier is known by its position.
        for (; answered < Math.floor(received / length); answered++) acknowledgements.push(pubackPacket(answered + 1))
        subscriber.write(Buffer.concat(acknowledgements))
      }
      if (received >= bytes) resolve()
    })
  })
}
