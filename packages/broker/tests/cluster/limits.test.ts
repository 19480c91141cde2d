// Limits of a cluster: at each of them, and one past it.

import { expect, it } from "vitest"
import { idBytes } from "../../src/cluster/group-members.ts"
import { subscriptionBytes } from "../../src/cluster/session-record.ts"
import type { Streams } from "../../src/cluster/streams.ts"
import { contentBytes } from "../../src/hub/wills.ts"
import type { Will } from "../../src/packet/packets.ts"
import { ReasonCode } from "../../src/packet/reason-codes.ts"
import { Pause } from "../../src/ports/pause.ts"
import { ClusterWorld, type Member, numbered } from "./cluster-world.ts"

/** Servers that take little at once. */
const largest = 200_000

function world() {
  const all = new ClusterWorld(1, ["a", "b"], largest)
  return { all, a: all.nodes[0]!, b: all.nodes[1]! }
}

function subscribe(all: ClusterWorld, { client }: Member, filter: string): number | undefined {
  client.seen.splice(0)
  client.subscribe(filter, { qos: 1 })
  all.until(`SUBACK for ${filter}`, () => client.seen.some(({ type }) => type === "suback"))
  const suback = client.seen.find(({ type }) => type === "suback")
  return suback?.type === "suback" ? suback.reasonCodes[0] : undefined
}

it("filters of a session take three quarters of a record, and one more is refused with 0x97", () => {
  const { all, a, b } = world()
  const member = all.member(a, "s", { lasting: true })
  const filter = (at: number) => `${at}`.padEnd(1000, "x")
  const most = Math.floor((largest * 3) / 4 / subscriptionBytes(filter(0), 2))
  expect(most).toBeGreaterThan(20)
  for (let at = 0; at < most; at++) expect(subscribe(all, member, filter(at))).toBe(1)
  expect(subscribe(all, member, filter(most))).toBe(ReasonCode.QuotaExceeded)
  // One that it has, and one in the place of another, are none more.
  expect(subscribe(all, member, filter(0))).toBe(1)
  member.client.unsubscribe(filter(1))
  all.pass(100)
  expect(subscribe(all, member, filter(most))).toBe(1)
  expect(member.client.closed).toBe(false)
  // All of it is there on the other node, which can still let go of it.
  all.cut(member)
  const after = all.member(b, "s", { lasting: true, before: member })
  all.publish(all.member(a, "p"), filter(most), ["1"], 1)
  all.pass(500)
  expect(after.got).toEqual(["1"])
  expect(subscribe(all, after, filter(1))).toBe(ReasonCode.QuotaExceeded)
  // What ends with its connection is in no record.
  const passing = all.member(a, "passing")
  for (let at = 0; at <= most; at++) expect(subscribe(all, passing, filter(at))).toBe(1)
})

it("a will takes an eighth of a record, and one of more bytes is refused with 0x97", () => {
  const { all, a } = world()
  const of = (length: number): Will => {
    const beside = { properties: new Uint8Array(0), qos: 1, retain: false } as const
    return {
      topic: "w",
      payload: new Uint8Array(length),
      ...beside,
      delayInterval: 0,
      messageExpiryInterval: undefined,
    }
  }
  const most = largest / 8 - contentBytes(of(0))
  const codes = [most, most + 1].map((length) => {
    const client = a.test.open()
    client.connect({ clientId: `c${length}`, will: of(length) })
    all.pass(500)
    return client.connack.reasonCode
  })
  expect(codes).toEqual([0, ReasonCode.QuotaExceeded])
})

it("lasting members of a Shared Subscription take a quarter of its record, and one more is refused with 0x97", () => {
  const { all, a, b } = world()
  const name = (at: number) => `${at}`.padEnd(240, "m")
  const most = Math.floor(largest / 4 / idBytes(name(0)))
  const members = Array.from({ length: most + 1 }, (_, at) =>
    all.member(at % 2 === 0 ? a : b, name(at), { lasting: true }),
  )
  const codes = members.map((member) => subscribe(all, member, "$share/g/t"))
  expect(codes).toEqual([...members.slice(1).map(() => 1), ReasonCode.QuotaExceeded])
  // Who ends with its connection is in no record.
  expect(subscribe(all, all.member(a, "passing"), "$share/g/t")).toBe(1)
  // When one has gone for good there is room.
  members[0]!.client.unsubscribe("$share/g/t")
  all.pass(1000)
  expect(subscribe(all, members[most]!, "$share/g/t")).toBe(1)
  all.publish(all.member(a, "p"), "t", numbered("m", 100), 1)
  all.pass(1000)
  expect(members.flatMap(({ got }) => got).length).toBeGreaterThan(90)
})

it("a node tells of more members than stand in one message", () => {
  const { all, a, b } = world()
  const owner = all.member(a, "owner")
  expect(subscribe(all, owner, "$share/g/t")).toBe(1)
  const members = numbered("m", 360).map((id) => all.member(b, id.padEnd(240, "m")))
  for (const member of members) expect(subscribe(all, member, "$share/g/t")).toBe(1)
  // Its owner is another from here on, which is told of all.
  all.kill(a)
  all.pass(20_000, 10)
  all.publish(all.member(b, "p"), "t", numbered("x", 1000), 1)
  all.pass(2000)
  const got = members.map((member) => member.got.length)
  expect(got.reduce((sum, count) => sum + count, 0)).toBe(1000)
  expect(Math.min(...got)).toBeGreaterThan(0)
})

it("retained messages are as many as may be, whoever publishes them, and one more is refused with 0x97, or is not retained", () => {
  const all = new ClusterWorld(1, ["a", "b"], undefined, { maximumRetainedMessages: 5 })
  for (const { cluster } of all.nodes) cluster.mirror()
  all.pass(100)
  const [a, b] = [all.nodes[0]!, all.nodes[1]!]
  const five = all.member(a, "five")
  const other = all.member(b, "other")
  const seen = all.member(b, "seen")
  subscribe(all, seen, "#")
  let packetId = 0
  const set = ({ client }: Member, topic: string, payload = "x"): number | undefined => {
    client.seen.splice(0)
    client.publish(topic, payload, { qos: 1, retain: true, packetId: ++packetId })
    all.until(`PUBACK for ${topic}`, () => client.seen.some(({ type }) => type === "puback"))
    const [puback] = client.seen.filter((one) => one.type === "puback")
    return puback?.type === "puback" ? puback.reasonCode : undefined
  }
  const retained = () => [a, b].map(({ test }) => test.broker.retained.size)
  // In one breath, too: none of them has come back when the next is looked at.
  five.client.seen.splice(0)
  for (let at = 1; at <= 6; at++) five.client.publish(`t/${at}`, "x", { qos: 1, retain: true, packetId: 100 + at })
  const codes = () => five.client.seen.flatMap((one) => (one.type === "puback" ? [one.reasonCode] : []))
  all.until("six answers", () => codes().length === 6)
  expect(codes().sort((x, y) => x - y)).toEqual([0, 0, 0, 0, 0, ReasonCode.QuotaExceeded])
  all.pass(500)
  expect(retained()).toEqual([5, 5])
  expect(set(other, "t/7")).toBe(ReasonCode.QuotaExceeded)
  // In the place of another it goes, and behind one that was taken away.
  expect(set(other, "t/1", "y")).toBe(0)
  expect(set(other, "t/2", "")).toBe(0)
  all.pass(500)
  expect(set(five, "t/8")).toBe(0)
  all.pass(500)
  expect(retained()).toEqual([5, 5])
  seen.got.splice(0)
  other.client.publish("t/9", "passes", { qos: 0, retain: true })
  all.pass(500)
  expect(seen.got).toEqual(["passes"])
  expect(retained()).toEqual([5, 5])
  expect([a, b].map(({ test }) => test.broker.counters.retainedRefused)).toEqual([1, 2])
})

/** Questions of some kinds that a node has under way. */
function counted(streams: Streams, kinds: readonly ("all" | "at" | "fetch")[]) {
  const count = { underWay: 0, most: 0, asked: 0 }
  const counting = <Args extends readonly unknown[], Answer>(ask: (...args: Args) => Pause<Answer>) => {
    return (...args: Args): Pause<Answer> => {
      count.asked++
      count.underWay++
      count.most = Math.max(count.most, count.underWay)
      const pause = new Pause<Answer>()
      ask(...args).onAnswer((answer) => {
        count.underWay--
        pause.answer(answer)
      })
      return pause
    }
  }
  const { all, at, fetch } = streams
  const own = { all: counting(all.bind(streams)), at: counting(at.bind(streams)), fetch: counting(fetch.bind(streams)) }
  for (const kind of kinds) Object.assign(streams, { [kind]: own[kind] })
  return count
}

it("64 ranges of messages are read at a time, and one more waits for its turn", () => {
  const { all, a } = world()
  all.publish(all.member(a, "p"), "t", ["1"], 1)
  all.pass(500)
  const count = counted(a.streams, ["fetch"])
  const answers: unknown[] = []
  const read = (times: number) => {
    for (let at = 0; at < times; at++) a.cluster.fetch(0, ["t"], 0, 32).onAnswer((answer) => answers.push(answer))
  }
  read(64)
  expect(count).toEqual({ underWay: 64, most: 64, asked: 64 })
  all.pass(1000)
  expect(answers.length).toBe(64)
  read(65)
  expect(count).toEqual({ underWay: 64, most: 64, asked: 128 })
  all.pass(1000)
  expect(count).toEqual({ underWay: 0, most: 64, asked: 129 })
  expect(answers.length).toBe(129)
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
})

it("sessions that come back at once, and read more ranges than are read at a time, miss nothing", () => {
  const { all, a, b } = world()
  // Each reads one range at a time.
  const before = numbered("s", 70).map((id) => {
    const member = all.member(a, id, { lasting: true })
    all.subscribe(member, "t", 1)
    all.cut(member)
    return member
  })
  all.pass(1000)
  const [p, q] = [all.member(b, "p"), all.member(b, "q2")]
  for (const publisher of [p, q]) all.publish(publisher, "t", numbered(publisher.clientId, 40), 1)
  all.pass(1000)
  const count = counted(a.streams, ["fetch"])
  const after = before.map((member) => {
    const client = a.test.open()
    client.connect({ clientId: member.clientId, cleanStart: false, sessionExpiryInterval: 3600 })
    return client
  })
  const got = after.map(() => 0)
  for (let time = 0; time < 10_000 && got.some((count) => count < 80); time++) {
    all.pass(1)
    for (const [at, client] of after.entries()) {
      for (const { packetId } of client.take()) {
        got[at]!++
        client.ack(4, packetId)
      }
    }
  }
  expect(got).toEqual(after.map(() => 80))
  expect(count.most).toBe(64)
})

it("256 single records are read at a time, and one more waits for its turn", () => {
  const { all, a } = world()
  const count = counted(a.streams, ["all", "at"])
  const connect = (prefix: string, clients: number) => {
    const opened = numbered(prefix, clients).map((clientId) => {
      const client = a.test.open()
      client.connect({ clientId, cleanStart: false, sessionExpiryInterval: 3600 })
      return client
    })
    a.test.settle()
    return opened
  }
  const first = connect("a", 256)
  expect(count).toEqual({ underWay: 256, most: 256, asked: 256 })
  all.pass(2000)
  expect(first.map(({ connack }) => connack.reasonCode)).toEqual(first.map(() => 0))
  expect(count.underWay).toBe(0)
  const asked = count.asked
  const second = connect("b", 257)
  expect(count).toEqual({ underWay: 256, most: 256, asked: asked + 256 })
  all.pass(2000)
  expect(second.map(({ connack }) => connack.reasonCode)).toEqual(second.map(() => 0))
  expect(count).toEqual({ underWay: 0, most: 256, asked: asked + 257 })
})
