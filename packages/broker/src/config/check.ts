// Checks unknown JSON against what the configuration file may hold. Every error is one line with the place in it.

import { type IdentityRule, identityRules, type RevocationMode } from "@puremq/tls13/x509"
import { defaultLimits, type Limits } from "../session/limits.ts"
import { trustOf } from "../transport/proxy-front.ts"
import type { ClientCertificateMode } from "../transport/tls.ts"
import { ConfigError } from "./config.ts"

/** The configuration file: like BrokerConfig, with file names where that has texts. */
export interface FileConfig {
  readonly listeners?: readonly FileListener[]
  readonly login?: { readonly anonymous?: boolean; readonly passwordFile?: string; readonly certificates?: boolean }
  readonly aclFile?: string
  readonly disconnectRevoked?: boolean
  readonly limits?: Partial<Limits>
  readonly metrics?: { readonly host?: string; readonly port: number; readonly hosts?: readonly string[] }
  /** Seconds between two looks at the files; when some have changed, all are read again. */
  readonly reload?: number
  readonly sysInterval?: number
  readonly responseInformation?: string
  readonly log?: "text" | "json" | "none"
}

export interface FileListener {
  readonly type: "tcp" | "tls" | "ws" | "wss"
  readonly host?: string
  readonly port: number
  readonly cert?: string
  readonly key?: string
  /** Its first line is the password of `key`, when that is encrypted. */
  readonly keyPasswordFile?: string
  readonly ca?: string
  readonly clientCertificate?: ClientCertificateMode
  readonly identity?: IdentityRule
  readonly crl?: string
  readonly revocation?: RevocationMode
  readonly crypto?: "fast" | "noble" | "host"
  readonly handshakeTimeout?: number
  readonly maxPendingHandshakes?: number
  readonly maxPendingHandshakesPerAddress?: number
  readonly maxWaitingHandshakes?: number
  readonly maxWaitingHandshakesPerAddress?: number
  readonly handshakeWaitTimeout?: number
  readonly proxyProtocol?: { readonly trusted: readonly string[] }
  readonly path?: string
  readonly origins?: readonly string[]
  readonly hosts?: readonly string[]
}

type Check<T> = (value: unknown, where: string) => T

/** Throws ConfigError. */
export function checkFileConfig(value: unknown): FileConfig {
  return object<FileConfig>({
    listeners: list(listener),
    login: object<NonNullable<FileConfig["login"]>>({ anonymous: flag, passwordFile: text, certificates: flag }),
    aclFile: text,
    disconnectRevoked: flag,
    limits: checkLimits,
    metrics: required(object<NonNullable<FileConfig["metrics"]>>({ host: text, port, hosts: list(text) }), ["port"]),
    reload: number(1, 86_400),
    sysInterval: number(0, 86_400),
    responseInformation: text,
    log: oneOf("text", "json", "none"),
  })(value, "")
}

/** Throws ConfigError for a limit that does not exist or a value it cannot have. */
export function checkLimits(value: unknown, where = "limits"): Partial<Limits> {
  const bounds: Partial<Record<keyof Limits, readonly [number, number]>> = {
    maximumPacketSize: [128, 0x0fff_ffff + 5],
    maximumConnectSize: [128, 0x0fff_ffff + 5],
    receiveMaximum: [1, 65_535],
    maximumInflight: [1, 65_534],
    topicAliasMaximum: [0, 65_535],
    outboundTopicAliases: [0, 65_535],
    maximumKeepAlive: [0, 65_535],
    maximumSessionExpiryInterval: [0, 0xffff_ffff],
    maximumWildcardSubscriptions: [0, Number.MAX_SAFE_INTEGER],
    maximumTopicLevels: [1, 1024],
  }
  const checks: Record<string, Check<number>> = {}
  for (const name of keysOf(defaultLimits)) {
    const [low, high] = bounds[name] ?? [1, Number.MAX_SAFE_INTEGER]
    checks[name] = number(low, high)
  }
  return object<Record<string, number>>(checks)(value, where)
}

const listener: Check<FileListener> = (value, where) => {
  const result = required(
    object<FileListener>({
      type: oneOf("tcp", "tls", "ws", "wss"),
      host: text,
      port,
      cert: text,
      key: text,
      keyPasswordFile: text,
      ca: text,
      clientCertificate: oneOf("none", "request", "require", "request-any"),
      identity: oneOf(...identityRules),
      crl: text,
      revocation: oneOf("require", "ifPresent", "off"),
      crypto: oneOf("fast", "noble", "host"),
      handshakeTimeout: number(1, 600_000),
      maxPendingHandshakes: number(1, 1_000_000),
      maxPendingHandshakesPerAddress: number(1, 1_000_000),
      maxWaitingHandshakes: number(0, 1_000_000),
      maxWaitingHandshakesPerAddress: number(0, 1_000_000),
      handshakeWaitTimeout: number(1, 600_000),
      proxyProtocol: required(object<NonNullable<FileListener["proxyProtocol"]>>({ trusted: list(network) }), [
        "trusted",
      ]),
      path: text,
      origins: list(origin),
      hosts: list(text),
    }),
    ["type", "port"],
  )(value, where)
  const secure = result.type === "tls" || result.type === "wss"
  for (const name of ["cert", "key"] as const) {
    if (secure && result[name] === undefined)
      throw new ConfigError(`${where}.${name} is missing: a ${result.type} listener needs one`)
  }
  for (const name of [
    "cert",
    "key",
    "keyPasswordFile",
    "ca",
    "clientCertificate",
    ...ofClientCertificates,
    "crypto",
    ...ofHandshakes,
  ] as const) {
    if (!secure && result[name] !== undefined)
      throw new ConfigError(`${where}.${name} does not belong to a ${result.type} listener`)
  }
  for (const name of ["path", "origins", "hosts"] as const) {
    if (result[name] !== undefined && result.type !== "ws" && result.type !== "wss")
      throw new ConfigError(`${where}.${name} does not belong to a ${result.type} listener`)
  }
  checkClientCertificates(result, where)
  return result
}

const ofHandshakes = [
  "handshakeTimeout",
  "maxPendingHandshakes",
  "maxPendingHandshakesPerAddress",
  "maxWaitingHandshakes",
  "maxWaitingHandshakesPerAddress",
  "handshakeWaitTimeout",
] as const

/** What means nothing unless clients are asked for certificates. */
const ofClientCertificates = ["identity", "crl", "revocation"] as const

/** Throws ConfigError for options of client certificates that do not fit together. */
export function checkClientCertificates(
  listener: { readonly [Name in "clientCertificate" | "ca" | (typeof ofClientCertificates)[number]]?: unknown },
  where: string,
): void {
  const asked = listener.clientCertificate !== undefined && listener.clientCertificate !== "none"
  if (asked && listener.ca === undefined) {
    throw new ConfigError(`${where}.ca is missing: clients' certificates need an authority they are checked against`)
  }
  for (const name of ofClientCertificates) {
    if (!asked && listener[name] !== undefined)
      throw new ConfigError(
        `${where}.${name} is about client certificates, and ${where}.clientCertificate does not ask for any; set it to "request" or "require"`,
      )
  }
  if (listener.revocation === "require" && listener.crl === undefined)
    throw new ConfigError(`${where}.crl is missing: revocation "require" needs the lists of the authorities`)
}

function required<T extends object>(check: Check<T>, names: readonly (keyof T & string)[]): Check<T> {
  return (value, where) => {
    const result = check(value, where)
    for (const name of names) if (result[name] === undefined) throw new ConfigError(`${join(where, name)} is missing`)
    return result
  }
}

function object<T extends object>(checks: { readonly [K in keyof T]-?: Check<NonNullable<T[K]>> }): Check<T> {
  const table = new Map<string, Check<unknown>>(Object.entries(checks))
  return (value, where) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new ConfigError(`${where === "" ? "the configuration" : where} must be an object, not ${show(value)}`)
    }
    const result: T = Object.create(null)
    for (const [name, member] of Object.entries(value)) {
      const check = table.get(name)
      if (check === undefined) {
        throw new ConfigError(`${join(where, name)} is not known; known here: ${[...table.keys()].join(", ")}`)
      }
      Object.assign(result, { [name]: check(member, join(where, name)) })
    }
    return result
  }
}

function list<T>(check: Check<T>): Check<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw new ConfigError(`${where} must be a list, not ${show(value)}`)
    return value.map((item, index) => check(item, `${where}[${index}]`))
  }
}

const text: Check<string> = (value, where) => {
  if (typeof value !== "string" || value === "") throw new ConfigError(`${where} must be a text, not ${show(value)}`)
  return value
}

/** An address or a network. Throws ConfigError. */
export const network: Check<string> = (value, where) => {
  const entry = text(value, where)
  try {
    trustOf([entry])
  } catch (error) {
    throw new ConfigError(`${where}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return entry
}

/** An origin of pages. Throws ConfigError. */
export const origin: Check<string> = (value, where) => {
  const entry = text(value, where)
  const isOrigin = URL.canParse(entry) && new URL(entry).origin === entry.toLowerCase()
  if (!isOrigin && entry !== "*" && entry !== "null")
    throw new ConfigError(
      `${where} must be an origin such as https://example.org, without a path, or *, not ${show(entry)}`,
    )
  return entry
}

const flag: Check<boolean> = (value, where) => {
  if (typeof value !== "boolean") throw new ConfigError(`${where} must be true or false, not ${show(value)}`)
  return value
}

function number(low: number, high: number): Check<number> {
  return (value, where) => {
    if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
      throw new ConfigError(`${where} must be a whole number from ${low} to ${high}, not ${show(value)}`)
    }
    return value
  }
}

const port: Check<number> = number(0, 65_535)

function oneOf<T extends string>(...values: readonly T[]): Check<T> {
  return (value, where) => {
    const found = values.find((one) => one === value)
    if (found === undefined) throw new ConfigError(`${where} must be one of ${values.join(", ")}, not ${show(value)}`)
    return found
  }
}

function join(where: string, name: string): string {
  return where === "" ? name : `${where}.${name}`
}

function show(value: unknown): string {
  const shown = written(value)
  return shown.length > 60 ? `${shown.slice(0, 57)}...` : shown
}

/** As JSON, which takes no more depth than the stack has. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Array.isArray(value) ? "a list of lists of lists" : "an object of objects of objects"
  }
}

function keysOf<T extends object>(value: T): (keyof T & string)[] {
  const keys: (keyof T & string)[] = []
  for (const key in value) keys.push(key)
  return keys
}
