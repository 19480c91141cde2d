// MQTT over TLS 1.3, bare or under WebSocket. The TLS server is PureMQ's own; this file speaks to it through the few
// members of node:tls that it has too, so a test can put another server in its place.

import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { CryptoProvider, Ticketer } from "@puremq/tls13"
import type { EchKeyRing, EchServerKey } from "@puremq/tls13/ech"
import type { ConnectionRecorder } from "@puremq/tls13/recording"
import type { IdentityRule, RevocationMode } from "@puremq/tls13/x509"
import type { ClientOffer, HandshakeFailed, HandshakeLoad, HandshakeSucceeded } from "../ports/events.ts"
import { addressOf, type PeerInfo, type TlsFacts, type TransportKind } from "../ports/peer.ts"
import { Boundary, inside } from "./boundary.ts"
import { type ClientCheckFactory, chainOf } from "./client-check.ts"
import {
  closeServer,
  type HandshakeLimits,
  type Listener,
  type ListenerContext,
  listenOn,
  type RenewedCertificate,
  type ServerLike,
} from "./listener.ts"
import { createProxyFront, type ProxyProtocolOptions } from "./proxy-front.ts"
import { attachStream } from "./stream.ts"
import type { ProviderName } from "./tls-choices.ts"
import { NamelessCertificate, type NameOfCertificate } from "./tls-server.ts"
import { createWebSocketDoor, type WebSocketOptions } from "./websocket.ts"

/**
 * "request": a client may show none, and one that it shows must be valid. "require": it must show a valid one. "request-any":
 * whoever shows one that is not valid is let in as one that shows none, and the log says why.
 */
export type ClientCertificateMode = "none" | "request" | "require" | "request-any"

export interface TicketOptions {
  readonly count?: number | undefined
  /** Seconds. */
  readonly lifetime?: number | undefined
  readonly keys?: Uint8Array | undefined
}

export interface TlsOptions extends HandshakeLimits {
  readonly host: string
  readonly port: number
  /** PEM texts: the certificate chain, leaf first, and its private key. */
  readonly cert: string
  readonly key: string
  /** PEM text of the authorities that client certificates must come from. */
  readonly ca?: string | undefined
  readonly clientCertificate: ClientCertificateMode
  /** Which part of a client's certificate is its user name. */
  readonly identity?: IdentityRule | undefined
  /** The user that a client's certificate stands for; undefined: no client is asked for one. */
  readonly nameOf: NameOfCertificate | undefined
  /** PEM text of revocation lists. */
  readonly crl?: string | undefined
  readonly revocation?: RevocationMode | undefined
  readonly suites?: readonly string[] | undefined
  readonly groups?: readonly string[] | undefined
  readonly signatureSchemes?: readonly string[] | undefined
  readonly ocsp?: Uint8Array | undefined
  readonly tickets?: TicketOptions | undefined
  /** Seals tickets where there are no keys in `tickets`: those that all nodes of a cluster have. */
  readonly sharedTickets?: SharedTickets | undefined
  /** Keys of Encrypted Client Hello; undefined: no client hides its name here. */
  readonly ech?: EchKeyRing | undefined
  /** Those that it has. */
  readonly echKeys?: readonly EchServerKey[] | undefined
  /** Looks at clients' certificates again after a renewal; undefined: no client is asked for one. */
  readonly clientCheck?: ClientCheckFactory | undefined
  readonly provider?: ProviderName | CryptoProvider | undefined
  readonly workers?: number | undefined
  /** Writes connections down, with all their secrets; undefined: none is. */
  readonly recorder?: ConnectionRecorder | undefined
  /** Names of what may be spoken (RFC 7301); none: names are not looked at. Default: what is spoken. */
  readonly alpn?: readonly string[] | undefined
  readonly proxyProtocol?: ProxyProtocolOptions | undefined
}

export interface SharedTickets {
  readonly ticketKeys: Ticketer
  rotate(forget: boolean): void
}

/** A TLS connection, as far as the broker looks at it. */
export interface TlsSocketLike extends Duplex {
  readonly authorized: boolean
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  getPeerCertificate(detailed?: boolean): unknown
  setKeepAlive(enable: boolean, initialDelay: number): unknown
  getProtocol(): string | null | undefined
  /** What the handshake agreed on; another TLS server may have none. */
  readonly info?:
    | {
        readonly cipherSuite: string
        readonly group: string | undefined
        readonly resumed: boolean
        readonly serverName: string | undefined
      }
    | undefined
}

/** What the TLS server reports of a handshake; every member may be missing. */
export interface HandshakeReport {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  readonly offeredVersions?: string | undefined
  /** What the client asked for by SNI. */
  readonly serverName?: string | undefined
  /** Of one that failed: what its ClientHello had. */
  readonly offer?:
    | {
        readonly versions: readonly string[]
        readonly cipherSuites: readonly string[]
        readonly groups: readonly string[]
        readonly signatureSchemes: readonly string[]
      }
    | undefined
  readonly protocol?: string | undefined
  readonly cipherSuite?: string | undefined
  readonly group?: string | undefined
  readonly resumed?: boolean | undefined
  /** What has come of Encrypted Client Hello. */
  readonly encryptedClientHello?: "not offered" | "accepted" | "rejected" | undefined
  /** Who the client has proven to be. */
  readonly clientIdentity?: string | undefined
  /** Why the certificate that the client showed was not accepted. */
  readonly authorizationProblem?: string | undefined
  readonly milliseconds?: number | undefined
  /** Set when it failed. */
  readonly error?: {
    readonly message: string
    /** What was sent. */
    readonly alert?: string
    readonly receivedAlert?: string
    readonly fault?: "client" | "server" | "network"
  }
}

/** A connection that was closed before its handshake, because too many are under way. */
export interface RefusedHandshake {
  readonly remoteAddress?: string | undefined
  readonly remotePort?: number | undefined
  /** Which limit. */
  readonly limit: string
}

export interface TlsServerLike extends ServerLike {
  on(event: "secureConnection", handler: (socket: TlsSocketLike) => void): unknown
  on(event: "tlsClientError", handler: (error: Error, socket: unknown) => void): unknown
  on(event: "handshake", handler: (report: HandshakeReport) => void): unknown
  on(event: "handshakeRefused", handler: (refused: RefusedHandshake) => void): unknown
  /** A defect in the TLS stack or in a callback of ours has ended a connection. */
  on(event: "internalError", handler: (error: Error, socket: TlsSocketLike | undefined) => void): unknown
  on(event: "error", handler: (error: Error) => void): unknown
  /** Takes a TCP connection that another server has accepted. */
  emit(event: "connection", socket: Socket): boolean
  readonly handshakes?: HandshakeLoad | undefined
  setHandshakeLimits?(limits: HandshakeLimits): void
  rotateTicketKeys?(forget: boolean): void
  setSecureContext(options: {
    cert: string
    key: string
    ca?: string | undefined
    crl?: string | undefined
    ocspResponse?: Uint8Array | undefined
  }): void
  setTicketKeys?(keys: Uint8Array): void
}

/** Makes the TLS server; throws when certificate and key cannot be used. */
export type TlsServerFactory = (
  options: {
    readonly cert: string
    readonly key: string
    readonly ca?: string
    readonly crl?: string
    readonly revocation?: RevocationMode
    readonly ciphers?: readonly string[]
    readonly ecdhCurve?: readonly string[]
    readonly sigalgs?: readonly string[]
    readonly ocspResponse?: Uint8Array
    readonly tickets?: number
    readonly sessionTimeout?: number
    readonly ticketKeys?: Uint8Array | Ticketer
    readonly provider?: ProviderName | CryptoProvider
    readonly workers?: number
    readonly recorder?: ConnectionRecorder
    readonly lendsData?: boolean
    readonly requestCert: boolean | "optional"
    readonly rejectUnauthorized: boolean
    readonly identity?: IdentityRule
    readonly ALPNProtocols: readonly string[]
    readonly core?: { readonly encryptedClientHello: EchKeyRing }
  } & HandshakeLimits,
) => TlsServerLike

export function createTlsListener(
  options: TlsOptions,
  webSocket: WebSocketOptions | undefined,
  context: ListenerContext,
  createServer: TlsServerFactory,
): Listener {
  const kind: TransportKind = webSocket === undefined ? "tls" : "wss"
  const server = createServer({
    cert: options.cert,
    key: options.key,
    ...(options.ca !== undefined && { ca: options.ca }),
    ...(options.crl !== undefined && { crl: options.crl }),
    ...(options.revocation !== undefined && { revocation: options.revocation }),
    ...(options.provider !== undefined && { provider: options.provider }),
    ...(options.workers !== undefined && { workers: options.workers }),
    ...(options.recorder !== undefined && { recorder: options.recorder }),
    ...(options.suites !== undefined && { ciphers: options.suites }),
    ...(options.groups !== undefined && { ecdhCurve: options.groups }),
    ...(options.signatureSchemes !== undefined && { sigalgs: options.signatureSchemes }),
    ...(options.ocsp !== undefined && { ocspResponse: options.ocsp }),
    ...ticketOptions(options.tickets, options.sharedTickets),
    ...(options.ech !== undefined && { core: { encryptedClientHello: options.ech } }),
    // A connection copies what it keeps; WebSocket's does not.
    lendsData: webSocket === undefined,
    requestCert: options.clientCertificate === "request" ? "optional" : options.clientCertificate !== "none",
    rejectUnauthorized: options.clientCertificate !== "request-any",
    ...(options.identity !== undefined && { identity: options.identity }),
    ALPNProtocols: options.alpn ?? [webSocket === undefined ? "mqtt" : "http/1.1"],
    handshakeTimeout: options.handshakeTimeout,
    maxPendingHandshakes: options.maxPendingHandshakes,
    maxPendingHandshakesPerAddress: options.maxPendingHandshakesPerAddress,
    maxWaitingHandshakes: options.maxWaitingHandshakes,
    maxWaitingHandshakesPerAddress: options.maxWaitingHandshakesPerAddress,
    handshakeWaitTimeout: options.handshakeWaitTimeout,
  })
  const peers = new WeakMap<object, PeerInfo>()
  const { broker, onFault, name = kind } = context
  const { cert, key, ca, crl, ocsp, tickets } = options
  let used: RenewedCertificate = { cert, key, ca, crl, ocsp, ticketKeys: tickets?.keys, echKeys: options.echKeys }
  let check = options.clientCheck?.(options)
  /** How often the certificate, authorities and lists have become others, and when they last did. */
  let generation = 0
  let renewedAt = Number.NEGATIVE_INFINITY
  let longestHandshake = options.handshakeTimeout
  const recheck = (socket: TlsSocketLike) => {
    // A handshake that was under way then has still gone by what there was when it began. Twice: timers may be late.
    let judged = performance.now() - renewedAt < 2 * longestHandshake ? undefined : generation
    return (now: number) => {
      if (judged === generation) return undefined
      const problem = check?.(chainOf(socket.getPeerCertificate(true)), now)
      if (problem === undefined) judged = generation
      return problem
    }
  }
  const peer = (socket: TlsSocketLike) =>
    peerOf(socket, { transport: kind, listener: name }, options.nameOf, recheck(socket))
  if (webSocket === undefined) {
    server.on("secureConnection", (socket) =>
      inside(onFault, socket, () => attachStream(broker, socket, peer(socket), onFault, "seals")),
    )
  } else {
    const door = createWebSocketDoor({ ...webSocket, host: options.host, secure: true }, context, (connection) => {
      return peers.get(connection) ?? { transport: "wss", listener: name, address: addressOf(connection) }
    })
    server.on("secureConnection", (socket) =>
      inside(onFault, socket, () => {
        peers.set(socket, peer(socket))
        door.take(socket)
      }),
    )
  }
  reportHandshakes(server, name, context)
  const front =
    options.proxyProtocol &&
    createProxyFront(options.proxyProtocol, context, (socket) => server.emit("connection", socket))
  let port = options.port
  return {
    kind,
    name,
    host: options.host,
    get port() {
      return port
    },
    get handshakes() {
      return server.handshakes
    },
    get certificate() {
      return used.cert
    },
    async listen() {
      port = await listenOn(front?.server ?? server, kind, options.host, options.port, context)
    },
    async close() {
      const closed = front === undefined ? undefined : closeServer(front.server)
      front?.close()
      await Promise.all([closed, closeServer(server)])
    },
    get certificates() {
      return { cert: used.cert, ca: used.ca, crl: used.crl }
    },
    rotateTicketKeys(forget) {
      const { sharedTickets } = options
      if (sharedTickets !== undefined && used.ticketKeys === undefined) sharedTickets.rotate(forget)
      else server.rotateTicketKeys?.(forget)
    },
    limit(limits) {
      longestHandshake = Math.max(longestHandshake, limits.handshakeTimeout)
      server.setHandshakeLimits?.(limits)
    },
    renew(given) {
      const { cert, key, ocsp, ticketKeys = used.ticketKeys, echKeys = used.echKeys } = given
      // Absent: as before. There, but undefined: none any more.
      const trust = { ca: "ca" in given ? given.ca : used.ca, crl: "crl" in given ? given.crl : used.crl }
      const next = { cert, key, ...trust, ocsp, ticketKeys, echKeys }
      const nextCheck = options.clientCheck?.({ ...options, ...next })
      server.setSecureContext({ cert, key, ...trust, ocspResponse: ocsp })
      // The same keys would forget those that somebody has rotated to.
      if (ticketKeys !== undefined && !sameBytes(ticketKeys, used.ticketKeys)) server.setTicketKeys?.(ticketKeys)
      if (echKeys !== undefined && echKeys !== used.echKeys) options.ech?.replace(echKeys)
      const before = used
      check = nextCheck
      generation++
      renewedAt = performance.now()
      used = next
      return before
    },
  }
}

function sameBytes(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return one.length === other?.length && one.every((byte, i) => byte === other[i])
}

function ticketOptions(
  { count, lifetime, keys: own }: TicketOptions = {},
  shared: SharedTickets | undefined,
): {
  readonly tickets?: number
  readonly sessionTimeout?: number
  readonly ticketKeys?: Uint8Array | Ticketer
} {
  const keys = own ?? shared?.ticketKeys
  return {
    ...(count !== undefined && { tickets: count }),
    ...(lifetime !== undefined && { sessionTimeout: lifetime }),
    ...(keys !== undefined && { ticketKeys: keys }),
  }
}

/** Tells how each handshake went. @param name of the listener */
export function reportHandshakes(
  server: TlsServerLike,
  name: string,
  { onHandshake, onFault }: Pick<ListenerContext, "onHandshake" | "onFault">,
): void {
  const telling = (report: HandshakeReport | RefusedHandshake, work: () => void) =>
    new Boundary(
      onFault,
      () => addressOf(report),
      () => undefined,
    ).run(work, undefined)
  server.on("handshake", (report) =>
    telling(report, () =>
      onHandshake(handshakeEvent(report, name), {
        milliseconds: report.milliseconds ?? 0,
        offered: report.offeredVersions,
      }),
    ),
  )
  server.on("handshakeRefused", (report) =>
    telling(report, () => onHandshake(refusedHandshakeEvent(report, name), { milliseconds: 0, offered: undefined })),
  )
  server.on("internalError", (error, socket) => onFault(error, socket === undefined ? name : addressOf(socket)))
}

function peerOf(
  socket: TlsSocketLike,
  through: Pick<PeerInfo, "transport" | "listener">,
  nameOf: NameOfCertificate | undefined,
  recheckCertificate: PeerInfo["recheckCertificate"],
): PeerInfo {
  socket.setKeepAlive(true, 60_000) // finds peers that vanished without a word, also those without MQTT keep-alive
  const peer = { ...through, address: addressOf(socket), tls: factsOf(socket) }
  const certificate = socket.authorized ? rawCertificate(socket.getPeerCertificate()) : undefined
  if (certificate === undefined || nameOf === undefined) return peer
  try {
    return { ...peer, recheckCertificate, certificateIdentity: nameOf(certificate) }
  } catch (error) {
    if (!(error instanceof NamelessCertificate)) throw error
    return { ...peer, recheckCertificate, certificateProblem: error.message }
  }
}

function factsOf({ info }: TlsSocketLike): TlsFacts | undefined {
  if (info === undefined) return undefined
  const { cipherSuite: suite, group, resumed, serverName } = info
  return { version: "1.3", suite, group, resumed, serverName }
}

/** DER; undefined when the client showed none. */
function rawCertificate(certificate: unknown): Uint8Array | undefined {
  if (typeof certificate !== "object" || certificate === null || !("raw" in certificate)) return undefined
  return certificate.raw instanceof Uint8Array ? certificate.raw : undefined
}

function handshakeEvent(report: HandshakeReport, listener: string): HandshakeSucceeded | HandshakeFailed {
  const peer = addressOf(report)
  const milliseconds = Math.round(report.milliseconds ?? 0)
  if (report.error !== undefined) {
    const { message, fault } = report.error
    // What the client says of it leads to the cause; what it was sent then is a matter of form.
    const alert = report.error.receivedAlert ?? report.error.alert
    const { serverName } = report
    const failed = { event: "tls failure", peer, listener, fault: fault ?? "client", alert, reason: message } as const
    return { ...failed, milliseconds, serverName, offer: offerOf(report) }
  }
  return {
    event: "tls handshake",
    peer,
    listener,
    offered: report.offeredVersions,
    agreed: report.protocol,
    suite: report.cipherSuite,
    group: report.group,
    resumed: report.resumed,
    ech: report.encryptedClientHello === "not offered" ? undefined : report.encryptedClientHello,
    identity: report.clientIdentity,
    unverified: report.authorizationProblem,
    milliseconds,
  }
}

function offerOf({ offer }: HandshakeReport): ClientOffer | undefined {
  if (offer === undefined) return undefined
  const { versions, cipherSuites: suites, groups, signatureSchemes } = offer
  return { versions, suites, groups, signatureSchemes }
}

const refusals: ReadonlyMap<string, string> = new Map([
  ["total", "too many connections wait for their handshake"],
  ["perAddress", "too many connections from this address wait for their handshake"],
  ["waitingTime", "its handshake had to wait for too long"],
])

function refusedHandshakeEvent(refused: RefusedHandshake, listener: string): HandshakeFailed {
  return {
    event: "tls failure",
    peer: addressOf(refused),
    listener,
    fault: "client",
    alert: undefined,
    reason: refusals.get(refused.limit) ?? "too many handshakes",
    milliseconds: 0,
    limit: true,
  }
}
