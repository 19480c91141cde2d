// What nodes know of each other: who joins, who is gone, and what is known while no server can be reached.

import { expect, it } from "vitest"
import { seeded } from "../../../tls13/fuzz/random.ts"
import type { MemoryNode } from "../../simulator/cluster/memory-node.ts"
import { MemoryServers } from "../../simulator/cluster/memory-servers.ts"
import { encodeAlive } from "../../src/cluster/alive.ts"
import { NodeOfCluster } from "../../src/cluster/cluster.ts"
import { OwnNode } from "../../src/cluster/own-node.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import type { ClusterEvent } from "../../src/ports/events.ts"
import type { NodeSaid } from "../../src/ports/nodes.ts"

interface Running {
  readonly node: NodeOfCluster
  readonly streams: MemoryNode
  readonly events: ClusterEvent[]
  clients: number
  received: number
}

class World {
  readonly servers = new MemoryServers({ random: seeded(1), partitions: 2 })
  readonly #running: Running[] = []
  readonly troubles: string[] = []

  start(name: string, id = `${name}-1`): Running {
    const { clock } = this.servers
    const events: ClusterEvent[] = []
    const running: Running = { node: undefined as never, streams: this.servers.node(), events, clients: 0, received: 0 }
    const figures = () => ({ clients: running.clients, sessions: running.clients, received: running.received, sent: 0 })
    const own = new OwnNode({ id, name, version: "1.2.3", startedAt: clock.now, figures })
    const trouble = (line: string) => void this.troubles.push(line)
    const told = (event: ClusterEvent) => void events.push(event)
    const now = () => clock.now
    const node = new NodeOfCluster({ node: id, partitions: 2, retention: 60, now, trouble, own, events: told })
    Object.assign(running, { node })
    node.open(running.streams)
    this.#running.push(running)
    return running
  }

  kill(running: Running): void {
    running.streams.kill()
    this.#running.splice(this.#running.indexOf(running), 1)
  }

  pass(seconds: number): void {
    for (let at = 0; at < seconds; at++) {
      this.servers.advance(1000)
      for (const { node } of this.#running) node.tick()
    }
  }
}

const seen = ({ node }: Running) => node.nodes().map(({ name, state }) => `${name} ${state}`)
const told = ({ events }: Running) =>
  events.splice(0).map((event) => `${event.event} ${"node" in event ? event.node : ""}`)

it("a node knows itself and what the others say of themselves, and who joins is told once", () => {
  const world = new World()
  const [a, b] = [world.start("a"), world.start("b")]
  expect(a.node.numbers).toEqual({ nodes: 1, clients: 0, reachable: true })
  a.clients = 3
  b.clients = 4
  for (let second = 0; second < 8; second++) {
    b.received += 20
    world.pass(1)
  }
  expect(seen(a)).toEqual(["a this", "b there"])
  expect(seen(b)).toEqual(["b this", "a there"])
  expect(a.node.numbers).toEqual({ nodes: 2, clients: 7, reachable: true })
  expect(a.node.nodes()[1]).toEqual({
    ...{ id: "b-1", name: "b", state: "there", version: "1.2.3", startedAt: 0, clients: 4, sessions: 4 },
    ...{ received: 20, sent: 0, heardAt: expect.any(Number) },
  })
  expect(told(a)).toEqual(["node joined b"])
  world.pass(60)
  expect([told(a), told(b)]).toEqual([[], ["node joined a"]])
})

it("one that falls silent is gone after 12 s, stays in the list for 10 minutes, and counts no more", () => {
  const world = new World()
  const [a, b] = [world.start("a"), world.start("b")]
  b.clients = 4
  world.pass(6)
  told(a)
  world.kill(b)
  world.pass(8)
  expect(seen(a)).toEqual(["a this", "b there"])
  world.pass(8)
  expect(seen(a)).toEqual(["a this", "b gone"])
  expect(a.events).toEqual([
    {
      event: "node gone",
      node: "b",
      id: "b-1",
      reason: expect.stringMatching(/^it was not heard for 1[2-5] s$/),
      clients: 4,
    },
  ])
  expect(a.node.numbers).toEqual({ nodes: 1, clients: 0, reachable: true })
  // It is started again: another, of the same name.
  const again = world.start("b", "b-2")
  world.pass(6)
  expect(seen(a)).toEqual(["a this", "b there", "b gone"])
  expect(seen(again)).toEqual(["b this", "a there"])
  world.pass(570)
  expect(seen(a)).toEqual(["a this", "b there", "b gone"])
  world.pass(40)
  expect(seen(a)).toEqual(["a this", "b there"])
})

it("one that ends in order has ended at once, and is not heard any more", () => {
  const world = new World()
  const [a, b] = [world.start("a"), world.start("b")]
  world.pass(6)
  told(a)
  b.node.close()
  // It does not speak behind its good-bye.
  b.node.tick()
  world.pass(1)
  world.kill(b)
  expect(seen(a)).toEqual(["a this", "b ended"])
  expect(a.events).toEqual([{ event: "node ended", node: "b", id: "b-1", clients: 0 }])
  world.pass(20)
  expect(told(a)).toEqual(["node ended b"])
  // What nobody of them has said is nobody's end.
  const stranger = world.servers.node()
  const c = world.start("c")
  world.pass(4)
  for (const data of [encodeText("x"), encodeText(""), Uint8Array.of(0xff), encodeText("a-1"), new Uint8Array(100_000)])
    stranger.tell("good-bye", {}, data)
  world.pass(1)
  expect(seen(a)).toEqual(["a this", "c there", "b ended"])
  stranger.tell("good-bye", {}, encodeText("c-1"))
  world.pass(1)
  expect(seen(a)).toEqual(["a this", "b ended", "c ended"])
  // It was not that one who said so: it is heard again.
  world.pass(4)
  expect(seen(a)).toEqual(["a this", "c there", "b ended"])
  expect(c.node.numbers.reachable).toBe(true)
  world.kill(c)
  world.pass(20)
  expect(seen(a)).toEqual(["a this", "b ended", "c gone"])
})

it("one that was silent and is heard again joins again", () => {
  const world = new World()
  const [a, b] = [world.start("a"), world.start("b")]
  world.pass(6)
  b.streams.cut("at once")
  world.pass(20)
  b.streams.heal()
  world.pass(6)
  expect(told(a)).toEqual(["node joined b", "node gone b", "node joined b"])
  expect(seen(a)).toEqual(["a this", "b there"])
})

it("while no server can be reached nobody is gone, and nothing is known; both are told once", () => {
  const world = new World()
  const [a] = [world.start("a"), world.start("b")]
  world.pass(6)
  told(a)
  world.servers.allAway()
  world.pass(60)
  expect(seen(a)).toEqual(["a this", "b unknown"])
  expect(a.node.numbers).toEqual({ nodes: 1, clients: 0, reachable: false })
  world.servers.allBack()
  world.pass(10)
  expect(seen(a)).toEqual(["a this", "b there"])
  expect(a.events).toEqual([
    { event: "cluster unreachable", reason: expect.stringContaining("NATS") },
    { event: "cluster reachable", away: 60 },
  ])
})

it("a node that is gone has its sessions looked for until that has succeeded", () => {
  const world = new World()
  const [a, b] = [world.start("a"), world.start("b")]
  world.pass(6)
  const looks: string[] = []
  const { streams } = a
  const fetch = streams.fetch.bind(streams)
  streams.fetch = (partition, ...others) => {
    looks.push(`${partition}`)
    return fetch(partition, ...others)
  }
  world.kill(b)
  for (const stream of world.servers.partitions) stream.leaderAway()
  world.pass(20)
  expect(looks.length).toBeGreaterThan(0)
  for (const stream of world.servers.partitions) stream.leaderBack()
  world.pass(20)
  expect(looks.slice(-2)).toEqual(["0", "1"])
  expect(told(a)).toEqual(["node joined b", "node gone b"])
  const { length } = looks
  world.pass(60)
  expect(looks).toHaveLength(length)
})

it("strange signs of life are nobody's, and of too many others none is kept", () => {
  const world = new World()
  const a = world.start("a")
  const stranger = world.servers.node()
  const say = (data: Uint8Array) => stranger.tell("alive", {}, data)
  const sayFor = (said: NodeSaid, ahead = 0) => say(encodeAlive({ said, now: world.servers.clock.now + ahead }))
  const node = (id: string) => ({
    ...{ id, name: "x", version: "1", startedAt: 0, clients: 1, sessions: 1, received: 0, sent: 0 },
  })
  for (const text of ["b-1", "{}", "", JSON.stringify({ ...node("b"), name: "\u001b[2J" })]) say(encodeText(text))
  sayFor(node("a-1"))
  world.pass(1)
  expect(seen(a)).toEqual(["a this"])
  for (let at = 0; at < 1500; at++) sayFor(node(`n-${at}`))
  world.pass(1)
  expect(a.node.nodes()).toHaveLength(1001)
  // Those that are gone make room.
  world.pass(20)
  for (let at = 0; at < 500; at++) sayFor(node(`m-${at}`))
  world.pass(1)
  expect(a.node.nodes()).toHaveLength(1001)
  expect(a.node.numbers.nodes).toBe(501)
})

it("a clock that is another is told of once, and not what was late once", () => {
  const world = new World()
  const a = world.start("a")
  const stranger = world.servers.node()
  const say = (name: string, ahead: number) => {
    const said = { id: `${name}-1`, name, version: "1", startedAt: 0, clients: 1, sessions: 1, received: 0, sent: 0 }
    stranger.tell("alive", {}, encodeAlive({ said, now: Math.max(0, world.servers.clock.now + ahead) }))
    world.pass(3)
  }
  world.pass(1000)
  for (const ahead of [-100, 4000, 4900, -7000, -200, -9000, -6000, -100]) say("in-order", ahead)
  expect(world.troubles).toEqual([])
  for (let times = 0; times < 4; times++) say("behind", -180_000)
  for (let times = 0; times < 2; times++) say("ahead", 6000)
  expect(world.troubles).toEqual([
    expect.stringMatching(/^The clock of the node behind is 180 s behind this one's: .*set the clocks/),
    expect.stringMatching(/^The clock of the node ahead is 6 s ahead of this one's: /),
  ])
  expect(a.node.nodes()).toHaveLength(4)
})

it("another that is called the same is told of once", () => {
  const world = new World()
  world.start("a")
  const stranger = world.servers.node()
  const said = { name: "a", version: "1", startedAt: 0, clients: 1, sessions: 1, received: 0, sent: 0 }
  const say = (id: string) => {
    stranger.tell("alive", {}, encodeAlive({ said: { id, ...said }, now: world.servers.clock.now }))
    world.pass(3)
  }
  // Of one that has just ended may be on its way.
  say("a-0")
  expect(world.troubles).toEqual([])
  for (let times = 0; times < 3; times++) say("a-2")
  expect(world.troubles).toEqual([expect.stringMatching(/^Another node is called a, too: give each a name of its own/)])
})
