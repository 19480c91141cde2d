import type { TlsError } from "../bytes/errors.ts"
import type { Pause } from "../bytes/pause.ts"
import type { DecisionName } from "../handshake/coroutine.ts"
import type { HandshakeInfo, Offer } from "../handshake/info.ts"
import type { ClientSession } from "../session/session.ts"
import type { PeerIdentity } from "../x509/interfaces.ts"

/** What happened in a call, in order. */
export type ConnectionEvent =
  /** The first ClientHello was sent or read. */
  | { readonly type: "offered"; readonly offer: Offer }
  /** The handshake is complete: the peer is who `info` says, and application data may flow. */
  | { readonly type: "connected"; readonly info: HandshakeInfo }
  /** Plaintext from an authenticated peer. The array belongs to the receiver. */
  | { readonly type: "data"; readonly data: Uint8Array }
  /** 0-RTT plaintext: it may be a replay, and has no forward secrecy (RFC 9846 section 8). */
  | { readonly type: "early-data"; readonly data: Uint8Array }
  /** The server took our 0-RTT data, or did not: then none of it has been seen. */
  | { readonly type: "early-data-decided"; readonly accepted: boolean }
  | { readonly type: "ticket"; readonly session: ClientSession }
  /** The client has answered `requestCertificate`: it is `peer`, and `info` says so from now on. */
  | { readonly type: "client-authenticated"; readonly peer: PeerIdentity; readonly peerSignatureScheme: string }
  /** The client has answered `requestCertificate`: it has no certificate, or shows none. */
  | { readonly type: "client-declined" }
  /** close_notify: the peer will send no more. We still may. */
  | { readonly type: "end" }
  /** The connection is over. `error` says whose fault it was; the alert, if one goes out, is in the output. */
  | { readonly type: "failed"; readonly error: TlsError }

/** A decision that the connection waits for; answer it with `connection.answer(value, now)`. */
export interface Decision {
  readonly name: DecisionName
  readonly pause: Pause<unknown>
}

/** What every call on a connection gives back. */
export interface Outcome {
  /** Bytes for the peer, in one write; empty when there are none. A fresh array that belongs to the caller. */
  readonly output: Uint8Array
  /** In order. Nothing is added to the list later: whoever has the outcome may hand it on as it is. */
  readonly events: readonly ConnectionEvent[]
  readonly waitsFor: "bytes" | "nothing" | Decision
}
