// A client and a server of the packages, joined in memory, and what is expected of them.

import {
  ClientConnection,
  type ClientOptions,
  type CryptoProvider,
  createClientConfig,
  createServerConfig,
  ServerConnection,
  type ServerOptions,
} from "@puremq/tls13"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { Pair, received } from "@puremq/tls13/testing"
import {
  type CredentialResolver,
  createCertificateVerifier,
  loadCredential,
  singleCredential,
  trustStoreFromPem,
  type VerifierOptions,
} from "@puremq/tls13/x509"
import type { Host, Own } from "./host.ts"

export function noble({ random }: Host): CryptoProvider {
  return createNobleProvider({ random })
}

export function owning(own: Own): CredentialResolver {
  return singleCredential(loadCredential(own))
}

export function trusting(
  authority: string,
  more: Partial<VerifierOptions> = {},
): NonNullable<ClientOptions["verifier"]> {
  return createCertificateVerifier({ trust: trustStoreFromPem(authority), ...more })
}

/** A client of `localhost` and a server with a certificate for it, and what is otherwise. */
export function pairOf(host: Host, client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Pair {
  const { authority, server: own } = host.certificates
  const provider = noble(host)
  const ofClient = { provider, serverName: "localhost", verifier: trusting(authority), ...client }
  return joined(host, ofClient, { provider, credentials: owning(own), ...server })
}

export function joined({ now }: Host, client: ClientOptions, server: ServerOptions): Pair {
  const ofServer = new ServerConnection(createServerConfig(server), now)
  return new Pair(new ClientConnection(createClientConfig(client), now), ofServer, now)
}

/** Both ends know the same, and data goes both ways. @returns what was agreed */
export function connected(pair: Pair): string {
  const { client, server } = pair.handshake()
  for (const { connection } of [client, server]) if (connection.failure !== undefined) throw connection.failure
  const [one, other] = [client.connection.info, server.connection.info]
  if (one === undefined || other === undefined) throw new Error("the handshake is not complete")
  const agreed = ({ cipherSuite, group, alpnProtocol, resumed }: typeof one) => [
    cipherSuite,
    group,
    alpnProtocol,
    resumed,
  ]
  equal(agreed(one), agreed(other))
  const exported = [client, server].map((side) =>
    text(side.connection.exportKeyingMaterial("EXPORTER-runtime-tests", bytes("context"), 32)),
  )
  equal(exported[0], exported[1])
  pair.take(client, client.connection.send(bytes("to the server")))
  pair.take(server, server.connection.send(bytes("to the client")))
  pair.run()
  equal([text(received(server)), text(received(client))], ["to the server", "to the client"])
  return `${one.cipherSuite}, ${one.group}`
}

/** close_notify of both ends arrives. */
export function closed(pair: Pair): void {
  pair.take(pair.client, pair.client.connection.close())
  pair.run()
  pair.take(pair.server, pair.server.connection.close())
  pair.run()
  for (const { events, connection } of [pair.client, pair.server]) {
    equal([events.at(-1)?.type, connection.failure], ["end", undefined])
  }
}

interface Failed {
  readonly kind: string
  readonly alert: string | undefined
  readonly code: string
  readonly received?: string
  readonly reason?: string
}

/** Both ends fail, as said: kind, alert that is sent, alert that was received or the verifier's reason. */
export function failing(pair: Pair, client: readonly unknown[], server: readonly unknown[]): void {
  const { client: one, server: other } = pair.handshake()
  const failures = [one, other].map(({ connection: { failure } }) => {
    const { kind, alert, code, received, reason } = (failure ?? {}) as Partial<Failed>
    return [kind, alert, code, received ?? reason]
  })
  equal(failures, [[...client, undefined].slice(0, 4), [...server, undefined].slice(0, 4)])
  for (const { events, connection } of [one, other])
    equal([events.at(-1)?.type, connection.writable], ["failed", false])
}

export function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`expected ${b?.slice(0, 300)}, got ${a?.slice(0, 300)}`)
}

/** Octets of a text, and the other way round: not every engine has TextEncoder. */
export function bytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (octet) => octet.charCodeAt(0))
}

export function text(octets: Uint8Array): string {
  let all = ""
  for (const octet of octets) all += String.fromCharCode(octet)
  return all
}
