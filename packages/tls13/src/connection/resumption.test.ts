// Tickets between connections: single-use ones (RFC 9846 section 8.1), their number (RFC 9149).

import { describe, expect, it } from "vitest"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import type { ServerSession, Ticketer } from "../session/session.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { MemoryTicketStore } from "../session/ticket-store.ts"
import { always, paused, testCredential, testVerifier } from "../testing/credentials.ts"
import { Pair } from "../testing/pair.ts"
import { ClientConnection } from "./client-connection.ts"
import { type ClientOptions, createClientConfig, createServerConfig, type ServerOptions } from "./config.ts"
import { ServerConnection } from "./server-connection.ts"

const provider = createNobleProvider()
const key = generateEcKey("P-256", provider.random)
const start = 1_800_000_000_000

function connect(client: Partial<ClientOptions>, server: Partial<ServerOptions>, now = start): Pair {
  const clientConfig = createClientConfig({
    provider,
    serverName: "server.test",
    verifier: testVerifier(publicKeyOf(key)),
    ...client,
  })
  const credentials = always(testCredential(key, publicKeyOf(key)))
  const serverConfig = createServerConfig({ provider, credentials, ...server })
  return new Pair(new ClientConnection(clientConfig, now), new ServerConnection(serverConfig, now), now).handshake()
}

const tickets = (pair: Pair) => pair.client.events.filter(({ type }) => type === "ticket").length
const resumed = (pair: Pair) => [pair.client.connection.info?.resumed, pair.server.connection.info?.resumed]

describe("single-use tickets (RFC 9846 section 8.1)", () => {
  it("resume once", () => {
    const ticketer = new MemoryTicketStore({ random: provider.random })
    const sessionStore = new MemorySessionStore()
    connect({ sessionStore }, { ticketer, tickets: 1 })
    const session = sessionStore.take("server.test", start)!
    const again = () => connect({ sessionStore: { take: () => session, put: () => {} } }, { ticketer, tickets: 0 })
    expect(resumed(again())).toEqual([true, true])
    expect(ticketer.size).toBe(0)
    expect(resumed(again())).toEqual([false, false])
  })

  it("RFC 9846 4.2.4: are opened once, also when a HelloRetryRequest asks for the ClientHello again", () => {
    const ticketer = new MemoryTicketStore({ random: provider.random })
    const sessionStore = new MemorySessionStore()
    connect({ sessionStore }, { ticketer, tickets: 1 })
    const second = connect({ sessionStore }, { ticketer, tickets: 0, groups: ["secp256r1"] })
    expect(resumed(second)).toEqual([true, true])
    expect(second.client.connection.info).toMatchObject({ helloRetryRequest: true, group: "secp256r1" })
  })

  it("may be kept elsewhere: the connection waits for the answer", () => {
    const memory = new MemoryTicketStore({ random: provider.random })
    const sessionStore = new MemorySessionStore()
    connect({ sessionStore }, { ticketer: memory, tickets: 1 })
    let asked: Uint8Array | undefined
    const ticketer: Ticketer = {
      seal: () => undefined,
      open(ticket) {
        asked = ticket.slice()
        return paused<ServerSession | undefined>()
      },
    }
    const second = connect({ sessionStore }, { ticketer })
    expect(second.server.connection.info).toBeUndefined()
    second.take(second.server, second.server.connection.answer(memory.open(asked!, start), start))
    expect(resumed(second.run())).toEqual([true, true])
  })
})

describe("ticket_request (RFC 9149)", () => {
  const ticketer = new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
  const ticketRequest = { newSession: 5, resumption: 1 }

  it("section 3: the server sends what is asked for after a full handshake, and after a resumed one", () => {
    const sessionStore = new MemorySessionStore({ ticketsPerServer: 16 })
    const first = connect({ sessionStore, ticketRequest }, { ticketer })
    expect(tickets(first)).toBe(5)
    const second = connect({ sessionStore, ticketRequest }, { ticketer })
    expect([resumed(second)[0], tickets(second)]).toEqual([true, 1])
  })

  it("section 3: and no more than its own limit", () => {
    const sessionStore = new MemorySessionStore()
    const greedy = { newSession: 255, resumption: 255 }
    expect(tickets(connect({ sessionStore, ticketRequest: greedy }, { ticketer }))).toBe(8)
    expect(tickets(connect({ sessionStore, ticketRequest: greedy }, { ticketer, ticketsOnRequest: 3 }))).toBe(3)
  })

  it("section 3: none when none is asked for", () => {
    const sessionStore = new MemorySessionStore()
    expect(tickets(connect({ sessionStore, ticketRequest: { newSession: 0, resumption: 0 } }, { ticketer }))).toBe(0)
  })

  it("without the extension the server sends as many as it is told to", () => {
    expect(tickets(connect({ sessionStore: new MemorySessionStore() }, { ticketer, tickets: 3 }))).toBe(3)
  })

  it("section 3: a server without tickets leaves the request unanswered", () => {
    const pair = connect({ sessionStore: new MemorySessionStore(), ticketRequest }, {})
    expect(pair.client.connection.info?.resumed).toBe(false)
    expect(tickets(pair)).toBe(0)
  })

  it("refuses counts that do not fit a byte", () => {
    expect(() => connect({ ticketRequest: { newSession: 256, resumption: 0 } }, {})).toThrow(/0 to 255/)
  })
})
