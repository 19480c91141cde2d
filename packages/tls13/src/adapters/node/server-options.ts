// What `createServer` takes, with the names of node:tls where it has them.

import type { ServerOptions } from "../../handshake/options.ts"
import type { ReplayGuard, Ticketer } from "../../session/session.ts"
import type { TraceEvent } from "../../trace/events.ts"
import type { CertificateVerifier, CredentialResolver } from "../../x509/interfaces.ts"
import type { IdentityRule } from "../../x509/names/identity.ts"
import type { HandshakeLimitOptions } from "../handshake-gate.ts"
import type { CommonTlsOptions, PskOption } from "./options.ts"
import type { SecureContextOptions } from "./secure-context.ts"
import type { SNICallback } from "./server-credentials.ts"
import type { TLSSocket } from "./tls-socket.ts"
import type { ExtendVerifier } from "./verification.ts"

type EarlyDataOptions = NonNullable<ServerOptions["earlyData"]>

export interface TlsServerOptions
  extends Omit<CommonTlsOptions, "trace">,
    Pick<ServerOptions, "tickets" | "preference">,
    HandshakeLimitOptions {
  /** Gets every event of every connection. */
  readonly trace?: ((event: TraceEvent, socket: TLSSocket) => void) | undefined
  /**
   * Asks clients for a certificate: in the handshake, or when `socket.requestCertificate()` is called. `optional`: a client may
   * show none, and one that it shows must be valid.
   */
  readonly requestCert?: boolean | "optional" | "post-handshake" | undefined
  /**
   * With requestCert, true (the default): a client without a valid certificate is refused. false: the handshake goes on, and
   * `authorized` tells; a name in such a certificate is anybody's claim.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /** By what of their certificates clients are known: one whose name constraints leave that free is refused. */
  readonly identity?: IdentityRule | undefined
  /** In the place of the usual verifier of client certificates, and so of `ca`. */
  readonly verifier?: CertificateVerifier | undefined
  readonly extendVerifier?: ExtendVerifier | undefined
  /** Chooses the certificate, in the place of `cert` and `key`: keys outside of this process, say. */
  readonly credentials?: CredentialResolver | undefined
  readonly SNICallback?: SNICallback | undefined
  /**
   * What `getTicketKeys()` of another server gave, or 48 random bytes, or 96 or 144, of which the first 48 seal and the others
   * still open; or a value that seals and opens tickets by keys that it has, as `DerivedTicketKeys` of `./session` does. Default:
   * keys of this server's own, which rotate.
   */
  readonly ticketKeys?: Uint8Array | Ticketer | undefined
  /** Seconds that a session can be resumed, 1 to 604800; default 7200. */
  readonly sessionTimeout?: number | undefined
  readonly externalPsks?: readonly PskOption[] | undefined
  /** Looks a key up; null: unknown. A promise may be returned. */
  readonly pskCallback?: PskCallback | undefined
  /** Takes up to so many bytes of 0-RTT data a connection, each ClientHello once: RFC 9846 section 8. */
  readonly earlyData?:
    | (Omit<EarlyDataOptions, "replayGuard"> & {
        /** Default: one of this server's own. Servers that share `ticketKeys` have to share a guard, too. */
        readonly replayGuard?: ReplayGuard | undefined
      })
    | undefined
  /**
   * Threads, 0 to 64, that do the public-key operations of handshakes, so that clients who are connected do not wait for them;
   * default 0: none. What a client's signatures mean is decided in this thread, by its rules and authorities. With a provider of
   * one's own there are none.
   */
  readonly workers?: number | undefined
  /**
   * Listeners of a socket's `data` are lent the bytes: the memory is used again when they return, so who keeps some copies them,
   * and such a socket is not piped. Saves most of the memory that bulk takes, and its collection. Default false.
   */
  readonly lendsData?: boolean | undefined
  readonly allowHalfOpen?: boolean | undefined
  readonly pauseOnConnect?: boolean | undefined
  /** What this stack has and node:tls has no word for; goes before what the other options say. */
  readonly core?: Partial<ServerOptions> | undefined
}

export type PskCallback = (
  socket: TLSSocket,
  identity: string,
) => Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>

/** The part of the options that `setSecureContext` replaces. */
export type ServerContextOptions = Pick<SecureContextOptions, "cert" | "key" | "ca" | "trust" | "crl" | "ocspResponse">
