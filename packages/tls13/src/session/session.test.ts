import { describe, expect, it } from "vitest"
import { createNobleProvider } from "../crypto/noble/index.ts"
import { MemorySessionStore } from "./client-store.ts"
import { MemoryReplayGuard } from "./replay-guard.ts"
import type { ClientSession, ServerSession } from "./session.ts"
import { TicketKeyRing } from "./ticket-keys.ts"

const provider = createNobleProvider()
const aead = provider.cipherSuites[0]!.aead
const hour = 3600 * 1000
const start = 1_800_000_000_000

const session: ServerSession = {
  cipherSuite: 0x1301,
  psk: new Uint8Array(32).fill(7),
  issuedAt: start,
  authenticatedAt: start - 1,
  ticketLifetime: 7200,
  ticketAgeAdd: 0xfffffffe,
  maxEarlyDataSize: 4096,
  alpnProtocol: "mqtt",
  serverName: "server.test",
  peerChain: [Uint8Array.of(1, 2, 3), Uint8Array.of(4)],
  partition: "strict é",
}
const bare: ServerSession = { ...session, alpnProtocol: undefined, serverName: undefined, peerChain: [], partition: "" }

const ring = (keys: TicketKeyRing["keys"] = []) => new TicketKeyRing({ aead, random: provider.random, keys })

describe("stateless tickets (RFC 9846 section 4.7.1)", () => {
  it("a ticket opens to the session that it was sealed from", () => {
    const keys = ring()
    expect(keys.open(keys.seal(session, start), start)).toEqual(session)
    expect(keys.open(keys.seal(bare, start), start)).toEqual(bare)
  })

  it("a ticket that was changed in any byte, or cut, is unknown", () => {
    const keys = ring()
    const ticket = keys.seal(session, start)
    for (let i = 0; i < ticket.length; i++) {
      const changed = ticket.slice()
      changed[i]! ^= 1
      expect(keys.open(changed, start)).toBeUndefined()
      expect(keys.open(ticket.subarray(0, i), start)).toBeUndefined()
    }
  })

  it("keys rotate: a new one seals after 12 hours, the old one opens for 12 more", () => {
    const keys = ring()
    const ticket = keys.seal(session, start)
    keys.seal(session, start + 12 * hour - 1)
    expect(keys.keys).toHaveLength(1)
    keys.seal(session, start + 12 * hour)
    expect(keys.keys).toHaveLength(2)
    expect(keys.open(ticket, start + 24 * hour - 1)).toEqual(session)
    expect(keys.open(ticket, start + 24 * hour)).toBeUndefined()
    expect(keys.keys).toHaveLength(1)
  })

  it("servers that share their keys open each other's tickets", () => {
    const one = ring()
    const ticket = one.seal(session, start)
    expect(ring().open(ticket, start)).toBeUndefined()
    expect(ring(one.keys).open(ticket, start)).toEqual(session)
  })

  it("refuses a shared key of a wrong length", () => {
    expect(() => ring([{ name: new Uint8Array(16), key: new Uint8Array(5), createdAt: start }])).toThrow(RangeError)
  })
})

describe("a client's sessions", () => {
  const at = (issuedAt: number): ClientSession => ({ ...session, issuedAt, ticket: Uint8Array.of(issuedAt % 256) })

  it("RFC 9846 appendix C.4: gives each ticket once, the newest first", () => {
    const store = new MemorySessionStore()
    store.put("a", at(start))
    store.put("a", at(start + 1))
    expect(store.take("a", start + 2)?.issuedAt).toBe(start + 1)
    expect(store.take("a", start + 2)?.issuedAt).toBe(start)
    expect(store.take("a", start + 2)).toBeUndefined()
  })

  // Requirement 4.3.11.1-1
  it("RFC 9846 section 4.3.11.1: gives none that is older than its ticket_lifetime", () => {
    const store = new MemorySessionStore()
    store.put("a", at(start))
    expect(store.take("a", start + 7200 * 1000 + 1)).toBeUndefined()
    store.put("a", at(start))
    expect(store.take("a", start + 7200 * 1000)).toBeDefined()
  })

  it("keeps so many servers and tickets, and no more", () => {
    const store = new MemorySessionStore({ servers: 2, ticketsPerServer: 1 })
    for (const key of ["a", "b", "b", "c"]) store.put(key, at(start))
    expect(["a", "b", "b", "c"].map((key) => store.take(key, start) !== undefined)).toEqual([false, true, false, true])
  })
})

describe("the replay guard (RFC 9846 section 8.2)", () => {
  const key = (n: number) => Uint8Array.of(n >>> 24, n >>> 16, n >>> 8, n, ...new Uint8Array(28))

  it("lets a ClientHello through once, until it has expired", () => {
    const guard = new MemoryReplayGuard()
    expect(guard.take(key(1), start + 10, start)).toBe(true)
    expect(guard.take(key(1), start + 10, start + 9)).toBe(false)
    expect(guard.take(key(1), start + 20, start + 10)).toBe(true)
  })

  it("refuses early data rather than forget an entry that still counts", () => {
    const guard = new MemoryReplayGuard({ entries: 1000 })
    let taken = 0
    for (let n = 0; n < 100_000; n++) if (guard.take(key(n), start + 10, start)) taken++
    expect([taken, guard.size]).toEqual([1000, 1000])
    expect(guard.take(key(100_001), start + 20, start + 10)).toBe(true)
    expect(guard.size).toBe(1)
  })
})
