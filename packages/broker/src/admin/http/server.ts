// The admin API's listener: bounds, whom it lets ask (Host, Origin), and the way between Node's requests and the app's.

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer } from "node:net"
import { Boundary, inside } from "../../listen/boundary.ts"
import type { Connected } from "../../listen/http-door.ts"
import { isLoopback, isOwnHost, isSameOrigin } from "../../listen/http-rules.ts"
import { closeServer, type ListenerContext, listenOn, type ServerLike } from "../../listen/listener.ts"
import { reportHandshakes, type TlsServerFactory } from "../../listen/tls.ts"
import { addressOf } from "../../ports/peer.ts"
import { ReaderTooSlow } from "../live.ts"
import type { Token } from "../tokens.ts"
import { createAdminApp, refusal } from "./app.ts"
import { DashboardPage } from "./page/page.ts"
import type { AdminParts, KnownListener } from "./parts.ts"
import { Refused } from "./problem.ts"
import { longestHead, mostRequests, Requests, RequestsDoor, type RequestTimes, requestTimes } from "./requests.ts"

/** Connections at a time, see RequestsDoor. */
export const mostConnections = 256
/** Bytes of answers that clients have not taken, of all connections together: of the API's own, and of the page's files. */
const mostAnswers = 32 * 1_048_576
const mostFiles = 8 * 1_048_576
/** Bytes of one that is sent however many there are: of as many as there may be connections these are little. */
const shortAnswer = 16_384
/** Milliseconds between two signs of life for the readers of events. */
const beatEvery = 10_000

export interface AdminServerOptions {
  readonly host: string
  readonly port: number
  /** PEM texts, both or none: with them it speaks TLS 1.3. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** Names that a loopback address may be asked by, beside localhost and its addresses. */
  readonly hosts?: readonly string[] | undefined
  readonly tokens: readonly Token[]
  /** Whether a connection may ask again. Deno's HTTP server takes no second request from a stream that it was given. */
  readonly keepAlive: boolean
  /** Other times, for a test. */
  readonly times?: RequestTimes | undefined
}

export interface AdminServer {
  readonly port: number
  /** For the lists of listeners and certificates. */
  readonly listener: KnownListener
  /**
   * Other tokens, and, where there is TLS, another certificate for the handshakes to come. Returns what takes that back. Throws when
   * the certificate cannot be used, and nothing has changed.
   */
  replace(tokens: readonly Token[], certificate: Certificate | undefined): () => void
  rotateTicketKeys(forget: boolean): void
  close(): Promise<void>
}

/** PEM texts. */
interface Certificate {
  readonly cert: string
  readonly key: string
}

function certificateOf({ cert, key }: AdminServerOptions): Certificate | undefined {
  return cert === undefined || key === undefined ? undefined : { cert, key }
}

type Context = Pick<ListenerContext, "onFault" | "onRefused" | "onListening" | "onHandshake">

/** @param createTlsServer makes the TLS server when there is a certificate */
export async function startAdminServer(
  options: AdminServerOptions,
  parts: AdminParts,
  context: Context,
  createTlsServer: TlsServerFactory | undefined,
): Promise<AdminServer> {
  const { host, hosts = [], keepAlive, times = requestTimes } = options
  const { onFault } = context
  const certificate = certificateOf(options)
  const secure = certificate !== undefined
  let { tokens } = options
  let used = certificate
  const onRefused = (text: string) => context.onRefused("HTTP", text)
  const app = createAdminApp({ parts, tokens: () => tokens, onRefused, onFault })
  const page = new DashboardPage()
  const answers = new Held(mostAnswers)
  // Who has no token must not keep answers from those who have one.
  const files = new Held(mostFiles)

  const mayAsk = ({ headers: { host: name, origin } }: IncomingMessage): string | undefined => {
    if (isLoopback(host) && !isOwnHost(name, hosts)) return "Host is no name of this machine; see admin.hosts"
    if (origin !== undefined && !isSameOrigin(origin, name, secure)) return "it comes from a page of another origin"
    return undefined
  }

  const answer = async (request: IncomingMessage, peer: string, requests: Requests | undefined): Promise<Given> => {
    const problem = mayAsk(request)
    if (problem !== undefined) {
      onRefused(`admin request from ${peer} refused: ${problem}`)
      return { answer: refusal(new Refused(403, `this request is not taken: ${problem}`)), held: answers }
    }
    // RFC 9112 section 3.2.
    if (request.rawHeaders.filter((name, at) => at % 2 === 0 && /^host$/i.test(name)).length > 1)
      return { answer: refusal(new Refused(400, "Host is given twice")), held: answers }
    const file = page.answer(request, parts.listeners())
    if (file !== undefined) return { answer: file, held: files }
    const made = await requestOf(request)
    const known = () => {
      if (requests !== undefined) requests.isKnown = true
    }
    return { answer: made instanceof Request ? await app.answer(made, peer, known) : refusal(made), held: answers }
  }

  const http = createHttpServer({ keepAliveTimeout: 0, maxHeaderSize: longestHead }, (request, response) => {
    const { socket } = request
    const requests = socket instanceof Requests ? socket : undefined
    const peer = requests === undefined ? "unknown" : addressOf(requests.connection)
    const boundary = new Boundary(onFault, peer, () => socket.destroy())
    boundary.run(() => {
      const failed = boundary.handler((error: unknown) => {
        throw error
      })
      answer(request, peer, requests)
        .then((given) => written(given, request, response, requests, keepAlive ? mostRequests : 1, failed))
        .then(
          boundary.handler(() => requests?.next()),
          failed,
        )
    }, undefined)
  })
  const door = new RequestsDoor(http, { times, most: mostConnections, onFault })
  const take = (connection: Connected) => inside(onFault, connection, () => door.take(connection))
  const server = secure
    ? secureServer(certificate, take, context, createTlsServer)
    : { server: createServer({ noDelay: true, allowHalfOpen: true }, take), tls: undefined }
  const beats = setInterval(
    () => new Boundary(onFault, "admin", () => undefined).run(() => parts.watch.live.beat(parts.wall()), undefined),
    beatEvery,
  ).unref()
  const port = await listenOn(server.server, "admin", host, options.port, context).catch((error: unknown) => {
    clearInterval(beats)
    throw error
  })
  return {
    port,
    get listener() {
      const known = { name: "admin", type: "admin", host, port }
      if (used === undefined) return known
      const { cert } = used
      return { ...known, clientCertificate: "none", handshakes: server.tls?.handshakes, certificates: { cert } }
    },
    replace(nextTokens, certificate) {
      const [tokensBefore, certificateBefore] = [tokens, used]
      const take = (given: Certificate | undefined) => {
        if (given === undefined || server.tls === undefined) return
        server.tls.setSecureContext(given)
        used = given
      }
      take(certificate)
      tokens = nextTokens
      parts.watch.live.recheck()
      return () => {
        take(certificateBefore)
        tokens = tokensBefore
      }
    },
    rotateTicketKeys(forget) {
      server.tls?.rotateTicketKeys?.(forget)
    },
    close() {
      clearInterval(beats)
      parts.watch.live.close()
      door.close()
      return closeServer(server.server)
    },
  }
}

function secureServer(
  { cert, key }: Certificate,
  take: (connection: Connected) => void,
  { onFault, onHandshake }: Context,
  createTlsServer: TlsServerFactory | undefined,
): { readonly server: ServerLike; readonly tls: ReturnType<TlsServerFactory> } {
  if (createTlsServer === undefined) throw new TypeError("a certificate, and nothing that makes a TLS server of it")
  const tls = createTlsServer({
    cert,
    key,
    requestCert: false,
    rejectUnauthorized: true,
    ALPNProtocols: ["http/1.1"],
    ...adminHandshakes,
  })
  tls.on("secureConnection", (socket) => inside(onFault, socket, () => take(socket)))
  reportHandshakes(tls, "admin", { onFault, onHandshake })
  return { server: tls, tls }
}

const adminHandshakes = {
  handshakeTimeout: 5000,
  maxPendingHandshakes: 64,
  maxPendingHandshakesPerAddress: 32,
  maxWaitingHandshakes: 128,
  maxWaitingHandshakesPerAddress: 64,
  handshakeWaitTimeout: 5000,
}

/** What the app reads of a request; a Refused where there is none. */
async function requestOf(request: IncomingMessage): Promise<Request | Refused> {
  const { method = "GET", url = "" } = request
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts)
  if (!url.startsWith("/") || !URL.canParse(`http://admin${url}`))
    return new Refused(400, "the request's target is no path")
  const isForeign = /^(?:CONNECT|TRACE|TRACK)$/i.test(method)
  // RFC 9110 9.3.1: that of a GET means nothing.
  const has = method !== "GET" && method !== "HEAD" && !isForeign
  const headers = new Headers()
  for (const name of ["authorization", "content-type"]) {
    const value = request.headers[name]
    if (typeof value === "string") headers.set(name, value)
  }
  // Those that no Request can have are as all others that no route has.
  const asked = isForeign ? "OTHER" : method
  return new Request(`http://admin${url}`, { method: asked, headers, ...(has && body.length > 0 && { body }) })
}

/** An answer, and what it counts among while it is on its way. */
interface Given {
  readonly answer: Response
  readonly held: Held
}

/** Bytes of answers on their way. */
class Held {
  readonly #most: number
  #bytes = 0

  constructor(most: number) {
    this.#most = most
  }

  /** False: there is no room for so many. */
  take(bytes: number): boolean {
    if (bytes > shortAnswer && this.#bytes + bytes > this.#most) return false
    this.#bytes += bytes
    return true
  }

  give(bytes: number): void {
    this.#bytes -= bytes
  }
}

/** Resolves when the client's transport has the answer. */
async function written(
  { answer: given, held }: Given,
  { method }: Pick<IncomingMessage, "method">,
  response: ServerResponse,
  requests: Requests | undefined,
  most: number,
  failed: (error: unknown) => void,
): Promise<void> {
  if (requests === undefined || requests.count >= most) response.setHeader("connection", "close")
  const lasts = given.headers.get("content-type") === "text/event-stream"
  if (!lasts || given.body === null) {
    const body = Buffer.from(await given.arrayBuffer())
    if (!held.take(body.length))
      return written({ answer: crowded(), held }, { method }, response, requests, most, failed)
    try {
      setHeaders(given, response)
      if (method !== "HEAD") response.setHeader("content-length", body.length)
      response.writeHead(given.status)
      response.end(method === "HEAD" ? undefined : body)
      if (!response.writableFinished) await over(response)
    } finally {
      held.give(body.length)
    }
    return
  }
  setHeaders(given, response)
  requests?.lasts()
  response.writeHead(given.status)
  response.flushHeaders()
  const reader = given.body.getReader()
  const ended = (error: unknown) => {
    if (!(error instanceof ReaderTooSlow)) failed(error)
  }
  const gone = () => void reader.cancel().catch(ended)
  response.once("close", gone)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      if (!response.write(value) && !(await taken(response))) break
    }
    response.end()
  } catch (error) {
    // What it has is not the whole.
    response.destroy()
    ended(error)
  } finally {
    response.off("close", gone)
    gone()
  }
}

function setHeaders({ headers }: Response, response: ServerResponse): void {
  for (const [name, value] of headers) response.setHeader(name, value)
}

function crowded(): Response {
  return refusal(new Refused(503, "too many long answers wait for those who asked: take them, or try again"))
}

/** Milliseconds that a reader of events may take nothing. */
const longestStop = 10_000

/** False: it has gone, or taken nothing for too long. */
function taken(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (answer: boolean) => {
      clearTimeout(timer)
      response.off("drain", drained).off("close", closed)
      if (!answer) response.destroy()
      resolve(answer)
    }
    const drained = () => settle(true)
    const closed = () => settle(false)
    const timer = setTimeout(closed, longestStop)
    timer.unref()
    response.on("drain", drained).on("close", closed)
    if (response.destroyed) settle(false)
  })
}

/** All of it was handed on, or the client has gone. */
function over(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    response.once("finish", resolve).once("close", resolve)
    if (response.writableFinished || response.destroyed) resolve()
  })
}
