// Reads the configuration file and the files it names.

import { statSync } from "node:fs"
import { dirname, resolve } from "node:path"
import { finish, type Steps } from "../access/lines.ts"
import type { LogFormat } from "../admin/log.ts"
import { checkCertificate, checkRevocationLists, usableAuthorities } from "./certificate.ts"
import { checkFileConfig } from "./check.ts"
import {
  type AdminConfig,
  type BridgeConfig,
  type BrokerConfig,
  ConfigError,
  type ListenerConfig,
  type MetricsConfig,
} from "./config.ts"
import type { FileAdmin, FileBridge, FileConfig, FileListener, FileMetrics } from "./file-config.ts"
import { readHttpLogin, readJwt, readWebhook } from "./hook-files.ts"
import { tokensOf } from "./metrics.ts"
import { readCertificates, readPrivateKey, readRevocationLists } from "./pem-file.ts"
import type { Table } from "./schema/option.ts"
import { options } from "./schema/options.ts"
import {
  configurationFile,
  metricsTokenFile,
  readingAcl,
  readingPasswordFile,
  readKeyPassword,
  readText,
  readTokenFile,
} from "./text-file.ts"

/** Where `puremq start` keeps what it keeps. */
const ownStore = ".puremq/store"

export interface LoadedConfig {
  readonly config: BrokerConfig
  /** Seconds between two looks at the files; undefined: none. */
  readonly reload: number | undefined
  /** Certificates, keys, authorities, revocation lists, users and access control list, and the file that names them. */
  readonly watchedFiles: readonly string[]
  readonly log: LogFormat | "none"
  /** What is well enough to go on with, but somebody should know: a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Reads a JSON configuration file; file names in it are relative to it. Throws ConfigError with one line.
 *
 * @param again a broker runs meanwhile, and nothing may keep it waiting
 */
export function loadConfigFile(path: string, now: number, again: boolean = false): LoadedConfig {
  return finish(loadingConfigFile(path, now, again))
}

/** The same, step by step. */
export function* loadingConfigFile(path: string, now: number, again: boolean = false): Steps<LoadedConfig> {
  if (again) refusePipes([path])
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
  const files = watchedFilesOf(checked, folder)
  if (again) refusePipes(files)
  const warnings: string[] = []
  return {
    config: yield* readingFiles(checked, folder, now, (text) => warnings.push(text)),
    warnings,
    log: checked.log ?? "text",
    reload: checked.reload,
    watchedFiles: [resolve(path), ...files],
  }
}

/** Whoever opens a pipe waits until somebody writes into it, and a broker that waits serves nobody. Throws ConfigError. */
export function refusePipes(paths: readonly string[]): void {
  for (const path of paths) {
    let isPipe = false
    try {
      isPipe = statSync(path).isFIFO()
    } catch {
      // Whoever reads it says what is wrong.
    }
    if (isPipe) throw new ConfigError(`${path} is a pipe, which a running broker does not read; that needs a restart`)
  }
}

/** The files that a running broker reads again: all that the configuration names. @param table for a test, another than the broker's */
export function watchedFilesOf(file: FileConfig, folder: string, table: Table = options): string[] {
  return [...new Set(filesIn(file, table))].map((name) => resolve(folder, name))
}

function filesIn(value: unknown, table: Table): string[] {
  if (typeof value !== "object" || value === null) return []
  const members = new Map<string, unknown>(Object.entries(value))
  return Object.entries(table).flatMap(([name, { kind }]) => {
    const member = members.get(name)
    if (kind.file === true) return typeof member === "string" ? [member] : []
    const inside: readonly unknown[] = Array.isArray(member) ? member : [member]
    return inside.flatMap((each) => (kind.parts ?? []).flatMap(({ rows }) => filesIn(each, rows)))
  })
}

/**
 * Turns file names into what the files hold, step by step. `folder` is what they are relative to; `now` in milliseconds; `warn` gets a
 * sentence for what is left out.
 */
export function* readingFiles(
  file: FileConfig,
  folder: string,
  now: number,
  warn: (text: string) => void = () => undefined,
): Steps<BrokerConfig> {
  const {
    listeners = [],
    login = {},
    store = {},
    bridges = [],
    metrics,
    webhooks,
    aclFile,
    admin,
    reload: _,
    log: __,
    ...others
  } = file
  const { passwordFile, jwt, http, ...logins } = login
  return {
    ...others,
    listeners: listeners.map((one) => readListener(one, folder, now, warn)),
    login: {
      ...logins,
      passwords: passwordFile === undefined ? undefined : yield* readingPasswordFile(resolve(folder, passwordFile)),
      ...(jwt !== undefined && { jwt: readJwt(jwt, folder, warn) }),
      ...(http !== undefined && { http: readHttpLogin(http, folder, warn) }),
    },
    ...(bridges.length > 0 && { bridges: bridges.map((one) => readBridge(one, folder, now, warn)) }),
    ...(webhooks !== undefined && { webhooks: webhooks.map((one) => readWebhook(one, folder, warn)) }),
    store: store.type === "memory" ? store : { ...store, directory: resolve(folder, store.directory ?? ownStore) },
    metrics: metrics && readMetrics(metrics, folder, now, warn),
    acl: aclFile === undefined ? undefined : yield* readingAcl(resolve(folder, aclFile)),
    ...(admin !== undefined && { admin: readAdmin(admin, folder, now, warn) }),
  }
}

function readMetrics(
  { tokenFile, cert, key, ca, ...others }: FileMetrics,
  folder: string,
  now: number,
  warn: (text: string) => void,
): MetricsConfig {
  const file = (name: string) => resolve(folder, name)
  const read = {
    ...others,
    cert: cert === undefined ? undefined : readCertificates(file(cert), "the certificate for metrics"),
    key: key === undefined ? undefined : readPrivateKey(file(key), "the private key for metrics", undefined),
    ca:
      ca === undefined
        ? undefined
        : usableAuthorities(readCertificates(file(ca), "the authorities of who reads metrics"), ca, warn),
    tokens: tokenFile === undefined ? undefined : tokensOf(readText(file(tokenFile), metricsTokenFile), tokenFile),
  }
  if (read.cert !== undefined && read.key !== undefined && cert !== undefined && key !== undefined)
    checkCertificate(read.cert, read.key, { cert, key }, now, warn)
  return read
}

function readAdmin(one: FileAdmin, folder: string, now: number, warn: (text: string) => void): AdminConfig {
  const { tokenFile, cert, key, keyPasswordFile, ...others } = one
  if (tokenFile === undefined) throw new ConfigError("admin.tokenFile is missing")
  const tokens = readTokenFile(resolve(folder, tokenFile))
  if (cert === undefined || key === undefined) return { ...others, tokens }
  const texts = readKeyPair({ cert, key, keyPasswordFile }, folder)
  checkCertificate(texts.cert, texts.key, { cert, key }, now, warn)
  return { ...others, tokens, ...texts }
}

/** PEM texts of a certificate and its key. */
function readKeyPair(
  files: { readonly cert: string; readonly key: string; readonly keyPasswordFile?: string | undefined },
  folder: string,
): { readonly cert: string; readonly key: string } {
  const file = (name: string) => resolve(folder, name)
  const password = files.keyPasswordFile === undefined ? undefined : file(files.keyPasswordFile)
  const cert = readCertificates(file(files.cert), "the certificate")
  return { cert, key: readPrivateKey(file(files.key), "the private key", password) }
}

function readListener(one: FileListener, folder: string, now: number, warn: (text: string) => void): ListenerConfig {
  if (one.type === "tcp" || one.type === "ws") return one
  const { keyPasswordFile: _, ...others } = one
  const file = (name: string) => resolve(folder, name)
  const { cert, key } = readKeyPair(one, folder)
  checkCertificate(cert, key, one, now, warn)
  const ca =
    one.ca === undefined
      ? undefined
      : usableAuthorities(readCertificates(file(one.ca), "the authorities of client certificates"), one.ca, warn)
  const crl = one.crl === undefined ? undefined : readRevocationLists(file(one.crl), "the revocation lists")
  if (crl !== undefined) checkRevocationLists(crl, one.crl ?? "", now)
  return { ...others, cert, key, ca, crl }
}

function readBridge(one: FileBridge, folder: string, now: number, warn: (text: string) => void): BridgeConfig {
  const { passwordFile, pskFile, keyPasswordFile, ca, cert, key, ...others } = one
  const what = `of the bridge ${one.name}`
  const file = (name: string) => resolve(folder, name)
  const credential = () => {
    if (cert === undefined || key === undefined) return {}
    const chain = readCertificates(file(cert), `the client certificate ${what}`)
    const password = keyPasswordFile === undefined ? undefined : file(keyPasswordFile)
    const secret = readPrivateKey(file(key), `the private key ${what}`, password)
    checkCertificate(chain, secret, { cert, key }, now, warn)
    return { cert: chain, key: secret }
  }
  return {
    ...others,
    ...(passwordFile !== undefined && { password: readKeyPassword(file(passwordFile)) }),
    ...(pskFile !== undefined && { psk: readPsk(file(pskFile), what) }),
    ...(ca !== undefined && { ca: usableAuthorities(readCertificates(file(ca), `the authorities ${what}`), ca, warn) }),
    ...credential(),
  }
}

/** Throws ConfigError. */
function readPsk(path: string, what: string): Uint8Array {
  const digits = readKeyPassword(path).trim()
  if (!/^([0-9a-f]{2}){16,}$/i.test(digits))
    throw new ConfigError(
      `${path}: the pre-shared key ${what} must be 32 hexadecimal digits or more, in the first line`,
    )
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
