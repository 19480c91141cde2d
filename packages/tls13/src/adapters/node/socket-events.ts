import type { Readable } from "node:stream"
import type { TlsError } from "../../bytes/errors.ts"
import type { Offer } from "../../handshake/info.ts"

/** The events of a TLSSocket, with what their listeners get. */
export interface TLSSocketEvents {
  /** A client's handshake is over: `info` and `authorized` are set. */
  readonly secureConnect: []
  /** The same, on both sides. */
  readonly secure: []
  /** What a ClientHello asked for: sent by us, or read. */
  readonly offered: [offer: Offer]
  /** A client was given a session, for the `session` option. */
  readonly session: [session: Buffer]
  /** A line of the key log, line end included. Listen before the handshake begins. */
  readonly keylog: [line: Buffer]
  /** 0-RTT data, which may be a replay. */
  readonly earlyData: [data: Buffer]
  /** Whether the server took our 0-RTT data. */
  readonly earlyDataDecided: [accepted: boolean]
  /** The answer to `requestCertificate`: `authorized` says what became of it. */
  readonly clientCertificate: []
  /** A defect of this stack or of a callback, after the connection had ended; before, it is the `error`. */
  readonly internalError: [error: TlsError]
  readonly timeout: []
  readonly connect: []
  readonly ready: []
  readonly lookup: [error: Error | null, address: string, family: number | string, host: string]
  readonly data: [chunk: Buffer]
  readonly error: [error: Error & { readonly code?: string }]
  readonly end: []
  readonly close: []
  readonly drain: []
  readonly finish: []
  readonly readable: []
  readonly pause: []
  readonly resume: []
  readonly pipe: [source: Readable]
  readonly unpipe: [source: Readable]
}
