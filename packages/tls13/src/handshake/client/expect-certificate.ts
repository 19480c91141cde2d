// WAIT_CERT_CR and WAIT_CERT of RFC 9846 appendix A.1: CertificateRequest (section 4.4.2) and Certificate (section 4.5.1).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { HandshakeType } from "../../bytes/code-points.ts"
import { InvalidMessage } from "../../bytes/errors.ts"
import { type CertificateRequest, decodeCertificateRequest } from "../../codec/certificate-request.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { readCertificate } from "../authentication.ts"
import { certificateMessages } from "../certificate-compression.ts"
import type { State, StateName, Transition } from "../state.ts"
import type { ClientHandshake } from "./client-hello.ts"
import { ExpectCertificateVerify } from "./expect-certificate-verify.ts"
import type { ServerParametersAgreed } from "./expect-encrypted-extensions.ts"

const noContext = new Uint8Array(0)

export class ExpectCertificate implements State {
  readonly name: StateName
  readonly accepts: readonly HandshakeTypeName[]
  readonly #client: ClientHandshake
  readonly #agreed: ServerParametersAgreed
  readonly #request: CertificateRequest | undefined

  /** @param request what the server has asked for, once it has: it may ask only once */
  constructor(client: ClientHandshake, agreed: ServerParametersAgreed, request: CertificateRequest | undefined) {
    this.#client = client
    this.#agreed = agreed
    this.#request = request
    this.name = request === undefined ? "WAIT_CERT_CR" : "WAIT_CERT"
    const certificate = certificateMessages(client.settings)
    this.accepts = request === undefined ? ["certificate_request", ...certificate] : certificate
  }

  receive(message: HandshakeMessage): Transition {
    return message.type === HandshakeType.certificate_request ? this.#requested(message) : this.#shown(message)
  }

  #requested(message: HandshakeMessage): Transition {
    const request = decodeCertificateRequest(message)
    // "This field SHALL be zero length unless used for the post-handshake authentication exchanges"
    if (request.certificateRequestContext.length > 0) {
      throw new InvalidMessage("certificate_request_context is not empty in the handshake", "illegal_parameter")
    }
    this.#agreed.transcript.add(message.bytes)
    return new ExpectCertificate(this.#client, this.#agreed, request)
  }

  #shown(message: HandshakeMessage): Transition {
    const { offer, transcript, certificateTypes } = this.#agreed
    const requested = offer.hello.extensionTypes
    const certificate = readCertificate(message, noContext, certificateTypes.server, requested, this.#client.settings)
    // Section 4.5.1.3: "If the server supplies an empty Certificate message, the client MUST abort the handshake with a "decode_error" alert."
    if (certificate.chain.length === 0) throw new InvalidMessage("server sent an empty Certificate")
    transcript.add(message.bytes)
    return new ExpectCertificateVerify(this.#client, this.#agreed, certificate, this.#request)
  }
}
