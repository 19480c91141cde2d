// Configuration: what applications write, checked once, and shared by all connections made with it.

import type { HandshakeTypeName } from "../bytes/code-points.ts"
import { copyOf } from "../bytes/copy.ts"
import { Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { authoritiesLength } from "../codec/extensions/certificate-authorities.ts"
import type { TicketRequest } from "../codec/extensions/ticket-request.ts"
import { draw } from "../crypto/draw.ts"
import type { CipherSuiteAlgorithms, CryptoProvider, KeyExchange, RandomSource } from "../crypto/provider.ts"
import { signatureSchemes } from "../crypto/signature-schemes.ts"
import type { CertificateCompression } from "../handshake/settings.ts"
import {
  type ClientSettings,
  type CommonSettings,
  clientHelloShare,
  type ServerSettings,
} from "../handshake/settings.ts"
import type { PaddingPolicy } from "../record/padding.ts"
import {
  type ClientSessionStore,
  type CookieSealer,
  copyOfPsk,
  type ExternalPsk,
  type ExternalPskStore,
  type ReplayGuard,
  type Ticketer,
} from "../session/session.ts"
import type { TraceSink } from "../trace/events.ts"
import type { CertificateType, CertificateVerifier, CredentialResolver, OidFilter } from "../x509/interfaces.ts"
import { defaultLimits, type Limits, limitsWith } from "./limits.ts"

export interface CommonOptions {
  /** The cryptography: `createNobleProvider()` and its kin. */
  readonly provider: CryptoProvider
  /** Names, in order of preference; default: all of the provider's, in its order. */
  readonly cipherSuites?: readonly string[]
  /** As above; a server leaves out secp384r1 and secp521r1 unless they are named here (decision 6). */
  readonly groups?: readonly string[]
  readonly signatureSchemes?: readonly string[]
  /** Protocol names (RFC 7301), in order of preference; none: ALPN is not used. */
  readonly alpnProtocols?: readonly string[]
  /** RFC 8449: 64 to 16385 bytes of inner plaintext that the peer may send in a record. */
  readonly recordSizeLimit?: number
  /** The most bytes of content in a record that we send, 64 to 16384; default: 16384. */
  readonly maxFragment?: number
  /** Bytes of padding for a record (RFC 9846 section 5.4). */
  readonly padding?: PaddingPolicy
  /**
   * Sends values that mean nothing, of RFC 8701: a client in its hello, a server in tickets. Peers that do not ignore them as
   * they must are found by it. Default false.
   */
  readonly grease?: boolean
  /** RFC 8879: algorithms for certificates, both sent and received, in order of preference. */
  readonly certificateCompression?: readonly CertificateCompression[]
  readonly limits?: Partial<Limits>
  /** Sessions are resumed only under the same name; name it anew when the rules become stricter. */
  readonly resumptionPartition?: string
  readonly trace?: TraceSink
  /** Instead of the provider's random source: tests, and devices with their own. */
  readonly random?: RandomSource
  readonly certificateTypes?: {
    readonly client?: readonly CertificateType[]
    readonly server?: readonly CertificateType[]
  }
}

export interface ClientOptions extends CommonOptions {
  /** Host name (A-label) or IP address of the server: it is sent (names only) and its certificate must be for it. */
  readonly serverName?: string
  /** Whether server_name is sent; default true. */
  readonly sendServerName?: boolean
  /** Required unless only PSKs are used. */
  readonly verifier?: CertificateVerifier
  /** Client certificates. */
  readonly credentials?: CredentialResolver
  /**
   * Groups for which the first ClientHello has a share; default: the first one, and where that is a hybrid with ML-KEM
   * the first classical one too, for servers that know no hybrids. None: the server asks for one, a round trip more.
   */
  readonly keyShares?: readonly string[]
  readonly sessionStore?: ClientSessionStore
  /**
   * Asks the verifier again before a session is offered; one that it refuses by now is not. Default false. Stapled OCSP
   * responses are not remembered: a verifier that insists on one refuses.
   */
  readonly reverifyOnResumption?: boolean
  /** Names the server in the session store; default: serverName. */
  readonly sessionKey?: string
  /** RFC 9149: tickets to ask for after a full handshake and after a resumed one, each 0 to 255. Default: the server's choice. */
  readonly ticketRequest?: { readonly newSession: number; readonly resumption: number }
  readonly externalPsks?: readonly ExternalPsk[]
  /** psk_ke: without forward secrecy. */
  readonly allowPskWithoutKeyExchange?: boolean
  /** Offers 0-RTT with sessions that allow it. Early data can be replayed: RFC 9846 section 8. */
  readonly earlyData?: boolean
  readonly requestOcspResponse?: boolean
  readonly requestSignedCertificateTimestamps?: boolean
  /**
   * DER distinguished names to name in certificate_authorities: of whom the server's certificate had best be (section 4.3.4).
   * Left out when they take more than 16,384 bytes.
   */
  readonly authorities?: readonly Uint8Array[]
  /** Lets the server ask for a client certificate at any time after the handshake (section 4.3.6). */
  readonly postHandshakeAuth?: boolean
  /** Draws the order of extensions for each connection; default false. */
  readonly permuteExtensions?: boolean
  /** Appendix E.4; default true. */
  readonly middleboxCompatibility?: boolean
}

export interface ServerOptions extends CommonOptions {
  /** Required unless only PSKs are used. */
  readonly credentials?: CredentialResolver
  readonly clientAuthentication?: {
    /** `post-handshake`: the handshake asks for none; `requestCertificate` does. */
    readonly mode: "request" | "require" | "post-handshake"
    readonly verifier: CertificateVerifier
    /** DER distinguished names to name in certificate_authorities: left out when CertificateRequest would have more than 2^16-1 bytes with them. */
    readonly authorities?: readonly Uint8Array[]
    /** Certificate extensions that the client's certificate must have (section 4.3.5). */
    readonly oidFilters?: readonly OidFilter[]
    /** Asks for an OCSP response with the certificate (section 4.5.1.1): the verifier gets it. Default false. */
    readonly requestOcspResponse?: boolean
    readonly requestSignedCertificateTimestamps?: boolean
    /** Asks the verifier again when a session is resumed; one that it refuses by now is not. Default false. */
    readonly reverifyOnResumption?: boolean
  }
  readonly ticketer?: Ticketer
  /** Tickets after each handshake, 0 to 255; default 2. */
  readonly tickets?: number
  /** Most tickets for a client that asks for a number of them (RFC 9149), 0 to 255; default 8. */
  readonly ticketsOnRequest?: number
  /** Seconds, 1 to 604800; default 7200. */
  readonly ticketLifetime?: number
  readonly externalPsks?: ExternalPskStore
  readonly allowPskWithoutKeyExchange?: boolean
  /**
   * Takes 0-RTT data: at most `maxBytes` a connection, through a replay guard, from tickets whose age is known to
   * within `freshness` milliseconds (default 10000). Early data can be replayed: RFC 9846 section 8.
   */
  readonly earlyData?: { readonly maxBytes: number; readonly replayGuard: ReplayGuard; readonly freshness?: number }
  /**
   * A HelloRetryRequest keeps nothing on the server: what it needs goes to the client and comes back in a cookie (RFC 9846
   * section 4.3.2), to any server whose sealer has the same keys. With `requireCookie` each client has to bring one, which
   * costs a round trip: `true`, or a function that says whether the server is under load right now.
   */
  readonly statelessRetry?: {
    readonly cookies: CookieSealer
    readonly requireCookie?: boolean | (() => boolean)
  }
  /** Whose order of suites and groups counts; default server. */
  readonly preference?: "server" | "client"
}

/** See `./dangerous`. */
export type MessageRewriter = (name: HandshakeTypeName | "hello_retry_request", message: Uint8Array) => Uint8Array

interface ConfigOf<Settings> {
  readonly settings: Settings
  readonly limits: Limits
  readonly random: RandomSource
  readonly trace: TraceSink | undefined
  readonly padding: PaddingPolicy | undefined
  readonly maxFragment: number
}
export type ClientConfig = ConfigOf<ClientSettings>
export type ServerConfig = ConfigOf<ServerSettings>

/** @throws Misuse for options that make no sense, saying which */
export function createClientConfig(options: ClientOptions, rewriteMessage?: MessageRewriter): ClientConfig {
  const common = commonSettings(options, rewriteMessage)
  const { externalPsks = [], serverName, verifier, sessionStore } = options
  if (verifier === undefined && externalPsks.length === 0) {
    throw new Misuse("a client needs a verifier for the server's certificate, or external PSKs")
  }
  const referenceName = serverName === undefined ? undefined : normalizeName(serverName)
  const sendsName = (options.sendServerName ?? true) && referenceName !== undefined && !isIpAddress(referenceName)
  checkOwnNames(common.alpnProtocols, externalPsks)
  const keyShareGroups = keyShares(options, common.groups)
  const sessionKey = options.sessionKey ?? referenceName ?? ""
  const settings: ClientSettings = {
    ...common,
    role: "client",
    referenceName,
    serverName: sendsName ? referenceName : undefined,
    verifier,
    credentials: options.credentials,
    certificateTypes: certificateTypes(options),
    // key_share is in the order of supported_groups (section 4.3.8).
    keyShareGroups: common.groups.filter((group) => keyShareGroups.includes(group)),
    sessions: sessionStore && { store: sessionStore, key: sessionKey },
    ticketRequest: ticketRequest(options),
    externalPsks: externalPsks.map(copyOfPsk),
    allowPskKe: options.allowPskWithoutKeyExchange ?? false,
    offerEarlyData: options.earlyData ?? false,
    requestOcsp: options.requestOcspResponse ?? false,
    requestSignedCertificateTimestamps: options.requestSignedCertificateTimestamps ?? false,
    authorities:
      authoritiesLength(options.authorities ?? []) <= clientHelloShare ? (options.authorities ?? []).map(copyOf) : [],
    reverify: options.reverifyOnResumption ?? false,
    postHandshakeAuth: options.postHandshakeAuth ?? false,
    permuteExtensions: options.permuteExtensions ?? false,
    middleboxCompatibility: options.middleboxCompatibility ?? true,
  }
  // RFC 9149: whoever asks for tickets takes them, and some key updates beside them.
  const { newSessionCount = 0, resumptionCount = 0 } = settings.ticketRequest ?? {}
  const asked = Math.max(newSessionCount, resumptionCount) + 16
  const postHandshakeMessages = Math.max(defaultLimits.postHandshakeMessages, asked)
  return { settings, ...runtime({ ...options, limits: { postHandshakeMessages, ...options.limits } }) }
}

/** @throws Misuse for options that make no sense, saying which */
export function createServerConfig(options: ServerOptions, rewriteMessage?: MessageRewriter): ServerConfig {
  const common = commonSettings(options, rewriteMessage)
  if (options.credentials === undefined && options.externalPsks === undefined) {
    throw new Misuse("a server needs a certificate (credentials), or external PSKs")
  }
  const { clientAuthentication: client, earlyData } = options
  checkOidFilters(client?.oidFilters ?? [])
  const settings: ServerSettings = {
    ...common,
    groups: options.groups === undefined ? serverGroups(common.groups) : common.groups,
    role: "server",
    credentials: options.credentials,
    clientAuthentication: client && {
      requestOcsp: client.requestOcspResponse ?? false,
      requestSignedCertificateTimestamps: false,
      reverify: client.reverifyOnResumption ?? false,
      ...client,
      authorities: (client.authorities ?? []).map(copyOf),
      oidFilters: (client.oidFilters ?? []).map(({ oid, values }) => ({ oid: copyOf(oid), values: copyOf(values) })),
    },
    certificateTypes: certificateTypes(options),
    ticketer: options.ticketer,
    tickets: inRange(options.tickets ?? 2, 0, 255, "tickets"),
    ticketsOnRequest: inRange(options.ticketsOnRequest ?? 8, 0, 255, "ticketsOnRequest"),
    ticketLifetime: inRange(options.ticketLifetime ?? 7200, 1, 604_800, "ticketLifetime"),
    externalPsks: options.externalPsks,
    allowPskKe: options.allowPskWithoutKeyExchange ?? false,
    earlyData: earlyData && { freshness: 10_000, ...earlyData },
    statelessRetry: statelessRetry(options),
    preference: options.preference ?? "server",
    maxCertificateRequests: limitsWith(options.limits).certificateRequests,
    maxPskIdentities: limitsWith(options.limits).pskIdentities,
  }
  // Section 4.3.10: early data that is refused is skipped "up to the configured max_early_data_size".
  const skippedEarlyData = Math.max(defaultLimits.skippedEarlyData, earlyData?.maxBytes ?? 0)
  return { settings, ...runtime({ ...options, limits: { skippedEarlyData, ...options.limits } }) }
}

function commonSettings(options: CommonOptions, rewriteMessage: MessageRewriter | undefined): CommonSettings {
  const { provider } = options
  const available = signatureSchemes.filter((scheme) =>
    provider.signatures.some(({ name }) => name === scheme.algorithm),
  )
  const inHandshake = available.filter((scheme) => !scheme.certificatesOnly)
  const limits = limitsWith(options.limits)
  const codes = (list: readonly { readonly code: number }[]) => list.map(({ code }) => code)
  const byName = ({ name }: { readonly name: string }) => name
  return {
    provider,
    cipherSuites: pick<CipherSuiteAlgorithms>(provider.cipherSuites, options.cipherSuites, "cipher suite", byName),
    groups: pick<KeyExchange>(provider.keyExchanges, options.groups, "group", byName),
    signatureSchemes: codes(pick(inHandshake, options.signatureSchemes, "signature scheme", byName)),
    signatureSchemesCert: codes(available),
    alpnProtocols: (options.alpnProtocols ?? []).map(checkProtocolName),
    recordSizeLimit:
      options.recordSizeLimit === undefined
        ? undefined
        : inRange(options.recordSizeLimit, 64, 16_385, "recordSizeLimit"),
    maxChainLength: limits.chainLength,
    maxCertificateSize: limits.handshakeMessageSize,
    certificateCompression: options.certificateCompression ?? [],
    grease: options.grease ?? false,
    partition: options.resumptionPartition ?? "",
    rewriteMessage,
  }
}

function runtime(options: CommonOptions): Omit<ClientConfig, "settings"> {
  const random = options.random ?? options.provider.random
  return {
    limits: limitsWith(options.limits),
    random: (length) => draw(random, length),
    trace: options.trace,
    padding: options.padding,
    maxFragment: inRange(options.maxFragment ?? 16_384, 64, 16_384, "maxFragment"),
  }
}

function statelessRetry({ statelessRetry: options }: ServerOptions): ServerSettings["statelessRetry"] {
  if (options === undefined) return undefined
  const { cookies, requireCookie = false } = options
  return { cookies, requireCookie: typeof requireCookie === "function" ? requireCookie : () => requireCookie }
}

function ticketRequest({ ticketRequest: asked }: ClientOptions): TicketRequest | undefined {
  return (
    asked && {
      newSessionCount: inRange(asked.newSession, 0, 255, "ticketRequest.newSession"),
      resumptionCount: inRange(asked.resumption, 0, 255, "ticketRequest.resumption"),
    }
  )
}

function certificateTypes(options: CommonOptions): ClientSettings["certificateTypes"] {
  const { client = ["X509"], server = ["X509"] } = options.certificateTypes ?? {}
  return { client, server }
}

/** Section 4.3.5. */
function checkOidFilters(filters: readonly OidFilter[]): void {
  const oids = filters.map(({ oid }) => toHex(oid))
  // "Any given OID MUST NOT appear more than once in the filters list."
  if (new Set(oids).size !== oids.length) throw new Misuse("clientAuthentication.oidFilters has an OID twice")
  // "The special anyExtendedKeyUsage OID MUST NOT be used in the request."
  const isAny = ({ oid, values }: OidFilter) =>
    toHex(oid) === extKeyUsage && toHex(values).includes(anyExtendedKeyUsage)
  if (filters.some(isAny)) throw new Misuse("clientAuthentication.oidFilters may not ask for anyExtendedKeyUsage")
}

/** DER of 2.5.29.37 and of 2.5.29.37.0, in hexadecimal. */
const extKeyUsage = "0603551d25"
const anyExtendedKeyUsage = "0604551d2500"

/**
 * What a server answers unless told otherwise. A share of secp384r1 or secp521r1 costs a client nothing to send and JavaScript
 * 60 ms or more to answer, before anybody has proven anything; who speaks TLS 1.3 has x25519 or secp256r1 (section 9.1).
 */
function serverGroups(groups: readonly KeyExchange[]): readonly KeyExchange[] {
  const quick = groups.filter(({ name }) => name !== "secp384r1" && name !== "secp521r1")
  return quick.length > 0 ? quick : groups
}

function keyShares({ keyShares }: ClientOptions, groups: readonly KeyExchange[]): readonly KeyExchange[] {
  if (keyShares?.length === 0) return []
  if (keyShares !== undefined) return pick(groups, keyShares, "key share group", ({ name }) => name)
  const isHybrid = ({ name }: KeyExchange) => name.includes("MLKEM")
  const first = groups.slice(0, 1)
  return first.some(isHybrid) ? [...first, ...groups.filter((group) => !isHybrid(group)).slice(0, 1)] : first
}

/** The named ones in the named order. */
function pick<Item>(
  all: readonly Item[],
  names: readonly string[] | undefined,
  what: string,
  nameOf: (item: Item) => string,
): readonly Item[] {
  const chosen = names?.map((name) => {
    const item = all.find((candidate) => nameOf(candidate) === name)
    if (item === undefined) {
      throw new Misuse(`the provider has no ${what} ${name}; it has ${all.map(nameOf).join(", ")}`)
    }
    return item
  })
  const list = chosen ?? all
  if (list.length === 0) throw new Misuse(`no ${what} is left to offer`)
  // Section 4.3.7: "The "named_group_list" MUST NOT contain any duplicate entries." Of no use in any other list either.
  const twice = list.find((item, index) => list.indexOf(item) !== index)
  if (twice !== undefined) throw new Misuse(`the ${what} ${nameOf(twice)} is named twice`)
  return list
}

function inRange(value: number, least: number, most: number, what: string): number {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new Misuse(`${what} is ${value}; it must be a whole number from ${least} to ${most}`)
  }
  return value
}

function checkProtocolName(name: string): string {
  // RFC 7301 section 3.1: octets, one character each.
  if (name.length < 1 || name.length > 255 || [...name].some((octet) => octet > "\xff"))
    throw new Misuse(`ALPN name ${JSON.stringify(name)} is not 1 to 255 octets long`)
  return name
}

/** What does not fit into a ClientHello beside the rest is refused now: each connection would fail. */
function checkOwnNames(protocols: readonly string[], psks: readonly ExternalPsk[]): void {
  const longest = 1 + 64 // a binder of any hash
  const bytes =
    protocols.reduce((sum, name) => sum + 1 + name.length, 0) +
    psks.reduce((sum, { identity }) => sum + 6 + identity.length + longest, 0)
  if (bytes > clientHelloShare) {
    throw new Misuse(
      `ALPN names and PSK identities take ${bytes} bytes of each ClientHello; ${clientHelloShare} are left for them`,
    )
  }
}

function normalizeName(name: string): string {
  const normal = name
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^\[(.*)\]$/, "$1")
  for (let i = 0; i < normal.length; i++) {
    if (normal.charCodeAt(i) > 0x7f)
      throw new Misuse(`server name ${JSON.stringify(name)} is not ASCII: give its A-label (xn--...)`)
  }
  if (normal.length === 0) throw new Misuse("the server name is empty")
  // RFC 1035 section 2.3.4.
  if (normal.length > 255) throw new Misuse(`the server name has ${normal.length} bytes; a host name has at most 255`)
  return normal
}

/** RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"." */
function isIpAddress(name: string): boolean {
  return name.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)
}
