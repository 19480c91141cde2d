// Clients whose login says what they may do, and for how long: a token's claims, or what a server answered.

import { describe, expect, it } from "vitest"
import { TestBroker, type TestClient } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { Acl, parseAcl } from "../access/acl.ts"
import { type GivenRights, rightsOf } from "../access/rights.ts"
import { writeConnect, writeServerPacket } from "../codecs/mqtt-packet.ts"
import { encodeText } from "../packet/bytes.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access, Identity } from "../ports/access.ts"

interface World {
  readonly test: TestBroker
  /** What the next logins say. */
  rights: GivenRights | undefined
  /** Milliseconds from now. */
  lasts: number | undefined
  acl: Acl
}

/** Logins by a password are governed by the list; "token" ones say what they may do. */
function world(list = "all readwrite #"): World {
  const identityOf = (user: string, clientId: string): Identity => {
    const { lasts, rights } = own
    return {
      user,
      source: "token",
      ...(rights !== undefined && { rights: rightsOf(rights, { user, clientId }) }),
      ...(lasts !== undefined && { expiresAt: own.test.now + lasts }),
    }
  }
  const access: Access = {
    ...openAccess,
    authenticate({ username, clientId }, decide) {
      if (username?.startsWith("password ")) decide({ identity: { user: "ann", source: "password" } })
      else decide({ identity: identityOf("ann", clientId) })
    },
    exchange: (_method, { clientId }) => ({
      next: (_data, answer) =>
        answer({ goesOn: false, decision: { identity: identityOf("ann", clientId) }, data: undefined }),
    }),
    publishRefusal: (identity, clientId, topic) => own.acl.publishRefusal(identity, clientId, topic),
    subscribeRefusal: (identity, clientId, filter) => own.acl.subscribeRefusal(identity, clientId, filter),
    deliveryRule: (identity, clientId, filter) => own.acl.deliveryRule(identity, clientId, filter),
  }
  const own: World = {
    test: new TestBroker({ access }),
    rights: undefined,
    lasts: undefined,
    acl: new Acl(parseAcl(list)),
  }
  return own
}

const kept = { cleanStart: false, sessionExpiryInterval: 1000 } as const
const publisher = (test: TestBroker): TestClient => test.connect({ clientId: "pub", username: "password p" })

describe("rights that come with the login", () => {
  it("are all that the client may do, whatever rules allow; what they deny holds", () => {
    const own = world("all readwrite #\nall deny a/secret")
    own.rights = { publish: ["p/%c", "a/#"], subscribe: ["a/+", "s/%u/#"] }
    const client = own.test.connect({ clientId: "c" })
    const codes = ["a/b", "a/+", "a/#", "s/ann/x/#", "s/bob", "b", "$share/g/a/+", "$share/g/b"].map((filter) =>
      client.subscribe(filter),
    )
    const no = ReasonCode.NotAuthorized
    expect(codes).toEqual([2, 2, no, 2, no, no, 2, no])
    const watch = publisher(own.test)
    watch.subscribe("#")
    for (const topic of ["p/c", "p/d", "a/x", "a/secret", "b"]) client.publish(topic, topic, { qos: 1 })
    expect(watch.payloads()).toEqual(["p/c", "a/x"])
    client.take()
    for (const topic of ["a/x", "a/secret"]) watch.publish(topic, topic)
    expect(new Set(client.payloads())).toEqual(new Set(["a/x"]))
    expect(own.test.events.filter(({ event }) => event === "access refused")).toContainEqual(
      expect.objectContaining({ topic: "b", rule: "nothing that its login says allows it" }),
    )
  })

  it("forbid a will too", () => {
    const own = world()
    own.rights = { publish: ["a"], subscribe: [] }
    const will = { topic: "b", payload: encodeText("w"), qos: 0, retain: false } as const
    expect(own.test.connect({ clientId: "c", will }).connack.reasonCode).toBe(ReasonCode.NotAuthorized)
  })

  it("of a later login hold for what was subscribed to by an earlier one, before anything that waited is sent", () => {
    const own = world()
    own.test.checked = false
    own.rights = { publish: [], subscribe: ["a", "b"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    expect(["a", "b"].map((filter) => first.subscribe(filter))).toEqual([2, 2])
    first.cut()
    const pub = publisher(own.test)
    for (const topic of ["a", "b"]) pub.publish(topic, `waits ${topic}`, { qos: 1 })
    own.rights = { publish: [], subscribe: ["b"] }
    const second = own.test.connect({ clientId: "c", ...kept })
    expect(second.connack.sessionPresent).toBe(true)
    expect(second.payloads()).toEqual(["waits b"])
    for (const topic of ["a", "b"]) pub.publish(topic, `live ${topic}`, { qos: 1, packetId: 9 })
    expect(second.payloads()).toEqual(["live b"])
    // And the other way: what it lost comes again with the right.
    second.cut()
    own.rights = { publish: [], subscribe: ["a", "b"] }
    const third = own.test.connect({ clientId: "c", ...kept })
    third.take()
    pub.publish("a", "again", { qos: 1, packetId: 10 })
    expect(third.payloads()).toEqual(["again"])
  })

  it("are with the list again when the next login says nothing of them", () => {
    const own = world("user ann readwrite mine/#")
    own.test.checked = false
    own.rights = { publish: [], subscribe: ["a"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    first.subscribe("a")
    first.cut()
    const second = own.test.connect({ clientId: "c", username: "password p", ...kept })
    expect(second.connack.sessionPresent).toBe(true)
    own.rights = { publish: ["a"], subscribe: [] }
    own.test.connect({ clientId: "other" }).publish("a", "1", { qos: 1 })
    expect([second.payloads(), second.subscribe("mine/x"), second.subscribe("a")]).toEqual([[], 2, 0x87])
  })

  it("outlive a restart in that the session goes on collecting; nothing is sent before the next login", () => {
    const own = world("all deny z")
    own.test.checked = false
    own.rights = { publish: [], subscribe: ["a", "b"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    for (const filter of ["a", "b"]) first.subscribe(filter)
    const access = own.test.broker.access
    const next = own.test.restart({ access })
    next.checked = false
    own.rights = { publish: ["#"], subscribe: [] }
    const pub = next.connect({ clientId: "pub" })
    for (const topic of ["a", "b"]) pub.publish(topic, topic, { qos: 1 })
    own.rights = { publish: [], subscribe: ["b"] }
    const second = next.connect({ clientId: "c", ...kept })
    expect([second.connack.sessionPresent, second.payloads()]).toEqual([true, ["b"]])
  })

  it("are with a session after a restart when a later login than its first has brought them", () => {
    const own = world("user ann readwrite mine/#")
    own.test.checked = false
    own.test.connect({ clientId: "c", username: "password p", ...kept }).cut()
    own.rights = { publish: [], subscribe: ["a"] }
    const second = own.test.connect({ clientId: "c", ...kept })
    expect([second.connack.sessionPresent, second.subscribe("a")]).toEqual([true, 2])
    const next = own.test.restart({ access: own.test.broker.access })
    next.checked = false
    own.rights = { publish: ["#"], subscribe: [] }
    next.connect({ clientId: "pub" }).publish("a", "while away", { qos: 1 })
    own.rights = { publish: [], subscribe: ["a"] }
    expect(next.connect({ clientId: "c", ...kept }).payloads()).toEqual(["while away"])
  })

  it("are not with a session after a restart when a later login than its first has brought none", () => {
    const own = world("user ann readwrite mine/#")
    own.test.checked = false
    own.rights = { publish: [], subscribe: ["a"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    first.subscribe("a")
    first.cut()
    own.test.connect({ clientId: "c", username: "password p", ...kept }).cut()
    const next = own.test.restart({ access: own.test.broker.access })
    next.checked = false
    own.rights = { publish: ["#"], subscribe: [] }
    next.connect({ clientId: "pub" }).publish("a", "while away", { qos: 1 })
    const [session] = [...next.broker.sessions()].filter(({ clientId }) => clientId === "c")
    expect([session?.subscriptions.size, session?.queuedMessages]).toEqual([1, 0])
  })

  it("are those of the last of two logins in one turn, also while what waits is judged in turns", () => {
    const own = world()
    const { broker } = own.test
    own.test.checked = false
    broker.limitsChanged({ ...broker.limits, maximumQueuedMessages: 20_000 })
    own.rights = { publish: [], subscribe: ["a", "b"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    for (const filter of ["a", "b"]) first.subscribe(filter)
    first.cut()
    const pub = publisher(own.test)
    for (const payload of ["one", "two"]) pub.publish("b", payload, { qos: 1 })
    for (let i = 0; i < 10_000; i++) pub.publish("a", "forbidden", { qos: 1 })
    const login = (): TestClient => {
      const client = own.test.open(5)
      client.connection?.receive(
        writeConnect({ protocolVersion: 5, clientId: "c", keepAlive: 0, receiveMaximum: 1, ...kept }),
        own.test.now,
      )
      return client
    }
    const acknowledge = ({ connection }: TestClient, packetId: number): void =>
      connection?.receive(Uint8Array.of(0x40, 2, packetId >> 8, packetId & 255), own.test.now)
    login()
    own.rights = { publish: [], subscribe: ["b"] }
    const last = login()
    // A share of the work, and not all of it.
    broker.flush(own.test.now)
    for (const payload of ["one", "two"]) {
      const [packet] = last.take()
      expect(packet?.payload).toBe(payload)
      acknowledge(last, packet?.packetId ?? 0)
      broker.flush(own.test.now)
    }
    own.test.settle()
    expect(last.payloads()).toEqual([])
  })

  it("change with a new list where it denies, connected or not", () => {
    const own = world()
    own.rights = { publish: [], subscribe: ["a"] }
    const client = own.test.connect({ clientId: "c", ...kept })
    client.subscribe("a")
    const pub = publisher(own.test)
    own.acl = new Acl(parseAcl("all readwrite #\nuser ann deny-read a"))
    own.test.broker.rulesChanged(() => undefined, { rights: true, disconnect: false })
    own.test.settle()
    pub.publish("a", "1", { qos: 1 })
    own.acl = new Acl(parseAcl("all readwrite #"))
    own.test.broker.rulesChanged(() => undefined, { rights: true, disconnect: false })
    own.test.settle()
    pub.publish("a", "2", { qos: 1, packetId: 2 })
    expect(client.payloads()).toEqual(["2"])
  })

  it("come from the newest login also where a new list was on its way when it came", () => {
    const own = world()
    own.test.checked = false
    own.rights = { publish: [], subscribe: ["a", "b"] }
    const first = own.test.connect({ clientId: "c", ...kept })
    for (const filter of ["a", "b"]) first.subscribe(filter)
    first.cut()
    const pub = publisher(own.test)
    own.test.broker.rulesChanged(() => undefined, { rights: true, disconnect: false })
    own.rights = { publish: [], subscribe: ["b"] }
    const second = own.test.connect({ clientId: "c", ...kept })
    own.test.settle()
    for (const topic of ["a", "b"]) pub.publish(topic, topic, { qos: 1 })
    expect(second.payloads()).toEqual(["b"])
  })
})

describe("a login that expires", () => {
  it("ends its connection with 0x87, publishes its will and keeps its session", () => {
    const own = world()
    own.test.checked = false
    own.lasts = 5000
    const watch = own.test.connect({ clientId: "watch", username: "password p" })
    watch.subscribe("w")
    const will = { topic: "w", payload: encodeText("gone"), qos: 0, retain: false } as const
    const client = own.test.connect({ clientId: "c", will, ...kept })
    own.test.pass(4)
    expect(client.closed).toBe(false)
    own.test.pass(1)
    expect([client.closed, client.farewell, watch.payloads()]).toEqual([true, ReasonCode.NotAuthorized, ["gone"]])
    expect(own.test.events.at(-1)).toMatchObject({ event: "client disconnected", reason: "its login has expired" })
    expect(own.test.connect({ clientId: "c", ...kept }).connack.sessionPresent).toBe(true)
  })

  it("lasts longer once its client has authenticated anew, with the rights of that", () => {
    const own = world()
    own.lasts = 5000
    own.rights = { publish: ["a"], subscribe: ["a"] }
    const method = { authenticationMethod: "JWT", authenticationData: encodeText("token") }
    const client = own.test.connect({ clientId: "c", ...method })
    expect(client.connack.reasonCode).toBe(0)
    client.subscribe("a")
    own.test.pass(3)
    own.rights = { publish: ["b"], subscribe: ["b"] }
    client.send(writeServerPacket({ type: "auth", reasonCode: ReasonCode.Reauthenticate, ...method }, 5))
    own.test.pass(3)
    expect(client.closed).toBe(false)
    for (const topic of ["a", "b"]) client.publish(topic, topic, { qos: 1 })
    expect(client.acks().map(({ reasonCode }) => reasonCode)).toEqual([
      ReasonCode.NotAuthorized,
      ReasonCode.NoMatchingSubscribers,
    ])
    const pub = publisher(own.test)
    pub.publish("a", "1")
    expect([client.payloads(), client.subscribe("b")]).toEqual([[], 2])
    own.test.pass(2)
    expect(client.farewell).toBe(ReasonCode.NotAuthorized)
  })
})
