// An HTTP/1.1 client for the few requests that a broker makes of its own, over our TLS: the same on every runtime with Node's
// sockets. A call has one deadline, whatever its server does; an answer has a bound; nothing is followed elsewhere. Connections
// are used again; one that its server has closed meanwhile costs a second try, as nothing of the call was answered.

import { connect as connectTcp } from "node:net"
import type { Duplex } from "node:stream"
import { Boundary, type OnFault } from "../listen/boundary.ts"
import { loadTls } from "../listen/tls-server.ts"
import { encodeText } from "../packet/bytes.ts"
import type { HttpCall, HttpCaller, HttpOutcome } from "../ports/http.ts"
import { type Answer, AnswerReader } from "./answer-reader.ts"
import type { Place } from "./place.ts"

export interface HttpClientOptions {
  readonly place: Place
  /** Where it connects to, if that is not the host of its place, which names the server all the same. */
  readonly address?: string | undefined
  /** PEM of the authorities that the server's certificate must come from; undefined: those of the machine. */
  readonly ca?: string | undefined
  /** Connections that wait for the next call. */
  readonly idle: number
  /** Told of a defect that ended one call. */
  readonly onFault: OnFault
}

/** Milliseconds for which a connection waits for the next call. Servers wait for 5 s and more; one that is too late costs a second try. */
const idleTime = 4000

type Opened = Duplex & { readonly destroyed: boolean }
/** Opens a connection: `ready` is the event of one that may be written to. Throws what the options are wrong with. */
type Opener = () => { readonly socket: Opened; readonly ready: string }

interface Idle {
  readonly socket: Opened
  readonly let: () => void
}

export class HttpClient implements HttpCaller {
  readonly #options: HttpClientOptions
  readonly #idle: Idle[] = []
  #opener: Promise<Opener> | undefined
  #closed = false

  constructor(options: HttpClientOptions) {
    this.#options = options
  }

  get place(): string {
    return this.#options.place.shown
  }

  call(call: HttpCall, done: (outcome: HttpOutcome) => void): () => void {
    const running = new Running(call, this.#options, done, (socket) => this.#keep(socket))
    const open = () => this.#open()
    running.begin(this.#idle.pop(), open)
    return () => running.callOff()
  }

  close(): void {
    this.#closed = true
    for (const { socket, let: letGo } of this.#idle.splice(0)) {
      letGo()
      socket.destroy()
    }
  }

  #open(): Promise<Opener> {
    // What could not be loaded once may be another time.
    this.#opener ??= this.#load().catch((error: unknown) => {
      this.#opener = undefined
      throw error
    })
    return this.#opener
  }

  async #load(): Promise<Opener> {
    const { place, address = place.host, ca } = this.#options
    const { host, port } = place
    if (!place.secure) return () => ({ socket: connectTcp({ host: address, port, noDelay: true }), ready: "connect" })
    const { connect, createSecureContext } = await loadTls()
    const secureContext = createSecureContext(ca === undefined ? {} : { ca })
    return () => ({
      socket: connect({
        host: address,
        port,
        secureContext,
        servername: host,
        noDelay: true,
        ALPNProtocols: ["http/1.1"],
      }),
      ready: "secureConnect",
    })
  }

  #keep(socket: Opened): void {
    if (this.#closed || socket.destroyed || this.#idle.length >= this.#options.idle) {
      socket.destroy()
      return
    }
    const own = () => this.#idle.findIndex((each) => each.socket === socket)
    const gone = () => {
      clearTimeout(timer)
      const at = own()
      if (at >= 0) this.#idle.splice(at, 1)
      socket.destroy()
    }
    const timer = setTimeout(gone, idleTime)
    timer.unref()
    const events = ["error", "end", "close", "data"] as const
    for (const event of events) socket.on(event, gone)
    this.#idle.push({
      socket,
      let: () => {
        clearTimeout(timer)
        for (const event of events) socket.off(event, gone)
      },
    })
    socket.resume()
  }
}

/** One call, over one connection or two. */
class Running {
  readonly #call: HttpCall
  readonly #options: HttpClientOptions
  readonly #done: (outcome: HttpOutcome) => void
  readonly #keep: (socket: Opened) => void
  readonly #boundary: Boundary
  readonly #timer: NodeJS.Timeout
  #socket: Opened | undefined
  #unlisten: () => void = () => undefined
  #isOver = false
  /** A connection is there, and something may have been done with the call. */
  #reached = false

  constructor(
    call: HttpCall,
    options: HttpClientOptions,
    done: (outcome: HttpOutcome) => void,
    keep: (socket: Opened) => void,
  ) {
    this.#call = call
    this.#options = options
    this.#done = done
    this.#keep = keep
    this.#boundary = new Boundary(options.onFault, options.place.shown, () =>
      this.#fail("an error inside the broker", false),
    )
    this.#timer = setTimeout(() => this.#guard(() => this.#late()), call.timeout)
    this.#timer.unref()
  }

  #guard(work: () => void): void {
    this.#boundary.run(work, undefined)
  }

  begin(idle: Idle | undefined, open: () => Promise<Opener>): void {
    if (idle !== undefined) {
      idle.let()
      this.#speak(idle.socket, undefined, () => this.#openAnew(open))
    } else this.#openAnew(open)
  }

  #openAnew(open: () => Promise<Opener>): void {
    open().then(
      (opener) => this.#guard(() => this.#connect(opener)),
      (error: unknown) => this.#guard(() => this.#fail(`no connection can be made: ${messageOf(error)}`, true)),
    )
  }

  #connect(opener: Opener): void {
    if (this.#isOver) return
    let opened: ReturnType<Opener>
    try {
      opened = opener()
    } catch (error) {
      this.#fail(`no connection can be made: ${messageOf(error)}`, true)
      return
    }
    // Whoever has it, and between two of them: what goes wrong is never uncaught.
    opened.socket.on("error", () => undefined)
    this.#speak(opened.socket, opened.ready, undefined)
  }

  /** @param ready the event to wait for; undefined: it is ready @param again what is done when it ends before anything has come */
  #speak(socket: Opened, ready: string | undefined, again: (() => void) | undefined): void {
    this.#socket = socket
    const reader = new AnswerReader(this.#call.maximumBody)
    const failed = (why: string) => {
      if (this.#socket !== socket || this.#isOver) return
      if (again === undefined || reader.begun) {
        this.#fail(why, !this.#reached)
        return
      }
      this.#leave()
      this.#reached = false
      socket.destroy()
      again()
    }
    const took = (progress: ReturnType<AnswerReader["push"]>) => {
      if (progress === "more" || this.#isOver || this.#socket !== socket) return
      if ("problem" in progress) failed(progress.problem)
      else this.#answered(socket, progress)
    }
    const data = (chunk: Uint8Array) => this.#guard(() => took(reader.push(chunk)))
    const end = () => this.#guard(() => took(reader.end()))
    const close = () => this.#guard(() => failed("the connection has ended"))
    const error = (error: Error) => this.#guard(() => failed(messageOf(error)))
    socket.on("data", data).on("end", end).on("close", close).on("error", error)
    this.#unlisten = () => {
      socket.off("data", data).off("end", end).off("close", close).off("error", error)
    }
    const write = () => {
      if (this.#isOver) return
      this.#reached = true
      socket.write(requestBytes(this.#call, this.#options.place))
    }
    if (ready === undefined) write()
    else socket.once(ready, () => this.#guard(write))
  }

  #answered(socket: Opened, { status, body, reusable }: Answer): void {
    this.#finish({ status, body }, reusable ? socket : undefined)
  }

  #late(): void {
    const { timeout } = this.#call
    this.#fail(
      this.#reached ? `no whole answer has come within ${timeout} ms` : `no connection was made within ${timeout} ms`,
      !this.#reached,
    )
  }

  #fail(failed: string, gone: boolean): void {
    this.#finish({ failed, gone }, undefined)
  }

  /** Whoever has called is told, whatever becomes of the connection. @param kept it may be used again */
  #finish(outcome: HttpOutcome, kept: Opened | undefined): void {
    if (!this.#over()) return
    const socket = this.#socket
    try {
      this.#leave()
      if (kept !== undefined) this.#keep(kept)
      else socket?.destroy()
    } catch (error) {
      socket?.destroy()
      this.#options.onFault(error, this.#options.place.shown)
    }
    this.#done(outcome)
  }

  callOff(): void {
    if (this.#over()) this.#leave()?.destroy()
  }

  /** Listens to its connection no more. */
  #leave(): Opened | undefined {
    const socket = this.#socket
    this.#socket = undefined
    this.#unlisten()
    return socket
  }

  /** False: it was before. */
  #over(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    clearTimeout(this.#timer)
    return true
  }
}

/** Head and body, as they are written. */
export function requestBytes({ method, path, headers, body }: HttpCall, place: Place): Uint8Array {
  const lines = [`${method} ${path ?? place.path} HTTP/1.1`, `host: ${place.authority}`]
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push(`content-length: ${body.length}`)
  const head = encodeText(`${lines.join("\r\n")}\r\n\r\n`)
  if (body === undefined) return head
  const all = new Uint8Array(head.length + body.length)
  all.set(head)
  all.set(body, head.length)
  return all
}

/** Why there is no connection, in a sentence without a full stop. */
export function messageOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined
  switch (code) {
    case "ECONNREFUSED":
      return "the connection is refused: nothing listens there"
    case "ECONNRESET":
    case "EPIPE":
      return "the connection was reset"
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name is not known"
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return "there is no way to that address"
    default:
      return (error instanceof Error ? error.message : String(error)).replace(/\.$/, "")
  }
}
