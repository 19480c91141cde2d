// The listeners of a configuration, by their types. What a type needs is loaded when there is one of it.

import { defaultHandshakeLimits, type ListenerConfig } from "../config/config.ts"
import { loadClientCheck } from "../listen/client-check.ts"
import type { HandshakeLimits, Listener, ListenerContext } from "../listen/listener.ts"
import { createTcpListener } from "../listen/tcp.ts"
import { createTlsListener } from "../listen/tls.ts"
import { providerWith } from "../listen/tls-choices.ts"
import { loadNaming, loadTls } from "../listen/tls-server.ts"
import { createWebSocketListener } from "../listen/websocket.ts"

/** Makes the listener that a configuration describes; it does not listen yet. */
export async function makeListener(
  config: ListenerConfig,
  handshakes: HandshakeLimits = defaultHandshakeLimits,
  context: ListenerContext,
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
    provider: await providerWith(config.provider, config.groups),
    suites: config.suites,
    groups: config.groups,
    signatureSchemes: config.signatureSchemes,
    ocsp: config.ocsp,
    tickets: config.tickets,
    workers: config.workers,
    alpn: config.type === "tls" ? config.alpn : undefined,
    ...handshakes,
    proxyProtocol,
  }
  const { path, origins, hosts } = config.type === "wss" ? config : {}
  const webSocket = config.type === "wss" ? { path, origins, hosts } : undefined
  return createTlsListener(options, webSocket, context, createServer)
}
