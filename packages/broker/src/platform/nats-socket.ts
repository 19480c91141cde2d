// Connections to servers of NATS: sockets of the runtime, and this project's TLS on them where the server or the configuration wants
// it. A server says who it is (INFO) in plain text, and TLS begins behind that.

import { lookup } from "node:dns/promises"
import { connect as connectTcp, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import type { ConnectionOptions, NatsConnection, ServerInfo } from "@nats-io/nats-core"
import {
  checkOptions,
  INFO,
  NatsConnectionImpl,
  protoLen,
  type Server,
  setTransportFactory,
  type Transport,
} from "@nats-io/nats-core/internal"
import { usesMlDsa } from "@puremq/tls13/x509"
import { providerWith } from "../listen/tls-choices.ts"
import { loadTls } from "../listen/tls-server.ts"
import { addressText, serverNameOf } from "./dial.ts"

/** Bytes of a server's first line, its end included. */
const longestInfo = 65_536
/** Milliseconds for the last bytes. */
const lingerTime = 1000

/** What lines of errors begin with where TLS is the matter. */
const ofTls = "TLS: "
const closedByServer = "the server has closed the connection"

/** What the library hands on to its transports beside its own. */
interface Options extends ConnectionOptions {
  /** How it goes: the library itself waits for its time limit where a server ends a connection before its first answer. */
  readonly told: (what: "begun" | "answered" | Error, server: Server) => void
  readonly secure: () => Promise<Secure>
}

type Secure = (socket: Socket, server: Server) => Promise<Duplex>

/**
 * `connect` of this runtime. Rejects with what went wrong last.
 * @param trouble told why TLS fails when a connection that was lost is tried again: once, until there has been one
 */
export async function connectNats(
  options: ConnectionOptions,
  trouble: (line: string) => void = () => undefined,
): Promise<NatsConnection> {
  setTransportFactory({
    factory: () => new NatsSocket(),
    dnsResolveFn: async (name) => (await lookup(name, { all: true })).map(({ address }) => address),
  })
  let [last, before, stands]: [Error | undefined, string | undefined, boolean] = [undefined, undefined, false]
  const told: Options["told"] = (what, { hostname, port }) => {
    last = what instanceof Error ? what : undefined
    if (what === "answered") before = undefined
    if (!stands || last === undefined || last.message === before || !last.message.startsWith(ofTls)) return
    before = last.message
    trouble(`NATS at ${addressText({ host: hostname, port })}: ${before}`)
  }
  let secure: Promise<Secure> | undefined
  const all: Options = { ...options, told, secure: () => (secure ??= secureOf(options.tls ?? {})) }
  // A server gives TLS two seconds: they are not spent on loading it.
  if (options.tls) await all.secure()
  try {
    const nats = await NatsConnectionImpl.connect(all)
    stands = true
    return nats
  } catch (error) {
    throw last ?? error
  }
}

class NatsSocket implements Transport {
  // What a server shows of its clients.
  readonly lang: string = "nats.js"
  readonly version: string = "3.3.1"
  closeError?: Error
  readonly #closed = openPromise<Error | undefined>()
  #stream: Duplex | undefined
  #encrypted = false
  /** The library uses it: its end is told. */
  #inUse = false
  #done = false
  #came: Uint8Array[] = []
  #more = openPromise<void>()

  async connect(server: Server, options: Options): Promise<void> {
    options.told("begun", server)
    try {
      const socket = await this.#dial(server)
      const line = await firstLine(socket)
      const info = infoOf(line)
      const { tls } = options
      this.#encrypted = info.tls_required === true || info.tls_available === true
      if (tls && !this.#encrypted) throw new Error(`${ofTls}the server does not speak it, and it is wanted here`)
      checkOptions(info, options)
      // What stands behind the line in plain text anybody may have written.
      this.#came = [this.#encrypted ? line.subarray(0, protoLen(line)) : line]
      const stream = this.#encrypted ? await overTls(socket, server, options) : socket
      this.#stream = stream
      if (this.#done) throw new Error("it was given up")
      if (stream.destroyed) throw stream.errored ?? new Error(closedByServer)
      this.#use(stream, server, options)
    } catch (error) {
      const cause = error instanceof Error ? error : new Error(String(error))
      if (!this.#done) options.told(cause, server)
      this.#end(cause)
      throw cause
    }
  }

  get isClosed(): boolean {
    return this.#done
  }

  isEncrypted(): boolean {
    return this.#encrypted
  }

  send(frame: Uint8Array): void {
    if (!this.#done) this.#stream?.write(frame)
  }

  /** What was given to it is sent. */
  async close(error?: Error): Promise<void> {
    this.#end(error)
  }

  disconnect(): void {
    this.#end(undefined)
  }

  /** Nobody is told of its end. */
  discard(): void {
    this.#inUse = false
    this.#end(undefined)
  }

  closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    for (;;) {
      if (this.#came.length === 0) {
        if (this.#done) return
        this.#more = openPromise()
        await this.#more.promise
      }
      const came = this.#came
      this.#came = []
      yield* came
    }
  }

  async #dial({ hostname: host, port }: Server): Promise<Socket> {
    const socket = connectTcp({ host, port, noDelay: true, allowHalfOpen: true })
    // It may fail while nobody waits for anything of it, as when TLS is being loaded: an error without a listener ends the process.
    socket.on("error", () => undefined)
    this.#stream = socket
    await happens(socket, "connect").catch((error: NodeJS.ErrnoException) => {
      throw error.code === "ECONNREFUSED" ? new Error("connection refused") : error
    })
    return socket
  }

  #use(stream: Duplex, server: Server, { told, tls }: Options): void {
    this.#inUse = true
    let [trouble, answered]: [Error | undefined, boolean] = [undefined, false]
    stream.on("data", (bytes: Uint8Array) => {
      if (this.#done) return
      if (!answered) told("answered", server)
      answered = true
      this.#came.push(bytes)
      this.#more.resolve()
    })
    stream.on("error", (error) => {
      trouble = error
    })
    stream.resume()
    stream.once("end", () => stream.end())
    stream.once("close", () => {
      if (!this.#done && !answered && this.#encrypted) told(refusedBehindTls(trouble, tls?.cert !== undefined), server)
      this.#end(trouble)
    })
  }

  #end(error: Error | undefined): void {
    if (this.#done) return
    this.#done = true
    if (error !== undefined) this.closeError = error
    const stream = this.#stream
    if (!this.#inUse || error !== undefined) stream?.destroy()
    else {
      const timer = setTimeout(() => stream?.destroy(), lingerTime)
      stream?.end(() => stream.destroy()).once("close", () => clearTimeout(timer))
    }
    this.#more.resolve()
    if (this.#inUse) this.#closed.resolve(error)
  }
}

/** TLS on a socket, once its handshake is done. The certificate must be for the name that the address was given with. */
async function secureOf({ ca, cert, key }: NonNullable<ConnectionOptions["tls"]>): Promise<Secure> {
  const { connect, createSecureContext } = await loadTls()
  const secureContext = createSecureContext({
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    provider: await providerWith("fast", [], [ca ?? "", cert ?? ""].some(usesMlDsa)),
  })
  return async (socket, { tlsName, hostname, port }) => {
    const host = tlsName || hostname
    const servername = serverNameOf(host)
    if (socket.destroyed) throw socket.errored ?? new Error(closedByServer)
    const stream = connect({ host, port, socket, secureContext, ...(servername !== undefined && { servername }) })
    stream.on("error", () => undefined)
    socket.resume()
    await happens(stream, "secureConnect")
    return stream
  }
}

async function overTls(socket: Socket, server: Server, { secure }: Options): Promise<Duplex> {
  const over = await secure()
  try {
    return await over(socket, server)
  } catch (error) {
    throw new Error(`${ofTls}${error instanceof Error ? error.message : String(error)}`)
  }
}

/** A client's certificate is looked at when the handshake is done for the client: what is wrong with it ends the connection. */
function refusedBehindTls(trouble: Error | undefined, hasCertificate: boolean): Error {
  const why = hasCertificate ? "it may not know the certificate's authority" : "it may want a certificate"
  return new Error(
    `${ofTls}the server has ended the connection before it answered (${trouble?.message ?? "without a word"}): ${why}`,
  )
}

/** Rejects when the stream ends before. */
function happens(stream: Duplex, event: "connect" | "secureConnect"): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      stream.off(event, done).off("error", failed).off("close", ended)
      if (error === undefined) resolve()
      else reject(error)
    }
    const done = () => settle()
    const failed = (error: Error) => settle(error)
    const ended = () => settle(new Error(closedByServer))
    stream.once(event, done).once("error", failed).once("close", ended)
  })
}

/** What a server says first: a line, and what may stand behind it. The socket is paused then. */
function firstLine(socket: Socket): Promise<Uint8Array> {
  let bytes: Buffer = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    const settle = (outcome: Uint8Array | Error) => {
      socket.off("data", came).off("error", settle).off("end", ended).pause()
      if (outcome instanceof Error) reject(outcome)
      else resolve(outcome)
    }
    const came = (part: Buffer) => {
      bytes = Buffer.concat([bytes, part])
      const length = protoLen(bytes)
      if (length > longestInfo || (length === 0 && bytes.length >= longestInfo)) settle(notNats())
      else if (length > 0) settle(bytes)
    }
    const ended = () => settle(bytes.length === 0 ? new Error(closedByServer) : notNats())
    socket.on("data", came).on("error", settle).on("end", ended)
  })
}

function infoOf(bytes: Uint8Array): ServerInfo {
  const [, text = ""] = INFO.exec(new TextDecoder().decode(bytes.subarray(0, protoLen(bytes)))) ?? []
  try {
    const info: unknown = JSON.parse(text)
    if (isInfo(info)) return info
  } catch {}
  throw notNats()
}

function isInfo(value: unknown): value is ServerInfo {
  return typeof value === "object" && value !== null && "version" in value
}

function notNats(): Error {
  return new Error("what answers there is no server of NATS")
}

function openPromise<Value>(): { readonly promise: Promise<Value>; readonly resolve: (value: Value) => void } {
  let resolve: (value: Value) => void = () => undefined
  const promise = new Promise<Value>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
