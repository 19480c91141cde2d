// The trust store of the host: SSL_CERT_FILE and SSL_CERT_DIR when they are set (as OpenSSL reads them), else the first bundle
// that the distribution keeps, else the roots that Node carries with it.

import { readdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { foreignKind } from "../../x509/der/file-kind.ts"
import { type TrustStore, trustStoreOfUsable, X509Error } from "../../x509/index.ts"

/** Where systems keep their bundle; the first that exists counts. */
const bundles: readonly string[] = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Ubuntu, Arch, Alpine
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Fedora, RHEL
  "/etc/pki/tls/certs/ca-bundle.crt", // older Fedora, CentOS
  "/etc/ssl/ca-bundle.pem", // openSUSE
  "/etc/ssl/cert.pem", // macOS, Alpine, OpenBSD, FreeBSD
  "/usr/local/share/certs/ca-root-nss.crt", // FreeBSD
]

export interface HostRoots {
  readonly store: TrustStore
  /** Where they came from, for people: a path, or `Node.js`. */
  readonly source: string
  /** Certificates there that cannot be used, such as those with keys of another kind. */
  readonly skipped: number
}

/**
 * Reads the host's trusted certificates; takes some tens of milliseconds, so keep the result.
 * @param environment default `process.env`
 * @throws X509Error when SSL_CERT_FILE or SSL_CERT_DIR names something that holds no certificate
 */
export function hostRoots(environment: Readonly<Record<string, string | undefined>> = process.env): HostRoots {
  const { SSL_CERT_FILE: file, SSL_CERT_DIR: folder } = environment
  if (file || folder) return fromEnvironment(file, folder)
  for (const path of bundles) {
    const text = readable(path)
    if (text === undefined) continue
    const { store, skipped } = trustStoreOfUsable([text], "host")
    if (store.anchors.length > 0) return { store, skipped, source: path }
  }
  return { ...trustStoreOfUsable(rootCertificates, "host"), source: "Node.js" }
}

/** The host's trusted certificates, which take long to read: once, and only when somebody asks. */
export class HostTrust {
  readonly #environment: Parameters<typeof hostRoots>[0]
  #store: TrustStore | undefined

  /** @param environment default `process.env`, when it is first asked */
  constructor(environment?: Parameters<typeof hostRoots>[0]) {
    this.#environment = environment
  }

  /** @throws X509Error as `hostRoots` */
  get store(): TrustStore {
    this.#store ??= hostRoots(this.#environment).store
    return this.#store
  }
}

function fromEnvironment(file: string | undefined, folder: string | undefined): HostRoots {
  const texts: string[] = []
  const sources: string[] = []
  if (file) {
    const text = readable(file)
    if (text === undefined) throw new X509Error("malformed", `SSL_CERT_FILE names ${file}, which cannot be read`)
    texts.push(text)
    sources.push(file)
  }
  for (const path of folder?.split(":") ?? []) {
    texts.push(...filesOf(path))
    sources.push(path)
  }
  const usable = texts.filter((text) => text.includes("-----BEGIN CERTIFICATE-----"))
  const { store, skipped } = trustStoreOfUsable(usable, "host")
  if (store.anchors.length === 0) {
    const kind = file ? kindOf(file) : undefined
    throw new X509Error(
      "malformed",
      `${sources.join(" and ")}: no usable certificate, though SSL_CERT_FILE or SSL_CERT_DIR names it${kind ? `: ${kind}` : ""}`,
    )
  }
  return { store, skipped, source: sources.join(", ") }
}

/** What the file is in the place of a PEM bundle, in a clause. */
function kindOf(file: string): string | undefined {
  return foreignKind(readFileSync(file), "list of authorities")
}

function filesOf(folder: string): string[] {
  let names: string[]
  try {
    names = readdirSync(folder)
  } catch {
    throw new X509Error("malformed", `SSL_CERT_DIR names ${folder}, which cannot be read`)
  }
  return names.flatMap((name) => readable(join(folder, name)) ?? [])
}

function readable(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? readFileSync(path, "utf8") : undefined
  } catch {
    return undefined
  }
}
