// WAIT_EE of RFC 9846 appendix A.1: EncryptedExtensions (section 4.4.1).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { quotedText } from "../../bytes/text.ts"
import { decodeEncryptedExtensions } from "../../codec/encrypted-extensions.ts"
import { refuseUnsolicited } from "../../codec/extensions/block.ts"
import type { EncryptedExtensionsExtensions } from "../../codec/extensions/table.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import type { HandshakeStage } from "../../schedule/key-schedule.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { certificateTypeCode, certificateTypeOf } from "../authentication.ts"
import type { State, StateName, Transition } from "../state.ts"
import type { ClientHandshake, ClientOffer } from "./client-hello.ts"
import { ExpectCertificate } from "./expect-certificate.ts"
import { ExpectFinished } from "./expect-finished.ts"
import type { SelectedPsk } from "./expect-server-hello.ts"

/** What ServerHello settled. */
export interface ServerHelloAgreed {
  readonly offer: ClientOffer
  readonly suite: CipherSuiteAlgorithms
  readonly transcript: Transcript
  readonly schedule: HandshakeStage
  /** client_handshake_traffic_secret */
  readonly clientSecret: Uint8Array
  /** server_handshake_traffic_secret */
  readonly serverSecret: Uint8Array
  /** undefined for psk_ke */
  readonly group: number | undefined
  readonly selected: SelectedPsk | undefined
}

/** What EncryptedExtensions adds. */
export interface ServerParametersAgreed extends ServerHelloAgreed {
  readonly alpnProtocol: string | undefined
  readonly earlyData: "not offered" | "accepted" | "rejected"
  readonly certificateTypes: { readonly client: CertificateType; readonly server: CertificateType }
}

export class ExpectEncryptedExtensions implements State {
  readonly name: StateName = "WAIT_EE"
  readonly accepts: readonly HandshakeTypeName[] = ["encrypted_extensions"]
  readonly #client: ClientHandshake
  readonly #agreed: ServerHelloAgreed

  constructor(client: ClientHandshake, agreed: ServerHelloAgreed) {
    this.#client = client
    this.#agreed = agreed
  }

  receive(message: HandshakeMessage): Transition {
    const { link, settings } = this.#client
    const { offer, suite, transcript, clientSecret, selected } = this.#agreed
    const { values: extensions, types } = decodeEncryptedExtensions(message)
    refuseUnsolicited(types, offer.hello.extensionTypes, "EncryptedExtensions")
    const alpnProtocol = this.#checkAlpn(extensions)
    const earlyData = this.#checkEarlyData(extensions, alpnProtocol)
    const certificateTypes = {
      client: chosenType(extensions.client_certificate_type, settings.certificateTypes.client, "client"),
      server: chosenType(extensions.server_certificate_type, settings.certificateTypes.server, "server"),
    }
    if (extensions.record_size_limit !== undefined) {
      link.limitSentRecords(extensions.record_size_limit)
      link.limitReceivedRecords(settings.recordSizeLimit!)
    }
    transcript.add(message.bytes)
    if (offer.earlyData) {
      if (earlyData === "rejected") link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")
      link.earlyDataDecided(earlyData === "accepted")
    }

    const agreed: ServerParametersAgreed = { ...this.#agreed, alpnProtocol, earlyData, certificateTypes }
    if (selected === undefined) return new ExpectCertificate(this.#client, agreed, undefined)
    return new ExpectFinished(this.#client, agreed, { by: "psk", psk: selected.proof }, undefined)
  }

  #checkAlpn(extensions: EncryptedExtensionsExtensions): string | undefined {
    const protocol = extensions.application_layer_protocol_negotiation
    // RFC 7301 section 3.1: the server answers with one of the protocols on offer.
    if (
      protocol !== undefined &&
      !this.#agreed.offer.hello.extensions.application_layer_protocol_negotiation?.includes(protocol)
    ) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        `server selected the application protocol ${quotedText(protocol)}, which was not offered`,
      )
    }
    return protocol
  }

  /** Section 4.3.10: the first PSK, with its suite and its application protocol. */
  #checkEarlyData(
    extensions: EncryptedExtensionsExtensions,
    alpnProtocol: string | undefined,
  ): ServerParametersAgreed["earlyData"] {
    const { offer, suite, selected } = this.#agreed
    if (!extensions.early_data) {
      return offer.earlyData || offer.retry?.earlyDataRejected ? "rejected" : "not offered"
    }
    const session = selected?.psk.session
    if (selected?.index !== 0 || session === undefined) {
      throw new PeerMisbehaved("illegal_parameter", "server accepts early data without selecting the first PSK")
    }
    if (session.cipherSuite !== suite.code) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        "server accepts early data under another cipher suite than the ticket's",
      )
    }
    if (session.alpnProtocol !== alpnProtocol) {
      throw new PeerMisbehaved(
        "illegal_parameter",
        "server accepts early data for another application protocol than the ticket's",
      )
    }
    return "accepted"
  }
}

/** RFC 7250 section 4.2: X.509 unless the server chose another of the types on offer. */
function chosenType(code: number | undefined, offered: readonly CertificateType[], whose: string): CertificateType {
  if (code === undefined) {
    // A client's own certificate is not asked for yet; a server's comes next.
    if (whose === "server" && !offered.includes("X509")) {
      throw new PeerIncompatible(
        "unsupported_certificate",
        "server has an X.509 certificate; this client takes only raw public keys",
      )
    }
    return "X509"
  }
  const type = certificateTypeOf(code)
  if (type === undefined || !offered.some((candidate) => certificateTypeCode(candidate) === code)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `server selected the ${whose} certificate type ${code}, which was not offered`,
    )
  }
  return type
}
