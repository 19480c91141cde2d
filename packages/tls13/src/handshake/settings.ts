// What a handshake reads: the options, by their names, with the defaults in the place of what was not chosen, and checked. Shared
// by all connections of a configuration.

import type { TlsError } from "../bytes/errors.ts"
import type { CipherSuiteAlgorithms, KeyExchange, RandomSource } from "../crypto/provider.ts"
import type { RecordScratch } from "../record/protection.ts"
import type { CookieSealer } from "../session/session.ts"
import type { CertificateType } from "../x509/interfaces.ts"
import type { Limits } from "./limits.ts"
import type {
  ClientAuthenticationOptions,
  ClientOptions,
  CommonOptions,
  MessageRewriter,
  ServerOptions,
} from "./options.ts"

export const commonDefaults = {
  alpnProtocols: [],
  maxFragment: 16_384,
  grease: false,
  certificateCompression: [],
  allowPskWithoutKeyExchange: false,
  resumptionPartition: "",
} as const

export const clientDefaults = {
  sendServerName: true,
  reverifyOnResumption: false,
  externalPsks: [],
  earlyData: false,
  requestOcspResponse: false,
  requestSignedCertificateTimestamps: false,
  authorities: [],
  postHandshakeAuth: false,
  permuteExtensions: false,
  middleboxCompatibility: true,
} as const

export const serverDefaults = {
  // RFC 8449 section 4: "Endpoints SHOULD advertise the "record_size_limit" extension, even if they have no need to limit".
  recordSizeLimit: 16_385,
  tickets: 2,
  ticketsOnRequest: 8,
  ticketLifetime: 7200,
  preference: "server",
} as const

export const clientAuthenticationDefaults = {
  authorities: [],
  oidFilters: [],
  requestOcspResponse: false,
  requestSignedCertificateTimestamps: false,
  reverifyOnResumption: false,
} as const

export const earlyDataDefaults = { freshness: 10_000 } as const

/** Options of which only those without a default may still be undefined; `Forms` has those that are read in another form. */
export type Resolved<Options, Defaults, Forms = unknown> = Forms & {
  readonly [Name in Exclude<keyof Options, keyof Forms>]-?: Name extends keyof Defaults
    ? Exclude<Options[Name], undefined> | (undefined extends Defaults[Name] ? undefined : never)
    : Options[Name]
}

/** undefined is the same as nothing. */
export function withDefaults<Options extends object, Defaults extends object>(
  options: Options,
  defaults: Defaults,
): Resolved<Options, Defaults> {
  const chosen: Partial<Options> = {}
  for (const name in options) if (options[name] !== undefined) chosen[name] = options[name]
  return { ...defaults, ...chosen } as Resolved<Options, Defaults>
}

/** What makes errors clearer, and is not carried by who has no reader for it. */
export interface Explanations {
  /** What an alert of the peer means, after "the client" or "the server". */
  alertMeaning(name: string): string | undefined
  /** The error for a first record of which no type is known. @param header its first five bytes */
  notTls(header: Uint8Array): TlsError
  /** The error for a client's error alert in the clear, where its records are to be protected. */
  alertInTheClear(name: string): TlsError
}

interface CommonForms {
  readonly cipherSuites: readonly CipherSuiteAlgorithms[]
  readonly groups: readonly KeyExchange[]
  /** Code points that we accept in CertificateVerify, in order of preference. */
  readonly signatureSchemes: readonly number[]
  /** Code points that we accept in certificates. */
  readonly signatureSchemesCert: readonly number[]
  readonly certificateTypes: {
    readonly client: readonly CertificateType[]
    readonly server: readonly CertificateType[]
  }
  readonly limits: Limits
  readonly random: RandomSource
  readonly scratch: RecordScratch
  /** For tests and teaching only (`./dangerous`): what is sent in place of a message. */
  readonly rewriteMessage: MessageRewriter | undefined
  readonly explanations: Explanations | undefined
}

/**
 * A ClientHello's extensions take 2^16-1 bytes at most (section 4.2.2). What the application gives it shares them: this many
 * for application protocols and PSK identities, for the names of authorities, and for a ticket.
 */
export const clientHelloShare = 16_384

interface ClientForms extends CommonForms {
  readonly role: "client"
  /** What the certificate must be for: an A-label in lower case without trailing dot, or an IP address. */
  readonly serverName: string | undefined
  /** False for IP addresses (RFC 6066 section 3). */
  readonly sendServerName: boolean
  readonly keyShares: readonly KeyExchange[]
  readonly sessionKey: string
}

interface ServerForms extends CommonForms {
  readonly role: "server"
  readonly clientAuthentication: Resolved<ClientAuthenticationOptions, typeof clientAuthenticationDefaults> | undefined
  /** undefined: 0-RTT is always refused. */
  readonly earlyData: Resolved<NonNullable<ServerOptions["earlyData"]>, typeof earlyDataDefaults> | undefined
  /** undefined: what a HelloRetryRequest needs is kept on the connection. */
  readonly statelessRetry:
    | { readonly cookies: CookieSealer /** Asked for each first ClientHello. */; readonly requireCookie: () => boolean }
    | undefined
}

export type CommonSettings = Resolved<CommonOptions, typeof commonDefaults, CommonForms>
export type ClientSettings = Resolved<ClientOptions, typeof commonDefaults & typeof clientDefaults, ClientForms>
export type ServerSettings = Resolved<ServerOptions, typeof commonDefaults & typeof serverDefaults, ServerForms>
