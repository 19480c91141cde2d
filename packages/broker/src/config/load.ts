// Reads the configuration file and the files it names.

import { dirname, resolve } from "node:path"
import { checkCertificate, checkRevocationLists, usableAuthorities } from "./certificate.ts"
import { checkFileConfig, type FileConfig, type FileListener } from "./check.ts"
import { type BrokerConfig, ConfigError, type ListenerConfig } from "./config.ts"
import { readCertificates, readPrivateKey, readRevocationLists } from "./pem-file.ts"
import { configurationFile, readAcl, readPasswordFile, readText } from "./text-file.ts"

export interface LoadedConfig {
  readonly config: BrokerConfig
  /** Seconds between two looks at the files; undefined: none. */
  readonly reload: number | undefined
  /** Certificates, keys, authorities, revocation lists, users and access control list, and the file that names them. */
  readonly watchedFiles: readonly string[]
  readonly log: "text" | "json" | "none"
  /** What is well enough to go on with, but somebody should know: a sentence each. */
  readonly warnings: readonly string[]
}

/** Reads a JSON configuration file; file names in it are relative to it. Throws ConfigError with one line. */
export function loadConfigFile(path: string, now: number): LoadedConfig {
  const source = readText(path, configurationFile)
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw new ConfigError(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  let checked: FileConfig
  try {
    checked = checkFileConfig(value)
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${path}: ${error.message}`)
    throw error
  }
  if ((checked.listeners ?? []).length === 0)
    throw new ConfigError(
      `${path}: listeners is ${checked.listeners === undefined ? "missing" : "empty"}: name one at least, such as {"type": "tls", "port": 8883, "cert": FILE, "key": FILE}`,
    )
  const folder = dirname(resolve(path))
  const warnings: string[] = []
  return {
    config: readFiles(checked, folder, now, (text) => warnings.push(text)),
    warnings,
    log: checked.log ?? "text",
    reload: checked.reload,
    watchedFiles: [resolve(path), ...watchedFilesOf(checked, folder)],
  }
}

/** The files that a running broker reads again. */
export function watchedFilesOf(file: FileConfig, folder: string): string[] {
  const listeners = file.listeners ?? []
  const certificates = listeners.flatMap(({ cert, key, keyPasswordFile, ca, crl }) => [
    cert,
    key,
    keyPasswordFile,
    ca,
    crl,
  ])
  const names = [...certificates, file.login?.passwordFile, file.aclFile]
  return [...new Set(names.filter((name) => name !== undefined))].map((name) => resolve(folder, name))
}

/**
 * Turns file names into what the files hold. `folder` is what they are relative to; `now` in milliseconds; `warn` gets a
 * sentence for what is left out.
 */
export function readFiles(
  file: FileConfig,
  folder: string,
  now: number,
  warn: (text: string) => void = () => undefined,
): BrokerConfig {
  const passwords = file.login?.passwordFile
  return {
    listeners: (file.listeners ?? []).map((one) => readListener(one, folder, now, warn)),
    login: {
      anonymous: file.login?.anonymous,
      certificates: file.login?.certificates,
      passwords: passwords === undefined ? undefined : readPasswordFile(resolve(folder, passwords)),
    },
    acl: file.aclFile === undefined ? undefined : readAcl(resolve(folder, file.aclFile)),
    disconnectRevoked: file.disconnectRevoked,
    limits: file.limits,
    metrics: file.metrics,
    sysInterval: file.sysInterval,
    responseInformation: file.responseInformation,
  }
}

function readListener(one: FileListener, folder: string, now: number, warn: (text: string) => void): ListenerConfig {
  const { path, origins, hosts } = one
  const shared = { host: one.host, port: one.port, proxyProtocol: one.proxyProtocol }
  const webSocket = { path, origins, hosts }
  if (one.type === "tcp") return { type: "tcp", ...shared }
  if (one.type === "ws") return { type: "ws", ...shared, ...webSocket }
  const names = { cert: one.cert ?? "", key: one.key ?? "" } // both are there: the check saw to it
  const file = (name: string) => resolve(folder, name)
  const cert = readCertificates(file(names.cert), "the certificate")
  const password = one.keyPasswordFile === undefined ? undefined : file(one.keyPasswordFile)
  const key = readPrivateKey(file(names.key), "the private key", password)
  checkCertificate(cert, key, names, now)
  const ca =
    one.ca === undefined
      ? undefined
      : usableAuthorities(readCertificates(file(one.ca), "the authorities of client certificates"), one.ca, warn)
  const crl = one.crl === undefined ? undefined : readRevocationLists(file(one.crl), "the revocation lists")
  if (crl !== undefined) checkRevocationLists(crl, one.crl ?? "", now)
  const { clientCertificate, identity, revocation, crypto } = one
  const { handshakeTimeout, maxPendingHandshakes, maxPendingHandshakesPerAddress } = one
  const { maxWaitingHandshakes, maxWaitingHandshakesPerAddress, handshakeWaitTimeout } = one
  const tls = {
    cert,
    key,
    ca,
    clientCertificate,
    identity,
    crl,
    revocation,
    crypto,
    handshakeTimeout,
    maxPendingHandshakes,
    maxPendingHandshakesPerAddress,
    maxWaitingHandshakes,
    maxWaitingHandshakesPerAddress,
    handshakeWaitTimeout,
  }
  return one.type === "tls" ? { type: "tls", ...shared, ...tls } : { type: "wss", ...shared, ...webSocket, ...tls }
}
