// Configuration: what applications write (handshake/options.ts), checked once, and shared by all connections made with it.

import { copyOf } from "../bytes/copy.ts"
import { Misuse } from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import { checkRange, type Range } from "../bytes/range.ts"
import type { ExtensionTable } from "../codec/extensions/codec.ts"
import { allExtensions } from "../codec/extensions/table.ts"
import { draw } from "../crypto/draw.ts"
import type { CipherSuiteAlgorithms, KeyExchange } from "../crypto/provider.ts"
import { type SignatureSchemeInfo, signatureSchemes } from "../crypto/signature-schemes.ts"
import { checkCertificateTypes } from "../handshake/certificate-type.ts"
import type { ClientFeatures } from "../handshake/client/client.ts"
import { extensionsOf } from "../handshake/client/extensions.ts"
import { allFeatures } from "../handshake/client/features.ts"
import { clientPostHandshake } from "../handshake/client/post-handshake.ts"
import { explanations } from "../handshake/explanations.ts"
import { defaultLimits, type Limits, limitsWith } from "../handshake/limits.ts"
import type {
  ClientAuthenticationOptions,
  ClientOptions,
  CommonOptions,
  MessageRewriter,
  ServerOptions,
} from "../handshake/options.ts"
import { checkRanges } from "../handshake/ranges.ts"
import {
  type ClientSettings,
  clientAuthenticationDefaults,
  clientDefaults,
  clientHelloShare,
  commonDefaults,
  earlyDataDefaults,
  type Resolved,
  type ServerSettings,
  serverDefaults,
  withDefaults,
} from "../handshake/settings.ts"
import { recordScratch } from "../record/protection.ts"
import type { ExternalPsk } from "../session/session.ts"
import type { OidFilter } from "../x509/interfaces.ts"

/** Made by `createClientConfig`, for any number of connections. */
export interface ClientConfig extends ClientSettings {
  readonly features: ClientFeatures
  readonly extensions: ExtensionTable
  readonly postHandshake: ReturnType<typeof clientPostHandshake>
}
/** Made by `createServerConfig`, for any number of connections. */
export type ServerConfig = ServerSettings

/** With all features. @throws Misuse for options that make no sense, saying which */
export function createClientConfig(options: ClientOptions, rewriteMessage?: MessageRewriter): ClientConfig {
  return clientConfig(options, allFeatures, allExtensions, rewriteMessage)
}

/**
 * With these features and no others: what a bundle has of the others is nothing.
 * @throws Misuse for options that make no sense or that need a feature which is not there, saying which
 */
export function createLeanClientConfig(options: ClientOptions, features: ClientFeatures): ClientConfig {
  const { encryptedClientHello } = options
  return clientConfig(options, features, extensionsOf({ ...features, encryptedClientHello }), undefined)
}

function clientConfig(
  options: ClientOptions,
  features: ClientFeatures,
  extensions: ExtensionTable,
  rewriteMessage: MessageRewriter | undefined,
): ClientConfig {
  const chosen = withDefaults(options, { ...commonDefaults, ...clientDefaults })
  const { externalPsks } = chosen
  const ticketRequest = chosen.ticketRequest && features.preSharedKeys?.ticketRequest(chosen.ticketRequest)
  // RFC 9149: whoever asks for tickets takes them, and some key updates beside them.
  const { newSessionCount, resumptionCount } = ticketRequest ?? { newSessionCount: 0, resumptionCount: 0 }
  const asked = Math.max(newSessionCount, resumptionCount) + 16
  const postHandshakeMessages = Math.max(defaultLimits.postHandshakeMessages, asked)
  const schemes = features.certificates?.schemes ?? []
  const common = commonForms(chosen, { postHandshakeMessages }, rewriteMessage, schemes)
  requireFeatures(chosen, features)
  features.rawPublicKeys?.check(common.certificateTypes)
  if (chosen.verifier === undefined && externalPsks.length === 0) {
    throw new Misuse("a client needs a verifier for the server's certificate, or external PSKs")
  }
  const serverName = chosen.serverName === undefined ? undefined : normalizeName(chosen.serverName)
  checkOwnNames(chosen.alpnProtocols, externalPsks)
  const shares = keyShares(chosen.keyShares, common.groups)
  checkRanges(chosen, ranges)
  return {
    ...chosen,
    ...common,
    role: "client",
    serverName,
    sendServerName: chosen.sendServerName && serverName !== undefined && !isIpAddress(serverName),
    // key_share is in the order of supported_groups (section 4.3.8).
    keyShares: common.groups.filter((group) => shares.includes(group)),
    sessionKey: chosen.sessionKey ?? serverName ?? "",
    ticketRequest,
    externalPsks: externalPsks.map((psk) => features.preSharedKeys!.checked(psk)),
    authorities: chosen.authorities.map(copyOf),
    explanations: features.explanations,
    features,
    extensions,
    postHandshake: clientPostHandshake(features),
  }
}

/** The options that need a feature, and which. */
const neededFeatures: { readonly [Name in keyof ClientOptions]?: keyof ClientFeatures } = {
  verifier: "certificates",
  credentials: "clientCertificates",
  postHandshakeAuth: "postHandshakeAuthentication",
  certificateCompression: "certificateCompression",
  certificateTypes: "rawPublicKeys",
  sessionStore: "preSharedKeys",
  ticketRequest: "preSharedKeys",
  externalPsks: "preSharedKeys",
  earlyData: "earlyData",
  grease: "grease",
  permuteExtensions: "extensionOrder",
}

/** @throws Misuse */
function requireFeatures(options: ClientOptions, features: ClientFeatures): void {
  for (const [name, feature] of Object.entries(neededFeatures)) {
    const value = options[name as keyof ClientOptions]
    const isUsed = Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false
    if (isUsed && features[feature] === undefined)
      throw new Misuse(`${name} needs the feature ${feature}, which is not there`)
  }
  // A connection that a PSK has authenticated may be asked for a certificate, too.
  if (options.postHandshakeAuth === true && features.certificates === undefined)
    throw new Misuse("postHandshakeAuth needs the feature certificates")
}

/** @throws Misuse for options that make no sense, saying which */
export function createServerConfig(options: ServerOptions, rewriteMessage?: MessageRewriter): ServerConfig {
  const chosen = withDefaults(options, { ...commonDefaults, ...serverDefaults })
  const { clientAuthentication: client, earlyData } = chosen
  // Section 4.3.10: early data that is refused is skipped "up to the configured max_early_data_size".
  const skippedEarlyData = Math.max(defaultLimits.skippedEarlyData, earlyData?.maxBytes ?? 0)
  // Who knows its clients by pre-shared keys alone needs no signatures.
  const signsNothing =
    chosen.credentials === undefined && client === undefined && chosen.provider.signatures.length === 0
  const schemes = signsNothing ? [] : signatureSchemes
  const common = commonForms(chosen, { skippedEarlyData }, rewriteMessage, schemes)
  checkCertificateTypes(common.certificateTypes)
  if (chosen.credentials === undefined && chosen.externalPsks === undefined) {
    throw new Misuse("a server needs a certificate (credentials), or external PSKs")
  }
  checkRanges(chosen, ranges)
  checkRanges(chosen, serverRanges)
  // RFC 9849 section 7.1.1: what opens the second hello is made by the first, and a cookie does not hold it.
  if (chosen.encryptedClientHello !== undefined && chosen.statelessRetry !== undefined) {
    throw new Misuse("encryptedClientHello cannot go with statelessRetry: its keys have to be kept on the connection")
  }
  checkWord(chosen.preference, ["server", "client"], "preference")
  return {
    ...chosen,
    ...common,
    role: "server",
    groups: chosen.groups === undefined ? serverGroups(common.groups) : common.groups,
    clientAuthentication: client && clientAuthentication(client),
    earlyData: earlyData && checkedEarlyData(earlyData),
    statelessRetry: statelessRetry(chosen.statelessRetry),
    explanations,
  }
}

/**
 * The options that are read in another form, or copied.
 * @param usual limits, where nobody has chosen one
 * @param schemes of which signatures may be, as far as the provider has them; none: signatures are not used
 */
function commonForms(
  options: Resolved<CommonOptions, typeof commonDefaults>,
  usual: Partial<Limits>,
  rewriteMessage: MessageRewriter | undefined,
  schemes: readonly SignatureSchemeInfo[],
) {
  const { provider, random = provider.random } = options
  const available = schemes.filter((scheme) => provider.signatures.some(({ name }) => name === scheme.algorithm))
  const inHandshake = available.filter((scheme) => !scheme.certificatesOnly)
  const codes = (list: readonly { readonly code: number }[]) => list.map(({ code }) => code)
  const byName = ({ name }: { readonly name: string }) => name
  const { client = ["X509"], server = ["X509"] } = options.certificateTypes ?? {}
  return {
    cipherSuites: pick<CipherSuiteAlgorithms>(provider.cipherSuites, options.cipherSuites, "cipher suite", byName),
    groups: pick<KeyExchange>(provider.keyExchanges, options.groups, "group", byName),
    signatureSchemes:
      schemes.length === 0 ? [] : codes(pick(inHandshake, options.signatureSchemes, "signature scheme", byName)),
    signatureSchemesCert: codes(available),
    alpnProtocols: options.alpnProtocols.map(checkProtocolName),
    certificateTypes: { client, server },
    limits: limitsWith(options.limits, usual),
    random: (length: number) => draw(random, length),
    scratch: recordScratch(),
    rewriteMessage,
  } as const
}

const ranges: Readonly<Record<string, Range>> = {
  recordSizeLimit: [64, 16_385],
  maxFragment: [64, 16_384],
}

const serverRanges: typeof ranges = {
  tickets: [0, 255],
  ticketsOnRequest: [0, 255],
  ticketLifetime: [1, 604_800],
}

function clientAuthentication(options: ClientAuthenticationOptions): ServerSettings["clientAuthentication"] {
  const chosen = withDefaults(options, clientAuthenticationDefaults)
  // What is not "require" asks only: a slip would let everybody in.
  checkWord(chosen.mode, ["request", "require", "post-handshake"], "clientAuthentication.mode")
  if (chosen.verifier === undefined) throw new Misuse("clientAuthentication needs a verifier")
  checkOidFilters(chosen.oidFilters)
  return {
    ...chosen,
    authorities: chosen.authorities.map(copyOf),
    oidFilters: chosen.oidFilters.map(({ oid, values }) => ({ oid: copyOf(oid), values: copyOf(values) })),
  }
}

function checkedEarlyData(options: NonNullable<ServerOptions["earlyData"]>): ServerSettings["earlyData"] {
  const chosen = withDefaults(options, earlyDataDefaults)
  // Section 4.7.1: "uint32 max_early_data_size".
  checkRange(chosen.maxBytes, [0, 2 ** 32 - 1], "earlyData.maxBytes")
  // No age is further off than NaN: every flight would be fresh.
  checkRange(chosen.freshness, [0, Number.MAX_SAFE_INTEGER], "earlyData.freshness")
  if (chosen.replayGuard === undefined) throw new Misuse("earlyData needs a replayGuard")
  return chosen
}

function statelessRetry(options: ServerOptions["statelessRetry"]): ServerSettings["statelessRetry"] {
  if (options === undefined) return undefined
  const { cookies, requireCookie = false } = options
  return { cookies, requireCookie: typeof requireCookie === "function" ? requireCookie : () => requireCookie }
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

function keyShares(names: ClientOptions["keyShares"], groups: readonly KeyExchange[]): readonly KeyExchange[] {
  if (names?.length === 0) return []
  if (names !== undefined) return pick(groups, names, "key share group", ({ name }) => name)
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

function checkWord(value: unknown, words: readonly string[], what: string): void {
  if (!words.some((word) => word === value)) {
    throw new Misuse(`${what} is ${JSON.stringify(value)}; it must be one of ${words.join(", ")}`)
  }
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
    throw new Misuse(`ALPN names and PSK identities take ${bytes} bytes; ${clientHelloShare} are left for them`)
  }
}

function normalizeName(name: string): string {
  const normal = name
    .toLowerCase()
    .replace(/\.$/, "")
    .replace(/^\[(.*)\]$/, "$1")
  if (/[\u0080-\uffff]/.test(normal))
    throw new Misuse(`server name ${JSON.stringify(name)} is not ASCII: use its A-label`)
  if (normal.length === 0) throw new Misuse("the server name is empty")
  // RFC 1035 section 2.3.4.
  if (normal.length > 255) throw new Misuse(`the server name has ${normal.length} bytes; 255 are allowed`)
  return normal
}

/** RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted in "HostName"." */
function isIpAddress(name: string): boolean {
  return name.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)
}
