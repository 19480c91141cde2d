// The byte stream to a broker: TCP, TLS 1.3, or a WebSocket over either.

import { existsSync } from "node:fs"
import { connect as connectTcp, type Socket } from "node:net"
import { join } from "node:path"
import type { Duplex } from "node:stream"
import { type Arguments, UsageError } from "@puremq/tls13/command-line"
import { createWebSocketStream, WebSocket } from "ws"
import { checkCertificate, usableAuthorities } from "../../config/certificate.ts"
import { readCertificates, readPrivateKey } from "../../config/pem-file.ts"
import { loadTls } from "../../listen/tls-server.ts"
import { tell } from "../output.ts"
import { addressText, isSecure, type Place } from "./address.ts"

/** Bytes that ws takes in a message: a packet of MQTT, and what may stand before and after it in a frame. */
const largestFrame = 0x1000_0004 + 65_536

/** Where a new connection has got to; each is told once, unless it fails before. */
export interface Stages {
  /** TCP is connected. */
  readonly reached?: () => void
  /** TLS and WebSocket, if there are any, are there too. @param below what the WebSocket is on, or the stream itself */
  readonly ready?: (below: Duplex) => void
}

/** @param localAddress the system's choice, unless it is given. What goes wrong is an error of the stream. */
export type Opener = (stages?: Stages, localAddress?: string) => Duplex

/** Throws UsageError, ConfigError; what goes wrong later is an error of the stream. */
export async function openStream(options: Arguments, place: Place): Promise<Duplex> {
  return (await streamOpener(options, place))()
}

export interface OpenerOptions {
  /** PEM of the authority, where no option says it. */
  readonly trusted?: string | undefined
  /** Of the host, so that no name is looked up. */
  readonly address?: string | undefined
}

/** Reads what all connections share. Throws UsageError, ConfigError. */
export async function streamOpener(
  options: Arguments,
  place: Place,
  { trusted, address = place.host }: OpenerOptions = {},
): Promise<Opener> {
  const { transport, port, path } = place
  const secure = isSecure(place) ? await prepareTls(options, place, trusted) : undefined
  const openTcp = (localAddress: string | undefined, allowHalfOpen: boolean) =>
    connectTcp({
      host: address,
      port,
      noDelay: true,
      allowHalfOpen,
      ...(localAddress !== undefined && { localAddress }),
    })
  const isWebSocket = transport === "ws" || transport === "wss"
  return ({ reached, ready } = {}, localAddress = undefined) => {
    const tcp = openTcp(localAddress, secure !== undefined)
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

async function prepareTls(
  options: Arguments,
  { transport, host, port }: Place,
  trusted: string | undefined,
): Promise<(socket: Socket) => Duplex> {
  const own = join(".puremq", "ca.pem")
  const given = options.text("cafile")
  const machines = options.flag("tls-use-os-certs")
  if (given !== undefined && machines)
    throw new UsageError(
      "--cafile and --tls-use-os-certs: the server's authority is in the file, or one of this machine's",
    )
  const caFile = given ?? (existsSync(own) && !machines && trusted === undefined ? own : undefined)
  const ca = caFile === undefined ? trusted : usableAuthorities(readCertificates(caFile, "the authority"), caFile, tell)
  const credential = credentialOf(options)
  const insecure = options.flag("insecure")
  if (insecure)
    tell(
      `Warning: --insecure: whoever answers at ${addressText({ host, port })} is taken for the broker, whatever certificate it shows`,
    )
  const { connect, createSecureContext } = await loadTls()
  const secureContext = createSecureContext({ ...(ca !== undefined && { ca }), ...credential })
  const ALPNProtocols = [options.text("tls-alpn") ?? (transport === "wss" ? "http/1.1" : "mqtt")]
  return (socket) =>
    connect({
      host,
      port,
      socket,
      secureContext,
      ...(!/^[\d.]+$|:/.test(host) && { servername: host }),
      ALPNProtocols,
      ...(insecure && { rejectUnauthorized: false }),
    })
}

/** The client certificate and its key, which are as they must be. Throws UsageError, ConfigError. */
function credentialOf(options: Arguments): { readonly cert: string; readonly key: string } | undefined {
  const [certFile, keyFile, passwordFile] = ["cert", "key", "key-password-file"].map((name) => options.text(name))
  if (certFile === undefined && keyFile === undefined && passwordFile === undefined) return undefined
  if (certFile === undefined) throw new UsageError("--key needs --cert: a certificate and its private key go together")
  if (keyFile === undefined) throw new UsageError("--cert needs --key: a certificate and its private key go together")
  const cert = readCertificates(certFile, "the client certificate")
  const key = readPrivateKey(keyFile, "the client's private key", passwordFile)
  checkCertificate(cert, key, { cert: certFile, key: keyFile }, Date.now())
  return { cert, key }
}
