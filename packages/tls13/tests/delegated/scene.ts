// A leaf that may delegate, its authority, and delegated credentials of it.

import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { ImmediateCryptoProvider } from "../../src/crypto/provider.ts"
import {
  createAuthority,
  createLeaf,
  generateKeyPair,
  type Identity,
  type KeyPair,
  privateKeyToPem,
} from "../../src/devcert/index.ts"
import { toPem } from "../../src/x509/der/pem.ts"
import type { DelegationOptions } from "../../src/x509/index.ts"
import {
  createCertificateVerifier,
  createDelegatedCredential,
  loadCredential,
  loadDelegatedCredential,
  trustStoreFromPem,
} from "../../src/x509/index.ts"
import type { CertificateVerifier, Credential } from "../../src/x509/interfaces.ts"

export const provider: ImmediateCryptoProvider = createNobleProvider()
export const now: number = Date.UTC(2026, 10, 30, 12)
export const hour = 3_600_000

export const authority: Identity = createAuthority({ now, provider })
export const leaf: Identity = leafWith({})
export const verifier: CertificateVerifier = createCertificateVerifier({
  trust: trustStoreFromPem(toPem("CERTIFICATE", authority.certificate)),
})

export function leafWith(more: Partial<Parameters<typeof createLeaf>[0]>): Identity {
  return createLeaf({
    issuer: authority,
    usage: "both",
    names: ["server.test"],
    delegation: true,
    now,
    provider,
    ...more,
  })
}

/** The DelegatedCredential for a key. */
export function delegated(
  options: Partial<DelegationOptions> = {},
  { publicKey }: KeyPair = generateKeyPair("p256", provider.random),
  of: Identity = leaf,
): Uint8Array {
  const key = privateKeyToPem(of.privateKey)
  return createDelegatedCredential({ cert: of.certificate, key, publicKey, now, provider, ...options }) as Uint8Array
}

/** A delegated credential of the leaf. */
export function own(
  options: Partial<DelegationOptions> = {},
  pair: KeyPair = generateKeyPair("p256", provider.random),
): Credential {
  return loadDelegatedCredential({
    cert: leaf.certificate,
    delegated: delegated(options, pair),
    key: privateKeyToPem(pair.privateKey),
    now,
    provider,
    ...(options.role && { role: options.role }),
  })
}

/** The leaf with its own key. */
export function ownCredential(): Credential {
  return loadCredential({ cert: leaf.certificate, key: privateKeyToPem(leaf.privateKey) })
}
