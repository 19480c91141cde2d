// The client's handshake from end to end, as in figure 1 of RFC 9846 (section 2) and appendix A.1: every message that is sent
// or awaited and every change of keys is a line of it. What a line means is in the file that its function comes from.

import { HandshakeType } from "../../bytes/code-points.ts"
import { PeerIncompatible } from "../../bytes/errors.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import { receive, type Steps } from "../coroutine.ts"
import type { PeerAuthentication } from "../proofs.ts"
import type { ClientConnected, ClientHandshake } from "./client.ts"
import { sendClientHello, sendSecondClientHello } from "./client-hello.ts"
import { clientConnected, describeHandshake } from "./connected.ts"
import { readEncryptedExtensions } from "./encrypted-extensions.ts"
import { applicationSecrets, checkFinished, sendFinished } from "./finished.ts"
import { agreeOnKeys, readServerHello } from "./server-hello.ts"

export function* clientHandshake(client: ClientHandshake): Steps<ClientConnected> {
  const { link, settings, features, erasure } = client
  const certificate = features.certificateCompression?.messages(settings) ?? (["certificate"] as const)
  try {
    // START
    const session = features.preSharedKeys && (yield* features.preSharedKeys.chooseSession(client))
    let offer = yield* sendClientHello(client, session)
    if (offer.earlyData) features.earlyData?.start(client, offer)

    // WAIT_SH
    let message = yield* receive("client", "WAIT_SH", "server_hello")
    ;({ client, offer } = offer.ech?.answered({ client, offer }, message) ?? { client, offer })
    let hello = readServerHello(client, offer, message)
    if (hello.kind === "hello_retry_request") {
      if (offer.earlyData) {
        link.sendInClear()
        link.earlyDataDecided(false)
      }
      offer = yield* sendSecondClientHello(client, offer, hello)
      message = yield* receive("client", "WAIT_SH", "server_hello")
      ;({ client, offer } = offer.ech?.answered({ client, offer }, message) ?? { client, offer })
      hello = readServerHello(client, offer, message, hello.retry)
    }
    const keys = yield* agreeOnKeys(client, offer, hello)
    const { suite, clientSecret, serverSecret, transcript, selected } = keys
    link.protectReceiving(suite, serverSecret, "server_handshake_traffic_secret", keys.boundary)
    if (settings.middleboxCompatibility) link.sendChangeCipherSpec()
    // With 0-RTT data on its way the early keys stay until EncryptedExtensions says whether it was taken.
    if (!offer.earlyData) link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")

    // WAIT_EE
    const extensions = yield* receive("client", "WAIT_EE", "encrypted_extensions")
    const agreed = readEncryptedExtensions(client, offer, keys, extensions)
    if (offer.earlyData) {
      const taken = agreed.earlyData === "accepted"
      if (!taken) link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")
      link.earlyDataDecided(taken)
    }

    // WAIT_CERT_CR, WAIT_CERT, WAIT_CV
    let peer: PeerAuthentication
    let request: CertificateRequest | undefined
    if (selected !== undefined) peer = { by: "psk", psk: selected.proof }
    else {
      const { certificates } = features
      if (certificates === undefined)
        throw new PeerIncompatible(
          "certificate_unknown",
          "server wants to be known by a certificate; this client takes none",
        )
      message = yield* receive("client", "WAIT_CERT_CR", "certificate_request", ...certificate)
      if (message.type === HandshakeType.certificate_request) {
        request = certificates.readRequest(client, message, transcript)
        message = yield* receive("client", "WAIT_CERT", ...certificate)
      }
      const shown = certificates.readCertificate(client, offer, agreed, message)
      const verify = yield* receive("client", "WAIT_CV", "certificate_verify")
      peer = { by: "certificate", signature: yield* certificates.authenticateServer(client, transcript, shown, verify) }
    }

    // WAIT_FINISHED
    const finished = checkFinished(keys, yield* receive("client", "WAIT_FINISHED", "finished"))
    const boundary = link.atRecordBoundary()
    const { main, secrets } = applicationSecrets(client, keys)
    link.protectReceiving(suite, secrets.server, "server_application_traffic_secret", boundary)
    if (agreed.earlyData === "accepted") {
      features.earlyData?.sendEnd(client, transcript)
      link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")
    }
    const own =
      request &&
      (yield* features.certificates!.answerRequest(client, request, agreed.certificateTypes.client, transcript))
    sendFinished(client, keys)
    link.protectSending(suite, secrets.client, "client_application_traffic_secret")

    offer.ech?.checkAccepted()

    // CONNECTED
    const resumption = erasure.hold(main.resumptionSecret(transcript.hash()))
    const connected = clientConnected(client, offer, agreed, secrets, resumption, { peer, finished })
    erasure.release(secrets.client, secrets.server, secrets.exporter, resumption)
    link.connected(describeHandshake(offer, agreed, own, peer))
    return connected
  } finally {
    erasure.end()
  }
}
