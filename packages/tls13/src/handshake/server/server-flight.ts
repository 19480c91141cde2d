// NEGOTIATED of RFC 9846 appendix A.2: ServerHello, EncryptedExtensions, [CertificateRequest], [Certificate,
// CertificateVerify], Finished (sections 4.2.3, 4.4 and 4.5), in one flight.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import { encodeFinished } from "../../codec/finished.ts"
import { encodeServerHello } from "../../codec/server-hello.ts"
import type { CipherSuiteAlgorithms } from "../../crypto/provider.ts"
import { EarlyExporter, exportKeyingMaterial } from "../../schedule/exporter.ts"
import { EarlyStage, type HandshakeStage, type MainStage } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { SignedFlight } from "../../x509/interfaces.ts"
import { certificateVerifyMessage, signTranscript } from "../authentication.ts"
import { type ApplicationSecrets, applicationSecretsOf } from "../connected.ts"
import { type Decides, decide } from "../coroutine.ts"
import { EarlyData } from "../early-data.ts"
import type { Exporter } from "../link.ts"
import type { AtRecordBoundary } from "../proofs.ts"
import { certificateRequest } from "./certificate-request.ts"
import { agreeCertificateTypes, type CertificateTypes, type OwnCredential } from "./credential.ts"
import { certificate, encryptedExtensions } from "./flight-messages.ts"
import { respondToKeyShare } from "./key-exchange.ts"
import type { Negotiated } from "./negotiate.ts"
import type { ServerHandshake } from "./server.ts"

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
  /** The signature, when it came with the key share. */
  readonly signed: SignedFlight | undefined
}

export function* sendServerHello(
  server: ServerHandshake,
  negotiated: Negotiated,
  own: OwnCredential | undefined,
): Decides<Flight> {
  const { link, erasure } = server
  const certificateTypes = agreeCertificateTypes(server, negotiated.hello, own)
  const { hello, bytes, suite, psk, group, alpnProtocol, retry, earlyData, ech } = negotiated
  const boundary = link.atRecordBoundary()
  const { exchange, random, signed } = yield* respondToKeyShare(server, negotiated, own, certificateTypes)
  const transcript = retry?.transcript ?? new Transcript(suite.hash)
  transcript.add(bytes)
  if (exchange !== undefined) erasure.hold(exchange.secret)
  const early = psk?.early ?? erasure.hold(EarlyStage.start(suite.hash, undefined, link.observeSecret))
  const takesEarlyData = earlyData === "accepted"
  const earlySecret = takesEarlyData ? erasure.hold(early.clientEarlyTrafficSecret(transcript.hash())) : undefined
  if (earlySecret) {
    link.earlyData = new EarlyData(new EarlyExporter(suite.hash, early.earlyExporterSecret(transcript.hash())))
  }
  const message = encodeServerHello({
    random,
    legacySessionIdEcho: hello.legacySessionId,
    cipherSuite: suite.code,
    extensions: {
      key_share: exchange && group && { group: group.code, keyExchange: exchange.share },
      pre_shared_key: psk?.index,
      supported_versions: ProtocolVersion.tls13,
    },
  })
  ech?.confirm(message, transcript, suite.hash)
  transcript.add(link.send("server_hello", message))
  // Appendix E.4; after a HelloRetryRequest it has been sent already.
  if (hello.legacySessionId.length > 0) link.sendChangeCipherSpec()
  const schedule = erasure.hold(early.toHandshake(exchange?.secret))
  erasure.erase(early)
  if (exchange !== undefined) erasure.erase(exchange.secret)
  const transcriptHash = transcript.hash()
  const clientSecret = erasure.hold(schedule.clientHandshakeTrafficSecret(transcriptHash))
  const serverSecret = erasure.hold(schedule.serverHandshakeTrafficSecret(transcriptHash))
  return {
    kind: "negotiated",
    hello: stillNeeded(hello),
    bytes: nothing,
    suite,
    psk,
    group,
    clientShare: undefined,
    alpnProtocol,
    earlyData,
    retry: retry && { ...retry, first: undefined },
    ech,
    certificateTypes,
    transcript,
    schedule,
    clientSecret,
    serverSecret,
    earlySecret,
    boundary,
    signed,
  }
}

const nothing = /* @__PURE__ */ new Uint8Array(0)

/** A ClientHello may be long, and decoded be many times as large: what was decided by is not kept while the client is awaited. */
function stillNeeded(hello: ClientHello): ClientHello {
  const {
    application_layer_protocol_negotiation: _alpn,
    certificate_authorities: _authorities,
    cookie: _cookie,
    delegated_credential: _delegated,
    encrypted_client_hello: _ech,
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
    extensions: { supported_groups: groups && [], ...extensions },
    extensionTypes: [],
  }
}

export function sendEncryptedExtensions({ link, settings }: ServerHandshake, flight: Flight): void {
  flight.transcript.add(link.send("encrypted_extensions", encryptedExtensions(settings, flight)))
  const limit = flight.hello.extensions.record_size_limit
  if (limit !== undefined) link.limitSentRecords(limit)
}

/** RFC 8449 section 4, from the client's second flight on: its early data was on its way before it could know of a limit. */
export function limitReceivedRecords({ link, settings }: ServerHandshake, { hello }: Flight): void {
  if (hello.extensions.record_size_limit !== undefined) link.limitReceivedRecords(settings.recordSizeLimit)
}

export function sendCertificateRequest({ link, settings }: ServerHandshake, flight: Flight): void {
  flight.transcript.add(link.send("certificate_request", certificateRequest(settings, new Uint8Array(0))))
}

export function sendCertificate(
  { link, settings }: ServerHandshake,
  { transcript, hello }: Flight,
  { credential }: OwnCredential,
): void {
  const { name, message } = certificate(settings, hello, credential)
  transcript.add(link.send(name, message))
}

export function* sendCertificateVerify(
  { link, settings }: ServerHandshake,
  { transcript, signed }: Flight,
  { credential, scheme }: OwnCredential,
): Decides<void> {
  const hash = transcript.hash()
  const isSigned = signed !== undefined && equalBytes(signed.transcriptHash, hash)
  const signature = isSigned ? signed.signature : signTranscript(credential, scheme, "server", hash, settings.provider)
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
