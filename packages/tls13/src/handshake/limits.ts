// Every bound on what a peer can make a connection do, in one place. Each has a test at the limit and one past it.

import { Misuse } from "../bytes/errors.ts"

export interface Limits {
  /**
   * Bytes of a handshake message without its header, 1 to 2^24-1. The default is what RFC 9846 section 4.2.2 allows a
   * ClientHello; of all others only a Certificate could be longer.
   */
  readonly handshakeMessageSize: number
  /** Certificates in a peer's chain. */
  readonly chainLength: number
  /** Milliseconds from the start to CONNECTED. */
  readonly handshakeTime: number
  /**
   * Handshake messages after the handshake (tickets, key updates) between two records with application data; default also:
   * at least the tickets of `ticketRequest`, and 16.
   */
  readonly postHandshakeMessages: number
  /** Records without content in a row. */
  readonly emptyRecords: number
  /** change_cipher_spec records in a handshake. */
  readonly changeCipherSpecs: number
  /** user_canceled alerts. */
  readonly warningAlerts: number
  /** Bytes of 0-RTT data that a server which does not take it skips over; default also: at least `earlyData.maxBytes`. */
  readonly skippedEarlyData: number
  /** Bytes that are held while the connection waits for a decision. */
  readonly bufferedInput: number
  /** CertificateRequests that a server has sent after the handshake, and that are not answered. */
  readonly certificateRequests: number
  /** PSK identities of a ClientHello that are looked at. */
  readonly pskIdentities: number
  /** Records that one key seals; undefined: the AEAD's own limit (RFC 9846 section 5.5). 4 or more. */
  readonly recordsPerKey: number | undefined
}

export const defaultLimits: Limits = {
  handshakeMessageSize: 131_396,
  chainLength: 32,
  handshakeTime: 10_000,
  postHandshakeMessages: 64,
  emptyRecords: 32,
  changeCipherSpecs: 4,
  warningAlerts: 4,
  skippedEarlyData: 16_384,
  bufferedInput: 65_536,
  certificateRequests: 4,
  pskIdentities: 8,
  recordsPerKey: undefined,
}

/** Those that the application chooses; undefined is the same as absent. */
export type ChosenLimits = { readonly [Name in keyof Limits]?: Limits[Name] | undefined }

/**
 * All limits: those that were chosen, else the usual ones, else the defaults.
 * @throws Misuse for a value that bounds nothing
 */
export function limitsWith(limits: ChosenLimits = {}, usual: Partial<Limits> = {}): Limits {
  const chosen = Object.entries(limits).filter(([, value]) => value !== undefined)
  for (const [name, value] of chosen) {
    const least = name === "recordsPerKey" ? 4 : 0
    // Infinity: no limit, where one wants that.
    if (
      typeof value !== "number" ||
      !(value >= least) ||
      !(Number.isInteger(value) || value === Number.POSITIVE_INFINITY)
    ) {
      throw new Misuse(`limits.${name} is ${value}; it must be a whole number from ${least} on`)
    }
  }
  return { ...defaultLimits, ...usual, ...Object.fromEntries(chosen) }
}
