// A recording is text: JSON lines in UTF-8. The first is the head (head.ts); then come, in the order in which things happened,
//
//   {"do":"receive","now":1800000000000,"bytes":"1603..."}          what was called, and with what
//   {"ask":"random","answer":{"bytes":"5f0c..."}}                    what the connection asked for meanwhile, and what it was given
//   {"gave":{"output":"1603...","events":["connected"],"waitsFor":"bytes"}}   what came of the call
//
// A line is written when it happens and never changed, so a process that dies leaves all lines but perhaps the last one whole. `now`
// is in milliseconds since 1970, as the caller gave it. Bytes are in hexadecimal; inside of answers they are {"bytes":"..."}.

import { AlertDescription, type AlertName } from "../bytes/alerts.ts"
import {
  CertificateRejected,
  Closed,
  InvalidMessage,
  LimitExceeded,
  Misuse,
  messageOf,
  PeerIncompatible,
  PeerMisbehaved,
  TlsError,
} from "../bytes/errors.ts"
import { toHex } from "../bytes/hex.ts"
import type { ConnectionEvent, Outcome } from "../connection/events.ts"
import { InvalidKeyShare } from "../crypto/provider.ts"

/** The calls that change a connection. */
export const callNames = [
  "start",
  "receive",
  "receiveEnd",
  "answer",
  "reject",
  "abandon",
  "abort",
  "tick",
  "send",
  "sendEarlyData",
  "sendHalfRtt",
  "updateKeys",
  "close",
  "destroy",
  "requestCertificate",
] as const
export type CallName = (typeof callNames)[number]

/** Something that was thrown, as far as a connection tells one from another. */
export interface Thrown {
  readonly kind: string
  readonly message: string
  readonly alert?: AlertName | undefined
  /** Of LimitExceeded the limit, of CertificateRejected the reason. */
  readonly word?: string | undefined
}

/** A call: the arguments that it has are there, and no others. */
export interface Call {
  readonly do: CallName
  /** Milliseconds since 1970. */
  readonly now?: number
  /** In hexadecimal: of the peer, or of the application. */
  readonly bytes?: string
  /** In the place of the application's bytes: how many they were. */
  readonly length?: number
  readonly value?: unknown
  readonly error?: Thrown
  readonly reason?: string
  readonly alert?: string
  readonly request?: string
}

/** What the connection asked, and one of: what it was answered, that the answer would come later, or what was thrown. */
export interface Ask {
  readonly ask: string
  readonly answer?: unknown
  readonly pause?: true
  readonly threw?: Thrown
  /** The callback has destroyed the connection. */
  readonly destroys?: true
}

/** What came of a call. */
export interface Gave {
  /** In hexadecimal; `length` instead of it: how many bytes there were. */
  readonly output?: string
  readonly length?: number
  readonly events?: readonly string[]
  readonly failure?: Thrown
  /** `bytes`, `nothing`, or the name of a decision; none: the call gave back nothing. */
  readonly waitsFor?: string
  /** The call was a misuse. */
  readonly threw?: Thrown
}

/** Why there is no more, though the connection went on. */
export interface End {
  readonly end: string
}

export type Line = Call | Ask | { readonly gave: Gave } | End

/**
 * Bytes that a replay makes of a line beside those that stand in it: payload that was left out, and padding. All of a recording's
 * are no more than one could have held, so that a short file makes nobody work for long.
 */
export function madeBy({ length = 0, ask, answer }: Partial<Call & Ask>): number {
  return length + (ask === "padding" && typeof answer === "number" ? Math.max(0, answer) : 0)
}

export function gaveOf(outcome: Outcome | undefined, failure: TlsError | undefined, withBytes: boolean): Gave {
  if (outcome === undefined) return {}
  const { output, events, waitsFor } = outcome
  return {
    ...(withBytes ? { output: toHex(output) } : { length: output.length }),
    ...(events.length > 0 && { events: events.map(eventText) }),
    ...(events.some(({ type }) => type === "failed") && failure && { failure: thrownOf(failure) }),
    waitsFor: typeof waitsFor === "object" ? waitsFor.name : waitsFor,
  }
}

/** An event in a word or two: what it carries comes from what was received. */
export function eventText(event: ConnectionEvent): string {
  switch (event.type) {
    case "data":
    case "early-data":
      return `${event.type} ${event.data.length}`
    case "early-data-decided":
      return `${event.type} ${event.accepted}`
    default:
      return event.type
  }
}

/* ---------------------------------------------------------------- errors */

export function thrownOf(error: unknown): Thrown {
  const message = messageOf(error)
  if (error instanceof InvalidKeyShare) return { kind: "InvalidKeyShare", message }
  if (!(error instanceof TlsError)) return { kind: "Error", message }
  const { kind, alert } = error
  const word =
    error instanceof LimitExceeded ? error.limit : error instanceof CertificateRejected ? error.reason : undefined
  return { kind, message, ...(alert && { alert }), ...(word !== undefined && { word }) }
}

/** The same to a connection as what was thrown. */
export function errorOf({ kind, message, alert, word = "" }: Thrown): Error {
  switch (kind) {
    case "InvalidKeyShare":
      return new InvalidKeyShare(message)
    case "PeerMisbehaved":
      return new PeerMisbehaved(alert, message)
    case "PeerIncompatible":
      return new PeerIncompatible(alert, message)
    case "InvalidMessage":
      return new InvalidMessage(message, alert)
    case "CertificateRejected":
      return new CertificateRejected(alert ?? "bad_certificate", message, word, [])
    case "LimitExceeded":
      return new LimitExceeded(alert ?? "internal_error", word, message)
    case "Closed":
      return new Closed(alert, message)
    case "Misuse":
      return new Misuse(message)
    default:
      return new Error(message)
  }
}

export function isAlertName(text: unknown): text is AlertName {
  return typeof text === "string" && Object.hasOwn(AlertDescription, text)
}
