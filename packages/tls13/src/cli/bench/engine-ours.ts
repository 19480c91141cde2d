// Our own stack as the client, straight on a TCP socket: the core's connection, so that its time, bytes and flights are seen.

import { Driver } from "../../adapters/driver.ts"
import { type PreparedClient, prepareClient } from "../../adapters/node/connect.ts"
import { createSecureContext, type SecureContext } from "../../adapters/node/secure-context.ts"
import { ClientConnection } from "../../connection/client-connection.ts"
import type { ConnectionEvent, Outcome } from "../../connection/events.ts"
import type { HandshakeInfo } from "../../handshake/info.ts"
import type { ClientSession } from "../../session/session.ts"
import { sniResolver } from "../../x509/certificate/credential.ts"
import { sharedTlsOptions } from "../tls-options.ts"
import { BytePath, type PathCounts } from "./byte-path.ts"
import { type Attempt, type Engine, now, partingPatience, reasonText } from "./engine.ts"
import type { EngineSetup } from "./engine-options.ts"
import { readBenchArguments } from "./plan.ts"
import { connectTo, tcpReason } from "./tcp.ts"
import { Tickets } from "./tickets.ts"

/** @throws UsageError, CommandError */
export async function createOwnEngine(setup: EngineSetup): Promise<Engine> {
  const read = readBenchArguments(setup.args)
  const shared = await sharedTlsOptions(read, "client")
  const { mode, group, cipher, sigalg } = setup.scenario
  const state: Shared = { busy: 0, session: undefined, asked: false, onTicket: () => undefined }
  const context = setup.own === undefined ? shared.secureContext : ownContext(setup, shared.secureContext)
  const credentials = context.credentials.length > 0 ? sniResolver(context.credentials) : undefined
  const servername = read.text("servername")
  const prepared = prepareClient({
    ...shared,
    secureContext: context,
    host: setup.target.host,
    port: setup.target.port,
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: !read.flag("insecure"),
    ...(group && { ecdhCurve: [group] }),
    ...(cipher && { ciphers: [cipher] }),
    ...(sigalg && { sigalgs: [sigalg] }),
    ...(mode === "hrr" && { keyShares: [] }),
    ...(mode === "0-rtt" && { earlyData: Buffer.from(setup.plan.earlyData) }),
    ...(credentials && {
      credentials: {
        resolve(request) {
          state.asked = true
          return credentials.resolve(request)
        },
      },
    }),
    sessionStore: {
      take() {
        const { session } = state
        state.session = undefined
        return session
      },
      put: (_key, session) => state.onTicket(session),
    },
  })
  return new OwnEngine(setup, prepared, state, read.number("timeout", 1, 3_600_000) ?? 10_000)
}

function ownContext({ own, scenario }: EngineSetup, { provider }: SecureContext): SecureContext {
  return createSecureContext({ ca: own!.ca, provider, ...(scenario.mode === "mtls" && own!.client) })
}

/** What the connections of an engine share; each call on one runs to its end, so a value is that of the call under way. */
interface Shared {
  /** Milliseconds that all TLS calls took so far. */
  busy: number
  /** What the next connection resumes. */
  session: ClientSession | undefined
  /** The server has asked for a certificate. */
  asked: boolean
  onTicket: (session: ClientSession) => void
}

class OwnEngine implements Engine {
  readonly #setup: EngineSetup
  readonly #prepared: PreparedClient
  readonly #shared: Shared
  readonly #timeout: number
  readonly #tickets: Tickets<ClientSession>

  constructor(setup: EngineSetup, prepared: PreparedClient, shared: Shared, timeout: number) {
    this.#setup = setup
    this.#prepared = prepared
    this.#shared = shared
    this.#timeout = timeout
    const { mode } = setup.scenario
    this.#tickets = new Tickets(mode === "resumed" ? "again" : mode === "0-rtt" ? "once" : "never", (keep) =>
      this.#connect(undefined, undefined, keep),
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
    const attempt = await this.#connect(this.#tickets.take(), undefined, (session) => {
      brought++
      this.#tickets.keep(session)
    })
    this.#tickets.looked(brought)
    return attempt
  }

  attempt(localAddress: string | undefined): Promise<Attempt> {
    return this.#connect(this.#tickets.take(), localAddress, (session) => this.#tickets.keep(session))
  }

  #connect(
    session: ClientSession | undefined,
    localAddress: string | undefined,
    keep: (session: ClientSession) => void,
  ): Promise<Attempt> {
    return new Promise((resolve) => {
      new OwnAttempt(this.#setup, this.#prepared, this.#shared, this.#timeout, { session, keep, resolve }, localAddress)
    })
  }
}

interface AttemptPorts {
  readonly session: ClientSession | undefined
  readonly keep: (session: ClientSession) => void
  readonly resolve: (attempt: Attempt) => void
}

class OwnAttempt {
  readonly #setup: EngineSetup
  readonly #prepared: PreparedClient
  readonly #shared: Shared
  readonly #ports: AttemptPorts
  readonly #began = now()
  readonly #path: BytePath
  #timer: NodeJS.Timeout | undefined
  #driver: Driver | undefined
  #reached: number | undefined
  #busyAtReached = 0
  #own = 0
  #info: HandshakeInfo | undefined
  #asked = false
  #done: { readonly at: number; readonly own: number; readonly behind: number; readonly counts: PathCounts } | undefined
  #failure: string | undefined
  #closing = false
  #closedByServer = false
  #isOver = false

  constructor(
    setup: EngineSetup,
    prepared: PreparedClient,
    shared: Shared,
    timeout: number,
    ports: AttemptPorts,
    localAddress: string | undefined,
  ) {
    this.#setup = setup
    this.#prepared = prepared
    this.#shared = shared
    this.#ports = ports
    const socket = connectTo(setup, localAddress, () => this.#begin())
    const receiver = {
      bytes: (bytes: Buffer) => this.#timed(() => this.#driver?.receive(bytes)),
      end: () => {
        this.#closedByServer = true
        this.#timed(() => this.#driver?.receiveEnd())
        this.#close()
      },
      closed: () => this.#end(),
    }
    this.#path = new BytePath(socket, receiver, setup.worse)
    socket.on("error", (error: Error) => {
      // Once both know that all went well, how it ends is nobody's failure.
      if (this.#done === undefined) this.#failure ??= tcpReason(error, this.#reached !== undefined)
      else if (setup.scenario.mode === "mtls" && !this.#closing)
        this.#failure ??=
          "the server reset the connection right after the handshake: it may not believe the client certificate"
      else this.#closedByServer = true
    })
    // TCP and TLS together. The connection's own limit begins only with its ClientHello.
    this.#timer = setTimeout(() => this.#giveUp(timeout), timeout)
  }

  #begin(): void {
    this.#reached = now()
    this.#busyAtReached = this.#shared.busy
    this.#timed(() => {
      const { session } = this.#ports
      const connection = new ClientConnection(this.#prepared.config, Date.now())
      this.#driver = new Driver({
        connection,
        transport: {
          write: (bytes, taken) => {
            this.#path.send(bytes)
            taken()
          },
          setReading: () => undefined,
        },
        onEvent: (event) => this.#onEvent(event),
      })
      this.#shared.session = session
      const first: Outcome[] = [connection.start()]
      this.#shared.session = undefined
      if (this.#setup.scenario.mode === "0-rtt" && session !== undefined) {
        const data = Buffer.from(this.#setup.plan.earlyData)
        if (connection.earlyDataWritable >= data.length) first.push(connection.sendEarlyData(data))
        else this.#failure ??= "the server's ticket allows no early data, or not so much"
      }
      this.#driver.start(...first)
    })
  }

  /** Does something on the connection, and counts the time that it takes. */
  #timed(work: () => void): void {
    const shared = this.#shared
    const before = now()
    shared.asked = false
    shared.onTicket = this.#ports.keep
    work()
    this.#asked ||= shared.asked
    const spent = now() - before
    shared.busy += spent
    this.#own += spent
    if (this.#info === undefined || this.#done !== undefined) return
    const behind = shared.busy - this.#busyAtReached - this.#own
    this.#done = { at: before + spent, own: this.#own, behind: Math.max(0, behind), counts: this.#path.counts }
    this.#failure ??= this.#unexpected(this.#info)
    // Whether a client certificate is believed is known when the server says something after it: RFC 9846 section 4.5.
    if (this.#setup.scenario.mode === "mtls") this.#restart(partingPatience, () => this.#close())
    else this.#close()
  }

  #onEvent(event: ConnectionEvent): void {
    if (event.type === "connected") this.#info = event.info
    else if (event.type === "failed") {
      // After the handshake a stream that ends without close_notify is nothing that a handshake can be blamed for.
      if (this.#done === undefined || event.error.kind !== "Closed") this.#failure ??= reasonText(event.error)
      this.#close()
    } else if (event.type === "ticket" || event.type === "data" || event.type === "end") this.#close()
  }

  /** Why this handshake is not what was to be measured. */
  #unexpected(info: HandshakeInfo): string | undefined {
    const { mode } = this.#setup.scenario
    const resumes = this.#ports.session !== undefined
    if (resumes && !info.resumed) return "not resumed: the server made a full handshake"
    if (resumes && mode === "0-rtt" && info.earlyData !== "accepted") return "the server refused the early data"
    if (mode === "hrr" && !info.helloRetryRequest) return "the server sent no HelloRetryRequest"
    if (mode === "mtls" && !this.#asked) return "the server asked for no client certificate"
    return undefined
  }

  /** Our half ends, as soon as there is nothing to say; the server's is read to its end, so that its tickets are taken. */
  #close(): void {
    if (this.#closing || (this.#done === undefined && this.#info !== undefined)) return
    this.#closing = true
    if (this.#setup.plan.abrupt) {
      this.#end(true)
      return
    }
    this.#driver?.close()
    this.#path.end()
    this.#restart(partingPatience + 2 * this.#setup.plan.load.rtt, () => this.#path.destroy())
  }

  #giveUp(timeout: number): void {
    const what = this.#reached === undefined ? "TCP connection" : "handshake"
    this.#failure ??= `no ${what} within ${timeout} ms (--timeout)`
    this.#path.destroy()
  }

  #restart(milliseconds: number, work: () => void): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(work, milliseconds)
  }

  /** @param abruptly what has been written is still sent */
  #end(abruptly: boolean = false): void {
    if (this.#isOver) return
    this.#isOver = true
    clearTimeout(this.#timer)
    if (abruptly) {
      this.#closedByServer = true
      this.#path.drop()
    }
    this.#driver?.destroy()
    if (this.#done === undefined) this.#failure ??= "the server closed the connection during the handshake"
    const info = this.#info
    this.#ports.resolve({
      began: this.#began,
      reached: this.#reached,
      done: this.#done?.at,
      ended: now(),
      own: this.#done?.own,
      behind: this.#done?.behind,
      failure: this.#failure,
      wire: this.#done && { handshake: this.#done.counts, all: this.#path.counts },
      closedByServer: this.#closedByServer,
      agreed: info === undefined ? {} : agreedOf(info, this.#asked),
      unverified: info && this.#prepared.verification.problemOf(info)?.message,
    })
  }
}

function agreedOf(info: HandshakeInfo, asked: boolean): Readonly<Record<string, string>> {
  return {
    protocol: info.protocol,
    "cipher suite": info.cipherSuite,
    "key exchange": info.group ?? "none",
    ...(info.peerSignatureScheme && { signature: info.peerSignatureScheme }),
    certificates: `${info.peerChain.length}${info.resumed ? ", those of the session" : ""}`,
    ...(asked && { "client certificate": "shown" }),
    ...(info.alpnProtocol !== undefined && { ALPN: info.alpnProtocol }),
    ...(info.resumed && { resumed: "yes" }),
    ...(info.earlyData !== "not offered" && { "early data": info.earlyData }),
    ...(info.helloRetryRequest && { "after a HelloRetryRequest": "yes" }),
  }
}
