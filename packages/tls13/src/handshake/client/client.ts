// What a client's handshake hands on from step to step, and the parts of it that not every client carries.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import type { ClientHello, ClientHelloContent } from "../../codec/client-hello.ts"
import type { ExtensionRows, ExtensionTable } from "../../codec/extensions/codec.ts"
import type { ClientHelloExtensions, EncryptedExtensionsExtensions } from "../../codec/extensions/messages.ts"
import type { OfferedPsks } from "../../codec/extensions/pre-shared-key.ts"
import type { TicketRequest } from "../../codec/extensions/ticket-request.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { ServerHello } from "../../codec/server-hello.ts"
import type { CipherSuiteAlgorithms, Hash, KeyExchangeStarted, RandomSource } from "../../crypto/provider.ts"
import type { SignatureSchemeInfo } from "../../crypto/signature-schemes.ts"
import type { EarlyStage, HandshakeStage, PskKind } from "../../schedule/key-schedule.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { ClientSession, ExternalPsk } from "../../session/session.ts"
import type { CertificateType, Credential, PeerIdentity } from "../../x509/interfaces.ts"
import type { PeerCertificate } from "../authentication.ts"
import type { Connected } from "../connected.ts"
import type { Decides } from "../coroutine.ts"
import type { OfferedEncryptedClientHello } from "../encrypted-client-hello.ts"
import type { Erasure } from "../erasure.ts"
import type { Link } from "../link.ts"
import type { PostHandshakeRow } from "../post-handshake.ts"
import type { AtRecordBoundary, PeerAuthentication, PeerSignatureVerified, PskAgreed } from "../proofs.ts"
import type { SessionPeer } from "../session-peer.ts"
import type { ClientSettings, Explanations } from "../settings.ts"

/** What stays the same through a client's connection. */
export interface Client {
  readonly link: Link
  readonly settings: ClientSettings
  readonly features: ClientFeatures
  /** The extensions of the features, and those of every client. */
  readonly extensions: ExtensionTable
}

/** What stays the same through one client handshake. */
export interface ClientHandshake extends Client {
  /** What is to be erased at its end. */
  readonly erasure: Erasure
}

/* ---------------------------------------------------------------- from step to step */

/** What the client put on the table, and what it needs to take the server up on it. */
export interface ClientOffer {
  readonly hello: ClientHello
  /** The ClientHello as sent. */
  readonly bytes: Uint8Array
  /** The private halves of the key shares, by group. */
  readonly shares: ReadonlyMap<number, KeyExchangeStarted>
  readonly psks: readonly OfferedPsk[]
  /** 0-RTT data is on its way under keys of the first PSK. */
  readonly earlyData: boolean
  /** Of RFC 8701: the second ClientHello has the same. */
  readonly greaseExtensions: ClientHelloContent["greaseExtensions"]
  /** Set when this is the second ClientHello. */
  readonly retry: Retry | undefined
  /** RFC 9849: the hello is then ClientHelloInner, until it is rejected. */
  readonly ech: OfferedEncryptedClientHello | undefined
}

/** A HelloRetryRequest that was read. */
export interface RetryAsked {
  readonly kind: "hello_retry_request"
  readonly retry: Retry
  /** A copy. */
  readonly cookie: Uint8Array | undefined
}

export interface Retry {
  readonly suite: CipherSuiteAlgorithms
  /** selected_group of the HelloRetryRequest, if it asked for another. */
  readonly group: number | undefined
  /** message_hash, HelloRetryRequest */
  readonly transcript: Transcript
  /** The first ClientHello offered 0-RTT data, which a HelloRetryRequest refuses. */
  readonly earlyDataRejected: boolean
}

/** One PSK on offer, with the Early Secret that it gives. */
export interface OfferedPsk {
  readonly identity: Uint8Array
  readonly kind: PskKind
  readonly hash: Hash
  readonly early: EarlyStage
  /** undefined for an external PSK. */
  readonly session: ClientSession | undefined
  /** Who the server is, when the certificates of the session were verified anew. */
  readonly peer: PeerIdentity | undefined
}

/** A session to resume, and what its verifier says today. */
export interface ResumableSession {
  readonly session: ClientSession
  readonly peer: PeerIdentity | undefined
}

/** A ServerHello that fits what was offered. */
export interface ServerHelloRead {
  readonly kind: "server_hello"
  readonly hello: ServerHello
  readonly suite: CipherSuiteAlgorithms
  readonly bytes: Uint8Array
}

/** What ServerHello settled. */
export interface HandshakeKeys {
  readonly suite: CipherSuiteAlgorithms
  readonly transcript: Transcript
  readonly schedule: HandshakeStage
  /** client_handshake_traffic_secret */
  readonly clientSecret: Uint8Array
  /** server_handshake_traffic_secret */
  readonly serverSecret: Uint8Array
  /** Its name; undefined for psk_ke. */
  readonly group: string | undefined
  readonly selected: SelectedPsk | undefined
  /** ServerHello ended its record: the receiving keys may change. */
  readonly boundary: AtRecordBoundary
}

export interface SelectedPsk {
  readonly psk: OfferedPsk
  readonly proof: PskAgreed
  /** selected_identity */
  readonly index: number
}

/** ServerHello's parameters and those that EncryptedExtensions adds. */
export interface ServerParameters extends HandshakeKeys {
  readonly alpnProtocol: string | undefined
  readonly earlyData: "not offered" | "accepted" | "rejected"
  readonly certificateTypes: { readonly client: CertificateType; readonly server: CertificateType }
}

export interface ClientConnected extends Connected<PeerAuthentication> {
  readonly resumptionSecret: Uint8Array
  /** What a ticket remembers of this connection. */
  readonly forTickets: { readonly peer: SessionPeer; readonly alpnProtocol: string | undefined } | undefined
  readonly certificateType: CertificateType
  /** ClientHello...client Finished, when the server may ask for a certificate later; undefined: it may not. */
  readonly transcript: Transcript | undefined
}

/* ---------------------------------------------------------------- what not every client carries */

/**
 * The features of TLS that a client may do without, each with the code that it takes: a handshake reaches that code by what it
 * was given here and in no other way, so that a bundle has nothing of a feature that is not among them. What is undefined is not
 * offered, and so is refused when a server uses it.
 */
export interface ClientFeatures {
  /** Servers with certificates (sections 4.5.1 and 4.5.2). */
  readonly certificates?: CertificatesFeature | undefined
  /** Certificates of our own, for servers that ask (section 4.4.2). Without it the answer is that there is none. */
  readonly clientCertificates?: ClientCertificatesFeature | undefined
  /** A server may ask for our certificate at any time (section 4.7.2). */
  readonly postHandshakeAuthentication?: PostHandshakeAuthenticationFeature | undefined
  /** RFC 8879. */
  readonly certificateCompression?: CertificateCompressionFeature | undefined
  /** RFC 7250. */
  readonly rawPublicKeys?: RawPublicKeysFeature | undefined
  /** Sessions and external PSKs (sections 4.3.11 and 4.7.1). */
  readonly preSharedKeys?: PreSharedKeysFeature | undefined
  /** 0-RTT (section 4.3.10). */
  readonly earlyData?: EarlyDataFeature | undefined
  /** RFC 8701. */
  readonly grease?: GreaseFeature | undefined
  /** Extensions in an order that is drawn for each connection. */
  readonly extensionOrder?: ExtensionOrderFeature | undefined
  /** For tests and teaching only (`./dangerous`). */
  readonly rewriting?: RewritingFeature | undefined
  /** Errors that say more of alerts, and of peers that do not speak TLS. */
  readonly explanations?: Explanations | undefined
}

/** Adds its extensions to those that the client knows. */
interface Feature {
  readonly extensions: ExtensionRows
}

export interface CertificatesFeature extends Feature {
  readonly schemes: readonly SignatureSchemeInfo[]
  offer(settings: ClientSettings): ClientHelloExtensions
  readRequest(client: Client, message: HandshakeMessage, transcript: Transcript): CertificateRequest
  readCertificate(
    client: ClientHandshake,
    offer: ClientOffer,
    agreed: ServerParameters,
    message: HandshakeMessage,
  ): PeerCertificate
  authenticateServer(
    client: ClientHandshake,
    transcript: Transcript,
    certificate: PeerCertificate,
    message: HandshakeMessage,
  ): Decides<PeerSignatureVerified>
  /** What we have shown. */
  answerRequest(
    client: Client,
    request: CertificateRequest,
    certificateType: CertificateType,
    transcript: Transcript,
    send?: (name: HandshakeTypeName, message: Uint8Array) => Uint8Array,
  ): Decides<Credential | undefined>
  /** A session whose certificates the verifier refuses now is undefined. */
  verifyAgain(client: Client, session: ClientSession): Decides<ResumableSession | undefined>
}

export interface ClientCertificatesFeature extends Feature {
  authenticate(
    client: Client,
    request: CertificateRequest,
    certificateType: CertificateType,
    transcript: Transcript,
    send?: (name: HandshakeTypeName, message: Uint8Array) => Uint8Array,
  ): Decides<Credential | undefined>
}

export type PostHandshakeAuthenticationFeature = Feature & PostHandshakeRow<"client", Client, ClientConnected>

export interface CertificateCompressionFeature extends Feature {
  offer(settings: ClientSettings): { readonly compress_certificate?: readonly number[] }
  messages(settings: ClientSettings): readonly ("certificate" | "compressed_certificate")[]
  compressed(
    certificate: Uint8Array,
    offered: readonly number[] | undefined,
    settings: ClientSettings,
  ): { readonly name: "certificate" | "compressed_certificate"; readonly message: Uint8Array }
  decompressed(message: HandshakeMessage, settings: ClientSettings): HandshakeMessage
}

export interface RawPublicKeysFeature extends Feature {
  offer(settings: ClientSettings): {
    readonly client_certificate_type?: readonly number[]
    readonly server_certificate_type?: readonly number[]
  }
  /** @throws Misuse */
  check(types: ClientSettings["certificateTypes"]): void
  chosen(extensions: EncryptedExtensionsExtensions, settings: ClientSettings): ServerParameters["certificateTypes"]
}

export interface PreSharedKeysFeature extends Feature {
  /** @throws Misuse */
  checked(psk: ExternalPsk): ExternalPsk
  /** @throws Misuse */
  ticketRequest(request: TicketRequest): TicketRequest
  chooseSession(client: Client): Decides<ResumableSession | undefined>
  collect(client: ClientHandshake, resumable: ResumableSession | undefined): OfferedPsk[]
  offerModes(settings: ClientSettings): ClientHelloExtensions
  offer(psks: readonly OfferedPsk[], now: number): { readonly pre_shared_key?: OfferedPsks }
  writeBinders(message: Uint8Array, psks: readonly OfferedPsk[], earlier: Transcript | undefined): void
  selected(offer: ClientOffer, hello: ServerHello, suite: CipherSuiteAlgorithms): SelectedPsk | undefined
  /** What a session with this server is about, when one comes. */
  forTickets(peer: PeerAuthentication, agreed: ServerParameters, now: number): ClientConnected["forTickets"]
  takeTicket(client: Client, connected: ClientConnected, message: HandshakeMessage): undefined
}

export interface EarlyDataFeature extends Feature {
  isAllowed(psk: OfferedPsk | undefined, settings: ClientSettings): boolean
  start(client: ClientHandshake, offer: ClientOffer): void
  /** Whether the server takes it. @throws PeerMisbehaved */
  isTaken(
    offer: ClientOffer,
    keys: HandshakeKeys,
    extensions: EncryptedExtensionsExtensions,
    alpnProtocol: string | undefined,
  ): boolean
  sendEnd(client: ClientHandshake, transcript: Transcript): void
}

export interface RewritingFeature {
  /** What is sent in the place of a ClientHello, and what it says. */
  hello(composed: Uint8Array, settings: ClientSettings): { readonly hello: ClientHello; readonly bytes: Uint8Array }
}

export interface GreaseFeature {
  clientHello(content: ClientHelloContent, random: RandomSource): ClientHelloContent
}

export interface ExtensionOrderFeature {
  permuted(extensions: ClientHelloExtensions, random: RandomSource): ClientHelloExtensions
}
