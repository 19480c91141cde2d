// Shared Subscriptions over several brokers (MQTT 5.0 section 4.8.2): broker cores on servers in memory.

import { describe, expect, test } from "vitest"
import { writeSubscribe } from "../../src/codecs/mqtt-packet.ts"
import { type ClusterNodeWorld, ClusterWorld, type Member, numbered } from "./cluster-world.ts"

const share = "$share/g/t/+"

/** What the servers have of groups. */
function records(world: ClusterWorld): readonly string[] {
  return world.servers.partitions.flatMap(({ content }) => {
    const found = content.next(1, (subject) => subject.startsWith("g."))
    return found === undefined ? [] : [found.subject]
  })
}

function all(...members: readonly Member[]): string[] {
  return members.flatMap(({ got }) => got).sort()
}

/** @param names of the brokers; the first becomes the owner */
function worldOf(
  seed: number,
  count: 2 | 3,
): { world: ClusterWorld; nodes: [ClusterNodeWorld, ClusterNodeWorld, ClusterNodeWorld] } {
  const world = new ClusterWorld(seed, ["a", "b", "c"].slice(0, count))
  return { world, nodes: world.nodes as [ClusterNodeWorld, ClusterNodeWorld, ClusterNodeWorld] }
}

describe.each([0, 1, 2] as const)("a group with members on two brokers, at QoS %i", (qos) => {
  test("each message goes to exactly one of them, and all of them get some", () => {
    const { world, nodes } = worldOf(1, 2)
    const [a, b] = nodes
    const members = [world.member(a, "m1"), world.member(b, "m2"), world.member(b, "m3")]
    for (const member of members) world.subscribe(member, share, qos)
    world.pass(50)
    const messages = numbered("x", 30)
    world.publish(world.member(a, "p1"), "t/1", messages.slice(0, 15), qos)
    world.publish(world.member(b, "p2"), "t/2", messages.slice(15), qos)
    world.pass(2000, 10)
    expect(all(...members)).toEqual([...messages].sort())
    for (const { got } of members) expect(got.length).toBeGreaterThan(3)
  })
})

test("two groups with one filter, and who subscribes without a group, get all of them each", () => {
  const { world, nodes } = worldOf(2, 2)
  const [a, b] = nodes
  const [one, other, own] = [world.member(a, "m1"), world.member(b, "m2"), world.member(b, "m3")]
  world.subscribe(one, "$share/g/t/+", 1)
  world.subscribe(other, "$share/h/t/+", 1)
  world.subscribe(own, "t/+", 1)
  const messages = numbered("x", 10)
  world.publish(world.member(a, "p"), "t/1", messages, 1)
  world.pass(1000, 10)
  for (const member of [one, other, own]) expect(all(member)).toEqual(messages)
})

// The filter without a group was asked for until the group had an owner, and not any more when SUBACK came.
test("who subscribes with and without a group in one packet gets what comes by either", () => {
  const { world, nodes } = worldOf(21, 2)
  const [a, b] = nodes
  const member = world.member(a, "m1")
  const request = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
  const requests = [share, "own"].map((filter) => ({ ...request, filter }))
  member.client.send(writeSubscribe(1, requests, 5, undefined))
  world.until("SUBACK", () => member.client.seen.some(({ type }) => type === "suback"))
  const publisher = world.member(b, "p")
  world.publish(publisher, "own", ["1"], 1)
  world.publish(publisher, "own", ["0"], 0)
  world.publish(publisher, "t/1", ["2"], 1)
  world.pass(500)
  expect(all(member)).toEqual(["0", "1", "2"])
})

describe.each(["a", "b"] as const)("a member on broker %s that does not acknowledge at QoS 1", (where) => {
  function begin(lasting: boolean) {
    const { world, nodes } = worldOf(3, 2)
    const [a, b] = nodes
    const slow = world.member(where === "a" ? a : b, "slow", { receiveMaximum: 3, lasting })
    const other = world.member(a, "other")
    slow.acknowledges = false
    world.subscribe(slow, share, 1)
    world.subscribe(other, share, 1)
    world.pass(50)
    const messages = numbered("x", 10)
    world.publish(world.member(b, "p"), "t/1", messages, 1)
    world.pass(500)
    expect(slow.got).toHaveLength(3)
    expect(all(slow, other)).toEqual(messages)
    return { world, slow, other, messages, nodes }
  }

  test.each([false, true])("hands back what it has when its client goes (lasting: %s)", (lasting) => {
    const { world, slow, other, messages } = begin(lasting)
    world.cut(slow)
    world.pass(500)
    expect(all(other)).toEqual(messages)
  })

  test("keeps what it was sent when it unsubscribes, and gets no more", () => {
    const { world, slow, other, messages, nodes } = begin(false)
    slow.client.unsubscribe(share)
    world.pass(500)
    expect(all(slow, other)).toEqual(messages)
    for (const one of slow.unacknowledged.splice(0)) slow.acknowledge(one)
    slow.acknowledges = true
    world.publish(world.member(nodes[0], "p2"), "t/1", numbered("y", 10), 1)
    world.pass(500)
    world.cut(slow)
    world.pass(2000, 10)
    expect(slow.got).toHaveLength(3)
    expect(all(slow, other)).toEqual([...messages, ...numbered("y", 10)])
  })

  test("goes on when it acknowledges", () => {
    const { world, slow, other, nodes } = begin(false)
    for (const one of slow.unacknowledged.splice(0)) slow.acknowledge(one)
    slow.acknowledges = true
    const publisher = world.member(nodes[0], "p2")
    // It says that it has room when it has acknowledged: what comes in one breath may all be the other's.
    for (let times = 0; times < 3; times++) {
      world.publish(publisher, "t/1", numbered(`y${times}`, 10), 1)
      world.pass(1000, 10)
    }
    expect(all(slow, other)).toHaveLength(40)
    expect(slow.got.length).toBeGreaterThan(6)
  })
})

test("a member whose broker is killed: others get what it had not acknowledged", () => {
  const { world, nodes } = worldOf(4, 2)
  const [a, b] = nodes
  const [here, lost] = [world.member(a, "here"), world.member(b, "lost", { receiveMaximum: 5 })]
  world.subscribe(here, share, 1)
  world.subscribe(lost, share, 1)
  world.pass(50)
  lost.acknowledges = false
  const messages = numbered("x", 20)
  world.publish(world.member(a, "p"), "t/1", messages, 1)
  world.pass(200)
  expect(lost.got).toHaveLength(5)
  world.kill(b)
  world.pass(20_000, 20)
  expect(all(here)).toEqual([...messages].sort())
})

describe.each([1, 2] as const)("the owner's broker is killed, at QoS %i", (qos) => {
  test.each([0, 4, 9, 20])("%i ms after a message was acknowledged", (time) => {
    const { world, nodes } = worldOf(100 + time, 3)
    const [a, b, c] = nodes
    const own = world.member(a, "own")
    world.subscribe(own, share, qos)
    const members = [world.member(b, "m1", { lasting: true }), world.member(c, "m2", { lasting: true })]
    for (const member of members) world.subscribe(member, share, qos)
    world.cut(own)
    world.pass(100)
    const before = numbered("before", 6)
    const publisher = world.member(c, "p")
    world.publish(publisher, "t/1", before, qos)
    world.pass(time)
    world.kill(a)
    const after = numbered("later", 6)
    world.publish(publisher, "t/2", after, qos)
    world.pass(20_000, 10)
    const got = all(...members)
    expect([...new Set(got)]).toEqual([...before, ...after].sort())
    if (qos === 2) expect(got).toHaveLength(before.length + after.length)
  })
})

test("a group whose members are all away keeps its messages, for whichever comes back, wherever", () => {
  const { world, nodes } = worldOf(5, 3)
  const [a, b, c] = nodes
  const [one, other] = [world.member(a, "m1", { lasting: true }), world.member(b, "m2", { lasting: true })]
  world.subscribe(one, share, 2)
  world.subscribe(other, share, 2)
  world.cut(one)
  world.cut(other)
  world.pass(70_000, 50)
  const messages = numbered("x", 20)
  const publisher = world.member(c, "p")
  world.publish(publisher, "t/1", messages.slice(0, 10), 1)
  world.kill(a)
  world.publish(publisher, "t/1", messages.slice(10), 2)
  world.pass(20_000, 20)
  const back = world.member(c, "m2", { lasting: true, before: other })
  world.pass(6000, 10)
  expect(all(back)).toEqual([...messages].sort())
})

test("when the last member has gone for good the group is forgotten, and the next one begins anew", () => {
  const { world, nodes } = worldOf(6, 2)
  const [a, b] = nodes
  const [one, other] = [world.member(a, "m1", { lasting: true }), world.member(b, "m2")]
  world.subscribe(one, share, 1)
  world.subscribe(other, share, 1)
  expect(records(world)).toEqual([`g.${share}`])
  one.client.unsubscribe(share)
  world.cut(other)
  world.pass(100)
  const publisher = world.member(b, "p")
  world.publish(publisher, "t/1", ["nobody's"], 1)
  world.pass(90_000, 50)
  expect(records(world)).toEqual([])
  const again = world.member(a, "m3")
  world.subscribe(again, share, 1)
  world.publish(publisher, "t/1", ["its"], 1)
  world.pass(1000, 10)
  expect(again.got).toEqual(["its"])
})

test("when the owner's broker ends, another goes on at once, with what was not done", () => {
  const { world, nodes } = worldOf(10, 2)
  const [a, b] = nodes
  const [one, other] = [world.member(a, "m1"), world.member(b, "m2")]
  world.subscribe(one, share, 1)
  world.subscribe(other, share, 1)
  const publisher = world.member(b, "p")
  const messages = numbered("x", 20)
  world.publish(publisher, "t/1", messages.slice(0, 10), 1)
  world.pass(200)
  a.test.broker.close(world.servers.clock.now)
  world.publish(publisher, "t/1", messages.slice(10), 1)
  world.pass(4000, 10)
  expect(all(one, other)).toEqual([...messages].sort())
})

test("a client that comes again on the same broker finds its session, and is a member as before", () => {
  const { world, nodes } = worldOf(9, 2)
  const [a, b] = nodes
  const member = world.member(a, "m", { lasting: true })
  world.subscribe(member, share, 2)
  const again = world.member(a, "m", { lasting: true, before: member })
  expect(again.client.connack.sessionPresent).toBe(true)
  world.publish(world.member(b, "p"), "t/1", ["x"], 2)
  world.pass(500)
  expect(again.got).toEqual(["x"])
})

describe("a message at QoS 2 that a member was sent is that member's [MQTT-4.8.2-5]", () => {
  test.each([false, true])("when its broker is killed, and it comes back elsewhere (PUBREC sent: %s)", (received) => {
    const { world, nodes } = worldOf(7, 3)
    const [a, b, c] = nodes
    const [other, member] = [world.member(a, "other"), world.member(b, "m", { lasting: true, receiveMaximum: 1 })]
    world.subscribe(member, share, 2)
    world.subscribe(other, share, 2)
    world.pass(50)
    member.acknowledges = false
    const messages = numbered("x", 6)
    world.publish(world.member(c, "p"), "t/1", messages, 2)
    world.pass(500)
    expect(member.got).toHaveLength(1)
    if (received) {
      member.client.ack(5, member.unacknowledged[0]!.packetId)
      world.pass(100)
    }
    world.kill(b)
    world.pass(20_000, 20)
    expect(all(other)).toHaveLength(5)
    const back = world.member(c, "m", { lasting: true, before: member })
    world.pass(1000, 10)
    expect(all(other, back)).toEqual(messages)
    expect(back.client.seen.filter(({ type }) => type === "publish")).toEqual([])
  })

  test("when its session ends", () => {
    const { world, nodes } = worldOf(8, 2)
    const [a, b] = nodes
    const [other, member] = [world.member(a, "other"), world.member(b, "m", { receiveMaximum: 1 })]
    world.subscribe(member, share, 2)
    world.subscribe(other, share, 2)
    world.pass(50)
    member.acknowledges = false
    world.publish(world.member(a, "p"), "t/1", numbered("x", 6), 2)
    world.pass(500)
    world.cut(member)
    world.pass(10_000, 10)
    expect(member.got).toHaveLength(1)
    expect(all(other, member)).toEqual(numbered("x", 6))
  })
})
