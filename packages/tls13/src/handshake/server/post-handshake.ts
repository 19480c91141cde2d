// CONNECTED of RFC 9846 appendix A.2: CertificateRequest goes out (sections 4.4.2 and 4.7.2), KeyUpdate (section 4.7.3) and the
// client's authentication come in. Each answer is Certificate, [CertificateVerify], Finished, with nothing between them; answers
// may come in any order, long after they were asked for.

import { codePointName, HandshakeType } from "../../bytes/code-points.ts"
import { equalBytes } from "../../bytes/equal.ts"
import { Misuse, PeerMisbehaved } from "../../bytes/errors.ts"
import { decodeCertificate } from "../../codec/certificate.ts"
import { allExtensions } from "../../codec/extensions/table.ts"
import { decodeFinished } from "../../codec/finished.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { readCertificate } from "../authentication.ts"
import { decompressed } from "../certificate-compression.ts"
import type { Decides } from "../coroutine.ts"
import { receiveKeyUpdate } from "../key-update.ts"
import type { PostHandshakeRow } from "../post-handshake.ts"
import { FinishedVerified } from "../proofs.ts"
import { authenticatedPeer } from "../session-peer.ts"
import { certificateRequest, requestedWithCertificate } from "./certificate-request.ts"
import { authenticateClient } from "./client-flight.ts"
import type { ServerConnected } from "./connected.ts"
import type { Server } from "./server.ts"
import { sendTickets } from "./tickets.ts"

export const serverPostHandshake: readonly PostHandshakeRow<"server", Server, ServerConnected>[] = [
  { message: "key_update", take: ({ link }, connected, message) => receiveKeyUpdate(link, connected, message) },
  { message: "certificate", isDue: isAskedFor, take: receiveCertificate },
  {
    message: "compressed_certificate",
    isDue: (server, connected) => isAskedFor(server, connected) && server.settings.certificateCompression.length > 0,
    take: receiveCertificate,
  },
  {
    message: "certificate_verify",
    isDue: (_, { answer }) => answer?.next === "certificate_verify",
    take: receiveCertificateVerify,
  },
  { message: "finished", isDue: (_, { answer }) => answer?.next === "finished", take: receiveFinished },
]

/**
 * Asks the client for a certificate.
 * @throws Misuse when this client may not be asked, or as many requests as the limit allows have no answer yet
 */
export function requestCertificate({ link, settings }: Server, { late }: ServerConnected): void {
  if (late === undefined) {
    throw new Misuse(
      "this client cannot be asked for a certificate: it did not offer post_handshake_auth, has an external PSK, or agreed " +
        "on no certificate type with this server; or the server has no clientAuthentication",
    )
  }
  if (late.requests.length >= settings.limits.certificateRequests) {
    throw new Misuse(`${late.requests.length} CertificateRequests wait for their answer already`)
  }
  // Section 4.4.2: "chosen such that it is unpredictable to the client (e.g., by randomly generating it)".
  const context = link.random(32)
  const transcript = late.transcript.clone()
  transcript.add(link.send("certificate_request", certificateRequest(settings, context)))
  late.requests = [...late.requests, { context, transcript }]
}

function isAskedFor(_: Server, { late, answer }: ServerConnected): boolean {
  return answer === undefined && late !== undefined && late.requests.length > 0
}

function receiveCertificate({ settings }: Server, connected: ServerConnected, message: HandshakeMessage): undefined {
  const { late } = connected
  if (late === undefined) throw notDue(message)
  const whole = decompressed(message, settings)
  const { certificateRequestContext } = decodeCertificate(whole)
  const request = late.requests.find(({ context }) => equalBytes(context, certificateRequestContext))
  if (request === undefined) {
    throw new PeerMisbehaved(
      "illegal_parameter",
      "certificate_request_context of Certificate is that of no CertificateRequest",
    )
  }
  late.requests = late.requests.filter((other) => other !== request)
  const requested = requestedWithCertificate(settings)
  const certificate = readCertificate(allExtensions, whole, request.context, late.certificateType, requested, settings)
  request.transcript.add(message.bytes)
  if (certificate.chain.length > 0) connected.answer = { next: "certificate_verify", request, certificate }
  else if (settings.clientAuthentication?.mode !== "require")
    connected.answer = { next: "finished", request, signature: undefined }
  else throw new PeerMisbehaved("certificate_required", "client has no certificate, and this listener requires one")
}

function* receiveCertificateVerify(
  server: Server,
  connected: ServerConnected,
  message: HandshakeMessage,
): Decides<undefined> {
  const { answer } = connected
  if (answer?.next !== "certificate_verify") throw notDue(message)
  const { request, certificate } = answer
  const signature = yield* authenticateClient(server, request.transcript, certificate, message)
  connected.answer = { next: "finished", request, signature }
}

function receiveFinished(server: Server, connected: ServerConnected, message: HandshakeMessage): undefined {
  const { link } = server
  const { suite, receiving, late, resumptionSecret, answer } = connected
  if (answer?.next !== "finished") throw notDue(message)
  const { request, signature } = answer
  const verifyData = decodeFinished(message, suite.hash.length)
  // Section 4.5: the Base Key is client_application_traffic_secret_N, as it is now.
  const finished = FinishedVerified.check(suite.hash, receiving.secret, request.transcript.hash(), verifyData)
  connected.answer = undefined
  if (signature === undefined) {
    link.clientDeclined()
    return
  }
  link.clientAuthenticated(signature, finished)
  // Section 4.7.1: "the server might send a new ticket after post-handshake authentication".
  if (late === undefined || resumptionSecret === undefined) throw notDue(message)
  sendTickets(server, late.tickets, resumptionSecret, authenticatedPeer(signature.identity, link.now))
}

/** The table has let it through all the same: a defect of ours. */
function notDue({ type }: HandshakeMessage): Error {
  return new Error(`${codePointName(HandshakeType, type)} is taken, and was not due`)
}
