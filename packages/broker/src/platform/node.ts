// The broker on Node.js, and on what has its modules: clock, timers, listeners, login, monitoring. What an embedding program gets from createBroker.

import { randomBytes } from "node:crypto"
import type { Duplex } from "node:stream"
import { loopTurns } from "@puremq/tls13/node"
import { BridgePeers, withBridges } from "../access/bridge-access.ts"
import { createAccess, type LoginRules, type LostLogin, type ReplaceableAccess } from "../access/login.ts"
import { EventLoopDelay, lookEach } from "../admin/event-loop.ts"
import type { AdminServer } from "../admin/http/server.ts"
import type { LogEvent } from "../admin/log.ts"
import { type CertificateStats, type Stats, snapshot } from "../admin/metrics.ts"
import { type MetricsProtection, type MetricsServer, startMetricsServer } from "../admin/metrics-server.ts"
import { SysTopics } from "../admin/sys-topics.ts"
import { isRefusal, Throttle } from "../admin/throttle.ts"
import { Timings } from "../admin/timings.ts"
import { version } from "../admin/version.ts"
import { createLocalBus } from "../buses/local.ts"
import type { Redirect } from "../client/hub.ts"
import { NodeOfCluster } from "../cluster/cluster.ts"
import { OwnNode } from "../cluster/own-node.ts"
import { mqttPacketCodec } from "../codecs/mqtt-packet.ts"
import { rereadAdmin } from "../config/admin.ts"
import { checkRenewal } from "../config/certificate.ts"
import { certificateTexts, type RereadCertificates } from "../config/changes.ts"
import { checkFeatures, checkLimits, checkServerReference } from "../config/check.ts"
import { defaultPartitions, defaultRetention, nodeNameOf } from "../config/cluster.ts"
import {
  type BrokerConfig,
  type ClusterConfig,
  ConfigError,
  type MetricsConfig,
  type ReloadConfig,
} from "../config/config.ts"
import { rereadFurther, rereadWebhooks } from "../config/hooks.ts"
import { limitsAfter, rereadLimits } from "../config/limits.ts"
import { checkMetrics, metricsAfter, rereadMetrics } from "../config/metrics.ts"
import { counted } from "../config/reread.ts"
import { rereadRules, rulesOf, sameAcl } from "../config/rules.ts"
import { Broker } from "../hub/broker.ts"
import { clustering } from "../hub/clustering.ts"
import { SteadyClock } from "../hub/steady-clock.ts"
import { DescriptorWatch } from "../listen/descriptors.ts"
import { backlog, type Listener, type ListenerContext, labelOf, type RenewedCertificate } from "../listen/listener.ts"
import { attachStream } from "../listen/stream.ts"
import { loadTls } from "../listen/tls-server.ts"
import { encodeText } from "../packet/bytes.ts"
import type { Qos } from "../packet/packets.ts"
import type { HandshakeFailed } from "../ports/events.ts"
import type { PeerInfo, TransportKind } from "../ports/peer.ts"
import { defaultLimits, type Limits, limitsOfMemory } from "../session/limits.ts"
import type { FileStore } from "../stores/file-store.ts"
import { StoreError } from "../stores/folder.ts"
import { createMemoryStore } from "../stores/forgetful.ts"
import { LateStore } from "../stores/late.ts"
import { openFileStore } from "../stores/node-files.ts"
import { AdminDesk, type AdminNeeds } from "./admin.ts"
import { answerOf } from "./answer.ts"
import type { Bridges } from "./bridges.ts"
import { StoppedServers } from "./deno.ts"
import { expiryOf } from "./expiry.ts"
import { FurtherLogins, type HooksNeeds, Webhooks } from "./hooks.ts"
import { ListenerReports } from "./listener-reports.ts"
import { ListenerSettings } from "./listener-settings.ts"
import { argon2id } from "./node-argon2.ts"
import { heapForClients } from "./node-heap.ts"
import { makeListener } from "./node-listeners.ts"
import { pbkdf2Sha512 } from "./node-pbkdf2.ts"
import { buildStats, machineName, processStats } from "./node-process.ts"
import type { ClusterResumption, Resumption } from "./node-resumption.ts"
import { scrypt, scryptsAtOnce } from "./node-scrypt.ts"
import { judgesAnew, recheckCertificates, renewAll } from "./renewal.ts"

/** Milliseconds that clients have at the end to take their last packets. */
const closingMilliseconds = 1500

/** Seconds. */
const usualTicketLifetime = 7200

/** Where a listener really listens. */
export interface ListenerAddress {
  readonly type: TransportKind | "metrics" | "admin"
  /** Of a listener of the configuration; its type, unless it was given another. */
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface PureMqBroker {
  /**
   * Reads what the store has kept, and opens all listeners. Rejects with StoreError or ListenError, and nothing is open, when
   * that cannot be done; the broker is then of no more use.
   */
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
   * Takes other certificates, users, rules of access and limits: all that is given, or, with ConfigError, none of it. What the
   * rules no longer allow ends at once; `disconnectRevoked` says whether connections end with it. Other limits throw nothing away.
   */
  reload(next: ReloadConfig): void
  stats(): Stats
  /** Of a node of a cluster, once it listens: for a TLS server of the program's own, whose streams it attaches. */
  readonly resumption: Resumption | undefined
}

/** Makes a broker. Throws ConfigError, in one line, when the configuration cannot be used. */
export function createBroker(config: BrokerConfig = {}): PureMqBroker {
  return new NodeBroker(config)
}

class NodeBroker implements PureMqBroker {
  #config: BrokerConfig
  readonly #settings: ListenerSettings
  /** Bytes of the heap for clients. */
  readonly #heap: number
  readonly #broker: Broker
  readonly #reports: ListenerReports
  readonly #clock = new SteadyClock(
    () => performance.now(),
    () => Date.now(),
  )
  readonly #startedAt = performance.now()
  readonly #build = buildStats()
  readonly #expiryOf = expiryOf()
  readonly #event: (event: LogEvent) => void
  readonly #timers: NodeJS.Timeout[] = []
  readonly #sysTopics = new SysTopics(version, (topic, text) =>
    this.#broker.publishOwn(topic, encodeText(text), 2, true),
  )
  readonly #refusals: Throttle
  readonly #access: ReplaceableAccess
  readonly #further: FurtherLogins
  readonly #webhooks: Webhooks
  #rules: LoginRules
  /** What the admin API needs; undefined: there is none. */
  readonly #adminDesk: AdminDesk | undefined
  #admin: AdminServer | undefined
  #listeners: Listener[] = []
  #closing = false
  #metrics: MetricsServer | undefined
  readonly #nextTurn = loopTurns()
  readonly #stopped = process.versions["deno"] === undefined ? undefined : new StoppedServers()
  readonly #store = new LateStore()
  /** The same, where it is files. */
  #files: FileStore | undefined
  readonly #timings = new Timings()
  /** Undefined: it is alone. */
  readonly #cluster: NodeOfCluster | undefined
  #resumption: ClusterResumption | undefined
  readonly #own: OwnNode
  readonly #bridgePeers = new BridgePeers()
  #bridges: Bridges | undefined

  constructor(config: BrokerConfig) {
    this.#config = config
    this.#heap = heapForClients()
    this.#settings = new ListenerSettings(config)
    if (config.metrics !== undefined) checkMetrics(config.metrics, Date.now())
    const onEvent = config.onEvent ?? (() => undefined)
    const desk = config.admin === undefined ? undefined : new AdminDesk(config.admin, () => this.#clock.wall())
    this.#adminDesk = desk
    this.#event = (event) => {
      onEvent(event)
      this.#attempt(() => this.#webhooks.take(event))
      if (desk !== undefined) this.#attempt(() => desk.watch.told(event))
    }
    this.#refusals = new Throttle(this.#event)
    const limits = limitsOf(config.limits, config.store, this.#heap)
    this.#webhooks = new Webhooks(this.#hooksNeeds)
    this.#webhooks.prepare(config.webhooks ?? [])()
    this.#further = new FurtherLogins(this.#hooksNeeds)
    const { all, take } = this.#further.prepare(config.login ?? {})
    take()
    this.#rules = rulesOf(config.login ?? {}, config.acl, all, this.#settings.logins)
    this.#access = withBridges(this.#createAccess(limits), this.#bridgePeers)
    const { responseInformation } = config
    // The second time is for what the first has left, if it threw: nothing else would ask for it.
    const flush = () => {
      const once = () => this.#attempt(() => this.#broker.flush(this.#clock.now()))
      if (!once()) once()
    }
    this.#own = this.#ownNode(config.cluster)
    this.#cluster = config.cluster && this.#nodeOf(config.cluster)
    this.#broker = new Broker({
      codec: mqttPacketCodec,
      bus: this.#cluster ?? createLocalBus(),
      cluster: this.#cluster && clustering(this.#cluster),
      store: this.#store,
      observers: this.#timings.observers,
      limits,
      listenerLimits: this.#settings.limits,
      heap: this.#heap,
      features: checkFeatures(config.features ?? {}),
      redirect: redirectOf(config),
      checksPayloadFormat: config.checkPayloadFormat,
      queuePolicy: config.queuePolicy,
      access: this.#access,
      events: (event) => {
        if (!isRefusal(event)) return this.#event(event)
        desk?.watch.refused(event)
        this.#refusals.take(event, this.#clock.now())
      },
      roster: desk?.roster,
      now: () => this.#clock.now(),
      wall: () => this.#clock.wall(),
      schedule: () => void this.#nextTurn(flush),
      wakeAfter: (milliseconds) => {
        setTimeout(() => this.#attempt(() => this.#broker.wake(this.#clock.now())), milliseconds).unref()
      },
      randomName: () => randomBytes(16).toString("hex"),
      responseInformation:
        responseInformation === undefined
          ? undefined
          : (clientId) => responseInformation.replaceAll("%c", () => clientId),
    })
    const { counters } = this.#broker
    const [event, now] = [this.#event, () => this.#clock.now()]
    const failed = (failure: HandshakeFailed) => desk?.watch.refused(failure)
    this.#reports = new ListenerReports({ counters, refusals: this.#refusals, event, failed, now })
    if (this.#cluster !== undefined) this.#store.open(this.#cluster)
    else if (config.store === undefined || config.store.type === "memory") this.#store.open(createMemoryStore())
    this.#every(1, () => this.#broker.tick(this.#clock.now()))
    this.#every(1, () => this.#refusals.pass(this.#clock.now()))
    const delay = new EventLoopDelay(this.#timings.eventLoopDelay, this.#clock.now())
    this.#every(lookEach / 1000, () => delay.look(this.#clock.now()))
    if (desk !== undefined) {
      desk.begin(this.#broker)
      this.#every(1, () => desk.tick(this.#clock.now()))
    }
    if (this.#cluster === undefined) this.#every(1, () => this.#own.tick(this.#clock.now()))
    const interval = config.sysInterval ?? 10
    if (interval > 0) this.#every(interval, () => this.#publishSys())
  }

  async listen(): Promise<readonly ListenerAddress[]> {
    const addresses: ListenerAddress[] = []
    let store: string | undefined
    try {
      store = await this.#openStore()
      this.#further.begin()
      this.#bridges = await this.#openBridges()
      for (const one of this.#config.listeners ?? []) {
        const index = this.#listeners.length
        const context = { ...this.#context, name: this.#settings.names[index] }
        const tell = (text: string) => this.#event({ event: "warning", text })
        const handshakes = this.#settings.handshakes(index)
        const listener = await makeListener(one, handshakes, context, tell, this.#resumption)
        await listener.listen()
        this.#listeners.push(listener)
        addresses.push({ type: listener.kind, name: listener.name, host: listener.host, port: listener.port })
      }
      this.#bridges?.start()
      const { metrics } = this.#config
      if (metrics !== undefined) addresses.push(await this.#serveMetrics(metrics))
      if (this.#adminDesk !== undefined) {
        this.#admin = await this.#adminDesk.open(this.#adminNeeds, this.#context)
        const { host, port } = this.#admin.listener
        addresses.push({ type: "admin", name: "admin", host, port })
      }
    } catch (error) {
      this.#endChores()
      await this.#closeListeners()
      await answerOf(this.#broker.close(this.#clock.now()))
      await this.#endWebhooks()
      throw error
    }
    const descriptors = new DescriptorWatch((text) => this.#event({ event: "warning", text }))
    if (addresses.length > 0) this.#every(1, () => descriptors.look(this.#clock.now()))
    const stopped = this.#stopped
    if (stopped !== undefined) this.#every(1, () => stopped.wake(backlog))
    if (store !== undefined) this.#event({ event: "store opened", text: store })
    for (const { type, name, host, port } of addresses)
      this.#event({ event: "listening", text: `${labelOf(name, type)} on ${host}:${port}` })
    this.#publishSys()
    return addresses
  }

  async #serveMetrics(config: MetricsConfig): Promise<ListenerAddress> {
    const { host = "127.0.0.1", port, hosts } = config
    const protection = protectionOf(config)
    const createTlsServer = protection.tls && (await loadTls()).createServer
    const options = { host, port, hosts, ...protection, createTlsServer }
    this.#metrics = await startMetricsServer(options, () => this.stats(), this.#context)
    return { type: "metrics", name: "metrics", host, port: this.#metrics.port }
  }

  async #openBridges(): Promise<Bridges | undefined> {
    const { bridges = [] } = this.#config
    if (bridges.length === 0) return undefined
    const now = () => this.#clock.now()
    // A broker without bridges does not carry them.
    const { Bridges } = await import("./bridges.ts")
    const made = new Bridges(bridges, {
      now,
      broker: this.#broker,
      peers: this.#bridgePeers,
      soon: (work) => void this.#nextTurn(work),
      origin: randomBytes(8).toString("hex"),
      onEvent: (event) => {
        if (event.event === "bridge connected" || event.event === "bridge lost") {
          const state = encodeText(event.event === "bridge connected" ? "1" : "0")
          this.#attempt(() => this.#broker.publishOwn(`$SYS/broker/connection/${event.bridge}/state`, state, 2, true))
        }
        this.#event(event)
      },
      onFault: this.#context.onFault,
    })
    await made.open()
    return made
  }

  /** Another node at each start: what one that has ended left behind is nobody's. */
  #ownNode({ node = nodeNameOf(machineName()) }: Partial<ClusterConfig> = {}): OwnNode {
    return new OwnNode({
      id: randomBytes(8).toString("hex"),
      name: node,
      version,
      startedAt: this.#clock.wall(),
      figures: () => {
        const { connectedCount: clients, sessionCount: sessions, counters } = this.#broker
        return { clients, sessions, received: counters.publishReceived, sent: counters.publishSent }
      },
    })
  }

  #nodeOf({ partitions = defaultPartitions, retention = defaultRetention }: ClusterConfig): NodeOfCluster {
    const own = this.#own
    const trouble = (text: string) => this.#event({ event: "warning", text })
    const [now, events] = [() => this.#clock.now(), this.#event]
    return new NodeOfCluster({ node: own.id, partitions, retention, now, trouble, own, events })
  }

  /** What was kept is there again, before anybody connects. Returns what that is, in words. */
  async #openStore(): Promise<string | undefined> {
    const { cluster, store } = this.#config
    if (cluster !== undefined && this.#cluster !== undefined) {
      const { joinCluster } = await import("./node-cluster.ts")
      const node = this.#cluster
      const { about, resumption } = await joinCluster(node, cluster, {
        random: (length) => randomBytes(length),
        lifetime: ticketLifetimeOf(this.#config),
        trouble: (text) => this.#event({ event: "warning", text }),
      })
      this.#resumption = resumption
      this.#every(1, () => node.tick())
      this.#every(1, () => resumption.tick())
      return about
    }
    if (store === undefined || this.#store.isOpen) return undefined
    const { directory, durability, flushInterval, maximumBytes } = store
    if (directory === undefined) throw new ConfigError("store.directory is missing: files need a folder")
    const onNote = (text: string) => this.#event({ event: "warning", text })
    const opened = await openFileStore({ directory, durability, flushInterval, maximumBytes, heap: this.#heap, onNote })
    this.#store.open(opened)
    this.#files = opened
    const restored = await answerOf(this.#broker.restore((last) => this.#clock.resume(last)))
    if (restored !== "restored") throw new StoreError(restored.failed)
    const { sessions, messages, retained } = opened.counts
    return `${directory}: ${counted(sessions, "session")}, ${counted(retained, "retained message")}, ${counted(messages, "message")} in all`
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#event({ event: "stopping", text: `disconnecting ${this.#broker.connectedCount} clients` })
    this.#endChores()
    const closed = this.#closeListeners()
    const kept = answerOf(this.#broker.close(this.#clock.now()))
    // A server's close waits for its connections, and those for their peers: not longer than this.
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closingMilliseconds)
    })
    await Promise.race([closed, late])
    clearTimeout(timer)
    await kept
    await this.#endWebhooks()
    this.#event({ event: "stopped", text: "the broker is closed" })
  }

  /** What it does by itself. */
  #endChores(): void {
    for (const timer of this.#timers) clearInterval(timer)
    this.#refusals.end()
    this.#bridges?.stop()
    this.#further.end()
  }

  /** They are told of those who were disconnected, if they take it soon. */
  async #endWebhooks(): Promise<void> {
    const told = this.#webhooks.end()
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, closingMilliseconds)
    })
    await Promise.race([told, late])
    clearTimeout(timer)
  }

  get resumption(): Resumption | undefined {
    return this.#resumption
  }

  attach(stream: Duplex, peer: Partial<PeerInfo> = {}): void {
    this.#mustBeOpen()
    attachStream(this.#broker, stream, { transport: "stream", address: "embedded", ...peer }, this.#context.onFault)
  }

  publish(topic: string, payload: string | Uint8Array, options: { qos?: Qos; retain?: boolean } = {}): void {
    this.#mustBeOpen()
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

  reload({ certificates, limits, metrics, admin, ...given }: ReloadConfig): void {
    const { metrics: metricsBefore, admin: adminBefore } = this.#config
    const metricsNext = metrics && metricsBefore && metricsAfter(metricsBefore, metrics, Date.now())
    const { login = this.#config.login ?? {}, acl = this.#config.acl } = given
    const disconnect = given.disconnectRevoked ?? this.#config.disconnectRevoked === true
    const { limits: before } = this.#broker
    const after = limits === undefined ? before : limitsAfter(before, limitsOf(limits, this.#config.store, this.#heap))
    const renewal = certificates === undefined ? undefined : this.#renewal(certificates)
    const listeners = this.#settings.prepare(given)
    const rights = !sameAcl(acl, this.#config.acl)
    const further = this.#further.prepare(login)
    const { webhooks = this.#config.webhooks ?? [] } = given
    const takeWebhooks = this.#webhooks.prepare(webhooks)
    const rules = {
      ...rulesOf(login, acl, further.all, listeners.logins),
      ...(!rights && { acl: this.#rules.acl }),
    }
    const adminNext = this.#admin && admin
    const undo = adminNext && this.#admin && this.#adminDesk?.replace(this.#admin, adminNext)
    let reread: readonly RereadCertificates[]
    try {
      if (metricsNext !== undefined) this.#metrics?.renew(protectionOf(metricsNext))
      reread = renewal?.() ?? []
    } catch (error) {
      undo?.()
      throw error
    }
    // Nothing from here on can be refused.
    const otherLimits = rereadLimits(before, after)
    const otherSettings = listeners.take({
      limitHandshakes: (index, next) => this.#listeners[index]?.limit?.(next),
      limitListeners: (next) => this.#broker.listenerLimitsChanged(next),
    })
    const parts = [
      ...certificateTexts(reread),
      ...rereadRules(this.#rules, rules, rights),
      ...rereadFurther(this.#config.login ?? {}, login),
      ...rereadWebhooks(this.#config.webhooks ?? [], webhooks),
      ...otherLimits,
      ...otherSettings,
      ...(metricsBefore && metricsNext ? rereadMetrics(metricsBefore, metricsNext) : []),
      ...(adminBefore && adminNext ? rereadAdmin(adminBefore, adminNext) : []),
    ]
    if (otherLimits.length > 0) this.#limit(after)
    further.take()
    takeWebhooks()
    const lost = this.#access.replace(rules)
    this.#rules = rules
    this.#config = {
      ...this.#config,
      login,
      acl,
      webhooks,
      disconnectRevoked: disconnect,
      metrics: metricsNext ?? metricsBefore,
      admin: adminBefore && { ...adminBefore, ...adminNext },
    }
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

  #limit(limits: Limits): void {
    this.#access.limit(limits)
    this.#broker.limitsChanged(limits)
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
      const started = this.#config.listeners?.[index]
      if (started !== undefined && "cert" in started && given !== undefined) checkRenewal(given, started, Date.now())
      return renew === undefined || given === undefined ? [] : [{ renew, given }]
    })
    return () => renewAll(each)
  }

  /** @param leaving how many of them are about to be disconnected */
  #stay(leaving = 0): string {
    const open = this.#broker.connectedCount - leaving
    return open === 1 ? "1 open connection stays" : `${open} open connections stay`
  }

  /** Clients whose certificates would be refused now. */
  #recheck(): void {
    recheckCertificates({
      broker: this.#broker,
      now: () => this.#clock.now(),
      attempt: (work) => void this.#attempt(work),
      nextTurn: (work) => void this.#nextTurn(work),
      tell: (text) => this.#event({ event: "reloaded", text }),
    })
  }

  stats(): Stats {
    const load = { pending: 0, waiting: 0, waitingBytes: 0 }
    for (const { handshakes } of this.#listeners) {
      load.pending += handshakes?.pending ?? 0
      load.waiting += handshakes?.waiting ?? 0
      load.waitingBytes += handshakes?.waitingBytes ?? 0
    }
    return snapshot(this.#broker, {
      tls: this.#reports.tls,
      load,
      timings: this.#timings.read(),
      process: processStats(this.#broker.connectionCount),
      heapBytes: process.memoryUsage().heapUsed,
      store: this.#files?.numbers,
      certificates: this.#certificates(),
      build: this.#build,
      startedAt: this.#startedAt,
      now: performance.now(),
      logins: this.#access.counts,
      webhookEvents: { ...this.#webhooks.counts },
      bridges: this.#bridges?.views ?? [],
      cluster: this.#cluster?.numbers,
    })
  }

  /** Of the listeners with TLS, and of the metrics. */
  #certificates(): readonly CertificateStats[] {
    const all = [
      ...this.#listeners.map(({ certificate }, at) => ({ listener: this.#settings.names[at] ?? "", certificate })),
      { listener: "metrics", certificate: this.#metrics?.certificate },
    ]
    return all.flatMap(({ listener, certificate }) => {
      const expirySeconds = certificate === undefined ? undefined : this.#expiryOf(certificate)
      return expirySeconds === undefined ? [] : [{ listener, expirySeconds }]
    })
  }

  /** The boundary around what timers and events call: what throws is told, and the process goes on. */
  #attempt(work: () => void): boolean {
    return this.#broker.faults.attempt(work)
  }

  get #hooksNeeds(): HooksNeeds {
    return {
      now: () => this.#clock.now(),
      random: (length) => randomBytes(length),
      limits: () => this.#broker.limits,
      onFault: (error, peer) => this.#broker.faults.report(error, { peer }),
      warn: (text) => this.#event({ event: "warning", text }),
      keysChanged: (text) => this.#keysChanged(text),
    }
  }

  /** Tokens whose key is none any more are no logins any more. */
  #keysChanged(text: string): void {
    this.#event({ event: "reloaded", text })
    const disconnect = this.#config.disconnectRevoked === true
    const tokens = this.#further.all.get("jwt")
    const lost: LostLogin = (identity) => (identity.source === "token" ? tokens?.lost(identity) : undefined)
    this.#broker.rulesChanged(lost, { rights: false, disconnect }, ({ disconnected }) => {
      if (disconnected > 0)
        this.#event({
          event: "reloaded",
          text: `${counted(disconnected, "client")} disconnected whose token's key is gone`,
        })
    })
  }

  #createAccess(limits: Limits): ReplaceableAccess {
    return createAccess(
      this.#rules,
      {
        scrypt,
        argon2id,
        pbkdf2Sha512,
        random: (length) => randomBytes(length),
        now: () => this.#clock.now(),
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

  #mustBeOpen(): void {
    if (!this.#store.isOpen) throw new Error("await listen() first: what the store has kept is read there")
  }

  #publishSys(): void {
    if (!this.#store.isOpen || (this.#config.sysInterval ?? 10) === 0) return
    this.#sysTopics.round(this.stats(), performance.now())
  }

  get #context(): ListenerContext {
    return {
      broker: this.#broker,
      onHandshake: (event, detail) => this.#reports.handshake(event, detail),
      onFault: (error, peer) => this.#broker.faults.report(error, { peer }),
      onRefused: (kind, text) => this.#reports.refused(kind, text),
      onListening: (server) => this.#stopped?.add(server),
      ownPage: () => {
        const { listener } = this.#admin ?? {}
        return listener && { host: listener.host, port: listener.port, secure: listener.certificates !== undefined }
      },
    }
  }

  get #adminNeeds(): AdminNeeds {
    const { onReload: reload } = this.#config
    return {
      reload,
      startedAt: this.#clock.wall() - (performance.now() - this.#startedAt),
      stats: () => this.stats(),
      closing: () => this.#closing,
      bridges: () => this.#bridges?.views ?? [],
      nodes: () => this.#cluster?.nodes() ?? [this.#own.view(this.#clock.now())],
      storeFails: () => this.#broker.recorder.failing,
      cutOff: () => this.#cluster?.numbers.reachable === false,
      tell: this.#event,
      now: () => this.#clock.now(),
      wall: () => this.#clock.wall(),
      listeners: () => {
        const [names, configs] = [this.#settings.names, this.#config.listeners ?? []]
        return this.#listeners.map(({ kind, host, port, handshakes, certificates, rotateTicketKeys }, i) => {
          const config = configs[i]
          const clientCertificate = config && "cert" in config ? (config.clientCertificate ?? "none") : undefined
          const known = { name: names[i] ?? kind, type: kind, host, port, handshakes, certificates, rotateTicketKeys }
          return { ...known, clientCertificate }
        })
      },
    }
  }

  async #closeListeners(): Promise<void> {
    const listeners = this.#listeners
    this.#listeners = []
    await Promise.all([...listeners.map((listener) => listener.close()), this.#metrics?.close(), this.#admin?.close()])
    this.#metrics = undefined
    this.#admin = undefined
  }
}

/** All of them, with the defaults of this machine. Throws ConfigError. */
function limitsOf(given: Partial<Limits> = {}, store: BrokerConfig["store"], heap: number): Limits {
  const lasting = store !== undefined && store.type !== "memory"
  const ofMachine = {
    ...limitsOfMemory(heap, lasting),
    maximumPasswordChecks: scryptsAtOnce(),
  }
  return { ...defaultLimits, ...ofMachine, ...checkLimits(given) }
}

function redirectOf({ serverReference }: BrokerConfig): Redirect | undefined {
  if (serverReference === undefined) return undefined
  const { server, when = "closing" } = checkServerReference(serverReference)
  return { server, when }
}

/** What of the metrics' configuration the server is given, at first and at a reload. */
function protectionOf({ cert, key, ca, tokens }: MetricsConfig): MetricsProtection {
  return { tls: cert === undefined || key === undefined ? undefined : { cert, key, ca }, tokens }
}

/** Seconds that a ticket of a listener is good for at most. */
function ticketLifetimeOf({ listeners = [] }: BrokerConfig): number {
  const lifetimes = listeners.map(
    (one) => ("tickets" in one ? one.tickets?.lifetime : undefined) ?? usualTicketLifetime,
  )
  return Math.max(usualTicketLifetime, ...lifetimes)
}
