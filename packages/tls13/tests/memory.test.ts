// The bytes of buffers that a connection keeps, stage by stage, against the budget that docs/limits.md states.

import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { ContentType, ExtensionType, HandshakeType } from "../src/bytes/code-points.ts"
import { concatBytes } from "../src/bytes/concat.ts"
import { copyOf } from "../src/bytes/copy.ts"
import { Writer } from "../src/bytes/writer.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type { Connection } from "../src/connection/connection.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { CookieKeyRing } from "../src/session/cookie-keys.ts"
import { MemoryReplayGuard } from "../src/session/replay-guard.ts"
import { MemoryTicketStore } from "../src/session/ticket-store.ts"
import { Pair } from "../src/testing/pair.ts"
import { memoryBudget } from "./memory-budget.ts"
import {
  clientCertificate,
  clientOptions,
  longestHello,
  provider,
  serverCredential,
  serverOptions,
  sessionFor,
  start,
} from "./support.ts"
import { paused } from "./tools/credentials.ts"
import { editClientHello, setExtension } from "./tools/edit.ts"
import { RetainedBuffers } from "./tools/retained.ts"

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

/** A server that has read a ClientHello that was made longer. */
function greetedAtLength({ client, server }: Ends, lengthen: (message: Uint8Array) => Uint8Array): ServerConnection {
  sendMessage(server, lengthen(handshakeOf(client.start().output)))
  return server
}

/** In the clear. @returns what the server answers */
function sendMessage(server: ServerConnection, message: Uint8Array): Uint8Array {
  const answers: Uint8Array[] = []
  for (let at = 0; at < message.length; at += 16_384) {
    const part = message.subarray(at, at + 16_384)
    const record = Uint8Array.of(ContentType.handshake, 3, 1, part.length >>> 8, part.length, ...part)
    answers.push(server.receive(record, start).output)
  }
  expect([server.failure, server.info]).toEqual([undefined, undefined])
  return concatBytes(...answers)
}

interface Ends {
  readonly client: ClientConnection
  readonly server: ServerConnection
}

/** The content of a flight's first handshake record. */
function handshakeOf(flight: Uint8Array): Uint8Array {
  const length = (flight[3]! << 8) | flight[4]!
  return flight[0] === ContentType.handshake
    ? copyOf(flight.subarray(5, 5 + length))
    : handshakeOf(flight.subarray(5 + length))
}

/** Nobody has these groups. */
function helloOfShares(message: Uint8Array): Uint8Array {
  return editClientHello(message, ({ extensions }) => {
    const [groups, shares] = [new Writer(), new Writer()]
    for (let group = 0x3000; group < 0x3000 + 9000; group++) {
      groups.uint16(group)
      shares.uint16(group).vector16(Uint8Array.of(1))
    }
    const own = (name: "supported_groups" | "key_share") =>
      extensions.find(({ type }) => type === ExtensionType[name])!.data.subarray(2)
    const [ownGroups, ownShares] = [own("supported_groups"), own("key_share")]
    setExtension(extensions, "supported_groups", new Writer().vector16(groups.bytes(ownGroups).finish()).finish())
    setExtension(extensions, "key_share", new Writer().vector16(shares.bytes(ownShares).finish()).finish())
  })
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
    const length = 131_396
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

  it(`${memoryBudget.flightSent.stage}, however long the ClientHello`, () => {
    const make = castOf()
    return within("flightSent", () => greetedAtLength(make(), longestHello))
  })

  it(`${memoryBudget.retried.stage}, the longest: its bytes and no more`, async () => {
    const make = castOf(otherGroup)
    const bytes = await kept(() => greetedAtLength(make(), longestHello))
    expect(bytes).toBeLessThanOrEqual(131_400 + memoryBudget.retried.bytes)
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

  const undecided = { credentials: { resolve: () => paused<typeof serverCredential | undefined>() } }
  const sends = (server: ServerConnection) => {
    for (let i = 0; i < 64; i++) server.receive(new Uint8Array(1024), start)
    expect(server.failure).toBeUndefined()
    return server
  }

  it(memoryBudget.heldAfterHello.stage, () => {
    const make = castOf({ server: undecided })
    return within("heldAfterHello", () => sends(greetedAtLength(make(), longestHello)))
  })

  it(`${memoryBudget.heldAfterRetry.stage} after a HelloRetryRequest`, () => {
    const make = castOf({ ...otherGroup, server: { ...otherGroup.server, ...undecided } })
    return within("heldAfterRetry", () => {
      const { client, server } = make()
      const first = longestHello(handshakeOf(client.start().output))
      const retry = sendMessage(server, first)
      sendMessage(server, longestHello(handshakeOf(client.receive(retry, start).output)))
      return sends(server)
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

/** All memory of the process: a map's entries are no buffers. Within a megabyte, as other things come and go. */
async function used(): Promise<number> {
  await buffers.bytes()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

describe("all that is kept", () => {
  beforeAll(() => buffers.stop())

  it("of ten thousand key shares nothing stays with a server that awaits the client", async () => {
    const heap = async (make: () => Connection): Promise<number> => {
      const kept = [make()]
      const before = await used()
      for (let i = 0; i < 20; i++) kept.push(make())
      const after = await used()
      expect(kept).toHaveLength(21)
      return (after - before) / 20
    }
    // Decoded, such a message is 1.6 MB of objects.
    const flight = castOf()
    expect(await heap(() => greetedAtLength(flight(), helloOfShares))).toBeLessThan(200_000)
    const retry = castOf({ client: { groups: ["x25519", "secp256r1"] }, server: { groups: ["secp256r1"] } })
    expect(await heap(() => greetedAtLength(retry(), helloOfShares))).toBeLessThan(200_000)
  })
})

describe("stores that 100,000 clients fill", () => {
  const clients = 100_000
  const megabyte = 1e6

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
