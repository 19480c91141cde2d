import { Erasure } from "../handshake/erasure.ts"
import { PostHandshakeTable } from "../handshake/post-handshake.ts"
import type { ServerConnected } from "../handshake/server/connected.ts"
import { skippedEarlyData } from "../handshake/server/early-data.ts"
import { serverHandshake } from "../handshake/server/handshake.ts"
import { requestCertificate, serverPostHandshake } from "../handshake/server/post-handshake.ts"
import type { Server } from "../handshake/server/server.ts"
import { serverTransitions } from "../handshake/transitions.ts"
import type { ServerConfig } from "./config.ts"
import { Connection } from "./connection.ts"
import type { Outcome } from "./events.ts"
import { ServerRecordLink } from "./server-link.ts"

/** The server's end of a TLS 1.3 connection (RFC 9846 appendix A.2). */
export class ServerConnection extends Connection<ServerConnected, ServerRecordLink> {
  readonly #server: Server

  /** @param now milliseconds since 1970-01-01T00:00:00Z */
  constructor(config: ServerConfig, now: number) {
    super("server", serverTransitions, ServerRecordLink, config, now)
    // Section 4.3.2: for a stateless server the first message may be a second ClientHello, and what comes between the two,
    // change_cipher_spec or early data, comes first.
    if (config.statelessRetry !== undefined) {
      this.link.offerSeen = true
      this.link.skipEarlyData(skippedEarlyData("application_data", config))
    }
    this.#server = { link: this.link, settings: config }
    const after = new PostHandshakeTable(serverPostHandshake, this.#server)
    const erasure = new Erasure()
    const ech = config.encryptedClientHello?.begin({ link: this.link, trace: config.trace, erasure })
    this.begin(serverHandshake({ erasure, ech, ...this.#server }), after)
  }

  /**
   * Asks the client for a certificate (section 4.7.2); its answer is an event, `client-authenticated` or `client-declined`.
   * @throws Misuse before the handshake is complete; for a client that did not offer it or authenticates by an external PSK;
   *   without `clientAuthentication`; with as many requests unanswered as `limits.certificateRequests` allows
   */
  requestCertificate(): Outcome {
    return this.perform((connected) => requestCertificate(this.#server, connected))
  }
}
