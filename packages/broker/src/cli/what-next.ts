// What `puremq start` prints for another terminal: commands that work as they stand, with every file and name that they need.

import { existsSync, readFileSync } from "node:fs"
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path"
import { Oid, parseCertificates, trustStoreFromPem, validatePath } from "@puremq/tls13/x509"
import type { BrokerConfig } from "../config/config.ts"
import { isLoopback } from "../listen/http-rules.ts"
import type { ListenerAddress } from "../platform/node.ts"

/** What clients need, as far as it lies where `puremq cert` puts it. */
export interface ClientFiles {
  /** Authority of the server's certificate. */
  readonly ca?: string | undefined
  readonly client?: { readonly cert: string; readonly key: string } | undefined
}

/** Looks beside the files that the broker was given. @param cert of the server @param ca of clients */
export async function clientFiles(cert: string | undefined, ca: string | undefined): Promise<ClientFiles> {
  const authority = cert === undefined ? undefined : join(dirname(cert), "ca.pem")
  const [own, key] = ["client.pem", "client-key.pem"].map((name) => join(dirname(ca ?? ""), name))
  const client = ca !== undefined && own && key && existsSync(key) && (await isIssued(own, ca, "clientAuth"))
  return {
    ca:
      cert !== undefined && authority !== undefined && (await isIssued(cert, authority, "serverAuth"))
        ? authority
        : undefined,
    client: client ? { cert: own, key } : undefined,
  }
}

/** Whether the certificate would be accepted by whoever trusts the other file. What cannot be read would not. */
async function isIssued(cert: string, ca: string, usage: "clientAuth" | "serverAuth"): Promise<boolean> {
  if (!existsSync(cert) || !existsSync(ca)) return false
  const { createHostProvider } = await import("@puremq/tls13/crypto/host")
  try {
    const [leaf, ...intermediates] = parseCertificates(readFileSync(cert))
    const trust = trustStoreFromPem(readFileSync(ca))
    const provider = createHostProvider()
    const rules = { trust, provider, now: Date.now(), usage: Oid[usage] }
    return leaf !== undefined && validatePath({ leaf, intermediates, ...rules }).accepted
  } catch {
    return false
  }
}

/** Words for the place of what is not known here, and what they stand for. */
const placeholders: Readonly<Record<string, string>> = {
  "CA.pem": "the authority of the server's certificate",
  "CLIENT.pem": "a client's certificate",
  "CLIENT-KEY.pem": "its private key",
  USER: "one of the password file; puremq reads the password from PUREMQ_PASSWORD",
  PASSWORD: "the user's password",
}

/** What runs now: the file of the process, and the script that it was given, if it was. */
export interface Running {
  readonly executable: string
  readonly script: string | undefined
}

/** Single files (`npm run bundle`) go without npm: they are their own command. Undefined: it is none. */
function singleFile(folder: string, { executable, script = "" }: Running): string | undefined {
  const isOfRuntime = /^(node|deno|bun)/i.test(basename(executable))
  if (!isOfRuntime) return wordFor(folder, executable)
  if (basename(script) !== "puremq.mjs") return undefined
  const runtime = basename(executable).replace(/\.exe$/i, "")
  return `${runtime === "deno" ? "deno run -A" : runtime} ${wordFor(folder, script)}`
}

/** As a shell takes it in that folder. */
function wordFor(folder: string, path: string): string {
  const near = relative(folder, path)
  return quotedWord(near.startsWith("..") || isAbsolute(near) ? path : `.${sep}${near}`)
}

/**
 * The command for this folder. `npx puremq` is for where the package is installed: elsewhere npx would look for a package of that
 * name, and it is not ours.
 */
export function commandHere(
  folder: string,
  running: Running = { executable: process.execPath, script: process.argv[1] },
): string {
  return singleFile(folder, running) ?? installedCommand(folder)
}

function installedCommand(folder: string): string {
  if (existsSync(join(folder, "node_modules/.bin/puremq"))) return "npx puremq"
  const above = dirname(folder)
  return above === folder ? "npx @puremq/broker" : installedCommand(above)
}

/** Lines to paste into another terminal. @param puremq the command */
export function whatNext(
  addresses: readonly ListenerAddress[],
  config: BrokerConfig,
  { ca, client }: ClientFiles,
  puremq: string,
): string[] {
  const tls = addresses.find(({ type }) => type === "tls")
  const tcp = addresses.find(({ type }) => type === "tcp")
  const { type, host: bound, port } = tls ?? tcp ?? { type: undefined, host: "", port: 0 }
  const commands: string[] = []
  const usesFiles = type === "tls"
  const shownCertificate = usesFiles && needsCertificate(config) ? (client ?? placeholderClient) : undefined
  const named = needsUser(config) && (shownCertificate === undefined || config.login?.certificates === false)
  if (type === "tls") {
    const host = everywhere(bound) ? "localhost" : bound
    const authority = ca ?? "CA.pem"
    const own = options({ "--cert": shownCertificate?.cert, "--key": shownCertificate?.key })
    // It finds the authority of .puremq/ by itself.
    const trust = options({ "--cafile": authority === join(".puremq", "ca.pem") ? undefined : authority })
    const to = `${everywhere(bound) || bound === "127.0.0.1" ? "" : ` -h ${bound}`}${port === 8883 ? "" : ` -p ${port}`}`
    const ours = `${to}${trust}${own}${named ? " -u USER" : ""}`
    const others = `${own}${named ? " -u USER -P PASSWORD" : ""}`
    const openssl = options({ "-cert": shownCertificate?.cert, "-key": shownCertificate?.key })
    commands.push(
      `${puremq} sub${ours} -t 'demo/#' -v`,
      `${puremq} pub${ours} -t demo/hello -m 'hello, world'`,
      `mosquitto_sub -h ${host} -p ${port} --cafile ${authority}${others} -t 'demo/#' -v`,
      `openssl s_client -connect ${host.includes(":") ? `[${host}]` : host}:${port} -tls1_3 -CAfile ${authority}${openssl} -brief`,
    )
  } else if (type === "tcp") {
    const to = everywhere(bound) || bound === "127.0.0.1" ? "" : ` -h ${bound}`
    commands.push(`${puremq} sub --tcp${to} -p ${port}${named ? " -u USER" : ""} -t 'demo/#' -v`)
  }
  const help = `All commands: ${puremq} --help; the options of this one: ${puremq} start --help`
  return [...pasted(commands), help, ...dashboard(addresses, config), "", ...openDoors(addresses, config)]
}

function dashboard(addresses: readonly ListenerAddress[], { admin }: BrokerConfig): string[] {
  const at = addresses.find(({ type }) => type === "admin")
  if (at === undefined) return []
  const host = everywhere(at.host) ? "localhost" : at.host.includes(":") ? `[${at.host}]` : at.host
  const scheme = admin?.cert === undefined ? "http" : "https"
  return [`Dashboard: ${scheme}://${host}:${at.port}/, with a token of its file`]
}

function pasted(commands: readonly string[]): string[] {
  if (commands.length === 0) return []
  const words = new Set(commands.join(" ").split(" "))
  const used = Object.entries(placeholders).filter(([word]) => words.has(word))
  return [
    "",
    "Try it in another terminal, in this folder:",
    ...commands.map((command) => `  ${command}`),
    ...used.map(([word, meaning]) => `  (${word}: ${meaning})`),
    "",
  ]
}

const placeholderClient = { cert: "CLIENT.pem", key: "CLIENT-KEY.pem" }

function options(values: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? "" : ` ${name} ${quotedWord(value)}`))
    .join("")
}

/** For a shell. */
function quotedWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}

function everywhere(host: string): boolean {
  return host === "0.0.0.0" || host === "::"
}

/** Of the first listener with TLS, which is the one that is shown. */
function needsCertificate({ listeners = [], login }: BrokerConfig): boolean {
  const mode = listeners.find((one) => one.type === "tls")?.clientCertificate ?? "none"
  return mode === "require" || (mode !== "none" && login?.anonymous === false && login.passwords === undefined)
}

function needsUser({ login }: BrokerConfig): boolean {
  return login?.passwords !== undefined && login.anonymous !== true
}

function openDoors(addresses: readonly ListenerAddress[], { login, listeners = [] }: BrokerConfig): string[] {
  const letsIn = (name: string) => {
    const own = listeners.find((one) => (one.name ?? one.type) === name)?.login?.anonymous
    return own ?? login?.anonymous ?? login?.passwords === undefined
  }
  const isOurs = ({ type }: ListenerAddress) => type === "metrics" || type === "admin"
  const open = addresses.find((one) => !isOurs(one) && !isLoopback(one.host) && letsIn(one.name))
  if (open === undefined) return []
  return [
    `Warning: ${open.type} on ${open.host}:${open.port} is open to everybody who can reach this machine; see --password-file and --ca`,
  ]
}
