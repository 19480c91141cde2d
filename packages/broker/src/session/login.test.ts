// A CONNECT whose login is not decided yet: MQTT 5.0 section 3.1.4.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { openAccess } from "../../tests/open-access.ts"
import type { Decision } from "../ports/access.ts"
import { defaultLimits, type Limits } from "./limits.ts"

const seconds = defaultLimits.loginTimeout / 1000

describe.each([4, 5] as const)("version %i", (protocolVersion) => {
  const unavailable = protocolVersion === 5 ? 0x88 : 3

  function undecided(limits: Partial<Limits> = {}) {
    const decisions: ((decision: Decision) => void)[] = []
    const abandoned: (() => boolean)[] = []
    const test = new TestBroker({
      limits,
      access: {
        ...openAccess,
        authenticate(attempt, decide) {
          decisions.push(decide)
          abandoned.push(attempt.abandoned)
        },
      },
    })
    return { test, decisions, abandoned }
  }

  it("may take longer than CONNECT may, and is answered when its own time is over", () => {
    const { test, abandoned, decisions } = undecided()
    const client = test.connect({ clientId: "c", username: "alice", protocolVersion })
    expect(seconds * 1000).toBeGreaterThan(defaultLimits.connectTimeout)
    test.pass(seconds - 1)
    expect([client.closed, client.seen.length, abandoned[0]!()]).toEqual([false, 0, false])
    test.pass(1)
    expect([client.connack.reasonCode, client.closed, abandoned[0]!()]).toEqual([unavailable, true, true])
    expect(test.events.at(-1)).toMatchObject({
      event: "client refused",
      clientId: "c",
      user: "alice",
      reason: "the login was not checked in time [MQTT-3.1.4-1]",
    })
    decisions[0]!({ identity: { user: "alice", source: "password" } }) // too late
    expect(test.broker.connectedCount).toBe(0)
  })

  it("no complete CONNECT still ends at its own time, without an answer", () => {
    const { test } = undecided()
    const client = test.open(protocolVersion)
    test.pass(defaultLimits.connectTimeout / 1000)
    expect([client.closed, client.seen]).toEqual([true, []])
  })

  it("counts while it waits; a large one has less room than those that clients really send", () => {
    const { test, decisions } = undecided({ maximumTotalPartialBytes: 64_000 }) // half of it for these
    const busy = protocolVersion === 5 ? 0x89 : 3
    const will = { topic: "w", payload: new Uint8Array(2100), qos: 0, retain: false } as const
    expect(test.connect({ clientId: "too large", protocolVersion, will }).closed).toBe(true) // its like fits no sixteenth
    const large = { protocolVersion, will: { ...will, payload: new Uint8Array(1000) } }
    const opened = Array.from({ length: 20 }, (_, i) => test.connect({ clientId: `large${i}`, ...large }))
    const waiting = opened.filter(({ closed }) => !closed)
    expect(waiting.length).toBeLessThan(20)
    expect(opened.at(-1)?.connack.reasonCode).toBe(busy)
    expect(test.broker.memory.partial).toBeGreaterThan(waiting.length * 1000)
    const small = test.connect({ clientId: "small", protocolVersion })
    expect(small.closed).toBe(false)
    for (const decide of decisions) decide({ identity: { user: "", source: "anonymous" } })
    test.settle()
    expect([small.connack.reasonCode, test.broker.memory.partial]).toEqual([0, 0])
    const gone = test.connect({ clientId: "gone", protocolVersion })
    gone.cut()
    expect(test.broker.memory.partial).toBe(0)
  })

  it("does not take over the session that a later connection of the client has got meanwhile", () => {
    const { test, decisions } = undecided()
    const [earlier, later] = [1, 2].map(() => test.connect({ clientId: "c", protocolVersion }))
    for (const decide of decisions.reverse()) decide({ identity: { user: "", source: "anonymous" } })
    test.settle()
    expect([earlier!.connack.reasonCode, earlier!.closed]).toEqual([protocolVersion === 5 ? 0x80 : 3, true])
    expect([later!.connack.reasonCode, later!.closed]).toEqual([0, false])
  })

  it("is answered when the broker closes", () => {
    const { test } = undecided()
    const client = test.connect({ clientId: "c", protocolVersion })
    test.broker.close(test.now)
    expect([client.connack.reasonCode, client.closed]).toEqual([unavailable, true])
  })

  it("[MQTT-3.1.2-22] the Keep Alive begins when the client has its answer", () => {
    const { test, decisions } = undecided()
    const client = test.connect({ clientId: "c", keepAlive: 2, protocolVersion })
    test.pass(10)
    decisions[0]!({ identity: { user: "", source: "anonymous" } })
    test.settle()
    expect(client.connack.reasonCode).toBe(0)
    test.pass(2)
    expect(client.closed).toBe(false)
    test.pass(1)
    expect(client.closed).toBe(true)
  })

  it.each([
    [0x86, 4],
    [0x87, 5],
    [0x88, 3],
    [0x89, 3],
    [0x97, 3],
  ])("a refusal with 0x%s has a word in both versions", (reasonCode, returnCode) => {
    const { test, decisions } = undecided()
    const client = test.connect({ clientId: "c", protocolVersion })
    decisions[0]!({ reasonCode, why: "so" })
    test.settle()
    expect([client.connack.reasonCode, client.closed]).toEqual([protocolVersion === 5 ? reasonCode : returnCode, true])
  })
})
