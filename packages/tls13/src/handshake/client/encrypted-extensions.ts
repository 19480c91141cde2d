// WAIT_EE of RFC 9846 appendix A.1: EncryptedExtensions (section 4.4.1).

import { PeerMisbehaved } from "../../bytes/errors.ts"
import { quotedText } from "../../bytes/text.ts"
import { decodeEncryptedExtensionsBy } from "../../codec/encrypted-extensions.ts"
import { refuseUnsolicited } from "../../codec/extensions/block.ts"
import type { EncryptedExtensionsExtensions } from "../../codec/extensions/messages.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { ClientHandshake, ClientOffer, HandshakeKeys, ServerParameters } from "./client.ts"

export function readEncryptedExtensions(
  { link, settings, features, extensions: known }: ClientHandshake,
  offer: ClientOffer,
  keys: HandshakeKeys,
  message: HandshakeMessage,
): ServerParameters {
  const { values: extensions, types } = decodeEncryptedExtensionsBy(known, message)
  refuseUnsolicited(types, offer.hello.extensionTypes, "EncryptedExtensions")
  offer.ech?.encryptedExtensions(extensions.encrypted_client_hello)
  const alpnProtocol = checkAlpn(offer, extensions)
  const isTaken = features.earlyData?.isTaken(offer, keys, extensions, alpnProtocol)
  const wasOffered = offer.earlyData || offer.retry?.earlyDataRejected
  const earlyData = isTaken ? "accepted" : wasOffered ? "rejected" : "not offered"
  const certificateTypes = features.rawPublicKeys?.chosen(extensions, settings) ?? { client: "X509", server: "X509" }
  if (extensions.record_size_limit !== undefined) {
    link.limitSentRecords(extensions.record_size_limit)
    link.limitReceivedRecords(settings.recordSizeLimit!)
  }
  keys.transcript.add(message.bytes)
  return { alpnProtocol, earlyData, certificateTypes, ...keys }
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
