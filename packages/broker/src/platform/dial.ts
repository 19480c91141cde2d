// The byte stream to another broker: TCP, TLS 1.3, or a WebSocket over either.

import { connect as connectTcp, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { createWebSocketStream, WebSocket } from "ws"
import type { BridgePlace } from "../config/bridge-place.ts"

export type Transport = BridgePlace["transport"]
export type Place = BridgePlace

/** Where a new connection has got to; each is told once, unless it fails before. */
export interface Stages {
  /** TCP is connected. */
  readonly reached?: () => void
  /** TLS and WebSocket, if there are any, are there too. @param below what the WebSocket is on, or the stream itself */
  readonly ready?: (below: Duplex) => void
}

/** @param localAddress the system's choice, unless it is given. What goes wrong is an error of the stream. */
export type Opener = (stages?: Stages, localAddress?: string) => Duplex

/** Bytes that ws takes in a message: a packet of MQTT, and what may stand before and after it in a frame. */
const largestFrame = 0x1000_0004 + 65_536

/**
 * @param secure makes TLS of a TCP connection; undefined: there is none
 * @param address of the host, so that no name is looked up
 */
export function openerOf(
  place: Place,
  secure: ((socket: Socket) => Duplex) | undefined,
  address: string = place.host,
): Opener {
  const { transport, port, path } = place
  const isWebSocket = transport === "ws" || transport === "wss"
  return ({ reached, ready } = {}, localAddress = undefined) => {
    const tcp = connectTcp({
      host: address,
      port,
      noDelay: true,
      allowHalfOpen: secure !== undefined,
      ...(localAddress !== undefined && { localAddress }),
    })
    if (reached !== undefined) tcp.once("connect", reached)
    const below = secure?.(tcp) ?? tcp
    if (!isWebSocket) {
      if (ready !== undefined) below.once(secure === undefined ? "connect" : "secureConnect", () => ready(below))
      return below
    }
    // Its own TLS would be another one: it is given a stream that is secure already.
    const socket = new WebSocket(`ws://${addressText(place)}${path}`, ["mqtt"], {
      perMessageDeflate: false,
      maxPayload: largestFrame,
      createConnection: () => below,
    })
    if (ready !== undefined) socket.once("open", () => ready(below))
    return createWebSocketStream(socket)
  }
}

export function isSecure({ transport }: Pick<Place, "transport">): boolean {
  return transport === "tls" || transport === "wss"
}

/** The name that a certificate is looked for by: of an address there is none to send (RFC 6066 section 3). */
export function serverNameOf(host: string): string | undefined {
  return /^[\d.]+$|:/.test(host) ? undefined : host
}

/** As it stands in a sentence. */
export function addressText({ host, port }: Pick<Place, "host" | "port">): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`
}
