// How many connections one address, and one user, may have.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import { ReasonCode } from "../packet/reason-codes.ts"
import type { Access } from "../ports/access.ts"
import type { Limits } from "../session/limits.ts"

/** Everybody is who he says; who says nothing is anonymous. */
const access: Access = {
  ...openAccess,
  authenticate: ({ username }, decided) =>
    decided({
      identity: username === undefined ? { user: "", source: "anonymous" } : { user: username, source: "password" },
    }),
}

function broker(limits: Partial<Limits>): TestBroker {
  return new TestBroker({ limits, access })
}

describe("maximumConnectionsPerAddress", () => {
  it("so many of one address, whatever their ports; one more is closed, until one of them ends", () => {
    const test = broker({ maximumConnectionsPerAddress: 2 })
    const from = (address: string, clientId: string) => test.connect({ clientId }, { address })
    const first = from("192.0.2.1:1000", "a")
    expect([first.closed, from("192.0.2.1:1001", "b").closed]).toEqual([false, false])
    expect(from("192.0.2.1:1002", "c").destroyed).toBe(true)
    expect(from("192.0.2.2:1002", "d").closed).toBe(false)
    expect(test.events).toContainEqual(
      expect.objectContaining({
        event: "client refused",
        peer: expect.objectContaining({ address: "192.0.2.1:1002" }),
        reason: "its address has 2 connections, as many as one may have",
      }),
    )
    first.disconnect()
    first.cut()
    expect(from("192.0.2.1:1003", "e").closed).toBe(false)
    expect(from("192.0.2.1:1004", "f").destroyed).toBe(true)
  })

  it("of IPv6 a /64 is one address, and 0 is any", () => {
    const test = broker({ maximumConnectionsPerAddress: 1 })
    expect(test.connect({ clientId: "a" }, { address: "[2001:db8::1]:1000" }).closed).toBe(false)
    expect(test.connect({ clientId: "b" }, { address: "[2001:db8::2]:1000" }).destroyed).toBe(true)
    expect(test.connect({ clientId: "c" }, { address: "[2001:db8:0:1::1]:1000" }).closed).toBe(false)
    const any = broker({})
    for (let i = 0; i < 100; i++) expect(any.connect({ clientId: `${i}` }).closed).toBe(false)
  })
})

describe.each([4, 5] as const)("maximumConnectionsPerUser, version %i", (protocolVersion) => {
  it("so many of one user, from wherever; one more is refused, until one of them ends", () => {
    const test = broker({ maximumConnectionsPerUser: 2 })
    const as = (username: string | undefined, clientId: string) =>
      test.connect({ clientId, protocolVersion, ...(username !== undefined && { username }) }, { address: clientId })
    const [first] = [as("alice", "a"), as("alice", "b")]
    const third = as("alice", "c")
    expect(third.connack.reasonCode).toBe(protocolVersion === 5 ? ReasonCode.QuotaExceeded : 3)
    expect(third.closed).toBe(true)
    expect(as("bob", "d").connack.reasonCode).toBe(0)
    for (const clientId of ["e", "f", "g"]) expect(as(undefined, clientId).connack.reasonCode).toBe(0)
    first?.cut()
    expect(as("alice", "c").connack.reasonCode).toBe(0)
    expect(as("alice", "h").closed).toBe(true)
  })

  it("[MQTT-3.1.4-3]: one that takes over a session takes the place of the one before, also at the limit", () => {
    const test = broker({ maximumConnectionsPerUser: 2 })
    const as = (username: string, clientId: string) => test.connect({ clientId, protocolVersion, username })
    const first = as("alice", "a")
    as("alice", "b")
    const again = as("alice", "a")
    expect([first.closed, again.connack.reasonCode]).toEqual([true, 0])
    expect(as("alice", "c").closed).toBe(true)
    // Another user's Client Identifier is no place to take.
    as("bob", "z")
    expect(as("alice", "z").closed).toBe(true)
    again.cut()
    expect(as("alice", "c").connack.reasonCode).toBe(0)
    expect(as("alice", "d").closed).toBe(true)
  })
})

describe("limits of a listener", () => {
  const limits = new Map([
    ["office", { maximumConnections: 3, maximumConnectionsPerAddress: 2, maximumPacketSize: 128 }],
  ])
  const through = (test: TestBroker, listener: string | undefined, address: string, clientId: string) =>
    test.connect({ clientId, protocolVersion: 5 }, { listener, address })

  it("so many through it, and of an address; the others do not count, and are not held to it", () => {
    const test = new TestBroker({ access, listenerLimits: limits })
    const office = (address: string, clientId: string) => through(test, "office", address, clientId)
    for (let i = 0; i < 5; i++) expect(through(test, "tcp", "192.0.2.1:1", `t${i}`).closed).toBe(false)
    expect(through(test, undefined, "192.0.2.1:1", "embedded").closed).toBe(false)
    const first = office("192.0.2.1:1", "a")
    expect([first.closed, office("192.0.2.1:2", "b").closed]).toEqual([false, false])
    expect(office("192.0.2.1:3", "c").destroyed).toBe(true)
    expect(test.events).toContainEqual(
      expect.objectContaining({
        reason: "its address has 2 connections through office, as many as one may have there",
      }),
    )
    expect(office("192.0.2.2:1", "d").closed).toBe(false)
    expect(office("192.0.2.3:1", "e").destroyed).toBe(true)
    first.disconnect()
    first.cut()
    expect(office("192.0.2.3:1", "f").closed).toBe(false)
    expect(office("192.0.2.4:1", "g").destroyed).toBe(true)
  })

  it("the broker's hold too", () => {
    const test = new TestBroker({ access, listenerLimits: limits, limits: { maximumConnections: 1 } })
    expect(through(test, "office", "192.0.2.1:1", "a").closed).toBe(false)
    expect(through(test, "office", "192.0.2.1:2", "b").destroyed).toBe(true)
    expect(through(test, "tcp", "192.0.2.2:2", "c").destroyed).toBe(true)
  })

  it("CONNACK has its packet size, where the broker's is not lower; others hold from then on", () => {
    const test = new TestBroker({ access, listenerLimits: limits })
    const size = (listener: string, clientId: string) => {
      const client = through(test, listener, "192.0.2.1:1", clientId)
      const connack = client.seen.find(({ type }) => type === "connack")
      client.disconnect()
      client.cut()
      return connack?.type === "connack" ? connack.maximumPacketSize : undefined
    }
    const usual = size("tcp", "a")
    expect(size("office", "b")).toBe(128)
    test.broker.limitsChanged({ ...test.broker.limits, maximumPacketSize: 127 })
    expect([size("office", "c"), size("tcp", "d")]).toEqual([127, 127])
    test.broker.limitsChanged({ ...test.broker.limits, maximumPacketSize: usual ?? 0 })
    expect([size("office", "e"), size("tcp", "f")]).toEqual([128, usual])
    test.broker.listenerLimitsChanged(new Map([["tcp", { maximumPacketSize: 500 }]]))
    expect([size("office", "g"), size("tcp", "h")]).toEqual([usual, 500])
    for (let i = 0; i < 5; i++) expect(through(test, "office", "192.0.2.1:1", `n${i}`).closed).toBe(false)
  })

  it("a packet that is larger than its limit ends the connection, at the limit it does not", () => {
    const test = new TestBroker({ access, listenerLimits: limits })
    const publish = (clientId: string, bytes: number) => {
      const client = through(test, "office", "192.0.2.1:1", clientId)
      // PUBLISH and its length, the topic with its length, and no properties.
      client.send(Uint8Array.of(0x30, bytes - 2, 0, 1, 0x74, 0, ...new Uint8Array(bytes - 6)))
      const { closed } = client
      client.cut()
      return closed
    }
    expect([publish("a", 128), publish("b", 129)]).toEqual([false, true])
  })
})
