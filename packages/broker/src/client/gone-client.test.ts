import { describe, expect, it } from "vitest"
import { publishBytes, TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { writeConnect, writeServerPacket, writeSubscribe } from "../codecs/mqtt-packet.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access } from "../ports/access.ts"

const versions = [4, 5] as const

describe("a client that goes before its last packets have had their turn", () => {
  const many = 3000
  const packets = (version: 4 | 5, qos: 0 | 1 = 0) =>
    Array.from({ length: many }, (_, i) => [
      ...publishBytes(version, "t", `${i}`, { qos, packetId: (i % 100) + 1 }),
    ]).flat()
  const good = (version: 4 | 5) => [...writeServerPacket({ type: "disconnect", reasonCode: 0 }, version)]
  const will = { topic: "w", payload: new Uint8Array(0), qos: 0, retain: false, delayInterval: 0 } as const
  const payloads = Array.from({ length: many }, (_, i) => `${i}`)

  it.each(versions)("version %i: [MQTT-3.14.4-3] all of them count, and its DISCONNECT: no will", (protocolVersion) => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const client = test.connect({ clientId: "c", protocolVersion, will: { ...will } })
    // Its turn is over long before the end of it, and then the network is gone.
    client.connection!.receive(Uint8Array.from([...packets(protocolVersion), ...good(protocolVersion)]), test.now)
    client.connection!.transportClosed(test.now, "gone")
    client.connection!.transportClosed(test.now, "gone, again")
    test.settle()
    expect(sub.payloads()).toEqual(payloads)
    expect([test.broker.sessionCount, test.broker.connectionCount]).toEqual([1, 1])
    expect(test.broker.memory.partial).toBe(0)
  })

  it.each(versions)("version %i: without DISCONNECT the will comes, after them", (protocolVersion) => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const client = test.connect({ clientId: "c", protocolVersion, will: { ...will } })
    client.connection!.receive(Uint8Array.from([...packets(protocolVersion), 0x30]), test.now)
    client.connection!.transportClosed(test.now, "gone")
    test.settle()
    expect(sub.payloads()).toEqual([...payloads, ""])
    expect(test.broker.connectionCount).toBe(1)
  })

  it("they come while it is held for a slow subscriber, and while it may not publish so fast", () => {
    const test = new TestBroker({ limits: { maximumPublishRate: 500 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const client = test.connect({ clientId: "c", will: { ...will } })
    client.connection!.receive(Uint8Array.from([...packets(5), ...good(5)]), test.now)
    client.connection!.transportClosed(test.now, "gone")
    for (let second = 0; second < 10; second++) test.pass(1)
    expect(sub.payloads()).toEqual(payloads)
    expect(test.broker.connectionCount).toBe(1)
  })

  it("has no part any more in what comes for it: other members of its group get it", () => {
    const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
    const [gone, live] = ["gone", "live"].map((clientId) => {
      const member = test.connect({ clientId })
      for (const filter of ["$share/g/jobs", "own"]) member.subscribe(filter, { qos: 2 })
      return member
    })
    gone!.connection!.receive(Uint8Array.from(packets(5)), test.now)
    gone!.connection!.transportClosed(test.now, "gone")
    const pub = test.connect({ clientId: "pub" })
    for (let i = 1; i <= 10; i++) pub.publish("jobs", `${i}`, { qos: i % 2 === 0 ? 2 : 0, packetId: i })
    expect(live!.take().map(({ payload }) => payload)).toEqual(Array.from({ length: 10 }, (_, i) => `${i + 1}`))
    expect(test.broker.connectionCount).toBe(3)
  })

  it.each(versions)("version %i: its transport is let go of, however it ends", (protocolVersion) => {
    const ends: ((test: TestBroker, client: TestClient) => void)[] = [
      () => undefined,
      (test) => test.connect({ clientId: "c", protocolVersion }),
      (test, client) => client.connection!.disconnect(test.now, ReasonCode.AdministrativeAction, "enough"),
      (test, client) => client.connection!.fault(new Error("planted"), test.now),
      (test, client) => client.connection!.transportClosed(test.now, "text", true),
    ]
    for (const end of ends) {
      const test = new TestBroker({ limits: { maximumPublishRate: 2000 } })
      const client = test.connect({ clientId: "c", protocolVersion })
      const last = Uint8Array.from([...packets(protocolVersion), ...good(protocolVersion)])
      client.connection!.receive(last, test.now)
      client.connection!.transportClosed(test.now, "gone")
      end(test, client)
      test.pass(5)
      expect([client.destroyed || client.ended, client.connection!.closed]).toEqual([true, true])
    }
  })

  it("has half a minute for them", () => {
    const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const client = test.connect({ clientId: "c", will: { ...will } })
    client.connection!.receive(Uint8Array.from(packets(5)), test.now)
    client.connection!.transportClosed(test.now, "gone")
    test.pass(29)
    expect(test.broker.connectionCount).toBe(2)
    test.pass(1)
    expect(test.broker.connectionCount).toBe(1)
    expect(sub.payloads().at(-1)).toBe("")
  })

  it.each<[string, (test: TestBroker) => void]>([
    ["a take-over", (test) => void test.connect({ clientId: "c", cleanStart: false, sessionExpiryInterval: 100 })],
    ["the broker's own end", (test) => test.broker.close(test.now)],
    ["half a minute", (test) => test.pass(31)],
  ])(
    "[MQTT-3.14.4-3] its DISCONNECT is not overlooked when %s comes first: no will, the session's time",
    (_what, end) => {
      const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
      const sub = test.connect({ clientId: "sub" })
      sub.subscribe("w")
      const client = test.connect({ clientId: "c", sessionExpiryInterval: 100, will: { ...will } })
      const bye = writeServerPacket({ type: "disconnect", reasonCode: 0, sessionExpiryInterval: 0 }, 5)
      client.connection!.receive(Uint8Array.from([...packets(5), ...bye]), test.now)
      client.connection!.transportClosed(test.now, "gone")
      end(test)
      test.settle()
      expect(sub.seen.filter(({ type }) => type === "publish")).toHaveLength(0)
      // Opened anew by who has taken over; else it is over.
      const ended = test.store.changes.filter((change) => change.type === "ended").map(({ clientId }) => clientId)
      expect(ended).toEqual(["c"])
    },
  )

  it.each<[string, (test: TestBroker, client: TestClient) => void]>([
    ["is taken over", (test) => void test.connect({ clientId: "c", cleanStart: false, sessionExpiryInterval: 100 })],
    [
      "is ended by the broker",
      (_test, client) => client.connection!.disconnect(0, ReasonCode.AdministrativeAction, "enough"),
    ],
  ])(
    "[MQTT-3.14.4-3] nor is it when one that is not read from %s: its transport does not say that it has gone",
    (_what, end) => {
      const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
      const sub = test.connect({ clientId: "sub" })
      sub.subscribe("w")
      const client = test.connect({ clientId: "c", sessionExpiryInterval: 100, will: { ...will } })
      client.connection!.receive(Uint8Array.from([...packets(5), ...good(5)]), test.now)
      expect([client.paused, client.connection!.closed]).toEqual([true, false])
      end(test, client)
      test.settle()
      expect(client.connection!.closed).toBe(true)
      expect(sub.seen.filter(({ type }) => type === "publish")).toHaveLength(0)
    },
  )

  it.each(["expected", "malformed"])("what is %s instead of a DISCONNECT is none: the will comes", (kind) => {
    const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("w")
    const client = test.connect({ clientId: "c", sessionExpiryInterval: 100, will: { ...will } })
    const rest = kind === "expected" ? [0xc0, 0] : [0xe1, 0]
    client.connection!.receive(Uint8Array.from([...packets(5), ...rest, 0x00]), test.now)
    client.connection!.transportClosed(test.now, "gone")
    test.connect({ clientId: "c", cleanStart: true })
    test.settle()
    expect(sub.seen.filter(({ type }) => type === "publish")).toHaveLength(1)
  })

  it.each(versions)("version %i: its CONNECT has not had its turn either", (protocolVersion) => {
    const test = new TestBroker()
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const busy = Array.from({ length: 12 }, (_, i) => test.connect({ clientId: `busy${i}` }))
    for (const { connection } of busy) connection!.receive(Uint8Array.from(packets(5)), test.now)
    const client = test.open(protocolVersion)
    const connect = writeConnect({ protocolVersion, clientId: "c", cleanStart: true, keepAlive: 0 })
    const mine = publishBytes(protocolVersion, "t", "mine")
    client.connection!.receive(Uint8Array.from([...connect, ...mine, ...good(protocolVersion)]), test.now)
    expect(client.connection!.phase).toBe("expect connect")
    client.connection!.transportClosed(test.now, "gone")
    test.settle()
    expect(sub.payloads()).toContain("mine")
    expect(client.connection!.closed).toBe(true)
    expect(test.broker.connectionCount).toBe(13)
  })

  it("a crowd of them whose time is over is looked through in turns", () => {
    const test = new TestBroker({ limits: { maximumPublishRate: 10 } })
    const pings = new Uint8Array(60_000).map((_, i) => (i % 2 === 0 ? 0xc0 : 0))
    const clients = Array.from({ length: 20 }, (_, i) => test.connect({ clientId: `c${i}` }))
    for (const { connection } of clients) {
      const published = Array.from({ length: 50 }, () => [...publishBytes(5, "t", "x")]).flat()
      connection!.receive(Uint8Array.from([...published, ...pings]), test.now)
      connection!.transportClosed(test.now, "gone")
    }
    test.settle()
    expect(clients.filter(({ connection }) => connection!.closed)).toHaveLength(0)
    test.now += 31_000
    test.schedule = () => undefined
    test.broker.tick(test.now)
    test.broker.flush(test.now)
    const closed = clients.filter(({ connection }) => connection!.closed).length
    expect(closed).toBeGreaterThan(0)
    expect(closed).toBeLessThan(5)
    for (let i = 0; i < 40; i++) test.broker.flush(test.now)
    expect(clients.filter(({ connection }) => connection!.closed)).toHaveLength(20)
  })

  it("before its CONNECT is whole there is nothing to wait for", () => {
    const test = new TestBroker()
    const client = test.open()
    client.send([0x10, 30, 0, 4])
    client.connection!.transportClosed(test.now, "gone")
    expect(client.connection!.closed).toBe(true)
  })

  it("section 5.4.2: a user displaces an anonymous session together with those packets", () => {
    const access: Access = {
      ...openAccess,
      authenticate: ({ username }, decide) =>
        decide({ identity: { user: username ?? "", source: username === undefined ? "anonymous" : "password" } }),
    }
    const test = new TestBroker({ access, limits: { maximumPublishRate: 10 } })
    const old = test.connect({ clientId: "c", sessionExpiryInterval: 100 })
    const late = writeSubscribe(
      1,
      [{ filter: "late", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      5,
    )
    old.connection!.receive(Uint8Array.from([...packets(5), ...late]), test.now)
    old.connection!.transportClosed(test.now, "gone")
    const next = test.connect({ clientId: "c", username: "alice", sessionExpiryInterval: 100, will: { ...will } })
    expect(next.connack.reasonCode).toBe(0)
    test.pass(40)
    expect(old.connection!.closed).toBe(true)
    expect(test.broker.subscriptionCount).toBe(0)
    const wills = test.store.changes.filter(({ type }) => type === "will set" || type === "will cleared")
    expect(wills.at(-1)).toMatchObject({ type: "will set", clientId: "c" })
  })

  it("its login is still checked, and then they count", () => {
    let decide: (() => void) | undefined
    const test = new TestBroker({
      access: {
        ...openAccess,
        authenticate: (attempt, answer) => {
          if (attempt.clientId !== "c") openAccess.authenticate(attempt, answer)
          else decide = () => answer({ identity: { user: "u", source: "password" } })
        },
      },
    })
    const sub = test.connect({ clientId: "sub" })
    sub.subscribe("#")
    const client = test.connect({ clientId: "c", will: { ...will } })
    client.connection!.receive(Uint8Array.from([...packets(5), ...good(5)]), test.now)
    client.connection!.transportClosed(test.now, "gone")
    test.settle()
    decide!()
    test.settle()
    expect(sub.payloads()).toEqual(payloads)
    expect(test.broker.connectionCount).toBe(1)
  })
})
