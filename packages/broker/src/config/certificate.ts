import {
  type Certificate,
  keyText,
  loadCredential,
  nameText,
  parseCertificates,
  parseCrls,
  parseOcspResponse,
  schemesOfKey,
  subjectText,
  toPem,
  trustStoreFromPem,
  usesMlDsa,
} from "@puremq/tls13/x509"
import { earliestWall } from "../hub/timeline.ts"
import type { RenewedCertificate } from "../listen/listener.ts"
import { isAdded, isMlDsa, type SignatureScheme, signatureSchemes } from "../listen/tls-choices.ts"
import { ConfigError, type TlsListenerConfig } from "./config.ts"

/**
 * Checks before listening that certificate and key can be read, belong together and are valid now.
 * Throws ConfigError with one line that names the file and what to do. A device whose clock is not set yet serves with a
 * certificate that is not valid yet by it, as it will be for its clients: only `warn` is told.
 */
export function checkCertificate(
  cert: string,
  key: string,
  names: { readonly cert: string; readonly key: string },
  now: number,
  warn: (text: string) => void = () => undefined,
): void {
  within(`certificate ${names.cert} with key ${names.key}`, () => loadCredential({ cert, key }))
  const leaf = parseCertificates(cert)[0]!
  if (now > leaf.notAfter) {
    const what = `the certificate of ${subjectText(leaf)} in ${names.cert} expired on ${day(leaf.notAfter)}`
    throw new ConfigError(`${what}; get a new one, for development with "puremq cert"`)
  }
  if (now < leaf.notBefore) {
    const what = `the certificate of ${subjectText(leaf)} in ${names.cert} is valid only from ${day(leaf.notBefore)}`
    if (now >= earliestWall) throw new ConfigError(`${what}; check this machine's clock`)
    warn(`${what}, and this machine's clock is not set`)
  }
}

/** Throws ConfigError when the server could sign by none of these, and no handshake would succeed. @param where their place */
export function checkSchemes(cert: string, schemes: readonly string[] | undefined, where: string): void {
  const key = parseCertificates(cert)[0]?.publicKey
  if (key === undefined) return
  const fitting = schemesOfKey(key)
  if (schemes === undefined) {
    // Of ML-DSA the certificate itself says that it is wanted.
    if (usesMlDsa(cert) || !fitting.every((scheme) => isAdded(scheme, undefined))) return
    throw new ConfigError(
      `the key of the certificate, ${keyText(key)}, signs by ${fitting.join(" or ")} alone: name it in ${where}, with those that clients may use`,
    )
  }
  if (fitting.some((scheme) => schemes.includes(scheme))) return
  throw new ConfigError(
    `${where} has none that the key of the certificate, ${keyText(key)}, can sign with: add ${fitting.join(" or ")}`,
  )
}

/**
 * The schemes that a client has to be given for these certificates, as no provider has them of itself; but for ML-DSA, which
 * `usesMlDsa` tells of. None of what cannot be read, which somebody else says.
 */
export function schemesToAdd(pems: readonly string[]): readonly SignatureScheme[] {
  const keys = pems.flatMap((pem) => {
    try {
      return parseCertificates(pem).flatMap(({ publicKey }) => publicKey ?? [])
    } catch {
      return []
    }
  })
  const fitting = new Set<string>(keys.flatMap((key) => schemesOfKey(key)))
  return signatureSchemes.filter((name) => fitting.has(name) && isAdded(name, undefined) && !isMlDsa(name))
}

/** Throws ConfigError when workers were to sign with a key that they have no algorithm for. @param where their place */
export function checkWorkers(cert: string, workers: number | undefined, where: string): void {
  if (workers !== undefined && workers > 0 && usesMlDsa(cert))
    throw new ConfigError(`${where} do not compute ML-DSA, which the certificate is of: leave ${where} out`)
}

/**
 * The same of what a running broker is given.
 * @param started what the listener was started with, which decided whether it has algorithms of ML-DSA
 */
export function checkRenewal(
  { cert, key, ca, crl, ocsp, ticketKeys }: RenewedCertificate,
  started: StartedWith,
  now: number,
): void {
  checkCertificate(cert, key, { cert: "given", key: "given" }, now)
  if (ca !== undefined) checkAuthorities(ca, "what is given")
  if (crl !== undefined) checkRevocationLists(crl, "what is given", now)
  if (ocsp !== undefined) checkStaple(ocsp, "what is given", cert, now)
  if (ticketKeys !== undefined) checkTicketKeys(ticketKeys, "what is given")
  if ([cert, ca ?? ""].some(usesMlDsa) && !hasMlDsa(started))
    throw new ConfigError("a certificate of ML-DSA where the listener was started without one; that needs a restart")
}

type StartedWith = Pick<TlsListenerConfig, "cert" | "ca" | "signatureSchemes">

function hasMlDsa({ cert, ca = "", signatureSchemes = [] }: StartedWith): boolean {
  return [cert, ca].some(usesMlDsa) || signatureSchemes.some(isMlDsa)
}

/** Whose certificate it is and how long it is valid: for a line of the log. */
export function lifeText(certificate: Certificate): string {
  return `${subjectText(certificate)} until ${day(certificate.notAfter)}`
}

/** Throws ConfigError when a text holds no authorities that can be trusted. */
export function checkAuthorities(pem: string, name: string): void {
  within(`the authorities in ${name}`, () => trustStoreFromPem(pem))
}

/** PEM of those that can be trusted; `warn` is told of the others. Throws ConfigError when there is none. */
export function usableAuthorities(pem: string, name: string, warn: (text: string) => void): string {
  const { anchors, skipped } = within(`the authorities in ${name}`, () => trustStoreFromPem(pem))
  if (skipped.length === 0) return pem
  for (const problem of skipped) warn(`${name}: ${problem}; it is left out`)
  return anchors.map(({ certificate }) => toPem("CERTIFICATE", certificate.der)).join("")
}

/** Throws ConfigError for a text without revocation lists, and for a list that was to be renewed by now. */
export function checkRevocationLists(pem: string, name: string, now: number): void {
  for (const crl of within(`the revocation lists in ${name}`, () => parseCrls(pem))) {
    const problem =
      crl.unusable ??
      (crl.nextUpdate !== undefined && now > crl.nextUpdate
        ? `it was to be renewed by ${day(crl.nextUpdate)}`
        : undefined)
    if (problem !== undefined)
      throw new ConfigError(
        `cannot use the revocation list of ${nameText(crl.issuer) || "nobody"} in ${name}: ${problem}; get a new one`,
      )
  }
}

/** Bytes of one. */
export const ticketKeyLength = 48
const mostTicketKeys = 3

/** Throws ConfigError for what is no keys of tickets. */
export function checkTicketKeys(keys: Uint8Array, name: string): void {
  const count = keys.length / ticketKeyLength
  if (!Number.isInteger(count) || count < 1 || count > mostTicketKeys)
    throw new ConfigError(
      `cannot use the ticket keys in ${name}: it has ${keys.length} bytes, and a key has ${ticketKeyLength}, of which there are 1 to ${mostTicketKeys}; "openssl rand 48" makes one`,
    )
  // A text of 48 characters is nobody's random bytes.
  if (keys.every((byte) => byte >= 0x20 && byte < 0x7f))
    throw new ConfigError(
      `cannot use the ticket keys in ${name}: they are text, not random bytes; "openssl rand 48" makes one`,
    )
}

/**
 * Throws ConfigError for what is no OCSP response, or one of another certificate. What is too old is a clause, and the certificate
 * goes without: a client that wants a staple refuses an old one.
 */
export function checkStaple(der: Uint8Array, name: string, cert: string, now: number): string | undefined {
  const { responses } = within(`the OCSP response in ${name}`, () => parseOcspResponse(der))
  const [leaf] = parseCertificates(cert)
  const own = responses.find(({ serialNumber }) => leaf !== undefined && sameBytes(serialNumber, leaf.serialNumber))
  if (own === undefined)
    throw new ConfigError(`cannot use the OCSP response in ${name}: it is about another certificate`)
  if (own.nextUpdate !== undefined && now > own.nextUpdate)
    return `the OCSP response in ${name} was to be renewed by ${day(own.nextUpdate)}`
  return own.status.kind === "good"
    ? undefined
    : `the OCSP response in ${name} says that the certificate is ${own.status.kind}`
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i])
}

function within<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ConfigError(`cannot use ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** The day of a moment in milliseconds since 1970. */
export function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}
