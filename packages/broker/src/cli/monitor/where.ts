// Where a running broker is asked: at a URL, or where its configuration says that it listens.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { generalNameText, matchNames, parseCertificates, referenceHost, X509Error } from "@puremq/tls13/x509"
import { bridgePlace } from "../../config/bridge-place.ts"
import { usableAuthorities } from "../../config/certificate.ts"
import { ConfigError } from "../../config/config.ts"
import type { FileConfig } from "../../config/file-config.ts"
import { readCertificates } from "../../config/pem-file.ts"
import type { Environment } from "../../config/sources/environment.ts"
import { readFirstLine } from "../../config/text-file.ts"
import { type Place as HttpPlace, placeOf } from "../../http/place.ts"
import { addressText, type Place } from "../../platform/dial.ts"
import { certificateFiles } from "../certificates.ts"
import { tell } from "../output.ts"
import { ownFolder, startConfigOf } from "../start-config.ts"
import { clientFiles } from "../what-next.ts"

interface Reached {
  /** Where to connect to, if that is not the host of the place, by which its certificate is looked at. */
  readonly address: string | undefined
  /** PEM of the authority of its certificate; undefined: those of this machine. */
  readonly ca: string | undefined
}

export interface AdminTarget extends Reached {
  readonly kind: "admin"
  /** Its path is the beginning of each, without a slash at the end. */
  readonly place: HttpPlace
}

export interface MqttTarget extends Reached {
  readonly kind: "mqtt"
  readonly place: Place
}

export type Target = AdminTarget | MqttTarget

/**
 * @param listener by MQTT on that one
 * @throws UsageError, also for a configuration that cannot be used: then there is nobody to ask
 */
export async function targetOf(options: Arguments, environment: Environment, listener?: string): Promise<Target> {
  const [url, extra] = options.positionals
  if (extra !== undefined) throw new UsageError(`unexpected ${extra}: one URL at most`)
  try {
    if (url === undefined) return await ofConfiguration(options, environment, listener)
    const needless = ["config", "listener"].find((name) => options.text(name) !== undefined)
    if (needless !== undefined) throw new UsageError(`the URL says where to ask: leave out --${needless}`)
    return ofUrl(url, options)
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
}

/** @throws UsageError */
export function tokenOf(options: Arguments, environment: Environment): string | undefined {
  const file = options.text("token-file")
  let token = environment["PUREMQ_ADMIN_TOKEN"] || undefined
  try {
    if (file !== undefined) token = readFirstLine(file, "the token")
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(error.message) : error
  }
  const where = file ?? "PUREMQ_ADMIN_TOKEN"
  if (token !== undefined && !/^[\x21-\x7e]{1,1024}$/.test(token))
    throw new UsageError(`${where} holds no token: it is one word, as "puremq token FILE NAME" prints it`)
  // Whoever gives the broker's own file has the wrong one of two.
  if (token !== undefined && /^[\w.@-]+:(read|operate):[0-9a-f]{64}$/.test(token))
    throw new UsageError(
      `${where} is the broker's list of tokens, which has none itself: wanted is what "puremq token" printed`,
    )
  return token
}

/* ---------------------------------------------------------------- a URL */

/** Throws UsageError, ConfigError. */
function ofUrl(url: string, options: Arguments): Target {
  const name = options.text("server-name")
  const ca = authority(options, existsSync(ownAuthority) ? ownAuthority : undefined)
  if (/^https?:/i.test(url)) {
    const place = placeOf(url)
    if (typeof place === "string") throw new UsageError(`the address must be ${place}, not "${url}"`)
    return adminTarget(place, name, ca)
  }
  if (!/^(mqtts?|wss?):\/\//i.test(url))
    throw new UsageError(
      `"${url}" is no address; write it like http://127.0.0.1:8884, https://broker.example:8884 or mqtts://broker.example:8883`,
    )
  try {
    const place = bridgePlace(url)
    return { kind: "mqtt", place: { ...place, host: name ?? place.host }, address: name && place.host, ca }
  } catch (error) {
    throw error instanceof ConfigError ? new UsageError(`the address ${error.message}`) : error
  }
}

const ownAuthority = join(ownFolder, "ca.pem")

function adminTarget(given: HttpPlace, name: string | undefined, ca: string | undefined): AdminTarget {
  const path = given.path.replace(/\/+$/, "")
  return { kind: "admin", place: { ...given, path, host: name ?? given.host }, address: name && given.host, ca }
}

/* ---------------------------------------------------------------- a configuration */

async function ofConfiguration(options: Arguments, environment: Environment, name?: string): Promise<Target> {
  const { cert, key } = certificateFiles(ownFolder)
  const { file, path } = startConfigOf({ given: options, environment, own: { cert, key } })
  const from = path ?? "the configuration"
  const { admin } = file
  if (admin !== undefined && name === undefined) return ofAdmin(admin, from, options)
  const { listeners = [] } = file
  const listener = name === undefined ? listeners[0] : listeners.find((one) => (one.name ?? one.type) === name)
  if (listener === undefined) {
    const known = listeners.map((one) => one.name ?? one.type).join(", ")
    throw new UsageError(`--listener ${name}: ${from} has no such listener; it has ${known}`)
  }
  const { type: transport, port } = listener
  const { address, host, ca } = await reach(listener, `listener ${listener.name ?? transport}`, from, options)
  const path_ = ("path" in listener ? listener.path : undefined) ?? "/mqtt"
  return { kind: "mqtt", place: { transport, host, port, path: path_ }, address, ca }
}

async function ofAdmin(
  admin: NonNullable<FileConfig["admin"]>,
  from: string,
  options: Arguments,
): Promise<AdminTarget> {
  const { address, host, ca } = await reach(admin, "admin API", from, options)
  const secure = admin.cert !== undefined
  // On a loopback address the API takes its names alone as Host.
  const authority = addressText({ host: address, port: admin.port })
  const shown = `${secure ? "https" : "http"}://${authority}`
  const place = { secure, host, port: admin.port, path: "", authority, shown }
  return { kind: "admin", place, address, ca }
}

interface Door {
  readonly host?: string | undefined
  readonly port: number
  readonly cert?: string | undefined
}

/** Throws UsageError, ConfigError. @param what of `from` it is */
async function reach({ host = "127.0.0.1", port, ...door }: Door, what: string, from: string, options: Arguments) {
  if (port === 0)
    throw new UsageError(`the ${what} of ${from} takes a free port, so nobody knows it here: give the URL instead`)
  const address = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
  const cert = "cert" in door ? door.cert : undefined
  const name = options.text("server-name") ?? (cert === undefined ? address : nameIn(cert, address))
  return { address, host: name, ca: authority(options, (await clientFiles(cert, undefined)).ca) }
}

/** A name that a certificate has: the address where it has that, else its first. One that cannot be read here has none. */
function nameIn(path: string, address: string): string {
  try {
    const names = parseCertificates(readFileSync(path))[0]?.extensions.subjectAltName ?? []
    if (matchNames(names, referenceHost(address))) return address
    const usable = names.filter(({ kind }) => kind === "dns" || kind === "ip")
    const [first] = usable.map((name) => generalNameText(name).replace(/^\w+:/, ""))
    // A wildcard stands for any label.
    return first?.replace(/^\*\./, "puremq.") ?? address
  } catch (error) {
    if (error instanceof X509Error || (error instanceof Error && "code" in error)) return address
    throw error
  }
}

/** PEM of the file of --cafile, or of this one. Throws ConfigError. */
function authority(options: Arguments, otherwise: string | undefined): string | undefined {
  const file = options.text("cafile") ?? otherwise
  return file === undefined ? undefined : usableAuthorities(readCertificates(file, "the authority"), file, tell)
}
