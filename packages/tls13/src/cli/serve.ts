// `tls13 serve`: a server to try clients against. Many connections at once; a client that fails never ends it.

import { once } from "node:events"
import type { AddressInfo } from "node:net"
import type { HandshakeLimit, HandshakeLimitOptions } from "../adapters/handshake-gate.ts"
import { type HandshakeReport, pinText } from "../adapters/node/handshake-report.ts"
import { chooseProvider } from "../adapters/node/provider.ts"
import { createSecureContext, type SecureContext } from "../adapters/node/secure-context.ts"
import { createServer, type Server, type TlsServerOptions } from "../adapters/node/server.ts"
import type { TLSSocket } from "../adapters/node/tls-socket.ts"
import { quotedText, visibleText } from "../bytes/text.ts"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { describe } from "../trace/words.ts"
import { CommandError, readAddress, reasonOf } from "./arguments.ts"
import { type Arguments, readArguments, UsageError } from "./command-line.ts"
import { serveCommand } from "./commands.ts"
import { show, type Terminal } from "./connect.ts"
import { watchDescriptors } from "./descriptors.ts"
import { publicNamesOf, takenEch } from "./ech-options.ts"
import { KeyRenewal } from "./key-renewal.ts"
import { Recording } from "./recording.ts"
import { SharedOutput } from "./shared-output.ts"
import { summary } from "./summary.ts"
import { sharedTlsOptions, traceDetail, writeSecretFile } from "./tls-options.ts"
import { answerRequests, type Handler, headTime } from "./www.ts"

/** After their handshakes. Whoever reads nothing of an echo makes half a megabyte wait. */
export const mostConnections = 1000

/** Listens, and gives the server. @throws UsageError, CommandError */
export async function serve(args: readonly string[], terminal: Terminal): Promise<Server> {
  const read = readArguments(serveCommand, args)
  if (read.positionals.length > 1) throw new UsageError('give one [HOST:]PORT at most; see "tls13 serve --help"')
  if (read.flag("www") && read.flag("echo")) throw new UsageError("--www and --echo exclude each other")
  const seconds = read.number("request-time", 1, 600)
  if (seconds !== undefined && !read.flag("www")) throw new UsageError("--request-time is about --www: give it too")
  const { host, port } = readAddress(read.positionals[0] ?? "4433", { host: "127.0.0.1", port: 4433 })
  const { say } = terminal
  const tickets = read.number("tickets", 0, 255)
  const maxBytes = read.number("early-data", 1, 2 ** 32 - 1)
  const verify = read.oneOf("verify", "none", "request", "require", "post-handshake") ?? "none"
  const shared = await sharedTlsOptions(read, "server")
  for (const problem of shared.secureContext.skipped) say(`warning: ${problem}`)
  const detail = traceDetail(read)
  const recording = new Recording(read, "server", say)
  const tells = read.flag("trace")
  const trace: TlsServerOptions["trace"] = (event, socket) => {
    if (tells) say(describe(event, detail).replace(/^/gm, `${socket.remoteAddress}:${socket.remotePort} `))
    recording.event(event, socket)
  }
  const ech = takenEch(read, shared.secureContext.provider)
  const development = developmentContext(read, shared, publicNamesOf(ech))
  const server = createServer({
    ...shared,
    ...handshakeLimitsOf(read),
    ...(development && { secureContext: development.context }),
    allowHalfOpen: true,
    requestCert: verify === "post-handshake" ? verify : verify !== "none",
    rejectUnauthorized: verify === "require" || verify === "post-handshake",
    ...(tickets !== undefined && { tickets }),
    ...(maxBytes !== undefined && { earlyData: { maxBytes } }),
    recorder: recording.recorder,
    ...((tells || recording.wantsEvents) && { trace }),
    core: { encryptedClientHello: ech },
  })
  server.on("connection", (raw) => recording.accept(raw))
  server.on("handshake", (report: HandshakeReport) => contained(say, () => say(reportLine(report))))
  server.on("internalError", (error, socket) => contained(say, () => say(faultText(error, socket))))
  const sayRefused = oncePerSecond(say)
  server.on("handshakeRefused", ({ remoteAddress, limit }) =>
    sayRefused(`${remoteAddress} refused: ${refusals[limit]}`),
  )
  const every = read.number("key-update", 1, 2 ** 40)
  const handle = read.flag("www")
    ? answerRequests(1000 * (seconds ?? headTime))
    : read.flag("echo")
      ? echo
      : converse(terminal)
  const most = read.number("max-connections", 1, 1_000_000) ?? mostConnections
  let connected = 0
  server.on("secureConnection", (socket: TLSSocket) => {
    socket.guard(() => {
      if (connected >= most) {
        sayRefused(`${socket.remoteAddress} refused: there are ${most} connections; see --max-connections`)
        socket.destroy()
        return
      }
      connected++
      socket.once("close", () => connected--)
      if (verify === "post-handshake") askLater(socket, say)
      handle(socket, new KeyRenewal(socket, every, read.flag("key-update-peer")))
    })
  })
  await listen(server, host, port)
  // Too many open files, say: one client less, and the others stay.
  const sayFull = oncePerSecond(say)
  server.on("error", (error) => sayFull(`cannot take a connection: ${reasonOf(error)}`))
  watchDescriptors(server, (why) => sayFull(`cannot take connections, and closes those that come: ${why}`))
  const { port: bound } = server.address() as AddressInfo
  for (const line of development?.notes ?? []) say(line)
  for (const { type, chain } of shared.secureContext.credentials) {
    if (type === "RawPublicKey")
      say(`clients know the raw public key by --peer-key ${pinText(chain[0]!, chooseProvider())}`)
  }
  say(`listening on ${host.includes(":") ? `[${host}]` : host}:${bound}`)
  return server
}

function handshakeLimitsOf(read: Arguments): HandshakeLimitOptions {
  const number = (name: string, least: number) => read.number(name, least, 1_000_000)
  const limits = {
    maxPendingHandshakes: number("max-handshakes", 1),
    maxPendingHandshakesPerAddress: number("max-handshakes-per-address", 1),
    maxWaitingHandshakes: number("max-waiting", 0),
    maxWaitingHandshakesPerAddress: number("max-waiting-per-address", 0),
  }
  const seconds = read.number("max-wait", 1, 600)
  return { ...limits, ...(seconds !== undefined && { handshakeWaitTimeout: 1000 * seconds }) }
}

const refusals: Readonly<Record<HandshakeLimit, string>> = {
  total: "too many connections wait for their handshake",
  perAddress: "too many connections of this address wait for their handshake",
  waitingTime: "its handshake had to wait for too long",
}

/** What is thrown in telling of a connection is told, and is not the end. */
function contained(say: (line: string) => void, work: () => void): void {
  try {
    work()
  } catch (error) {
    say(`internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  }
}

/** A connection that a defect has ended, with the stack. */
function faultText(error: Error, socket: TLSSocket | undefined): string {
  const { cause } = error
  const stack = cause instanceof Error ? (cause.stack ?? cause.message) : error.message
  return `${socket?.remoteAddress ?? "unknown"}:${socket?.remotePort ?? 0} ended by an internal error: ${stack}`
}

/** One line a second at most: floods are not to fill the log. */
function oncePerSecond(say: (line: string) => void): (line: string) => void {
  let last = Number.NEGATIVE_INFINITY
  return (line) => {
    const now = performance.now()
    if (now - last < 1000) return
    last = now
    say(line)
  }
}

/** Without --cert and --psk: an authority and a certificate of the moment. @param more names, where none are given */
function developmentContext(
  read: Arguments,
  { secureContext, externalPsks }: Awaited<ReturnType<typeof sharedTlsOptions>>,
  more: readonly string[],
): { readonly context: SecureContext; readonly notes: readonly string[] } | undefined {
  if (secureContext.credentials.length > 0 || externalPsks.length > 0) return undefined
  const names = read.text("names")?.split(",") ?? ["localhost", "127.0.0.1", "::1", ...more]
  const made = createDevelopmentCertificates({ names, now: Date.now() })
  const file = read.text("save-ca")
  if (file !== undefined) writeSecretFile(file, made.caCert)
  const { provider, ownTrust, trust } = secureContext
  const own = createSecureContext({ cert: made.serverCert, key: made.serverKey, provider })
  return {
    context: ownTrust ? own.withTrust(trust) : own,
    notes: [
      `no --cert: made a certificate for ${names.join(", ")}, of an authority for this run`,
      file === undefined
        ? "clients trust it with --save-ca FILE here and --ca FILE there, or do without: --insecure"
        : `clients trust it with --ca ${file}`,
    ],
  }
}

/** RFC 9846 section 4.7.2; one line for the answer. */
function askLater(socket: TLSSocket, say: (line: string) => void): void {
  const peer = `${socket.remoteAddress}:${socket.remotePort}`
  const line = () => say(`${peer} ${summary(socket, "client").slice(-3).join(", ").replace(/ +/g, " ")}`)
  socket.once("clientCertificate", () => socket.guard(line))
  try {
    // What goes wrong with the connection is told by the connection.
    socket.requestCertificate().catch(() => undefined)
  } catch (error) {
    say(`${peer} cannot be asked for a certificate: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  server.listen({ host, port, backlog: 1024 })
  try {
    await once(server, "listening")
  } catch (error) {
    throw new CommandError(`cannot listen on ${host}:${port}: ${reasonOf(error)}`)
  }
}

/** One line a handshake. */
export function reportLine(report: HandshakeReport): string {
  return visibleText(wordsOf(report))
}

function wordsOf(report: HandshakeReport): string {
  const peer = `${report.remoteAddress ?? "unknown"}:${report.remotePort ?? 0}`
  const milliseconds = `${Math.round(report.milliseconds)} ms`
  if (report.error) {
    const { message, alert, receivedAlert, fault } = report.error
    // What we answer to an alert is not the cause.
    const told = receivedAlert ? `, alert ${receivedAlert} received` : alert ? `, alert ${alert} sent` : ""
    return `${peer} failed: ${message} (${fault}'s fault${told}) ${milliseconds}`
  }
  const parts = [
    report.protocol,
    report.cipherSuite,
    report.group ?? "no key exchange",
    report.resumed ? "resumed" : "new",
    report.alpnProtocol === undefined ? undefined : `alpn ${quotedText(report.alpnProtocol)}`,
    report.serverName === undefined ? undefined : `for ${report.serverName}`,
    report.encryptedClientHello === "accepted" ? "encrypted hello" : undefined,
    report.clientIdentity === undefined ? undefined : `client ${report.clientIdentity}`,
    report.authorizationProblem === undefined
      ? undefined
      : `client certificate NOT verified: ${report.authorizationProblem}`,
  ]
  return `${peer} ${parts.filter((part) => part !== undefined).join(" ")} ${milliseconds}`
}

/* ------------------------------------------------------------ what is done with a connection */

const echo: Handler = (socket, renewal) => {
  for (const early of socket.earlyData) renewal.write(early)
  const send = (data: Buffer) => {
    if (renewal.write(data)) return
    socket.pause()
    socket.once("drain", () => socket.resume())
  }
  socket.on("data", (data: Buffer) => socket.guard(() => send(data)))
  socket.on("end", () => socket.end())
}

/** Bytes of what is typed that a client may leave untaken, while others go on. */
const mostBehind = 1_048_576

/**
 * What clients send is shown, and what is typed is sent to all of them: as fast as one of them takes it, and whoever is far
 * behind is ended.
 */
function converse({ input, output, say }: Terminal): Handler {
  const open = new Map<TLSSocket, KeyRenewal>()
  const shared = new SharedOutput(output)
  const pace = () => {
    const takers = [...open.keys()].filter(({ writable }) => writable)
    if (takers.length > 0 && takers.every((socket) => socket.writableNeedDrain)) input.pause()
    else input.resume()
  }
  const send = (data: Buffer, socket: TLSSocket, renewal: KeyRenewal) => {
    if (!socket.writable) return
    renewal.write(data)
    if (socket.writableLength <= mostBehind) return
    say(`${socket.remoteAddress}:${socket.remotePort} ended: it does not take what it is sent`)
    socket.destroy()
  }
  input.on("data", (data: Buffer) => {
    for (const [socket, renewal] of open) socket.guard(() => send(data, socket, renewal))
    pace()
  })
  return (socket, renewal) => {
    open.set(socket, renewal)
    show(socket, output, shared, Buffer.concat(socket.earlyData))
    socket.on("end", () => socket.end())
    socket.on("drain", pace)
    socket.on("close", () => {
      open.delete(socket)
      pace()
    })
    pace()
  }
}
