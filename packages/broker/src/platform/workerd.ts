// The entry `@puremq/broker/workerd`: the broker in one Durable Object, whose storage is its store. All connections come to that
// object: TCP by the `connect` handler, with this TLS on it, and WebSocket by `fetch`, where the host has ended TLS.

import type { CryptoProvider } from "@puremq/tls13"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createAcceptor, type TlsAcceptor } from "@puremq/tls13/workerd"
import {
  createCertificateVerifier,
  type IdentityRule,
  identityName,
  trustStoreFromPem,
  X509Error,
} from "@puremq/tls13/x509"
import { createAccess } from "../access/login.ts"
import { nobleScrypt } from "../access/scrypt.ts"
import type { LogEvent } from "../admin/log.ts"
import { isRefusal, Throttle } from "../admin/throttle.ts"
import type { LoginConfig, TlsSettings } from "../config/config.ts"
import { rulesOf } from "../config/rules.ts"
import type { EmbeddedBroker } from "../embed/embedded.ts"
import type { PeerInfo } from "../ports/peer.ts"
import type { Features } from "../session/features.ts"
import { defaultLimits, type Limits, limitsOfMemory } from "../session/limits.ts"
import { openStoreIn } from "../stores/file-store.ts"
import type { Pace } from "../stores/folder.ts"
import { LateStore } from "../stores/late.ts"
import { type SqlDatabase, type SqlValue, sqlFolder } from "../stores/sql-folder.ts"
import type { WebStreams } from "./web-connection.ts"
import { WebHost } from "./web-host.ts"
import { streamsOfWebSocket } from "./web-socket-streams.ts"

/** As much of a Durable Object's `ctx` as this needs. */
export interface DurableState {
  readonly storage: {
    readonly sql: {
      exec(query: string, ...bindings: SqlValue[]): { toArray(): Record<string, unknown>[] }
    }
    transactionSync<Result>(work: () => Result): Result
    sync(): Promise<void>
    setAlarm(time: number): Promise<void>
  }
  blockConcurrencyWhile<Result>(work: () => Promise<Result>): Promise<Result>
}

export interface DurableBrokerConfig {
  /** TLS of TCP connections, by this stack. Default: none, and TCP is MQTT in the clear. */
  readonly tls?:
    | (Pick<TlsSettings, "cert" | "key" | "ca" | "identity"> & {
        /** Default "none". */
        readonly clientCertificate?: "none" | "request" | "require" | undefined
        /** Default: `createFastProvider()`. Give it the WebAssembly modules that the Worker imports: workerd compiles none. */
        readonly provider?: CryptoProvider | undefined
      })
    | undefined
  readonly login?: Omit<LoginConfig, "jwt" | "http" | "order"> | undefined
  /** Text of an access control list. */
  readonly acl?: string | undefined
  readonly limits?: Partial<Limits> | undefined
  readonly features?: Partial<Features> | undefined
  /** Bytes of memory for all of it; default 64 MiB, half of what an isolate has. */
  readonly memory?: number | undefined
  /** Bytes that it may keep in storage; default 256 MiB. */
  readonly maximumBytes?: number | undefined
  readonly onEvent?: ((event: LogEvent) => void) | undefined
}

/** A Worker's socket, as the `connect` handler has it. */
export interface WorkerSocket extends WebStreams {
  readonly opened: Promise<{ readonly remoteAddress?: string | undefined; readonly localAddress?: string | undefined }>
}

/** Milliseconds: a will that waits is published even when nobody is connected and the object has been put away. */
const alarmInterval = 30_000

/** Bytes. A client may send several packets as one message. */
const leastUnread = 2 * 1_048_576

type NameOf = (
  chain: readonly Uint8Array[],
  subject: string,
) => Pick<PeerInfo, "certificateIdentity" | "certificateProblem">

interface TlsDoor {
  readonly acceptor: TlsAcceptor
  readonly nameOf: NameOf
}

export class DurableBroker {
  readonly #host: WebHost
  /** Undefined: TCP is in the clear. */
  readonly #door: TlsDoor | undefined
  readonly #state: DurableState
  /** Bytes of a WebSocket that may wait. */
  readonly #mostUnread: number
  /** Milliseconds since 1970: the alarm that was set last. */
  #alarmAt = 0

  /**
   * In the constructor of the object: what it has kept is read before anything else comes in.
   * @throws ConfigError, Misuse or X509Error, in one line, for a configuration that cannot be used
   */
  constructor(state: DurableState, config: DurableBrokerConfig = {}) {
    const { memory = 64 * 1024 * 1024, maximumBytes = 256 * 1024 * 1024, onEvent = () => {} } = config
    const limits: Limits = { ...defaultLimits, ...limitsOfMemory(memory, true), ...config.limits }
    const store = new LateStore()
    const throttle = new Throttle(onEvent)
    const now = () => performance.now()
    const access = createAccess(
      rulesOf(config.login ?? {}, config.acl),
      {
        scrypt: nobleScrypt,
        random: (length) => crypto.getRandomValues(new Uint8Array(length)),
        now,
        after: (milliseconds, work) => void setTimeout(work, milliseconds),
        fault: (error) => this.#host.embedded.broker.faults.report(error),
      },
      limits,
    )
    this.#state = state
    this.#mostUnread = Math.max(leastUnread, 2 * limits.maximumPacketSize)
    this.#host = new WebHost({
      access,
      limits,
      store,
      heap: memory,
      features: config.features,
      events: (event) => (isRefusal(event) ? throttle.take(event, now()) : onEvent(event)),
    })
    this.#door = config.tls && doorOf(config.tls)
    const onNote = (text: string) => onEvent({ event: "warning", text })
    void state.blockConcurrencyWhile(async () => {
      // Acknowledged means that the storage has it: "power" waits for its sync.
      const options = { durability: "power", maximumBytes, heap: memory, onNote } as const
      try {
        store.open(await openStoreIn(sqlFolder(databaseOf(state)), pace, options, async () => {}))
        await this.#host.restore()
      } catch (error) {
        onEvent({ event: "error", text: error instanceof Error ? error.message : String(error) })
        throw error // the host begins anew with the object, and that tries it again
      }
    })
    const { faults } = this.#host.embedded.broker
    setInterval(() => {
      faults.attempt(() => throttle.pass(now()))
      faults.attempt(() => this.#stayAwake())
    }, 1000)
  }

  /** The broker itself: counters, sessions; and messages of its own. */
  get embedded(): EmbeddedBroker {
    return this.#host.embedded
  }

  /** For the `connect` handler; wait for it there, as workerd ends a connection whose handler has returned. Never rejects. */
  async connect(socket: WorkerSocket): Promise<void> {
    const { streams, ended } = untilEnded(socket)
    try {
      const { remoteAddress, localAddress } = await socket.opened
      // A Worker that hands a connection on says whose it is in the place of the address that it connects to.
      const address = remoteAddress ?? localAddress ?? ""
      await this.#serve(streams, address)
    } catch {
      // The handshake or the connection has failed. Its peer is told why, and that takes a moment.
      await ended
    }
  }

  async #serve(streams: WebStreams, address: string): Promise<void> {
    if (this.#door === undefined) return this.#host.serve(streams, { transport: "tcp", address })
    const { acceptor, nameOf } = this.#door
    const tls = await acceptor.accept(streams, address.replace(/:\d+$/, ""))
    const { handshake } = await tls.opened
    const { peer } = handshake
    let names: ReturnType<NameOf> = {}
    try {
      if (peer !== undefined) names = nameOf(peer.chain, peer.subject)
    } catch (error) {
      this.embedded.broker.faults.report(error, { peer: address })
      tls.abort("internal_error")
      throw error
    }
    await this.#host.serve(tls, { transport: "tls", address, ...names })
    await tls.closed
  }

  /** For `fetch`: MQTT over WebSocket. What is none is answered with 426. */
  fetch(request: Request): Response {
    const offered = (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim())
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
      return new Response("This is an MQTT broker. Connect with a WebSocket and subprotocol mqtt.\n", {
        status: 426,
        headers: { upgrade: "websocket", connection: "upgrade" },
      })
    // [MQTT-6.0.0-3]
    if (!offered.includes("mqtt")) return new Response("the subprotocol is mqtt\n", { status: 400 })
    const { client, streams } = streamsOfWebSocket(this.#mostUnread)
    const address = request.headers.get("cf-connecting-ip") ?? "websocket"
    void this.#host.serve(streams, { transport: "ws", address })
    return new Response(null, {
      status: 101,
      webSocket: client,
      headers: { "sec-websocket-protocol": "mqtt" },
    } as ResponseInit)
  }

  /** For the `alarm` handler: being called is all that it takes. */
  async alarm(): Promise<void> {
    this.#alarmAt = 0
    this.#stayAwake()
  }

  /** From the first second of a will on: its client and this object may be gone in the next. */
  #stayAwake(): void {
    const now = Date.now()
    if (this.embedded.broker.memory.wills === 0 || this.#alarmAt - now > alarmInterval / 2) return
    this.#alarmAt = now + alarmInterval
    this.#state.storage.setAlarm(this.#alarmAt).catch(() => undefined)
  }
}

type SinkController = WritableStreamDefaultController & { readonly signal?: AbortSignal }

/** The same streams, and when what was written to them is on its way or given up. */
function untilEnded({ readable, writable }: WebStreams): {
  readonly streams: WebStreams
  readonly ended: Promise<void>
} {
  let end = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const writer = writable.getWriter()
  writer.closed.then(end, end)
  const watched = new WritableStream<Uint8Array>({
    // `abort` below comes only when the write before it has ended, and a peer that does not read lets none end.
    start: ({ signal }: SinkController) =>
      signal?.addEventListener("abort", () => writer.abort(signal.reason).catch(() => undefined)),
    write: (bytes) => writer.write(bytes),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  })
  return { streams: { readable, writable: watched }, ended }
}

function doorOf(tls: NonNullable<DurableBrokerConfig["tls"]>): TlsDoor {
  const { cert, key, ca = "", clientCertificate: mode = "none", identity: rule = "subject-cn" } = tls
  const provider = tls.provider ?? createFastProvider()
  const usual = { cert, key, provider, alpnProtocols: ["mqtt"] }
  const verifier = () => createCertificateVerifier({ trust: trustStoreFromPem(ca), identity: rule })
  const acceptor = createAcceptor(
    mode === "none" ? usual : { ...usual, verifier: verifier(), clientAuthentication: { mode } },
  )
  return { acceptor, nameOf: naming(rule, provider) }
}

function naming(rule: IdentityRule, provider: CryptoProvider): NameOf {
  return (chain, subject) => {
    try {
      return { certificateIdentity: identityName({ type: "X509", chain, path: [], subject }, rule, provider) }
    } catch (error) {
      if (!(error instanceof X509Error)) throw error
      return { certificateProblem: `${error.message} (identity ${rule})` }
    }
  }
}

function databaseOf({ storage }: DurableState): SqlDatabase {
  return {
    name: "the Durable Object's storage",
    remedy: "bring the storage back to a moment before that (point-in-time recovery), or use another object",
    instead: "another object",
    run: (statement, ...values) => storage.sql.exec(statement, ...values).toArray(),
    together: (work) => storage.transactionSync(work),
    sync: () => storage.sync(),
  }
}

const pace: Pace = {
  now: () => performance.now(),
  after(milliseconds, work) {
    const timer = setTimeout(work, milliseconds)
    return () => clearTimeout(timer)
  },
  breathe: () => new Promise((resolve) => setTimeout(resolve, 0)),
}
