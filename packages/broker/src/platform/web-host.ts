// The broker on a runtime that has WHATWG streams, timers and `crypto`, and nothing of Node: workerd is one.

import { EmbeddedBroker, type EmbeddedOptions } from "../embed/embedded.ts"
import type { PeerInfo } from "../ports/peer.ts"
import { answerOf } from "./answer.ts"
import { WebConnection, type WebStreams } from "./web-connection.ts"

export class WebHost {
  readonly embedded: EmbeddedBroker
  #soon = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(options: EmbeddedOptions) {
    this.embedded = new EmbeddedBroker(
      {
        passed: () => performance.now(),
        wall: () => Date.now(),
        random: (length) => crypto.getRandomValues(new Uint8Array(length)),
        soon: () => this.#turnSoon(),
      },
      options,
    )
  }

  /** What the store has kept is there. Rejects when it cannot be read. */
  async restore(): Promise<void> {
    const restored = await answerOf(this.embedded.restore())
    if (restored !== "restored") throw new Error(restored.failed)
    this.#turnSoon()
  }

  /** Serves MQTT on the streams, until both ends are done with them. Never rejects: what is thrown ends this connection. */
  async serve(streams: WebStreams, peer: Partial<PeerInfo> = {}): Promise<void> {
    let connection: WebConnection | undefined
    const link = this.embedded.open(peer, () => connection?.changed())
    if (link === undefined) return giveUp(streams)
    try {
      connection = new WebConnection(link, streams, () => this.#turnSoon())
      this.#turnSoon()
      await connection.run()
    } catch (error) {
      this.embedded.broker.faults.report(error, { peer: peer.address ?? "embedded" })
      link.lost("connection failed")
      this.#turnSoon()
      giveUp(streams)
    }
  }

  /** Ends every connection, and answers when what was acknowledged is kept. */
  async close(): Promise<void> {
    const closed = answerOf(this.embedded.close())
    this.#turn()
    await closed
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #turnSoon(): void {
    if (this.#soon || this.#closed) return
    this.#soon = true
    // A timer of 0 lets in what has come meanwhile, and all of it is one turn.
    setTimeout(() => this.#turn(), 0)
  }

  #turn(): void {
    this.#soon = false
    if (this.#closed) return
    clearTimeout(this.#timer)
    const wait = this.embedded.turn()
    if (wait === 0) this.#turnSoon()
    else this.#timer = setTimeout(() => this.#turn(), wait)
  }
}

function giveUp({ readable, writable }: WebStreams): void {
  for (const end of [readable.cancel(), writable.abort()]) end.catch(() => undefined)
}
