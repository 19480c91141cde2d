// Shared Subscriptions (MQTT 5.0 section 4.8.2): what becomes of a message whose client does not take it.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { BrokerEvent } from "../ports/events.ts"

const versions = [4, 5] as const
const persistent = { cleanStart: false, sessionExpiryInterval: 60 } as const
const plain = { noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
const filter = "$share/workers/jobs/#"

function workers(test: TestBroker, names: readonly string[], options: object = {}): TestClient[] {
  return names.map((clientId) => {
    const worker = test.connect({ clientId, ...options })
    worker.subscribe(filter, { qos: 2 })
    return worker
  })
}

/** Payloads of what has come, each acknowledged. */
function work(worker: TestClient): string[] {
  const done: string[] = []
  for (let got = worker.take(); got.length > 0; got = worker.take()) {
    for (const { packetId, qos, payload } of got) {
      if (qos === 1) worker.ack(4, packetId)
      done.push(payload)
    }
  }
  return done
}

function jobs(test: TestBroker, count: number, qos: 0 | 1 | 2 = 1): string[] {
  const publisher = test.connect({ clientId: "publisher" })
  const names = Array.from({ length: count }, (_, i) => `${i}`)
  for (const [i, name] of names.entries()) {
    publisher.publish(`jobs/${i}`, name, { qos, packetId: i + 1 })
    if (qos === 2) publisher.ack(6, i + 1)
  }
  return names
}

const byNumber = (a: string, b: string) => Number(a) - Number(b)

describe.each(versions)("MQTT version %i", (protocolVersion) => {
  it.each([
    ["its session ends with its connection", { cleanStart: true }],
    ["its session expires", persistent],
  ])("QoS 1 jobs of a worker that dies without a word go to the other: %s", (_how, options) => {
    const test = new TestBroker({ limits: { maximumSessionExpiryInterval: 60 } })
    const [dead, alive] = workers(test, ["dead", "alive"], { protocolVersion, ...options })
    const all = jobs(test, 100)
    const done = work(alive!)
    expect(done.length).toBeGreaterThanOrEqual(50)
    dead!.cut()
    test.pass(61)
    done.push(...work(alive!))
    expect(done.sort(byNumber)).toEqual(all)
    expect(test.broker.counters.dropped["session ended"]).toBe(0)
    expect(test.broker.memory.queued).toBe(0)
  })

  it("what waits for nobody is handed on when the last of them ends, and then lost", () => {
    const test = new TestBroker()
    const [only] = workers(test, ["only"], { protocolVersion, cleanStart: true })
    jobs(test, 10)
    only!.cut()
    test.settle()
    expect(test.broker.counters.dropped["session ended"]).toBe(10)
    expect([test.broker.sessionCount, test.broker.memory.queued]).toEqual([1, 0])
  })
})

it("[MQTT-4.8.2-5] what was sent at QoS 2 goes to nobody else; what was not sent does", () => {
  const test = new TestBroker()
  const [dead, alive] = workers(test, ["dead", "alive"], { receiveMaximum: 5 })
  const all = jobs(test, 20, 2)
  const sent = dead!.take().map(({ payload }) => payload)
  expect(sent).toHaveLength(5)
  const finish = () => {
    const done: string[] = []
    for (let got = alive!.take(); got.length > 0; got = alive!.take()) {
      for (const { packetId, payload } of got) {
        alive!.ack(5, packetId)
        alive!.ack(7, packetId)
        done.push(payload)
      }
    }
    return done
  }
  const done = finish()
  dead!.cut()
  test.settle()
  done.push(...finish())
  expect(done.sort(byNumber)).toEqual(all.filter((name) => !sent.includes(name)))
  expect(test.broker.memory.queued).toBe(0)
})

it("[MQTT-4.8.2-4] QoS 1 waits for the client while its session may come back", () => {
  const test = new TestBroker()
  const [away, other] = workers(test, ["away", "other"], persistent)
  const all = jobs(test, 10)
  const done = work(other!)
  const sent = away!.take().map(({ payload }) => payload)
  away!.cut()
  test.pass(30)
  expect(other!.take()).toEqual([])
  const again = test.connect({ clientId: "away", ...persistent })
  expect(again.take().map(({ payload, dup }) => [payload, dup])).toEqual(sent.map((payload) => [payload, true]))
  expect([...done, ...sent].sort(byNumber)).toEqual(all)
})

it.each([
  ["PUBACK", 1, 4],
  ["PUBREC", 2, 5],
] as const)("[MQTT-4.8.2-6] a message that a client refuses by %s goes to nobody else", (_name, qos, type) => {
  const test = new TestBroker()
  const [first, second] = workers(test, ["first", "second"])
  jobs(test, 1, qos)
  const [who, other] = first!.seen.some(({ type }) => type === "publish") ? [first!, second!] : [second!, first!]
  who.ack(type, who.take()[0]!.packetId, ReasonCode.UnspecifiedError)
  who.cut()
  test.settle()
  expect(other.take()).toEqual([])
})

it("a member without quota is passed over while another has some", () => {
  const test = new TestBroker()
  const [small] = workers(test, ["small"], { receiveMaximum: 2 })
  const [large] = workers(test, ["large"], { receiveMaximum: 100 })
  jobs(test, 40)
  expect([small!.take().length, large!.take().length]).toEqual([2, 38])
})

it("each gets its share while all keep up", () => {
  const test = new TestBroker()
  const all = workers(test, ["a", "b", "c", "d"])
  jobs(test, 40)
  expect(all.map((worker) => worker.take().length)).toEqual([10, 10, 10, 10])
})

it("what has expired meanwhile is not handed on", () => {
  const test = new TestBroker()
  const [dead, alive] = workers(test, ["dead", "alive"], { ...persistent, receiveMaximum: 1 })
  const publisher = test.connect({ clientId: "publisher" })
  for (let i = 0; i < 10; i++) {
    publisher.publish(`jobs/${i}`, `${i}`, { qos: 1, packetId: i + 1, properties: [0x02, 0, 0, 0, 5] })
  }
  dead!.cut()
  alive!.cut()
  test.pass(6)
  const again = test.connect({ clientId: "alive", ...persistent, sessionExpiryInterval: 600 })
  test.pass(60)
  // What was in flight is complete, expired or not ([MQTT-4.3.3-7]); of the dead one it goes on as what it was.
  expect(again.take().length).toBeLessThanOrEqual(2)
  expect(test.broker.counters.dropped.expired).toBeGreaterThanOrEqual(8)
})

it("is handed on in turns when each of many members may have its own topics", () => {
  const test = new TestBroker({ access: { ...openAccess, deliveryRule: () => (topic) => topic !== "jobs/secret" } })
  const [dead] = workers(test, ["dead"])
  const all = jobs(test, 100)
  workers(
    test,
    Array.from({ length: 1000 }, (_, i) => `worker${i}`),
  )
  const { counters } = test.broker
  const before = counters.publishSent
  const { schedule } = test
  test.schedule = () => undefined // between two turns
  dead!.connection!.transportClosed(test.now, "cut")
  test.broker.flush(test.now)
  expect(counters.publishSent - before).toBeLessThan(50)
  test.schedule = schedule
  test.broker.flush(test.now)
  test.settle()
  expect(counters.publishSent - before).toBe(all.length)
})

it("what no other member has room for is counted, and the log says whose and how much it was", () => {
  const lost: BrokerEvent[] = []
  const events = (event: BrokerEvent) => event.event === "shared messages lost" && lost.push(event)
  const test = new TestBroker({ events, limits: { maximumQueuedMessages: 50, maximumSessionExpiryInterval: 60 } })
  for (const [name, sessionExpiryInterval] of [["dead", 10] as const, ["alive", 60] as const]) {
    const [worker] = workers(test, [name], { sessionExpiryInterval })
    worker!.cut()
  }
  const all = jobs(test, 100)
  expect(test.broker.counters.dropped["queue full"]).toBe(0)
  test.pass(11)
  const got = work(test.connect({ clientId: "alive", ...persistent }))
  expect(got.length).toBe(50)
  expect(test.broker.counters.dropped["queue full"]).toBe(all.length - 50)
  expect(test.broker.counters.dropped["session ended"]).toBe(0)
  expect(lost).toEqual([
    expect.objectContaining({ clientId: "dead", filter, messages: 50, reason: expect.stringContaining("has room") }),
  ])
})

describe("a client that comes again while its jobs are handed on", () => {
  function prepare(count: number) {
    const test = new TestBroker({ limits: { maximumQueuedMessages: 20_000 } })
    const [dead] = workers(test, ["dead"], { receiveMaximum: 1 })
    const all = jobs(test, count)
    const [alive] = workers(test, ["alive"], persistent)
    const { schedule } = test
    test.schedule = () => undefined // one turn at a time
    test.broker.flush(test.now)
    return { test, dead: dead!, alive: alive!, all, schedule }
  }

  it("has its answer when they are theirs, and others are served meanwhile", () => {
    const { test, alive, all, schedule } = prepare(6000)
    const before = test.broker.memory.queued
    const neighbour = test.connect({ clientId: "neighbour" })
    test.broker.flush(test.now)
    const again = test.open()
    again.send(writeConnect({ protocolVersion: 5, clientId: "dead", cleanStart: true, keepAlive: 0 }))
    again.send(writeSubscribe(1, [{ ...plain, filter, qos: 1 }], 5))
    let turns = 0
    for (; again.seen.length === 0 && turns < 100; turns++) {
      const work = test.broker.work
      neighbour.send([0xc0, 0])
      test.broker.flush(test.now)
      expect(test.broker.work - work).toBeLessThan(100_000)
    }
    expect(neighbour.seen.filter(({ type }) => type === "pingresp").length).toBeGreaterThanOrEqual(turns - 1)
    expect(turns).toBeGreaterThan(2)
    expect(before).toBeGreaterThan(0)
    test.schedule = schedule
    test.broker.flush(test.now)
    test.settle()
    expect(again.seen[0]).toMatchObject({ type: "connack", reasonCode: 0, sessionPresent: false })
    expect(again.seen.at(-1)).toMatchObject({ type: "suback" })
    expect(again.take()).toEqual([])
    expect(test.broker.memory.partial).toBe(0) // its CONNECT, which waited
    expect(work(alive).sort(byNumber)).toEqual(all)
    expect(test.broker.counters.dropped["session ended"]).toBe(0)
  })

  it("and goes before that is nobody, and two that wait come in their order", () => {
    const { test, alive, all, schedule } = prepare(6000)
    const [first, second, third] = [1, 2, 3].map(() => {
      const one = test.open()
      one.send(writeConnect({ protocolVersion: 5, clientId: "dead", cleanStart: true, keepAlive: 0 }))
      return one
    })
    first!.connection!.transportClosed(test.now, "cut")
    test.schedule = schedule
    test.broker.flush(test.now)
    test.settle()
    expect(first!.seen).toEqual([])
    expect(second!.seen.map(({ type }) => type)).toEqual(["connack", "disconnect"])
    expect(second!.farewell).toBe(ReasonCode.SessionTakenOver)
    expect(third!.seen.map(({ type }) => type)).toEqual(["connack"])
    expect(work(alive).sort(byNumber)).toEqual(all)
  })

  it.each([17, 18, 19, 20, 21, 22, 23])(
    "and then again, when that is nearly done (turn %i): there is one session",
    (turns) => {
      const { test, alive, all, schedule } = prepare(6000)
      const open = () => {
        const one = test.open()
        const kept = { cleanStart: false, sessionExpiryInterval: 100 }
        one.send(writeConnect({ protocolVersion: 5, clientId: "dead", keepAlive: 0, ...kept }))
        return one
      }
      const first = open()
      for (let i = 0; i < turns; i++) test.broker.flush(test.now)
      const second = open()
      test.schedule = schedule
      test.broker.flush(test.now)
      test.settle()
      // The earlier one has had it and was taken over, or finds the later one there.
      expect(first.closed).toBe(true)
      expect(second.seen.map(({ type }) => type)).toEqual(["connack"])
      expect([...test.broker.sessions()].filter(({ clientId }) => clientId === "dead")).toHaveLength(1)
      expect(work(alive).sort(byNumber)).toEqual(all)
    },
  )

  it("after few jobs has it at once", () => {
    const { test, all, alive, schedule } = prepare(50)
    const again = test.connect({ clientId: "dead" })
    test.schedule = schedule
    test.broker.flush(test.now)
    expect(again.connack.reasonCode).toBe(ReasonCode.Success)
    expect(work(alive).sort(byNumber)).toEqual(all)
  })
})
