// A resumed connection is with whom the first one was, and with nobody when that was nobody: RFC 9846 sections 2.2 and 4.7.1.
// And a session ends with what it stood on: an external PSK that was taken away, a verifier that is another one now.

import { once } from "node:events"
import { afterEach, describe, expect, it } from "vitest"
import { connect } from "../src/adapters/node/connect.ts"
import { createServer, type Server, type TlsServerOptions } from "../src/adapters/node/server.ts"
import type { TLSSocket } from "../src/adapters/node/tls-socket.ts"
import { utf8ToBytes } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import { acceptAnyCertificate } from "../src/dangerous/index.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import type { ClientOptions, ServerOptions } from "../src/handshake/options.ts"
import { MemorySessionStore } from "../src/session/client-store.ts"
import { MemoryPskStore } from "../src/session/psk-store.ts"
import type { ExternalPsk } from "../src/session/session.ts"
import { MemoryTicketStore } from "../src/session/ticket-store.ts"
import { Pair } from "../src/testing/pair.ts"
import { trustStoreFromPem } from "../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../src/x509/path/verifier.ts"
import { clientOptions, provider, serverOptions, start, ticketer } from "./support.ts"
import { portOf } from "./tools/sockets.ts"

function pairOf(client: Partial<ClientOptions>, server: Partial<ServerOptions>, now: number = start): Pair {
  return new Pair(
    new ClientConnection(createClientConfig({ ...clientOptions, ...client }), now),
    new ServerConnection(createServerConfig({ ...serverOptions, ...server }), now),
    now,
  ).handshake()
}

const device: ExternalPsk = {
  identity: utf8ToBytes("device-7"),
  key: new Uint8Array(32).fill(7),
  hash: "sha256",
  kind: "external",
}

describe("who a resumed client is", () => {
  it("nobody, when it was nobody in the first connection", () => {
    const sessionStore = new MemorySessionStore()
    pairOf({ sessionStore }, { ticketer })
    const { client, server } = pairOf({ sessionStore }, { ticketer })
    expect(server.connection.info).toMatchObject({ resumed: true, authentication: "none" })
    expect(client.connection.info).toMatchObject({ resumed: true, authentication: "psk" })
  })

  it.each([
    ["a self-encrypted ticket", () => ticketer],
    ["a ticket of a store", () => new MemoryTicketStore({ random: provider.random })],
  ])("the holder of the external PSK of the first connection: %s", (_, make) => {
    const sessionStore = new MemorySessionStore()
    const externalPsks = new MemoryPskStore([device])
    const server = { ticketer: make(), externalPsks }
    for (let time = 0; time < 3; time++) {
      const pair = pairOf({ sessionStore, externalPsks: [device] }, server, start + time)
      const who = { resumed: time > 0, authentication: "psk", pskIdentity: device.identity }
      expect([pair.client.connection.info, pair.server.connection.info]).toMatchObject([who, who])
    }
  })

  it("not authorized for the Node adapter, when it showed nothing in the first connection", async () => {
    const port = await serve({})
    const sessionStore = new MemorySessionStore()
    const { peers } = served[0]!
    for (const resumed of [false, true]) {
      const socket = await secured(connect({ port, ca: pem.caCert, sessionStore }))
      await once(socket, "session")
      const peer = peers.at(-1)!
      expect({ resumed: peer.isSessionReused(), authorized: peer.authorized }).toEqual({ resumed, authorized: false })
      socket.destroy()
    }
  })
})

describe("a session does not outlive the external PSK that it stands on", () => {
  it("on a server that does not know the PSK any more", () => {
    const sessionStore = new MemorySessionStore()
    const externalPsks = new MemoryPskStore([device])
    pairOf({ sessionStore, externalPsks: [device] }, { ticketer, externalPsks })
    externalPsks.remove(device.identity)
    const { server } = pairOf({ sessionStore, externalPsks: [device] }, { ticketer, externalPsks })
    expect(server.connection.info).toMatchObject({ resumed: false, authentication: "none", pskIdentity: undefined })
  })

  it("on a client that does not use the PSK any more: the server has to show a certificate", () => {
    const sessionStore = new MemorySessionStore()
    const externalPsks = new MemoryPskStore([device])
    pairOf({ sessionStore, externalPsks: [device] }, { ticketer, externalPsks })
    const { client } = pairOf({ sessionStore }, { ticketer, externalPsks })
    expect(client.connection.info).toMatchObject({ resumed: false, authentication: "certificate" })
  })
})

/* ---------------------------------------------------------------- the Node adapter */

const pem = createDevelopmentCertificates({ names: ["localhost"], clientName: "device", now: Date.now() })
const other = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const served: { readonly server: Server; readonly peers: TLSSocket[] }[] = []

afterEach(() => {
  for (const { server, peers } of served.splice(0)) {
    for (const peer of peers) peer.destroy()
    server.close()
  }
})

async function serve(options: TlsServerOptions): Promise<number> {
  const peers: TLSSocket[] = []
  const server = createServer({ cert: pem.serverCert, key: pem.serverKey, ...options }, (socket) => peers.push(socket))
  served.push({ server, peers })
  return portOf(server)
}

async function secured(socket: TLSSocket): Promise<TLSSocket> {
  await once(socket, "secureConnect")
  return socket
}

describe("a session is resumed only under the rules that it was made under", () => {
  const strict = createCertificateVerifier({ trust: trustStoreFromPem(other.caCert) })

  it("not under another verifier than the one that believed the server", async () => {
    const port = await serve({})
    const sessionStore = new MemorySessionStore()
    const lax = await secured(connect({ port, verifier: acceptAnyCertificate(), sessionStore }))
    await once(lax, "session")
    lax.destroy()
    const socket = connect({ port, verifier: strict, sessionStore })
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ kind: "CertificateRejected" })
  })

  it("not under another checkServerIdentity", async () => {
    const port = await serve({})
    const sessionStore = new MemorySessionStore()
    const lax = await secured(connect({ port, ca: pem.caCert, checkServerIdentity: () => undefined, sessionStore }))
    await once(lax, "session")
    lax.destroy()
    const check = () => new Error("another server")
    const socket = connect({ port, ca: pem.caCert, checkServerIdentity: check, sessionStore })
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ kind: "CertificateRejected" })
  })

  it("and under the same verifier and the same check it is", async () => {
    const port = await serve({})
    const sessionStore = new MemorySessionStore()
    const verifier = createCertificateVerifier({ trust: trustStoreFromPem(pem.caCert) })
    const checkServerIdentity = () => undefined
    for (const rules of [{ verifier }, { ca: pem.caCert, checkServerIdentity }]) {
      for (const resumed of [false, true]) {
        const socket = await secured(connect({ port, ...rules, sessionStore }))
        await once(socket, "session")
        expect(socket.isSessionReused()).toBe(resumed)
        socket.destroy()
      }
      // The tickets that are left are of these rules.
      while (sessionStore.take(`localhost:${port}`, Date.now()) !== undefined);
    }
  })

  it("a server's too: not where another verifier decides about clients", async () => {
    const client = { cert: pem.clientCert, key: pem.clientKey, ca: pem.caCert }
    const ticketKeys = new Uint8Array(48).fill(5)
    const common = { requestCert: true, ticketKeys }
    const lax = await serve({ ...common, verifier: acceptAnyCertificate() })
    const stern = await serve({ ...common, verifier: strict })
    const first = await secured(connect({ port: lax, ...client }))
    const [session] = await once(first, "session")
    first.destroy()
    const socket = connect({ port: stern, ...client, session })
    const [error] = await once(socket, "error")
    expect(error).toMatchObject({ kind: "PeerAlert" })
    expect(served[1]!.peers).toHaveLength(0)
  })
})
