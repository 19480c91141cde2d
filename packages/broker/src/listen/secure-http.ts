// HTTP over our TLS, for whoever watches the broker: the sockets that come through it go to an HttpDoor.

import type { OnFault } from "./boundary.ts"
import { inside } from "./boundary.ts"
import type { Connected } from "./http-door.ts"
import type { HandshakeLimits, ListenerContext, RenewedCertificate, ServerLike } from "./listener.ts"
import { reportHandshakes, type TlsServerFactory } from "./tls.ts"

/** PEM texts. */
export interface SecureHttpOptions {
  readonly cert: string
  readonly key: string
  /** Authorities of client certificates: each client has to show one of theirs. */
  readonly ca?: string | undefined
}

/** Few come, and they are programs. */
const limits: HandshakeLimits = {
  handshakeTimeout: 5000,
  maxPendingHandshakes: 32,
  maxPendingHandshakesPerAddress: 8,
  maxWaitingHandshakes: 64,
  maxWaitingHandshakesPerAddress: 16,
  handshakeWaitTimeout: 5000,
}

export interface SecureHttpServer {
  readonly server: ServerLike
  /** Uses other certificates for the handshakes to come. Throws when they cannot be used. */
  readonly renew: (options: SecureHttpOptions) => void
}

/** @param name of the listener, for the log */
export function createSecureHttpServer(
  options: SecureHttpOptions,
  name: string,
  context: Pick<ListenerContext, "onHandshake"> & { readonly onFault: OnFault },
  createServer: TlsServerFactory,
  take: (socket: Connected) => void,
): SecureHttpServer {
  const { cert, key, ca } = options
  const server = createServer({
    cert,
    key,
    ...(ca !== undefined && { ca }),
    requestCert: ca !== undefined,
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
    ...limits,
  })
  server.on("secureConnection", (socket) => inside(context.onFault, socket, () => take(socket)))
  reportHandshakes(server, name, context)
  return {
    server,
    renew: (next: SecureHttpOptions & Partial<RenewedCertificate>) =>
      server.setSecureContext({ cert: next.cert, key: next.key, ca: next.ca }),
  }
}
