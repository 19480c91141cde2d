// The server's end of connections that a runtime hands over one by one, as workerd hands them to a `connect` handler.

import { Closed } from "../bytes/errors.ts"
import { systemClock } from "./driver.ts"
import { HandshakeGate, handshakeLimits } from "./handshake-gate.ts"
import { type AcceptStreamOptions, streamServerConfig } from "./stream-config.ts"
import { acceptOverStreams, type ByteStreams, type TlsStreamSocket } from "./streams.ts"

export interface TlsAcceptor {
  /**
   * When its handshake begins, which may be under way yet: see `opened`. Rejects with Closed when there are too many, and the
   * connection is dropped then. The handler has to wait for `closed`: workerd ends a connection whose handler has returned.
   * @param address of the peer, for the limits of one; default: none, which counts as one address
   */
  accept(streams: ByteStreams, address?: string): Promise<TlsStreamSocket>
  /** Handshakes under way, connections that wait for theirs, and how many were closed because there were too many. */
  readonly handshakes: { readonly pending: number; readonly waiting: number; readonly refused: number }
}

/** Make one, outside of the handler: it has the configuration, the ticket keys and the limits of all. @throws Misuse, X509Error */
export function createAcceptor(options: AcceptStreamOptions): TlsAcceptor {
  const config = streamServerConfig(options)
  const gate = new HandshakeGate(handshakeLimits(options.handshakes ?? {}), systemClock)
  return {
    get handshakes() {
      const { pending, waiting, refused } = gate
      return { pending, waiting, refused }
    },
    accept: (streams, address = "") =>
      new Promise((resolve, reject) => {
        gate.enter(address, {
          begin(place) {
            try {
              const socket = acceptOverStreams(streams, config, options)
              const over = () => place.leave()
              socket.opened.then(over, over)
              resolve(socket)
            } catch (error) {
              place.leave() // a stream was locked
              reject(error)
            }
          },
          refuse(limit) {
            const dropped = new Closed(
              undefined,
              `too many handshakes are under way (${limit}); the connection was closed`,
            )
            for (const end of [streams.readable.cancel(dropped), streams.writable.abort(dropped)])
              end.catch(() => undefined)
            reject(dropped)
          },
        })
      }),
  }
}
