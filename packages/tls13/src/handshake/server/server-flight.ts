// NEGOTIATED of RFC 9846 appendix A.2: ServerHello, EncryptedExtensions, [CertificateRequest], [Certificate,
// CertificateVerify], Finished (sections 4.2.3, 4.4 and 4.5), in one flight.

import { ProtocolVersion } from "../../bytes/code-points.ts"
import { PeerIncompatible, PeerMisbehaved } from "../../bytes/errors.ts"
import type { ClientHello } from "../../codec/client-hello.ts"
import { encodeEncryptedExtensions } from "../../codec/encrypted-extensions.ts"
import { encodeFinished } from "../../codec/finished.ts"
import { encodeServerHello } from "../../codec/server-hello.ts"
import { type CipherSuiteAlgorithms, InvalidKeyShare, type KeyExchange } from "../../crypto/provider.ts"
import type { SignatureSchemeInfo } from "../../crypto/signature-schemes.ts"
import { EarlyExporter } from "../../schedule/exporter.ts"
import { EarlyStage, type HandshakeStage } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import { Transcript } from "../../schedule/transcript.ts"
import type { CertificateType, Credential } from "../../x509/interfaces.ts"
import {
  certificateMessage,
  certificateTypeCode,
  certificateTypeOf,
  certificateVerifyMessage,
  chooseScheme,
  signTranscript,
} from "../authentication.ts"
import { compressed } from "../certificate-compression.ts"
import type { AtRecordBoundary } from "../proofs.ts"
import { decide, type Transition } from "../state.ts"
import { asksInHandshake, certificateRequest } from "./certificate-request.ts"
import type { EarlyDataDecision } from "./early-data.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import type { ServerRetry } from "./hello-retry.ts"
import type { ChosenPsk } from "./psk-selection.ts"
import { expectSecondFlight } from "./second-flight.ts"
import { ticketCount } from "./tickets.ts"

/** What the ClientHello led to. */
export interface Negotiated {
  readonly hello: ClientHello
  readonly bytes: Uint8Array
  readonly suite: CipherSuiteAlgorithms
  readonly psk: ChosenPsk | undefined
  /** undefined for psk_ke */
  readonly group: KeyExchange | undefined
  readonly clientShare: Uint8Array | undefined
  readonly alpnProtocol: string | undefined
  readonly earlyData: EarlyDataDecision
  readonly retry: ServerRetry | undefined
}

/** The server's flight on its way: ServerHello is out, what follows is protected. */
export interface Flight extends Negotiated {
  readonly certificateTypes: { readonly client: CertificateType; readonly server: CertificateType }
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

export function answerClientHello(server: ServerHandshake, negotiated: Negotiated): Transition {
  if (negotiated.psk !== undefined) return sendFlight(server, negotiated, undefined)
  return chooseCredential(server, negotiated, (own) => sendFlight(server, negotiated, own))
}

interface OwnCredential {
  readonly credential: Credential
  readonly scheme: SignatureSchemeInfo
}

/** Section 4.5.1.2. Chosen before anything is sent, so that a refusal is a clean alert. */
function chooseCredential(
  { settings }: ServerHandshake,
  { hello }: Negotiated,
  then: (own: OwnCredential) => Transition,
): Transition {
  const { extensions } = hello
  const schemes = extensions.signature_algorithms
  if (settings.credentials === undefined) {
    throw new PeerIncompatible(
      "handshake_failure",
      "client offers no PSK that this server knows, and the server has no certificate",
    )
  }
  // A hello with a PSK need not have it; one that ends up with a certificate must (section 9.2).
  if (schemes === undefined) {
    throw new PeerMisbehaved(
      "missing_extension",
      "ClientHello lacks signature_algorithms, which authentication by certificate needs",
    )
  }
  const certificateTypes = offeredTypes(extensions.server_certificate_type)
  const choice = settings.credentials.resolve({
    serverName: extensions.server_name?.toLowerCase(),
    alpnProtocols: extensions.application_layer_protocol_negotiation ?? [],
    signatureSchemes: schemes,
    signatureSchemesCert: extensions.signature_algorithms_cert ?? schemes,
    authorities: extensions.certificate_authorities ?? [],
    certificateTypes,
  })
  return decide("SelectCertificate", choice, (credential) => {
    if (credential === undefined) {
      // Section 4.2.1: "unable to negotiate a supported set of parameters".
      const whom = extensions.server_name === undefined ? "" : `, which asks for ${extensions.server_name}`
      throw new PeerIncompatible("handshake_failure", `no certificate fits this client${whom}`)
    }
    if ("none" in credential) throw new PeerIncompatible(credential.none, credential.message)
    // RFC 7250 section 4.2: no type in common ends the session with unsupported_certificate.
    if (!certificateTypes.includes(credential.type)) {
      throw new PeerIncompatible(
        "unsupported_certificate",
        `client does not take the certificate type ${credential.type}`,
      )
    }
    const scheme = chooseScheme(credential, schemes, settings.provider)
    if (scheme === undefined) {
      throw new PeerIncompatible(
        "handshake_failure",
        `client accepts no signature scheme that the server's ${credential.publicKey.type} key can sign with`,
      )
    }
    return then({ credential, scheme })
  })
}

function sendFlight(server: ServerHandshake, negotiated: Negotiated, own: OwnCredential | undefined): Transition {
  const certificateTypes = agreeCertificateTypes(server, negotiated, own)
  const flight = sendServerHello(server, negotiated, certificateTypes)
  sendEncryptedExtensions(server, flight)
  if (own === undefined) return sendFinished(server, flight)
  sendCertificateRequest(server, flight)
  return sendCertificate(server, flight, own)
}

function sendServerHello(
  { link }: ServerHandshake,
  negotiated: Negotiated,
  certificateTypes: Flight["certificateTypes"],
): Flight {
  const { hello, bytes, suite, psk, group, clientShare, retry, earlyData } = negotiated
  const boundary = link.atRecordBoundary()
  const keyExchange = group && clientShare && respond(group, clientShare, link.random)
  const transcript = retry?.transcript ?? new Transcript(suite.hash)
  transcript.add(bytes)
  const early = psk?.early ?? EarlyStage.start(suite.hash, undefined, link.observeSecret)
  const earlySecret = earlyData === "accepted" ? early.clientEarlyTrafficSecret(transcript.hash()) : undefined
  if (earlySecret) link.exportEarly(new EarlyExporter(suite.hash, early.earlyExporterSecret(transcript.hash())))
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
  const schedule = early.toHandshake(keyExchange?.secret)
  keyExchange?.secret.fill(0)
  const transcriptHash = transcript.hash()
  const clientSecret = schedule.clientHandshakeTrafficSecret(transcriptHash)
  const serverSecret = schedule.serverHandshakeTrafficSecret(transcriptHash)
  link.protectSending(suite, serverSecret, "server_handshake_traffic_secret")
  return { ...negotiated, certificateTypes, transcript, schedule, clientSecret, serverSecret, earlySecret, boundary }
}

function respond(group: KeyExchange, clientShare: Uint8Array, random: (length: number) => Uint8Array) {
  try {
    return group.respond(clientShare, random)
  } catch (error) {
    if (!(error instanceof InvalidKeyShare)) throw error
    throw new PeerMisbehaved("illegal_parameter", `client's key share cannot be used: ${error.message}`)
  }
}

function sendEncryptedExtensions(server: ServerHandshake, flight: Flight): void {
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
  if (sizeLimit !== undefined) {
    link.limitSentRecords(extensions.record_size_limit!)
    link.limitReceivedRecords(sizeLimit)
  }
}

function prefersAnotherGroup({ hello, group }: Flight, ours: readonly KeyExchange[]): boolean {
  return group !== undefined && hello.extensions.supported_groups !== undefined && ours[0] !== group
}

function sendCertificateRequest({ link, settings }: ServerHandshake, flight: Flight): void {
  if (!asksInHandshake(settings)) return
  flight.transcript.add(link.send("certificate_request", certificateRequest(settings, new Uint8Array(0))))
}

function sendCertificate(server: ServerHandshake, flight: Flight, { credential, scheme }: OwnCredential): Transition {
  const { link, settings } = server
  const { transcript, hello } = flight
  const asked = {
    ocsp: hello.extensions.status_request === true,
    signedCertificateTimestamps: hello.extensions.signed_certificate_timestamp === true,
  }
  const certificate = certificateMessage(new Uint8Array(0), credential, asked)
  const { name, message } = compressed(certificate, hello.extensions.compress_certificate, settings)
  transcript.add(link.send(name, message))
  const signature = signTranscript(credential, scheme, "server", transcript.hash(), settings.provider)
  return decide("Sign", signature, (bytes) => {
    transcript.add(link.send("certificate_verify", certificateVerifyMessage(scheme, bytes)))
    return sendFinished(server, flight)
  })
}

function sendFinished(server: ServerHandshake, flight: Flight): Transition {
  const { transcript, suite, serverSecret } = flight
  const verifyData = finishedMac(suite.hash, serverSecret, transcript.hash())
  transcript.add(server.link.send("finished", encodeFinished(verifyData)))
  serverSecret.fill(0)
  return expectSecondFlight(server, flight)
}

/* ---------------------------------------------------------------- certificate types (RFC 7250) */

function offeredTypes(codes: readonly number[] | undefined): readonly CertificateType[] {
  if (codes === undefined) return ["X509"]
  return codes.flatMap((code) => certificateTypeOf(code) ?? [])
}

function agreeCertificateTypes(
  { settings }: ServerHandshake,
  { hello }: Negotiated,
  own: OwnCredential | undefined,
): Flight["certificateTypes"] {
  const offeredOfServer = offeredTypes(hello.extensions.server_certificate_type)
  // Extensions are negotiated anew when a PSK is used, too (section 4.3).
  const server =
    own?.credential.type ?? settings.certificateTypes.server.find((type) => offeredOfServer.includes(type)) ?? "X509"
  if (settings.clientAuthentication === undefined || own === undefined) return { client: "X509", server }
  const offered = offeredTypes(hello.extensions.client_certificate_type)
  const client = settings.certificateTypes.client.find((type) => offered.includes(type))
  if (client === undefined && !asksInHandshake(settings)) return { client: "X509", server }
  // RFC 7250 section 4.2: no type in common ends the session with unsupported_certificate.
  if (client === undefined)
    throw new PeerIncompatible(
      "unsupported_certificate",
      "client and server have no type of client certificate in common",
    )
  return { client, server }
}
