// `createServer` in the shape of node:tls. What a hostile peer can cost is bounded: by the time of a handshake, by the
// number under way, by a line for the others that is short, fair and bounded, and by a close that waits for none of them.

import { Server as NetServer, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import { copyOf } from "../../bytes/copy.ts"
import { Misuse, type TlsError } from "../../bytes/errors.ts"
import { Pause } from "../../bytes/pause.ts"
import type { ServerConfig } from "../../connection/config.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import type { Offer } from "../../handshake/info.ts"
import { MemoryReplayGuard } from "../../session/replay-guard.ts"
import type { ExternalPskStore, Ticketer } from "../../session/session.ts"
import { sniResolver } from "../../x509/certificate/credential.ts"
import type { CredentialResolver } from "../../x509/interfaces.ts"
import { internalError } from "../driver.ts"
import { HandshakeGate, type HandshakeLimitOptions, handshakeLimits, type Place } from "../handshake-gate.ts"
import { Arrivals } from "./arrivals.ts"
import { type HandshakeReport, handshakeReport } from "./handshake-report.ts"
import { InputTurns } from "./input-turns.ts"
import { loopTurns } from "./loop-turns.ts"
import { refuseMisplaced } from "./misplaced-options.ts"
import { externalPsk, printable, traceSink } from "./options.ts"
import { nodeClock, socketOf } from "./raw-transport.ts"
import { createSecureContext, type SecureContext, type SecureContextOptions } from "./secure-context.ts"
import { serverConfig } from "./server-config.ts"
import { ServerCredentials } from "./server-credentials.ts"
import type { ServerEvents } from "./server-events.ts"
import type { PskCallback, ServerContextOptions, TlsServerOptions } from "./server-options.ts"
import { SharedMemory } from "./shared-memory.ts"
import { TicketRing } from "./ticket-ring.ts"
import { TLSSocket, type TLSSocketSetup } from "./tls-socket.ts"
import { type HeldBytes, WaitingConnection } from "./waiting-connection.ts"
import { HandshakeWorkers } from "./workers/pool.ts"

export type { HandshakeRefused, ServerEvents } from "./server-events.ts"
export type { PskCallback, ServerContextOptions, TlsServerOptions } from "./server-options.ts"

interface Active {
  readonly context: SecureContext
  /** Of each of its sockets. */
  readonly setup: TLSSocketSetup
}

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
  readonly #arrivals: Arrivals
  readonly #workers: HandshakeWorkers | undefined
  #active: Active

  readonly #nextTurn = loopTurns()
  readonly #memory = new SharedMemory((cause) => this.#tell("internalError", internalError(cause), undefined))
  readonly #inputTurns = new InputTurns(
    (cause) => this.#tell("internalError", internalError(cause), undefined),
    this.#nextTurn,
  )

  constructor(options: TlsServerOptions = {}, onSecureConnection?: (socket: TLSSocket) => void) {
    refuseMisplaced("createServer", options)
    super({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
    this.#options = options
    this.#gate = new HandshakeGate(handshakeLimits(options), nodeClock, {
      perTurn: begunPerTurn,
      nextTurn: this.#nextTurn,
    })
    const admit = (raw: Duplex) => this.#guard(raw, () => this.#accept(raw))
    const failed = (cause: unknown) => this.#tell("internalError", internalError(cause), undefined)
    this.#arrivals = new Arrivals(this.#gate, admit, failed, this.#nextTurn)
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
    this.on("connection", (raw: Socket) => this.#guard(raw, () => this.#arrivals.add(raw)))
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

  /** For other servers, or for the next start. Who has these keys can read and forge tickets. @throws Misuse for those of a given value */
  getTicketKeys(): Buffer {
    return this.#ticketRing().export()
  }

  /** As `ticketKeys`. @throws Misuse, and goes on with what there was */
  setTicketKeys(keys: Uint8Array | Ticketer): void {
    this.#ticketRing().replace(keys)
  }

  /**
   * Tickets to come are sealed by a new key, which is none of `ticketKeys`: a server that shares those has to share this one too.
   * @param forget tickets that were given before are no longer known: their clients make a full handshake
   * @throws Misuse for keys of a value that was given: that changes them
   */
  rotateTicketKeys(forget: boolean = false): void {
    this.#ticketRing().rotate(forget)
  }

  /** Ends every handshake under way, without an alert, and every connection that waits for its own. */
  closeAllHandshakes(): void {
    this.#gate.clear()
    this.#arrivals.clear()
    for (const raw of this.#handshakes) raw.destroy()
  }

  /** Takes no more connections, and ends the handshakes under way and those that wait; `closed` is called when the others have ended. */
  override close(closed?: (error?: Error) => void): this {
    super.close(closed)
    this.closeAllHandshakes()
    return this
  }

  #activate(context: SecureContext, options: TlsServerOptions): Active {
    const parts = {
      credentials: this.#credentials,
      tickets: this.#tickets,
      replayGuard: this.#replayGuard,
      workers: this.#workers,
    }
    const { config, verification } = serverConfig(context, options, parts)
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
      begin: (socket) => {
        const [own, now] = [this.#configFor(socket, config), Date.now()]
        return { connection: options.recorder?.server(own, now) ?? new ServerConnection(own, now), first: [] }
      },
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
      return handshakeReport({ offer, info, milliseconds, error, provider: active.context.provider, ...peer })
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

/** @throws Misuse */
function workersOf(
  { core, workers = 0 }: TlsServerOptions,
  { madeAs }: SecureContext,
  onEnd: (why: string) => void,
): HandshakeWorkers | undefined {
  if (workers === 0) return undefined
  if (madeAs === undefined)
    throw new Misuse(
      '`workers` needs one of the providers "fast", "noble", "host" and "mixed": they cannot have one of your own',
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
