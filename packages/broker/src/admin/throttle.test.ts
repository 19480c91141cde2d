import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { Acl, parseAcl } from "../access/acl.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import { formatEvent } from "./log.ts"
import { isRefusal, kindsInAll, kindsOfAnAddress, type Refused, Throttle } from "./throttle.ts"

function watch() {
  const told: Refused[] = []
  return { told, throttle: new Throttle((event) => told.push(event)) }
}

function refusal(topic: string, address = "192.0.2.1:1"): Refused {
  const peer = { transport: "tcp", address } as const
  return { event: "access refused", peer, clientId: "c", user: "u", action: "publish", topic, rule: "r" }
}

describe("refusals in the log", () => {
  it("the first of a kind is told at once, the others in one line after ten seconds", () => {
    const { told, throttle } = watch()
    for (let i = 0; i < 1000; i++) throttle.take(refusal("a"), i)
    throttle.take(refusal("b"), 1000)
    expect(told).toEqual([refusal("a"), refusal("b")])
    throttle.pass(9999)
    expect(told).toHaveLength(2)
    throttle.pass(10_000)
    expect(told.slice(2)).toEqual([{ ...refusal("a"), more: "999 more like this in 10 s" }])
    throttle.take(refusal("a"), 10_001)
    expect(told).toHaveLength(4)
  })

  it("TLS handshakes that fail are of a kind by their reason, whatever port they come from", () => {
    const { told, throttle } = watch()
    const failure = (port: number, reason: string): Refused => {
      const peer = `192.0.2.1:${port}`
      return { event: "tls failure", peer, listener: "tls", fault: "client", alert: undefined, reason, milliseconds: 1 }
    }
    expect(isRefusal(failure(0, "no TLS"))).toBe(true)
    expect(isRefusal({ ...failure(0, "it threw"), fault: "server" })).toBe(false)
    for (let i = 0; i < 1000; i++) throttle.take(failure(i, "no TLS"), 0)
    throttle.take(failure(1, "TLS 1.2"), 0)
    expect(told).toEqual([failure(0, "no TLS"), failure(1, "TLS 1.2")])
    throttle.end()
    expect(told.slice(2)).toEqual([{ ...failure(999, "no TLS"), more: "999 more like this in 10 s" }])
  })

  it("so many kinds of an address, and one more is a number; another address has its own", () => {
    const { told, throttle } = watch()
    for (let i = 0; i < kindsOfAnAddress; i++) throttle.take(refusal(`t${i}`), 0)
    expect(told).toHaveLength(kindsOfAnAddress)
    throttle.take(refusal("one more", "192.0.2.1:2"), 0)
    throttle.take(refusal("and one more"), 0)
    expect(told).toHaveLength(kindsOfAnAddress)
    throttle.take(refusal("mine", "192.0.2.2:1"), 0)
    expect(told.at(-1)).toEqual(refusal("mine", "192.0.2.2:1"))
    throttle.end()
    expect(told.slice(kindsOfAnAddress + 1)).toEqual([
      { ...refusal("and one more"), more: "2 more of other kinds from this address in 10 s" },
    ])
  })

  it("so many kinds in all, and one more is a number", () => {
    const { told, throttle } = watch()
    for (let i = 0; i < kindsInAll; i++) throttle.take(refusal(`t${i}`, `192.0.2.${i}:1`), 0)
    expect(told).toHaveLength(kindsInAll)
    for (let i = 0; i < 5; i++) throttle.take(refusal("x", `198.51.100.${i}:1`), 0)
    expect(told).toHaveLength(kindsInAll)
    throttle.end()
    expect(told.slice(kindsInAll)).toEqual([
      { ...refusal("x", "198.51.100.4:1"), more: "5 more from other addresses in 10 s" },
    ])
    throttle.end()
    expect(told).toHaveLength(kindsInAll + 1)
  })
})

describe.each([4, 5] as const)("what a client may not do is told, version %i", (protocolVersion) => {
  const acl = new Acl(parseAcl("all readwrite mine/#\nuser alice deny mine/secret/#"))
  function broker() {
    return new TestBroker({
      access: {
        publishRefusal: (...what) => acl.publishRefusal(...what),
        subscribeRefusal: (...what) => acl.subscribeRefusal(...what),
        deliveryRule: (...what) => acl.deliveryRule(...what),
        authenticate: (_, decide) => decide({ identity: { user: "alice", source: "password" } }),
      },
    })
  }
  const peer = { transport: "stream", address: "test" } as const
  const common = { event: "access refused", peer, clientId: "c", user: "alice" } as const
  const deny = "line 2: user alice deny mine/secret/#"

  it.each([0, 1, 2] as const)("publishing at QoS %i", (qos) => {
    const test = broker()
    const client = test.connect({ protocolVersion })
    client.publish("mine/a", "x", { qos })
    client.publish("mine/secret/a", "x", { qos, packetId: 2 })
    client.publish("$SYS/x", "x", { qos, packetId: 3 })
    expect(test.events.filter(({ event }) => event === "access refused")).toEqual([
      { ...common, action: "publish", topic: "mine/secret/a", rule: deny },
      { ...common, action: "publish", topic: "$SYS/x", rule: "topics that begin with $ are the broker's" },
    ])
  })

  it("subscribing", () => {
    const test = broker()
    const client = test.connect({ protocolVersion })
    expect(client.subscribe("mine/#")).toBe(2)
    client.subscribe("$share/g/mine/secret/+")
    client.subscribe("#")
    expect(test.events.filter(({ event }) => event === "access refused")).toEqual([
      { ...common, action: "subscribe", topic: "$share/g/mine/secret/+", rule: deny },
      { ...common, action: "subscribe", topic: "#", rule: "no rule allows it" },
    ])
  })

  it("a will; the client is not let in", () => {
    const test = broker()
    const will = { topic: "mine/secret/will", payload: new Uint8Array(1), qos: 0, retain: false } as const
    const client = test.connect({ protocolVersion, username: "alice", will })
    expect(client.connack.reasonCode).toBe(protocolVersion === 5 ? ReasonCode.NotAuthorized : 5)
    expect(test.events).toEqual([
      { ...common, action: "will", topic: "mine/secret/will", rule: deny },
      expect.objectContaining({ event: "client refused", clientId: "c", user: "alice" }),
    ])
  })

  it("in a line that does not get longer than needed, whatever a client sends", () => {
    const test = broker()
    const client = test.connect({ protocolVersion })
    client.publish("x".repeat(60_000), "x")
    const line = formatEvent(test.events.at(-1)!, "text", 0)
    expect(line).toMatch(
      /access refused peer=test transport=stream clientId=c user=alice action=publish topic=x{197}\.\.\. rule="no rule allows it"$/,
    )
    expect(line.length).toBeLessThan(500)
    const long = new TestBroker({
      access: { ...openAccess, authenticate: (_, decide) => decide({ reasonCode: 0x86, why: "wrong password" }) },
    })
    long.connect({ protocolVersion, username: "u".repeat(60_000) })
    expect(formatEvent(long.events[0]!, "text", 0).length).toBeLessThan(500)
  })
})
