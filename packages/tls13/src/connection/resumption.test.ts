// Tickets between connections: single-use ones (RFC 9846 section 8.1), their number (RFC 9149), and what becomes of them
// when the peer's certificates do not hold any more (section 4.7.1).

import { describe, expect, it } from "vitest"
import { always, paused, testCredential, testVerifier } from "../../tests/tools/credentials.ts"
import type { Pause } from "../bytes/pause.ts"
import { createNobleProvider, generateEcKey, publicKeyOf } from "../crypto/noble/index.ts"
import type { ClientOptions, ServerOptions } from "../handshake/options.ts"
import { MemorySessionStore } from "../session/client-store.ts"
import type { ClientSession, ServerSession, Ticketer } from "../session/session.ts"
import { TicketKeyRing } from "../session/ticket-keys.ts"
import { MemoryTicketStore } from "../session/ticket-store.ts"
import { Pair } from "../testing/pair.ts"
import type { CertificateVerdict, CertificateVerification } from "../x509/interfaces.ts"
import { ClientConnection } from "./client-connection.ts"
import { createClientConfig, createServerConfig } from "./config.ts"
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
  const ticketRequest = { newSessionCount: 5, resumptionCount: 1 }

  it("section 3: the server sends what is asked for after a full handshake, and after a resumed one", () => {
    const sessionStore = new MemorySessionStore({ ticketsPerServer: 16 })
    const first = connect({ sessionStore, ticketRequest }, { ticketer })
    expect(tickets(first)).toBe(5)
    const second = connect({ sessionStore, ticketRequest }, { ticketer })
    expect([resumed(second)[0], tickets(second)]).toEqual([true, 1])
  })

  it("section 3: and no more than its own limit", () => {
    const sessionStore = new MemorySessionStore()
    const greedy = { newSessionCount: 255, resumptionCount: 255 }
    expect(tickets(connect({ sessionStore, ticketRequest: greedy }, { ticketer }))).toBe(8)
    expect(tickets(connect({ sessionStore, ticketRequest: greedy }, { ticketer, ticketsOnRequest: 3 }))).toBe(3)
  })

  it("section 1: without it a client gets two, and one in the place of the one that it has used", () => {
    const sessionStore = new MemorySessionStore()
    const first = connect({ sessionStore }, { ticketer })
    const second = connect({ sessionStore }, { ticketer })
    expect([tickets(first), tickets(second), resumed(second)[1]]).toEqual([2, 1, true])
    expect(tickets(connect({ sessionStore }, { ticketer, tickets: 0 }))).toBe(0)
  })

  it("section 3: none when none is asked for", () => {
    const sessionStore = new MemorySessionStore()
    expect(
      tickets(connect({ sessionStore, ticketRequest: { newSessionCount: 0, resumptionCount: 0 } }, { ticketer })),
    ).toBe(0)
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
    expect(() => connect({ ticketRequest: { newSessionCount: 256, resumptionCount: 0 } }, {})).toThrow(/0 to 255/)
  })
})

describe("RFC 9846 4.7.1: sessions and the peer's certificates", () => {
  const ring = () => new TicketKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
  const clientKey = generateEcKey("P-256", provider.random)
  const chain = [Uint8Array.of(0x30, 0)]
  const refusal: CertificateVerdict = {
    accepted: false,
    alert: "certificate_revoked",
    reason: "revoked",
    message: "revoked",
  }

  /** A verifier whose mind can be changed. */
  function verifierOf(privateKey: typeof key, validUntil?: number) {
    const publicKey = publicKeyOf(privateKey)
    const identity = { type: "X509", chain, path: chain, subject: "CN=peer" } as const
    const accepted: CertificateVerdict = {
      accepted: true,
      publicKey,
      identity: validUntil === undefined ? identity : { ...identity, validUntil },
    }
    const asked: CertificateVerification[] = []
    const state: { verdict: CertificateVerdict | Pause<CertificateVerdict> } = { verdict: accepted }
    const verify = (verification: CertificateVerification) => {
      asked.push(verification)
      return state.verdict
    }
    return { verify, asked, state, accepted }
  }

  /** Both sides authenticate by certificate, and the client comes back. */
  function twice(client: Partial<ClientOptions>, server: Partial<ServerOptions>, between: () => void, after = 1000) {
    const sessionStore = new MemorySessionStore()
    const credentials = always(testCredential(clientKey, publicKeyOf(clientKey)))
    const options = { sessionStore, credentials, ...client }
    const first = connect(options, { ticketer: ring(), tickets: 1, ...server })
    between()
    return { first, second: connect(options, { ticketer: ring(), tickets: 1, ...server }, start + after) }
  }

  it("a server that reverifies asks about the stored chain, and knows the client again", () => {
    const verifier = verifierOf(clientKey)
    const ticketer = ring()
    const clientAuthentication = { mode: "require", verifier, reverifyOnResumption: true } as const
    const { second } = twice({}, { ticketer, clientAuthentication }, () => {})
    expect(resumed(second)).toEqual([true, true])
    expect(second.server.connection.info).toMatchObject({
      authentication: "psk",
      peer: { subject: "CN=peer" },
      peerChain: chain,
    })
    expect(verifier.asked).toHaveLength(2)
    expect(verifier.asked[1]).toMatchObject({ role: "client", type: "X509", chain, now: start + 1000 })
  })

  it("a client whose certificate is refused by now makes a full handshake, which is refused", () => {
    const verifier = verifierOf(clientKey)
    const clientAuthentication = { mode: "require", verifier, reverifyOnResumption: true } as const
    const revoke = () => Object.assign(verifier.state, { verdict: refusal })
    const { second } = twice({}, { ticketer: ring(), clientAuthentication }, revoke)
    expect(second.server.connection.failure).toMatchObject({
      kind: "CertificateRejected",
      alert: "certificate_revoked",
    })
  })

  it("a server that does not reverify resumes without asking", () => {
    const verifier = verifierOf(clientKey)
    const clientAuthentication = { mode: "require", verifier } as const
    const revoke = () => Object.assign(verifier.state, { verdict: refusal })
    const { second } = twice({}, { ticketer: ring(), clientAuthentication }, revoke)
    expect(resumed(second)).toEqual([true, true])
    expect(second.server.connection.info?.peer).toBeUndefined()
    expect(verifier.asked).toHaveLength(1)
  })

  it("the server waits for a verdict that takes its time", () => {
    const verifier = verifierOf(clientKey)
    const clientAuthentication = { mode: "require", verifier, reverifyOnResumption: true } as const
    const { second } = twice({}, { ticketer: ring(), clientAuthentication }, () =>
      Object.assign(verifier.state, { verdict: paused() }),
    )
    expect(second.server.connection.info).toBeUndefined()
    second.take(second.server, second.server.connection.answer(verifier.accepted, start + 1000))
    expect(resumed(second.run())).toEqual([true, true])
  })

  it("a client that reverifies offers no session of a server that is refused by now", () => {
    const verifier = verifierOf(key)
    const revoke = () => Object.assign(verifier.state, { verdict: refusal })
    const client = { verifier, reverifyOnResumption: true }
    const { first, second } = twice(client, { ticketer: ring() }, revoke)
    expect(first.client.connection.info).toMatchObject({ authentication: "certificate" })
    expect(second.client.connection.failure).toMatchObject({
      kind: "CertificateRejected",
      alert: "certificate_revoked",
    })
    expect(verifier.asked[1]).toMatchObject({ role: "server", chain, serverName: "server.test", now: start + 1000 })
    // Once for the session, once for the certificate that the server showed instead.
    expect(verifier.asked).toHaveLength(3)
  })

  it("a client that reverifies knows the server again, also when the verdict takes its time", () => {
    const verifier = verifierOf(key)
    const client = { verifier, reverifyOnResumption: true }
    const ticketer = ring()
    const { second } = twice(client, { ticketer }, () => Object.assign(verifier.state, { verdict: paused() }))
    expect(second.server.events).toHaveLength(0)
    second.take(second.client, second.client.connection.answer(verifier.accepted, start + 1000))
    expect(resumed(second.run())).toEqual([true, true])
    expect(second.client.connection.info).toMatchObject({ authentication: "psk", peer: { subject: "CN=peer" } })
  })

  const hour = 3600 * 1000
  it("no ticket outlives the client's certificate", () => {
    const verifier = verifierOf(clientKey, start + hour + 999)
    const clientAuthentication = { mode: "require", verifier } as const
    const ticketer = ring()
    const lifetimes = (pair: Pair) =>
      pair.client.events.flatMap((event) => (event.type === "ticket" ? [event.session.ticketLifetime] : []))
    const { first, second } = twice({}, { ticketer, clientAuthentication }, () => {}, hour)
    expect(lifetimes(first)).toEqual([3600])
    expect(resumed(second)).toEqual([true, true])
    // The resumed session would end in 999 ms: no whole second is left for another ticket.
    expect(lifetimes(second)).toEqual([])
  })

  it("a server resumes no session past the client's certificate, whatever its store gives", () => {
    const validUntil = start + hour
    const verifier = verifierOf(clientKey, validUntil)
    const clientAuthentication = { mode: "require", verifier } as const
    const ticketer = ring()
    const stretched = new MemorySessionStore()
    const sessionStore = {
      take: (name: string, now: number) => stretched.take(name, now),
      put: (name: string, session: ClientSession) => stretched.put(name, { ...session, ticketLifetime: 86_400 }),
    }
    const { second } = twice({ sessionStore }, { ticketer, clientAuthentication }, () => {}, hour + 1)
    expect(resumed(second)).toEqual([false, false])
  })

  it("a client resumes no session past the server's certificate", () => {
    for (const [after, resumes] of [
      [hour, true],
      [hour + 1, false],
    ] as const) {
      const verifier = verifierOf(key, start + hour)
      const { second } = twice({ verifier }, { ticketer: ring(), ticketLifetime: 86_400 }, () => {}, after)
      expect(resumed(second)).toEqual([resumes, resumes])
    }
  })

  it("a resumed session keeps the bound of the first", () => {
    const verifier = verifierOf(key, start + hour)
    const sessionStore = new MemorySessionStore()
    const server = { ticketer: ring(), tickets: 1, ticketLifetime: 86_400 }
    const client = { sessionStore, verifier }
    connect(client, server)
    expect(resumed(connect(client, server, start + hour - 1))).toEqual([true, true])
    expect(resumed(connect(client, server, start + hour + 1))).toEqual([false, false])
  })
})
