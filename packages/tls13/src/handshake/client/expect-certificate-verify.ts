// WAIT_CV of RFC 9846 appendix A.1: the server's CertificateVerify (section 4.5.2).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerIncompatible } from "../../bytes/errors.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { authenticatePeer, type PeerCertificate, readCertificateVerify } from "../authentication.ts"
import type { State, StateName, Transition } from "../state.ts"
import type { ClientHandshake } from "./client-hello.ts"
import type { ServerParametersAgreed } from "./expect-encrypted-extensions.ts"
import { ExpectFinished } from "./expect-finished.ts"

export class ExpectCertificateVerify implements State {
  readonly name: StateName = "WAIT_CV"
  readonly accepts: readonly HandshakeTypeName[] = ["certificate_verify"]
  readonly #client: ClientHandshake
  readonly #agreed: ServerParametersAgreed
  readonly #certificate: PeerCertificate
  readonly #request: CertificateRequest | undefined

  constructor(
    client: ClientHandshake,
    agreed: ServerParametersAgreed,
    certificate: PeerCertificate,
    request: CertificateRequest | undefined,
  ) {
    this.#client = client
    this.#agreed = agreed
    this.#certificate = certificate
    this.#request = request
  }

  receive(message: HandshakeMessage): Transition {
    const { link, settings } = this.#client
    const { transcript } = this.#agreed
    if (settings.verifier === undefined) {
      throw new PeerIncompatible(
        "certificate_unknown",
        "server wants to be known by a certificate; this client only takes PSKs",
      )
    }
    const peerSignature = readCertificateVerify(message, "server", settings.signatureSchemes)
    const authentication = {
      verifier: settings.verifier,
      serverName: settings.referenceName,
      now: link.now,
      provider: settings.provider,
    }
    return authenticatePeer(authentication, this.#certificate, peerSignature, transcript.hash(), (signature) => {
      transcript.add(message.bytes)
      return new ExpectFinished(this.#client, this.#agreed, { by: "certificate", signature }, this.#request)
    })
  }
}
