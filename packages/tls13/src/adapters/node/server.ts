// `createServer` in the shape of node:tls. What a hostile peer can cost is bounded: by the time of a handshake, by the
// number under way, by a line for the others that is short, fair and bounded, and by a close that waits for none of them.

import { type DropArgument, Server as NetServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { copyOf } from "../../bytes/copy.ts"
import { Misuse, type TlsError } from "../../bytes/errors.ts"
import { Pause } from "../../bytes/pause.ts"
import { createServerConfig, type ServerConfig } from "../../connection/config.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import type { Offer } from "../../handshake/info.ts"
import type { ServerOptions } from "../../handshake/options.ts"
import { withDefaults } from "../../handshake/settings.ts"
import { MemoryPskStore } from "../../session/psk-store.ts"
import { MemoryReplayGuard } from "../../session/replay-guard.ts"
import type { ExternalPskStore, ReplayGuard } from "../../session/session.ts"
import type { TraceEvent } from "../../trace/events.ts"
import { sniResolver } from "../../x509/certificate/credential.ts"
import type { CertificateVerifier, CredentialResolver } from "../../x509/interfaces.ts"
import type { IdentityRule } from "../../x509/names/identity.ts"
import { internalError } from "../driver.ts"
import {
  HandshakeGate,
  type HandshakeLimit,
  type HandshakeLimitOptions,
  handshakeLimits,
  type Place,
} from "../handshake-gate.ts"
import { type HandshakeReport, handshakeReport } from "./handshake-report.ts"
import { InputTurns } from "./input-turns.ts"
import { refuseMisplaced } from "./misplaced-options.ts"
import { type CommonTlsOptions, commonOptions, externalPsk, type PskOption, printable, traceSink } from "./options.ts"
import { nodeClock, socketOf } from "./raw-transport.ts"
import { createSecureContext, type SecureContext, type SecureContextOptions } from "./secure-context.ts"
import { ServerCredentials, type SNICallback } from "./server-credentials.ts"
import { SharedMemory } from "./shared-memory.ts"
import { TicketRing } from "./ticket-ring.ts"
import { TLSSocket, type TLSSocketSetup } from "./tls-socket.ts"
import { certificateTypes, createVerification } from "./verification.ts"
import { type HeldBytes, WaitingConnection } from "./waiting-connection.ts"
import { offloadedCredentials, offloadedProvider } from "./workers/offload.ts"
import { HandshakeWorkers } from "./workers/pool.ts"
import { offloadedAuthentication } from "./workers/verify.ts"

type EarlyDataOptions = NonNullable<ServerOptions["earlyData"]>

export interface TlsServerOptions
  extends Omit<CommonTlsOptions, "trace">,
    Pick<ServerOptions, "tickets" | "preference">,
    HandshakeLimitOptions {
  /** Gets every event of every connection. */
  readonly trace?: ((event: TraceEvent, socket: TLSSocket) => void) | undefined
  /**
   * Asks clients for a certificate: in the handshake, or when `socket.requestCertificate()` is called. `optional`: a client may
   * show none, and one that it shows must be valid.
   */
  readonly requestCert?: boolean | "optional" | "post-handshake" | undefined
  /**
   * With requestCert, true (the default): a client without a valid certificate is refused. false: the handshake goes on, and
   * `authorized` tells; a name in such a certificate is anybody's claim.
   */
  readonly rejectUnauthorized?: boolean | undefined
  /** By what of their certificates clients are known: one whose name constraints leave that free is refused. */
  readonly identity?: IdentityRule | undefined
  /** In the place of the usual verifier of client certificates, and so of `ca`. */
  readonly verifier?: CertificateVerifier | undefined
  /** Chooses the certificate, in the place of `cert` and `key`: keys outside of this process, say. */
  readonly credentials?: CredentialResolver | undefined
  readonly SNICallback?: SNICallback | undefined
  /** What `getTicketKeys()` of another server gave, or 48 random bytes; default: keys of this server's own, which rotate. */
  readonly ticketKeys?: Uint8Array | undefined
  /** Seconds that a session can be resumed, 1 to 604800; default 7200. */
  readonly sessionTimeout?: number | undefined
  readonly externalPsks?: readonly PskOption[] | undefined
  /** Looks a key up; null: unknown. A promise may be returned. */
  readonly pskCallback?: PskCallback | undefined
  /** Takes up to so many bytes of 0-RTT data a connection, each ClientHello once: RFC 9846 section 8. */
  readonly earlyData?:
    | (Omit<EarlyDataOptions, "replayGuard"> & {
        /** Default: one of this server's own. Servers that share `ticketKeys` have to share a guard, too. */
        readonly replayGuard?: ReplayGuard | undefined
      })
    | undefined
  /**
   * Threads, 0 to 64, that do the public-key operations of handshakes, so that clients who are connected do not wait for them;
   * default 0: none. What a client's signatures mean is decided in this
   * thread, by its rules and authorities. With a provider of one's own there are
   * none.
   */
  readonly workers?: number | undefined
  /**
   * Listeners of a socket's `data` are lent the bytes: the memory is used again when they return, so who keeps some copies them,
   * and such a socket is not piped. Saves most of the memory that bulk takes, and its collection. Default false.
   */
  readonly lendsData?: boolean | undefined
  readonly allowHalfOpen?: boolean | undefined
  readonly pauseOnConnect?: boolean | undefined
  /** What this stack has and node:tls has no word for; goes before what the other options say. */
  readonly core?: Partial<ServerOptions> | undefined
}

export type PskCallback = (
  socket: TLSSocket,
  identity: string,
) => Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>

/** The part of the options that `setSecureContext` replaces. */
export type ServerContextOptions = Pick<SecureContextOptions, "cert" | "key" | "ca" | "trust" | "crl" | "ocspResponse">

/** The events of a Server, with what their listeners get. */
export interface ServerEvents {
  /** A handshake is over, and its client as good as the options ask. */
  readonly secureConnection: [socket: TLSSocket]
  /** A handshake failed. */
  readonly tlsClientError: [error: Error & { readonly code?: string }, socket: TLSSocket]
  /** Each handshake, whether it succeeded, failed, or was given up by the application. */
  readonly handshake: [report: HandshakeReport]
  /** A connection was closed before its handshake, as too many waited, in all or of its address, or it had waited too long. */
  readonly handshakeRefused: [event: HandshakeRefused]
  /**
   * A defect, of this stack or of a callback that the application gave, ended a connection: `error.cause` is what was thrown.
   * Its socket's `error` is the same, unless the connection had ended before.
   */
  readonly internalError: [error: TlsError, socket: TLSSocket | undefined]
  /** 0-RTT data, which may be a replay; before `secureConnection`. */
  readonly earlyData: [data: Buffer, socket: TLSSocket]
  /** A line of the key log, line end included. */
  readonly keylog: [line: Buffer, socket: TLSSocket]
  readonly connection: [socket: Socket]
  readonly listening: []
  readonly close: []
  readonly error: [error: Error & { readonly code?: string }]
  readonly drop: [data?: DropArgument]
}

export interface HandshakeRefused {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  readonly limit: HandshakeLimit
}

interface Active {
  readonly context: SecureContext
  /** Of each of its sockets. */
  readonly setup: TLSSocketSetup
}

/** Connections that are taken before the first of them begins, and milliseconds. */
const mostArrivals = 1024
const arrivalTime = 50
/** Handshakes that begin each time round Node's loop: a ClientHello takes some milliseconds, and everybody else waits. */
const begunPerTurn = 4

export class Server extends NetServer {
  #options: TlsServerOptions
  readonly #gate: HandshakeGate
  readonly #tickets: TicketRing | undefined
  readonly #credentials: ServerCredentials
  readonly #handshakes = new Set<Duplex>()
  /** Outlives a change of certificates: what was taken before stays taken. */
  readonly #replayGuard: MemoryReplayGuard
  readonly #heldBytes: HeldBytes = { held: 0 }
  #arrivals: Duplex[] = []
  readonly #workers: HandshakeWorkers | undefined
  #active: Active

  readonly #memory = new SharedMemory((cause) => this.#tell("internalError", internalError(cause), undefined))
  readonly #inputTurns = new InputTurns((cause) => this.#tell("internalError", internalError(cause), undefined))

  constructor(options: TlsServerOptions = {}, onSecureConnection?: (socket: TLSSocket) => void) {
    refuseMisplaced("createServer", options)
    super({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    this.#options = options
    this.#gate = new HandshakeGate(handshakeLimits(options), nodeClock, {
      perTurn: begunPerTurn,
      nextTurn: setImmediate,
    })
    const context = options.secureContext ?? createSecureContext(options)
    // Ticket keys that are given have been in use before, so 0-RTT data of then could come again (RFC 9846 section 8.2).
    this.#replayGuard = new MemoryReplayGuard(options.ticketKeys ? { startedAt: Date.now() } : {})
    this.#tickets = options.tickets === 0 ? undefined : new TicketRing(context.provider, options.ticketKeys)
    const checkContext = (named: SecureContext) => this.#refuseOtherTrust(named)
    this.#credentials = new ServerCredentials(ownCredentials(options, context), options.SNICallback, checkContext)
    this.#workers = workersOf(options, context, (why) => {
      this.#tell("internalError", internalError(new Error(`a handshake worker has ended: ${why}`)), undefined)
    })
    this.on("close", () => this.#workers?.close())
    this.on("listening", () => this.#workers?.open())
    try {
      this.#active = this.#activate(context, options)
    } catch (error) {
      this.#workers?.close()
      throw error
    }
    this.on("connection", (raw: Socket) => this.#guard(raw, () => this.#arrive(raw)))
    if (onSecureConnection) this.on("secureConnection", onSecureConnection)
  }

  override on<Name extends keyof ServerEvents>(event: Name, listener: (...args: ServerEvents[Name]) => void): this
  override on(event: string, listener: (...args: never[]) => void): this
  override on(event: string, listener: (...args: never[]) => void): this {
    return super.on(event, listener as (...args: unknown[]) => void)
  }

  override once<Name extends keyof ServerEvents>(event: Name, listener: (...args: ServerEvents[Name]) => void): this
  override once(event: string, listener: (...args: never[]) => void): this
  override once(event: string, listener: (...args: never[]) => void): this {
    return super.once(event, listener as (...args: unknown[]) => void)
  }

  /**
   * Handshakes under way, connections that wait for theirs, bytes that those have sent, and how many connections were closed
   * because there were too many.
   */
  get handshakes(): {
    readonly pending: number
    readonly waiting: number
    readonly waitingBytes: number
    readonly refused: number
  } {
    const { pending, waiting, refused } = this.#gate
    return { pending, waiting, waitingBytes: this.#heldBytes.held, refused }
  }

  /**
   * Certificate, key, authorities, revocation lists and staples for the handshakes to come; open connections stay as they are,
   * and what is not given stays as it was.
   * @throws X509Error or Misuse, and goes on with what there was
   */
  setSecureContext(options: ServerContextOptions): void {
    // A response that is stapled belongs to its certificate.
    const staple = options.cert === undefined ? {} : { ocspResponse: undefined }
    const merged = { ...this.#options, ...staple, ...options, secureContext: undefined }
    const context = createSecureContext(merged)
    this.#active = this.#activate(context, merged)
    this.#options = merged
    this.#credentials.replace(ownCredentials(merged, context))
  }

  /**
   * Other limits of handshakes, for those to come and those that wait; what is not given stays as it was. Nothing that is there
   * is given up because of them.
   */
  setHandshakeLimits(limits: HandshakeLimitOptions & Pick<TlsServerOptions, "handshakeTimeout">): void {
    const merged = { ...this.#options, ...limits }
    this.#active = this.#activate(this.#active.context, merged)
    this.#options = merged
    this.#gate.limit(handshakeLimits(merged))
  }

  /**
   * Certificates for clients that ask for this name; `*` stands for a label.
   * @throws X509Error, and Misuse for authorities that are not the server's, when it asks clients for certificates
   */
  addContext(hostname: string, context: SecureContext | SecureContextOptions): void {
    const { provider } = this.#active.context
    const named = "credentials" in context ? context : createSecureContext({ provider, ...context })
    this.#refuseOtherTrust(named)
    this.#credentials.add(hostname, named)
  }

  /** For other servers, or for the next start. Who has these keys can read and forge tickets. */
  getTicketKeys(): Buffer {
    return this.#ticketRing().export()
  }

  setTicketKeys(keys: Uint8Array): void {
    this.#ticketRing().replace(keys)
  }

  /** Ends every handshake under way, without an alert, and every connection that waits for its own. */
  closeAllHandshakes(): void {
    this.#gate.clear()
    for (const raw of this.#arrivals.splice(0)) raw.destroy()
    for (const raw of this.#handshakes) raw.destroy()
  }

  /** Takes no more connections, and ends the handshakes under way and those that wait; `closed` is called when the others have ended. */
  override close(closed?: (error?: Error) => void): this {
    super.close(closed)
    this.closeAllHandshakes()
    return this
  }

  #activate(context: SecureContext, options: TlsServerOptions): Active {
    const verification = options.requestCert
      ? createVerification(context, {
          ...options,
          role: "client",
          serverName: undefined,
          checkServerIdentity: undefined,
        })
      : undefined
    const psks = (options.externalPsks ?? []).map(externalPsk)
    const { earlyData, sessionTimeout, tickets, preference } = options
    const replayGuard = earlyData?.replayGuard ?? this.#replayGuard
    const hasCredentials = context.credentials.length > 0 || options.credentials || options.SNICallback
    const hasPsks = psks.length > 0 || options.pskCallback !== undefined
    if (!hasCredentials && !hasPsks)
      throw new Misuse("a TLS server needs `cert` and `key` (or `SNICallback`, or `externalPsks`)")
    const workers = this.#workers
    const trust = options.verifier === undefined ? () => context.trust : undefined
    const authentication =
      workers && verification && offloadedAuthentication(context.provider, verification.verifier, trust, workers)
    const offloaded = workers && offloadedProvider(context.provider, workers)
    const provider = offloaded
      ? { ...offloaded, ...(authentication && { signatures: authentication.signatures }) }
      : context.provider
    const credentials = workers === undefined ? this.#credentials : offloadedCredentials(this.#credentials, workers)
    const usual = {
      ...commonOptions(options, context),
      provider,
      credentials: hasCredentials ? credentials : undefined,
      clientAuthentication: verification && {
        mode: authenticationMode(options),
        verifier: authentication?.verifier ?? verification.verifier,
        authorities: context.ownTrust ? context.trust.anchors.map(({ subject }) => subject.der) : undefined,
      },
      certificateTypes: certificateTypes("server", context, options),
      ticketer: this.#tickets,
      tickets,
      ticketLifetime: sessionTimeout,
      resumptionPartition: options.resumptionPartition ?? verification?.partition ?? "clients without certificates",
      externalPsks: hasPsks ? new MemoryPskStore(psks) : undefined,
      earlyData: earlyData && { ...earlyData, replayGuard },
      preference,
    } satisfies ServerOptions
    const config = createServerConfig(withDefaults(options.core ?? {}, usual))
    const memory = this.#memory
    config.scratch.output = (length) => memory.output(length)
    if (options.lendsData) config.scratch.plaintext = (length) => memory.plaintext(length)
    const setup: TLSSocketSetup = {
      role: "server",
      turns: this.#inputTurns,
      memory,
      provider: context.provider,
      verification,
      allowHalfOpen: options.allowHalfOpen,
      highWaterMark: options.highWaterMark,
      begin: (socket) => ({ connection: new ServerConnection(this.#configFor(socket, config), Date.now()), first: [] }),
    }
    return { context, setup }
  }

  /** Clients are judged by the server's own authorities: others that a context brings would be ignored in silence. */
  #refuseOtherTrust(named: SecureContext): void {
    if (!this.#options.requestCert || named.trustName === "host") return
    if (named.trustName === this.#active.context.trustName) return
    throw new Misuse(
      "a context for a name brings its own `ca`, `trust` or `crl`, but clients are verified by those of the server: " +
        "leave them out, or use another server for that name",
    )
  }

  #ticketRing(): TicketRing {
    if (this.#tickets === undefined) throw new Misuse("this server gives no tickets")
    return this.#tickets
  }

  /* ------------------------------------------------------------ a connection */

  /**
   * Node takes one connection from the system each time round its loop. With a handshake begun each time, all others would
   * wait in the system's queue, where the last address comes last: so first those that are there are taken, for a moment.
   */
  #arrive(raw: Duplex): void {
    this.#arrivals.push(raw)
    if (this.#arrivals.length > 1) return
    this.#gate.hold()
    const begun = performance.now()
    const settle = (seen: number) => {
      const { length } = this.#arrivals
      const more = length > seen && length < mostArrivals && performance.now() - begun < arrivalTime
      if (more) soon(length)
      else this.#admit()
    }
    const soon = (seen: number) =>
      setImmediate(() => {
        try {
          settle(seen)
        } catch (cause) {
          this.#tell("internalError", internalError(cause), undefined)
          this.#admit() // nobody is left standing
        }
      })
    soon(0)
  }

  #admit(): void {
    const arrivals = this.#arrivals.splice(0)
    this.#gate.resume()
    for (const each of arrivals) this.#guard(each, () => this.#accept(each))
  }

  #accept(raw: Duplex): void {
    if (raw.destroyed) return
    const begun = performance.now()
    const { remoteAddress, remotePort } = socketOf(raw) ?? {}
    let waiting: WaitingConnection | undefined
    this.#handshakes.add(raw)
    raw.on("error", ignore)
    const place = this.#gate.enter(remoteAddress ?? "", {
      begin: (place) => {
        this.#guard(raw, () => {
          waiting?.release()
          this.#handshake(raw, place, begun)
        })
      },
      refuse: (limit) => {
        this.#guard(raw, () => {
          raw.destroy()
          this.#tell("handshakeRefused", { remoteAddress, remotePort, limit })
        })
      },
    })
    raw.once("close", () => {
      this.#guard(raw, () => {
        this.#handshakes.delete(raw)
        waiting?.drop()
        place.leave()
      })
    })
    if (place.state === "waiting") waiting = new WaitingConnection(raw, this.#heldBytes, () => raw.destroy())
  }

  /** What is thrown in our own part of a connection ends that connection. */
  #guard(raw: Duplex, work: () => void): void {
    try {
      work()
    } catch (cause) {
      raw.destroy()
      this.#tell("internalError", internalError(cause), undefined)
    }
  }

  /** What listeners throw is theirs, and no part of what goes on here. */
  #tell<Name extends keyof ServerEvents>(event: Name, ...args: ServerEvents[Name]): void {
    process.nextTick(() => this.emit(event, ...args))
  }

  #handshake(raw: Duplex, place: Place, begun: number): void {
    const active = this.#active
    const socket = new TLSSocket(raw, active.setup)
    try {
      this.#follow(socket, raw, place, begun, active)
    } catch (cause) {
      socket.on("error", ignore) // nobody else may be listening yet
      throw cause
    }
  }

  /** What becomes of the handshake. The listeners of the application are called outside of every boundary of ours. */
  #follow(socket: TLSSocket, raw: Duplex, place: Place, begun: number, active: Active): void {
    let offer: Offer | undefined
    let [secure, failed] = [false, false]
    const isWanted = () => this.listenerCount("handshake") > 0
    const report = (error?: Error): HandshakeReport => {
      const milliseconds = performance.now() - begun
      const { remoteAddress, remotePort } = socketOf(raw) ?? {}
      const { info, authorized, authorizationError } = socket
      const peer = { remoteAddress, remotePort, authorized, authorizationError }
      return handshakeReport({ ...peer, offer, info, milliseconds, error, provider: active.context.provider })
    }
    // Stays for the life of the socket: a peer must not be able to end the process by an error that nobody listens for.
    socket.on("error", (error: Error) => {
      const told = socket.guard(() => {
        failed = true
        return { defect: socket.defectIn(error), report: secure || !isWanted() ? undefined : report(error) }
      })
      if (told?.defect !== undefined) this.emit("internalError", told.defect, socket)
      if (told?.report !== undefined) this.emit("handshake", told.report)
      if (!secure) this.emit("tlsClientError", error, socket)
    })
    let closed: (() => void) | undefined = () => {
      const told = socket.guard(() => (secure || failed || !isWanted() ? undefined : report(socket.abandonment)))
      if (told !== undefined) this.emit("handshake", told)
    }
    socket.on("close", closed)
    socket.on("internalError", (error: TlsError) => this.emit("internalError", error, socket))
    socket.once("offered", (seen: Offer) => {
      socket.guard(() => {
        offer = seen
      })
    })
    let earlyData: ((data: Buffer) => void) | undefined = (data) => this.emit("earlyData", data, socket)
    socket.on("earlyData", earlyData)
    socket.once("secure", () => {
      const told = socket.guard(() => {
        secure = true
        this.#handshakes.delete(raw)
        place.leave()
        const told = { report: isWanted() ? report() : undefined }
        // This socket's listeners live as long as it does; what the client offered need not, nor what waits for a failure.
        offer = undefined
        if (closed !== undefined) socket.off("close", closed)
        closed = undefined
        if (earlyData !== undefined) socket.off("earlyData", earlyData)
        earlyData = undefined
        if (this.#options.pauseOnConnect) socket.pause()
        return told
      })
      if (told === undefined) return
      if (told.report !== undefined) this.emit("handshake", told.report)
      this.emit("secureConnection", socket)
    })
  }

  #configFor(socket: TLSSocket, config: ServerConfig): ServerConfig {
    const { trace, keylog, pskCallback } = this.#options
    const toListeners =
      this.listenerCount("keylog") > 0
        ? (line: string) => this.emit("keylog", Buffer.from(`${line}\n`), socket)
        : undefined
    const sink = traceSink([trace && ((event) => trace(event, socket))], [keylog, toListeners])
    if (sink === undefined && pskCallback === undefined) return config
    const externalPsks = pskCallback ? asking(pskCallback, socket, config.externalPsks) : config.externalPsks
    return { ...config, trace: sink, externalPsks }
  }
}

export function createServer(options?: TlsServerOptions, onSecureConnection?: (socket: TLSSocket) => void): Server
export function createServer(onSecureConnection: (socket: TLSSocket) => void): Server
export function createServer(
  options: TlsServerOptions | ((socket: TLSSocket) => void) = {},
  onSecureConnection?: (socket: TLSSocket) => void,
): Server {
  return typeof options === "function" ? new Server({}, options) : new Server(options, onSecureConnection)
}

/** A peer that resets its connection is no news here. */
function ignore(): void {}

function authenticationMode({ requestCert, rejectUnauthorized = true }: TlsServerOptions) {
  if (requestCert === "post-handshake") return requestCert
  return rejectUnauthorized && requestCert !== "optional" ? "require" : "request"
}

/** @throws Misuse */
function workersOf(
  { core, workers = 0 }: TlsServerOptions,
  { madeAs }: SecureContext,
  onEnd: (why: string) => void,
): HandshakeWorkers | undefined {
  if (workers === 0) return undefined
  if (madeAs === undefined)
    throw new Misuse(
      '`workers` needs one of the providers "fast", "noble" and "host": they cannot have one of your own',
    )
  if (core?.random !== undefined)
    throw new Misuse("`workers` have random bytes of their own: leave `core.random` out, or the workers")
  return new HandshakeWorkers(workers, madeAs, onEnd)
}

function ownCredentials(options: TlsServerOptions, context: SecureContext): CredentialResolver {
  return options.credentials ?? sniResolver(context.credentials)
}

/** The given keys first, then those that the callback knows. */
function asking(callback: PskCallback, socket: TLSSocket, known: ExternalPskStore | undefined): ExternalPskStore {
  return {
    lookup(identity) {
      const found = known?.lookup(identity)
      if (found !== undefined) return found
      // The lookup outlives the message that the identity is a view of.
      const name = copyOf(identity)
      const make = (key: Uint8Array | null | undefined) => (key ? externalPsk({ identity: name, key }) : undefined)
      const answer = callback(socket, printable(name))
      return answer instanceof Promise ? new Pause(answer.then(make)) : make(answer)
    },
  }
}
