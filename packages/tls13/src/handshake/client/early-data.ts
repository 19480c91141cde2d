// 0-RTT as a client offers it: RFC 9846 sections 4.3.10 and 4.6.

import { PeerMisbehaved } from "../../bytes/errors.ts"
import { earlyData as earlyDataRow } from "../../codec/extensions/early-data.ts"
import type { EncryptedExtensionsExtensions } from "../../codec/extensions/messages.ts"
import { encodeEndOfEarlyData } from "../../codec/key-update.ts"
import { EarlyExporter } from "../../schedule/exporter.ts"
import type { Transcript } from "../../schedule/transcript.ts"
import { EarlyData } from "../early-data.ts"
import type { ClientSettings } from "../settings.ts"
import type { ClientHandshake, ClientOffer, EarlyDataFeature, HandshakeKeys, OfferedPsk } from "./client.ts"

export const earlyData: EarlyDataFeature = {
  extensions: { early_data: earlyDataRow },
  isAllowed,
  start,
  isTaken,
  sendEnd,
}

/** Section 4.3.10: the PSK allows 0-RTT, and its suite and application protocol are still on offer. */
function isAllowed(psk: OfferedPsk | undefined, settings: ClientSettings): boolean {
  const session = psk?.session
  if (session === undefined || session.maxEarlyDataSize === 0) return false
  return session.alpnProtocol === undefined
    ? settings.alpnProtocols.length === 0
    : settings.alpnProtocols.includes(session.alpnProtocol)
}

/** From here on 0-RTT data may be sent, under keys of the first PSK (section 4.3.10). */
function start({ link, settings, erasure }: ClientHandshake, { psks, bytes }: ClientOffer): void {
  const psk = psks[0]!
  const suite = settings.cipherSuites.find((candidate) => candidate.code === psk.session!.cipherSuite)!
  const transcriptHash = suite.hash.digest(bytes)
  const secret = erasure.hold(psk.early.clientEarlyTrafficSecret(transcriptHash))
  if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
  link.protectSending(suite, secret, "client_early_traffic_secret")
  link.earlyData = new EarlyData(new EarlyExporter(suite.hash, psk.early.earlyExporterSecret(transcriptHash)))
  link.earlyData.begin(psk.session!.maxEarlyDataSize)
  erasure.erase(secret)
}

/** Section 4.3.10: the first PSK, with its suite and its application protocol. */
function isTaken(
  _: ClientOffer,
  { suite, selected }: HandshakeKeys,
  extensions: EncryptedExtensionsExtensions,
  alpnProtocol: string | undefined,
): boolean {
  if (!extensions.early_data) return false
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
  return true
}

/** Section 4.6: under the early keys, and only when the server took the early data. */
function sendEnd({ link }: ClientHandshake, transcript: Transcript): void {
  transcript.add(link.send("end_of_early_data", encodeEndOfEarlyData()))
}
