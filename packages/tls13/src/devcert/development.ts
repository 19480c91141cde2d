// What `puremq start` and `puremq cert` make for a developer's machine: an authority of one's own, a server's certificate
// and, when asked for, a client's, all as PEM text.

import type { CryptoProvider } from "../crypto/provider.ts"
import { toPem } from "../x509/der/pem.ts"
import { createAuthority, createLeaf, type Identity } from "./authority.ts"
import { type KeyPair, type KeyType, privateKeyToPem } from "./keys.ts"
import { toGeneralName } from "./names.ts"

export interface DevelopmentOptions {
  /** Host names and IP addresses that the server is reached by, at least one. */
  readonly names: readonly string[]
  /** Also make a client's certificate with this common name. */
  readonly clientName?: string
  /** Alternative names of the client: mailboxes, URIs, host names, addresses, as `toGeneralName` reads them. */
  readonly clientNames?: readonly string[]
  /** Of all three keys. Default: `p256`, which every TLS 1.3 implementation accepts. */
  readonly keyType?: KeyType
  /** Makes the three key pairs instead: of kinds that `provider` signs with, and no `keyType` names, such as Ed448 and ML-DSA. */
  readonly keyPair?: () => KeyPair
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number
  /** How long the server's and the client's certificates are valid; default: 397. The authority's is valid for ten years, or as long. */
  readonly days?: number
  /** The server's key and the client's may sign delegated credentials (RFC 9345 section 4.2). Default: they may not. */
  readonly delegation?: boolean
  /** Default: the noble provider. */
  readonly provider?: CryptoProvider
}

/** PEM texts: `*Cert` CERTIFICATE, `*Key` PRIVATE KEY (PKCS#8, unencrypted). */
export interface DevelopmentCertificates {
  readonly caCert: string
  readonly caKey: string
  readonly serverCert: string
  readonly serverKey: string
  readonly clientCert?: string
  readonly clientKey?: string
}

/** @throws RangeError when no name is given, or one is none that a certificate can have */
export function createDevelopmentCertificates(options: DevelopmentOptions): DevelopmentCertificates {
  const { names, clientName, clientNames = [], days = 397 } = options
  if (names.length === 0) throw new RangeError("a server's certificate needs at least one host name or IP address")
  for (const name of names) {
    if (!["dns", "ip"].includes(toGeneralName(name).type))
      throw new RangeError(`a server is reached by host names and IP addresses, not by ${JSON.stringify(name)}`)
  }
  const { keyPair } = options
  const common = () => ({
    now: options.now,
    ...(keyPair && { keyPair: keyPair() }),
    ...(options.keyType && { keyType: options.keyType }),
    ...(options.provider && { provider: options.provider }),
  })
  const leaf = () => ({ ...common(), ...(options.delegation && { delegation: true }) })
  const authority = createAuthority({ ...common(), days: Math.max(days, 3650), pathLength: 0 })
  const server = createLeaf({ ...leaf(), days, issuer: authority, usage: "server", names })
  const made = {
    caCert: certificateToPem(authority),
    caKey: privateKeyToPem(authority.privateKey),
    serverCert: certificateToPem(server),
    serverKey: privateKeyToPem(server.privateKey),
  }
  if (clientName === undefined) return made
  const client = createLeaf({
    ...leaf(),
    days,
    issuer: authority,
    usage: "client",
    names: clientNames,
    subject: { commonName: clientName },
  })
  return { ...made, clientCert: certificateToPem(client), clientKey: privateKeyToPem(client.privateKey) }
}

/** The PEM text of an identity's certificate alone. */
export function certificateToPem(identity: Identity): string {
  return toPem("CERTIFICATE", identity.certificate)
}

/** The PEM text of an identity's chain as a server sends it: leaf first, root left out. */
export function chainToPem(identity: Identity): string {
  return identity.chain.map((certificate) => toPem("CERTIFICATE", certificate)).join("")
}
