// The broker on Node: clock, timers, listeners, login, monitoring. What an embedding program gets from createBroker.

import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import { getHeapStatistics } from "node:v8"
import { createAccess, type LoginRules, type ReplaceableAccess } from "./access/login.ts"
import type { HandshakeFailed, HandshakeSucceeded, LogEvent } from "./admin/log.ts"
import { failureLabel, type HandshakeCounters, type Stats, snapshot, toSysTopics } from "./admin/metrics.ts"
import { type MetricsServer, startMetricsServer } from "./admin/metrics-server.ts"
import { isRefusal, Throttle } from "./admin/throttle.ts"
import { Broker } from "./broker.ts"
import { checkRenewal } from "./config/certificate.ts"
import { certificateTexts, type RereadCertificates, rereadCertificates } from "./config/changes.ts"
import { checkClientCertificates, checkLimits } from "./config/check.ts"
import {
  type BrokerConfig,
  ConfigError,
  defaultHandshakeLimits,
  type ListenerConfig,
  type ReloadConfig,
} from "./config/config.ts"
import { counted, rereadRules, rulesOf } from "./config/rules.ts"
import { scrypt, scryptsAtOnce } from "./node-scrypt.ts"
import { encodeText } from "./packet/bytes.ts"
import type { Qos } from "./packet/packets.ts"
import { ReasonCode } from "./packet/reason-codes.ts"
import { defaultLimits, type Limits, limitsOfMemory } from "./session/limits.ts"
import { loadClientCheck } from "./transport/client-check.ts"
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
  /**
   * Takes other certificates, users and rules of access: all that is given, or, with ConfigError, none of it. What the rules
   * no longer allow ends at once; `disconnectRevoked` of the configuration says whether connections end with it.
   */
  reload(next: ReloadConfig): void
  stats(): Stats
}

/** Makes a broker. Throws ConfigError, in one line, when the configuration cannot be used. */
export function createBroker(config: BrokerConfig = {}): PureMqBroker {
  return new NodeBroker(config)
}

class NodeBroker implements PureMqBroker {
  #config: BrokerConfig
  readonly #broker: Broker
  readonly #tls: HandshakeCounters = { handshakes: 0, failures: new Map() }
  readonly #startedAt = now()
  readonly #event: (event: LogEvent) => void
  readonly #timers: NodeJS.Timeout[] = []
  readonly #refusals: Throttle
  readonly #access: ReplaceableAccess
  #rules: LoginRules
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
    this.#refusals = new Throttle(this.#event)
    const limits = {
      ...limitsOfMemory(getHeapStatistics().heap_size_limit),
      ...checkLimits(config.limits ?? {}),
    }
    this.#rules = rulesOf(config.login ?? {}, config.acl)
    this.#access = this.#createAccess({ ...defaultLimits, maximumPasswordChecks: scryptsAtOnce(), ...limits })
    const { responseInformation } = config
    // The second time is for what the first has left, if it threw: nothing else would ask for it.
    const flush = () => {
      const once = () => this.#attempt(() => this.#broker.flush(now()))
      if (!once()) once()
    }
    this.#broker = new Broker({
      limits,
      access: this.#access,
      events: (event) => {
        if (isRefusal(event)) this.#refusals.take(event, now())
        else this.#event(event)
      },
      now,
      schedule: () => setImmediate(flush),
      wakeAfter: (milliseconds) => {
        setTimeout(() => this.#attempt(() => this.#broker.wake(now())), milliseconds).unref()
      },
      randomName: () => randomBytes(16).toString("hex"),
      responseInformation:
        responseInformation === undefined
          ? undefined
          : (clientId) => responseInformation.replaceAll("%c", () => clientId),
    })
    this.#every(1, () => this.#broker.tick(now()))
    this.#every(1, () => this.#refusals.pass(now()))
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
    this.#refusals.end()
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
    const reread = this.#renewal(certificate)()
    const parts = certificateTexts(reread)
    const event = parts.some(({ changed }) => changed) ? "certificate renewed" : "unchanged"
    this.#event({ event, text: [...parts.map(({ text }) => text), this.#stay()].join("; ") })
    if (judgesAnew(reread) && this.#config.disconnectRevoked === true) this.#recheck()
  }

  reload({ certificates, login = this.#config.login ?? {}, acl = this.#config.acl }: ReloadConfig): void {
    const renewal = certificates === undefined ? undefined : this.#renewal(certificates)
    const rights = acl !== this.#config.acl
    const rules = { ...rulesOf(login, acl), ...(!rights && { acl: this.#rules.acl }) }
    const reread = renewal?.() ?? []
    // Nothing from here on can be refused.
    const parts = [...certificateTexts(reread), ...rereadRules(this.#rules, rules, rights)]
    const lost = this.#access.replace(rules)
    this.#rules = rules
    this.#config = { ...this.#config, login, acl }
    const disconnect = this.#config.disconnectRevoked === true
    this.#broker.rulesChanged(lost, { rights, disconnect }, ({ logins, filters, disconnected }) => {
      const what = [
        ...parts.map(({ text }) => text),
        ...(logins === 0 ? [] : [`${counted(logins, "connection")} with a login that is none any more`]),
        ...(filters === 0 ? [] : [`${counted(filters, "subscription")} no longer allowed`]),
        ...(disconnected === 0 ? [] : [`${counted(disconnected, "client")} disconnected`]),
        this.#stay(disconnected),
      ]
      this.#event({ event: parts.some(({ changed }) => changed) ? "reloaded" : "unchanged", text: what.join("; ") })
    })
    if (judgesAnew(reread) && disconnect) this.#recheck()
  }

  /** Checks certificates for the listeners; the answer then uses them, and says what is other than before. */
  #renewal(
    certificate: RenewedCertificate | readonly (RenewedCertificate | undefined)[],
  ): () => readonly RereadCertificates[] {
    const listeners = this.#config.listeners?.length ?? 0
    if (!("cert" in certificate) && certificate.length > listeners)
      throw new ConfigError(
        `${counted(certificate.length, "listener")} where there are ${listeners}; that needs a restart`,
      )
    const each = this.#listeners.flatMap(({ renew }, index) => {
      const given = "cert" in certificate ? certificate : certificate[index]
      return renew === undefined || given === undefined ? [] : [{ renew, given }]
    })
    for (const { given } of each) checkRenewal(given, now())
    return () => renewAll(each)
  }

  /** @param leaving how many of them are about to be disconnected */
  #stay(leaving = 0): string {
    const open = this.#broker.connectedCount - leaving
    return open === 1 ? "1 open connection stays" : `${open} open connections stay`
  }

  /** Ends connections whose client certificate would be refused now; some at a time, so that nobody waits for it. */
  #recheck(): void {
    const clients = this.#broker.clients()
    let disconnected = 0
    const some = () => {
      const until = performance.now() + 5
      for (let client = clients.pop(); client !== undefined; client = clients.pop()) {
        const { peer, phase } = client
        let problem: string | undefined = "it cannot be checked"
        this.#attempt(() => {
          problem = phase === "closed" ? undefined : peer.recheckCertificate?.(Date.now())
        })
        if (problem !== undefined) {
          disconnected++
          client.disconnect(now(), ReasonCode.NotAuthorized, `its certificate is no longer good: ${problem}`)
        }
        if (performance.now() < until) continue
        setImmediate(() => this.#attempt(some))
        return
      }
      const text = `${counted(disconnected, "client")} disconnected whose certificates are no longer good`
      if (disconnected > 0) this.#event({ event: "reloaded", text })
    }
    this.#attempt(some)
  }

  stats(): Stats {
    const tls = { ...this.#tls, pending: 0, waiting: 0, waitingBytes: 0 }
    for (const { handshakes } of this.#listeners) {
      tls.pending += handshakes?.pending ?? 0
      tls.waiting += handshakes?.waiting ?? 0
      tls.waitingBytes += handshakes?.waitingBytes ?? 0
    }
    return snapshot(this.#broker, tls, this.#startedAt, now(), process.memoryUsage().heapUsed)
  }

  /** The boundary around what timers and events call: what throws is told, and the process goes on. */
  #attempt(work: () => void): boolean {
    return this.#broker.faults.attempt(work)
  }

  #createAccess(limits: Limits): ReplaceableAccess {
    return createAccess(
      this.#rules,
      {
        scrypt,
        random: (length) => randomBytes(length),
        now,
        after: (milliseconds, work) => void setTimeout(work, milliseconds).unref(),
        fault: (error) => this.#broker.faults.report(error),
      },
      limits,
    )
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
    identity: clientCertificate === "none" ? undefined : (config.identity ?? "subject-cn"),
    nameOf: clientCertificate === "none" ? undefined : await loadNaming(config.identity ?? "subject-cn"),
    clientCheck: clientCertificate === "none" ? undefined : await loadClientCheck(),
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

/** All or none. */
function renewAll(
  each: readonly { readonly renew: NonNullable<Listener["renew"]>; readonly given: RenewedCertificate }[],
): readonly RereadCertificates[] {
  const done: (() => void)[] = []
  try {
    return each.map(({ renew, given }) => {
      const before = renew(given)
      done.push(() => renew(before))
      return rereadCertificates(before, { ...before, ...given })
    })
  } catch (error) {
    for (const undo of done) undo()
    throw new ConfigError(`cannot use the certificates: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Whether clients' certificates may be refused now that were not. */
function judgesAnew(all: readonly RereadCertificates[]): boolean {
  return all.some(({ ca, crl }) => ca?.changed === true || crl?.changed === true)
}
