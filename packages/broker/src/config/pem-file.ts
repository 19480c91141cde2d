// Certificates, keys and revocation lists on disk: PEM or DER, keys also encrypted. What comes out is PEM text.

import { decryptPrivateKey, isEncryptedKey } from "@puremq/tls13/crypto/host"
import { certificateBytes, parseCrls, parsePrivateKey, toPem } from "@puremq/tls13/x509"
import { ConfigError } from "./config.ts"
import { readBytes } from "./text-file.ts"

/** Throws ConfigError that says what the file is for and what is wrong. */
export function readCertificates(path: string, what: string): string {
  return textOf(path, what, (der) => toPem("CERTIFICATE", certificateBytes(der)[0]!))
}

/** The same of revocation lists. */
export function readRevocationLists(path: string, what: string): string {
  return textOf(path, what, (der) => {
    parseCrls(der)
    return toPem("X509 CRL", der)
  })
}

/** The same of a private key. @param passwordOf is asked when it is encrypted */
export function readPrivateKey(
  path: string,
  what: string,
  passwordOf: () => string | undefined = () => undefined,
): string {
  const bytes = readBytes(path, what)
  const password = isEncryptedKey(bytes) ? passwordOf() : undefined
  if (password !== undefined) {
    return within(`${what} ${path}`, () => toPem("PRIVATE KEY", decryptPrivateKey(bytes, password)))
  }
  if (bytes[0] !== 0x30) return bytes.toString("latin1")
  within(`${what} ${path}`, () => parsePrivateKey(bytes))
  const texts = ["PRIVATE KEY", "EC PRIVATE KEY", "RSA PRIVATE KEY"].map((label) => toPem(label, bytes))
  return texts.find(isKey) ?? ""
}

function isKey(pem: string): boolean {
  try {
    parsePrivateKey(pem)
    return true
  } catch {
    return false
  }
}

function textOf(path: string, what: string, toText: (der: Uint8Array) => string): string {
  const bytes = readBytes(path, what)
  // DER of all of these begins with SEQUENCE.
  if (bytes[0] !== 0x30) return bytes.toString("latin1")
  return within(`${what} ${path}`, () => toText(bytes))
}

function within<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw new ConfigError(`cannot use ${what}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
