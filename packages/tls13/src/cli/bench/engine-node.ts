// node:tls (OpenSSL) as the client: it needs less CPU than ours, so it can saturate a faster server. What happens inside of it is not
// seen: the client's own time is part of the wait, and bytes and flights are those of the connections that go through our byte path.

import { isIP, type Socket } from "node:net"
import { Duplex } from "node:stream"
import {
  type ConnectionOptions,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from "node:tls"
import { openedKey } from "../../adapters/node/open-key.ts"
import { readFile, readTextFile } from "../arguments.ts"
import { type Arguments, UsageError } from "../command-line.ts"
import { BytePath, type Counts } from "./byte-path.ts"
import { type Attempt, type Engine, now, partingPatience, reasonText } from "./engine.ts"
import type { EngineSetup } from "./engine-options.ts"
import { readBenchArguments } from "./plan.ts"
import { connectTo, tcpReason } from "./tcp.ts"
import { Tickets } from "./tickets.ts"

/** @throws UsageError, CommandError */
export function createNodeEngine(setup: EngineSetup): Engine {
  return new NodeEngine(setup, readBenchArguments(setup.args))
}

class NodeEngine implements Engine {
  readonly #setup: EngineSetup
  readonly #context: SecureContext
  readonly #servername: string
  readonly #verify: boolean
  readonly #alpn: string[] | undefined
  readonly #timeout: number
  readonly #tickets: Tickets<Buffer>

  constructor(setup: EngineSetup, read: Arguments) {
    this.#setup = setup
    this.#context = contextOf(setup, read)
    this.#servername = read.text("servername") ?? setup.target.host
    this.#verify = !read.flag("insecure")
    this.#alpn = read.list("alpn")?.slice()
    this.#timeout = read.number("timeout", 1, 3_600_000) ?? 10_000
    this.#tickets = new Tickets(setup.scenario.mode === "resumed" ? "again" : "never", (keep) =>
      this.#connect(undefined, undefined, keep, false),
    )
  }

  get primings(): number {
    return this.#tickets.primings
  }

  prepare(): Promise<void> | undefined {
    return this.#tickets.prepare()
  }

  get reusesTickets(): boolean {
    return this.#tickets.isReused
  }

  async look(): Promise<Attempt> {
    let brought = 0
    const keep = (session: Buffer) => {
      brought++
      this.#tickets.keep(session)
    }
    const attempt = await this.#connect(this.#tickets.take(), undefined, keep, true)
    this.#tickets.looked(brought)
    return attempt
  }

  attempt(localAddress: string | undefined): Promise<Attempt> {
    return this.#connect(this.#tickets.take(), localAddress, (session) => this.#tickets.keep(session), false)
  }

  #connect(
    session: Buffer | undefined,
    localAddress: string | undefined,
    keep: (session: Buffer) => void,
    isFirst: boolean,
  ): Promise<Attempt> {
    const { worse, target } = this.#setup
    const isName = this.#servername !== "" && isIP(this.#servername) === 0
    const tls: ConnectionOptions = {
      secureContext: this.#context,
      host: target.host,
      ...(isName && { servername: this.#servername }),
      ...(this.#alpn && { ALPNProtocols: this.#alpn }),
      rejectUnauthorized: this.#verify,
      ...(session && { session }),
    }
    return new Promise((resolve) => {
      // Only what has to goes through JavaScript: a stream of ours costs the client much.
      const ports = { keep, resolve, isSeen: isFirst, isCounted: isFirst || worse !== undefined }
      new NodeAttempt(this.#setup, tls, this.#timeout, ports, localAddress)
    })
  }
}

interface AttemptPorts {
  readonly keep: (session: Buffer) => void
  readonly resolve: (attempt: Attempt) => void
  /** Its bytes go through our byte path. */
  readonly isCounted: boolean
  /** ... and are waited for, to be told. */
  readonly isSeen: boolean
}

/** Milliseconds that node:tls has to hand its Finished to a stream of ours. */
const finishedTime = 5

class NodeAttempt {
  readonly #setup: EngineSetup
  readonly #ports: AttemptPorts
  readonly #resumes: boolean
  readonly #began = now()
  readonly #raw: Socket
  #timer: NodeJS.Timeout | undefined
  #socket: TLSSocket | undefined
  #path: BytePath | undefined
  #reached: number | undefined
  #done: number | undefined
  /** Until the handshake was done. */
  #received: Counts | undefined
  /** ... and a moment later, when node:tls has handed on its last flight. */
  #sent: Counts | undefined
  #failure: string | undefined
  #unverified: string | undefined
  #agreed: Readonly<Record<string, string>> = {}
  #closing = false
  #closedByServer = false
  #isOver = false

  constructor(
    setup: EngineSetup,
    tls: ConnectionOptions,
    timeout: number,
    ports: AttemptPorts,
    localAddress: string | undefined,
  ) {
    this.#setup = setup
    this.#ports = ports
    this.#resumes = tls.session !== undefined
    this.#raw = connectTo(setup, localAddress, () => this.#begin(tls))
    this.#raw.on("error", (error) => {
      if (this.#done === undefined) this.#failure ??= tcpReason(error, this.#reached !== undefined)
    })
    this.#raw.once("close", () => {
      if (this.#path === undefined) this.#end()
    })
    this.#timer = setTimeout(() => {
      const what = this.#reached === undefined ? "TCP connection" : "handshake"
      this.#failure ??= `no ${what} within ${timeout} ms (--timeout)`
      this.#destroy()
    }, timeout)
  }

  #begin(tls: ConnectionOptions): void {
    this.#reached = now()
    let below: Duplex = this.#raw
    if (this.#ports.isCounted) [below, this.#path] = counted(this.#raw, this.#setup, () => this.#end())
    const socket = connectTls({ ...tls, socket: below })
    this.#socket = socket
    socket.on("session", this.#ports.keep)
    socket.on("error", (error: Error) => {
      if (this.#done === undefined) this.#failure ??= tlsReason(error)
      else if (this.#setup.scenario.mode === "mtls" && !this.#closing)
        this.#failure ??= `after the handshake: ${tlsReason(error)}`
    })
    socket.once("secureConnect", () => this.#connected(socket))
    socket.on("data", () => this.#close())
    socket.once("end", () => {
      this.#closedByServer = true
      this.#close()
    })
    socket.once("close", () => this.#destroy())
  }

  #connected(socket: TLSSocket): void {
    this.#done = now()
    this.#received = this.#path?.counts.received
    this.#agreed = agreedOf(socket)
    if (!socket.authorized) this.#unverified = String(socket.authorizationError)
    if (this.#resumes && !socket.isSessionReused()) this.#failure ??= "not resumed: the server made a full handshake"
    // The tickets say that the server believes the client certificate.
    if (this.#setup.scenario.mode === "mtls") {
      // Not at once: what node:tls is about to send would be lost.
      socket.once("session", () => setImmediate(() => this.#close()))
      this.#restart(partingPatience, () => this.#close())
    } else if (this.#ports.isSeen) this.#restart(finishedTime, () => this.#close())
    else this.#close()
  }

  #close(): void {
    if (this.#closing) return
    this.#closing = true
    if (this.#ports.isSeen) this.#sent = this.#path?.counts.sent
    if (this.#setup.plan.abrupt) {
      this.#closedByServer = true
      // Not at once: the last flight is about to be sent.
      setImmediate(() => this.#raw.destroySoon())
      return
    }
    this.#socket?.resume().end()
    this.#restart(partingPatience + 2 * this.#setup.plan.load.rtt, () => this.#destroy())
  }

  #destroy(): void {
    if (this.#path === undefined) this.#raw.destroy()
    else this.#path.destroy()
  }

  #restart(milliseconds: number, work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, milliseconds)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
    if (this.#done === undefined) this.#failure ??= "the server closed the connection during the handshake"
    this.#ports.resolve({
      began: this.#began,
      reached: this.#reached,
      done: this.#done,
      ended: now(),
      own: undefined,
      behind: undefined,
      failure: this.#failure,
      wire:
        this.#sent && this.#received && this.#path
          ? { handshake: { sent: this.#sent, received: this.#received }, all: this.#path.counts }
          : undefined,
      closedByServer: this.#closedByServer,
      agreed: this.#agreed,
      unverified: this.#unverified,
    })
  }
}

function contextOf({ own, scenario }: EngineSetup, read: Arguments): SecureContext {
  const [certs, keys] = [read.texts("cert"), read.texts("key")]
  if (certs.length !== keys.length && keys.length > 0)
    throw new UsageError(`${certs.length} --cert but ${keys.length} --key: give them in pairs, in the same order`)
  const passwordFile = read.text("key-password-file")
  const password =
    passwordFile && readTextFile(passwordFile, "wanted is the password in its first line").split(/[\r\n]/)[0]
  const ca = own === undefined ? read.texts("ca").map((path) => readFile(path)) : [own.ca]
  const shown =
    own === undefined
      ? {
          cert: certs.map((path) => readFile(path)),
          key: certs.map((path, i) => Buffer.from(openedKey(readFile(keys[i] ?? path), password))),
        }
      : scenario.mode === "mtls"
        ? own.client
        : {}
  const groups = scenario.group ?? read.list("groups")?.join(":")
  const ciphers = scenario.cipher ?? read.list("ciphers")?.join(":")
  const sigalgs = scenario.sigalg ?? read.list("sigalgs")?.join(":")
  try {
    return createSecureContext({
      minVersion: "TLSv1.3",
      ...(ca.length > 0 && { ca }),
      ...shown,
      ...(groups && {
        ecdhCurve: groups
          .replaceAll("secp256r1", "P-256")
          .replaceAll("secp384r1", "P-384")
          .replaceAll("secp521r1", "P-521"),
      }),
      ...(ciphers && { ciphers }),
      ...(sigalgs && { sigalgs }),
    })
  } catch (error) {
    throw new UsageError(`node:tls does not take these options: ${reasonText(error)}`)
  }
}

/** A stream over the byte path, for TLS to sit on. */
function counted(raw: Socket, { worse }: EngineSetup, onClosed: () => void): [Duplex, BytePath] {
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => undefined,
    write(chunk: Buffer, _encoding, taken) {
      path.send(chunk)
      taken()
    },
    final(taken) {
      path.end()
      taken()
    },
    destroy(error, taken) {
      path.destroy()
      taken(error)
    },
  })
  const closed = () => {
    stream.destroy()
    onClosed()
  }
  const path = new BytePath(raw, { bytes: (bytes) => stream.push(bytes), end: () => stream.push(null), closed }, worse)
  return [stream, path]
}

function tlsReason(error: Error & { readonly code?: string; readonly reason?: string }): string {
  if (error.reason !== undefined) return `TLS: ${error.reason}`
  if (error.code?.startsWith("E") && !error.code.startsWith("ERR_")) return tcpReason(error, true)
  return `TLS: ${reasonText(error)}`
}

function agreedOf(socket: TLSSocket): Readonly<Record<string, string>> {
  const key = socket.getEphemeralKeyInfo() as { readonly name?: string; readonly type?: string } | null
  const cipher = socket.getCipher() as { readonly standardName?: string; readonly name: string }
  return {
    protocol: socket.getProtocol() ?? "unknown",
    "cipher suite": cipher.standardName ?? cipher.name,
    "key exchange": key?.name ?? key?.type ?? "unknown",
    ...(socket.isSessionReused() && { resumed: "yes" }),
  }
}
