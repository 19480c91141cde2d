// The server's handshake from end to end, as in figure 1 of RFC 9846 (section 2) and appendix A.2: every message that is sent
// or awaited and every change of keys is a line of it. What a line means is in the file that its function comes from.

import { certificateMessages } from "../certificate-compression.ts"
import { receive, type Steps } from "../coroutine.ts"
import type { ClientAuthentication } from "../proofs.ts"
import { asksInHandshake } from "./certificate-request.ts"
import { authenticateClient, checkFinished, readClientCertificate, readEndOfEarlyData } from "./client-flight.ts"
import { type ClientHelloRead, readClientHello } from "./client-hello.ts"
import { describeHandshake, type ServerConnected, serverConnected, sessionPeerOf } from "./connected.ts"
import { readCookie, retryStatelessly } from "./cookie.ts"
import { chooseCredential } from "./credential.ts"
import { skippedEarlyData } from "./early-data.ts"
import { checkSecondClientHello, type ShareWanted, sendHelloRetryRequest } from "./hello-retry.ts"
import { type Negotiated, negotiate, negotiateAgain } from "./negotiate.ts"
import type { ServerHandshake } from "./server.ts"
import {
  applicationSecrets,
  exporterOf,
  limitReceivedRecords,
  sendCertificate,
  sendCertificateRequest,
  sendCertificateVerify,
  sendEncryptedExtensions,
  sendFinished,
  sendServerHello,
} from "./server-flight.ts"
import { sendTickets, ticketsOf } from "./tickets.ts"

export function* serverHandshake(server: ServerHandshake): Steps<ServerConnected> {
  const { link, settings, erasure } = server
  const certificate = certificateMessages(settings)
  try {
    // START
    let hello: ClientHelloRead | undefined
    hello = readClientHello(server, "first", yield* receive("server", "START", "client_hello"))
    let retry = readCookie(server, hello, "may be the first")
    if (retry === undefined && retryStatelessly(server, hello)) {
      hello = undefined // nothing of it is kept (section 4.3.2)
      hello = readClientHello(server, "second", yield* receive("server", "START", "client_hello"))
      retry = readCookie(server, hello, "is the second")
    }
    if (retry !== undefined) checkSecondClientHello(hello, retry)
    let agreed: Negotiated | ShareWanted | undefined = yield* negotiate(server, hello, retry)
    if (agreed.kind === "share wanted") {
      retry = sendHelloRetryRequest(server, hello, agreed)
      hello = agreed = undefined // but for its bytes
      hello = readClientHello(server, "second", yield* receive("server", "START", "client_hello"))
      checkSecondClientHello(hello, retry)
      agreed = yield* negotiateAgain(server, hello, retry)
    }

    // NEGOTIATED. The certificate is chosen before anything is sent, so that a refusal is a clean alert.
    const { suite, psk } = agreed
    const own = psk === undefined ? yield* chooseCredential(server, agreed.hello) : undefined
    const flight = yield* sendServerHello(server, agreed, own)
    hello = retry = agreed = undefined // whatever their length
    const { transcript, serverSecret, clientSecret, earlySecret } = flight
    link.protectSending(suite, serverSecret, "server_handshake_traffic_secret")
    sendEncryptedExtensions(server, flight)
    if (own !== undefined) {
      if (asksInHandshake(settings)) sendCertificateRequest(server, flight)
      sendCertificate(server, flight, own)
      yield* sendCertificateVerify(server, flight, own)
    }
    sendFinished(server, flight)
    const { main, secrets } = applicationSecrets(server, flight)
    // Section 4.5.3: "Any records following a Finished message MUST be encrypted under the appropriate application traffic key."
    link.protectSending(suite, secrets.server, "server_application_traffic_secret")
    link.exportHalfRtt(exporterOf(suite, secrets))

    // WAIT_EOED
    let { boundary } = flight
    if (earlySecret !== undefined) {
      link.protectReceiving(suite, earlySecret, "client_early_traffic_secret", boundary)
      erasure.erase(earlySecret)
      link.earlyData?.begin(settings.earlyData!.maxBytes)
      readEndOfEarlyData(flight, yield* receive("server", "WAIT_EOED", "end_of_early_data"))
      boundary = link.atRecordBoundary()
      link.earlyData?.end()
    }
    link.protectReceiving(suite, clientSecret, "client_handshake_traffic_secret", boundary)
    limitReceivedRecords(server, flight)
    if (flight.earlyData === "rejected") link.skipEarlyData(skippedEarlyData("undecryptable", settings))

    // WAIT_CERT, WAIT_CV. Certificates are not asked for where a PSK authenticates (section 4.4.2).
    let peer: ClientAuthentication = psk === undefined ? { by: "none" } : { by: "psk", psk: psk.proof }
    if (psk === undefined && asksInHandshake(settings)) {
      const shown = readClientCertificate(server, flight, yield* receive("server", "WAIT_CERT", ...certificate))
      if (shown.chain.length > 0) {
        const verify = yield* receive("server", "WAIT_CV", "certificate_verify")
        peer = { by: "certificate", signature: yield* authenticateClient(server, transcript, shown, verify) }
      }
    }

    // WAIT_FINISHED
    const finished = checkFinished(flight, yield* receive("server", "WAIT_FINISHED", "finished"))
    boundary = link.atRecordBoundary()
    link.protectReceiving(suite, secrets.client, "client_application_traffic_secret", boundary)

    // CONNECTED
    const resumption = erasure.hold(main.resumptionSecret(transcript.hash()))
    link.connected(describeHandshake(server, flight, own?.credential, peer))
    const tickets = ticketsOf(server, flight)
    sendTickets(server, tickets, resumption, sessionPeerOf(peer, flight, link.now))
    const connected = serverConnected(server, flight, secrets, tickets, resumption, { peer, finished })
    erasure.release(secrets.client, secrets.server, secrets.exporter)
    if (connected.resumptionSecret !== undefined) erasure.release(resumption)
    return connected
  } finally {
    erasure.end()
  }
}
