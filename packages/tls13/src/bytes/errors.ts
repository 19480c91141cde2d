import type { AlertName } from "./alerts.ts"

/**
 * Who is to blame, in a word that a program can switch on. `connection.receive()` never throws one of these for what a
 * peer sent: it returns them in the outcome's `closed` event.
 */
export type TlsErrorKind =
  | "PeerMisbehaved"
  | "PeerIncompatible"
  | "InvalidMessage"
  | "CertificateRejected"
  | "EncryptedClientHelloRejected"
  | "LimitExceeded"
  | "PeerAlert"
  | "Closed"
  | "Misuse"

/**
 * The base of every error that a TLS connection reports.
 * `message` is one sentence a person can act on; `alert` is what is sent to the peer, undefined when nothing is.
 */
export abstract class TlsError extends Error {
  abstract readonly kind: TlsErrorKind
  /** A stable word for programs, such as `ERR_TLS_DECRYPT_ERROR`: the alert, unless the kind of error says more. */
  readonly code: string
  readonly alert: AlertName | undefined

  constructor(alert: AlertName | undefined, message: string, codeWord: string = alert ?? "closed") {
    super(message)
    this.alert = alert
    this.code = `ERR_TLS_${codeWord.toUpperCase()}`
  }

  override get name(): string {
    return this.kind
  }
}

/** The peer did something that the RFC forbids. */
export class PeerMisbehaved extends TlsError {
  override readonly kind = "PeerMisbehaved"
}

/** The peer keeps the rules, but has nothing in common with us (version, suite, group, protocol). */
export class PeerIncompatible extends TlsError {
  override readonly kind = "PeerIncompatible"
}

/** Bytes that cannot be parsed as the structure that they claim to be (`decode_error`, unless a rule names another alert). */
export class InvalidMessage extends TlsError {
  override readonly kind = "InvalidMessage"

  constructor(message: string, alert: AlertName = "decode_error") {
    super(alert, message)
  }
}

/** The peer's certificate was refused. `chain` holds the DER certificates as received: untrusted. */
export class CertificateRejected extends TlsError {
  override readonly kind = "CertificateRejected"
  readonly chain: readonly Uint8Array[]
  /** The rule that failed, for programs: a reason of `./x509` such as `expired`, or of the application's own verifier. */
  readonly reason: string

  constructor(alert: AlertName, message: string, reason: string, chain: readonly Uint8Array[]) {
    super(alert, message)
    this.reason = reason
    this.chain = chain
  }
}

/** A limit of `Limits` was passed; `limit` is its name there, and in the code: `ERR_TLS_LIMIT_HANDSHAKE_TIME`. */
export class LimitExceeded extends TlsError {
  override readonly kind = "LimitExceeded"
  readonly limit: string

  constructor(alert: AlertName, limit: string, message: string) {
    super(alert, message, `limit_${limit.replace(/[A-Z]/g, (letter) => `_${letter}`)}`)
    this.limit = limit
  }
}

/**
 * The peer ended the connection with a fatal alert; `received` is its name. Nothing is sent back, unless it came where it
 * should have been protected: then `alert` is what is sent, and nothing proves that it was the peer's.
 */
export class PeerAlert extends TlsError {
  override readonly kind = "PeerAlert"
  readonly received: string

  constructor(received: string, message: string, alert?: AlertName) {
    super(alert, message, `peer_${received}`)
    this.received = received
  }
}

/** The stream ended, or was given up, before the TLS closure alert. */
export class Closed extends TlsError {
  override readonly kind = "Closed"
}

/** The application called something at a time or with a value that makes no sense. Thrown, never sent. */
export class Misuse extends TlsError {
  override readonly kind = "Misuse"

  constructor(message: string) {
    super(undefined, message, "misuse")
  }
}

/** What a thrown thing says. Never throws, whatever it is. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.message}` : String(thrown)
  } catch {
    return "something that cannot be shown was thrown"
  }
}
