// What there is after a restart, and what leaves before it is kept. The store in here is in memory; those on a disk have their
// own tests, and keep the same.

import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient, userProperty } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { Seeded } from "../../tests/stores/random-changes.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Change } from "../packet/change.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Decision } from "../ports/access.ts"
import type { Store } from "../ports/store.ts"

const versions = [4, 5] as const
const persistent = { cleanStart: false, sessionExpiryInterval: 1000 } as const

/** Topics and payloads of the messages that the client completes, so many at most. */
function completed(client: TestClient, most: number): string[] {
  const found = client.take()
  for (const { qos, packetId } of found.slice(0, most)) {
    if (qos === 1) client.ack(4, packetId)
    if (qos !== 2) continue
    client.ack(5, packetId)
    client.ack(7, packetId)
  }
  // The others come again.
  client.seen.push(...found.slice(most))
  return found.slice(0, most).map(({ topic, payload }) => `${topic} ${payload}`)
}

function will(topic: string, delayInterval = 0) {
  return { topic, payload: encodeText(`will of ${topic}`), qos: 1, retain: false, delayInterval } as const
}

describe.each(versions)("MQTT version %i: after a restart", (protocolVersion) => {
  const kept = { protocolVersion, ...persistent }

  it.each([1, 2] as const)(
    "[MQTT-3.3.1-9] at QoS %i the retained messages that a subscription is owed go on: each comes once",
    (qos) => {
      for (let seed = 1; seed <= 12; seed++) {
        const random = new Seeded(seed)
        let test = new TestBroker()
        const topics = Array.from({ length: 60 }, (_, i) => `r/${i % 7}/${i}`)
        const atMostOnce = ["z/0", "z/1"]
        const pub = test.connect({ clientId: "pub" })
        for (const topic of topics) pub.publish(topic, "old", { qos: 1, retain: true, packetId: 1 })
        for (const topic of atMostOnce) pub.publish(topic, "old", { qos: 0, retain: true })
        const few = () => ({ clientId: "sub", ...kept, receiveMaximum: 1 + random.below(4) })
        let sub = test.connect(few())
        sub.subscribe("nothing", { qos: 1 })
        sub.subscribe("#", { qos })
        const came: string[] = []
        const changed = new Set<string>()
        const written: string[] = []
        for (let round = 0; round < 8; round++) {
          for (let n = random.below(6); n > 0; n--) came.push(...completed(sub, 1 + random.below(3)))
          const topic = random.pick(topics)
          const payload = random.chance(0.3) ? "" : `new ${round}`
          test.connect({ clientId: "pub" }).publish(topic, payload, { qos: 1, retain: true, packetId: 1 })
          changed.add(topic)
          written.push(`${topic} ${payload}`)
          if (random.chance(0.3)) sub.cut()
          else test = test.restart()
          sub = test.connect(few())
        }
        for (let some = completed(sub, 9); some.length > 0; some = completed(sub, 9)) came.push(...some)
        const isOld = (text: string) => text.endsWith(" old")
        const once = topics.filter((topic) => !changed.has(topic)).map((topic) => `${topic} old`)
        const old = came.filter(isOld)
        expect(new Set(old).size, `seed ${seed}: twice`).toBe(old.length)
        expect(
          once.filter((text) => !old.includes(text)),
          `seed ${seed}: not at all`,
        ).toEqual([])
        expect(came.filter((text) => !isOld(text)).sort(), `seed ${seed}: what came live`).toEqual(written.sort())
      }
    },
  )

  it("what waited for an absent session comes, in its order, with its properties", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t/#", { qos: 2 })
    sub.cut()
    const pub = test.connect({ clientId: "pub" })
    const properties = [...userProperty("b", "1"), ...userProperty("a", "2")]
    for (let i = 1; i <= 5; i++) pub.publish(`t/${i}`, `${i}`, { qos: 1, packetId: i, properties })
    pub.publish("t/6", "6", { qos: 2, packetId: 6 })
    const next = test.restart()
    const again = next.connect({ clientId: "sub", ...kept })
    expect(again.connack.sessionPresent).toBe(true)
    const got = again.take()
    expect(got.map(({ payload, dup }) => [payload, dup])).toEqual(
      ["1", "2", "3", "4", "5", "6"].map((payload) => [payload, false]),
    )
    if (protocolVersion === 5) expect([...got[0]!.properties]).toEqual(properties)
    expect(got.at(-1)).toMatchObject({ qos: 2, topic: "t/6" })
    // The subscription is there too.
    next.connect({ clientId: "pub" }).publish("t/7", "7", { qos: 1 })
    expect(again.payloads()).toEqual(["7"])
  })

  it("[MQTT-4.4.0-1] what was sent and not acknowledged comes with DUP, its identifier, in its order; PUBREL where PUBREC came", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 2 })
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 4; i++) pub.publish("t", `${i}`, { qos: i === 2 ? 1 : 2, packetId: i })
    const ids = sub.take().map(({ packetId }) => packetId)
    sub.ack(5, ids[2]!)
    sub.ack(5, ids[3]!)
    sub.ack(7, ids[3]!)
    const again = test.restart().connect({ clientId: "sub", ...kept })
    expect(again.take()).toMatchObject([
      { payload: "1", qos: 2, dup: true, packetId: ids[0] },
      { payload: "2", qos: 1, dup: true, packetId: ids[1] },
    ])
    expect(again.acks()).toEqual([{ type: "pubrel", packetId: ids[2], reasonCode: 0 }])
  })

  it("[MQTT-4.3.3-10] a QoS 2 message that was taken is not taken again", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 1 })
    sub.cut()
    const pub = test.connect({ clientId: "pub", ...kept })
    pub.publish("t", "once", { qos: 2, packetId: 7 })
    const next = test.restart()
    const again = next.connect({ clientId: "pub", ...kept })
    again.publish("t", "once", { qos: 2, packetId: 7, dup: true })
    again.ack(6, 7)
    expect(again.acks()).toMatchObject([
      { type: "pubrec", packetId: 7, reasonCode: 0 },
      { type: "pubcomp", packetId: 7, reasonCode: 0 },
    ])
    expect(next.connect({ clientId: "sub", ...kept }).payloads()).toEqual(["once"])
    // And its identifier is free, also after another restart.
    const third = next.restart()
    const free = third.connect({ clientId: "pub", ...kept })
    free.publish("t", "another", { qos: 2, packetId: 7 })
    expect(third.connect({ clientId: "sub", ...kept }).payloads()).toEqual(["once", "another"])
  })

  it("new Packet Identifiers are not those in use", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 3; i++) pub.publish("t", `${i}`, { qos: 1, packetId: i })
    const ids = sub.take().map(({ packetId }) => packetId)
    sub.ack(4, ids[0]!)
    const next = test.restart()
    const again = next.connect({ clientId: "sub", ...kept })
    next.connect({ clientId: "pub" }).publish("t", "4", { qos: 1 })
    const got = again.take()
    expect(got.map(({ payload }) => payload)).toEqual(["2", "3", "4"])
    expect(new Set(got.map(({ packetId }) => packetId)).size).toBe(3)
  })

  it("clean sessions, and what waited for them, are gone; they make no Change", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", protocolVersion })
    sub.subscribe("t", { qos: 2 })
    const pub = test.connect({ clientId: "pub", protocolVersion })
    for (const qos of [0, 1, 2] as const) pub.publish("t", "x", { qos, packetId: qos + 1 })
    expect(sub.payloads()).toHaveLength(3)
    expect(test.store.changes).toEqual([])
    expect(test.restart().broker.sessionCount).toBe(0)
  })

  it("a clean start that was answered has ended what there was", () => {
    const test = new TestBroker()
    test.connect({ clientId: "c", ...kept }).subscribe("t")
    test.connect({ clientId: "c", protocolVersion })
    expect(test.restart().connect({ clientId: "c", ...kept }).connack.sessionPresent).toBe(false)
  })

  it("what was unsubscribed stays so", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...kept })
    sub.subscribe("t")
    sub.subscribe("u")
    sub.unsubscribe("t")
    const next = test.restart()
    const again = next.connect({ clientId: "sub", ...kept })
    const pub = next.connect({ clientId: "pub" })
    for (const topic of ["t", "u"]) pub.publish(topic, topic)
    expect(again.payloads()).toEqual(["u"])
  })

  it("retained messages are there, the last of each topic, and none that was removed", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub", protocolVersion })
    pub.publish("a", "old", { retain: true, qos: 1 })
    pub.publish("a", "new", { retain: true })
    pub.publish("b", "gone", { retain: true, qos: 2, packetId: 2 })
    pub.publish("b", "", { retain: true })
    const sub = test.restart().connect({ clientId: "sub", protocolVersion })
    sub.subscribe("#", { qos: 1 })
    expect(sub.take()).toMatchObject([{ topic: "a", payload: "new", retain: true, qos: 0 }])
  })

  it("the store holds a message once, and no longer than somebody waits for it", () => {
    const test = new TestBroker()
    const subs = ["one", "two", "three"].map((clientId) => test.connect({ clientId, ...kept }))
    for (const sub of subs) sub.subscribe("t", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("t", "x", { qos: 1 })
    expect(test.store.counts.messages).toBe(1)
    for (const sub of subs.slice(1)) sub.ack(4, sub.take()[0]!.packetId)
    expect(test.store.counts.messages).toBe(1)
    subs[0]!.ack(4, subs[0]!.take()[0]!.packetId)
    expect(test.store.counts.messages).toBe(0)
  })
})

describe("after a restart", () => {
  it("[MQTT-3.1.2-23] a client that was there when an idle broker died has its whole Session Expiry and Will Delay", () => {
    const test = new TestBroker()
    const brief = { cleanStart: false, sessionExpiryInterval: 30 } as const
    const will = { topic: "w", payload: encodeText("x"), qos: 0, retain: false, delayInterval: 20 } as const
    test.connect({ clientId: "there", ...brief, will }).subscribe("t", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("t", "acknowledged", { qos: 1 })
    test.pass(118) // and the last sign of life is 60 s old, or so
    const next = test.restart()
    const watch = next.connect({ clientId: "watch" })
    watch.subscribe("w", { qos: 0 })
    next.pass(19)
    expect(watch.take()).toEqual([])
    next.pass(1)
    expect(watch.payloads()).toEqual(["x"])
    next.pass(9)
    expect(next.connect({ clientId: "there", ...brief }).payloads()).toEqual(["acknowledged"])
  })

  it("that is longer by the time that the broker was away, and by little more than a minute at most", () => {
    const test = new TestBroker()
    test.connect({ clientId: "there", cleanStart: false, sessionExpiryInterval: 100 })
    test.pass(300)
    test.now += 3000 // it is away
    const soon = test.restart()
    soon.pass(99)
    expect(soon.broker.sessionCount).toBe(1)
    soon.pass(1)
    expect(soon.broker.sessionCount).toBe(0)
    const long = new TestBroker()
    long.connect({ clientId: "there", cleanStart: false, sessionExpiryInterval: 100 })
    long.pass(300)
    long.now += 163_000
    const late = long.restart()
    late.pass(1)
    expect(late.broker.sessionCount).toBe(0)
  })

  it("a session ends when it would have ended, one that was connected counts from the restart when that is soon", () => {
    const test = new TestBroker()
    const left = test.connect({ clientId: "left", cleanStart: false, sessionExpiryInterval: 100 })
    left.cut()
    test.pass(30)
    test.connect({ clientId: "there", cleanStart: false, sessionExpiryInterval: 100 })
    const next = test.restart()
    next.pass(69)
    expect([...next.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["left", "there"])
    next.pass(1)
    expect([...next.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["there"])
    // Another restart does not begin it anew.
    const third = next.restart()
    third.pass(29)
    expect(third.broker.sessionCount).toBe(1)
    third.pass(1)
    expect(third.broker.sessionCount).toBe(0)
  })

  it("subscriptions have their options: No Local, Retain As Published, identifier, QoS", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t/+", { qos: 1, noLocal: true, retainAsPublished: true, id: 77 })
    sub.subscribe("$share/g/s", { qos: 1 })
    const next = test.restart()
    const again = next.connect({ clientId: "sub", ...persistent })
    again.publish("t/own", "own")
    next.connect({ clientId: "pub" }).publish("t/a", "a", { qos: 2, retain: true })
    next.connect({ clientId: "pub" }).publish("s", "job", { qos: 2, packetId: 2 })
    expect(again.take()).toMatchObject([
      { payload: "a", qos: 1, retain: true, identifiers: [77] },
      { payload: "job", qos: 1 },
    ])
  })

  it.each([1, 2] as const)(
    "section 4.8.2: jobs at QoS %i of a member whose session ends by the restart are those of one that is kept",
    (qos) => {
      const test = new TestBroker()
      const passing = test.connect({ clientId: "passing", receiveMaximum: 2 })
      const kept = test.connect({ clientId: "kept", ...persistent })
      passing.subscribe("own", { qos: 2 })
      for (const member of [passing, kept]) member.subscribe("$share/g/jobs", { qos })
      kept.cut()
      const pub = test.connect({ clientId: "pub" })
      for (let i = 1; i <= 5; i++) {
        pub.publish("jobs", `${i}`, { qos, packetId: i })
        if (qos === 2) pub.ack(6, i)
      }
      pub.publish("own", "own", { qos: 1, packetId: 9 })
      expect(test.broker.sessionCount).toBe(3)
      expect(test.store.changes.some((change) => change.type === "subscribed" && change.clientId === "passing")).toBe(
        false,
      )
      const sent = passing.take()
      expect(sent.map(({ payload }) => payload)).toEqual(["1", "2"])
      if (qos === 1) passing.ack(4, sent[0]!.packetId)
      else passing.ack(5, sent[0]!.packetId)

      const next = test.restart()
      next.pass(1)
      expect(next.broker.sessionCount).toBe(1)
      const again = next.connect({ clientId: "kept", ...persistent })
      // [MQTT-4.8.2-5] what was sent at QoS 2 is nobody else's.
      expect(completed(again, 10)).toEqual(
        qos === 1 ? ["jobs 2", "jobs 3", "jobs 4", "jobs 5"] : ["jobs 3", "jobs 4", "jobs 5"],
      )
      expect(next.broker.memory.queued).toBe(0)
      expect(next.restart().broker.sessionCount).toBe(1)
    },
  )

  it("section 4.8.2: where no member is kept nothing of their jobs is", () => {
    const test = new TestBroker()
    for (const clientId of ["a", "b"]) test.connect({ clientId }).subscribe("$share/g/jobs", { qos: 1 })
    test.connect({ clientId: "pub" }).publish("jobs", "1", { qos: 1, packetId: 1 })
    expect(test.store.changes).toEqual([])
  })

  it("what a subscriber may receive is what the rules of now say", () => {
    const test = new TestBroker()
    test.connect({ clientId: "sub", ...persistent }).subscribe("t/#", { qos: 1 })
    const access = {
      ...openAccess,
      deliveryRule: () => (topic: string) => topic !== "t/secret",
    }
    const next = test.restart({ access })
    const again = next.connect({ clientId: "sub", ...persistent })
    const pub = next.connect({ clientId: "pub" })
    for (const topic of ["t/secret", "t/open"]) pub.publish(topic, topic, { qos: 1 })
    expect(again.payloads()).toEqual(["t/open"])
    const closed = next.restart({ access: { ...openAccess, subscribeRefusal: () => ({ rule: "none" }) } })
    const third = closed.connect({ clientId: "sub", ...persistent })
    third.take()
    closed.connect({ clientId: "pub" }).publish("t/open", "late", { qos: 1 })
    expect(third.payloads()).toEqual([])
  })

  it("what waits in a session is not sent when it may not have it any more", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t/#", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    pub.publish("t/secret", "sent", { qos: 1, packetId: 1 })
    sub.cut()
    for (const topic of ["t/secret", "t/open"]) pub.publish(topic, topic, { qos: 1, packetId: 2 })
    const subscribeRefusal: typeof openAccess.subscribeRefusal = (_, __, { path }) =>
      path === "t/secret" ? { rule: "none" } : undefined
    const next = test.restart({ access: { ...openAccess, subscribeRefusal } })
    expect(next.connect({ clientId: "sub", ...persistent }).payloads()).toEqual(["t/open"])
  })

  it("[MQTT-4.1.0-2] a session that has ended with its connection is not gone on with, however busy the broker is", () => {
    const logins: ((decision: Decision) => void)[] = []
    const authenticate: typeof openAccess.authenticate = (_, decide) => logins.push(decide)
    const test = new TestBroker({ access: { ...openAccess, authenticate } })
    const decide = () => {
      logins.pop()!({ identity: { user: "", source: "anonymous" } })
      test.settle()
    }
    const first = test.connect({ clientId: "c" })
    decide()
    first.subscribe("t")
    const second = test.connect({ clientId: "c", ...persistent })
    test.broker.cost(100_000) // of others, in this turn
    decide()
    expect(first.farewell).toBe(ReasonCode.SessionTakenOver)
    expect(second.connack.sessionPresent).toBe(false)
    const kept = [...test.broker.sessions()].map((session) => [session.kept, session.subscriptions.size])
    expect(kept).toEqual([[true, 0]])
  })

  it.each(["retained", "queued", "a will"])("%s with more levels than are allowed now: it does not start", (how) => {
    const test = new TestBroker()
    const topic = "a/b/c"
    const sub = test.connect({ clientId: "sub", ...persistent, ...(how === "a will" && { will: will(topic, 100) }) })
    sub.subscribe("#", { qos: 1 })
    sub.cut()
    if (how !== "a will") test.connect({ clientId: "pub" }).publish(topic, "x", { qos: 1, retain: how === "retained" })
    test.checked = false
    const start = (maximumTopicLevels: number) => {
      const next = new TestBroker({ limits: { maximumTopicLevels } }, test.store)
      next.checked = false
      return next.broker.restore(test.now)
    }
    expect(start(2)).toEqual({
      failed: expect.stringMatching(
        /^a message in the store cannot be taken: .*2 levels.*: a\/b\/c; raise maximumTopicLevels/,
      ),
    })
    expect(start(3)).toBe("restored")
  })

  it("a session belongs to whom it belonged", () => {
    const users = (user: string) => ({
      ...openAccess,
      authenticate: ((_, decide) =>
        decide({ identity: { user, source: "password" } })) satisfies typeof openAccess.authenticate,
    })
    const test = new TestBroker({ access: users("alice") })
    test.connect({ clientId: "c", ...persistent })
    expect(test.restart({ access: users("bob") }).connect({ clientId: "c" }).connack.reasonCode).toBe(
      ReasonCode.ClientIdentifierNotValid,
    )
    const present = test.restart({ access: users("alice") }).connect({ clientId: "c", ...persistent }).connack
    expect(present.sessionPresent).toBe(true)
  })

  describe("wills: a restart is the loss of the connection", () => {
    const watch = (test: TestBroker): TestClient => {
      const watcher = test.connect({ clientId: "watcher", ...persistent })
      watcher.subscribe("#", { qos: 1 })
      return watcher
    }

    it("of a clean session it is published at once", () => {
      const test = new TestBroker()
      watch(test)
      test.connect({ clientId: "c", will: will("w") })
      const next = test.restart()
      expect(next.connect({ clientId: "watcher", ...persistent }).payloads()).toEqual(["will of w"])
      // Once.
      expect(next.store.counts.wills).toBe(0)
    })

    it("with a delay when it is over, however many restarts there are; not if its client comes again", () => {
      const test = new TestBroker()
      watch(test)
      test.connect({ clientId: "a", ...persistent, will: will("a", 20) })
      test.connect({ clientId: "b", ...persistent, will: will("b", 20) })
      const next = test.restart()
      next.pass(10)
      next.connect({ clientId: "b", ...persistent })
      const third = next.restart()
      third.pass(9)
      const watcher = third.connect({ clientId: "watcher", ...persistent })
      expect(watcher.payloads()).toEqual([])
      third.pass(1)
      expect(watcher.payloads()).toEqual(["will of a"])
      expect(third.store.counts.wills).toBe(0)
    })

    it("with a delay that goes on when the broker closes; of one that keeps nothing they are published as it closes", () => {
      for (const lasting of [true, false]) {
        const test = new TestBroker()
        test.store.lasting = lasting
        test.checked = false
        watch(test)
        test.connect({ clientId: "c", ...persistent, will: will("w", 20) })
        test.broker.close(test.now)
        expect(test.broker.counters.willsPublished).toBe(lasting ? 0 : 1)
        if (!lasting) continue
        test.now += 10_000
        const next = test.restart()
        const watcher = next.connect({ clientId: "watcher", ...persistent })
        next.pass(9)
        expect(watcher.payloads()).toEqual([])
        next.pass(1)
        expect(watcher.payloads()).toEqual(["will of w"])
      }
    })

    it("not after a good-bye, and not one that was published before", () => {
      const test = new TestBroker()
      watch(test)
      test.connect({ clientId: "bye", will: will("bye") }).disconnect()
      test.connect({ clientId: "cut", will: will("cut") }).cut()
      const watcher = test.restart().connect({ clientId: "watcher", ...persistent })
      expect(watcher.take()).toMatchObject([{ payload: "will of cut", dup: true }])
    })

    it.each([{}, persistent])("not to a topic that is not allowed any more (%o)", (session) => {
      const test = new TestBroker()
      watch(test)
      test.connect({ clientId: "c", will: will("w"), ...session })
      test.connect({ clientId: "d", will: will("w", 5), ...session })
      const next = test.restart({ access: { ...openAccess, publishRefusal: () => ({ rule: "none" }) } })
      next.pass(10)
      expect(next.connect({ clientId: "watcher", ...persistent }).payloads()).toEqual([])
      expect(next.store.counts.wills).toBe(0)
    })

    it("not one that was given up as the rules had changed", () => {
      let refused = false
      const publishRefusal = () => (refused ? { rule: "none" } : undefined)
      const test = new TestBroker({ access: { ...openAccess, publishRefusal } })
      watch(test)
      test.connect({ clientId: "c", will: will("w"), ...persistent })
      refused = true
      test.broker.rulesChanged(() => undefined, { rights: true, disconnect: false })
      test.settle()
      expect(test.store.counts.wills).toBe(0)
      const next = test.restart()
      next.pass(1)
      expect(next.connect({ clientId: "watcher", ...persistent }).payloads()).toEqual([])
    })
  })

  it("[MQTT-4.3.3-7] jobs that were on their way to another worker are with one of them, once", () => {
    const jobs = 40_000
    const limits = { maximumQueuedMessages: jobs * 2 }
    const test = new TestBroker({ limits })
    const worker = (clientId: string, sessionExpiryInterval: number) => {
      const one = test.connect({ clientId, cleanStart: false, sessionExpiryInterval })
      one.subscribe("$share/g/jobs", { qos: 2 })
      one.cut()
    }
    worker("w1", 50)
    const pub = test.connect({ clientId: "pub" })
    const job = [...publishBytes(5, "jobs", "x", { qos: 2 }), 0x62, 2, 0, 1]
    for (let i = 0; i < jobs; i += 1000) pub.send(Array.from({ length: 1000 }, () => job).flat())
    worker("w2", 1000)
    const second = () => [...test.broker.sessions()].find(({ clientId }) => clientId === "w2")?.queuedMessages ?? 0
    test.now += 51_000
    test.broker.tick(test.now)
    for (let turns = 0; turns < 20 && second() === 0; turns++) test.broker.flush(test.now)
    test.broker.flush(test.now)
    const moved = second()
    expect(moved).toBeGreaterThan(0)
    expect(moved).toBeLessThan(jobs)
    const next = test.restart({ limits })
    next.pass(1)
    expect([...next.broker.sessions()].map((one) => [one.clientId, one.queuedMessages])).toEqual([["w2", jobs]])
  })

  it("messages that have expired are not sent", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    sub.cut()
    const pub = test.connect({ clientId: "pub" })
    const expiry = (seconds: number) => [0x02, 0, 0, 0, seconds]
    pub.publish("t", "short", { qos: 1, properties: expiry(10) })
    pub.publish("t", "long", { qos: 1, packetId: 2, properties: expiry(100) })
    pub.publish("r", "short", { retain: true, properties: expiry(10) })
    test.pass(20)
    const next = test.restart()
    expect(next.broker.retained.size).toBe(0)
    expect(next.connect({ clientId: "sub", ...persistent }).take()).toMatchObject([{ payload: "long", expiry: 80 }])
  })

  it("jobs of a Shared Subscription that were with a worker are his, or another's when his session ends", () => {
    const test = new TestBroker()
    for (const clientId of ["w1", "w2"]) {
      test.connect({ clientId, cleanStart: false, sessionExpiryInterval: 50 }).subscribe("$share/g/jobs", { qos: 1 })
    }
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 10; i++) pub.publish("jobs", `${i}`, { qos: 1, packetId: i })
    const next = test.restart()
    const one = next.connect({ clientId: "w1", cleanStart: false, sessionExpiryInterval: 50 })
    const its = one.payloads()
    expect(its).toHaveLength(5)
    next.pass(51)
    expect([...its, ...one.payloads()].map(Number).sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

describe("before a turn is committed", () => {
  function late(): TestBroker {
    const test = new TestBroker()
    test.store.mode = "late"
    return test
  }
  /** Answers until nothing waits. */
  function settle(test: TestBroker): void {
    while (test.store.waits) {
      test.store.answer()
      test.settle()
    }
  }

  it("CONNACK of a session that is kept waits, and nothing comes before it", () => {
    const test = late()
    const client = test.connect({ clientId: "c", ...persistent })
    client.send([0xc0, 0])
    expect(client.seen).toEqual([])
    settle(test)
    expect(client.seen.map(({ type }) => type)).toEqual(["connack", "pingresp"])
  })

  it("a clean session waits for nothing", () => {
    const test = late()
    const client = test.connect({ clientId: "c" })
    client.subscribe("t", { qos: 2 })
    client.publish("t", "x", { qos: 2, packetId: 3 })
    expect(client.seen.map(({ type }) => type)).toEqual(["connack", "suback", "publish", "pubrec"])
    expect(test.store.waits).toBe(false)
  })

  it.each(versions)(
    "version %i: answers and QoS 1 and 2 wait; QoS 0, PINGRESP and DISCONNECT pass them by",
    (version) => {
      const test = new TestBroker()
      const sub = test.connect({ clientId: "sub", protocolVersion: version, ...persistent })
      const pub = test.connect({ clientId: "pub", protocolVersion: version })
      test.store.mode = "late"
      sub.subscribe("t/#", { qos: 2 })
      sub.seen.length = 0
      pub.publish("t/1", "one", { qos: 1, packetId: 1 })
      pub.publish("t/0", "zero")
      pub.publish("t/2", "two", { qos: 2, packetId: 2 })
      pub.send([0xc0, 0])
      sub.send([0xc0, 0])
      expect(pub.seen.slice(1)).toEqual([{ type: "pingresp" }])
      expect(sub.seen).toMatchObject([{ type: "publish", payload: "zero" }, { type: "pingresp" }])
      settle(test)
      expect(pub.acks()).toEqual([
        { type: "puback", packetId: 1, reasonCode: 0 },
        { type: "pubrec", packetId: 2, reasonCode: 0 },
      ])
      expect(sub.seen.slice(2).map(({ type }) => type)).toEqual(["suback", "publish", "publish"])
      expect(sub.payloads()).toEqual(["zero", "one", "two"])
      sub.ack(5, 2)
      expect(sub.acks()).toEqual([])
      settle(test)
      expect(sub.acks()).toMatchObject([{ type: "pubrel", packetId: 2 }])
    },
  )

  it("what a client was told last reaches it, and then its connection ends", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub", ...persistent })
    test.store.mode = "late"
    pub.publish("t", "last", { qos: 1 })
    pub.disconnect()
    expect([pub.acks(), pub.closed]).toEqual([[], false])
    settle(test)
    expect([pub.acks().length, pub.ended]).toEqual([1, true])
  })

  it("a restart knows nothing of what was not answered: the client says it again", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub", ...persistent })
    test.store.mode = "late"
    pub.publish("t", "x", { qos: 1 })
    expect(pub.acks()).toEqual([])
    const next = test.restart()
    next.checked = false
    next.store.mode = "at once"
    expect(next.connect({ clientId: "sub", ...persistent }).payloads()).toEqual([])
  })

  it("closing waits for the store, and then closes it", () => {
    const test = late()
    test.connect({ clientId: "c", ...persistent })
    let closed = false
    const closing = test.broker.close(test.now)
    if (closing instanceof Object) closing.onAnswer(() => (closed = true))
    expect([closed, test.store.closed]).toEqual([false, false])
    settle(test)
    expect([closed, test.store.closed]).toEqual([true, true])
  })
})

describe("a store that cannot keep anything", () => {
  it("refuses QoS 1 and 2 with 0x97 before anything happens, QoS 0 goes on, and the log says it once", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 2 })
    const pub = test.connect({ clientId: "pub" })
    test.store.mode = "failing"
    pub.publish("t", "before it was known", { qos: 1 })
    expect([pub.acks(), sub.payloads()]).toEqual([[], []])
    pub.publish("t", "one", { qos: 1, packetId: 2 })
    pub.publish("t", "two", { qos: 2, packetId: 3 })
    pub.publish("t", "zero")
    const refused = { reasonCode: ReasonCode.QuotaExceeded }
    // [MQTT-4.6.0-2] PUBACK of the second message comes after that of the first.
    expect(pub.acks()).toEqual([{ type: "pubrec", packetId: 3, ...refused }])
    expect(sub.payloads()).toEqual(["zero"])
    const another = test.connect({ clientId: "another" })
    another.publish("t", "one", { qos: 1, packetId: 2 })
    expect(another.acks()).toEqual([{ type: "puback", packetId: 2, ...refused }])
    expect(test.connect({ clientId: "new", ...persistent }).connack.reasonCode).toBe(ReasonCode.ServerUnavailable)
    expect(test.connect({ clientId: "clean" }).connack.reasonCode).toBe(0)
    sub.subscribe("u", { packetId: 9 })
    const subacks = () => sub.seen.filter(({ type }) => type === "suback")
    expect(subacks()).toHaveLength(1) // the other waits behind the message
    test.pass(3)
    expect(test.events.filter(({ event }) => event === "store failed")).toEqual([
      { event: "store failed", reason: "the disk is full" },
    ])
    test.store.mode = "at once"
    test.pass(1)
    expect(test.events.filter(({ event }) => event === "store recovered")).toHaveLength(1)
    // The turn that had failed is kept now, and what depends on it leaves.
    expect(pub.acks().slice(1)).toEqual([
      { type: "puback", packetId: 1, reasonCode: 0 },
      { type: "puback", packetId: 2, ...refused },
    ])
    expect(sub.payloads()).toEqual(["before it was known"])
    expect(subacks().at(-1)).toMatchObject({ packetId: 9, reasonCodes: [ReasonCode.QuotaExceeded] })
    pub.publish("t", "after", { qos: 1, packetId: 4 })
    expect(sub.payloads()).toEqual(["after"])
  })

  it("that is almost full refuses in the same way, and what makes room still goes in", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub" })
    test.store.mode = "full"
    pub.publish("t", "one", { qos: 1, packetId: 1 })
    pub.publish("t", "two", { qos: 1, packetId: 2 })
    expect(pub.acks().map(({ reasonCode }) => reasonCode)).toEqual([0, ReasonCode.QuotaExceeded])
    sub.ack(4, sub.take()[0]!.packetId)
    expect(test.store.session("sub")).toEqual({ waiting: 0, subscriptions: 1, received: 0 })
    expect(test.events.filter(({ event }) => event.startsWith("store"))).toEqual([
      { event: "store failed", reason: "the folder is full" },
    ])
    test.store.mode = "at once"
    test.pass(1)
    pub.publish("t", "three", { qos: 1, packetId: 3 })
    expect(sub.payloads()).toEqual(["three"])
    expect(test.events.filter(({ event }) => event === "store recovered")).toHaveLength(1)
  })

  it("MQTT 3.1.1: what waits counts as packets that have come in part, and the oldest gives way", () => {
    const maximumTotalPartialBytes = 250_000
    const test = new TestBroker({ limits: { maximumTotalPartialBytes } })
    const pubs = ["a", "b", "c"].map((clientId) => test.connect({ clientId, protocolVersion: 4 }))
    test.store.mode = "failing"
    test.connect({ clientId: "first" }).publish("r", "0", { qos: 1, retain: true })
    const body = new Uint8Array(100_000)
    for (const pub of pubs.slice(0, 2)) pub.send(publishBytes(4, "t", body, { qos: 1 }))
    expect(test.broker.memory.partial).toBeGreaterThanOrEqual(200_000)
    expect(pubs.map(({ closed }) => closed)).toEqual([false, false, false])
    pubs[2]!.send(publishBytes(4, "t", body, { qos: 1 }))
    expect(pubs.map(({ closed }) => closed)).toEqual([true, false, false])
    test.store.mode = "at once"
    test.pass(2)
    expect(pubs.slice(1).map((pub) => pub.acks().length)).toEqual([1, 1])
    expect(test.broker.memory.partial).toBe(0)
  })

  it("MQTT 3.1.1: a PUBLISH waits, and those behind it, and they come when the store works again", () => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub", ...persistent })
    sub.subscribe("t", { qos: 1 })
    const pub = test.connect({ clientId: "pub", protocolVersion: 4, keepAlive: 5 })
    test.store.mode = "failing"
    test.connect({ clientId: "first" }).publish("t", "0", { qos: 1 })
    pub.publish("t", "1", { qos: 1, packetId: 1 })
    pub.publish("t", "2", { qos: 1, packetId: 2 })
    expect([pub.paused, pub.acks()]).toEqual([false, []])
    for (let n = 0; n < 5; n++) {
      test.pass(4)
      pub.send(Uint8Array.of(0xc0, 0))
      expect(pub.seen.pop()).toEqual({ type: "pingresp" })
    }
    expect(pub.closed).toBe(false)
    test.store.mode = "at once"
    test.pass(2)
    expect(pub.acks().map(({ packetId }) => packetId)).toEqual([1, 2])
    expect(sub.payloads()).toEqual(["0", "1", "2"])
  })
})

describe("after a restart, retained messages that a subscription is owed", () => {
  it("come at most once at QoS 0: those do not come again", () => {
    const test = new TestBroker()
    const pub = test.connect({ clientId: "pub" })
    pub.publish("a/0", "x", { qos: 0, retain: true })
    for (let i = 1; i <= 4; i++) pub.publish(`a/${i}`, "x", { qos: 1, retain: true, packetId: 1 })
    const sub = test.connect({ clientId: "sub", ...persistent, receiveMaximum: 2 })
    sub.subscribe("a/+", { qos: 1 })
    expect(completed(sub, 9)).toEqual(["a/0 x", "a/1 x", "a/2 x"])
    const again = test.restart().connect({ clientId: "sub", ...persistent })
    expect(completed(again, 9).sort()).toEqual(["a/3 x", "a/4 x"])
  })

  it("at QoS 0 from now on are not kept any more, and what comes by another subscription is not taken for them", () => {
    let test = new TestBroker()
    for (const topic of ["b", "a"])
      for (let i = 0; i < 6; i++) test.broker.publishOwn(`${topic}/${i}`, encodeText("x"), 2, true)
    const few = { clientId: "sub", ...persistent, receiveMaximum: 2 }
    const sub = test.connect(few)
    sub.subscribe("a/#", { qos: 2 })
    // It goes before the rest could be sent.
    test.schedule = () => undefined
    sub.subscribe("a/#", { qos: 0, retainHandling: 1, packetId: 9 })
    sub.cut()
    test.broker.flush(test.now)
    test = test.restart()
    const again = test.connect(few)
    expect(completed(again, 9)).toEqual(["a/0 x", "a/1 x"])
    again.subscribe("b/#", { qos: 2 })
    const came = completed(again, 2)
    expect(came).toHaveLength(2)
    again.cut()
    const last = test.restart().connect({ ...few, receiveMaximum: 100 })
    for (let some = completed(last, 9); some.length > 0; some = completed(last, 9)) came.push(...some)
    expect(came.sort()).toEqual(Array.from({ length: 6 }, (_, i) => `b/${i} x`))
  })

  it("are those of before it: what comes later comes live", () => {
    const owner = { user: "", source: "anonymous", account: "anonymous" } as const
    const [clientId, filter, payload, properties] = ["sub", "#", encodeText("x"), new Uint8Array()]
    const changes: Change[] = [
      { type: "message", sequence: 2, topic: "t", qos: 1, retain: true, expiresAt: Infinity, properties, payload },
      { type: "retained", topic: "t", sequence: 2 },
      { type: "opened", clientId, owner, expiryInterval: 1000 },
      {
        type: "subscribed",
        clientId,
        filter,
        qos: 1,
        noLocal: false,
        retainAsPublished: false,
        identifier: undefined,
      },
      // Those after the second have gone, and a store does not say them.
      { type: "walk begun", clientId, filter, before: 7, sent: [] },
    ]
    const store: Store = {
      lasting: true,
      full: () => undefined,
      restore: (visit) => {
        for (const change of changes) visit(change)
        return "restored"
      },
      commit: (turn) => {
        changes.push(...turn)
        return "committed"
      },
      close: () => undefined,
    }
    const test = new TestBroker({ store })
    test.broker.restore(test.now)
    test.connect({ clientId: "pub" }).publish("u", "live", { qos: 1, retain: true, packetId: 1 })
    expect(changes.filter((change) => change.type === "message").map(({ sequence }) => sequence)).toEqual([2, 8])
    const sub = test.connect({ clientId: "sub", ...persistent })
    expect(completed(sub, 9).sort()).toEqual(["t x", "u live"])
  })
})
