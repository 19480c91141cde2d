// Post-handshake client authentication, the server's side: RFC 9846 sections 4.3.6 and 4.7.2. Each answer is Certificate,
// [CertificateVerify], Finished, with nothing between them; answers may come in any order, long after they were asked for.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { Misuse, PeerMisbehaved } from "../../bytes/errors.ts"
import { decodeCertificate } from "../../codec/certificate.ts"
import { decodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { type PeerCertificate, readCertificate } from "../authentication.ts"
import { certificateMessages, decompressed } from "../certificate-compression.ts"
import type { Decides } from "../coroutine.ts"
import { FinishedVerified, type PeerSignatureVerified } from "../proofs.ts"
import { authenticatedPeer } from "../session-peer.ts"
import { certificateRequest, requestedWithCertificate } from "./certificate-request.ts"
import { authenticateClient } from "./client-flight.ts"
import type { Server } from "./server.ts"
import type { Flight } from "./server-flight.ts"
import type { TicketIssuer } from "./tickets.ts"

interface Request {
  readonly context: Uint8Array
  /** ClientHello ... client Finished, CertificateRequest; then what the client answers. */
  readonly transcript: Transcript
}

/** How far the answer is that is coming in. */
type Answer =
  | { readonly next: "certificate_verify"; readonly request: Request; readonly certificate: PeerCertificate }
  | { readonly next: "finished"; readonly request: Request; readonly signature: PeerSignatureVerified | undefined }

export class PostHandshakeAuthentication {
  readonly #server: Server
  readonly #suite: CipherSuiteAlgorithms
  readonly #certificateType: CertificateType
  /** ClientHello ... client Finished */
  readonly #handshake: Transcript
  readonly #tickets: TicketIssuer
  #requests: readonly Request[] = []
  #answer: Answer | undefined

  constructor(server: Server, flight: Flight, tickets: TicketIssuer) {
    this.#server = { link: server.link, settings: server.settings }
    this.#suite = flight.suite
    this.#certificateType = flight.certificateTypes.client
    this.#handshake = flight.transcript
    this.#tickets = tickets
  }

  /** Messages of the client that are due now, beside those of other purposes; see `isMidAnswer`. */
  get accepts(): readonly HandshakeTypeName[] {
    if (this.#answer !== undefined) return [this.#answer.next]
    return this.#requests.length > 0 ? certificateMessages(this.#server.settings) : []
  }

  /** "with no intervening messages of other type or from other responses" (section 4.7.2) */
  get isMidAnswer(): boolean {
    return this.#answer !== undefined
  }

  wipe(): void {
    this.#tickets.wipe()
  }

  /** @throws Misuse when as many requests as the limit allows have no answer yet */
  request(): void {
    const { link, settings } = this.#server
    if (this.#requests.length >= settings.maxCertificateRequests) {
      throw new Misuse(`${this.#requests.length} CertificateRequests wait for their answer already`)
    }
    // Section 4.4.2: "chosen such that it is unpredictable to the client (e.g., by randomly generating it)".
    const context = link.random(32)
    const transcript = this.#handshake.clone()
    transcript.add(link.send("certificate_request", certificateRequest(settings, context)))
    this.#requests = [...this.#requests, { context, transcript }]
  }

  /** @param clientSecret client_application_traffic_secret_N as it is now: the Base Key (section 4.5) */
  *receive(message: HandshakeMessage, clientSecret: Uint8Array): Decides<void> {
    const answer = this.#answer
    if (answer === undefined) this.#receiveCertificate(message)
    else if (answer.next === "certificate_verify") {
      const { request, certificate } = answer
      const signature = yield* authenticateClient(this.#server, request.transcript, certificate, message)
      this.#answer = { next: "finished", request, signature }
    } else this.#receiveFinished(message, answer.request, answer.signature, clientSecret)
  }

  #receiveCertificate(message: HandshakeMessage): void {
    const { settings } = this.#server
    const whole = decompressed(message, settings)
    const { certificateRequestContext } = decodeCertificate(whole)
    const request = this.#requests.find(({ context }) => equalBytes(context, certificateRequestContext))
    if (request === undefined) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        "certificate_request_context of Certificate is that of no CertificateRequest",
      )
    }
    this.#requests = this.#requests.filter((other) => other !== request)
    const certificate = readCertificate(
      whole,
      request.context,
      this.#certificateType,
      requestedWithCertificate(settings),
      settings,
    )
    request.transcript.add(message.bytes)
    if (certificate.chain.length > 0) this.#answer = { next: "certificate_verify", request, certificate }
    else if (settings.clientAuthentication?.mode !== "require")
      this.#answer = { next: "finished", request, signature: undefined }
    else throw new PeerMisbehaved("certificate_required", "client has no certificate, and this listener requires one")
  }

  #receiveFinished(
    message: HandshakeMessage,
    { transcript }: Request,
    signature: PeerSignatureVerified | undefined,
    clientSecret: Uint8Array,
  ): void {
    const { link } = this.#server
    const { hash } = this.#suite
    const finished = FinishedVerified.check(hash, clientSecret, transcript.hash(), decodeFinished(message, hash.length))
    this.#answer = undefined
    if (signature === undefined) {
      link.clientDeclined()
      return
    }
    link.clientAuthenticated(signature, finished)
    // Section 4.7.1: "the server might send a new ticket after post-handshake authentication".
    this.#tickets.send(authenticatedPeer(signature.identity, link.now))
  }
}
