// What it costs to keep messages: QoS 1 to a session that outlives its connection, with the store in files beside the one in
// memory. Over TCP the store is most of what differs from nothing; over TLS it is as people have it.

import type { Pems } from "./contestants.ts"
import { type Comparison, compare } from "./measure.ts"
import { messagesPerSecond } from "./messages.ts"
import { type Peer, type StoreKind, startPeer } from "./peers.ts"

const names: Readonly<Record<StoreKind, string>> = {
  memory: "in memory",
  process: "in files",
  power: "in files, power",
}
const inFlight = 20

export async function compareStores(pems: Pems, rounds: number): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  for (const transport of ["TCP", "TLS"] as const) {
    const secured = transport === "TLS" ? pems : undefined
    const peers: [StoreKind, Peer][] = []
    for (const store of ["memory", "process", "power"] as const)
      peers.push([store, await startPeer({ kind: "puremq", store, pems: secured })])
    const contestants = peers.map(([store, { port }]) => ({
      name: names[store],
      measure: () =>
        messagesPerSecond(
          { port, pems: secured },
          { qos: 1, count: store === "power" ? 1_000 : 30_000, inFlight, kept: true },
        ),
    }))
    const title = `Messages of 64 bytes, QoS 1, ${inFlight} in flight, to a session that is kept, over ${transport}`
    comparisons.push(await compare(title, "messages/s", rounds, contestants))
    for (const [, peer] of peers) peer.stop()
  }
  return comparisons
}
