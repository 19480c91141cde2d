// Sessions of nodes that have gone: each partition is looked through by one of those that are there, whoever has gone with them.

import { expect, it } from "vitest"
import { partitionOf } from "../../src/cluster/partition.ts"
import type { Failed, Fetched } from "../../src/cluster/streams.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import type { Will } from "../../src/packet/packets.ts"
import { Pause } from "../../src/ports/pause.ts"
import type { TestClient } from "../harness.ts"
import { type ClusterNodeWorld, ClusterWorld, type Member } from "./cluster-world.ts"

const [payload, properties] = [encodeText("gone"), new Uint8Array(0)]

interface Watched {
  readonly world: ClusterWorld
  readonly nodes: readonly ClusterNodeWorld[]
  readonly watcher: Member
  /** Records of sessions that were read by nodes that looked for some. */
  read(): number
}

/** The last node has a client that gets all wills; who goes is one of the others. */
function watched(names: readonly string[]): Watched {
  const world = new ClusterWorld(1, names)
  const { nodes } = world
  let read = 0
  for (const { streams } of nodes) {
    const fetch = streams.fetch.bind(streams)
    streams.fetch = (partition, subjects, after, most) => {
      const answer = new Pause<Fetched | Failed>()
      fetch(partition, subjects, after, most).onAnswer((found) => {
        if ("messages" in found) read += found.messages.filter(({ subject }) => subject.startsWith("s.")).length
        answer.answer(found)
      })
      return answer
    }
  }
  const watcher = world.member(nodes.at(-1)!, "watcher")
  world.subscribe(watcher, "w/#", 1)
  return { world, nodes, watcher, read: () => read }
}

function withWill(node: ClusterNodeWorld, clientId: string): TestClient {
  const beside = { delayInterval: 0, messageExpiryInterval: undefined, qos: 1, retain: false } as const
  const will: Will = { topic: `w/${clientId}`, payload, properties, ...beside }
  const client = node.test.open()
  client.connect({ clientId, cleanStart: true, will })
  return client
}

function withWills(node: ClusterNodeWorld, count: number): string[] {
  const names = Array.from({ length: count }, (_, at) => `${node.name}${at}`)
  for (const clientId of names) withWill(node, clientId)
  return names
}

/** Records of sessions that the servers have. */
function recordsOf({ servers }: ClusterWorld): number {
  let count = 0
  const isRecord = (subject: string) => subject.startsWith("s.")
  for (const { content } of servers.partitions) {
    for (let at = content.next(1, isRecord); at !== undefined; at = content.next(at.sequence + 1, isRecord)) count++
  }
  return count
}

it("of four nodes one goes: its wills come, and no record is read by all of the others", () => {
  const { world, nodes, watcher, read } = watched(["a", "b", "c", "d"])
  // Longer than after somebody has joined.
  world.pass(60_000, 50)
  for (const node of nodes.slice(1)) withWills(node, 100)
  const wills = withWills(nodes[0]!, 40)
  world.pass(1000, 10)
  const before = read()
  const records = recordsOf(world)
  world.kill(nodes[0]!)
  world.pass(14_000, 10)
  expect(watcher.got).toHaveLength(wills.length)
  // What was found is looked for once more later.
  expect(read() - before).toBeGreaterThanOrEqual(records)
  expect(read() - before).toBeLessThan(1.5 * records)
  world.pass(60_000, 50)
  expect(watcher.got).toHaveLength(wills.length)
})

it.each([
  ["at once", 0],
  ["a while after each other", 5000],
])("three of four nodes go, %s: all their wills come, once", (_, time) => {
  const { world, nodes, watcher } = watched(["a", "b", "c", "d"])
  world.pass(60_000, 50)
  const wills = nodes.slice(0, 3).flatMap((node) => withWills(node, 20))
  world.pass(1000, 10)
  for (const node of nodes.slice(0, 3)) {
    world.kill(node)
    if (time > 0) world.pass(time, 10)
  }
  world.pass(60_000, 20)
  expect(watcher.got).toHaveLength(wills.length)
})

it("a node goes just after another has come, of which not all have heard", () => {
  for (const moment of [10, 1500, 3500, 11_000, 14_000]) {
    const { world, nodes, watcher } = watched(["a", "b", "c"])
    world.pass(30_000, 50)
    const wills = withWills(nodes[0]!, 20)
    world.pass(1000, 10)
    world.kill(nodes[0]!)
    world.pass(moment, 10)
    world.add("d")
    world.pass(60_000, 20)
    expect(watcher.got).toHaveLength(wills.length)
  }
})

it("what is looked for is not taken from a node that is back, when the search was held up by the servers", () => {
  const { world, nodes, watcher } = watched(["b", "a"])
  const [b, a] = [nodes[0]!, nodes[1]!]
  const named = (partition: number) => ["n1", "n2", "n3", "n4", "n5"].filter((one) => partitionOf(one, 2) === partition)
  const clients = [...named(0), ...named(1)].map((clientId) => withWill(b, clientId))
  const busy = world.member(a, ["q1", "q2", "q3"].find((one) => partitionOf(one, 2) === 1)!)
  world.pass(3000, 10)
  b.streams.cut("at once")
  world.pass(8000, 10)
  // What this node has to commit first waits for a leader.
  const stream = world.servers.partitions[1]!
  stream.leaderAway()
  busy.client.publish("t", "1", { qos: 1 })
  world.pass(11_000, 10)
  a.streams.cut("at once")
  b.streams.heal()
  world.pass(1000, 10)
  a.streams.heal()
  stream.leaderBack()
  world.pass(40_000, 10)
  expect(clients.filter(({ closed }) => closed)).toEqual([])
  expect(watcher.got).toEqual([])
})

// The other had come after it, had never heard of it, and left the partition to who had.
it("a node goes that was to look at what another had, and has not got to it", () => {
  const { world, nodes } = watched(["w", "a", "b"])
  const [, gone, looks] = nodes as [ClusterNodeWorld, ClusterNodeWorld, ClusterNodeWorld]
  world.pass(30_000, 50)
  const wills = withWills(gone, 20)
  world.pass(1000, 10)
  world.kill(gone)
  world.kill(nodes[0]!)
  const last = world.add("c")
  const watcher = world.member(last, "watcher-2", { lasting: true })
  world.subscribe(watcher, "w/#", 1)
  // By the order of their names it is this one that b looks at.
  world.servers.partitions[0]?.leaderAway()
  world.pass(40_000, 20)
  world.kill(looks)
  world.servers.partitions[0]?.leaderBack()
  world.pass(60_000, 20)
  expect(watcher.got).toHaveLength(wills.length)
})

// It had been cut off since before the other began, say, and was about to say that it is there.
it("from a node that was never heard, but answers, nothing is taken unless its client comes", () => {
  const world = new ClusterWorld(1, ["a"])
  const a = world.nodes[0]!
  const tell = a.streams.tell.bind(a.streams)
  a.streams.tell = (subject, headers, data) => {
    if (subject !== "alive") tell(subject, headers, data)
  }
  const client = withWill(a, "s")
  const b = world.add("b")
  const watcher = world.member(b, "watcher")
  world.subscribe(watcher, "w/#", 1)
  world.pass(30_000, 10)
  expect(client.closed).toBe(false)
  expect(watcher.got).toEqual([])
  const again = withWill(b, "s")
  world.pass(1000, 10)
  expect([client.closed, client.seen.at(-1), again.closed]).toMatchObject([
    true,
    { type: "disconnect", reasonCode: 0x8e },
    false,
  ])
})
