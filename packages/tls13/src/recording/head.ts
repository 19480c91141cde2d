// The head of a recording: whose end it is, and of its configuration what bears on what it sends. With it a replay makes the same
// configuration again, over a provider of its own.

import { Misuse, messageOf } from "../bytes/errors.ts"
import {
  type ClientConfig,
  createClientConfig,
  createLeanClientConfig,
  createServerConfig,
  type ServerConfig,
} from "../connection/config.ts"
import type { CryptoProvider, KeyExchange, SignatureAlgorithm } from "../crypto/provider.ts"
import { signatureScheme } from "../crypto/signature-schemes.ts"
import type { ClientFeatures } from "../handshake/client/client.ts"
import { allFeatures } from "../handshake/client/features.ts"
import type { ClientOptions, CommonOptions, MessageRewriter, ServerOptions } from "../handshake/options.ts"
import type { CommonSettings } from "../handshake/settings.ts"
import type { AskedOfPeer, CertificateVerifier } from "../x509/interfaces.ts"
import { echOptionsOf, echStandIn } from "./ech.ts"
import { RecordingError } from "./errors.ts"
import { absent } from "./key-exchange.ts"
import type { Ask, Call } from "./lines.ts"
import { fromPlain, toPlain } from "./plain.ts"

export const recordingFormat = "tls13-recording"
export const recordingVersion = 1

const warning =
  "ALL SECRETS OF THE CONNECTION ARE IN HERE: who has this file reads everything, and with external PSKs the connections of others too"

/** How an option comes into the head: as it is, by names, or as a callback whose answers are recorded. */
type Kind = "value" | "named" | "callback" | "left out"

const common: Readonly<Record<keyof CommonOptions, Kind>> = {
  provider: "named",
  cipherSuites: "named",
  groups: "named",
  signatureSchemes: "named",
  alpnProtocols: "value",
  recordSizeLimit: "value",
  maxFragment: "value",
  padding: "callback",
  grease: "value",
  certificateCompression: "callback",
  allowPskWithoutKeyExchange: "value",
  limits: "value",
  resumptionPartition: "value",
  trace: "left out",
  random: "callback",
  certificateTypes: "value",
}
/** All of them, as the compiler sees: an option that is added is recorded too, or is said here to make no difference. */
export const clientKinds: Readonly<Record<keyof ClientOptions, Kind>> = {
  ...common,
  serverName: "value",
  sendServerName: "value",
  verifier: "callback",
  credentials: "callback",
  keyShares: "named",
  sessionStore: "callback",
  reverifyOnResumption: "value",
  sessionKey: "value",
  ticketRequest: "value",
  externalPsks: "value",
  earlyData: "value",
  requestOcspResponse: "value",
  requestSignedCertificateTimestamps: "value",
  authorities: "value",
  postHandshakeAuth: "value",
  encryptedClientHello: "callback",
  permuteExtensions: "value",
  middleboxCompatibility: "value",
}
export const serverKinds: Readonly<Record<keyof ServerOptions, Kind>> = {
  ...common,
  credentials: "callback",
  clientAuthentication: "callback",
  ticketer: "callback",
  tickets: "value",
  ticketsOnRequest: "value",
  ticketLifetime: "value",
  externalPsks: "callback",
  earlyData: "callback",
  statelessRetry: "callback",
  encryptedClientHello: "callback",
  preference: "value",
}

/* ---------------------------------------------------------------- writing */

export function headOf(config: ClientConfig | ServerConfig, now: number): object {
  return {
    format: recordingFormat,
    version: recordingVersion,
    warning,
    role: config.role,
    now,
    provider: {
      cipherSuites: config.provider.cipherSuites.map(({ name, code }) => ({ name, code })),
      keyExchanges: config.provider.keyExchanges.map(({ name, code }) => ({ name, code })),
      signatures: config.provider.signatures.map(({ name, verifyLater }) => ({
        name,
        later: verifyLater !== undefined,
      })),
    },
    chosen: {
      cipherSuites: config.cipherSuites.map(({ name }) => name),
      groups: config.groups.map(({ name }) => name),
      signatureSchemes: config.signatureSchemes.map((code) => signatureScheme(code)?.name),
      ...(config.role === "client" && { keyShares: config.keyShares.map(({ name }) => name) }),
    },
    options: toPlain(valuesOf(config, config.role === "client" ? clientKinds : serverKinds)),
    callbacks: toPlain(config.role === "client" ? clientCallbacks(config) : serverCallbacks(config)),
  }
}

function valuesOf(config: object, kinds: Readonly<Record<string, Kind>>): object {
  const entries = Object.entries(config).filter(([name, value]) => kinds[name] === "value" && value !== undefined)
  return Object.fromEntries(entries)
}

function commonCallbacks(config: CommonSettings): object {
  return {
    padding: config.padding !== undefined,
    compression: config.certificateCompression.map(({ code, name }) => ({ code, name })),
    rewriteMessage: config.rewriteMessage !== undefined,
  }
}

function clientCallbacks(config: ClientConfig): object {
  const { verifier, credentials, sessionStore, encryptedClientHello: ech, features } = config
  return {
    ...commonCallbacks(config),
    verifier: verifier && verifierParts(verifier),
    credentials: credentials !== undefined,
    sessionStore: sessionStore !== undefined,
    encryptedClientHello: ech && echCallback(ech),
    features: Object.keys(allFeatures).filter((name) => features[name as keyof ClientFeatures] !== undefined),
  }
}

/** What a verifier may have, or may not. */
function verifierParts({ leafKey, asks }: CertificateVerifier): object {
  // All of them, as the compiler sees.
  const asked: Readonly<Record<keyof AskedOfPeer, boolean>> = {
    delegatedSchemes: asks?.delegatedSchemes !== undefined,
    signedCertificateTimestamps: asks?.signedCertificateTimestamps === true,
  }
  return { leafKey: leafKey !== undefined, ...asked }
}

function echCallback(ech: NonNullable<ClientConfig["encryptedClientHello"]>): object {
  const options = echOptionsOf(ech)
  return {
    suites: options.provider.cipherSuites.map(({ name }) => name),
    groups: options.provider.keyExchanges.map(({ name, code }) => ({ name, code })),
    ...("configs" in options && { configs: options.configs, outerAlpnProtocols: options.outerAlpnProtocols }),
  }
}

function serverCallbacks(config: ServerConfig): object {
  const { credentials, clientAuthentication, ticketer, externalPsks, earlyData, statelessRetry } = config
  const { verifier, ...asking } = clientAuthentication ?? {}
  const { replayGuard: _, ...takes } = earlyData ?? {}
  return {
    ...commonCallbacks(config),
    credentials: credentials !== undefined,
    clientAuthentication: verifier && { ...asking, verifier: verifierParts(verifier) },
    ticketer: ticketer !== undefined,
    externalPsks: externalPsks !== undefined,
    earlyData: earlyData && takes,
    statelessRetry: statelessRetry !== undefined,
    encryptedClientHello: config.encryptedClientHello !== undefined,
  }
}

/* ---------------------------------------------------------------- reading */

/** What a head says, as far as it does not depend on a provider. */
export interface Head {
  readonly role: "client" | "server"
  /** Milliseconds since 1970: when the connection was made. */
  readonly now: number
  readonly fields: Fields
}

/** The names that objects of a file have, its head first. */
type FieldName =
  | "format"
  | "version"
  | "role"
  | "provider"
  | "chosen"
  | "options"
  | "callbacks"
  | "cipherSuites"
  | "keyExchanges"
  | "signatures"
  | "groups"
  | "signatureSchemes"
  | "keyShares"
  | "name"
  | "code"
  | "later"
  | "padding"
  | "compression"
  | "rewriteMessage"
  | "verifier"
  | "leafKey"
  | "delegatedSchemes"
  | "signedCertificateTimestamps"
  | "credentials"
  | "sessionStore"
  | "encryptedClientHello"
  | "features"
  | "suites"
  | "configs"
  | "outerAlpnProtocols"
  | "clientAuthentication"
  | "ticketer"
  | "externalPsks"
  | "earlyData"
  | "statelessRetry"
  | "end"
  | "gave"
  | "message"
  | "word"
  | "kind"
  | "output"
  | "failure"
  | "events"
  | "waitsFor"
  | keyof Call
  | keyof Ask

/** An object of the file, of which nothing is believed. */
export type Fields = { readonly [Name in FieldName]?: unknown }

/** @throws RecordingError */
export function readHead(value: unknown): Head {
  const fields = fieldsOf(value, "the head")
  const { format, version, role, now } = fields
  if (format !== recordingFormat) {
    const wanted = `its first line has no "format" of "${recordingFormat}"`
    if (format === `${recordingFormat}-redacted`)
      throw new RecordingError("a redacted recording: its secrets are gone, so it can be read and not run")
    throw new RecordingError(`no recording: ${wanted}`)
  }
  if (version !== recordingVersion) {
    throw new RecordingError(
      `a recording of version ${JSON.stringify(version)?.slice(0, 40)}, of which ${recordingVersion} is read: use the version that wrote it`,
    )
  }
  if (role !== "client" && role !== "server")
    throw new RecordingError('line 1: its "role" is neither client nor server')
  return { role, now: timeOf(now, "line 1"), fields }
}

/** The last that a date can be: whoever shows one need not ask. */
const latestTime = 8_640_000_000_000_000

export function timeOf(value: unknown, where: string): number {
  if (typeof value === "number" && value >= 0 && value <= latestTime) return value
  throw new RecordingError(`${where} has no "now" in milliseconds since 1970`)
}

export function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields
  throw new RecordingError(`${where} is no object`)
}

function listOf(value: unknown, where: string): readonly unknown[] {
  if (Array.isArray(value)) return value
  throw new RecordingError(`line 1: "${where}" is no list`)
}

function namesOf(value: unknown, where: string): readonly string[] {
  return listOf(value, where).map((name) => {
    if (typeof name === "string") return name
    throw new RecordingError(`line 1: "${where}" is no list of names`)
  })
}

function namedCodes(value: unknown, where: string): readonly { readonly name: string; readonly code: number }[] {
  return listOf(value, where).map((each) => {
    const { name, code } = fieldsOf(each, `an entry of "${where}"`)
    if (typeof name === "string" && Number.isInteger(code)) return { name, code: code as number }
    throw new RecordingError(`line 1: "${where}" is no list of names and codes`)
  })
}

/**
 * The configuration, with callbacks that nobody is behind.
 * @param provider of which suites, hashes and signature checks are taken
 * @throws RecordingError for what makes no sense, and for what the provider does not have
 */
export function configOf({ role, fields }: Head, provider: CryptoProvider): ClientConfig | ServerConfig {
  try {
    const options = pick(fromPlain(fields.options, "line 1"), role === "client" ? clientKinds : serverKinds)
    const chosen = fieldsOf(fields.chosen, '"chosen" of line 1')
    const callbacks = fieldsOf(fromPlain(fields.callbacks, "line 1"), '"callbacks" of line 1')
    const { rewriteMessage } = callbacks
    const rewriter: MessageRewriter | undefined = rewriteMessage === true ? absent : undefined
    const schemes = namesOf(chosen.signatureSchemes, "signatureSchemes")
    const shared = {
      ...options,
      provider: providerOf(fields.provider, provider),
      cipherSuites: namesOf(chosen.cipherSuites, "cipherSuites"),
      groups: namesOf(chosen.groups, "groups"),
      // None: signatures are not used, and none may be named.
      ...(schemes.length > 0 && { signatureSchemes: schemes }),
      ...(callbacks.padding === true && { padding: absent }),
      certificateCompression: namedCodes(callbacks.compression, "compression").map((each) => ({
        ...each,
        compress: absent,
        decompress: absent,
      })),
    }
    if (role === "server") return createServerConfig({ ...shared, ...serverOptionsOf(callbacks) }, rewriter)
    const keyShares = namesOf(chosen.keyShares, "keyShares")
    const clientOptions: ClientOptions = { ...shared, ...clientOptionsOf(callbacks, provider), keyShares }
    const features = featuresOf(callbacks.features)
    return features === undefined
      ? createClientConfig(clientOptions, rewriter)
      : createLeanClientConfig(clientOptions, features)
  } catch (error) {
    if (error instanceof RecordingError) throw error
    const what = error instanceof Misuse ? messageOf(error) : `it is of no configuration (${messageOf(error)})`
    throw new RecordingError(`line 1: its configuration cannot be made again: ${what}`)
  }
}

function pick(options: unknown, kinds: Readonly<Record<string, Kind>>): object {
  const entries = Object.entries(fieldsOf(options, '"options" of line 1'))
  const other = entries.find(([name]) => !Object.hasOwn(kinds, name) || kinds[name] !== "value")
  if (other !== undefined)
    throw new RecordingError(`line 1: ${JSON.stringify(other[0].slice(0, 40))} is no option that is recorded`)
  return Object.fromEntries(entries)
}

/** undefined: all. */
function featuresOf(names: unknown): ClientFeatures | undefined {
  const all = Object.entries(allFeatures)
  const wanted = namesOf(names, "features")
  if (all.every(([name]) => wanted.includes(name))) return undefined
  return Object.fromEntries(all.filter(([name]) => wanted.includes(name)))
}

function noVerifier(value: unknown): CertificateVerifier {
  const { leafKey, delegatedSchemes, signedCertificateTimestamps } = fieldsOf(value, "a verifier of line 1")
  return {
    verify: absent,
    ...(leafKey === true && { leafKey: absent }),
    asks: {
      ...(delegatedSchemes === true && { delegatedSchemes: absent }),
      ...(signedCertificateTimestamps === true && { signedCertificateTimestamps }),
    },
  }
}

function clientOptionsOf(callbacks: Fields, provider: CryptoProvider): Partial<ClientOptions> {
  const { verifier, credentials, sessionStore, encryptedClientHello: ech } = callbacks
  return {
    ...(verifier !== undefined && { verifier: noVerifier(verifier) }),
    ...(credentials === true && { credentials: { resolve: absent } }),
    ...(sessionStore === true && { sessionStore: { take: absent, put: absent } }),
    ...(ech !== undefined && { encryptedClientHello: echOf(fieldsOf(ech, "encryptedClientHello"), provider) }),
  }
}

function echOf({ suites, groups, configs, outerAlpnProtocols }: Fields, provider: CryptoProvider) {
  const names = namesOf(suites, "suites")
  const over = {
    random: absent,
    cipherSuites: names.map((name) => suiteOf(name, provider)),
    keyExchanges: namedCodes(groups, "groups").map(groupOf),
  }
  if (configs === undefined) return echStandIn({ provider: over })
  if (!(configs instanceof Uint8Array)) throw new RecordingError('line 1: "configs" are no bytes')
  const alpn = outerAlpnProtocols === undefined ? {} : { outerAlpnProtocols: namesOf(outerAlpnProtocols, "outer") }
  return echStandIn({ provider: over, configs, ...alpn })
}

function serverOptionsOf(callbacks: Fields): Partial<ServerOptions> {
  const { credentials, clientAuthentication, ticketer, externalPsks, earlyData, statelessRetry } = callbacks
  const { encryptedClientHello } = callbacks
  return {
    ...(credentials === true && { credentials: { resolve: absent } }),
    ...(clientAuthentication !== undefined && { clientAuthentication: clientAuthenticationOf(clientAuthentication) }),
    ...(ticketer === true && { ticketer: { seal: absent, open: absent } }),
    ...(externalPsks === true && { externalPsks: { lookup: absent } }),
    ...(earlyData !== undefined && { earlyData: earlyDataOf(earlyData) }),
    ...(statelessRetry === true && {
      statelessRetry: { cookies: { seal: absent, open: absent }, requireCookie: absent },
    }),
    ...(encryptedClientHello === true && { encryptedClientHello: { begin: absent } }),
  }
}

function clientAuthenticationOf(value: unknown): NonNullable<ServerOptions["clientAuthentication"]> {
  const { verifier, ...asking } = fieldsOf(value, "clientAuthentication")
  // Checked like any application's: createServerConfig refuses what makes no sense.
  return { ...(asking as { readonly mode: "request" }), verifier: noVerifier(verifier) }
}

function earlyDataOf(value: unknown): NonNullable<ServerOptions["earlyData"]> {
  return { ...(fieldsOf(value, "earlyData") as { readonly maxBytes: number }), replayGuard: { take: absent } }
}

/* ---------------------------------------------------------------- the provider of a replay */

function providerOf(value: unknown, provider: CryptoProvider): CryptoProvider {
  const { cipherSuites, keyExchanges, signatures } = fieldsOf(value, '"provider" of line 1')
  return {
    name: "replay",
    random: absent,
    cipherSuites: namedCodes(cipherSuites, "cipherSuites").map(({ name }) => suiteOf(name, provider)),
    keyExchanges: namedCodes(keyExchanges, "keyExchanges").map(groupOf),
    signatures: listOf(signatures, "signatures").map((each) => signatureOf(fieldsOf(each, "a signature"), provider)),
  }
}

function suiteOf(name: string, { cipherSuites }: Pick<CryptoProvider, "cipherSuites">) {
  const suite = cipherSuites.find((each) => each.name === name)
  if (suite !== undefined) return suite
  const has = cipherSuites.map((each) => each.name).join(", ")
  throw new RecordingError(`the provider has no ${name.slice(0, 60)} (it has ${has}): replay with one that has`)
}

/** Its answers are in the recording, so no provider needs to have it. */
function groupOf({ name, code }: { readonly name: string; readonly code: number }): KeyExchange {
  return { name: name as KeyExchange["name"], code, start: absent, respond: absent }
}

function signatureOf({ name, later }: Fields, provider: CryptoProvider): SignatureAlgorithm {
  const own = provider.signatures.find((each) => each.name === name)
  return {
    name: name as SignatureAlgorithm["name"],
    verify: own === undefined ? absent : (...args) => own.verify(...args),
    sign: absent,
    ...(later === true && { verifyLater: absent }),
  }
}
