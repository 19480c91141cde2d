// The peer's certificate in the form of node:tls: plain objects with OpenSSL's words.

import { toHex } from "../../bytes/hex.ts"
import type { CryptoProvider, Hash } from "../../crypto/provider.ts"
import { type Certificate, isSelfIssued, parseCertificate } from "../../x509/certificate/certificate.ts"
import { attributeNames } from "../../x509/der/oid-names.ts"
import { attempt, X509Error } from "../../x509/errors.ts"
import { sha1Digest } from "../../x509/keys/sha1.ts"
import { keyBits } from "../../x509/keys/spki.ts"
import { attributeText, type DistinguishedName, rdnsOf } from "../../x509/names/distinguished-name.ts"
import { generalNameText } from "../../x509/names/general-name.ts"

/** Attributes by their short names; several of one name are an array. */
export type DistinguishedNameObject = Readonly<Record<string, string | readonly string[]>>

export interface PeerCertificate {
  readonly subject: DistinguishedNameObject
  readonly issuer: DistinguishedNameObject
  /** `DNS:example.com, IP Address:192.0.2.1` */
  readonly subjectaltname?: string
  readonly ca: boolean
  /** `Nov 24 06:38:00 2026 GMT` */
  readonly valid_from: string
  readonly valid_to: string
  /** SHA-1, `AB:CD:...` */
  readonly fingerprint: string
  readonly fingerprint256: string
  readonly fingerprint512?: string
  /** Object identifiers. */
  readonly ext_key_usage?: readonly string[]
  /** Upper-case hexadecimal. */
  readonly serialNumber: string
  readonly bits?: number
  /** DER. */
  readonly raw: Buffer
  /** DER SubjectPublicKeyInfo. */
  readonly pubkey: Buffer
  readonly asn1Curve?: string
  readonly nistCurve?: string
  readonly modulus?: string
  readonly exponent?: string
  /** With `detailed`: the next certificate of the chain as the peer sent it, itself for one that is self-signed. */
  issuerCertificate?: PeerCertificate
}

/**
 * A peer's certificates, leaf first, without those that cannot be read: no path needed them. Nothing without a leaf, so that
 * the first is always it. Never throws for what the bytes are.
 */
export function readableChain(chain: readonly Uint8Array[]): readonly Certificate[] {
  const [leaf, ...others] = chain.map(readable)
  return leaf === undefined ? [] : [leaf, ...others.filter((each) => each !== undefined)]
}

/**
 * Never throws for what the bytes are; an empty object for a leaf that cannot be read, or none.
 * @param chain DER, leaf first
 * @param detailed whether `issuerCertificate` leads through the chain, up to the first certificate that cannot be read
 */
export function peerCertificate(
  chain: readonly Uint8Array[],
  provider: CryptoProvider,
  detailed: boolean = false,
): PeerCertificate | Record<string, never> {
  const leaf = chain[0] && readable(chain[0])
  if (leaf === undefined) return {}
  const object = describe(leaf, provider)
  if (!detailed) return object
  let [last, root] = [object, leaf]
  for (const der of chain.slice(1)) {
    const issuer = readable(der)
    if (issuer === undefined) break
    last.issuerCertificate = describe(issuer, provider)
    last = last.issuerCertificate
    root = issuer
  }
  if (isSelfIssued(root)) last.issuerCertificate = last
  return object
}

function readable(der: Uint8Array): Certificate | undefined {
  const certificate = attempt(() => parseCertificate(der))
  return certificate instanceof X509Error ? undefined : certificate
}

/** What one certificate says. */
export function describe(certificate: Certificate, provider: CryptoProvider): PeerCertificate {
  const { extensions, publicKey } = certificate
  const names = extensions.subjectAltName?.map((name) => generalNameText(name).replace(/^IP:/, "IP Address:"))
  const [sha256, sha512] = [hashOf(provider, "sha256"), hashOf(provider, "sha512")]
  return {
    subject: nameObject(certificate.subject),
    issuer: nameObject(certificate.issuer),
    ...(names && { subjectaltname: names.map(quoted).join(", ") }),
    ca: extensions.basicConstraints?.ca ?? false,
    ...keyMembers(publicKey),
    pubkey: bufferOf(certificate.spki),
    valid_from: opensslTime(certificate.notBefore),
    valid_to: opensslTime(certificate.notAfter),
    fingerprint: fingerprint(sha1Digest(certificate.der)),
    fingerprint256: sha256 ? fingerprint(sha256.digest(certificate.der)) : "",
    ...(sha512 && { fingerprint512: fingerprint(sha512.digest(certificate.der)) }),
    ...(extensions.extKeyUsage && { ext_key_usage: extensions.extKeyUsage }),
    serialNumber: toHex(certificate.serialNumber)
      .replace(/^00(?=..)/, "")
      .toUpperCase(),
    raw: bufferOf(certificate.der),
  }
}

function keyMembers(key: Certificate["publicKey"]): Partial<PeerCertificate> {
  if (key === undefined) return {}
  const bits = keyBits(key)
  if (key.type === "ec") {
    const nist = { "P-256": "prime256v1", "P-384": "secp384r1", "P-521": "secp521r1" }
    // What is no curve of NIST's has one name only.
    const curve: string | undefined = new Map(Object.entries(nist)).get(key.curve)
    return curve === undefined ? { bits, asn1Curve: key.curve } : { bits, asn1Curve: curve, nistCurve: key.curve }
  }
  if ("bytes" in key) return { bits }
  return {
    bits,
    modulus: toHex(key.modulus).toUpperCase(),
    exponent: `0x${toHex(key.exponent).replace(/^0+/, "")}`,
  }
}

/** A name with a comma or a quote could be mistaken for two (CVE-2021-44532). */
function quoted(text: string): string {
  return /[,"\p{Cc}]/u.test(text)
    ? text.replace(/^([^:]*:)(.*)$/su, (_, kind, value) => kind + JSON.stringify(value))
    : text
}

function nameObject(name: DistinguishedName): DistinguishedNameObject {
  const object: Record<string, string | string[]> = Object.create(null)
  for (const attribute of rdnsOf(name).flat()) {
    const key = attributeNames[attribute.type] ?? attribute.type
    const value = attributeText(attribute) ?? `#${toHex(attribute.value)}`
    const known = object[key]
    object[key] = known === undefined ? value : Array.isArray(known) ? [...known, value] : [known, value]
  }
  return object
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

function opensslTime(at: number): string {
  const date = new Date(at)
  const time = date.toISOString().slice(11, 19)
  return `${months[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)} ${time} ${date.getUTCFullYear()} GMT`
}

function fingerprint(digest: Uint8Array): string {
  return (toHex(digest).toUpperCase().match(/../g) ?? []).join(":")
}

function hashOf(provider: CryptoProvider, name: Hash["name"]): Hash | undefined {
  return provider.cipherSuites.find(({ hash }) => hash.name === name)?.hash
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
