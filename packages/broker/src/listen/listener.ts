import type { EchServerKey } from "@puremq/tls13/ech"
import type { Broker } from "../hub/broker.ts"
import type { HandshakeDetail, HandshakeFailed, HandshakeLoad, HandshakeSucceeded } from "../ports/events.ts"
import type { TransportKind } from "../ports/peer.ts"
import type { OnFault } from "./boundary.ts"
import type { OwnPage } from "./http-rules.ts"

/** An open door: listens, and hands each connection to the broker. */
export interface Listener {
  readonly kind: TransportKind
  readonly name: string
  /** Where it listens; set once `listen` has resolved. */
  readonly host: string
  readonly port: number
  /** Rejects with ListenError when the port cannot be had. */
  listen(): Promise<void>
  /** Takes no more connections; resolves when the socket is closed. Open connections are the broker's to end. */
  close(): Promise<void>
  /** Only TLS listeners: what is under way. */
  readonly handshakes?: HandshakeLoad | undefined
  /** Only TLS listeners: PEM text of the certificate chain that handshakes use now. */
  readonly certificate?: string | undefined
  /** Only TLS listeners: uses a new certificate for the handshakes to come. Returns the one used until now. */
  readonly renew?: (certificate: RenewedCertificate) => RenewedCertificate
  /** Only TLS listeners: the certificates and lists of now, PEM. */
  readonly certificates?: ShownCertificates | undefined
  /** Only TLS listeners: tickets are sealed by a new key. With `forget` those that were given before are worth nothing any more. */
  readonly rotateTicketKeys?: ((forget: boolean) => void) | undefined
  /** Only TLS listeners: takes other limits of handshakes. */
  readonly limit?: (limits: HandshakeLimits) => void
}

/** What a listener shows, and what it judges clients by: PEM texts. */
export type ShownCertificates = Pick<RenewedCertificate, "cert" | "ca" | "crl">

/** Of a listener with TLS. */
export interface HandshakeLimits {
  /** Milliseconds, default 10,000. */
  readonly handshakeTimeout: number
  /** Handshakes under way, in all and of one address (IPv6: of a /64), default 1024 and 64. */
  readonly maxPendingHandshakes: number
  readonly maxPendingHandshakesPerAddress: number
  /** Connections that wait for theirs, default 4096 and 1024; more are closed. 0: none waits. */
  readonly maxWaitingHandshakes: number
  readonly maxWaitingHandshakesPerAddress: number
  /** Milliseconds that one waits, default 30,000. */
  readonly handshakeWaitTimeout: number
}

/** PEM texts: a certificate chain and its key, and, when they change too, the authorities and revocation lists of clients. */
export interface RenewedCertificate {
  readonly cert: string
  readonly key: string
  /** This and `crl`: absent, they stay as they are; undefined, there is none any more. */
  readonly ca?: string | undefined
  readonly crl?: string | undefined
  /** DER of an OCSP response that is stapled to the certificate; absent or undefined: none. */
  readonly ocsp?: Uint8Array | undefined
  /** Keys that tickets are sealed with, 48 bytes each, three at most; absent or undefined: they stay as they are. */
  readonly ticketKeys?: Uint8Array | undefined
  /** Keys of Encrypted Client Hello; absent or undefined: they stay as they are. */
  readonly echKeys?: readonly EchServerKey[] | undefined
}

/** What every listener needs. */
export interface ListenerContext {
  readonly broker: Broker
  /** What the listener is called; default: its kind. */
  readonly name?: string | undefined
  readonly onHandshake: (event: HandshakeSucceeded | HandshakeFailed, detail: HandshakeDetail) => void
  /** A defect has ended one connection. */
  readonly onFault: OnFault
  /** A connection was refused, or could not be taken. They come in floods: of each kind one a second is to be told. */
  readonly onRefused: (kind: RefusalKind, text: string) => void
  /** A server listens. */
  readonly onListening?: (server: ServerLike) => void
  /** Where the broker serves a page of its own, which may open WebSockets where no origins are named; undefined: nowhere. */
  readonly ownPage?: (() => OwnPage | undefined) | undefined
}

export type RefusalKind = "PROXY protocol" | "HTTP" | "listener"

/** Why a listener could not be opened, in a sentence. */
export class ListenError extends Error {
  constructor(what: string, host: string, port: number, error: unknown) {
    super(`cannot listen for ${what} on ${host}:${port}: ${explain(error)}`)
    this.name = "ListenError"
  }
}

function explain(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : ""
  switch (code) {
    case "EADDRINUSE":
      return "the port is taken; stop the other program or choose another port"
    case "EACCES":
      return "not permitted; ports below 1024 need privileges"
    case "EADDRNOTAVAIL":
      return "this machine does not have that address"
    case "EMFILE":
    case "ENFILE":
      return "too many open files; raise the limit (ulimit -n) or lower maximumConnections"
    case "ENOTFOUND":
      return "the host name is not known"
    default:
      return error instanceof Error ? error.message : String(error)
  }
}

/** The part of net.Server that listeners use; our TLS server has it too. */
export interface ServerLike {
  listen(options: { host: string; port: number; backlog?: number }): unknown
  close(callback?: (error?: Error) => void): unknown
  address(): unknown
  on(event: "error", handler: (error: Error) => void): unknown
  once(event: "listening" | "error", handler: (error: Error) => void): unknown
  off(event: "listening" | "error", handler: (error: Error) => void): unknown
}

/** Connections that the system keeps for a server until it takes them. */
export const backlog = 1024

/** Its name, and what it is where that does not say so: `tls`, `tls-2`, `office (tls)`. */
export function labelOf(name: string | undefined, kind: string): string {
  if (name === undefined) return kind
  return name.replace(/-\d+$/, "") === kind ? name : `${name} (${kind})`
}

/** Waits until `server` listens; returns the port. What fails later, too many open files say, is told to `context`. */
export function listenOn(
  server: ServerLike,
  kind: string,
  host: string,
  port: number,
  context: Pick<ListenerContext, "name" | "onRefused" | "onListening">,
): Promise<number> {
  const what = labelOf(context.name, kind)
  return new Promise((resolve, reject) => {
    const failed = (error: Error) => {
      server.off("listening", listening)
      reject(new ListenError(what, host, port, error))
    }
    const listening = () => {
      server.off("error", failed)
      server.on("error", (error) => {
        context.onRefused("listener", `cannot take a connection for ${what} on ${host}:${port}: ${explain(error)}`)
      })
      context.onListening?.(server)
      const address = server.address()
      const bound = typeof address === "object" && address !== null && "port" in address ? Number(address.port) : port
      resolve(bound)
    }
    server.once("error", failed)
    server.once("listening", listening)
    server.listen({ host, port, backlog })
  })
}

export function closeServer(server: ServerLike): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
  })
}
