// Rules of access that change while clients are connected, away, and in the middle of something.

import { describe, expect, it, vi } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { readAclFile } from "../access/acl-file.ts"
import { createAccess, type LoginRules } from "../access/login.ts"
import { nobleScrypt } from "../access/scrypt.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { defaultLimits } from "../session/limits.ts"
import type { RulesApplied } from "./rules.ts"

function rules(acl: string, anonymous = true): LoginRules {
  return { anonymous, passwords: undefined, certificates: true, acl: readAclFile(acl) }
}

function broker(acl: string) {
  const means = {
    scrypt: nobleScrypt,
    random: (length: number) => new Uint8Array(length),
    now: () => 0,
    after: () => undefined,
    fault: () => undefined,
  }
  const access = createAccess(rules(acl), means, defaultLimits)
  /** Client Identifiers for which the list throws. */
  const broken = new Set<string>()
  const deliveryRule: typeof access.deliveryRule = (identity, clientId, filter) => {
    if (broken.has(clientId)) throw new Error("planted")
    return access.deliveryRule(identity, clientId, filter)
  }
  const test = new TestBroker({ access: { ...access, deliveryRule } })
  /** The answer is empty until the new rules have come everywhere. */
  const begin = (next: string, options: { disconnect?: boolean; anonymous?: boolean } = {}) => {
    const lost = access.replace(rules(next, options.anonymous))
    const applied: RulesApplied[] = []
    test.broker.rulesChanged(lost, { rights: true, disconnect: options.disconnect ?? false }, (all) => {
      applied.push(all)
    })
    return applied
  }
  const change: (...all: Parameters<typeof begin>) => RulesApplied | undefined = (...all) => {
    const applied = begin(...all)
    test.settle()
    return applied[0]
  }
  return { test, change, begin, broken }
}

const open = "all readwrite #"
const closed = "client pub readwrite #\nall readwrite open/#"
const partly = "all readwrite #\nclient sub deny-read a/secret"
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

describe.each([4, 5] as const)("version %i", (protocolVersion) => {
  const identify = (clientId: string) => ({ clientId, protocolVersion, ...persistent })

  it("what waits is judged by a list of Mosquitto's, too, which grants every subscription", () => {
    const { test, change } = broker("topic readwrite #")
    test.checked = false
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    sub.cut()
    const pub = test.connect(identify("pub"))
    for (const topic of ["a/secret", "a/open"]) pub.publish(topic, topic, { qos: 1, packetId: 1 })
    change("topic readwrite a/open\ntopic write a/secret")
    const again = test.connect(identify("sub"))
    expect(again.payloads()).toEqual(["a/open"])
    pub.publish("a/secret", "later", { qos: 1, packetId: 1 })
    expect(again.payloads()).toEqual([])
  })

  it("a topic that was just published is refused at once, and the log says by which rule", () => {
    const { test, change } = broker(open)
    const watch = test.connect(identify("pub"))
    watch.subscribe("#")
    const client = test.connect(identify("c"))
    client.publish("a", "1", { qos: 1 })
    change(closed)
    client.publish("a", "2", { qos: 1, packetId: 2 })
    client.publish("open/a", "3", { qos: 1, packetId: 3 })
    expect(watch.payloads()).toEqual(["1", "3"])
    expect(test.events.at(-1)).toMatchObject({ event: "access refused", topic: "a", rule: "no rule allows it" })
  })

  it.each(["a/#", "$share/g/a/#"])(
    "nothing comes through a subscription to %s that is not allowed any more",
    (filter) => {
      const { test, change } = broker(open)
      const pub = test.connect(identify("pub"))
      const sub = test.connect(identify("sub"))
      sub.subscribe(filter)
      sub.subscribe("open/#", { packetId: 2 })
      pub.publish("a/b", "1") // and the router has its answer for this topic
      expect(change(closed)).toEqual({ logins: 0, filters: 1, disconnected: 0 })
      pub.publish("a/b", "2")
      pub.publish("open/b", "3")
      expect(sub.payloads()).toEqual(["1", "3"])
      expect(sub.closed).toBe(false)
      expect(sub.subscribe(filter)).toBe(protocolVersion === 5 ? ReasonCode.NotAuthorized : 0x80)
      change(open)
      pub.publish("a/b", "4")
      expect(sub.payloads()).toEqual(["4"])
    },
  )

  it("an exception to a subscription comes and goes", () => {
    const { test, change } = broker(open)
    const pub = test.connect(identify("pub"))
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    const both = () => {
      for (const topic of ["a/secret", "a/open"]) pub.publish(topic, topic)
      return sub.payloads()
    }
    expect(both()).toEqual(["a/secret", "a/open"])
    change(partly)
    expect(both()).toEqual(["a/open"])
    change(open)
    expect(both()).toEqual(["a/secret", "a/open"])
  })

  it("what waits for a client that is away is dropped where it may not have it any more", () => {
    const { test, change } = broker(open)
    const pub = test.connect(identify("pub"))
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    sub.cut()
    for (const topic of ["a/secret", "a/open"]) pub.publish(topic, topic, { qos: 1 })
    change(partly)
    for (const topic of ["a/secret", "a/open"]) pub.publish(topic, `${topic} 2`, { qos: 1 })
    const again = test.connect(identify("sub"))
    expect(again.connack.sessionPresent).toBe(true)
    expect(again.payloads()).toEqual(["a/open", "a/open 2"])
    expect(test.broker.counters.dropped["not authorized"]).toBe(1)
  })

  it.each([1, 2] as const)("what was sent at QoS %i and not acknowledged is not sent again", (qos) => {
    const { test, change } = broker(open)
    const pub = test.connect(identify("pub"))
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    pub.publish("a/secret", "1", { qos })
    pub.publish("a/open", "2", { qos, packetId: 2 })
    const [secret] = sub.take()
    change(partly)
    sub.cut()
    const again = test.connect(identify("sub"))
    expect(again.payloads()).toEqual(["2"])
    // QoS 2 is brought to its end, so that the identifier means another message the next time
    expect(again.acks()).toEqual(qos === 2 ? [{ type: "pubrel", packetId: secret!.packetId, reasonCode: 0 }] : [])
    if (qos === 2) again.ack(7, secret!.packetId)
    pub.publish("a/open", "3", { qos, packetId: 3 })
    expect(again.payloads()).toEqual(["3"])
    expect(test.broker.memory.queued).toBeGreaterThan(0)
  })

  it("an acknowledgement of what the client may not have any more completes it", () => {
    const { test, change } = broker(open)
    const pub = test.connect(identify("pub"))
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    pub.publish("a/secret", "1", { qos: 1 })
    const [secret] = sub.take()
    change(partly)
    sub.ack(4, secret!.packetId)
    expect(test.broker.memory.queued).toBe(0)
    expect(test.broker.faults.total).toBe(0)
  })

  it("a will that its client may not publish any more is not published: connected, and waiting for its delay", () => {
    const { test, change } = broker(open)
    const watch = test.connect(identify("pub"))
    watch.subscribe("#")
    const will = { payload: new Uint8Array(1), qos: 0, retain: false } as const
    const one = test.connect({ ...identify("one"), will: { ...will, topic: "a/one" } })
    const two = test.connect({ ...identify("two"), will: { ...will, topic: "open/two" } })
    const late = protocolVersion === 5 ? { properties: Uint8Array.of(), delayInterval: 5 } : {}
    const three = test.connect({ ...identify("three"), will: { ...will, ...late, topic: "a/three" } })
    if (protocolVersion === 5) three.cut()
    change(closed)
    for (const client of [one, two, three]) client.cut()
    test.pass(10)
    expect(watch.take().map(({ topic }) => topic)).toEqual(["open/two"])
  })

  it("nor is one that waits for its turn", () => {
    const { test, change } = broker(open)
    const watch = test.connect(identify("pub"))
    watch.subscribe("#")
    const will = (topic: string) => ({ topic, payload: new Uint8Array(1), qos: 0, retain: false }) as const
    const clients = ["a/one", "open/two"].map((topic) => test.connect({ ...identify(topic), will: will(topic) }))
    const { schedule } = test
    test.schedule = () => undefined
    for (const { connection } of clients) connection!.transportClosed(test.now, "cut")
    expect(test.broker.counters.willsPublished).toBe(0)
    test.schedule = schedule
    change(closed)
    test.broker.flush(test.now)
    expect(watch.take().map(({ topic }) => topic)).toEqual(["open/two"])
    expect([test.broker.memory.wills, test.broker.counters.willsPublished]).toEqual([0, 1])
  })

  it("a session whose rules cannot be worked out ends, connected or away, and the others have theirs", () => {
    const { test, change, broken } = broker(open)
    const pub = test.connect(identify("pub"))
    const names = ["sub", "away", "odd", "odd away"]
    const [sub, away, odd, oddAway] = names.map((name) => {
      const client = test.connect(identify(name))
      client.subscribe("a/#")
      return client
    })
    away!.cut()
    oddAway!.cut()
    broken.add("odd").add("odd away")
    change(partly)
    broken.clear()
    expect([sub!.closed, odd!.closed, test.broker.faults.total]).toEqual([false, true, 2])
    for (const topic of ["a/secret", "a/open"]) pub.publish(topic, topic, { qos: 1 })
    expect(sub!.payloads()).toEqual(["a/open"])
    for (const name of ["odd", "odd away"]) expect(test.connect(identify(name)).connack.sessionPresent).toBe(false)
    expect(test.connect(identify("away")).payloads()).toEqual(["a/secret", "a/open"])
  })

  it("a will that is published because its client is disconnected goes by the new rules", () => {
    const { test, change } = broker(open)
    const will = { topic: "a/secret", payload: new Uint8Array(1), qos: 0, retain: false } as const
    const goes = test.connect({ ...identify("goes"), will })
    goes.subscribe("gone/#")
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    change("all readwrite a/#\nclient sub deny-read a/secret", { disconnect: true })
    expect([goes.closed, sub.closed, sub.payloads()]).toEqual([true, false, []])
  })

  it("with `disconnect` a client goes that lost a filter or its login, and is told", () => {
    const { test, change } = broker(open)
    const stays = test.connect(identify("stays"))
    stays.subscribe("open/a")
    const goes = test.connect(identify("goes"))
    goes.subscribe("a/#")
    expect(change(closed, { disconnect: true })).toEqual({ logins: 0, filters: 1, disconnected: 1 })
    expect([stays.closed, goes.closed]).toEqual([false, true])
    if (protocolVersion === 5) expect(goes.farewell).toBe(ReasonCode.NotAuthorized)
    expect(test.events.at(-1)).toMatchObject({ clientId: "goes", reason: "a subscription is no longer allowed" })
    expect(change(closed, { anonymous: false })).toMatchObject({ logins: 1, disconnected: 0 })
    expect(stays.closed).toBe(false)
    expect(change(closed, { anonymous: false, disconnect: true })).toMatchObject({ logins: 1, disconnected: 1 })
    expect(stays.closed).toBe(true)
  })
})

describe("while new rules are on their way", () => {
  const identify = (clientId: string) => ({ clientId, ...persistent })

  /** Sessions that take several turns, ahead of all others; turns come when the test says so. */
  function busy(acl: string) {
    const made = broker(acl)
    const { test } = made
    for (let i = 0; i < 8; i++) {
      const client = test.connect(identify(`busy${i}`))
      for (let n = 0; n < 4000; n += 1000) {
        const how = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 2 } as const
        client.subscribeAll(Array.from({ length: 1000 }, (_, at) => ({ filter: `busy/${i}/${n + at}`, ...how })))
      }
    }
    const stop = () => {
      test.settle()
      test.schedule = () => undefined
    }
    const turn = () => test.broker.flush(test.now)
    return { ...made, stop, turn }
  }

  it("nothing goes by the old ones, and the neighbours are served", () => {
    const { test, begin, stop, turn } = busy(open)
    const pub = test.connect(identify("pub"))
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    const shared = ["one", "two"].map((name) => test.connect(identify(name)))
    for (const one of shared) one.subscribe("$share/g/a/#")
    const away = test.connect(identify("away"))
    away.subscribe("a/#")
    away.cut()
    pub.publish("a/secret", "waiting", { qos: 1 })
    pub.publish("a/secret", "kept", { retain: true })
    const will = { topic: "a/secret", payload: Uint8Array.of(0x77), qos: 0, retain: false, delayInterval: 1 } as const
    test.connect({ ...identify("dying"), will }).cut()
    test.settle()
    for (const client of [sub, ...shared]) client.take()
    stop()
    const applied = begin("all readwrite #\nall deny-read a/secret\nclient dying deny a/secret")
    expect(applied).toEqual([])

    pub.publish("a/secret", "now")
    pub.publish("a/open", "now too")
    turn()
    expect(sub.payloads()).toEqual(["now too"])
    expect(shared.flatMap((one) => one.payloads())).toEqual(["now too"])
    const back = test.connect(identify("away"))
    turn()
    expect(back.payloads()).toEqual([]) // QoS 0 was not kept, and what waited is forbidden
    expect(test.broker.counters.dropped["not authorized"]).toBe(1)
    sub.subscribe("a/+")
    turn()
    expect(sub.payloads()).toEqual([])
    test.now += 2000
    test.broker.tick(test.now)
    turn()
    expect(test.broker.counters.willsPublished).toBe(0)
    expect(applied).toEqual([])

    test.schedule = () => undefined
    while (applied.length === 0) turn()
    expect(applied).toEqual([{ logins: 0, filters: 0, disconnected: 0 }])
    for (let i = 0; i < 5; i++) turn()
    expect([sub.payloads(), test.broker.counters.willsPublished, test.broker.faults.total]).toEqual([[], 0, 0])
  })

  it("a walk over retained messages that has begun goes on by the new ones", () => {
    const { test, begin, stop, turn } = busy(open)
    const pub = test.connect(identify("pub"))
    for (let i = 0; i < 3000; i++) pub.publish(`a/secret/${i}`, "kept", { retain: true })
    const sub = test.connect(identify("sub"))
    stop()
    sub.subscribe("a/#")
    turn()
    expect(sub.take().length).toBeGreaterThan(0)
    const applied = begin("all readwrite #\nall deny-read a/secret/#")
    sub.drain()
    turn()
    expect(applied).toEqual([])
    expect(sub.payloads()).toEqual([])
  })

  it("other new ones take the place of those, and nothing is judged in one piece", () => {
    const { test, begin, stop, turn } = busy(open)
    const sub = test.connect(identify("sub"))
    sub.subscribe("a/#")
    stop()
    const first = begin(closed)
    expect(first).toEqual([])
    const judged = vi.spyOn(test.broker.access, "subscribeRefusal")
    const second = begin(open)
    expect(judged.mock.calls.length).toBeLessThan(8000) // of 32,000
    for (let turns = 0; first.length === 0; turns++) {
      expect(turns).toBeLessThan(3)
      turn()
    }
    expect(second).toEqual([])
    test.connect(identify("pub")).publish("a/b", "1")
    turn()
    expect(sub.payloads()).toEqual(["1"])
    while (second.length === 0) turn()
    expect(second).toEqual([{ logins: 0, filters: 0, disconnected: 0 }])
  })

  it("messages that wait are judged in turns, and before that when they are sent", () => {
    const { test, begin } = broker(open)
    const pub = test.connect(identify("pub"))
    for (const name of ["one", "two"]) {
      const client = test.connect(identify(name))
      client.subscribe("a/+", { qos: 1 })
      client.cut()
    }
    for (let i = 0; i < 9000; i++) pub.publish(`a/${i % 10}`, `${i}`, { qos: 1 })
    test.settle()
    test.schedule = () => undefined
    const judged = vi.spyOn(test.broker.access, "subscribeRefusal")
    const applied = begin("all readwrite #\nall deny-read a/3")
    expect(judged.mock.calls.length).toBeLessThan(6000)
    expect(applied).toEqual([])
    // It comes back before its turn, and is sent what it may have.
    const back = test.connect(identify("two"))
    for (let turns = 0; applied.length === 0; turns++) {
      expect(turns).toBeLessThan(20)
      test.broker.flush(test.now)
    }
    for (let i = 0; i < 20; i++) test.broker.flush(test.now)
    const got: string[] = []
    for (let some = back.take(); some.length > 0; some = back.take()) {
      got.push(...some.map(({ topic }) => topic ?? ""))
      for (const { packetId } of some) back.ack(4, packetId)
      for (let i = 0; i < 20; i++) test.broker.flush(test.now)
    }
    expect([got.length, got.includes("a/3")]).toEqual([8100, false])
    expect(test.broker.counters.dropped["not authorized"]).toBe(1800)
    expect(test.broker.memory.queued).toBeGreaterThan(0)
    test.connect({ ...identify("one"), cleanStart: true })
    test.broker.flush(test.now)
    expect(test.broker.memory.queued).toBe(0)
  })

  it("who logs in with a new password meanwhile stays", () => {
    const { test, stop, turn } = busy(open)
    stop()
    const old = test.connect(identify("old"))
    const lost = (_: unknown, peer: { address: string }) =>
      peer.address === "test" ? "the password was changed" : undefined
    test.broker.rulesChanged(lost, { rights: true, disconnect: true })
    const fresh = test.connect(identify("fresh"))
    for (let i = 0; i < 20; i++) turn()
    expect([old.closed, fresh.closed]).toEqual([true, false])
  })
})
