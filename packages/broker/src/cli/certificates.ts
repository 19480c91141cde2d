// The one place that calls the certificate maker.

import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import type { CryptoProvider } from "@puremq/tls13"
import { createDevelopmentCertificates, type KeyPair } from "@puremq/tls13/devcert"
import { checkCertificate } from "../config/certificate.ts"
import { ConfigError } from "../config/config.ts"
import { readCertificates, readPrivateKey } from "../config/pem-file.ts"

export interface CertificateFiles {
  readonly ca: string
  readonly caKey: string
  readonly cert: string
  readonly key: string
  readonly clientCert: string
  readonly clientKey: string
}

export interface CertificateRequest {
  readonly names: readonly string[]
  readonly clientName: string
  readonly clientNames?: readonly string[]
  /** Default p256. */
  readonly type?: "p256" | "ed25519" | "rsa"
  /** In the place of `type`. */
  readonly keyPair?: () => KeyPair
  /** Who signs; default: noble. */
  readonly provider?: CryptoProvider
  readonly days: number
  /** Their keys may sign delegated credentials. */
  readonly delegation?: boolean
  readonly now: number
}

export function certificateFiles(folder: string): CertificateFiles {
  return {
    ca: join(folder, "ca.pem"),
    caKey: join(folder, "ca-key.pem"),
    cert: join(folder, "server.pem"),
    key: join(folder, "server-key.pem"),
    clientCert: join(folder, "client.pem"),
    clientKey: join(folder, "client-key.pem"),
  }
}

/** Makes an authority, a server and a client certificate and writes them to `folder`. */
export function writeCertificates(folder: string, request: CertificateRequest): CertificateFiles {
  const files = certificateFiles(folder)
  let made: ReturnType<typeof createDevelopmentCertificates>
  try {
    made = createDevelopmentCertificates({
      names: request.names,
      clientName: request.clientName,
      clientNames: request.clientNames ?? [],
      ...(request.type && { keyType: request.type }),
      ...(request.keyPair && { keyPair: request.keyPair }),
      ...(request.provider && { provider: request.provider }),
      days: request.days,
      ...(request.delegation && { delegation: true }),
      now: request.now,
    })
  } catch (error) {
    if (error instanceof RangeError) throw new ConfigError(error.message)
    throw error
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    write(files.ca, made.caCert, 0o644)
    write(files.caKey, made.caKey, 0o600)
    write(files.cert, made.serverCert, 0o644)
    write(files.key, made.serverKey, 0o600)
    write(files.clientCert, made.clientCert ?? "", 0o644)
    write(files.clientKey, made.clientKey ?? "", 0o600)
  } catch (error) {
    throw new ConfigError(
      `cannot write certificates to ${folder}: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
  return files
}

/** The development certificate of `folder`: the one that is there, or a new one when there is none or it has expired. */
export function developmentCertificates(folder: string, now: number): CertificateFiles & { readonly made: boolean } {
  const files = certificateFiles(folder)
  if (existsSync(files.ca) && existsSync(files.cert) && existsSync(files.key)) {
    try {
      const cert = readCertificates(files.cert, "the certificate")
      checkCertificate(cert, readPrivateKey(files.key, "the private key"), files, now)
      return { ...files, made: false }
    } catch (error) {
      if (!(error instanceof ConfigError && error.message.includes("expired"))) throw error
    }
  }
  const names = ["localhost", "127.0.0.1", "::1", ...hostNames()]
  return { ...writeCertificates(folder, { names, clientName: "client", type: "p256", days: 397, now }), made: true }
}

function hostNames(): string[] {
  const name = hostname().toLowerCase()
  return /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name) && name !== "localhost" && !/^[\d.]+$/.test(name) ? [name] : []
}

function write(path: string, text: string, mode: number): void {
  writeFileSync(path, text, { mode })
  chmodSync(path, mode) // also when the file was there before
}
