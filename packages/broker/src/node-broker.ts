// The broker on Node: clock, timers, listeners, login, monitoring. What an embedding program gets from createBroker.

import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import { getHeapStatistics } from "node:v8"
import { Acl, AclError, parseAcl } from "./access/acl.ts"
import { createAccess } from "./access/login.ts"
import { PasswordFileError, parsePasswordFile } from "./access/password-file.ts"
import type { HandshakeFailed, HandshakeSucceeded, LogEvent } from "./admin/log.ts"
import { failureLabel, type HandshakeCounters, type Stats, snapshot, toSysTopics } from "./admin/metrics.ts"
import { type MetricsServer, startMetricsServer } from "./admin/metrics-server.ts"
import { Broker } from "./broker.ts"
import { certificateText, checkRenewal } from "./config/certificate.ts"
import { checkClientCertificates, checkLimits } from "./config/check.ts"
import {
  type BrokerConfig,
  ConfigError,
  defaultHandshakeLimits,
  type ListenerConfig,
  type LoginConfig,
} from "./config/config.ts"
import { encodeText } from "./packet/bytes.ts"
import type { Qos } from "./packet/packets.ts"
import { limitsOfMemory } from "./session/limits.ts"
import type { Listener, ListenerContext, RefusalKind, RenewedCertificate } from "./transport/listener.ts"
import type { PeerInfo, TransportKind } from "./transport/peer.ts"
import { attachStream } from "./transport/stream.ts"
import { createTcpListener } from "./transport/tcp.ts"
import { createTlsListener } from "./transport/tls.ts"
import { loadNaming, loadTls } from "./transport/tls-server.ts"
import { createWebSocketListener } from "./transport/websocket.ts"

/** Milliseconds that clients have at the end to take their last packets. */
const closingMilliseconds = 1500
const version = "0.1.0"

/** Where a listener really listens. */
export interface ListenerAddress {
  readonly type: TransportKind | "metrics"
  readonly host: string
  readonly port: number
}

export interface PureMqBroker {
  /** Opens all listeners. Rejects with ListenError, and none is open, when one cannot be opened. */
  listen(): Promise<readonly ListenerAddress[]>
  /** Disconnects every client (Reason Code 0x8B), closes the listeners and frees the timers. */
  close(): Promise<void>
  /** Serves MQTT on a stream of the embedding program's own. */
  attach(stream: Duplex, peer?: Partial<PeerInfo>): void
  /** Publishes as the broker itself. Default QoS 0, not retained. */
  publish(topic: string, payload: string | Uint8Array, options?: { qos?: Qos; retain?: boolean }): void
  /**
   * Gives every TLS listener this certificate for the handshakes to come; or, from a list, each listener of the configuration
   * the one in its place. Open connections stay. Throws ConfigError, and changes nothing, when one cannot be used.
   */
  renewCertificate(certificate: RenewedCertificate | readonly (RenewedCertificate | undefined)[]): void
  stats(): Stats
}

/** Makes a broker. Throws ConfigError, in one line, when the configuration cannot be used. */
export function createBroker(config: BrokerConfig = {}): PureMqBroker {
  return new NodeBroker(config)
}

class NodeBroker implements PureMqBroker {
  readonly #config: BrokerConfig
  readonly #broker: Broker
  readonly #tls: HandshakeCounters = { handshakes: 0, failures: new Map() }
  readonly #startedAt = now()
  readonly #event: (event: LogEvent) => void
  readonly #timers: NodeJS.Timeout[] = []
  #listeners: Listener[] = []
  #lastRefusal = 0
  readonly #lastTold = new Map<RefusalKind, number>()
  #metrics: MetricsServer | undefined

  constructor(config: BrokerConfig) {
    this.#config = config
    config.listeners?.forEach((one, index) => {
      if (one.type === "tls" || one.type === "wss") checkClientCertificates(one, `listeners[${index}]`)
    })
    this.#event = config.onEvent ?? (() => undefined)
    const { responseInformation } = config
    // The second time is for what the first has left, if it threw: nothing else would ask for it.
    const flush = () => {
      const once = () => this.#attempt(() => this.#broker.flush(now()))
      if (!once()) once()
    }
    this.#broker = new Broker({
      limits: { ...limitsOfMemory(getHeapStatistics().heap_size_limit), ...checkLimits(config.limits ?? {}) },
      access: accessOf(config.login ?? {}, config.acl),
      events: this.#event,
      now,
      schedule: () => setImmediate(flush),
      wakeAfter: (milliseconds) => {
        setTimeout(() => this.#attempt(() => this.#broker.wake(now())), milliseconds).unref()
      },
      randomName: () => randomBytes(16).toString("hex"),
      responseInformation:
        responseInformation === undefined ? undefined : (clientId) => responseInformation.replaceAll("%c", clientId),
    })
    this.#every(1, () => this.#broker.tick(now()))
    const interval = config.sysInterval ?? 10
    if (interval > 0) this.#every(interval, () => this.#publishSys())
  }

  async listen(): Promise<readonly ListenerAddress[]> {
    const addresses: ListenerAddress[] = []
    try {
      for (const one of this.#config.listeners ?? []) {
        const listener = await makeListener(one, this.#context)
        await listener.listen()
        this.#listeners.push(listener)
        addresses.push({ type: listener.kind, host: listener.host, port: listener.port })
      }
      const { metrics } = this.#config
      if (metrics !== undefined) {
        const host = metrics.host ?? "127.0.0.1"
        this.#metrics = await startMetricsServer({ ...metrics, host }, () => this.stats(), this.#context)
        addresses.push({ type: "metrics", host, port: this.#metrics.port })
      }
    } catch (error) {
      await this.#closeListeners()
      throw error
    }
    for (const { type, host, port } of addresses)
      this.#event({ event: "listening", text: `${type} on ${host}:${port}` })
    this.#publishSys()
    return addresses
  }

  async close(): Promise<void> {
    this.#event({ event: "stopping", text: `disconnecting ${this.#broker.connectedCount} clients` })
    for (const timer of this.#timers) clearInterval(timer)
    const closed = this.#closeListeners()
    this.#broker.close(now())
    // A server's close waits for its connections, and those for their peers: not longer than this.
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closingMilliseconds)
    })
    await Promise.race([closed, late])
    clearTimeout(timer)
    this.#event({ event: "stopped", text: "the broker is closed" })
  }

  attach(stream: Duplex, peer: Partial<PeerInfo> = {}): void {
    attachStream(this.#broker, stream, { transport: "stream", address: "embedded", ...peer }, this.#context.onFault)
  }

  publish(topic: string, payload: string | Uint8Array, options: { qos?: Qos; retain?: boolean } = {}): void {
    const bytes = typeof payload === "string" ? encodeText(payload) : payload
    this.#broker.publishOwn(topic, bytes, options.qos ?? 0, options.retain ?? false)
  }

  renewCertificate(certificate: RenewedCertificate | readonly (RenewedCertificate | undefined)[]): void {
    const each = this.#listeners.flatMap(({ renew }, index) => {
      const given = "cert" in certificate ? certificate : certificate[index]
      return renew === undefined || given === undefined ? [] : [{ renew, given }]
    })
    for (const { given } of each) checkRenewal(given, now())
    for (const { renew, given } of each) renew(given)
    const names = new Set(each.map(({ given }) => certificateText(given.cert)))
    const open = this.#broker.connectedCount
    const stay = open === 1 ? "1 open connection stays" : `${open} open connections stay`
    this.#event({ event: "certificate renewed", text: `${[...names].join(", ")}; ${stay}` })
  }

  stats(): Stats {
    return snapshot(this.#broker, this.#tls, this.#startedAt, now(), process.memoryUsage().heapUsed)
  }

  /** The boundary around what timers and events call: what throws is told, and the process goes on. */
  #attempt(work: () => void): boolean {
    return this.#broker.faults.attempt(work)
  }

  #every(seconds: number, work: () => void): void {
    const timer = setInterval(() => this.#attempt(work), seconds * 1000)
    timer.unref()
    this.#timers.push(timer)
  }

  #publishSys(): void {
    if ((this.#config.sysInterval ?? 10) === 0) return
    for (const [topic, value] of toSysTopics(this.stats(), version)) this.publish(topic, value, { retain: true })
  }

  get #context(): ListenerContext {
    return {
      broker: this.#broker,
      onHandshake: (event) => this.#handshake(event),
      onFault: (error, peer) => this.#broker.faults.report(error, { peer }),
      onRefused: (kind, text) => this.#refused(kind, text),
    }
  }

  #refused(kind: RefusalKind, text: string): void {
    this.#broker.counters.disconnected(`refused: ${kind}`)
    if (now() - (this.#lastTold.get(kind) ?? 0) < 1000) return
    this.#lastTold.set(kind, now())
    this.#event({ event: "warning", text })
  }

  #handshake(event: HandshakeSucceeded | HandshakeFailed): void {
    if (event.event === "tls handshake") this.#tls.handshakes++
    else {
      const label = failureLabel(event)
      this.#tls.failures.set(label, (this.#tls.failures.get(label) ?? 0) + 1)
      // Connections turned away by a limit come in floods: all are counted, one a second is told.
      if (event.limit === true) {
        if (now() - this.#lastRefusal < 1000) return
        this.#lastRefusal = now()
      }
    }
    this.#event(event)
  }

  async #closeListeners(): Promise<void> {
    const listeners = this.#listeners
    this.#listeners = []
    await Promise.all([...listeners.map((listener) => listener.close()), this.#metrics?.close()])
    this.#metrics = undefined
  }
}

/** Milliseconds since 1970 that do not jump when somebody sets the clock. */
function now(): number {
  return performance.timeOrigin + performance.now()
}

async function makeListener(config: ListenerConfig, context: ListenerContext): Promise<Listener> {
  const host = config.host ?? "127.0.0.1"
  const { port, proxyProtocol } = config
  if (config.type === "tcp") return createTcpListener({ host, port, proxyProtocol }, context)
  if (config.type === "ws") {
    const { path, origins, hosts } = config
    return createWebSocketListener({ host, port, path, origins, hosts, proxyProtocol }, context)
  }
  const { createServer } = await loadTls()
  const clientCertificate = config.clientCertificate ?? "none"
  const most = defaultHandshakeLimits
  const options = {
    host,
    port,
    cert: config.cert,
    key: config.key,
    ca: config.ca,
    crl: config.crl,
    revocation: config.revocation,
    clientCertificate,
    nameOf: clientCertificate === "none" ? undefined : await loadNaming(config.identity ?? "subject-cn"),
    crypto: config.crypto,
    handshakeTimeout: config.handshakeTimeout ?? most.handshakeTimeout,
    maxPendingHandshakes: config.maxPendingHandshakes ?? most.maxPendingHandshakes,
    maxPendingHandshakesPerAddress: config.maxPendingHandshakesPerAddress ?? most.maxPendingHandshakesPerAddress,
    maxWaitingHandshakes: config.maxWaitingHandshakes ?? most.maxWaitingHandshakes,
    maxWaitingHandshakesPerAddress: config.maxWaitingHandshakesPerAddress ?? most.maxWaitingHandshakesPerAddress,
    handshakeWaitTimeout: config.handshakeWaitTimeout ?? most.handshakeWaitTimeout,
    proxyProtocol,
  }
  const { path, origins, hosts } = config.type === "wss" ? config : {}
  const webSocket = config.type === "wss" ? { path, origins, hosts } : undefined
  return createTlsListener(options, webSocket, context, createServer)
}

function accessOf(login: LoginConfig, acl: string | undefined): ReturnType<typeof createAccess> {
  return createAccess({
    anonymous: login.anonymous ?? login.passwords === undefined,
    passwords:
      login.passwords === undefined
        ? undefined
        : within("password file", () => parsePasswordFile(login.passwords ?? "")),
    certificates: login.certificates ?? true,
    acl: acl === undefined ? undefined : within("access control list", () => new Acl(parseAcl(acl))),
    random: (length) => randomBytes(length),
  })
}

function within<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof AclError || error instanceof PasswordFileError)
      throw new ConfigError(`${what}, ${error.message}`)
    throw error
  }
}
