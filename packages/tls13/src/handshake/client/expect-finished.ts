// WAIT_FINISHED of RFC 9846 appendix A.1: the server's Finished (section 4.5.3), then the client's last flight:
// [EndOfEarlyData] [Certificate [CertificateVerify]] Finished.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import type { CertificateRequest } from "../../codec/certificate-request.ts"
import { decodeFinished, encodeFinished } from "../../codec/finished.ts"
import { encodeEndOfEarlyData } from "../../codec/key-update.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import type { MainStage } from "../../schedule/key-schedule.ts"
import { finishedMac } from "../../schedule/traffic.ts"
import type { ApplicationSecrets } from "../connected.ts"
import { FinishedVerified, type PeerAuthentication } from "../proofs.ts"
import type { State, StateName, Transition } from "../state.ts"
import { authenticate } from "./authenticate.ts"
import type { ClientHandshake } from "./client-hello.ts"
import { ClientConnected } from "./connected.ts"
import type { ServerParametersAgreed } from "./expect-encrypted-extensions.ts"

export class ExpectFinished implements State {
  readonly name: StateName = "WAIT_FINISHED"
  readonly accepts: readonly HandshakeTypeName[] = ["finished"]
  readonly #client: ClientHandshake
  readonly #agreed: ServerParametersAgreed
  readonly #peer: PeerAuthentication
  readonly #request: CertificateRequest | undefined

  constructor(
    client: ClientHandshake,
    agreed: ServerParametersAgreed,
    peer: PeerAuthentication,
    request: CertificateRequest | undefined,
  ) {
    this.#client = client
    this.#agreed = agreed
    this.#peer = peer
    this.#request = request
  }

  receive(message: HandshakeMessage): Transition {
    const { link } = this.#client
    const { suite, transcript, schedule, serverSecret, clientSecret, earlyData, certificateTypes } = this.#agreed
    const verifyData = decodeFinished(message, suite.hash.length)
    const finished = FinishedVerified.check(suite.hash, serverSecret, transcript.hash(), verifyData)
    const boundary = link.atRecordBoundary()
    transcript.add(message.bytes)

    const main = schedule.toMain()
    const transcriptHash = transcript.hash()
    const secrets: ApplicationSecrets = {
      client: main.clientApplicationTrafficSecret(transcriptHash),
      server: main.serverApplicationTrafficSecret(transcriptHash),
      exporter: main.exporterSecret(transcriptHash),
    }
    link.protectReceiving(suite, secrets.server, "server_application_traffic_secret", boundary)
    serverSecret.fill(0)
    // Section 4.6: under the early keys, and only when the server took the early data.
    if (earlyData === "accepted") {
      transcript.add(link.send("end_of_early_data", encodeEndOfEarlyData()))
      link.protectSending(suite, clientSecret, "client_handshake_traffic_secret")
    }
    const finish = () => this.#finish(main, secrets, finished)
    if (this.#request === undefined) return finish()
    const asked = {
      request: this.#request,
      certificateType: certificateTypes.client,
      transcript,
      send: (name: HandshakeTypeName, bytes: Uint8Array) => link.send(name, bytes),
    }
    return authenticate(this.#client, asked, finish)
  }

  #finish(main: MainStage, secrets: ApplicationSecrets, finished: FinishedVerified): Transition {
    const { link } = this.#client
    const { suite, transcript, clientSecret } = this.#agreed
    const verifyData = finishedMac(suite.hash, clientSecret, transcript.hash())
    transcript.add(link.send("finished", encodeFinished(verifyData)))
    link.protectSending(suite, secrets.client, "client_application_traffic_secret")
    clientSecret.fill(0)
    const resumptionSecret = main.resumptionSecret(transcript.hash())
    main.wipe()
    return new ClientConnected(this.#client, this.#agreed, secrets, resumptionSecret, { peer: this.#peer, finished })
  }
}
