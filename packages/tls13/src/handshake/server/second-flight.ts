// The client's second flight, as the server waits for it: WAIT_EOED, WAIT_FLIGHT2 of RFC 9846 appendix A.2.
// [EndOfEarlyData] [Certificate [CertificateVerify]] Finished (sections 4.6 and 4.5).

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import { PeerMisbehaved } from "../../bytes/errors.ts"
import { decodeFinished } from "../../codec/finished.ts"
import { decodeEndOfEarlyData } from "../../codec/key-update.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { MainStage } from "../../schedule/key-schedule.ts"
import { authenticatePeer, type PeerCertificate, readCertificate, readCertificateVerify } from "../authentication.ts"
import { certificateMessages } from "../certificate-compression.ts"
import type { ApplicationSecrets } from "../connected.ts"
import { type ClientAuthentication, FinishedVerified } from "../proofs.ts"
import type { State, StateName, Transition } from "../state.ts"
import { asksInHandshake, requestedWithCertificate } from "./certificate-request.ts"
import { ServerConnected } from "./connected.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import type { Flight } from "./server-flight.ts"

/** The server's Finished is out: the application secrets are known, the client is not. */
interface SecondFlight {
  readonly flight: Flight
  readonly main: MainStage
  readonly secrets: ApplicationSecrets
}

export function expectSecondFlight(server: ServerHandshake, flight: Flight): State {
  const { link, settings } = server
  const { suite, transcript, schedule, clientSecret, earlySecret, boundary, earlyData } = flight
  const main = schedule.toMain()
  const transcriptHash = transcript.hash()
  const secrets: ApplicationSecrets = {
    client: main.clientApplicationTrafficSecret(transcriptHash),
    server: main.serverApplicationTrafficSecret(transcriptHash),
    exporter: main.exporterSecret(transcriptHash),
  }
  // Section 4.5.3: "Any records following a Finished message MUST be encrypted under the appropriate application traffic key."
  link.protectSending(suite, secrets.server, "server_application_traffic_secret")
  const second: SecondFlight = { flight, main, secrets }
  if (earlySecret !== undefined) {
    link.protectReceiving(suite, earlySecret, "client_early_traffic_secret", boundary)
    earlySecret.fill(0)
    link.acceptEarlyData(settings.earlyData!.maxBytes)
    return new ExpectEndOfEarlyData(server, second)
  }
  link.protectReceiving(suite, clientSecret, "client_handshake_traffic_secret", boundary)
  if (earlyData === "rejected") link.skipEarlyData("undecryptable")
  return afterEarlyData(server, second)
}

/** Client certificates are not asked for where a PSK authenticates (section 4.4.2). */
function afterEarlyData(server: ServerHandshake, second: SecondFlight): State {
  const { psk } = second.flight
  if (psk !== undefined) return new ExpectFinished(server, second, { by: "psk", psk: psk.proof })
  if (asksInHandshake(server.settings)) return new ExpectCertificate(server, second)
  return new ExpectFinished(server, second, { by: "none" })
}

class ExpectEndOfEarlyData implements State {
  readonly name: StateName = "WAIT_EOED"
  readonly accepts: readonly HandshakeTypeName[] = ["end_of_early_data"]
  readonly #server: ServerHandshake
  readonly #second: SecondFlight

  constructor(server: ServerHandshake, second: SecondFlight) {
    this.#server = server
    this.#second = second
  }

  receive(message: HandshakeMessage): Transition {
    const { link } = this.#server
    const { suite, transcript, clientSecret } = this.#second.flight
    decodeEndOfEarlyData(message)
    const boundary = link.atRecordBoundary()
    transcript.add(message.bytes)
    link.acceptEarlyData(undefined)
    link.protectReceiving(suite, clientSecret, "client_handshake_traffic_secret", boundary)
    return afterEarlyData(this.#server, this.#second)
  }
}

class ExpectCertificate implements State {
  readonly name: StateName = "WAIT_CERT"
  readonly accepts: readonly HandshakeTypeName[]
  readonly #server: ServerHandshake
  readonly #second: SecondFlight

  constructor(server: ServerHandshake, second: SecondFlight) {
    this.accepts = certificateMessages(server.settings)
    this.#server = server
    this.#second = second
  }

  receive(message: HandshakeMessage): Transition {
    const { settings } = this.#server
    const { transcript, certificateTypes } = this.#second.flight
    const requested = requestedWithCertificate(settings)
    const certificate = readCertificate(message, new Uint8Array(0), certificateTypes.client, requested, settings)
    transcript.add(message.bytes)
    if (certificate.chain.length > 0) return new ExpectCertificateVerify(this.#server, this.#second, certificate)
    if (settings.clientAuthentication?.mode === "require") {
      throw new PeerMisbehaved("certificate_required", "client has no certificate, and this listener requires one")
    }
    return new ExpectFinished(this.#server, this.#second, { by: "none" })
  }
}

class ExpectCertificateVerify implements State {
  readonly name: StateName = "WAIT_CV"
  readonly accepts: readonly HandshakeTypeName[] = ["certificate_verify"]
  readonly #server: ServerHandshake
  readonly #second: SecondFlight
  readonly #certificate: PeerCertificate

  constructor(server: ServerHandshake, second: SecondFlight, certificate: PeerCertificate) {
    this.#server = server
    this.#second = second
    this.#certificate = certificate
  }

  receive(message: HandshakeMessage): Transition {
    const { link, settings } = this.#server
    const { provider, signatureSchemes, clientAuthentication } = settings
    const { transcript } = this.#second.flight
    const peerSignature = readCertificateVerify(message, "client", signatureSchemes)
    const { verifier } = clientAuthentication!
    const authentication = { verifier, serverName: undefined, now: link.now, provider }
    return authenticatePeer(authentication, this.#certificate, peerSignature, transcript.hash(), (signature) => {
      transcript.add(message.bytes)
      return new ExpectFinished(this.#server, this.#second, { by: "certificate", signature })
    })
  }
}

class ExpectFinished implements State {
  readonly name: StateName = "WAIT_FINISHED"
  readonly accepts: readonly HandshakeTypeName[] = ["finished"]
  readonly #server: ServerHandshake
  readonly #second: SecondFlight
  readonly #peer: ClientAuthentication

  constructor(server: ServerHandshake, second: SecondFlight, peer: ClientAuthentication) {
    this.#server = server
    this.#second = second
    this.#peer = peer
  }

  receive(message: HandshakeMessage): Transition {
    const { link } = this.#server
    const { flight, main, secrets } = this.#second
    const { suite, transcript, clientSecret } = flight
    const verifyData = decodeFinished(message, suite.hash.length)
    const finished = FinishedVerified.check(suite.hash, clientSecret, transcript.hash(), verifyData)
    const boundary = link.atRecordBoundary()
    transcript.add(message.bytes)
    const resumptionSecret = main.resumptionSecret(transcript.hash())
    main.wipe()
    clientSecret.fill(0)
    link.protectReceiving(suite, secrets.client, "client_application_traffic_secret", boundary)
    return new ServerConnected(this.#server, flight, secrets, resumptionSecret, { peer: this.#peer, finished })
  }
}
