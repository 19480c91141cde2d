// Pre-shared keys and what is remembered with them: RFC 9846 sections 2.2, 4.3.11 and 4.7.1.

import { copyOf } from "../bytes/copy.ts"
import { Misuse } from "../bytes/errors.ts"
import type { Pause } from "../bytes/pause.ts"
import type { PskKind } from "../schedule/key-schedule.ts"
import type { CertificateType } from "../x509/interfaces.ts"

/** Seconds: "Servers MUST NOT use any value greater than 604800 seconds (7 days)", nor clients believe one. */
export const longestTicketLifetime = 604_800

/** What both sides remember of the connection in which a ticket was made. */
export interface SessionParameters {
  /** IANA number of the suite: its hash goes with the PSK, and 0-RTT needs the suite itself. */
  readonly cipherSuite: number
  readonly psk: Uint8Array
  /** Milliseconds since 1970-01-01T00:00:00Z: when the ticket was issued (server) or received (client). */
  readonly issuedAt: number
  /** Seconds, at most 604800. */
  readonly ticketLifetime: number
  /** ticket_age_add, 0 to 2^32-1. */
  readonly ticketAgeAdd: number
  /** Bytes of 0-RTT data allowed; 0: none. */
  readonly maxEarlyDataSize: number
  readonly alpnProtocol: string | undefined
  readonly serverName: string | undefined
  /** DER certificates of the peer in the first connection, leaf first; empty when it showed none. */
  readonly peerChain: readonly Uint8Array[]
  /**
   * Names the rules under which the session was made; it is resumed only under rules of the same name, so that a session
   * made under weaker ones is never resumed under stricter ones.
   */
  readonly partition: string
  /** What `peerChain` is: a chain of X.509 certificates unless this says otherwise. */
  readonly peerCertificateType?: CertificateType
  /** Milliseconds since 1970: when the peer's certificates expire, if its verifier said so; the session ends then too. */
  readonly peerValidUntil?: number
  /** The external PSK that the first connection was authenticated by, if it was: the session ends with it. */
  readonly pskIdentity?: Uint8Array
  /** When the peer's certificate was last verified: bounds how long a chain of resumptions may live (section 4.7.1). */
  readonly authenticatedAt: number
}

/** A session that a client can resume. */
export interface ClientSession extends SessionParameters {
  readonly ticket: Uint8Array
}

/** A session as a server's ticket tells it. */
export type ServerSession = SessionParameters

/** A client's memory of sessions; `key` names the server (host and port, say). It answers at once: it cannot be async. */
export interface ClientSessionStore {
  /** Removes and returns the newest session: a ticket is used once (RFC 9846 appendix C.4). */
  take(key: string, now: number): ClientSession | undefined
  put(key: string, session: ClientSession): void
}

/** Makes and opens a server's tickets: self-encrypted ones, or keys of a database. */
export interface Ticketer {
  /**
   * `session` may be kept: nobody else changes or erases it. undefined: no ticket is to be sent now. Answers at once.
   * @returns 1 to 65535 bytes
   */
  seal(session: ServerSession, now: number): Uint8Array | undefined
  /** undefined for a ticket that is unknown, expired or forged: it is then ignored (section 4.3.11). */
  open(ticket: Uint8Array, now: number): ServerSession | undefined | Pause<ServerSession | undefined>
}

/** Seals what a stateless server would have to remember between two ClientHellos: RFC 9846 section 4.3.2. */
export interface CookieSealer {
  /** @returns at most 65535 bytes that only we can have made and nobody else can read */
  seal(content: Uint8Array, now: number): Uint8Array
  /** What was sealed; `expired` when that was too long ago; undefined for a cookie that we did not make. */
  open(cookie: Uint8Array, now: number): Uint8Array | "expired" | undefined
}

/** A key that both sides were given outside of TLS (RFC 9257: at least 128 bits of entropy, used by two parties only). */
export interface ExternalPsk {
  /** 1 to 65535 bytes. */
  readonly identity: Uint8Array
  readonly key: Uint8Array
  /** "the Hash algorithm MUST be set when the PSK is established or default to SHA-256" (section 4.3.11). */
  readonly hash: "sha256" | "sha384"
  /** `imported` when the key went through the importer of RFC 9258. */
  readonly kind: Exclude<PskKind, "resumption">
}

/** The same key in memory of our own. @throws Misuse for what is no PSK, or one that could be guessed */
export function checkedPsk({ identity, key, hash, kind }: ExternalPsk): ExternalPsk {
  if (identity.length < 1 || identity.length > 65_535) throw new Misuse("a PSK identity has 1 to 65,535 bytes")
  // RFC 9257 section 6: "Each PSK ... MUST be at least 128 bits long".
  if (key.length < 16) throw new Misuse(`a PSK has ${8 * key.length} bits; it needs 128 random ones or more`)
  if (hash !== "sha256" && hash !== "sha384")
    throw new Misuse(`the hash of a PSK is ${hash}; it must be sha256 or sha384`)
  if (kind !== "external" && kind !== "imported")
    throw new Misuse(`the kind of a PSK is ${kind}; it must be external or imported`)
  return { identity: copyOf(identity), key: copyOf(key), hash, kind }
}

/** A server's external PSKs. */
export interface ExternalPskStore {
  lookup(identity: Uint8Array): ExternalPsk | undefined | Pause<ExternalPsk | undefined>
}

/** Lets each 0-RTT ClientHello through once: RFC 9846 section 8. */
export interface ReplayGuard {
  /**
   * Atomically records `key`. False when it was taken before, or when the guard cannot remember it until `expiresAt`
   * (milliseconds since 1970): 0-RTT is then refused, the handshake is not.
   */
  take(key: Uint8Array, expiresAt: number, now: number): boolean | Pause<boolean>
}

/** Age in milliseconds, as a ticket's age is counted; a clock that went back gives 0. */
export function ticketAge(session: SessionParameters, now: number): number {
  return Math.max(0, now - session.issuedAt)
}

/** Of the ticket, or of the certificates that the session stands on (section 4.7.1). */
export function isExpired(session: SessionParameters, now: number): boolean {
  if (session.peerValidUntil !== undefined && now > session.peerValidUntil) return true
  return ticketAge(session, now) > Math.min(session.ticketLifetime, longestTicketLifetime) * 1000
}
