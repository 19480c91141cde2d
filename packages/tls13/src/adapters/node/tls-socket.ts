// A TLS connection as a Duplex, in the shape of node:tls. Every entry from the stream below, from a timer and from Node's
// stream machinery goes through `guard`; what the application's own listeners throw is the application's, as in node:tls.

import type { Duplex } from "node:stream"
import type { AlertName } from "../../bytes/alerts.ts"
import { copyOf } from "../../bytes/copy.ts"
import { Closed, Misuse, type TlsError } from "../../bytes/errors.ts"
import { bytesToUtf8 } from "../../bytes/text.ts"
import type { Connection } from "../../connection/connection.ts"
import type { ConnectionEvent, Outcome } from "../../connection/events.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import type { HandshakeInfo } from "../../handshake/info.ts"
import { Driver, internalError, type Taken } from "../driver.ts"
import { throwLater } from "./callbacks.ts"
import { HandshakeFace, type HandshakeFaceSetup } from "./handshake-face.ts"
import type { InputTurns } from "./input-turns.ts"
import { PacedInput } from "./paced-input.ts"
import { closeGently, nodeClock, StreamTransport, socketOf } from "./raw-transport.ts"
import { encodeClientSession } from "./session-buffer.ts"
import type { SharedMemory } from "./shared-memory.ts"
import type { TLSSocketEvents } from "./socket-events.ts"
import { destroyedError, SocketOutput } from "./socket-output.ts"
import { AuthorizationError, type Verification } from "./verification.ts"

export type { TLSSocketEvents } from "./socket-events.ts"

/** How `connect` and `Server` make a socket. */
export interface TLSSocketSetup extends HandshakeFaceSetup {
  /** When what comes in is worked on, where many sockets share a turn; undefined: at once. */
  readonly turns?: InputTurns | undefined
  /** Called when bytes can flow: makes the connection, and what its first calls gave back. */
  readonly begin: (socket: TLSSocket) => { readonly connection: Connection; readonly first: readonly Outcome[] }
  readonly verification: Verification | undefined
  /** server_name that a client sends. */
  readonly servername?: string | undefined
  readonly allowHalfOpen?: boolean | undefined
  readonly highWaterMark?: number | undefined
  /** Of the configuration's connections; undefined: each takes its own. */
  readonly memory?: SharedMemory | undefined
  /** A client's 0-RTT data: sent after the handshake when it could not go before. */
  readonly earlyData?: Uint8Array | undefined
}

/** Bytes of the stream below that are worked on at once: as many as a read of a socket gives. */
const chunkSize = 65_536
/** Records whose data waits for the application: more are read when it has taken these. */
const mostUntaken = 256

export class TLSSocket extends HandshakeFace {
  readonly encrypted = true
  /** Whether the peer has proven who it is, by a certificate that was verified or by a PSK. */
  authorized: boolean = false
  authorizationError: AuthorizationError | null = null
  /** The agreed protocol; false when there is none, null before the handshake is over. */
  alpnProtocol: string | false | null = null
  /** The name in server_name; false when the client sent none. */
  servername: string | false | null = null
  /** 0-RTT data that came before the handshake was over: it may be a replay (RFC 9846 section 8). */
  readonly earlyData: Buffer[] = []
  readonly #setup: TLSSocketSetup
  #driver: Driver | undefined
  #transport: StreamTransport | undefined
  #connection: Connection | undefined
  #info: HandshakeInfo | undefined
  /** What runs is ours, not a listener of the application. */
  #inside = false
  #failed = false
  /** What this stack ended the connection with, as against the application or the stream below. */
  #failure: TlsError | undefined
  #ended = false
  readonly #output: SocketOutput
  /** Calls of `requestCertificate`, in order: each gets one answer. */
  readonly #asked: { readonly resolve: (authorized: boolean) => void; readonly reject: (error: Error) => void }[] = []
  #session: Buffer | undefined
  /** A server's input comes in turns. */
  #input: PacedInput | undefined
  /** Records whose data nobody has taken yet. */
  #untaken = 0

  /** Use `connect`, or a `Server`. */
  constructor(raw: Duplex, setup: TLSSocketSetup) {
    const highWaterMark = setup.highWaterMark ?? 65_536
    super(raw, { allowHalfOpen: setup.allowHalfOpen ?? false, highWaterMark })
    this.#setup = setup
    this.servername = setup.servername ?? null
    this.#output = new SocketOutput(this, setup.memory, setup.earlyData)
    // A flight leaves in one write already; waiting for more would only add a delay.
    socketOf(raw)?.setNoDelay(true)
    raw.on("error", (error: Error) => this.guard(() => this.#afterInput(() => this.#rawFailed(error))))
    raw.on("close", () => this.guard(() => this.#afterInput(() => this.#rawClosed())))
    if (socketOf(raw)?.connecting) {
      for (const name of ["lookup", "connect", "ready"]) raw.on(name, (...args) => this.emit(name, ...args))
      raw.once("connect", () => this.guard(() => this.#begin()))
    } else {
      // Listeners that are attached right after the constructor see everything.
      process.nextTick(() => this.guard(() => this.#begin()))
    }
  }

  /**
   * Runs what is ours: when it throws, this connection ends with internal_error, nothing else does, and the result is
   * undefined.
   * @internal
   */
  guard<Result>(work: () => Result): Result | undefined {
    const outside = !this.#inside
    this.#inside = true
    try {
      return work()
    } catch (cause) {
      this.#defect(cause)
      return undefined
    } finally {
      if (outside) this.#inside = false
    }
  }

  /** Listeners are the application's: what they throw is not taken for a defect of ours, and is not swallowed either. */
  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (!this.#inside) return super.emit(event, ...args)
    this.#inside = false
    try {
      return super.emit(event, ...args)
    } catch (error) {
      throwLater(error)
      return true
    } finally {
      this.#inside = true
    }
  }

  #defect(cause: unknown): void {
    if (this.destroyed) {
      // Its `error` may have been told already, and it has no more than one.
      this.raw.destroy()
      process.nextTick(() => this.emit("internalError", internalError(cause)))
      return
    }
    if (this.#driver !== undefined) this.#driver.fail(cause)
    else {
      // There is no connection yet that could say it: internal_error, in the clear (RFC 9846 section 6).
      this.#failed = true
      if (this.#setup.role === "server" && this.raw.writable) this.raw.write(Uint8Array.of(21, 3, 3, 0, 2, 2, 80))
    }
    if (!this.destroyed) this.#fail(internalError(cause))
  }

  #fail(error: TlsError): void {
    this.#failure = error
    // Node writes the stack of whatever a stream is destroyed with, and where we noticed that a peer is gone tells nobody anything.
    if (error.kind === "Closed" && error.cause === undefined) error.stack = `${error.name}: ${error.message}`
    this.destroy(error)
  }

  /**
   * The error with its `cause`, when it stands for a defect of this connection: of ours, or of a callback that was given. What
   * the application destroys the socket with is its own, whatever kind of error that is.
   * @internal
   */
  defectIn(error: unknown): TlsError | undefined {
    const failure = this.#failure
    return failure === error && failure?.alert === "internal_error" && failure.cause !== undefined ? failure : undefined
  }

  /**
   * How a handshake ended that the application destroyed or aborted: no error, and no fault of the client.
   * @internal
   */
  get abandonment(): Closed {
    const failure = this.#connection?.failure
    const message = failure?.alert
      ? failure.message
      : "the application destroyed the socket before the handshake was over"
    return new Closed(failure?.alert, message, "abandoned")
  }

  override on<Name extends keyof TLSSocketEvents>(event: Name, listener: (...args: TLSSocketEvents[Name]) => void): this
  override on(event: string | symbol, listener: (...args: never[]) => void): this
  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    return super.on(event, listener as (...args: unknown[]) => void)
  }

  override once<Name extends keyof TLSSocketEvents>(
    event: Name,
    listener: (...args: TLSSocketEvents[Name]) => void,
  ): this
  override once(event: string | symbol, listener: (...args: never[]) => void): this
  override once(event: string | symbol, listener: (...args: never[]) => void): this {
    return super.once(event, listener as (...args: unknown[]) => void)
  }

  /* ------------------------------------------------------------ what was agreed, and may be changed */

  override get info(): HandshakeInfo | undefined {
    return this.#info
  }

  protected override get setup(): TLSSocketSetup {
    return this.#setup
  }

  protected override get connection(): Connection | undefined {
    return this.#connection
  }

  protected override get session(): Buffer | undefined {
    return this.#session
  }

  /**
   * Destroys this, and tells the peer why by an error alert (RFC 9846 section 6.2): `access_denied`, say.
   * @throws Misuse for what is no error alert
   */
  abort(alert: AlertName): this {
    const outcome = this.#connection?.abort(alert)
    if (this.destroyed || outcome === undefined) return this.destroy()
    this.#failed = true
    // The application knows that it has failed.
    this.#driver?.take({ ...outcome, events: [] })
    return this.destroy()
  }

  /** New keys for what we send; `peer`: also for what the peer sends (RFC 9846 section 4.7.3). */
  updateKeys(options: { readonly peer?: boolean } = {}): void {
    if (this.#driver === undefined || this.#info === undefined) throw new Misuse("the handshake is not complete")
    this.#driver.updateKeys(options.peer ? "update_requested" : "update_not_requested")
  }

  /**
   * Asks the client for its certificate now (RFC 9846 section 4.7.2), on a server with `requestCert: "post-handshake"`.
   * Resolves with its answer: whether it is authorized from now on. Rejects when the connection ends first.
   * @throws Misuse for a client that did not offer it, and before the handshake is over
   */
  requestCertificate(): Promise<boolean> {
    if (!(this.#connection instanceof ServerConnection)) throw new Misuse("only a server asks for a certificate")
    const outcome = this.#connection.requestCertificate()
    const answered = new Promise<boolean>((resolve, reject) => {
      this.#asked.push({ resolve, reject })
    })
    this.#driver?.take(outcome)
    return answered
  }

  /** @param size most bytes of data in a record, 512 to 16384 */
  setMaxSendFragment(size: number): boolean {
    return this.#output.setFragment(size)
  }

  /* ------------------------------------------------------------ the stream */

  override _read(): void {
    this.guard(() => {
      if (this.#untaken < mostUntaken) this.#driver?.want(true)
    })
  }

  override read(size?: number): unknown {
    return this.guard(() => this.#take(size)) ?? null
  }

  /** The stream asks for more by itself when it has room; past the bound in records it is whoever takes them that asks. */
  #take(size: number | undefined): unknown {
    const taken: unknown = super.read(size)
    const wantsMore = this.readableLength === 0 || (taken === null && size !== 0)
    if (this.#untaken >= mostUntaken && wantsMore) {
      this.#untaken = 0
      this.#driver?.want(true)
    }
    return taken
  }

  /** A record may have one byte, and takes far more than that while it waits: it is not only bytes that are bounded. */
  #received(data: Buffer): void {
    const { memory } = this.#setup
    const isLent = memory?.isLent(data) === true
    // A stream that holds data for later, as each does with its first, is given a copy of its own.
    const isTaken = this.readableFlowing === true && this.readableLength === 0 && this.readableDidRead
    const more = this.push(isLent && !isTaken ? Buffer.from(data) : data)
    if (isLent && isTaken && this.readableLength > 0) memory?.giveAway()
    else if (isLent) data.fill(0)
    this.#untaken = this.readableLength > data.length ? this.#untaken + 1 : 1
    if (!more || this.#untaken >= mostUntaken) this.#driver?.want(false)
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Taken): void {
    this.guard(() => this.#output.write([chunk], done))
  }

  override _writev(chunks: readonly { readonly chunk: Uint8Array }[], done: Taken): void {
    const parts = chunks.map(({ chunk }) => chunk)
    this.guard(() => this.#output.write(parts, done))
  }

  override _final(done: Taken): void {
    this.guard(() => this.#output.end(this.#failed, done))
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.guard(() => this.#release(error))
    done(error)
  }

  #release(error: Error | null): void {
    this.setTimeout(0)
    this.#driver?.destroy()
    this.#transport?.flush()
    // A peer that is told nothing more has no use for a FIN either, but an alert must reach it.
    if (this.#failed || this.writableFinished) closeGently(this.raw, (work) => this.guard(work))
    else this.raw.destroy()
    this.#output.release(error)
    const asked = this.#asked.splice(0)
    if (asked.length === 0) return // nobody to make an error for
    const reason = error ?? destroyedError()
    for (const { reject } of asked) reject(reason)
  }

  /** Ends, and is destroyed when everything was sent. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once("finish", () => this.destroy())
  }

  /**
   * The system has all that we sent.
   * @internal
   */
  endBelow(): void {
    const { raw } = this
    if (raw.destroyed) return
    // Nothing can come behind the peer's close_notify, and closing a TCP socket ends our half as well: no need to wait for its end.
    // In a turn of its own: a stream that is destroyed by the callback of a write makes an error, with its stack, for nobody.
    if (this.#ended && socketOf(raw)) process.nextTick(() => this.guard(() => raw.destroy()))
    else raw.end()
  }

  /* ------------------------------------------------------------ the connection */

  #begin(): void {
    if (this.destroyed || this.#driver !== undefined) return
    const { connection, first } = this.#setup.begin(this)
    if (first.length === 0 && connection.failure !== undefined) throw connection.failure
    this.#connection = connection
    const raw = this.raw
    const guard = (work: () => void) => void this.guard(work)
    const { memory, turns } = this.#setup
    const transport = new StreamTransport(raw, guard, memory)
    this.#transport = transport
    const input = turns && new PacedInput(turns, transport, connection, guard)
    this.#input = input
    const driver = new Driver({
      connection,
      transport: input ?? transport,
      clock: nodeClock,
      memory,
      // Of a read of the system's there is nobody else, unless somebody listens in.
      givesInput: socketOf(raw) !== undefined && raw.listenerCount("data") === 0,
      onEvent: (event) => this.guard(() => this.#onEvent(event)),
    })
    this.#driver = driver
    this.#output.begin(driver, connection)
    input?.begin(driver)
    raw.on("data", (bytes: Uint8Array) => {
      this.guard(() => {
        this.touch()
        const take = (piece: Uint8Array) => (input ? input.push(piece) : driver.receive(piece))
        if (bytes.length <= chunkSize) return take(bytes)
        let unread = bytes
        do {
          take(unread.subarray(0, chunkSize))
          unread = unread.subarray(chunkSize)
        } while (unread.length > 0 && !raw.isPaused() && !this.destroyed)
        // A chunk of a Duplex may be of any length: what is behind a piece after which reading was to stop waits there.
        if (unread.length > 0 && !this.destroyed) raw.unshift(unread)
      })
    })
    raw.on("end", () => this.guard(() => (input ? input.end() : driver.receiveEnd())))
    driver.start(...first, ...this.#output.earlyFlight(connection))
    // A server's is handed over at rest.
    if (this.#setup.role === "server") raw.resume()
    if (raw.readableEnded || raw.destroyed) driver.receiveEnd()
  }

  #onEvent(event: ConnectionEvent): void {
    if (this.destroyed) return
    const { memory } = this.#setup
    switch (event.type) {
      case "offered":
        if (this.#setup.role === "server") this.servername = event.offer.serverName ?? false
        // Where a decision came before the ClientHello, a key share say, it has not gone yet.
        if (this.#connection)
          for (const outcome of this.#output.earlyFlight(this.#connection)) this.#driver?.take(outcome)
        this.emit("offered", event.offer)
        break
      case "connected":
        this.#connected(event.info)
        break
      case "data":
        this.#received(bufferOf(event.data))
        break
      case "early-data":
        this.earlyData.push(bufferOf(memory?.isLent(event.data) ? copyOf(event.data) : event.data))
        this.emit("earlyData", this.earlyData.at(-1))
        break
      case "early-data-decided":
        if (!event.accepted) this.#output.earlyDataRefused()
        this.emit("earlyDataDecided", event.accepted)
        break
      case "client-authenticated":
      case "client-declined":
        this.#info = this.#connection?.info
        if (this.#info !== undefined) this.#authorize(this.#info)
        this.#asked.shift()?.resolve(this.authorized)
        this.emit("clientCertificate")
        break
      case "ticket":
        this.#session = encodeClientSession(event.session)
        this.emit("session", this.getSession())
        break
      case "end":
        this.#ended = true
        this.push(null)
        break
      case "failed":
        this.#failed = true
        this.#fail(event.error)
    }
  }

  #connected(info: HandshakeInfo): void {
    this.#info = info
    this.#output.open()
    this.alpnProtocol =
      info.alpnProtocol === undefined
        ? false
        : (bytesToUtf8(Buffer.from(info.alpnProtocol, "latin1")) ?? info.alpnProtocol)
    if (this.#setup.role === "server") this.servername = info.serverName ?? false
    this.#authorize(info)
    this.emit("secure")
    if (this.#setup.role === "client") this.emit("secureConnect")
    if (this.destroyed) return
    this.#output.sendWaiting()
  }

  #authorize(info: HandshakeInfo): void {
    this.authorizationError = this.#authorizationProblem(info)
    this.authorized = this.authorizationError === null && info.authentication !== "none"
  }

  #authorizationProblem(info: HandshakeInfo): AuthorizationError | null {
    const { verification, role } = this.#setup
    if (verification === undefined) return null
    if (role === "server" && info.authentication !== "certificate" && info.peerChain.length === 0) {
      if (info.pskIdentity !== undefined) return null
      return new AuthorizationError("certificate_required", "no_certificate", "the client showed no certificate")
    }
    return verification.problemOf(info) ?? null
  }

  /** What a client has sent is worked on before the end of the stream is, however it ended; but nobody begins a handshake then. */
  #afterInput(work: () => void): void {
    if (this.#input === undefined || this.#info === undefined) work()
    else this.#input.afterwards(() => this.guard(work))
  }

  #rawFailed(error: Error): void {
    if (this.destroyed) return
    this.destroy(error)
  }

  #rawClosed(): void {
    if (this.destroyed) return
    if (this.#driver === undefined) this.destroy(destroyedError())
    // Without close_notify before it the end may be an attacker's.
    else if (!this.#ended) {
      this.#driver.receiveEnd()
      // It waits for a decision that nobody can be told any more.
      if (!this.#ended) this.destroy(destroyedError())
    }
    // What came before close_notify is still there to be read.
    else if (this.readableEnded) this.destroy()
    else this.once("end", () => this.destroy())
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
