// CONNECTED of RFC 9846 appendix A.2: NewSessionTicket (section 4.7.1) goes out, KeyUpdate comes in.

import type { HandshakeTypeName } from "../../bytes/code-points.ts"
import type { HandshakeMessage } from "../../codec/message.ts"
import { type ApplicationSecrets, Connected, type Proofs } from "../connected.ts"
import type { ClientAuthentication } from "../proofs.ts"
import type { ServerHandshake } from "./expect-client-hello.ts"
import type { Flight } from "./server-flight.ts"
import { sendTickets } from "./tickets.ts"

export class ServerConnected extends Connected<ClientAuthentication> {
  readonly accepts: readonly HandshakeTypeName[] = ["key_update"]

  constructor(
    server: ServerHandshake,
    flight: Flight,
    secrets: ApplicationSecrets,
    resumptionSecret: Uint8Array,
    proofs: Proofs<ClientAuthentication>,
  ) {
    super("server", server.link, flight.suite, secrets, proofs)
    const { peer } = proofs
    const { hello, psk, group, suite, alpnProtocol, earlyData, retry, certificateTypes } = flight
    const peerChain = peerChainOf(peer)
    server.link.connected({
      protocol: "TLSv1.3",
      cipherSuite: suite.name,
      group: group?.name,
      peerSignatureScheme: peer.by === "certificate" ? peer.signature.scheme.name : undefined,
      alpnProtocol,
      serverName: hello.extensions.server_name,
      authentication: peer.by,
      resumed: psk?.session !== undefined,
      pskIdentity: psk !== undefined && psk.session === undefined ? psk.identity.slice() : undefined,
      helloRetryRequest: retry !== undefined,
      earlyData: retry?.offersEarlyData ? "rejected" : earlyData,
      peer: peer.by === "certificate" ? peer.signature.identity : undefined,
      peerChain,
      peerCertificateType: certificateTypes.client,
    })
    sendTickets(server, flight, resumptionSecret, peerChain)
    resumptionSecret.fill(0)
  }

  receive(message: HandshakeMessage): this {
    return this.receiveKeyUpdate(message)
  }
}

function peerChainOf(peer: ClientAuthentication): readonly Uint8Array[] {
  if (peer.by === "certificate") return peer.signature.identity.chain
  return peer.by === "psk" ? peer.psk.peerChain : []
}
