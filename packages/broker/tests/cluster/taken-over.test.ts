// Sessions that change hands, or nearly do: their wills come, once and not early, and who has lost one learns of it.

import { expect, it } from "vitest"
import { letGoOf, subjectOfSession } from "../../src/cluster/claims.ts"
import { partitionOf } from "../../src/cluster/partition.ts"
import { encodeText } from "../../src/packet/bytes.ts"
import type { Will } from "../../src/packet/packets.ts"
import { publishBytes, type TestClient } from "../harness.ts"
import { type ClusterNodeWorld, ClusterWorld, type Member } from "./cluster-world.ts"

function withWill(node: ClusterNodeWorld, clientId: string, lasting: boolean): TestClient {
  const client = node.test.open()
  client.connect({
    clientId,
    cleanStart: !lasting,
    ...(lasting && { sessionExpiryInterval: 3600 }),
    will: willOf(clientId, lasting ? 2 : 0),
  })
  return client
}

function willOf(clientId: string, delayInterval: number): Will {
  const [payload, properties] = [encodeText("gone"), new Uint8Array(0)]
  return {
    topic: `w/${clientId}`,
    payload,
    properties,
    qos: 1,
    retain: false,
    delayInterval,
    messageExpiryInterval: undefined,
  }
}

function twoNodes(seed = 1) {
  const world = new ClusterWorld(seed, ["a", "b"])
  const [a, b] = [world.nodes[0]!, world.nodes[1]!]
  return { world, a, b }
}

it.each([1, 2, 4, 6, 8, 10])("who asks for a session and goes after %i ms takes no will with it", (time) => {
  const { world, a, b } = twoNodes(time)
  const watcher = world.member(b, "watcher")
  world.subscribe(watcher, "w/#", 1)
  const client = withWill(a, "s", true)
  world.pass(100)
  client.cut()
  world.pass(100)
  const other = b.test.open()
  other.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
  world.pass(time)
  other.cut()
  world.pass(30_000, 10)
  // When it was back within the delay there is none.
  const back = other.seen.some(({ type }) => type === "connack")
  if (!back) expect(watcher.got).toEqual(["gone"])
})

it("a node learns of a session that was ended while it was cut off, also when nothing says so any more", () => {
  const { world, a, b } = twoNodes()
  const client = withWill(a, "s", false)
  const watcher = world.member(b, "watcher")
  world.subscribe(watcher, "w/#", 1)
  a.streams.cut("silently")
  world.pass(120_000, 50)
  expect(watcher.got).toEqual(["gone"])
  expect(client.closed).toBe(false)
  a.streams.heal()
  world.pass(5000, 10)
  expect(client.closed).toBe(true)
})

// They waited for a turn that was not committed, and heard nothing until the servers were back.
it("who comes while no server can be reached is told so, also when a turn waits for them", () => {
  const { world, a } = twoNodes()
  const publisher = world.member(a, "publisher", { lasting: true })
  const comes = (clientId: string) => {
    const client = a.test.open()
    client.connect({ clientId, cleanStart: true })
    return client
  }
  const codes = (clients: readonly TestClient[]) => clients.map(({ connack }) => connack.reasonCode)
  a.streams.cut("at once")
  const first = comes("first")
  world.pass(1100, 10)
  publisher.client.connection?.receive(publishBytes(5, "t", "m", { qos: 1, packetId: 1 }), a.test.now)
  world.pass(1100, 10)
  const [second, third] = [comes("second"), comes("third")]
  world.pass(1100, 10)
  expect(codes([first, second, third])).toEqual([0x88, 0x88, 0x88])
  a.streams.heal()
  world.pass(5000, 10)
  const back = comes("second")
  world.pass(1000, 10)
  expect(codes([back])).toEqual([0])
})

// They were answered when their time to log in was over, after 20 seconds.
it("who comes while servers that can be reached keep nothing is told so soon", () => {
  const { world, a } = twoNodes()
  const publisher = world.member(a, "publisher", { lasting: true })
  const { partitions } = world.servers
  for (const one of partitions) one.leaderAway()
  publisher.client.connection?.receive(publishBytes(5, "t", "m", { qos: 1, packetId: 1 }), a.test.now)
  world.pass(7000, 10)
  const client = a.test.open()
  client.connect({ clientId: "new", cleanStart: true })
  world.pass(5000, 10)
  expect(client.connack.reasonCode).toBe(0x88)
  for (const one of partitions) one.leaderBack()
  world.pass(7000, 10)
  const back = a.test.open()
  back.connect({ clientId: "new", cleanStart: true })
  world.pass(1000, 10)
  expect(back.connack.reasonCode).toBe(0)
})

it("who was cut off takes nothing from a node that it took for gone, and that is there", () => {
  const { world, a, b } = twoNodes()
  const watcher = world.member(a, "watcher")
  world.subscribe(watcher, "w/#", 1)
  const client = withWill(a, "s", true)
  world.pass(3000, 10)
  a.streams.cut("at once")
  world.pass(6000, 10)
  b.streams.cut("silently")
  world.pass(1500, 10)
  a.streams.heal()
  world.pass(20_000, 10)
  b.streams.heal()
  world.pass(30_000, 10)
  expect(client.closed).toBe(false)
  expect(watcher.got).toEqual([])
})

interface Still extends ReturnType<typeof twoNodes> {
  readonly old: Member
}

/**
 * Node `a` stands still, as under SIGSTOP, until `b` has taken this client's session; then it reads, and hears, on.
 *
 * @param before what is done before that, and while it stands still and has the session
 */
function stoodStill(whose: string, before?: { ready(still: Still): void; meanwhile(still: Still): void }) {
  const nodes = twoNodes()
  const { world, a, b } = nodes
  const old = world.member(a, whose, { lasting: true })
  before?.ready({ ...nodes, old })
  world.pass(500)
  world.members.delete(old)
  a.alive = false
  a.streams.cut("silently")
  before?.meanwhile({ ...nodes, old })
  const member = world.member(b, whose, { lasting: true, before: old })
  expect(member.client.connack.sessionPresent).toBe(true)
  a.test.now = world.servers.clock.now
  a.alive = true
  const says = (client: TestClient, packetId: number) =>
    client.connection?.receive(publishBytes(5, "late", "late", { qos: 1, packetId }), a.test.now)
  return { ...nodes, old, member, says }
}

it.each(["is about to be given to", "is with"])(
  "what a replaced connection says to a node that stood still is not answered, when its turn %s the servers",
  (turn) => {
    const { world, a, old, says } = stoodStill("p")
    says(old.client, 1)
    says(old.client, 2)
    if (turn === "is with") a.test.settle()
    a.streams.heal()
    world.pass(3000)
    expect(old.client.closed).toBe(true)
    expect(old.client.acks()).toEqual([])
  },
)

it("nor one that was replaced on that node, too", () => {
  const { world, a, old, says } = stoodStill("p")
  says(old.client, 1)
  const other = a.test.open()
  other.connect({ clientId: "p", cleanStart: false, sessionExpiryInterval: 3600 })
  a.streams.heal()
  world.pass(3000)
  expect(old.client.closed).toBe(true)
  expect(old.client.acks()).toEqual([])
})

it.each([
  [1, "hears of that"],
  [2, "hears of that"],
  [1, "has not heard of that"],
  [2, "has not heard of that"],
] as const)("a member is not sent what a node that stood still was offered for it at QoS %i, and %s", (qos, heard) => {
  const { world, a, old, member } = stoodStill("m", {
    ready: ({ world, b, old }) => {
      // The first makes its node the owner of the group.
      const first = world.member(b, "first")
      world.subscribe(first, "$share/g/t", qos)
      world.subscribe(old, "$share/g/t", qos)
      world.cut(first)
    },
    meanwhile: ({ world, b }) => {
      world.publish(world.member(b, "publisher"), "t", ["one", "two"], qos)
      if (heard === "hears of that") return
      const ask = world.servers.ask.bind(world.servers)
      world.servers.ask = (from, subject, data, answer) => {
        if (subject !== letGoOf("a")) ask(from, subject, data, answer)
      }
    },
  })
  a.streams.heal()
  world.pass(20_000, 10)
  expect(old.client.take()).toEqual([])
  expect(member.got.toSorted()).toEqual(["one", "two"])
})

/** Member `m` at node `a` of a group whose owner is `b`; and another client of that node, in the other partition. */
function memberOfGroup() {
  const nodes = twoNodes()
  const { world, a, b } = nodes
  const first = world.member(b, "first")
  const old = world.member(a, "m", { lasting: true })
  world.subscribe(first, "$share/g/t", 2)
  world.subscribe(old, "$share/g/t", 2)
  world.cut(first)
  const name = ["o1", "o2", "o3", "o4"].find((one) => partitionOf(one, 2) !== partitionOf("m", 2))!
  const other = world.member(a, name)
  const publisher = world.member(b, "publisher")
  world.pass(500)
  world.members.delete(old)
  /** Does this when the node gives the servers what it was offered for the member. */
  const whenKept = (work: () => void) => {
    const append = a.streams.append.bind(a.streams)
    let done = false
    a.streams.append = (partition, batch) => {
      const answer = append(partition, batch)
      if (!done && batch.some(({ subject }) => subject === subjectOfSession("m"))) {
        done = true
        work()
      }
      return answer
    }
    publisher.client.publish("t", "one", { qos: 2, packetId: 1 })
    return () => done
  }
  return { ...nodes, old, other, whenKept }
}

it("what was kept for a member leaves only if its session is here still, also when the answer comes late", () => {
  const { world, a, b, old, whenKept } = memberOfGroup()
  // The node stands still before it hears that it is kept.
  const done = whenKept(() => {
    a.streams.down.hold()
    a.alive = false
  })
  world.until("the node has kept what it was offered", done)
  const member = world.member(b, "m", { lasting: true, before: old })
  expect(member.client.connack.sessionPresent).toBe(true)
  world.pass(100)
  a.test.now = world.servers.clock.now
  a.alive = true
  a.streams.down.letGo()
  world.pass(20_000, 10)
  expect(old.client.take()).toEqual([])
  expect(member.got).toEqual(["one"])
})

it("and when another partition had not kept its part of the turn before the node was cut off", () => {
  const { world, a, b, old, other, whenKept } = memberOfGroup()
  const stream = world.servers.partitions[partitionOf(other.clientId, 2)]!
  const done = whenKept(() => stream.leaderAway())
  for (let packetId = 1; !done() && packetId < 1000; packetId++) {
    other.client.connection?.receive(publishBytes(5, "x", "x", { qos: 1, packetId }), a.test.now)
    world.pass(1)
  }
  world.pass(20)
  a.streams.cut("at once")
  stream.leaderBack()
  const member = world.member(b, "m", { lasting: true, before: old })
  expect(member.client.connack.sessionPresent).toBe(true)
  world.pass(100)
  a.streams.heal()
  world.until("the node reaches the servers", () => a.streams.reachable)
  // It tries the turn again before it looks whose its sessions are.
  a.test.broker.tick(world.servers.clock.now)
  a.test.settle()
  world.pass(20_000, 10)
  expect(old.client.take()).toEqual([])
  expect(member.got).toEqual(["one"])
})

// The streams had it for no longer than it said: it was forgotten, and its Packet Identifier another message's.
it.each([1, 2] as const)(
  "what was sent at QoS %i is sent again by another node, also when it has expired [MQTT-4.4.0-1]",
  (qos) => {
    const { world, a, b } = twoNodes()
    const [before, publisher] = [world.member(a, "s", { lasting: true }), world.member(a, "publisher")]
    world.subscribe(before, "t", qos)
    before.acknowledges = false
    const fiveSeconds = [0x02, 0, 0, 0, 5]
    publisher.client.publish("t", "sent", { qos, packetId: 1, properties: fiveSeconds })
    world.pass(1000)
    const packetId = before.unacknowledged[0]?.packetId
    world.cut(before)
    publisher.client.publish("t", "not sent", { qos, packetId: 2, properties: fiveSeconds })
    world.pass(30_000, 10)
    const again = b.test.open()
    again.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
    world.pass(3000, 10)
    const seen = again.take().map(({ dup, packetId, payload }) => ({ dup, packetId, payload }))
    expect(seen).toEqual([{ dup: true, packetId, payload: "sent" }])
  },
)

// It was looked at once, and then nobody's: until the node ended, which had let it go.
it.each(["a partition has no leader", "its node is cut off"])(
  "a session that was let go for a node that could not take it is seen to later, also when %s then",
  (why) => {
    const { world, a, b } = twoNodes()
    const watcher = world.member(b, "watcher")
    world.subscribe(watcher, "w/#", 1)
    const client = withWill(a, "s", true)
    world.pass(500)
    client.cut()
    const stream = world.servers.partitions[partitionOf("s", 2)]!
    const ask = world.servers.ask.bind(world.servers)
    world.servers.ask = (from, subject, data, answer) => {
      ask(from, subject, data, answer)
      if (subject === letGoOf("a")) stream.leaderAway()
    }
    const other = b.test.open()
    other.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
    world.until("it is told that it cannot have it", () => other.closed)
    if (why !== "a partition has no leader") a.streams.cut("at once")
    world.pass(25_000, 10)
    expect(watcher.got).toEqual([])
    stream.leaderBack()
    a.streams.heal()
    world.pass(30_000, 10)
    expect(watcher.got).toEqual(["gone"])
  },
)

/** A message that is kept as sent to member `m`, and has not left node `a`, as its client reads slowly, when that stands still. */
function sentAndNotGone(qos: 0 | 1 | 2 = 1) {
  const nodes = twoNodes()
  const { world, a, b } = nodes
  const old = world.member(a, "m", { lasting: true })
  const publisher = world.member(b, "publisher")
  world.subscribe(old, "t", qos)
  old.client.taking = false
  world.publish(publisher, "t", ["in the transport"], 1)
  world.pass(100)
  world.publish(publisher, "t", ["waits"], qos)
  world.pass(100)
  expect(old.client.payloads().concat(old.got)).toEqual(["in the transport"])
  world.members.delete(old)
  a.alive = false
  a.streams.cut("silently")
  const runs = () => {
    a.test.now = world.servers.clock.now
    a.alive = true
    old.client.drain()
    a.streams.heal()
  }
  return { ...nodes, old, runs }
}

it.each([1, 2] as const)(
  "what a node had not sent at QoS %i when it stood still leaves no more, if it lost the session",
  (qos) => {
    const { world, b, old, runs } = sentAndNotGone(qos)
    const member = world.member(b, "m", { lasting: true, before: old })
    world.pass(1000)
    expect(member.got).toContain("waits")
    runs()
    expect(old.client.payloads()).toEqual([])
    world.pass(5000, 10)
    expect(old.client.payloads()).toEqual([])
    expect(old.client.farewell).toBe(0x8e)
    expect(old.client.closed).toBe(true)
  },
)

it("and leaves when the servers have said that nobody has taken it, before what comes after", () => {
  const { world, b, old, runs } = sentAndNotGone()
  world.pass(5000, 10)
  runs()
  expect(old.client.payloads()).toEqual([])
  world.publish(world.member(b, "second"), "t", ["new"], 1)
  world.pass(100)
  expect(old.client.payloads()).toEqual(["waits", "new"])
  expect(old.client.closed).toBe(false)
})

it("and after ten seconds when no server can be reached, as QoS 0 needs none", () => {
  const { world, a, old, runs } = sentAndNotGone()
  world.pass(8000, 10)
  runs()
  a.streams.cut("at once")
  expect(old.client.payloads()).toEqual([])
  world.pass(9000, 10)
  expect(old.client.payloads()).toEqual([])
  world.pass(2000, 10)
  expect(old.client.payloads()).toEqual(["waits"])
})

it("one that ends while it is held hears the rest", () => {
  const { world, old, runs } = sentAndNotGone()
  world.pass(3000, 10)
  runs()
  old.client.disconnect(0x04)
  expect(old.client.closed).toBe(false)
  world.pass(100)
  expect(old.client.payloads()).toEqual(["waits"])
  expect(old.client.closed).toBe(true)
})

it.each([5, 4] as const)(
  "who loses the session before CONNACK has left is refused with it (MQTT %i) [MQTT-3.14.0-1]",
  (version) => {
    const { world, a, b } = twoNodes()
    const append = a.streams.append.bind(a.streams)
    a.streams.append = (partition, batch) => {
      const answer = append(partition, batch)
      if (batch.some(({ subject }) => subject === subjectOfSession("s"))) a.streams.down.hold()
      return answer
    }
    const old = a.test.open(version)
    old.connect({ protocolVersion: version, clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
    world.pass(500)
    a.alive = false
    world.member(b, "s", { lasting: true })
    a.streams.append = append
    a.test.now = world.servers.clock.now
    a.alive = true
    a.streams.down.letGo()
    world.pass(5000, 10)
    expect(old.seen.map(({ type }) => type)).toEqual(["connack"])
    expect(old.connack.reasonCode).toBe(version === 5 ? 0x88 : 3)
    expect(old.closed).toBe(true)
  },
)

it("and so it is when CONNACK was about to leave as the node stood still", () => {
  const { world, a, b } = twoNodes()
  const old = a.test.open()
  old.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
  const { schedule } = a.test
  // Its turn is committed, and nothing has left.
  a.test.schedule = () => undefined
  world.pass(500)
  expect(old.seen).toEqual([])
  a.alive = false
  a.streams.down.hold()
  world.member(b, "s", { lasting: true })
  a.test.schedule = schedule
  schedule()
  a.test.now = world.servers.clock.now
  a.alive = true
  a.streams.down.letGo()
  world.pass(5000, 10)
  expect(old.seen.map(({ type }) => type)).toEqual(["connack"])
  expect(old.connack.reasonCode).toBe(0x88)
  expect(old.closed).toBe(true)
})

// What it had been asked for was lost with its connection, and the servers had said that the session was still its own.
it.each(Array.from({ length: 17 }, (_, at) => 100 * at))(
  "a node whose connection breaks %i ms after it was asked for a session acknowledges nothing once another has it",
  (time) => {
    const { world, a, b } = twoNodes()
    const old = world.member(a, "s", { lasting: true })
    world.pass(1000)
    world.members.delete(old)
    a.streams.cut("silently")
    world.pass(6900 - time)
    const other = b.test.open()
    other.connect({ clientId: "s", cleanStart: false, sessionExpiryInterval: 3600 })
    world.until("it notices", () => !a.streams.reachable)
    a.streams.heal()
    world.until("the other node has it", () => other.seen.some(({ type }) => type === "connack"))
    world.until("it is back", () => a.streams.reachable)
    expect(other.connack.reasonCode).toBe(0)
    old.client.connection?.receive(publishBytes(5, "late", "late", { qos: 1, packetId: 1 }), a.test.now)
    world.pass(1000)
    expect(old.client.acks()).toEqual([])
    world.pass(10_000, 10)
    expect(old.client.closed).toBe(true)
  },
)

it("the owner of a group that was cut off until another is the owner passes nothing on any more", () => {
  const { world, a, b } = twoNodes()
  // The first makes its node the owner.
  const members = [world.member(a, "first"), world.member(b, "g1"), world.member(b, "g2")]
  for (const member of members) world.subscribe(member, "$share/g/t", 0)
  const publisher = world.member(b, "publisher")
  const got = () => members.flatMap((member) => member.got.splice(0))
  a.streams.cut("silently")
  world.pass(40_000, 10)
  got()
  a.streams.heal()
  world.until("it is back", () => a.streams.reachable)
  world.pass(100)
  const payloads = Array.from({ length: 40 }, (_, at) => `m${at}`)
  world.publish(publisher, "t", payloads, 0)
  world.pass(2000)
  expect(got().toSorted()).toEqual(payloads.toSorted())
})

it("an owner that reaches the servers for a moment only goes on with QoS 0 among its own clients", () => {
  const { world, a } = twoNodes()
  const [member, publisher] = [world.member(a, "m"), world.member(a, "publisher")]
  world.subscribe(member, "$share/g/t", 0)
  a.streams.cut("at once")
  world.pass(1000)
  a.streams.heal()
  world.until("it is back", () => a.streams.reachable)
  a.streams.cut("at once")
  world.pass(100)
  world.publish(publisher, "t", ["one", "two"], 0)
  world.pass(20_000, 10)
  world.publish(publisher, "t", ["three"], 0)
  world.pass(100)
  expect(member.got).toEqual(["one", "two", "three"])
})
