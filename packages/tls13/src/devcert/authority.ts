// The usual kinds of certificates: an authority (root or intermediate) and what it issues to servers and clients.

import { sha256 } from "../crypto/noble/hash.ts"
import { createNobleProvider } from "../crypto/noble/index.ts"
import type { CryptoProvider, SignatureAlgorithmName } from "../crypto/provider.ts"
import * as Oid from "../x509/der/oids.ts"
import { issueCertificate } from "./certificate.ts"
import {
  authorityKeyIdentifier,
  basicConstraints,
  delegationUsage,
  type Extension,
  extendedKeyUsage,
  keyIdentifier,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts"
import { generateKeyPair, type KeyPair, type KeyType } from "./keys.ts"
import { type NameAttributes, toGeneralName } from "./names.ts"

/** A certificate with its private key. */
export interface Identity extends KeyPair {
  readonly subject: NameAttributes
  /** DER. */
  readonly certificate: Uint8Array
  /** DER, leaf first: what a peer needs to get from the certificate to the root, which is left out. A root's own is empty. */
  readonly chain: readonly Uint8Array[]
}

export interface IssuingOptions {
  readonly subject?: NameAttributes
  /** Default: `p256`. */
  readonly keyType?: KeyType
  /** An existing key pair instead of a new one of `keyType`. */
  readonly keyPair?: KeyPair
  /** Milliseconds since 1970-01-01T00:00:00Z. The certificate is valid from one hour before, for peers whose clock is behind. */
  readonly now: number
  /** How long the certificate is valid after `now`. Default: 397 for servers and clients, 3650 for authorities. */
  readonly days?: number
  /** Milliseconds since 1970; overrule `now` and `days`. */
  readonly notBefore?: number
  readonly notAfter?: number
  /** Changes the usual extensions: the certificates that a verifier must refuse are made with it. */
  readonly extensions?: (usual: readonly Extension[]) => readonly Extension[]
  readonly signatureAlgorithm?: SignatureAlgorithmName
  readonly serialNumber?: Uint8Array
  /** Default: the noble provider. */
  readonly provider?: CryptoProvider
}

export interface AuthorityOptions extends IssuingOptions {
  /** The authority above; without it the certificate is a root, signed with its own key. */
  readonly issuer?: Identity
  /** How many authorities may stand between this one and a leaf; default: any number. */
  readonly pathLength?: number
}

export interface LeafOptions extends IssuingOptions {
  readonly issuer: Identity
  readonly usage: "server" | "client" | "both"
  /** Host names and IP addresses for the subjectAltName. */
  readonly names?: readonly string[]
  /** Its key may sign delegated credentials (RFC 9345 section 4.2). Default: it may not. */
  readonly delegation?: boolean
}

const hour = 3_600_000
const day = 24 * hour

/** A certificate that issues others. */
export function createAuthority(options: AuthorityOptions): Identity {
  const { issuer, pathLength } = options
  const subject = options.subject ?? { commonName: issuer ? "PureMQ intermediate CA" : "PureMQ development CA" }
  const usual = [basicConstraints(true, pathLength), keyUsage("keyCertSign", "cRLSign")]
  return issue({ ...options, subject }, issuer, usual, 3650)
}

/** A certificate that issues no others: a server's or a client's. */
export function createLeaf(options: LeafOptions): Identity {
  const names = options.names ?? []
  const subject = options.subject ?? nameAfter(names[0])
  const purposes = { server: [Oid.serverAuth], client: [Oid.clientAuth], both: [Oid.serverAuth, Oid.clientAuth] }
  const usual = [
    basicConstraints(false),
    keyUsage("digitalSignature"),
    extendedKeyUsage(...purposes[options.usage]),
    ...(names.length === 0 ? [] : [subjectAltName(names.map(toGeneralName), Object.keys(subject).length === 0)]),
    ...(options.delegation ? [delegationUsage()] : []),
  ]
  return issue({ ...options, subject }, options.issuer, usual, 397)
}

/** For people who look at the certificate: clients go by the subjectAltName. RFC 5280 appendix A: at most 64 characters. */
function nameAfter(name: string | undefined): NameAttributes {
  return name === undefined || name.length > 64 ? {} : { commonName: name }
}

function issue(
  options: IssuingOptions & { readonly subject: NameAttributes },
  issuer: Identity | undefined,
  ownExtensions: readonly Extension[],
  usualDays: number,
): Identity {
  const provider = options.provider ?? createNobleProvider()
  const { privateKey, publicKey } = options.keyPair ?? generateKeyPair(options.keyType ?? "p256", provider.random)
  const usual = [
    ...ownExtensions,
    subjectKeyIdentifier(keyIdentifier(publicKey, sha256)),
    authorityKeyIdentifier(keyIdentifier(issuer?.publicKey ?? publicKey, sha256)),
  ]
  const certificate = issueCertificate({
    subject: options.subject,
    publicKey,
    issuer: issuer?.subject ?? options.subject,
    issuerKey: issuer?.privateKey ?? privateKey,
    notBefore: options.notBefore ?? options.now - hour,
    notAfter: options.notAfter ?? options.now + (options.days ?? usualDays) * day,
    extensions: options.extensions?.(usual) ?? usual,
    provider,
    ...(options.serialNumber && { serialNumber: options.serialNumber }),
    ...(options.signatureAlgorithm && { signatureAlgorithm: options.signatureAlgorithm }),
  })
  const chain = issuer === undefined ? [] : [certificate, ...issuer.chain]
  return { subject: options.subject, certificate, chain, privateKey, publicKey }
}
