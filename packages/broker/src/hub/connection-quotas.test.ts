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
