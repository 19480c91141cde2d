// NEGOTIATED of RFC 9846 appendix A.2: ServerHello, EncryptedExtensions, [CertificateRequest], [Certificate,
// CertificateVerify], Finished (sections 4.2.3, 4.4 and 4.5), in one flight.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import { encodeEncryptedExtensions } from "../../codec/encrypted-extensions.ts"
import { allExtensions } from "../../codec/extensions/table.ts"
import { encodeFinished } from "../../codec/finished.ts"
import { encodeServerHello } from "../../codec/server-hello.ts"
import {
  type CipherSuiteAlgorithms,
  InvalidKeyShare,
  type KeyExchange,
  type KeyExchangeAnswer,
} from "../../crypto/provider.ts"
import { EarlyExporter, exportKeyingMaterial } from "../../schedule/exporter.ts"
import { EarlyStage, type HandshakeStage, type MainStage } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import { Transcript } from "../../schedule/transcript.ts"
import { certificateMessage, certificateVerifyMessage, signTranscript } from "../authentication.ts"
import { compressed } from "../certificate-compression.ts"
import { certificateTypeCode } from "../certificate-type.ts"
import { type ApplicationSecrets, applicationSecretsOf } from "../connected.ts"
import { type Decides, decide } from "../coroutine.ts"
import { EarlyData } from "../early-data.ts"
import type { Exporter } from "../link.ts"
import type { AtRecordBoundary } from "../proofs.ts"
import { certificateRequest } from "./certificate-request.ts"
import { agreeCertificateTypes, type CertificateTypes, type OwnCredential } from "./credential.ts"
import type { Negotiated } from "./negotiate.ts"
import type { ServerHandshake } from "./server.ts"
import { ticketCount } from "./tickets.ts"

/** The server's flight on its way: ServerHello is out, what follows is protected. */
export interface Flight extends Negotiated {
  readonly certificateTypes: CertificateTypes
  readonly transcript: Transcript
  readonly schedule: HandshakeStage
  /** client_handshake_traffic_secret */
  readonly clientSecret: Uint8Array
  /** server_handshake_traffic_secret */
  readonly serverSecret: Uint8Array
  /** client_early_traffic_secret, when 0-RTT data is taken */
  readonly earlySecret: Uint8Array | undefined
  /** The ClientHello ended its record: the receiving keys may change. */
  readonly boundary: AtRecordBoundary
}

export function* sendServerHello(
  server: ServerHandshake,
  negotiated: Negotiated,
  own: OwnCredential | undefined,
): Decides<Flight> {
  const { link, erasure } = server
  const certificateTypes = agreeCertificateTypes(server, negotiated.hello, own)
  const { hello, bytes, suite, psk, group, clientShare, retry, earlyData } = negotiated
  const boundary = link.atRecordBoundary()
  const keyExchange = group && clientShare && (yield* respond(group, clientShare, link.random))
  const transcript = retry?.transcript ?? new Transcript(suite.hash)
  transcript.add(bytes)
  if (keyExchange !== undefined) erasure.hold(keyExchange.secret)
  const early = psk?.early ?? erasure.hold(EarlyStage.start(suite.hash, undefined, link.observeSecret))
  const takesEarlyData = earlyData === "accepted"
  const earlySecret = takesEarlyData ? erasure.hold(early.clientEarlyTrafficSecret(transcript.hash())) : undefined
  if (earlySecret) {
    link.earlyData = new EarlyData(new EarlyExporter(suite.hash, early.earlyExporterSecret(transcript.hash())))
  }
  const message = encodeServerHello({
    random: link.random(32),
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.code,
    extensions: {
      ...(keyExchange && group && { key_share: { group: group.code, keyExchange: keyExchange.share } }),
      ...(psk && { pre_shared_key: psk.index }),
      supported_versions: ProtocolVersion.tls13,
    },
  })
  transcript.add(link.send("server_hello", message))
  // Appendix E.4; after a HelloRetryRequest it has been sent already.
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec()
  const schedule = erasure.hold(early.toHandshake(keyExchange?.secret))
  erasure.erase(early)
  if (keyExchange !== undefined) erasure.erase(keyExchange.secret)
  const transcriptHash = transcript.hash()
  const clientSecret = erasure.hold(schedule.clientHandshakeTrafficSecret(transcriptHash))
  const serverSecret = erasure.hold(schedule.serverHandshakeTrafficSecret(transcriptHash))
  const spent = { bytes: nothing, clientShare: undefined, retry: retry && { ...retry, first: undefined } }
  const kept = { ...negotiated, ...spent, hello: stillNeeded(hello) }
  return { ...kept, certificateTypes, transcript, schedule, clientSecret, serverSecret, earlySecret, boundary }
}

const nothing = /* @__PURE__ */ new Uint8Array(0)

/** A ClientHello may be long, and decoded be many times as large: what was decided by is not kept while the client is awaited. */
function stillNeeded(hello: ClientHello): ClientHello {
  const {
    application_layer_protocol_negotiation: _alpn,
    certificate_authorities: _authorities,
    cookie: _cookie,
    key_share: _shares,
    pre_shared_key: _psks,
    signature_algorithms: _schemes,
    signature_algorithms_cert: _schemesCert,
    supported_groups: groups,
    supported_versions: _versions,
    ...extensions
  } = hello.extensions
  return {
    ...hello,
    random: nothing,
    legacySessionId: nothing,
    cipherSuites: [],
    legacyCompressionMethods: nothing,
    extensions: groups === undefined ? extensions : { ...extensions, supported_groups: [] },
    extensionTypes: [],
  }
}

function* respond(
  group: KeyExchange,
  clientShare: Uint8Array,
  random: (length: number) => Uint8Array,
): Decides<KeyExchangeAnswer> {
  try {
    return yield* decide("RespondToKeyShare", group.respond(clientShare, random), ({ secret }) => secret.fill(0))
  } catch (error) {
    if (!(error instanceof InvalidKeyShare)) throw error
    throw new PeerMisbehaved("illegal_parameter", `client's key share cannot be used: ${error.message}`)
  }
}

export function sendEncryptedExtensions(server: ServerHandshake, flight: Flight): void {
  const { link, settings } = server
  const { hello, alpnProtocol, psk, earlyData, certificateTypes, transcript } = flight
  const { extensions } = hello
  const sizeLimit = extensions.record_size_limit !== undefined ? settings.recordSizeLimit : undefined
  const message = encodeEncryptedExtensions({
    // Section 4.3.7: "it SHOULD send "supported_groups" to update the client's view of its preferences".
    ...(prefersAnotherGroup(flight, settings.groups) && { supported_groups: settings.groups.map(({ code }) => code) }),
    ...(sizeLimit !== undefined && { record_size_limit: sizeLimit }),
    // RFC 6066 section 3: the server that used the name answers with an empty server_name.
    ...(extensions.server_name !== undefined && psk === undefined && { server_name: true }),
    ...(alpnProtocol !== undefined && { application_layer_protocol_negotiation: alpnProtocol }),
    // RFC 7250 section 4.2: what was chosen of the offered types; that of the client only when a certificate is asked for.
    ...(extensions.client_certificate_type !== undefined &&
      settings.clientAuthentication !== undefined &&
      psk === undefined && { client_certificate_type: certificateTypeCode(certificateTypes.client) }),
    ...(extensions.server_certificate_type?.includes(certificateTypeCode(certificateTypes.server)) && {
      server_certificate_type: certificateTypeCode(certificateTypes.server),
    }),
    // RFC 9149 section 3: expected_count, of what was asked for.
    ...(extensions.ticket_request !== undefined &&
      settings.ticketer !== undefined && { ticket_request: ticketCount(server, flight) }),
    ...(earlyData === "accepted" && { early_data: true }),
  })
  transcript.add(link.send("encrypted_extensions", message))
  if (sizeLimit !== undefined) link.limitSentRecords(extensions.record_size_limit!)
}

/** RFC 8449 section 4, from the client's second flight on: its early data was on its way before it could know of a limit. */
export function limitReceivedRecords({ link, settings }: ServerHandshake, { hello }: Flight): void {
  const { recordSizeLimit } = settings
  if (hello.extensions.record_size_limit !== undefined && recordSizeLimit !== undefined)
    link.limitReceivedRecords(recordSizeLimit)
}

function prefersAnotherGroup({ hello, group }: Flight, ours: readonly KeyExchange[]): boolean {
  return group !== undefined && hello.extensions.supported_groups !== undefined && ours[0] !== group
}

export function sendCertificateRequest({ link, settings }: ServerHandshake, flight: Flight): void {
  flight.transcript.add(link.send("certificate_request", certificateRequest(settings, new Uint8Array(0))))
}

export function sendCertificate(
  { link, settings }: ServerHandshake,
  { transcript, hello }: Flight,
  { credential }: OwnCredential,
): void {
  const asked = {
    ocsp: hello.extensions.status_request === true,
    signedCertificateTimestamps: hello.extensions.signed_certificate_timestamp === true,
  }
  const certificate = certificateMessage(allExtensions, new Uint8Array(0), credential, asked)
  const { name, message } = compressed(certificate, hello.extensions.compress_certificate, settings)
  transcript.add(link.send(name, message))
}

export function* sendCertificateVerify(
  { link, settings }: ServerHandshake,
  { transcript }: Flight,
  { credential, scheme }: OwnCredential,
): Decides<void> {
  const signature = signTranscript(credential, scheme, "server", transcript.hash(), settings.provider)
  const bytes = yield* decide("Sign", signature)
  transcript.add(link.send("certificate_verify", certificateVerifyMessage(scheme, bytes)))
}

export function sendFinished({ link, erasure }: ServerHandshake, { transcript, suite, serverSecret }: Flight): void {
  const verifyData = finishedMac(suite.hash, serverSecret, transcript.hash())
  transcript.add(link.send("finished", encodeFinished(verifyData)))
  erasure.erase(serverSecret)
}

/** Of ClientHello ... server Finished. The client is not known yet. */
export function applicationSecrets(
  { erasure }: ServerHandshake,
  { schedule, transcript }: Flight,
): { readonly main: MainStage; readonly secrets: ApplicationSecrets } {
  const main = erasure.hold(schedule.toMain())
  erasure.erase(schedule)
  return { main, secrets: applicationSecretsOf(main, transcript.hash(), erasure) }
}

/** Section 7.5: from here on there is an exporter_secret. It is erased with the secrets, and not asked afterwards. */
export function exporterOf({ hash }: CipherSuiteAlgorithms, { exporter }: ApplicationSecrets): Exporter {
  return {
    exportKeyingMaterial: (label, context, length) => exportKeyingMaterial(hash, exporter, label, context, length),
  }
}
