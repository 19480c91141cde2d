// Who plays in the scenarios: an authority, a server, a client, each with keys that are made of the seed.

import type { CryptoProvider, RandomSource } from "@puremq/tls13"
import { chainToPem, createAuthority, createLeaf, type Identity, privateKeyToPem } from "@puremq/tls13/devcert"
import { type EchKey, generateEchKey } from "@puremq/tls13/ech"
import { type CredentialResolver, loadCredential, singleCredential, TrustStore, trustAnchor } from "@puremq/tls13/x509"
import { seededRandom } from "./seeded.ts"

/** When every run takes place: 2026-07-01T12:00:00Z. */
export const now: number = Date.UTC(2026, 6, 1, 12)

export const serverName = "broker.example"
/** Behind which it hides in Encrypted Client Hello. */
export const publicName = "public.example"

export interface Cast {
  readonly provider: CryptoProvider
  readonly root: Identity
  readonly intermediate: Identity
  readonly server: Identity
  readonly client: Identity
  /** Somebody else's authority, whom nobody here trusts, and a server's certificate of it. */
  readonly stranger: Identity
  readonly impostor: Identity
  /** A server of the public name. */
  publicServer(): Identity
  /** A key of Encrypted Client Hello with the public name. */
  echKey(purpose: string, usedIds?: readonly number[]): EchKey
  /** Of this scenario and purpose. */
  random(purpose: string): RandomSource
  credentialsOf(identity: Identity): CredentialResolver
  trustIn(...authorities: Identity[]): TrustStore
}

export function castOf(provider: CryptoProvider, seed: number): Cast {
  const random = (purpose: string) => seededRandom(seed, purpose)
  const withRandom = (purpose: string): CryptoProvider => ({ ...provider, random: random(purpose) })
  const named = (commonName: string) => ({ subject: { commonName }, now, provider: withRandom(commonName) })
  const serialNumber = (purpose: string) => Uint8Array.of(0x01, ...random(`serial ${purpose}`)(15))
  const authority = (name: string, issuer?: Identity) =>
    createAuthority({ ...named(name), serialNumber: serialNumber(name), ...(issuer && { issuer, pathLength: 0 }) })
  const root = authority("Example Root CA")
  const intermediate = authority("Example Issuing CA", root)
  const stranger = authority("Somebody Else's CA")
  const leaf = (name: string, usage: "server" | "client", issuer: Identity, names: readonly string[]) =>
    createLeaf({ ...named(name), issuer, usage, names, serialNumber: serialNumber(name) })
  return {
    provider,
    root,
    intermediate,
    stranger,
    server: leaf(serverName, "server", intermediate, [serverName]),
    client: leaf("sensor-17", "client", intermediate, ["sensor-17.example"]),
    impostor: leaf(serverName, "server", stranger, [serverName]),
    publicServer: () => leaf(publicName, "server", intermediate, [publicName]),
    echKey: (purpose, usedIds = []) =>
      generateEchKey({ provider, publicName, maximumNameLength: 32, usedIds, random: random(purpose) }),
    random,
    credentialsOf: (identity) =>
      singleCredential(loadCredential({ cert: chainToPem(identity), key: privateKeyToPem(identity.privateKey) })),
    trustIn: (...authorities) => new TrustStore(authorities.map(({ certificate }) => trustAnchor(certificate))),
  }
}
