// What `--pcap`, `--explore` and `--record` write of the connections of a command.

import type { Socket } from "node:net"
import { parse } from "node:path"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import type { ConnectionRecorder } from "../connection/recorder.ts"
import { createRecorder } from "../recording/index.ts"
import type { TraceEvent, TraceSink } from "../trace/events.ts"
import { type ConnectionCapture, PcapngWriter } from "../trace/pcapng.ts"
import { longestSavedTrace, savedEvent, savedTraceHead, savedTraceTail } from "../trace/saved-trace.ts"
import type { Arguments } from "./command-line.ts"
import { program } from "./commands.ts"
import { SecretFile } from "./secret-file.ts"

type Role = "client" | "server"

/** Milliseconds after which packets are written, whether the secrets that they are read with are known or not. */
const patience = 1000

/** Files that `--explore` writes at most, and `--record`: a server meets whoever comes. */
export const mostTraces = 100

export class Recording {
  readonly #role: Role
  readonly #say: (line: string) => void
  readonly #captures: PcapngWriter | undefined
  readonly #tracePath: string | undefined
  readonly #recordPath: string | undefined
  /** Files of `--explore`, and of `--record`. */
  #traces = 0
  #records = 0
  /** Of a server, by the address and port of their clients. */
  readonly #accepted = new Map<string, ConnectionCapture>()
  readonly #sinks = new WeakMap<TLSSocket, TraceSink>()

  /** Tells loudly what the files will hold. @throws CommandError when one cannot be written */
  constructor(read: Arguments, role: Role, say: (line: string) => void) {
    this.#role = role
    this.#say = say
    const [pcap, explore, record] = [read.text("pcap"), read.text("explore"), read.text("record")]
    this.#tracePath = explore
    this.#recordPath = record
    if (pcap !== undefined) {
      const file = new SecretFile(pcap, say)
      this.#captures = new PcapngWriter((block) => file.write(block), { program: `tls13 ${program.version}` })
    }
    if (explore !== undefined) new SecretFile(explore, say).close()
    if (record !== undefined) new SecretFile(record, say).close()
    const paths = [pcap, explore, record].filter((path) => path !== undefined)
    if (paths.length > 0) say(warningOf(paths))
  }

  /** For the connections to come; undefined: `--record` was not given. */
  get recorder(): ConnectionRecorder | undefined {
    const path = this.#recordPath
    if (path === undefined) return undefined
    return createRecorder(() => {
      if (this.#records > mostTraces) return undefined
      if (++this.#records > mostTraces) {
        this.#say(`--record has written ${mostTraces} files; the connections from here on are in none`)
        return undefined
      }
      const file = opened(numbered(path, this.#records), this.#say)
      return file && { write: (text) => file.write(Buffer.from(text, "latin1")), close: () => file.close() }
    })
  }

  /** Whether bytes are wanted, as against the events of a trace alone. */
  get wantsBytes(): boolean {
    return this.#captures !== undefined
  }

  /** Whether events are. */
  get wantsEvents(): boolean {
    return this.#captures !== undefined || this.#tracePath !== undefined
  }

  /** The packets of a TCP connection that is there; undefined: they are not wanted. */
  capture(raw: Socket): ConnectionCapture | undefined {
    if (this.#captures === undefined) return undefined
    // A socket that is closed already has no addresses.
    const ours = { address: raw.localAddress ?? "0.0.0.0", port: raw.localPort ?? 0 }
    const theirs = { address: raw.remoteAddress ?? "0.0.0.0", port: raw.remotePort ?? 0 }
    const isClient = this.#role === "client"
    const capture = isClient ? this.#captures.connection(ours, theirs) : this.#captures.connection(theirs, ours)
    follow(raw, capture, this.#role)
    return capture
  }

  /** A server has a TCP connection. */
  accept(raw: Socket): void {
    const capture = this.capture(raw)
    if (capture === undefined) return
    const peer = peerOf(raw)
    this.#accepted.set(peer, capture)
    raw.once("close", () => {
      if (this.#accepted.get(peer) === capture) this.#accepted.delete(peer)
    })
  }

  /** What one of a server's connections tells. */
  event(event: TraceEvent, socket: TLSSocket): void {
    let sink = this.#sinks.get(socket)
    if (sink === undefined) {
      const [capture, trace] = [this.#accepted.get(peerOf(socket)), this.trace(socket)]
      sink = (each) => {
        capture?.trace(each)
        trace?.(each)
      }
      this.#sinks.set(socket, sink)
    }
    sink(event)
  }

  /** A sink for the events of one more connection; undefined: they are not wanted, or there are enough. */
  trace(socket: TLSSocket): TraceSink | undefined {
    if (this.#tracePath === undefined || this.#traces > mostTraces) return undefined
    if (++this.#traces > mostTraces) {
      this.#say(`--explore has written ${mostTraces} files; the connections from here on are in none`)
      return undefined
    }
    return traceInto(opened(numbered(this.#tracePath, this.#traces), this.#say), this.#role, socket)
  }
}

function warningOf(paths: readonly string[]): string {
  const [holds, it] = paths.length > 1 ? ["hold", "THEM"] : ["holds", "IT"]
  return `WARNING: ${paths.join(" and ")} ${holds} all secrets: WHO HAS ${it} READS EVERYTHING. Not for production (RFC 9850 section 1.1); delete ${it.toLowerCase()} afterwards`
}

function peerOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`
}

/** FILE, then those with a number before its extension. */
export function numbered(path: string, number: number): string {
  const { name, ext } = parse(path)
  return number === 1 ? path : `${path.slice(0, path.length - name.length - ext.length)}${name}-${number}${ext}`
}

/** Milliseconds since 1970, to the microsecond. */
function now(): number {
  return Math.round(1000 * (performance.timeOrigin + performance.now())) / 1000
}

/* ---------------------------------------------------------------- packets */

/** Tells a capture what goes over a socket, from here on. It reads nothing itself: that would take bytes from who does. */
function follow(raw: Socket, capture: ConnectionCapture, ours: Role): void {
  const theirs = ours === "client" ? "server" : "client"
  capture.opened(now())
  const push = raw.push.bind(raw)
  raw.push = (chunk: unknown, encoding?: BufferEncoding) => {
    if (chunk === null) capture.ended(theirs, now())
    else if (chunk instanceof Uint8Array) capture.data(theirs, chunk, now())
    return push(chunk, encoding)
  }
  const write = raw.write.bind(raw) as (...args: readonly unknown[]) => boolean
  raw.write = (...args: readonly unknown[]) => {
    if (args[0] instanceof Uint8Array && raw.writable) capture.data(ours, args[0], now())
    return write(...args)
  }
  const timer = setInterval(() => capture.flush(), patience).unref()
  raw.once("finish", () => capture.ended(ours, now()))
  raw.once("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "ECONNRESET") capture.reset(theirs, now())
  })
  raw.once("close", () => {
    clearInterval(timer)
    capture.ended(ours, now())
    capture.flush()
  })
}

/* ---------------------------------------------------------------- traces */

/** The file is whole after each event: a server is ended at any time. */
function traceInto(file: SecretFile | undefined, role: Role, socket: TLSSocket): TraceSink | undefined {
  if (file === undefined) return undefined
  const started = now()
  let [at, omitted, comma] = [0, 0, ""]
  const append = (text: string) => {
    // Nothing in it is beyond ASCII.
    file.write(Buffer.from(`${text}${savedTraceTail(omitted)}`, "latin1"), at)
    at += text.length
  }
  append(savedTraceHead({ role, started }))
  socket.once("close", () => file.close())
  return (event) => {
    const text = `${comma}${savedEvent(event, now() - started)}`
    const isLongEnough =
      omitted > 0 || at + text.length + savedTraceTail(Number.MAX_SAFE_INTEGER).length > longestSavedTrace
    if (isLongEnough) omitted++
    else comma = ","
    append(isLongEnough ? "" : text)
  }
}

/** One that cannot be written is told, and is no reason for a connection to end. */
function opened(path: string, say: (line: string) => void): SecretFile | undefined {
  try {
    return new SecretFile(path, say)
  } catch (error) {
    say(error instanceof Error ? error.message : String(error))
    return undefined
  }
}
