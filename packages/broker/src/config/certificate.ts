import {
  type Certificate,
  loadCredential,
  nameText,
  parseCertificates,
  parseCrls,
  subjectText,
  toPem,
  trustStoreFromPem,
} from "@puremq/tls13/x509"
import { earliestWall } from "../hub/timeline.ts"
import type { RenewedCertificate } from "../listen/listener.ts"
import { ConfigError } from "./config.ts"

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

/** The same of what a running broker is given. */
export function checkRenewal({ cert, key, ca, crl }: RenewedCertificate, now: number): void {
  checkCertificate(cert, key, { cert: "given", key: "given" }, now)
  if (ca !== undefined) checkAuthorities(ca, "what is given")
  if (crl !== undefined) checkRevocationLists(crl, "what is given", now)
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
