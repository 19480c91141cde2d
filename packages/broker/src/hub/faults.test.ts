// What a store, bus, login, log, scheduler or transport throws ends one connection, is counted and told, and nobody else
// notices. The throwing parts are real ones with one call replaced.

import { describe, expect, it, onTestFinished } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { createLocalBus } from "../buses/local.ts"
import { Message } from "../packet/message.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { BrokerFault } from "../ports/events.ts"
import type { Sink } from "../ports/peer.ts"
import { RetainedTree } from "../routing/retained-tree.ts"
import { Faults } from "../session/faults.ts"
import { SessionOwners } from "../session/owners.ts"
import type { BrokerOptions } from "./options.ts"

const versions = [4, 5] as const
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

/** Throws at the next call after `armed` is set. */
class Trap {
  armed = false
  sprung = 0

  on<This, Given extends unknown[], Result>(call: (this: This, ...given: Given) => Result) {
    const trap = this
    return function (this: This, ...given: Given): Result {
      if (trap.armed) {
        trap.armed = false
        trap.sprung++
        throw new TypeError("planted")
      }
      return call.apply(this, given)
    }
  }

  /** Puts the trap before a method of that object, until the test ends. */
  before(target: object, method: string): void {
    const real = Reflect.get(target, method)
    Reflect.set(target, method, this.on(real))
    onTestFinished(() => {
      Reflect.set(target, method, real)
    })
  }
}

function faults(test: TestBroker): BrokerFault[] {
  return test.events.filter((event) => event.event === "fault")
}

/** A broker and two clients that talk to each other; `check` says that they still can. */
function populated(options: Partial<BrokerOptions> = {}): { test: TestBroker; check: () => void } {
  const test = new TestBroker(options)
  const one = test.connect({ clientId: "one" })
  const two = test.connect({ clientId: "two", protocolVersion: 4 })
  two.subscribe("between/us")
  let sent = 0
  const check = () => {
    one.publish("between/us", `${++sent}`, { qos: 1, packetId: sent })
    expect(two.payloads()).toEqual([`${sent}`])
    expect(one.acks().at(-1)).toMatchObject({ type: "puback", packetId: sent, reasonCode: 0 })
    one.send([0xc0, 0])
    expect(one.seen.at(-1)).toEqual({ type: "pingresp" })
  }
  check()
  return { test, check }
}

/** The victim has ended and was told why, its place is free, and it can come again. */
function ended(test: TestBroker, victim: TestClient, count: number): void {
  expect(victim.closed).toBe(true)
  expect(test.broker.connectionCount).toBe(count)
  expect(test.broker.faults.total).toBe(1)
  const [fault, ...more] = faults(test)
  expect(more).toEqual([])
  expect(fault?.stack).toContain("TypeError: planted\n    at ")
}

describe.each(versions)("MQTT version %i", (protocolVersion) => {
  const told = (victim: TestClient) =>
    expect(victim.farewell).toBe(protocolVersion === 5 ? ReasonCode.ImplementationSpecificError : undefined)

  it("a session that cannot be made ends the CONNECT with an answer", () => {
    const trap = new Trap()
    trap.before(SessionOwners.prototype, "add")
    const { test, check } = populated()
    trap.armed = true
    const victim = test.connect({ clientId: "victim", protocolVersion })
    expect(victim.connack.reasonCode).toBe(protocolVersion === 5 ? ReasonCode.UnspecifiedError : 3)
    ended(test, victim, 2)
    check()
    expect(test.connect({ clientId: "victim", protocolVersion }).connack.reasonCode).toBe(0)
  })

  it.each(["set", "delete", "walk"] as const)("retained messages whose %s throws", (method) => {
    const trap = new Trap()
    trap.before(RetainedTree.prototype, method)
    const { test, check } = populated()
    const victim = test.connect({ clientId: "victim", protocolVersion })
    victim.publish("r", "kept", { retain: true })
    trap.armed = true
    if (method === "walk") victim.subscribe("#")
    else victim.publish("r", method === "delete" ? "" : "new", { retain: true, qos: 1, packetId: 9 })
    ended(test, victim, 2)
    told(victim)
    // Nothing is acknowledged that was not done.
    expect(victim.acks()).toEqual([])
    check()
  })

  it("a bus that throws: the message is not acknowledged, and its publisher comes again", () => {
    const trap = new Trap()
    const bus = createLocalBus()
    const { test, check } = populated({ bus: { ...bus, publish: trap.on(bus.publish) } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const victim = test.connect({ clientId: "victim", protocolVersion, ...persistent })
    trap.armed = true
    victim.publish("t", "x", { qos: 1 })
    expect(victim.acks()).toEqual([])
    ended(test, victim, 3)
    told(victim)
    check()
    const again = test.connect({ clientId: "victim", protocolVersion, ...persistent })
    expect(again.connack.sessionPresent).toBe(true)
    again.publish("t", "x", { qos: 1, dup: true })
    expect(sub.payloads()).toEqual(["x"])
  })

  it.each(["authenticate", "publishRefusal", "subscribeRefusal", "deliveryRule"] as const)(
    "a login whose %s throws",
    (method) => {
      const trap = new Trap()
      const access = { ...openAccess, [method]: trap.on(openAccess[method] as () => undefined) }
      const { test, check } = populated({ access })
      const victim = test.open(protocolVersion)
      trap.armed = method === "authenticate"
      victim.connect({ clientId: "victim" })
      trap.armed = method !== "authenticate"
      if (method === "publishRefusal") victim.publish("t", "x")
      if (method === "subscribeRefusal" || method === "deliveryRule") victim.subscribe("t")
      ended(test, victim, 2)
      if (method !== "authenticate") told(victim)
      check()
    },
  )

  it("a login that throws after it has decided, and one that decides twice", () => {
    const access = {
      ...openAccess,
      authenticate: ((attempt, decide) => {
        openAccess.authenticate(attempt, decide)
        if (attempt.clientId === "twice") openAccess.authenticate(attempt, decide)
        if (attempt.clientId === "victim") throw new TypeError("planted")
      }) satisfies typeof openAccess.authenticate,
    }
    const { test, check } = populated({ access })
    const twice = test.connect({ clientId: "twice", protocolVersion })
    expect(twice.seen).toHaveLength(1)
    twice.disconnect()
    ended(test, test.connect({ clientId: "victim", protocolVersion }), 2)
    check()
  })

  it("what an access list says of a topic while somebody publishes ends the subscriber, not the publisher", () => {
    const trap = new Trap()
    const access = {
      ...openAccess,
      deliveryRule: (_: unknown, clientId: string) => (clientId === "victim" ? trap.on(() => true) : undefined),
    }
    const { test, check } = populated({ access })
    const victim = test.connect({ clientId: "victim", protocolVersion, ...persistent })
    victim.subscribe("$share/g/t")
    victim.subscribe("t", { packetId: 2 })
    const publisher = test.connect({ clientId: "publisher" })
    trap.armed = true
    publisher.publish("t", "x", { qos: 1 })
    expect(publisher.closed).toBe(false)
    expect(publisher.acks()).toHaveLength(1)
    ended(test, victim, 3)
    check()
  })

  const large = "x".repeat(900)
  /** The method of a sink that throws, what brings the victim there, and what then calls it. */
  const transports: [keyof Sink, (victim: TestClient) => void, (victim: TestClient, test: TestBroker) => void][] = [
    ["write", () => undefined, (_, test) => test.connect({ clientId: "other" }).publish("t", "x", { qos: 1 })],
    ["pause", (victim) => full(victim, "x"), (victim) => victim.publish("t", large)],
    ["resume", (victim) => full(victim, large), (victim) => victim.drain()],
    ["end", () => undefined, (victim) => victim.disconnect()],
    ["destroy", (victim) => full(victim, "x"), (victim) => victim.disconnect()],
  ]

  /** The victim's transport is full once this has come back. */
  function full(victim: TestClient, payload: string): void {
    victim.taking = false
    victim.publish("t", payload)
  }

  it.each(transports)("a transport whose %s throws", (method, before, then) => {
    const { test, check } = populated({ limits: { maximumOutboundBytes: 1000 } })
    const victim = test.open(protocolVersion)
    const trap = new Trap()
    trap.before(victim.sink, method)
    victim.connect({ clientId: "victim", ...persistent })
    victim.subscribe("t")
    before(victim)
    trap.armed = true
    then(victim, test)
    expect(trap.sprung).toBe(1)
    expect(test.broker.connectionCount).toBe(method === "write" ? 3 : 2)
    expect(test.broker.faults.total).toBe(1)
    check()
    if (method !== "write") return
    // What was to be written belongs to the session, and comes with the next connection.
    const again = test.connect({ clientId: "victim", protocolVersion, ...persistent })
    expect(again.payloads()).toEqual(["x"])
  })
})

describe("without a connection at hand", () => {
  it("a will that cannot be published neither ends the tick nor keeps its session", () => {
    const trap = new Trap()
    const bus = createLocalBus()
    const { test, check } = populated({ bus: { ...bus, publish: trap.on(bus.publish) } })
    const will = { topic: "w", payload: Uint8Array.of(1), qos: 1, retain: false, delayInterval: 5 } as const
    const victim = test.connect({ clientId: "victim", cleanStart: false, sessionExpiryInterval: 5, will })
    victim.cut()
    trap.armed = true
    test.pass(6)
    expect([trap.sprung, test.broker.sessionCount, faults(test).length]).toEqual([1, 2, 1])
    check()
  })

  it("a message that comes off the bus and cannot be delivered is lost to nobody else", () => {
    let arrive: Parameters<ReturnType<typeof createLocalBus>["receive"]>[0] = () => ({
      sessions: 0,
      withoutRoom: 0,
    })
    const local = createLocalBus()
    const trap = new Trap()
    const bus = {
      ...local,
      receive(receiver: typeof arrive) {
        arrive = receiver
        local.receive(receiver)
      },
    }
    const { test, check } = populated({ bus })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("t")
    const message = { topic: null }
    // A bus of another process may hand over anything.
    expect(arrive(message as never, undefined, test.now)).toEqual({ sessions: 0, withoutRoom: 0 })
    expect(faults(test)).toHaveLength(1)
    expect(trap.sprung).toBe(0)
    check()
  })

  it("of a packet that could not be written to its end nothing is sent", () => {
    const { test, check } = populated()
    const victim = test.connect({ clientId: "victim", topicAliasMaximum: 5 })
    victim.subscribe("t", { id: 7 })
    const trap = new Trap()
    const encodeHead = Message.prototype.encodeHead
    Message.prototype.encodeHead = trap.on(encodeHead)
    try {
      const before = victim.written
      const publisher = test.connect({ clientId: "publisher" })
      trap.armed = true
      publisher.publish("t", "x".repeat(100))
      expect(trap.sprung).toBe(1)
      // Only DISCONNECT: what was begun before it is not there for the client to stumble over.
      expect(victim.farewell).toBe(ReasonCode.ImplementationSpecificError)
      expect(victim.written - before).toBeLessThan(40)
    } finally {
      Message.prototype.encodeHead = encodeHead
    }
    check()
  })

  it("a scheduler that throws once is asked again", () => {
    const trap = new Trap()
    const { test, check } = populated()
    const victim = test.open(5)
    test.schedule = trap.on(test.schedule)
    trap.armed = true
    victim.connect({ clientId: "victim" })
    expect(trap.sprung).toBe(1)
    check()
    expect(victim.closed).toBe(true)
  })

  it("a log that throws is counted and holds up nobody", () => {
    const test = new TestBroker({
      events: () => {
        throw new TypeError("the log is full")
      },
    })
    const client = test.connect()
    expect(client.connack.reasonCode).toBe(0)
    client.disconnect()
    expect(test.broker.faults.total).toBe(2)
  })
})

describe("what the log gets", () => {
  it("each place once with its stack, then at 10, 100, ... times; at most 100 places; all are counted", () => {
    const seen: BrokerFault[] = []
    const log = new Faults((fault) => seen.push(fault))
    const here = (message: string) => new RangeError(message)
    for (let i = 0; i < 1000; i++) log.report(here(`what a client sent ${i}`), { clientId: "c" })
    expect(seen.map(({ times }) => times)).toEqual([1, 10, 100, 1000])
    for (let i = 0; i < 1000; i++) {
      const error = new Error("elsewhere")
      error.stack = `Error: elsewhere\n    at place${i}`
      log.report(error)
    }
    expect(seen).toHaveLength(4 + 99)
    expect(log.total).toBe(2000)
    log.report("a text")
    expect(log.total).toBe(2001)
  })

  it("a stack has a bound", () => {
    const seen: BrokerFault[] = []
    new Faults((fault) => seen.push(fault)).report(new Error("x".repeat(1_000_000)))
    expect(seen[0]?.stack.length).toBe(4096)
  })
})

describe("what is thrown", () => {
  const unprintable = { toString: () => undefined }
  const odd = Object.assign(new Error("odd"), { stack: 7 })
  it.each([
    ["undefined", undefined],
    ["an object without a prototype", Object.create(null)],
    ["one whose text is none", unprintable],
    ["an Error whose stack is none", odd],
  ])("may be anything: %s", (_what, thrown) => {
    const access = {
      ...openAccess,
      publishRefusal: () => {
        throw thrown
      },
    }
    const test = new TestBroker({ access })
    const client = test.connect({ clientId: "c" })
    client.publish("t", "x")
    expect([client.closed, test.broker.faults.total]).toEqual([true, 1])
  })
})
