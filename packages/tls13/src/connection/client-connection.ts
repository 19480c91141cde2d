import { clientHandshake } from "../handshake/client/handshake.ts"
import { Erasure } from "../handshake/erasure.ts"
import type { ClientConfig } from "./config.ts"
import { Connection } from "./connection.ts"
import type { Outcome } from "./events.ts"

/** The client's end of a TLS 1.3 connection (RFC 9846 appendix A.1). */
export class ClientConnection extends Connection {
  readonly #config: ClientConfig

  /** @param now milliseconds since 1970-01-01T00:00:00Z */
  constructor(config: ClientConfig, now: number) {
    super("client", config, now)
    this.#config = config
  }

  /** Sends the ClientHello; called once, before anything else. */
  start(): Outcome {
    const { settings } = this.#config
    return this.begin(clientHandshake({ link: this.link, settings, erasure: new Erasure() }))
  }
}
