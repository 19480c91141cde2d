import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { describe, expect, it } from "vitest"
import { makeIdentities } from "./identities.ts"
import { nodeHandshakes } from "./node-handshakes.ts"
import { ourHandshakes } from "./our-handshakes.ts"
import { nodeHash, nodeRecords, ourHash, ourRecords } from "./records.ts"
import { handshakeScenarios } from "./scenarios.ts"
import { withPostQuantum } from "./subjects.ts"
import { type PrimitiveTime, shareOutside, timedProvider } from "./timed-provider.ts"
import { type HandshakeWork, parseWork, type RecordWork, usualHandshake } from "./work.ts"

const fast = createFastProvider()

describe("handshakes in memory are what they are called", () => {
  // Each operation looks itself whether it was resumed, retried, mutual, of this group, and so on, and throws if not.
  it.each([...handshakeScenarios, "resumed,hrr", "0-rtt,mtls"])("%s, ours", async (name) => {
    const work = parseWork(name) as HandshakeWork
    const once = ourHandshakes(work, await withPostQuantum(fast, work), makeIdentities(work))
    for (let i = 0; i < 2; i++) once()
  })

  it.each(["full", "resumed", "full,hrr", "full,mtls", "full,chain=4"])("%s, node:tls", async (name) => {
    const work = parseWork(name) as HandshakeWork
    const once = await nodeHandshakes(work, makeIdentities(work))
    for (let i = 0; i < 2; i++) await once()
  })

  it("one that does not do what its name says is refused", () => {
    const identities = makeIdentities(usualHandshake)
    const wrong = { ...identities, ca: makeIdentities(usualHandshake).ca }
    expect(() => ourHandshakes(usualHandshake, fast, wrong)()).toThrow(/the handshake failed/)
  })

  it("node:tls has no 0-RTT, and says so as an absent subject", async () => {
    const work = parseWork("0-rtt") as HandshakeWork
    await expect(nodeHandshakes(work, makeIdentities(work))).rejects.toThrow("node:tls has no 0-RTT")
  })
})

describe("records and digests", () => {
  it.each(["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"])("%s", (suite) => {
    for (const type of ["seal", "open"] as const) {
      const work: RecordWork = { type, suite, bytes: 64 }
      for (const once of [ourRecords(work, fast), nodeRecords(work)]) for (let i = 0; i < 300; i++) once()
    }
    for (const once of [ourHash, nodeHash]) once({ type: "hash", hash: "sha384", bytes: 64 }, fast)()
  })
})

describe("a provider whose calls are timed", () => {
  it("does the same, and each outermost call is counted", () => {
    const tally: PrimitiveTime = { calls: 0, time: 0 }
    const timed = timedProvider(fast, tally)
    const once = ourHandshakes(usualHandshake, timed, makeIdentities(usualHandshake))
    // The first one also makes a ticket key.
    once()
    tally.calls = 0
    once()
    const first = tally.calls
    once()
    // Two key exchanges, a signature and its check, that of the certificate, and everything symmetric.
    expect(first).toBeGreaterThan(50)
    expect(tally.calls).toBe(2 * first)
    expect(tally.time).toBeGreaterThan(0)
  })

  it("the cost of timing is taken out of both what is timed and the whole", () => {
    const tally = { calls: 100, time: 6 }
    // Of 10 ms, 2 are the timing's; of those, 1 within what was timed: 5 of 8 are primitives.
    expect(shareOutside(10, tally, { within: 0.01, whole: 0.02 })).toBeCloseTo(3 / 8)
    expect(shareOutside(10, { calls: 0, time: 0 }, { within: 1, whole: 1 })).toBe(1)
  })
})
