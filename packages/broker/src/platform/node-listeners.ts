// The listeners of a configuration, by their types. What a type needs is loaded when there is one of it.

import type { EchKeyRing } from "@puremq/tls13/ech"
import type { ConnectionRecorder } from "@puremq/tls13/recording"
import { usesMlDsa } from "@puremq/tls13/x509"
import {
  defaultHandshakeLimits,
  type ListenerConfig,
  type TlsListenerConfig,
  type WssListenerConfig,
} from "../config/config.ts"
import { loadClientCheck } from "../listen/client-check.ts"
import type { HandshakeLimits, Listener, ListenerContext } from "../listen/listener.ts"
import { createTcpListener } from "../listen/tcp.ts"
import { createTlsListener, type SharedTickets } from "../listen/tls.ts"
import { plainProvider, providerWith } from "../listen/tls-choices.ts"
import { loadNaming, loadTls } from "../listen/tls-server.ts"
import { createWebSocketListener } from "../listen/websocket.ts"

/**
 * Makes the listener that a configuration describes; it does not listen yet.
 * @param tell a sentence for the log. @param sharedTickets of a cluster
 */
export async function makeListener(
  config: ListenerConfig,
  handshakes: HandshakeLimits = defaultHandshakeLimits,
  context: ListenerContext,
  tell: (text: string) => void,
  sharedTickets?: SharedTickets,
): Promise<Listener> {
  const host = config.host ?? "127.0.0.1"
  const { port, proxyProtocol } = config
  if (config.type === "tcp") return createTcpListener({ host, port, proxyProtocol }, context)
  if (config.type === "ws") {
    const { path, origins, hosts } = config
    return createWebSocketListener({ host, port, path, origins, hosts, proxyProtocol }, context)
  }
  const { createServer } = await loadTls()
  const clientCertificate = config.clientCertificate ?? "none"
  const options = {
    host,
    port,
    cert: config.cert,
    key: config.key,
    ca: config.ca,
    crl: config.crl,
    revocation: config.revocation,
    clientCertificate,
    identity: clientCertificate === "none" ? undefined : (config.identity ?? "subject-cn"),
    nameOf: clientCertificate === "none" ? undefined : await loadNaming(config.identity ?? "subject-cn"),
    clientCheck: clientCertificate === "none" ? undefined : await loadClientCheck(),
    provider: await providerWith(
      config.provider,
      [...(config.groups ?? []), ...(config.signatureSchemes ?? [])],
      [config.cert, config.ca ?? ""].some(usesMlDsa),
    ),
    suites: config.suites,
    groups: config.groups,
    signatureSchemes: config.signatureSchemes,
    ocsp: config.ocsp,
    tickets: config.tickets,
    ech: await echOf(config),
    echKeys: config.ech?.keys,
    sharedTickets,
    workers: config.workers,
    recorder: await recorderOf(config, context.name, tell),
    alpn: config.type === "tls" ? config.alpn : undefined,
    ...handshakes,
    proxyProtocol,
  }
  const { path, origins, hosts } = config.type === "wss" ? config : {}
  const webSocket = config.type === "wss" ? { path, origins, hosts } : undefined
  return createTlsListener(options, webSocket, context, createServer)
}

/** Encrypted Client Hello is loaded where there are keys for it. */
async function echOf({ ech, provider }: TlsListenerConfig | WssListenerConfig): Promise<EchKeyRing | undefined> {
  if (ech === undefined) return undefined
  const { EchKeyRing } = await import("@puremq/tls13/ech")
  return new EchKeyRing({ provider: await plainProvider(provider ?? "mixed"), keys: ech.keys })
}

async function recorderOf(
  { type, dangerousRecording }: TlsListenerConfig | WssListenerConfig,
  name: string = type,
  tell: (text: string) => void,
): Promise<ConnectionRecorder | undefined> {
  if (dangerousRecording === undefined) return undefined
  const { recorderInto } = await import("./node-recordings.ts")
  return recorderInto(dangerousRecording, name, tell)
}
