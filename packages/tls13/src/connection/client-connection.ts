import { Misuse } from "../bytes/errors.ts"
import type { ClientConnected } from "../handshake/client/client.ts"
import { clientHandshake } from "../handshake/client/handshake.ts"
import { Erasure } from "../handshake/erasure.ts"
import { PostHandshakeTable } from "../handshake/post-handshake.ts"
import { clientTransitions } from "../handshake/transitions.ts"
import type { ClientConfig } from "./config.ts"
import { Connection } from "./connection.ts"
import type { Outcome } from "./events.ts"
import { RecordLink } from "./record-link.ts"

/** The client's end of a TLS 1.3 connection (RFC 9846 appendix A.1). */
export class ClientConnection extends Connection<ClientConnected> {
  readonly #config: ClientConfig
  #started = false

  /** @param now milliseconds since 1970-01-01T00:00:00Z */
  constructor(config: ClientConfig, now: number) {
    super("client", clientTransitions, RecordLink, config, now)
    this.#config = config
  }

  /** Sends the ClientHello; called once, before anything else. @throws Misuse when it is called again */
  start(): Outcome {
    if (this.#started) throw new Misuse("the client was started already")
    this.#started = true
    const { features, extensions, postHandshake } = this.#config
    const client = { link: this.link, settings: this.#config, features, extensions }
    const handshake = clientHandshake({ erasure: new Erasure(), ...client })
    return this.begin(handshake, new PostHandshakeTable(postHandshake, client))
  }
}
