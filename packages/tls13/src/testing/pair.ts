// A client and a server in memory, joined without a socket, and a clock that only the test moves.

import { copyOf } from "../bytes/copy.ts"
import type { ClientConnection } from "../connection/client-connection.ts"
import type { Connection } from "../connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../connection/events.ts"
import type { ServerConnection } from "../connection/server-connection.ts"

export interface Side<End extends Connection> {
  readonly connection: End
  /** All that the connection has told so far, in order. */
  readonly events: ConnectionEvent[]
  /** What this side has sent and the other has not read: a test may change it, reorder it, or take it away. */
  outgoing: Uint8Array[]
}

/**
 * Carries bytes between the two until neither has any left. What a test does to a connection itself (send, close, answer a
 * decision that paused, let time pass) is handed to `take`, and `run` carries what came of it.
 */
export class Pair {
  readonly client: Side<ClientConnection>
  readonly server: Side<ServerConnection>
  /** Of both, in milliseconds since 1970-01-01T00:00:00Z; it stands still unless it is set. */
  now: number
  /** Bytes delivered in one receive, 1 or more; Infinity, the default: a flight at once. */
  chunk: number = Number.POSITIVE_INFINITY
  /** How many bytes were carried, by direction. */
  readonly carried: { clientToServer: number; serverToClient: number } = { clientToServer: 0, serverToClient: 0 }

  constructor(client: ClientConnection, server: ServerConnection, now: number) {
    this.client = { connection: client, events: [], outgoing: [] }
    this.server = { connection: server, events: [], outgoing: [] }
    this.now = now
  }

  /** Starts the client and runs until nothing is left to carry. */
  handshake(): this {
    this.take(this.client, this.client.connection.start())
    return this.run()
  }

  /** Carries what the two have sent, and what they answer, until both are silent. Never throws for a connection that fails. */
  run(): this {
    while (this.client.outgoing.length > 0 || this.server.outgoing.length > 0) {
      this.carried.clientToServer += this.#carry(this.client, this.server)
      this.carried.serverToClient += this.#carry(this.server, this.client)
    }
    return this
  }

  /** Notes what a call on a side's connection gave back, as an adapter would. */
  take(side: Side<Connection>, outcome: Outcome): void {
    side.events.push(...outcome.events)
    if (outcome.output.length > 0) side.outgoing.push(outcome.output)
  }

  #carry(from: Side<Connection>, to: Side<Connection>): number {
    let carried = 0
    for (const bytes of from.outgoing.splice(0)) {
      carried += bytes.length
      for (let at = 0; at < bytes.length; at += this.chunk) {
        this.take(to, to.connection.receive(copyOf(bytes.subarray(at, at + this.chunk)), this.now))
      }
    }
    return carried
  }
}

/** Plaintext that a side has received so far, in one piece: application data, or 0-RTT data, which is apart from it. */
export function received(side: Side<Connection>, type: "data" | "early-data" = "data"): Uint8Array {
  const parts = side.events.flatMap((event) => (event.type === type ? [event.data] : []))
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
