// What an application's callbacks may do in the middle of a call: throw, end the connection, call back in. A peer decides
// when they run, so nothing of it may leave `receive` as an exception, and nothing may follow an end.

import { describe, expect, it } from "vitest"
import { ContentType } from "../src/bytes/code-points.ts"
import { Misuse } from "../src/bytes/errors.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { Connection } from "../src/connection/connection.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { Pair } from "../src/testing/pair.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import {
  type Cast,
  clientCertificate,
  clientOptions,
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
})
