import { describe, expect, it } from "vitest"
import { createNobleProvider } from "../crypto/noble/index.ts"
import type { ServerSession } from "./session.ts"
import { MemoryTicketStore } from "./ticket-store.ts"

const { random } = createNobleProvider()
const start = 1_800_000_000_000

const session: ServerSession = {
  cipherSuite: 0x1301,
  psk: new Uint8Array(32).fill(7),
  issuedAt: start,
  authenticatedAt: start,
  ticketLifetime: 7200,
  ticketAgeAdd: 1,
  maxEarlyDataSize: 0,
  alpnProtocol: "mqtt",
  serverName: "server.test",
  peerChain: [],
  partition: "",
}

describe("stateful tickets (RFC 9846 section 8.1)", () => {
  it("a ticket opens once, to the session that it was made for", () => {
    const store = new MemoryTicketStore({ random })
    const [ticket, other] = [store.seal(session, start), store.seal({ ...session, ticketAgeAdd: 2 }, start)]
    expect(store.open(ticket!, start)).toEqual(session)
    expect(store.open(ticket!, start)).toBeUndefined()
    expect(store.open(other!, start)?.ticketAgeAdd).toBe(2)
    expect([store.size, store.bytes]).toEqual([0, 0])
  })

  it("a ticket of another store, or a changed one, is unknown", () => {
    const store = new MemoryTicketStore({ random })
    const ticket = store.seal(session, start)!
    for (let i = 0; i < ticket.length; i++) {
      const changed = ticket.slice()
      changed[i]! ^= 1
      expect(store.open(changed, start)).toBeUndefined()
    }
    expect(store.open(ticket.subarray(0, 31), start)).toBeUndefined()
    expect(new MemoryTicketStore({ random }).open(ticket, start)).toBeUndefined()
    expect(store.open(ticket, start)).toBeDefined()
  })

  it("RFC 9846 4.7.1: no ticket outlives its ticket_lifetime", () => {
    const store = new MemoryTicketStore({ random })
    const tickets = [store.seal(session, start)!, store.seal(session, start)!]
    expect(store.open(tickets[0]!, start + 7200 * 1000)).toBeDefined()
    expect(store.open(tickets[1]!, start + 7200 * 1000 + 1)).toBeUndefined()
  })

  it("drops the expired and then the oldest sessions rather than pass its bound", () => {
    const store = new MemoryTicketStore({ random, maxBytes: 100_000 })
    const tickets = Array.from({ length: 10_000 }, () => store.seal(session, start)!)
    expect(store.bytes).toBeLessThanOrEqual(100_000)
    expect(store.bytes + store.bytes / store.size).toBeGreaterThan(100_000)
    const kept = tickets.filter((ticket) => store.open(ticket, start) !== undefined)
    expect(kept).toEqual(tickets.slice(-kept.length))

    store.seal(session, start)
    store.seal(session, start + 7200 * 1000 + 1)
    expect(store.size).toBe(1)
  })

  it("counts client certificates too, and gives no ticket for a session larger than all of it", () => {
    const store = new MemoryTicketStore({ random, maxBytes: 2000 })
    expect(store.seal({ ...session, peerChain: [new Uint8Array(1000)] }, start)).toBeDefined()
    expect(store.bytes).toBeGreaterThan(1400)
    expect(store.seal({ ...session, peerChain: [new Uint8Array(2000)] }, start)).toBeUndefined()
    expect(store.size).toBe(1)
  })
})
