import { identityRules } from "@puremq/tls13/x509"
import { type FileConfig, type FileListener, network, origin } from "../config/check.ts"
import type { BrokerConfig, ListenerConfig } from "../config/config.ts"
import { loadConfigFile, readFiles, watchedFilesOf } from "../config/load.ts"
import { createBroker } from "../node-broker.ts"
import type { ClientCertificateMode } from "../transport/tls.ts"
import { type Arguments, parseAddress, parseArguments, UsageError } from "./arguments.ts"
import { developmentCertificates } from "./certificates.ts"
import { handshakeLimitsOf, limitOptions, limitsOf } from "./limit-options.ts"
import { LineOutput, logTo } from "./output.ts"
import { reloadFiles } from "./reload.ts"
import { clientFiles, whatNext } from "./what-next.ts"

const options = {
  config: { type: "string" },
  tls: { type: "string" },
  wss: { type: "string" },
  tcp: { type: "string" },
  ws: { type: "string" },
  "no-tls": { type: "boolean" },
  cert: { type: "string" },
  key: { type: "string" },
  "key-password-file": { type: "string" },
  ca: { type: "string" },
  "client-cert": { type: "string" },
  identity: { type: "string" },
  crl: { type: "string" },
  revocation: { type: "string" },
  reload: { type: "string" },
  "password-file": { type: "string" },
  anonymous: { type: "boolean" },
  acl: { type: "string" },
  "disconnect-revoked": { type: "boolean" },
  metrics: { type: "string" },
  log: { type: "string" },
  origin: { type: "string", multiple: true },
  "proxy-protocol": { type: "string", multiple: true },
  ...limitOptions,
} as const

interface Plan {
  readonly config: BrokerConfig
  readonly log: "text" | "json" | "none"
  /** Where it has its certificates from, for the lines to paste. */
  readonly files: { readonly cert?: string | undefined; readonly ca?: string | undefined }
  /** The authority of a development certificate that was made now. */
  readonly made: string | undefined
  /** Seconds between two looks at the files. */
  readonly reload: number | undefined
  readonly watchedFiles: readonly string[]
  readonly warnings: readonly string[]
  /** The configuration, with its files read again. */
  readonly again: () => Pick<Plan, "config" | "warnings">
}

/** Runs the broker until a signal; resolves when it is closed. */
export async function start(args: readonly string[]): Promise<void> {
  const plan = makePlan(args)
  const { log } = plan
  const output = new LineOutput(process.stdout, (why) => {
    process.stderr.write(`puremq: the log cannot be written any more (${why}); the broker goes on without it\n`)
  })
  const print = (line: string) => output.line(line)
  const onEvent = log === "none" ? () => undefined : logTo(output, log)
  const stopped = stopSignal()
  const broker = createBroker({ ...plan.config, onEvent })
  const warn = (text: string) => onEvent({ event: "warning", text })
  for (const text of plan.warnings) warn(text)
  const listening = broker.listen()
  const refused = (text: string) => onEvent({ event: "error", text })
  const { config: started, watchedFiles: files, reload: every } = plan
  const read = () => {
    const { config, warnings } = plan.again()
    for (const text of warnings) warn(text)
    return config
  }
  const stopReloading = reloadFiles({ broker, started, read, files, every, refused, ready: listening, warn })
  const addresses = await listening
  if (log !== "json") {
    if (plan.made !== undefined) print(`Made a development certificate; its authority is ${plan.made}`)
    const clients = await clientFiles(plan.files.cert, plan.files.ca)
    for (const line of whatNext(addresses, plan.config, clients)) print(line)
  }
  await stopped
  stopReloading()
  await broker.close()
}

function makePlan(args: readonly string[]): Plan {
  const given = parseArguments("start", args, options)
  if (given.positionals.length > 0)
    throw new UsageError(`unexpected ${given.positionals[0]}; see "puremq start --help"`)
  const file = given.text("config")
  if (file !== undefined) {
    if (args.length > 2) throw new UsageError("--config goes without other options; put them into the file")
    const load = () => loadConfigFile(file, Date.now())
    return { ...load(), files: {}, made: undefined, again: load }
  }
  const log = given.oneOf("log", "text", "json", "none") ?? "text"
  return { ...planOf(given), log, again: () => planOf(given) }
}

function planOf(given: Arguments): Omit<Plan, "log" | "again"> {
  const now = Date.now()
  const secure = certificatesOf(given, now)
  const listeners: FileListener[] = []
  const handshakes = handshakeLimitsOf(given)
  const origins = listOf(given, "origin", origin)
  const web = origins.length > 0 ? { origins } : {}
  const trusted = listOf(given, "proxy-protocol", network)
  const proxied = trusted.length > 0 ? { proxyProtocol: { trusted } } : {}
  if (secure !== undefined) {
    const shared = { ...secure.files, ...handshakes, ...proxied }
    if (!given.flag("no-tls"))
      listeners.push({ type: "tls", ...parseAddress("tls", given.text("tls") ?? "8883"), ...shared })
    const wss = given.text("wss")
    if (wss !== undefined) listeners.push({ type: "wss", ...parseAddress("wss", wss), ...shared, ...web })
  } else if (Object.keys(handshakes).length > 0)
    throw new UsageError('limits of TLS handshakes need a listener with TLS, see "puremq start --help"')
  for (const type of ["tcp", "ws"] as const) {
    const address = given.text(type)
    if (address !== undefined)
      listeners.push({ type, ...parseAddress(type, address), ...proxied, ...(type === "ws" && web) })
  }
  if (origins.length > 0 && !listeners.some(({ type }) => type === "ws" || type === "wss"))
    throw new UsageError("--origin is about WebSocket: add --ws or --wss")
  if (listeners.length === 0)
    throw new UsageError('--no-tls leaves no listener; add --tcp or --ws, see "puremq start --help"')
  const metrics = given.text("metrics")
  const passwordFile = given.text("password-file")
  const aclFile = given.text("acl")
  const limits = limitsOf(given)
  const file: FileConfig = {
    listeners,
    ...(Object.keys(limits).length > 0 && { limits }),
    ...((passwordFile !== undefined || given.flag("anonymous")) && {
      login: {
        ...(passwordFile !== undefined && { passwordFile }),
        ...(given.flag("anonymous") && { anonymous: true }),
      },
    }),
    ...(aclFile !== undefined && { aclFile }),
    ...(given.flag("disconnect-revoked") && { disconnectRevoked: true }),
    ...(metrics !== undefined && { metrics: parseAddress("metrics", metrics) }),
  }
  const warnings: string[] = []
  return {
    config: anonymousRule(readFiles(file, process.cwd(), now, (text) => warnings.push(text))),
    warnings,
    files: { cert: secure?.files.cert, ca: secure?.files.ca },
    made: secure?.made,
    reload: given.number("reload", 1, 86_400),
    watchedFiles: watchedFilesOf(file, process.cwd()),
  }
}

/** An option that may be repeated, and have several values with commas between them. */
function listOf(given: Arguments, option: string, check: typeof origin): string[] {
  const values = given.texts(option).flatMap((value) => value.split(","))
  return values.map((value) => check(value.trim(), `--${option}`))
}

/** With client certificates required there is a login already; otherwise passwords decide. */
function anonymousRule(config: BrokerConfig): BrokerConfig {
  if (config.login?.anonymous !== undefined || config.login?.passwords !== undefined) return config
  const everyListener = (config.listeners ?? []).every(
    (one: ListenerConfig) => "clientCertificate" in one && one.clientCertificate === "require",
  )
  return everyListener ? { ...config, login: { ...config.login, anonymous: false } } : config
}

interface Certificates {
  readonly files: Pick<
    FileListener,
    "cert" | "key" | "keyPasswordFile" | "ca" | "clientCertificate" | "identity" | "crl" | "revocation"
  >
  /** The development authority, when it was made now. */
  readonly made: string | undefined
}

function certificatesOf(given: Arguments, now: number): Certificates | undefined {
  if (given.flag("no-tls") && given.text("wss") === undefined) return undefined
  const cert = given.text("cert")
  const key = given.text("key")
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError(
      `--${cert === undefined ? "key needs --cert" : "cert needs --key"}: a certificate and its private key go together`,
    )
  }
  const keyPasswordFile = given.text("key-password-file")
  if (keyPasswordFile !== undefined && key === undefined)
    throw new UsageError("--key-password-file is about the key of --key: give one")
  const ca = given.text("ca")
  const clientCertificate =
    given.oneOf("client-cert", "none", "request", "require", "request-any") ?? (ca === undefined ? "none" : "require")
  if (clientCertificate !== "none" && ca === undefined) {
    throw new UsageError("--client-cert needs --ca: the authority that clients' certificates are checked against")
  }
  const clients = { clientCertificate, ...(ca !== undefined && { ca }), ...clientRules(given, clientCertificate) }
  if (cert !== undefined && key !== undefined) {
    const password = keyPasswordFile === undefined ? {} : { keyPasswordFile }
    return { files: { cert, key, ...password, ...clients }, made: undefined }
  }
  const { cert: own, key: ownKey, ca: authority, made } = developmentCertificates(".puremq", now)
  return { files: { cert: own, key: ownKey, ...clients }, made: made ? authority : undefined }
}

/** What is asked of client certificates beyond their authority. */
function clientRules(
  given: Arguments,
  clientCertificate: ClientCertificateMode,
): Pick<FileListener, "identity" | "crl" | "revocation"> {
  const identity = given.oneOf("identity", ...identityRules)
  const crl = given.text("crl")
  const revocation = given.oneOf("revocation", "require", "ifPresent", "off")
  for (const [name, value] of Object.entries({ identity, crl, revocation })) {
    if (value !== undefined && clientCertificate === "none")
      throw new UsageError(`--${name} is about client certificates, which nobody asks for: add --ca FILE`)
  }
  if (revocation === "require" && crl === undefined)
    throw new UsageError("--revocation require needs --crl: the lists to look certificates up in")
  return {
    ...(identity !== undefined && { identity }),
    ...(crl !== undefined && { crl }),
    ...(revocation !== undefined && { revocation }),
  }
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on("SIGINT", stop)
    process.on("SIGTERM", stop)
  })
}
