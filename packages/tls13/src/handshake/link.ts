// What a state may do: the record layer and the application, as the handshake sees them.

import type { HandshakeTypeName } from "../bytes/code-points.ts"
import type { CipherSuiteAlgorithms, RandomSource } from "../crypto/provider.ts"
import type { SkippedEarlyData } from "../record/skipped-early-data.ts"
import type { SecretObserver } from "../schedule/key-schedule.ts"
import type { ClientSession } from "../session/session.ts"
import type { SecretName } from "../trace/events.ts"
import type { EarlyData } from "./early-data.ts"
import type { HandshakeInfo, Offer } from "./info.ts"
import type { AtRecordBoundary, FinishedVerified, PeerSignatureVerified } from "./proofs.ts"

/** exporter_secret of section 7.5, in the hands of whoever erases it. */
export interface Exporter {
  exportKeyingMaterial(label: string, context: Uint8Array, length: number): Uint8Array
}

export interface Link {
  /** Milliseconds since 1970-01-01T00:00:00Z, as the caller of `receive` said. */
  readonly now: number
  readonly random: RandomSource
  /** undefined: nobody looks. */
  readonly observeSecret: SecretObserver | undefined

  /** Queues a handshake message under the current sending keys. Returns the bytes as sent: what the transcript takes in. */
  send(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): Uint8Array
  /** The first half of `send`: the bytes that `queue` is to send, which nothing comes between when they are queued together. */
  compose(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): Uint8Array
  queue(...messages: readonly Uint8Array[]): void
  /** A change_cipher_spec record, once, ahead of the next record that is sent (RFC 9846 appendix E.4). */
  sendChangeCipherSpec(): void
  /** From now on what is sent is protected under keys of this traffic secret, which the link copies. */
  protectSending(suite: CipherSuiteAlgorithms, secret: Uint8Array, name: SecretName): void
  /** The ClientHello after a HelloRetryRequest is in the clear again, though 0-RTT data was protected. */
  sendInClear(): void
  /** From now on what is received is protected under keys of this traffic secret, which the link copies. */
  protectReceiving(suite: CipherSuiteAlgorithms, secret: Uint8Array, name: SecretName, proof: AtRecordBoundary): void
  /** @throws PeerMisbehaved unexpected_message when handshake bytes are left in the record (section 5.1) */
  atRecordBoundary(): AtRecordBoundary
  /** record_size_limit (RFC 8449): the most inner-plaintext bytes that the peer takes in a record. */
  limitSentRecords(limit: number): void
  /** record_size_limit: what we told the peer. */
  limitReceivedRecords(limit: number): void
  /** Section 4.3.10: drops 0-RTT records that cannot be read; undefined: no more of them. */
  skipEarlyData(early: SkippedEarlyData | undefined): void
  /** The 0-RTT data of the connection, sent by a client or taken by a server; undefined: there is none. */
  earlyData: EarlyData | undefined

  /** The ClientHello.random that the key log names the connection by. */
  noteClientRandom(random: Uint8Array): void

  /** Tells the application. */
  offered(offer: Offer): void
  connected(info: HandshakeInfo): void
  ticketReceived(session: ClientSession): void
  earlyDataDecided(accepted: boolean): void
}

/** That of a server. */
export interface ServerLink extends Link {
  /** Between the two Finished messages keying material is exported by this, by the secret that the connection has afterwards. */
  exportHalfRtt(exporter: Exporter): void
  /** The client has shown, after the handshake, who it is; or that it has no certificate. */
  clientAuthenticated(signature: PeerSignatureVerified, finished: FinishedVerified): void
  clientDeclined(): void
}
