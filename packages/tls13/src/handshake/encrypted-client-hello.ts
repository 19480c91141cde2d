// Encrypted Client Hello (RFC 9849) as a handshake sees it: values that are passed in with the options. `ech/` makes them, and no
// handshake imports it.

import type { ClientHello, ClientHelloContent } from "../codec/client-hello.ts"
import type { ExtensionRows, ExtensionTable } from "../codec/extensions/codec.ts"
import type { HandshakeMessage } from "../codec/message.ts"
import type { CipherSuiteAlgorithms, Hash } from "../crypto/provider.ts"
import type { Transcript } from "../schedule/transcript.ts"
import type { TraceSink } from "../trace/events.ts"
import type { CredentialResolver } from "../x509/interfaces.ts"
import type { Erasure } from "./erasure.ts"
import type { Link } from "./link.ts"

/** A ClientHello and its bytes. */
export interface ComposedHello {
  readonly hello: ClientHello
  readonly bytes: Uint8Array
}

/** What a client offers of it, for any number of connections. */
export interface EncryptedClientHello {
  /** The row of the extension, for clients that know no others than those of their features. */
  readonly extensions: ExtensionRows
  /** For one connection. */
  begin(client: ClientEnd): OfferedEncryptedClientHello
}

/** What of a client's settings an offer reads, and what its rejection changes. */
export interface EndSettings {
  readonly cipherSuites: readonly CipherSuiteAlgorithms[]
  readonly permuteExtensions: boolean
  readonly trace: TraceSink | undefined
  readonly serverName: string | undefined
  readonly credentials: CredentialResolver | undefined
}

/** The client of one connection. */
export interface ClientEnd {
  readonly link: Link
  readonly settings: EndSettings
  readonly extensions: ExtensionTable
  readonly erasure: Erasure
}

/** What one connection offers, and how far it is with it. */
export interface OfferedEncryptedClientHello {
  /** undefined while it is open, and for an offer that is made up. */
  readonly verdict: "accepted" | "rejected" | undefined
  /**
   * Sends the first or the second ClientHello. @param compose makes one, with its PSK binders
   * @returns the hello that counts, unless the server answers the other: ClientHelloInner
   */
  send(content: ClientHelloContent, compose: (content: ClientHelloContent) => ComposedHello): ComposedHello
  /**
   * Judges a HelloRetryRequest or a ServerHello: section 6.1.4.
   * @returns what the handshake goes on with, when it is ClientHelloOuter that the server has answered: for the public name alone,
   * with neither PSKs nor certificates of our own (section 6.1.6). undefined: with what it has
   * @throws PeerMisbehaved illegal_parameter
   */
  answered<Client extends { readonly settings: EndSettings }, Offer extends ComposedHello & Offered>(
    ends: { readonly client: Client; readonly offer: Offer },
    message: HandshakeMessage,
  ): { readonly client: Client; readonly offer: Offer } | undefined
  /** @param contents of encrypted_client_hello in EncryptedExtensions @throws PeerMisbehaved unsupported_extension, InvalidMessage decode_error */
  encryptedExtensions(contents: Uint8Array | undefined): void
  /** At the end of the handshake. @throws EncryptedClientHelloRejected */
  checkAccepted(): void
}

/** What of an offer a rejection changes, and what tells that there was a HelloRetryRequest. */
export interface Offered {
  readonly psks: readonly unknown[]
  readonly retry: { readonly transcript: Transcript } | undefined
}

/** What a server takes of it, for any number of connections: its keys. */
export interface TakesEncryptedClientHello {
  /** For one connection. */
  begin(server: ServerEnd): OpenedEncryptedClientHello
}

/** The server of one connection. */
export interface ServerEnd {
  readonly link: Link
  readonly trace: TraceSink | undefined
  readonly erasure: Erasure
}

/** What has come of it in one connection. */
export interface OpenedEncryptedClientHello {
  /** undefined: the client has offered none. */
  readonly verdict: "accepted" | "rejected" | undefined
  /** An ECHConfigList for EncryptedExtensions. */
  readonly retryConfigs: Uint8Array | undefined
  /** The ClientHello to answer, of the first and the second: ClientHelloInner, or the message as it is. @throws TlsError */
  read(message: HandshakeMessage): HandshakeMessage
  /** encrypted_client_hello of a HelloRetryRequest, its last extension. */
  readonly retrySignal: Uint8Array | undefined
  /** Writes the signal of section 7.2.1 into a HelloRetryRequest. @param transcript message_hash */
  confirmRetry(message: Uint8Array, transcript: Transcript, hash: Hash): void
  /** Writes the signal of section 7.2 into a ServerHello. @param transcript up to ClientHelloInner */
  confirm(message: Uint8Array, transcript: Transcript, hash: Hash): void
}
