// What the tests of Encrypted Client Hello share: a server with keys, a client that has their configurations.

import { ClientConnection } from "../../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../src/connection/config.ts"
import { ServerConnection } from "../../src/connection/server-connection.ts"
import { createFastProvider, type FastProvider } from "../../src/crypto/fast/index.ts"
import {
  EchKeyRing,
  type EchServerKey,
  encodeEchConfigList,
  generateEchKey,
  offerEncryptedClientHello,
} from "../../src/ech/index.ts"
import type { ClientOptions, ServerOptions } from "../../src/handshake/options.ts"
import { Pair } from "../../src/testing/pair.ts"
import type { CertificateVerifier } from "../../src/x509/interfaces.ts"
import { clientOptions as noble, serverOptions as nobleServer, start } from "../support.ts"

/** Handshakes by the hundred: with kernels of our own. */
export const provider: FastProvider = createFastProvider()
export const clientOptions: ClientOptions = { ...noble, provider }
export const serverOptions: ServerOptions = { ...nobleServer, provider }

export const publicName = "public.example"
export const key: EchServerKey = generateEchKey({ provider, publicName, configId: 1 })
export const otherKey: EchServerKey = generateEchKey({ provider, publicName, configId: 2 })

export const ringOf = (...keys: readonly EchServerKey[]): EchKeyRing => new EchKeyRing({ provider, keys })
export const listOf = (...keys: readonly EchServerKey[]): Uint8Array =>
  encodeEchConfigList(keys.map(({ config }) => config))
export const offerOf = (...keys: readonly EchServerKey[]): NonNullable<ClientOptions["encryptedClientHello"]> =>
  offerEncryptedClientHello({ provider, configs: listOf(...keys) })

/** A verifier that also notes whom it was asked about. */
export function notingVerifier(asked: (string | undefined)[]): CertificateVerifier {
  const { verifier } = clientOptions
  return {
    ...verifier!,
    verify(verification) {
      asked.push(verification.serverName)
      return verifier!.verify(verification)
    },
  }
}

export function pairOf(client: Partial<ClientOptions> = {}, server: Partial<ServerOptions> = {}): Pair {
  return new Pair(
    new ClientConnection(
      createClientConfig({ ...clientOptions, encryptedClientHello: offerOf(key), ...client }),
      start,
    ),
    new ServerConnection(createServerConfig({ ...serverOptions, encryptedClientHello: ringOf(key), ...server }), start),
    start,
  )
}
