// `tls13 connect`: a client for people and scripts.

import { once } from "node:events"
import { existsSync } from "node:fs"
import { connect as connectTcp, type Socket } from "node:net"
import type { Readable, Writable } from "node:stream"
import { type ConnectOptions, connect as connectTls } from "../adapters/node/connect.ts"
import { decodeClientSession } from "../adapters/node/session-buffer.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { Misuse } from "../bytes/errors.ts"
import { visibleText } from "../bytes/text.ts"
import type { TraceEvent } from "../trace/events.ts"
import { describe } from "../trace/words.ts"
import { CommandError, readAddress, readTextFile, reasonOf } from "./arguments.ts"
import { policyOf } from "./certificate-options.ts"
import { type Arguments, readArguments, UsageError } from "./command-line.ts"
import { connectCommand } from "./commands.ts"
import { connectProblem } from "./connect-problem.ts"
import { offeredEch } from "./ech-options.ts"
import { KeyRenewal } from "./key-renewal.ts"
import { Recording } from "./recording.ts"
import { SharedOutput, type Turn } from "./shared-output.ts"
import { summary } from "./summary.ts"
import { sharedTlsOptions, traceDetail, writeSecretFile } from "./tls-options.ts"

/** Where a command reads and writes: the process's own streams, or a test's. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable & { readonly isTTY?: boolean }
  /** Of a line; undefined: nobody knows. */
  readonly columns?: number | undefined
  /** Tells people something: one line. */
  readonly say: (line: string) => void
  /** On a terminal: a line that the next one is written over; empty: it is wiped. */
  readonly status?: ((line: string) => void) | undefined
}

/** How long a server may take to send a ticket before we connect again without it, in milliseconds. */
const ticketPatience = 500

/** How long one may take to end its half before we connect again, in milliseconds. */
const partingPatience = 5000

/** @throws UsageError, CommandError */
export async function connect(args: readonly string[], terminal: Terminal): Promise<void> {
  const read = readArguments(connectCommand, args)
  const [target, ...more] = read.positionals
  if (target === undefined || more.length > 0) throw new UsageError('give one HOST:PORT; see "tls13 connect --help"')
  const { host, port } = readAddress(target)
  const quiet = read.flag("quiet")
  const say = quiet ? () => undefined : terminal.say
  const sessionFile = read.text("session-file")
  const servername = read.text("servername")
  const earlyData = read.text("early-data")?.replaceAll("\\r", "\r").replaceAll("\\n", "\n")
  const shared = await sharedTlsOptions(read, "client")
  for (const problem of shared.secureContext.skipped) terminal.say(`warning: ${problem}`)
  const detail = traceDetail(read)
  const recording = new Recording(read, "client", terminal.say)
  const tls: ConnectOptions = {
    ...shared,
    host,
    port,
    allowHalfOpen: true,
    rejectUnauthorized: !read.flag("insecure"),
    ...ocspOf(read),
    ...(servername !== undefined && { servername }),
    ...(earlyData !== undefined && { earlyData: Buffer.from(earlyData) }),
    // Whoever brings a certificate shows it when asked, also later.
    core: {
      postHandshakeAuth: read.texts("cert").length > 0,
      encryptedClientHello: offeredEch(read, shared.secureContext.provider),
    },
    recorder: recording.recorder,
    ...(read.flag("trace") && { trace: (event) => say(describe(event, detail)) }),
  }
  let session = sessionFile !== undefined && existsSync(sessionFile) ? readSession(sessionFile) : undefined
  const keep = (fresh: Buffer) => {
    session = fresh
    if (sessionFile !== undefined) writeSecretFile(sessionFile, `${fresh.toString("base64")}\n`)
  }
  const times = read.number("reconnect", 1, 1000) ?? 0
  for (let left = times; left >= 0; left--) {
    const socket = await open({ ...tls, session }, recording, keep)
    say(`connected to ${host}:${port}${socket.remoteAddress === host ? "" : ` (${socket.remoteAddress})`}`)
    for (const line of summary(socket, "server")) say(`  ${line}`)
    if (left > 0) {
      await ticketOf(socket)
      socket.resume().end()
      const patience = setTimeout(() => socket.destroy(), partingPatience)
      await closed(socket)
      clearTimeout(patience)
      continue
    }
    const renewal = new KeyRenewal(socket, read.number("key-update", 1, 2 ** 40), read.flag("key-update-peer"))
    await talk(socket, terminal, renewal, read.flag("commands") || terminal.input.isTTY === true, say)
    say("closed")
  }
}

/** `--ocsp` asks for a stapled response; `require` wants one. */
function ocspOf(read: Arguments): Pick<ConnectOptions, "requestOCSP" | "revocation"> {
  const ocsp = read.oneOf("ocsp", "ifPresent", "require")
  if (ocsp === undefined) return {}
  const { revocation } = policyOf(read)
  return { requestOCSP: true, revocation: { ...(revocation && { crl: revocation }), ocsp } }
}

function readSession(path: string): Buffer {
  const remedy = "no session can be resumed from it; delete it, and the next one is written there"
  const session = Buffer.from(readTextFile(path, remedy), "base64")
  try {
    decodeClientSession(session)
    return session
  } catch (error) {
    if (error instanceof Misuse) throw new CommandError(`${path}: ${remedy}`)
    throw error
  }
}

async function open(
  options: ConnectOptions,
  recording: Recording,
  onSession: (session: Buffer) => void,
): Promise<TLSSocket> {
  const socket = recording.wantsEvents ? recorded(options, recording) : connectTls(options)
  socket.on("session", onSession)
  await new Promise<void>((resolve, reject) => {
    socket.once("secureConnect", resolve)
    socket.once("error", (error) => reject(new CommandError(connectProblem(error, `${options.host}:${options.port}`))))
  })
  socket.on("error", () => undefined)
  return socket
}

/** Bytes are seen where they go into TCP and come out of it. */
function recorded(options: ConnectOptions, recording: Recording): TLSSocket {
  const sinks = [options.trace]
  const { host = "localhost", port = 0 } = options
  let raw: Socket | undefined
  if (recording.wantsBytes) {
    const tcp = connectTcp({ host, port, allowHalfOpen: true, noDelay: true })
    // Before the connection over it begins.
    tcp.once("connect", () => {
      const capture = recording.capture(tcp)
      sinks.push((event) => capture?.trace(event))
    })
    raw = tcp
  }
  try {
    const trace = (event: TraceEvent) => {
      for (const sink of sinks) sink?.(event)
    }
    const socket = connectTls({ ...options, socket: raw, trace })
    sinks.push(recording.trace(socket))
    return socket
  } catch (error) {
    raw?.destroy()
    throw error
  }
}

async function ticketOf(socket: TLSSocket): Promise<void> {
  if (socket.getSession() !== undefined) return
  const patience = new AbortController()
  const timer = setTimeout(() => patience.abort(), ticketPatience)
  await once(socket, "session", { signal: patience.signal }).catch(() => undefined)
  clearTimeout(timer)
}

async function closed(socket: TLSSocket): Promise<void> {
  if (socket.destroyed) return
  await new Promise<void>((resolve) => {
    socket.once("close", resolve)
  })
}

/** Carries the input to the server and what it sends to the output, until the connection is closed. */
async function talk(
  socket: TLSSocket,
  { input, output }: Terminal,
  renewal: KeyRenewal,
  commands: boolean,
  say: (line: string) => void,
): Promise<void> {
  show(socket, output)
  // The server's end is ours too, once it has ended: nobody would answer what is typed.
  socket.on("end", () => socket.end())
  const onInput = (data: Buffer) => {
    const text = data.toString("latin1").trim()
    if (commands && command(text, socket, say)) return
    if (!renewal.write(data)) {
      input.pause()
      socket.once("drain", () => input.resume())
    }
  }
  const onEnd = () => socket.end()
  input.on("data", onInput).once("end", onEnd)
  await closed(socket)
  input.off("data", onInput).off("end", onEnd).pause()
  const { errored } = socket
  if (errored)
    throw new CommandError("kind" in errored ? errored.message : `the connection was lost: ${reasonOf(errored)}`)
}

/**
 * What comes goes to the output, at the pace of its reader; to nobody once that one is gone. Files and pipes get the bytes;
 * what a terminal would obey is shown instead.
 *
 * @param shared the same for all connections that have this output
 * @param early what has come before
 */
export function show(
  socket: TLSSocket,
  output: Terminal["output"],
  shared: SharedOutput = new SharedOutput(output),
  early: Buffer = Buffer.alloc(0),
): void {
  const decoder = output.isTTY === true ? new TextDecoder() : undefined
  let waiting: Turn | undefined
  const take = (data: Buffer) => {
    const shown = decoder ? forTerminal(decoder.decode(data, { stream: true })) : data
    waiting = shared.write(shown, () => {
      waiting = undefined
      socket.resume()
    })
    if (waiting !== undefined) socket.pause()
  }
  if (early.length > 0) take(early)
  socket.on("data", take)
  socket.on("close", () => {
    if (waiting !== undefined) shared.forget(waiting)
  })
}

function forTerminal(text: string): string {
  return visibleText(text.replaceAll("\r\n", "\n"), "\n\t")
}

/** Whether the line was a command. */
function command(line: string, socket: TLSSocket, say: (line: string) => void): boolean {
  switch (line) {
    case "K":
      socket.updateKeys()
      say("our sending keys are renewed")
      return true
    case "B":
      socket.updateKeys({ peer: true })
      say("our sending keys are renewed, and the server is asked to renew its own")
      return true
    case "Q":
      socket.end()
      return true
    default:
      return false
  }
}
