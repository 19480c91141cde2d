import type { DropArgument, Socket } from "node:net"
import type { TlsError } from "../../bytes/errors.ts"
import type { HandshakeLimit } from "../handshake-gate.ts"
import type { HandshakeReport } from "./handshake-report.ts"
import type { TLSSocket } from "./tls-socket.ts"

/** The events of a Server, with what their listeners get. */
export interface ServerEvents {
  /** A handshake is over, and its client as good as the options ask. */
  readonly secureConnection: [socket: TLSSocket]
  /** A handshake failed. */
  readonly tlsClientError: [error: Error & { readonly code?: string }, socket: TLSSocket]
  /** Each handshake, whether it succeeded, failed, or was given up by the application. */
  readonly handshake: [report: HandshakeReport]
  /** A connection was closed before its handshake, as too many waited, in all or of its address, or it had waited too long. */
  readonly handshakeRefused: [event: HandshakeRefused]
  /**
   * A defect, of this stack or of a callback that the application gave, ended a connection: `error.cause` is what was thrown.
   * Its socket's `error` is the same, unless the connection had ended before.
   */
  readonly internalError: [error: TlsError, socket: TLSSocket | undefined]
  /** 0-RTT data, which may be a replay; before `secureConnection`. */
  readonly earlyData: [data: Buffer, socket: TLSSocket]
  /** A line of the key log, line end included. */
  readonly keylog: [line: Buffer, socket: TLSSocket]
  readonly connection: [socket: Socket]
  readonly listening: []
  readonly close: []
  readonly error: [error: Error & { readonly code?: string }]
  readonly drop: [data?: DropArgument]
}

export interface HandshakeRefused {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly limit: HandshakeLimit
}
