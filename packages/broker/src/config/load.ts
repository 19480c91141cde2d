// Reads the configuration file and the files it names.

import { statSync } from "node:fs"
import { dirname, isAbsolute, relative, resolve } from "node:path"
import { finish, type Steps } from "../access/lines.ts"
import type { LogFormat } from "../admin/log.ts"
import {
  checkCertificate,
  checkRevocationLists,
  checkSchemes,
  checkStaple,
  checkTicketKeys,
  checkWorkers,
  usableAuthorities,
} from "./certificate.ts"
import {
  type AdminConfig,
  type BridgeConfig,
  type BrokerConfig,
  type ClusterConfig,
  ConfigError,
  type ListenerConfig,
  type MetricsConfig,
} from "./config.ts"
import { namesWithoutCertificate, readEchKeys } from "./ech-keys.ts"
import type { FileAdmin, FileBridge, FileCluster, FileConfig, FileListener, FileMetrics } from "./file-config.ts"
import { readHttpLogin, readJwt, readWebhook } from "./hook-files.ts"
import { tokensOf } from "./metrics.ts"
import { readCertificates, readPrivateKey, readRevocationLists } from "./pem-file.ts"
import type { Rows, Table } from "./schema/option.ts"
import { options } from "./schema/options.ts"
import { itemOf, memberOf } from "./schema/path.ts"
import { Draft } from "./sources/draft.ts"
import { readConfigurationFile } from "./sources/file.ts"
import { takenTwice } from "./taken-twice.ts"
import {
  metricsTokenFile,
  readBytes,
  readFirstLine,
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
  /** The same with the names of files, as they are from where the program runs. */
  readonly file: FileConfig
  /** Seconds between two looks at the files; undefined: none. */
  readonly reload: number | undefined
  /** Certificates, keys, authorities, revocation lists, users and access control list, and the file that names them. */
  readonly watchedFiles: readonly string[]
  readonly log: LogFormat | "none"
  /** What is well enough to go on with, but somebody should know: a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Reads a configuration file, TOML or JSON, with nothing over it; file names in it are relative to it. Throws ConfigError with one line.
 *
 * @param again a broker runs meanwhile, and nothing may keep it waiting
 */
export function loadConfigFile(path: string, now: number, again: boolean = false): LoadedConfig {
  const draft = draftOfFile(path, again)
  return finish(loadingFiles(checkedDraft(draft, path), draft, { path, now, again }))
}

/** Throws ConfigError. @param again a broker runs meanwhile */
export function draftOfFile(path: string, again: boolean): Draft {
  if (again) refusePipes([path])
  return new Draft({ name: path, document: readConfigurationFile(path) })
}

/**
 * What a draft says, with the names of files as they are from where the program runs. Throws ConfigError, or UsageError for an
 * option of the command line.
 * @param path of the configuration file, which its own names are relative to
 */
export function checkedDraft(draft: Draft, path: string | undefined, table: Rows<FileConfig> = options): FileConfig {
  const checked = draft.check(table)
  const { cluster, listeners, store = {} } = checked
  if (listeners === undefined || listeners.length === 0) {
    const what = `listeners is ${listeners === undefined ? "missing" : "empty"}`
    const example = "listeners.tls = { port = 8883, cert = FILE, key = FILE }"
    throw draft.told(new ConfigError(`${what}: name one at least, such as ${example}`, "listeners"))
  }
  const twice = takenTwice(checked, (name) => draft.placeOfListener(name))
  if (twice !== undefined) throw draft.told(twice)
  const folder = path === undefined ? process.cwd() : dirname(resolve(path))
  const ofFile = (place: string) => draft.originOf(place)?.kind === "file"
  const placed = placeFiles(checked, "", table, draft, (name, place) => (ofFile(place) ? fromHere(folder, name) : name))
  const config = Object.assign({}, checked, placed)
  if (cluster !== undefined) {
    if (checked.store === undefined) return config
    const what = "store means nothing in a cluster, whose servers keep everything: leave it out"
    throw draft.told(new ConfigError(what, "store"))
  }
  if (store.type === "memory" || store.directory !== undefined) return config
  return { ...config, store: { ...store, directory: fromHere(folder, ownStore) } }
}

/** A name in a folder as it is from where the program runs. */
function fromHere(folder: string, name: string): string {
  if (folder === process.cwd()) return name
  const path = resolve(folder, name)
  const short = relative(process.cwd(), path)
  return short.startsWith("..") || isAbsolute(short) ? path : short
}

/** The same values, with each name of a file or folder changed. */
function placeFiles(
  value: unknown,
  where: string,
  table: Table,
  draft: Draft,
  change: (name: string, place: string) => string,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const [name, member] of Object.entries(Object.assign({}, value))) {
    const { kind } = table[name] ?? {}
    const place = memberOf(where, name)
    const rows: Table = Object.assign({}, ...(kind?.parts ?? []).map((part) => part.rows))
    const inside = (each: unknown, at: string) => placeFiles(each, at, rows, draft, change)
    const isName = (kind?.file ?? kind?.folder) !== undefined
    if (isName && typeof member === "string") result[name] = change(member, place)
    else if (isName && Array.isArray(member)) result[name] = member.map((each, i) => change(each, itemOf(place, i)))
    else if (kind?.parts === undefined) result[name] = member
    else if (!Array.isArray(member)) result[name] = inside(member, place)
    else if (place !== "listeners") result[name] = member.map((each, i) => inside(each, itemOf(place, i)))
    else result[name] = member.map((each) => inside(each, draft.placeOfListener(each.name)))
  }
  return result
}

/** Reads the files that a checked configuration names, step by step. Throws ConfigError, with where the name of the file stands. */
export function* loadingFiles(
  file: FileConfig,
  draft: Draft,
  { path, now, again }: { readonly path: string | undefined; readonly now: number; readonly again: boolean },
): Steps<LoadedConfig> {
  const files = watchedFilesOf(file, process.cwd())
  if (again) refusePipes(files)
  const warnings: string[] = []
  const warn = (text: string) => warnings.push(text)
  let config: BrokerConfig
  try {
    config = yield* readingFiles(file, process.cwd(), now, warn, (name) => draft.placeOfListener(name))
  } catch (error) {
    throw draft.toldOfFile(error)
  }
  return {
    config,
    file,
    warnings,
    log: file.log ?? "text",
    reload: file.reload,
    watchedFiles: [...(path === undefined ? [] : [resolve(path)]), ...files],
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
    const inside: readonly unknown[] = Array.isArray(member) ? member : [member]
    if (kind.file === true) return inside.filter((each) => typeof each === "string")
    return inside.flatMap((each) => (kind.parts ?? []).flatMap(({ rows }) => filesIn(each, rows)))
  })
}

/**
 * Turns file names into what the files hold, step by step. `folder` is what they are relative to; `now` in milliseconds; `warn` gets a
 * sentence for what is left out. Throws ConfigError with the place of the name.
 * @param placeOf a listener, by its name
 */
export function* readingFiles(
  file: FileConfig,
  folder: string,
  now: number,
  warn: (text: string) => void = () => undefined,
  placeOf: (name: string) => string = (name) => memberOf("listeners", name),
): Steps<BrokerConfig> {
  const {
    listeners = [],
    login = {},
    store = {},
    cluster,
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
    listeners: listeners.map((one) => readListener(one, placeOf(one.name ?? one.type), folder, now, warn)),
    login: {
      ...logins,
      passwords:
        passwordFile === undefined
          ? undefined
          : yield* placed("login.passwordFile", readingPasswordFile(resolve(folder, passwordFile), warn)),
      ...(jwt !== undefined && { jwt: placedIn("login.jwt", () => readJwt(jwt, folder, warn)) }),
      ...(http !== undefined && { http: placedIn("login.http", () => readHttpLogin(http, folder, warn)) }),
    },
    ...(bridges.length > 0 && {
      bridges: bridges.map((one, i) => placedIn(itemOf("bridges", i), () => readBridge(one, folder, now, warn))),
    }),
    ...(webhooks !== undefined && {
      webhooks: webhooks.map((one, i) => placedIn(itemOf("webhooks", i), () => readWebhook(one, folder, warn))),
    }),
    ...(cluster === undefined
      ? {
          store:
            store.type === "memory" ? store : { ...store, directory: resolve(folder, store.directory ?? ownStore) },
        }
      : { cluster: placedIn("cluster", () => readCluster(cluster, folder, now, warn)) }),
    metrics: metrics && placedIn("metrics", () => readMetrics(metrics, folder, now, warn)),
    acl: aclFile === undefined ? undefined : yield* placed("aclFile", readingAcl(resolve(folder, aclFile))),
    ...(admin !== undefined && { admin: placedIn("admin", () => readAdmin(admin, folder, now, warn)) }),
  }
}

function readCluster(
  { credentialsFile, ca, cert, key, ...others }: FileCluster,
  folder: string,
  now: number,
  warn: (text: string) => void,
): ClusterConfig {
  const credentials =
    credentialsFile === undefined
      ? undefined
      : readText(resolve(folder, credentialsFile), {
          what: "the credentials for NATS",
          wanted: 'a file of "nsc generate creds"',
        })
  const authorities =
    ca && usableAuthorities(readCertificates(resolve(folder, ca), "the authorities of NATS"), ca, warn)
  if (cert === undefined || key === undefined) return { ...others, credentials, ca: authorities }
  const pair = {
    cert: readCertificates(resolve(folder, cert), "the certificate for NATS"),
    key: readPrivateKey(resolve(folder, key), "the private key for NATS"),
  }
  checkCertificate(pair.cert, pair.key, { cert, key }, now, warn)
  return { ...others, ...pair, credentials, ca: authorities }
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
    key: key === undefined ? undefined : readPrivateKey(file(key), "the private key for metrics"),
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
  const file = (name: string) => resolve(folder, name)
  const password = keyPasswordFile === undefined ? undefined : () => readKeyPassword(file(keyPasswordFile))
  const texts = {
    cert: readCertificates(file(cert), "the certificate"),
    key: readPrivateKey(file(key), "the private key", password),
  }
  checkCertificate(texts.cert, texts.key, { cert, key }, now, warn)
  return { ...others, tokens, ...texts }
}

function readListener(
  one: FileListener,
  where: string,
  folder: string,
  now: number,
  warn: (text: string) => void,
): ListenerConfig {
  if (one.type === "tcp" || one.type === "ws") return one
  const { keyPassword, keyPasswordFile, ocspFile, tickets, ech, ...others } = one
  const file = (name: string) => resolve(folder, name)
  const at = <T>(name: string, work: () => T) => placedIn(memberOf(where, name), work)
  const cert = at("cert", () => readCertificates(file(one.cert), "the certificate"))
  const password = keyPasswordFile === undefined ? () => keyPassword : () => readKeyPassword(file(keyPasswordFile))
  const key = at("key", () => readPrivateKey(file(one.key), "the private key", password))
  at("cert", () => checkCertificate(cert, key, one, now, warn))
  at("workers", () => checkWorkers(cert, one.workers, memberOf(where, "workers")))
  at("signatureSchemes", () => checkSchemes(cert, one.signatureSchemes, memberOf(where, "signatureSchemes")))
  const ca = at("ca", () =>
    one.ca === undefined
      ? undefined
      : usableAuthorities(readCertificates(file(one.ca), "the authorities of client certificates"), one.ca, warn),
  )
  const crl = at("crl", () => {
    const { crl } = one
    if (crl === undefined) return undefined
    const lists = readRevocationLists(file(crl), "the revocation lists")
    checkRevocationLists(lists, crl, now)
    return lists
  })
  const ocsp = at("ocspFile", () => {
    if (ocspFile === undefined) return undefined
    const der = readBytes(file(ocspFile), "the OCSP response")
    const problem = checkStaple(der, ocspFile, cert, now)
    if (problem !== undefined) warn(`${problem}; the certificate goes without`)
    return problem === undefined ? der : undefined
  })
  const { keysFile, ...ticketSettings } = tickets ?? {}
  const keys = at("tickets.keysFile", () => {
    if (keysFile === undefined) return undefined
    const bytes = readBytes(file(keysFile), "the ticket keys")
    checkTicketKeys(bytes, keysFile)
    return bytes
  })
  const echKeysOf = (name: "keyFiles" | "oldKeyFiles") =>
    (ech?.[name] ?? []).flatMap((each, i) =>
      at(itemOf(`ech.${name}`, i), () => readEchKeys(readBytes(file(each), "the ECH key"), each, name === "keyFiles")),
    )
  const published = echKeysOf("keyFiles")
  const echKeys = [...published, ...echKeysOf("oldKeyFiles")]
  if (published.length > 0) namesWithoutCertificate(published, { cert, key, where: one.cert }).forEach(warn)
  const { dangerousRecording: recording } = others
  const dangerousRecording = recording && { ...recording, directory: file(recording.directory) }
  if (dangerousRecording !== undefined)
    warn(
      `${memberOf(where, "dangerousRecording")} writes ALL SECRETS of its connections to ${dangerousRecording.directory}: WHO HAS THE FILES READS EVERYTHING. Not for production; take it out and delete them afterwards`,
    )
  return {
    ...others,
    ...(dangerousRecording !== undefined && { dangerousRecording }),
    ...{ cert, key, ca, crl, ocsp },
    ...(ech !== undefined && { ech: { keys: echKeys } }),
    ...(tickets !== undefined && { tickets: { ...ticketSettings, keys } }),
  }
}

/** With the place of the file's name in what is thrown. */
function* placed<T>(where: string, steps: Steps<T>): Steps<T> {
  try {
    return yield* steps
  } catch (error) {
    throw withPlace(where, error)
  }
}

function placedIn<T>(where: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw withPlace(where, error)
  }
}

function withPlace(where: string, error: unknown): unknown {
  return error instanceof ConfigError ? new ConfigError(error.message, where) : error
}

function readBridge(one: FileBridge, folder: string, now: number, warn: (text: string) => void): BridgeConfig {
  const { passwordFile, pskFile, keyPasswordFile, ca, cert, key, ...others } = one
  const what = `of the bridge ${one.name}`
  const file = (name: string) => resolve(folder, name)
  const credential = () => {
    if (cert === undefined || key === undefined) return {}
    const chain = readCertificates(file(cert), `the client certificate ${what}`)
    const password = keyPasswordFile === undefined ? undefined : () => readKeyPassword(file(keyPasswordFile))
    const secret = readPrivateKey(file(key), `the private key ${what}`, password)
    checkCertificate(chain, secret, { cert, key }, now, warn)
    return { cert: chain, key: secret }
  }
  return {
    ...others,
    ...(passwordFile !== undefined && { password: readFirstLine(file(passwordFile), `the password ${what}`) }),
    ...(pskFile !== undefined && { psk: readPsk(file(pskFile), what) }),
    ...(ca !== undefined && { ca: usableAuthorities(readCertificates(file(ca), `the authorities ${what}`), ca, warn) }),
    ...credential(),
  }
}

/** Throws ConfigError. */
function readPsk(path: string, what: string): Uint8Array {
  const digits = readFirstLine(path, `the pre-shared key ${what}`).trim()
  if (!/^([0-9a-f]{2}){16,}$/i.test(digits))
    throw new ConfigError(
      `${path}: the pre-shared key ${what} must be 32 hexadecimal digits or more, in the first line`,
    )
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
}
