// What an application's callbacks may do in the middle of a call: throw, end the connection, call back in. A peer decides
// when they run, so nothing of it may leave `receive` as an exception, and nothing may follow an end.

import { describe, expect, it } from "vitest"
import { ContentType } from "../src/bytes/code-points.ts"
import { Misuse } from "../src/bytes/errors.ts"
import { Pause } from "../src/bytes/pause.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { Connection } from "../src/connection/connection.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { CookieKeyRing } from "../src/session/cookie-keys.ts"
import { Pair, received } from "../src/testing/pair.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import {
  type Cast,
  clientCertificate,
  clientOptions,
  provider,
  serverCredential,
  serverOptions,
  start,
  ticketer,
} from "./support.ts"

function pairOf({ client, server }: Cast = {}): Pair {
  return new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client }), start),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server }), start),
    start,
  )
}

const failing = (error: Error) => () => {
  throw error
}

describe("a callback that throws ends the connection, and `receive` returns", () => {
  const errors = [
    ["an Error", new Error("boom")],
    ["a Misuse", new Misuse("boom")],
  ] as const

  it.each(errors)("a verifier: %s", (_, error) => {
    const pair = pairOf({ client: { verifier: { verify: failing(error) } } }).handshake()
    expect(pair.client.connection.failure).toMatchObject({ alert: "internal_error", cause: error })
    expect(pair.server.connection.failure).toMatchObject({ received: "internal_error" })
  })

  it.each(errors)("a credential resolver: %s", (_, error) => {
    const pair = pairOf({ server: { credentials: { resolve: failing(error) } } }).handshake()
    expect(pair.server.connection.failure).toMatchObject({ alert: "internal_error", cause: error })
  })

  it.each(errors)("a padding policy, when the turn's last messages are written: %s", (_, error) => {
    let server: ServerConnection | undefined
    // The tickets.
    const padding = (type: number) =>
      type === ContentType.handshake && server?.info !== undefined ? failing(error)() : 0
    const sessions = { take: () => undefined, put: () => undefined }
    const pair = pairOf({ client: { sessionStore: sessions }, server: { ticketer, padding } })
    server = pair.server.connection
    pair.handshake()
    expect(pair.server.connection.failure).toMatchObject({ alert: "internal_error", cause: error })
  })

  it.each(errors)("a trace sink, at any event that it is given: %s", (_, error) => {
    const sessions = { take: () => undefined, put: () => undefined }
    const cast = (trace: (event: TraceEvent) => void): Cast => ({
      client: { ...clientCertificate.client, sessionStore: sessions },
      server: { ...clientCertificate.server, ticketer, trace },
    })
    let all = 0
    pairOf(cast(() => all++)).handshake()
    expect(all).toBeGreaterThan(30)
    for (let at = 0; at < all; at++) {
      let seen = 0
      const trace = () => {
        if (seen++ === at) throw error
      }
      const pair = pairOf(cast(trace))
      expect(() => pair.handshake(), `event ${at} of ${all}`).not.toThrow()
      expect(pair.server.connection.failure, `event ${at} of ${all}`).toMatchObject({ alert: "internal_error" })
    }
  })

  it("a trace sink that throws from an event on: the peer gets the same alert as when it throws once", () => {
    const run = (throws: (event: number) => boolean): { readonly pair: Pair; readonly seen: number } => {
      let seen = 0
      const trace = () => {
        if (throws(seen++)) throw new Error("boom")
      }
      const pair = pairOf({ server: { trace } }).handshake()
      return { pair, seen }
    }
    const all = run(() => false).seen
    expect(all).toBeGreaterThan(20)
    const heard = ({ pair }: { pair: Pair }) => pair.client.connection.failure?.code
    for (let at = 0; at < all; at++) {
      const once = run((event) => event === at)
      expect(heard(once), `event ${at} of ${all}`).toBeDefined()
      expect(heard(run((event) => event >= at)), `event ${at} of ${all}`).toBe(heard(once))
    }
  })
})

/** As JavaScript lets an application write it: the types refuse it. */
type Untyped = { readonly [Role in "client" | "server"]?: Readonly<Record<string, unknown>> }

describe("a callback that must answer at once, and is async, is told so", () => {
  const cookieKeys = new CookieKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
  const sealer = { seal: cookieKeys.seal.bind(cookieKeys), open: cookieKeys.open.bind(cookieKeys) }
  const plain = {
    code: 0xff01,
    name: "plain",
    compress: (all: Uint8Array) => all,
    decompress: (all: Uint8Array) => all,
  }
  const sessions = { take: () => undefined, put: () => undefined }
  const verifies = (verify: unknown) => ({
    provider: { ...provider, signatures: provider.signatures.map((each) => ({ ...each, verify })) },
  })
  const verifier = clientOptions.verifier!
  const retries = (cookies: unknown, requireCookie: unknown = true) => ({ statelessRetry: { cookies, requireCookie } })
  const cases: readonly (readonly [string, "client" | "server", (how: Late) => Untyped])[] = [
    ["sessionStore.take", "client", (how) => ({ client: { sessionStore: { ...sessions, take: how(undefined) } } })],
    [
      "ticketer.seal",
      "server",
      (how) => ({
        client: { sessionStore: sessions },
        server: { ticketer: { open: () => undefined, seal: how(new Uint8Array(9)) } },
      }),
    ],
    ["cookies.seal", "server", (how) => ({ server: retries({ ...sealer, seal: how(new Uint8Array(9)) }) })],
    ["cookies.open", "server", (how) => ({ server: retries({ ...sealer, open: how(new Uint8Array(9)) }) })],
    ["requireCookie", "server", (how) => ({ server: retries(sealer, how(false)) })],
    [
      "compress of plain",
      "server",
      (how) => ({
        client: { certificateCompression: [plain] },
        server: { certificateCompression: [{ ...plain, compress: how(new Uint8Array(9)) }] },
      }),
    ],
    [
      "decompress of plain",
      "client",
      (how) => ({
        client: { certificateCompression: [{ ...plain, decompress: how(new Uint8Array(9)) }] },
        server: { certificateCompression: [plain] },
      }),
    ],
    ["verifier.leafKey", "client", (how) => ({ client: { verifier: { ...verifier, leafKey: how(undefined) } } })],
    ["verify of the crypto provider", "client", (how) => ({ client: verifies(how(false)) })],
  ]
  type Late = (answer: unknown) => () => unknown
  const late: readonly (readonly [string, Late])[] = [
    ["a promise", (answer) => async () => answer],
    ["a Pause", (answer) => () => new Pause(Promise.resolve(answer))],
  ]

  it.each(cases.flatMap(([name, who, cast]) => late.map(([what, how]) => [name, what, who, cast(how)] as const)))(
    "%s: %s",
    (name, what, who, cast) => {
      const pair = pairOf(cast as Cast).handshake()
      const { failure } = pair[who].connection
      expect(failure).toMatchObject({ alert: "internal_error" })
      expect(failure?.message).toContain(`${name} returned ${what}; it must answer at once`)
    },
  )
})

describe("a callback that destroys its connection", () => {
  const outcomeOf = (connection: Connection, bytes: Uint8Array) => connection.receive(bytes, start)

  it("a resolver of the server: nothing is sent, nothing is thrown, and no key is left", () => {
    let server: ServerConnection | undefined
    const resolve = () => {
      server?.destroy()
      return serverCredential
    }
    const pair = pairOf({ server: { credentials: { resolve } } })
    server = pair.server.connection
    const { output, waitsFor } = outcomeOf(server, pair.client.connection.start().output)
    expect({ output: output.length, waitsFor }).toEqual({ output: 0, waitsFor: "nothing" })
    expect(server.failure?.message).toBe("the connection was destroyed")
    expect(server.info).toBeUndefined()
  })

  it("a trace sink, at any event: the connection is over, and `receive` returns", () => {
    const run = (at: number): { readonly pair: Pair; readonly seen: number } => {
      let seen = 0
      let server: ServerConnection | undefined
      const trace = () => {
        if (server !== undefined && seen++ === at) server.destroy()
      }
      const sessions = { take: () => undefined, put: () => undefined }
      const pair = pairOf({ client: { sessionStore: sessions }, server: { trace, ticketer } })
      server = pair.server.connection
      pair.handshake()
      return { pair, seen }
    }
    const all = run(-1).seen
    for (let at = 0; at < all; at++) {
      const { pair } = run(at)
      expect(pair.server.connection.failure?.message, `event ${at}`).toBe("the connection was destroyed")
      expect(pair.server.events.map(({ type }) => type)).not.toContain("connected")
      const { output, events, waitsFor } = outcomeOf(pair.server.connection, Uint8Array.of(22, 3, 3, 0, 1, 1))
      expect({ output: output.length, events, waitsFor }).toEqual({ output: 0, events: [], waitsFor: "nothing" })
      expect(() => pair.server.connection.send(Uint8Array.of(1))).toThrow(Misuse)
    }
  })
})

describe("a callback that calls its connection", () => {
  it("is told that it may not, and the connection fails as by any other error of a callback", () => {
    let server: ServerConnection | undefined
    const resolve = () => {
      server?.close()
      return serverCredential
    }
    const pair = pairOf({ server: { credentials: { resolve } } })
    server = pair.server.connection
    pair.handshake()
    expect(server.failure).toMatchObject({ alert: "internal_error" })
    expect(server.failure?.cause).toBeInstanceOf(Misuse)
  })

  const calls: Readonly<Record<string, (connection: Connection) => unknown>> = {
    receive: (connection) => connection.receive(Uint8Array.of(21, 3, 3, 0, 2, 2, 40), start),
    receiveEnd: (connection) => connection.receiveEnd(start),
    answer: (connection) => connection.answer(undefined, start),
    abandon: (connection) => connection.abandon("enough", start),
    abort: (connection) => connection.abort("access_denied"),
    tick: (connection) => connection.tick(start + 1_000_000),
    send: (connection) => connection.send(Uint8Array.of(1)),
    sendEarlyData: (connection) => connection.sendEarlyData(new Uint8Array(0)),
    sendHalfRtt: (connection) => connection.sendHalfRtt(new Uint8Array(0)),
    updateKeys: (connection) => connection.updateKeys(),
    close: (connection) => connection.close(),
  }

  it.each(Object.entries(calls))("and bears it: the call has done nothing (%s)", (_, call) => {
    let server: ServerConnection | undefined
    let refused = 0
    const reenter = () => {
      if (server === undefined) return
      expect(() => call(server!)).toThrow(Misuse)
      refused++
    }
    const sessions = { take: () => undefined, put: () => undefined }
    const client = { ...clientCertificate.client, sessionStore: sessions }
    const pair = pairOf({ client, server: { ...clientCertificate.server, ticketer, trace: reenter } })
    server = pair.server.connection
    pair.handshake()
    expect(refused).toBeGreaterThan(20)
    expect(server.failure).toBeUndefined()
    pair.take(pair.client, pair.client.connection.send(Uint8Array.of(1, 2, 3)))
    pair.run()
    expect(received(pair.server)).toEqual(Uint8Array.of(1, 2, 3))
  })
})

describe("a client that is started twice", () => {
  it("is told, and goes on as it was", () => {
    const pair = pairOf()
    const { connection } = pair.client
    pair.take(pair.client, connection.start())
    expect(() => connection.start()).toThrow(/started already/)
    pair.run()
    expect(connection.info).toBeDefined()
  })
})
