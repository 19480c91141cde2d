// What a handshake is allowed to do: the validated form of the configuration, shared by all its connections.

import type { HandshakeTypeName } from "../bytes/code-points.ts"
import type { TicketRequest } from "../codec/extensions/ticket-request.ts"
import type { CipherSuiteAlgorithms, CryptoProvider, KeyExchange } from "../crypto/provider.ts"
import type {
  ClientSessionStore,
  CookieSealer,
  ExternalPsk,
  ExternalPskStore,
  ReplayGuard,
  Ticketer,
} from "../session/session.ts"
import type { CertificateType, CertificateVerifier, CredentialResolver, OidFilter } from "../x509/interfaces.ts"

/** One algorithm of the registry "TLS Certificate Compression Algorithm IDs". */
export interface CertificateCompression {
  /** zlib 1, brotli 2, zstd 3. */
  readonly code: number
  readonly name: string
  compress(message: Uint8Array): Uint8Array
  /**
   * undefined for what cannot be decompressed, and for what has another length than `length`. It stops there: a few bytes
   * that claim to be many must not be given memory beyond `length`.
   */
  decompress(compressed: Uint8Array, length: number): Uint8Array | undefined
}

export interface CommonSettings {
  readonly provider: CryptoProvider
  readonly cipherSuites: readonly CipherSuiteAlgorithms[]
  readonly groups: readonly KeyExchange[]
  /** Code points that we accept in CertificateVerify, in order of preference. */
  readonly signatureSchemes: readonly number[]
  /** Code points that we accept in certificates. */
  readonly signatureSchemesCert: readonly number[]
  readonly alpnProtocols: readonly string[]
  /** RFC 8449: 64 to 2^14+1 bytes; undefined: not sent. */
  readonly recordSizeLimit: number | undefined
  /** Most certificates in a chain (see `limits`). */
  readonly maxChainLength: number
  /** Most bytes of a Certificate message when it is decompressed. */
  readonly maxCertificateSize: number
  /** RFC 8701: sends values that mean nothing. */
  readonly grease: boolean
  /** RFC 8879, in order of preference; none: not offered, not used. */
  readonly certificateCompression: readonly CertificateCompression[]
  /** The rules under which sessions are made and resumed. */
  readonly partition: string
  /** For tests and teaching only (`./dangerous`): what is sent in place of a message. */
  readonly rewriteMessage:
    | ((name: HandshakeTypeName | "hello_retry_request", message: Uint8Array) => Uint8Array)
    | undefined
}

/**
 * A ClientHello's extensions take 2^16-1 bytes at most (section 4.2.2). What the application gives it shares them: this many
 * for application protocols and PSK identities, for the names of authorities, and for a ticket.
 */
export const clientHelloShare = 16_384

export interface ClientSettings extends CommonSettings {
  readonly role: "client"
  /** A-label without trailing dot; not sent for IP addresses (RFC 6066 section 3). */
  readonly serverName: string | undefined
  /** What the certificate must be for: the server's name or IP address. */
  readonly referenceName: string | undefined
  readonly verifier: CertificateVerifier | undefined
  readonly credentials: CredentialResolver | undefined
  readonly certificateTypes: {
    readonly client: readonly CertificateType[]
    readonly server: readonly CertificateType[]
  }
  /** Groups for which the first ClientHello brings a share. */
  readonly keyShareGroups: readonly KeyExchange[]
  readonly sessions: { readonly store: ClientSessionStore; readonly key: string } | undefined
  /** RFC 9149: tickets to ask for. */
  readonly ticketRequest: TicketRequest | undefined
  readonly externalPsks: readonly ExternalPsk[]
  /** psk_ke: no forward secrecy; an explicit choice. */
  readonly allowPskKe: boolean
  readonly offerEarlyData: boolean
  readonly requestOcsp: boolean
  readonly requestSignedCertificateTimestamps: boolean
  /** DER distinguished names sent in certificate_authorities. */
  readonly authorities: readonly Uint8Array[]
  /** Sessions are resumed only while the verifier still accepts the server's certificates. */
  readonly reverify: boolean
  /** Section 4.3.6: answers CertificateRequests after the handshake. */
  readonly postHandshakeAuth: boolean
  /** The order of extensions is drawn for each connection. */
  readonly permuteExtensions: boolean
  /** Appendix E.4. */
  readonly middleboxCompatibility: boolean
}

export interface ServerSettings extends CommonSettings {
  readonly role: "server"
  readonly credentials: CredentialResolver | undefined
  readonly clientAuthentication:
    | {
        /** `post-handshake`: only when the application asks for it (section 4.7.2). */
        readonly mode: "request" | "require" | "post-handshake"
        readonly verifier: CertificateVerifier
        /** DER distinguished names sent in certificate_authorities. */
        readonly authorities: readonly Uint8Array[]
        readonly oidFilters: readonly OidFilter[]
        /** Section 4.5.1.1: the client is asked for a stapled OCSP response, for timestamps. */
        readonly requestOcsp: boolean
        readonly requestSignedCertificateTimestamps: boolean
        /** Sessions are resumed only while the verifier still accepts the client's certificates. */
        readonly reverify: boolean
      }
    | undefined
  readonly certificateTypes: {
    readonly client: readonly CertificateType[]
    readonly server: readonly CertificateType[]
  }
  readonly ticketer: Ticketer | undefined
  /** Tickets sent after a handshake, 0 to 255. */
  readonly tickets: number
  /** Most tickets for a client that asks for a number of them (RFC 9149), 0 to 255. */
  readonly ticketsOnRequest: number
  /** Seconds, 1 to 604800. */
  readonly ticketLifetime: number
  readonly externalPsks: ExternalPskStore | undefined
  readonly allowPskKe: boolean
  /** undefined: 0-RTT is always refused. */
  readonly earlyData:
    | { readonly maxBytes: number; readonly replayGuard: ReplayGuard /** Milliseconds. */; readonly freshness: number }
    | undefined
  /** Section 4.3.2; undefined: what a HelloRetryRequest needs is kept on the connection. */
  readonly statelessRetry:
    | { readonly cookies: CookieSealer /** Asked for each first ClientHello. */; readonly requireCookie: () => boolean }
    | undefined
  /** Whose order of suites and groups counts. */
  readonly preference: "server" | "client"
  /** Most CertificateRequests after the handshake that have no answer yet. */
  readonly maxCertificateRequests: number
  /** Most PSK identities that are looked at. */
  readonly maxPskIdentities: number
}
