// The bytes of buffers that a connection keeps, stage by stage, against the budget that docs/limits.md states.

import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ContentType, HandshakeType } from "../src/bytes/code-points.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import {
  type ClientOptions,
  createClientConfig,
  createServerConfig,
  type ServerOptions,
} from "../src/connection/config.ts"
import type { Connection } from "../src/connection/connection.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { CookieKeyRing } from "../src/session/cookie-keys.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import { MemoryTicketStore } from "../src/session/ticket-store.ts"
import { paused } from "../src/testing/credentials.ts"
import { Pair } from "../src/testing/pair.ts"
import { RetainedBuffers } from "../src/testing/retained.ts"
import { memoryBudget } from "./memory-budget.ts"
import {
  clientCertificate,
  clientOptions,
  provider,
  serverCredential,
  serverOptions,
  sessionFor,
  start,
} from "./support.ts"

/** Connections of which the mean is taken, so that a buffer that several share is seen. */
const sample = 8
let buffers: RetainedBuffers

beforeAll(() => {
  buffers = new RetainedBuffers()
})
afterAll(() => buffers.stop())

/** Bytes that each of the connections keeps. */
async function kept(make: () => Connection): Promise<number> {
  const first = make()
  const before = await buffers.bytes()
  const connections = Array.from({ length: sample }, make)
  const after = await buffers.bytes()
  expect(new Set([first, ...connections]).size).toBe(sample + 1)
  return (after - before) / sample
}

interface Cast {
  readonly client?: Partial<ClientOptions>
  readonly server?: Partial<ServerOptions>
}

function castOf({ client, server }: Cast = {}) {
  const clientConfig = createClientConfig({ ...clientOptions, ...client })
  const serverConfig = createServerConfig({ ...serverOptions, ...server })
  return () => ({
    client: new ClientConnection(clientConfig, start),
    server: new ServerConnection(serverConfig, start),
  })
}

/** Makes connected ends, of which the caller keeps one. */
function connectedEnds(cast?: Cast) {
  const make = castOf(cast)
  return () => {
    const { client, server } = make()
    new Pair(client, server, start).handshake()
    expect([client.info, server.info]).not.toContain(undefined)
    return { client, server }
  }
}

/** A server that has read a ClientHello, and no more. */
function greeted(cast?: Cast) {
  const make = castOf(cast)
  return () => {
    const { client, server } = make()
    server.receive(client.start().output, start)
    expect([server.failure, server.info]).toEqual([undefined, undefined])
    return server
  }
}

describe("buffers that a connection keeps", () => {
  const within = async (stage: keyof typeof memoryBudget, make: () => Connection) => {
    const bytes = await kept(make)
    expect(bytes).toBeLessThanOrEqual(memoryBudget[stage].bytes)
    // A budget that is far off says nothing.
    if (memoryBudget[stage].bytes > 32) expect(bytes).toBeGreaterThan(memoryBudget[stage].bytes / 4)
  }
  const ends = connectedEnds()

  it(memoryBudget.idleServer.stage, () => within("idleServer", () => ends().server))
  it(memoryBudget.idleClient.stage, () => within("idleClient", () => ends().client))

  it("the peer's certificates come on top, once", async () => {
    const chain = new Uint8Array(5000)
    const credentials = { resolve: () => ({ ...serverCredential, chain: [chain] }) }
    const withChain = connectedEnds({ server: { credentials } })
    const bytes = await kept(() => withChain().client)
    expect(bytes).toBeLessThanOrEqual(memoryBudget.idleClient.bytes + chain.length)
  })

  it(memoryBudget.askable.stage, () => {
    const verifier = clientCertificate.server.clientAuthentication.verifier
    const server = { clientAuthentication: { mode: "post-handshake", verifier } } as const
    const askable = connectedEnds({ client: { postHandshakeAuth: true }, server })
    return within("askable", () => askable().server)
  })

  it(memoryBudget.offered.stage, () => {
    const make = castOf()
    return within("offered", () => {
      const { client } = make()
      client.start()
      return client
    })
  })

  it(memoryBudget.flightSent.stage, () => within("flightSent", greeted()))

  it(memoryBudget.signing.stage, () => {
    const signer = { sign: () => paused<Uint8Array>() }
    const credentials = { resolve: () => ({ ...serverCredential, signer }) }
    return within("signing", greeted({ server: { credentials } }))
  })

  const otherGroup = { client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } }
  it(memoryBudget.retried.stage, () => within("retried", greeted(otherGroup)))

  it(`${memoryBudget.retriedStatelessly.stage} (RFC 9846 4.3.2)`, () => {
    const cookies = new CookieKeyRing({ aead: provider.cipherSuites[0]!.aead, random: provider.random })
    const server = { ...otherGroup.server, statelessRetry: { cookies } }
    return within("retriedStatelessly", greeted({ ...otherGroup, server }))
  })

  it(memoryBudget.unfinishedRecord.stage, () => {
    const record = new Uint8Array(5 + 16_640 - 1)
    record.set([ContentType.application_data, 3, 3, 16_640 >>> 8, 16_640 & 0xff])
    return within("unfinishedRecord", () => {
      const { server } = ends()
      for (let at = 0; at < record.length; at += 100) server.receive(record.slice(at, at + 100), start)
      expect(server.failure).toBeUndefined()
      return server
    })
  })

  it(memoryBudget.unfinishedMessage.stage, () => {
    const make = castOf()
    const length = 65_536
    const message = new Uint8Array(4 + length - 1)
    message.set([HandshakeType.client_hello, length >>> 16, length >>> 8, length])
    return within("unfinishedMessage", () => {
      const { server } = make()
      for (let at = 0; at < message.length; at += 1000) {
        const part = message.subarray(at, at + 1000)
        server.receive(Uint8Array.of(ContentType.handshake, 3, 1, part.length >>> 8, part.length, ...part), start)
      }
      expect(server.failure).toBeUndefined()
      return server
    })
  })

  it(memoryBudget.heldInput.stage, () => {
    const credentials = { resolve: () => paused<typeof serverCredential | undefined>() }
    const waiting = greeted({ server: { credentials } })
    return within("heldInput", () => {
      const server = waiting()
      for (let i = 0; i < 64; i++) server.receive(new Uint8Array(1024), start)
      expect(server.failure).toBeUndefined()
      return server
    })
  })

  it(memoryBudget.failed.stage, () => {
    const credentials = { resolve: () => paused<typeof serverCredential | undefined>() }
    const waiting = greeted({ server: { credentials } })
    return within("failed", () => {
      const server = waiting()
      for (let i = 0; i < 65; i++) server.receive(new Uint8Array(1024), start)
      expect(server.failure).toMatchObject({ limit: "bufferedInput" })
      return server
    })
  })
})

describe("a flood within the limits", () => {
  it("of data, empty records and key updates leaves nothing behind", async () => {
    const ends = connectedEnds()
    const bytes = await kept(() => {
      const { client, server } = ends()
      for (let round = 0; round < 50; round++) {
        for (let i = 0; i < 30; i++) server.receive(client.send(new Uint8Array(0)).output, start)
        client.receive(server.receive(client.updateKeys("update_requested").output, start).output, start)
        server.receive(client.send(new Uint8Array(1000)).output, start)
        client.receive(server.send(new Uint8Array(1)).output, start)
      }
      expect([client.failure, server.failure]).toEqual([undefined, undefined])
      return server
    })
    expect(bytes).toBeLessThanOrEqual(memoryBudget.flooded.bytes)
  })
})

describe("stores that 100,000 clients fill", () => {
  const clients = 100_000
  const megabyte = 1e6

  /** All memory of the process: a map's entries are no buffers. Within a megabyte, as other things come and go. */
  async function used(): Promise<number> {
    await buffers.bytes()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  beforeAll(() => buffers.stop())

  it("RFC 9846 8.1: MemoryTicketStore keeps to its bytes", async () => {
    const session = { ...sessionFor(), maxEarlyDataSize: 1000 }
    const before = await used()
    const store = new MemoryTicketStore({ random: provider.random })
    for (let i = 0; i < clients; i++) store.seal(session, start)
    expect(store.bytes).toBeLessThanOrEqual(16 * 1024 * 1024)
    expect((await used()) - before).toBeLessThan(store.bytes + megabyte)
    expect(store.size).toBeGreaterThan(30_000)
  })

  it("RFC 9846 8.2: MemoryReplayGuard keeps to its entries, and refuses 0-RTT rather than forget one", async () => {
    const before = await used()
    const guard = new MemoryReplayGuard()
    let taken = 0
    for (let i = 0; i < clients; i++) if (guard.take(provider.random(32), start + 10_000, start)) taken++
    expect([taken, guard.size]).toEqual([65_536, 65_536])
    expect((await used()) - before).toBeLessThan(6 * megabyte + megabyte)
  })
})
