// What an application can choose of its connections. An option is named and explained here; settings.ts has its default, if it
// has one, and connection/config.ts its check, if it needs one; a handshake reads it by the same name.

import type { HandshakeTypeName } from "../bytes/code-points.ts"
import type { TicketRequest } from "../codec/extensions/ticket-request.ts"
import type { CryptoProvider, RandomSource } from "../crypto/provider.ts"
import type { PaddingPolicy } from "../record/padding.ts"
import type {
  ClientSessionStore,
  CookieSealer,
  ExternalPsk,
  ExternalPskStore,
  ReplayGuard,
  Ticketer,
} from "../session/session.ts"
import type { TraceSink } from "../trace/events.ts"
import type { CertificateType, CertificateVerifier, CredentialResolver, OidFilter } from "../x509/interfaces.ts"
import type { EncryptedClientHello, TakesEncryptedClientHello } from "./encrypted-client-hello.ts"
import type { ChosenLimits } from "./limits.ts"

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

export interface CommonOptions {
  /** The cryptography: `createNobleProvider()` and its kin. */
  readonly provider: CryptoProvider
  /** Names, in order of preference; default: all of the provider's, in its order. */
  readonly cipherSuites?: readonly string[] | undefined
  /** As above; a server leaves out secp384r1 and secp521r1 unless they are named here (decision 6). */
  readonly groups?: readonly string[] | undefined
  readonly signatureSchemes?: readonly string[] | undefined
  /** Protocol names (RFC 7301), in order of preference; none: ALPN is not used. */
  readonly alpnProtocols?: readonly string[] | undefined
  /**
   * RFC 8449: 64 to 16385 bytes of inner plaintext that the peer may send in a record. Default: a client says nothing of it, a
   * server tells a client that does 16385.
   */
  readonly recordSizeLimit?: number | undefined
  /** The most bytes of content in a record that we send, 64 to 16384; default: 16384. */
  readonly maxFragment?: number | undefined
  /** Bytes of padding for a record (RFC 9846 section 5.4). */
  readonly padding?: PaddingPolicy | undefined
  /**
   * Sends values that mean nothing, of RFC 8701: a client in its hello, a server in tickets. Peers that do not ignore them as
   * they must are found by it. Default false.
   */
  readonly grease?: boolean | undefined
  /** RFC 8879: algorithms for certificates, both sent and received, in order of preference. */
  readonly certificateCompression?: readonly CertificateCompression[] | undefined
  /** Also takes psk_ke, which has no forward secrecy. Default false. */
  readonly allowPskWithoutKeyExchange?: boolean | undefined
  readonly limits?: ChosenLimits | undefined
  /** Sessions are resumed only under the same name; name it anew when the rules become stricter. */
  readonly resumptionPartition?: string | undefined
  /** Is told what happens. One that throws ends the connection with internal_error, and is told nothing more of it. */
  readonly trace?: TraceSink | undefined
  /** Instead of the provider's random source: tests, and devices with their own. */
  readonly random?: RandomSource | undefined
  readonly certificateTypes?:
    | {
        readonly client?: readonly CertificateType[] | undefined
        readonly server?: readonly CertificateType[] | undefined
      }
    | undefined
}

export interface ClientOptions extends CommonOptions {
  /** Host name (A-label) or IP address of the server: it is sent (names only) and its certificate must be for it. */
  readonly serverName?: string | undefined
  /** Whether server_name is sent; default true. */
  readonly sendServerName?: boolean | undefined
  /** Required unless only PSKs are used. */
  readonly verifier?: CertificateVerifier | undefined
  /** Client certificates. */
  readonly credentials?: CredentialResolver | undefined
  /**
   * Groups for which the first ClientHello has a share; default: the first one, and where that is a hybrid with ML-KEM
   * the first classical one too, for servers that know no hybrids. None: the server asks for one, a round trip more.
   */
  readonly keyShares?: readonly string[] | undefined
  readonly sessionStore?: ClientSessionStore | undefined
  /**
   * Asks the verifier again before a session is offered; one that it refuses by now is not. Default false. Stapled OCSP
   * responses are not remembered: a verifier that insists on one refuses.
   */
  readonly reverifyOnResumption?: boolean | undefined
  /** Names the server in the session store; default: serverName. */
  readonly sessionKey?: string | undefined
  /** RFC 9149: tickets to ask for after a full handshake and after a resumed one, each 0 to 255. Default: the server's choice. */
  readonly ticketRequest?: TicketRequest | undefined
  readonly externalPsks?: readonly ExternalPsk[] | undefined
  /** Offers 0-RTT with sessions that allow it. Early data can be replayed: RFC 9846 section 8. */
  readonly earlyData?: boolean | undefined
  readonly requestOcspResponse?: boolean | undefined
  readonly requestSignedCertificateTimestamps?: boolean | undefined
  /**
   * DER distinguished names to name in certificate_authorities: of whom the server's certificate had best be (section 4.3.4).
   * Left out when they take more than 16,384 bytes.
   */
  readonly authorities?: readonly Uint8Array[] | undefined
  /** Lets the server ask for a client certificate at any time after the handshake (section 4.3.6). */
  readonly postHandshakeAuth?: boolean | undefined
  /** Encrypted Client Hello (RFC 9849): what `./ech` makes. */
  readonly encryptedClientHello?: EncryptedClientHello | undefined
  /** Draws the order of extensions for each connection; default false. */
  readonly permuteExtensions?: boolean | undefined
  /** Appendix E.4; default true. */
  readonly middleboxCompatibility?: boolean | undefined
}

/** How a server asks clients for certificates, and whom it believes. */
export interface ClientAuthenticationOptions {
  /** `post-handshake`: the handshake asks for none; `requestCertificate` does. */
  readonly mode: "request" | "require" | "post-handshake"
  readonly verifier: CertificateVerifier
  /** DER distinguished names to name in certificate_authorities: left out when CertificateRequest would have more than 2^16-1 bytes with them. */
  readonly authorities?: readonly Uint8Array[] | undefined
  /** Certificate extensions that the client's certificate must have (section 4.3.5). */
  readonly oidFilters?: readonly OidFilter[] | undefined
  /** Asks for an OCSP response with the certificate (section 4.5.1.1): the verifier gets it. Default false. */
  readonly requestOcspResponse?: boolean | undefined
  readonly requestSignedCertificateTimestamps?: boolean | undefined
  /** Asks the verifier again when a session is resumed; one that it refuses by now is not. Default false. */
  readonly reverifyOnResumption?: boolean | undefined
}

export interface ServerOptions extends CommonOptions {
  /** Required unless only PSKs are used. */
  readonly credentials?: CredentialResolver | undefined
  readonly clientAuthentication?: ClientAuthenticationOptions | undefined
  readonly ticketer?: Ticketer | undefined
  /** Tickets after a full handshake, 0 to 255; default 2. After a resumed one it is one, when this is not 0. */
  readonly tickets?: number | undefined
  /** Most tickets for a client that asks for a number of them (RFC 9149), 0 to 255; default 8. */
  readonly ticketsOnRequest?: number | undefined
  /** Seconds, 1 to 604800; default 7200. */
  readonly ticketLifetime?: number | undefined
  readonly externalPsks?: ExternalPskStore | undefined
  /**
   * Takes 0-RTT data: at most `maxBytes` a connection, through a replay guard, from tickets whose age is known to
   * within `freshness` milliseconds (default 10000). Early data can be replayed: RFC 9846 section 8.
   */
  readonly earlyData?:
    | { readonly maxBytes: number; readonly replayGuard: ReplayGuard; readonly freshness?: number | undefined }
    | undefined
  /**
   * A HelloRetryRequest keeps nothing on the server: what it needs goes to the client and comes back in a cookie (RFC 9846
   * section 4.3.2), to any server whose sealer has the same keys. With `requireCookie` each client has to bring one, which
   * costs a round trip: `true`, or a function that says whether the server is under load right now.
   */
  readonly statelessRetry?:
    | {
        readonly cookies: CookieSealer
        readonly requireCookie?: boolean | (() => boolean) | undefined
      }
    | undefined
  /** Takes Encrypted Client Hello (RFC 9849): an `EchKeyRing` of `./ech`. Not together with `statelessRetry`. */
  readonly encryptedClientHello?: TakesEncryptedClientHello | undefined
  /** Whose order of suites and groups counts; default server. */
  readonly preference?: "server" | "client" | undefined
}

/** See `./dangerous`. */
export type MessageRewriter = (name: HandshakeTypeName | "hello_retry_request", message: Uint8Array) => Uint8Array
