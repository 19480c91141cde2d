// WAIT_EE of RFC 9846 appendix A.1: EncryptedExtensions (section 4.4.1).

import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import { quotedText } from "../../bytes/text.ts"
import { decodeEncryptedExtensions } from "../../codec/encrypted-extensions.ts"
import { refuseUnsolicited } from "../../codec/extensions/block.ts"
import type { EncryptedExtensionsExtensions } from "../../codec/extensions/messages.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { CertificateType } from "../../x509/interfaces.ts"
import { certificateTypeCode, certificateTypeOf } from "../authentication.ts"
import type { ClientHandshake } from "./client.ts"
import type { ClientOffer } from "./client-hello.ts"
import type { HandshakeKeys } from "./server-hello.ts"

/** ServerHello's parameters and those that EncryptedExtensions adds. */
export interface ServerParameters extends HandshakeKeys {
  readonly alpnProtocol: string | undefined
  readonly earlyData: "not offered" | "accepted" | "rejected"
  readonly certificateTypes: { readonly client: CertificateType; readonly server: CertificateType }
}

export function readEncryptedExtensions(
  { link, settings }: ClientHandshake,
  offer: ClientOffer,
  keys: HandshakeKeys,
  message: HandshakeMessage,
): ServerParameters {
  const { values: extensions, types } = decodeEncryptedExtensions(message)
  refuseUnsolicited(types, offer.hello.extensionTypes, "EncryptedExtensions")
  const alpnProtocol = checkAlpn(offer, extensions)
  const earlyData = checkEarlyData(offer, keys, extensions, alpnProtocol)
  const certificateTypes = {
    client: chosenType(extensions.client_certificate_type, settings.certificateTypes.client, "client"),
    server: chosenType(extensions.server_certificate_type, settings.certificateTypes.server, "server"),
  }
  if (extensions.record_size_limit !== undefined) {
    link.limitSentRecords(extensions.record_size_limit)
    link.limitReceivedRecords(settings.recordSizeLimit!)
  }
  keys.transcript.add(message.bytes)
  return { ...keys, alpnProtocol, earlyData, certificateTypes }
}

function checkAlpn(offer: ClientOffer, extensions: EncryptedExtensionsExtensions): string | undefined {
  const protocol = extensions.application_layer_protocol_negotiation
  // RFC 7301 section 3.1: the server answers with one of the protocols on offer.
  const offered = offer.hello.extensions.application_layer_protocol_negotiation
  if (protocol !== undefined && !offered?.includes(protocol)) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      `server selected the application protocol ${quotedText(protocol)}, which was not offered`,
    )
  }
  return protocol
}

/** Section 4.3.10: the first PSK, with its suite and its application protocol. */
function checkEarlyData(
  offer: ClientOffer,
  { suite, selected }: HandshakeKeys,
  extensions: EncryptedExtensionsExtensions,
  alpnProtocol: string | undefined,
): ServerParameters["earlyData"] {
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
