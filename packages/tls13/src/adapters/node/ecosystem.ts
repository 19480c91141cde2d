// How libraries that make their own TLS connections are given ours: MQTT.js, undici.

import type { Duplex } from "node:stream"
import { Misuse, messageOf } from "../../bytes/errors.ts"
import { type ConnectOptions, connect } from "./connect.ts"
import type { TLSSocket } from "./tls-socket.ts"

/**
 * For MQTT.js: `new mqtt.MqttClient(mqttStreamBuilder({ host, port, ca }), { ... })`. Default port: 8883.
 * Errors come as those of the client.
 */
export function mqttStreamBuilder(options: ConnectOptions): () => TLSSocket {
  return () => connect({ port: 8883, ...options })
}

/** What undici hands to a connector. */
export interface UndiciConnectOptions {
  readonly hostname: string
  readonly host?: string | undefined
  readonly protocol: string
  readonly port: string
  readonly servername?: string | null | undefined
  readonly httpSocket?: Duplex | undefined
}

export type UndiciCallback = (...result: [error: null, socket: TLSSocket] | [error: Error, socket: null]) => void

/** For undici: `new Agent({ connect: undiciConnector({ ca }) })`. For `https:` only; HTTP/1.1. */
export function undiciConnector(
  options: ConnectOptions = {},
): (to: UndiciConnectOptions, callback: UndiciCallback) => void {
  return (to, callback) => {
    // Undici expects to be called back later, never at once.
    const answer: UndiciCallback = (...result) => queueMicrotask(() => callback(...result))
    if (to.protocol !== "https:") {
      return answer(new Misuse(`undiciConnector makes https: connections, not ${to.protocol}`), null)
    }
    let socket: TLSSocket
    try {
      socket = connect({
        ALPNProtocols: ["http/1.1"],
        ...options,
        host: to.hostname,
        port: Number(to.port || 443),
        ...(to.servername ? { servername: to.servername } : {}),
        ...(to.httpSocket && { socket: to.httpSocket }),
      })
    } catch (error) {
      return answer(error instanceof Error ? error : new Error(messageOf(error)), null)
    }
    const failed = (error: Error) => answer(error, null)
    socket.once("error", failed)
    socket.once("secureConnect", () => {
      socket.off("error", failed)
      answer(null, socket)
    })
  }
}
