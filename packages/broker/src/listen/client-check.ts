// Looks at the certificate of a client once more, after its handshake: when authorities or revocation lists have changed.

import type { IdentityRule, RevocationMode } from "@puremq/tls13/x509"

/** PEM texts, how revocation lists are used, and what of a certificate is its user: with it the certificate is judged too. */
export interface ClientCheckSettings {
  readonly ca?: string | undefined
  readonly crl?: string | undefined
  readonly revocation?: RevocationMode | undefined
  readonly identity?: IdentityRule | undefined
}

/** Why a chain (DER, leaf first) would be refused now; undefined when it would be accepted. `now` in milliseconds since 1970. */
export type ClientCheck = (chain: readonly Uint8Array[], now: number) => string | undefined

export type ClientCheckFactory = (settings: ClientCheckSettings) => ClientCheck

export async function loadClientCheck(): Promise<ClientCheckFactory> {
  const [{ createHostProvider }, { createCertificateVerifier, CrlStore, parseCrls, trustStoreFromPem }] =
    await Promise.all([import("@puremq/tls13/crypto/host"), import("@puremq/tls13/x509")])
  const provider = createHostProvider()
  return ({ ca = "", crl, revocation: mode, identity }) => {
    const lists = { crls: new CrlStore(crl === undefined ? [] : parseCrls(crl)) }
    const verifier = createCertificateVerifier({
      trust: trustStoreFromPem(ca),
      revocation: mode === undefined ? lists : { ...lists, crl: mode, ...(mode !== "require" && { ocsp: mode }) },
      ...(identity && { identity }),
    })
    return (chain, now) => {
      const verdict = verifier.verify({
        role: "client",
        type: "X509",
        chain,
        serverName: undefined,
        ocspResponse: undefined,
        signedCertificateTimestamps: undefined,
        now,
        provider,
      })
      if ("accepted" in verdict) return verdict.accepted ? undefined : verdict.message
      return "the certificate cannot be checked at once"
    }
  }
}

/** The chain in what `getPeerCertificate(true)` of node:tls gives, DER, leaf first. */
export function chainOf(certificate: unknown): Uint8Array[] {
  const chain: Uint8Array[] = []
  let next = certificate
  while (typeof next === "object" && next !== null && "raw" in next && next.raw instanceof Uint8Array) {
    const { raw } = next
    if (chain.length >= 32 || chain.some((known) => known === raw)) break
    chain.push(raw)
    const issuer: unknown = "issuerCertificate" in next ? next.issuerCertificate : undefined
    if (issuer === next) break
    next = issuer
  }
  return chain
}
