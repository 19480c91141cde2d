// The broker's numbers: one snapshot, four faces: $SYS topics (sys-topics.ts), what metric-table.ts says of them in Prometheus' and
// OpenMetrics' text and as JSON, and the stats of the public API.

import type { Inspect } from "../hub/inspect.ts"
import type { BridgeView } from "../ports/bridges.ts"
import type { HandshakeLoad } from "../ports/events.ts"
import type { ClusterNumbers } from "../ports/nodes.ts"
import type { StoreNumbers } from "../ports/store.ts"
import type { AgreedCount, HandshakeCounts, HandshakeTimes, OfferedCount } from "./handshake-counts.ts"
import type { TimingStats } from "./timings.ts"

export interface Stats {
  readonly uptimeSeconds: number
  readonly connections: number
  readonly clientsConnected: number
  /** The most at the same time. */
  readonly clientsMaximum: number
  readonly sessions: number
  readonly subscriptions: number
  /** How many of them are shared. */
  readonly sharedSubscriptions: number
  /** Messages that wait for sessions or for their acknowledgements, and retained ones; and bytes of their payloads. */
  readonly storedMessages: number
  readonly storedBytes: number
  /** Sent, and not completely acknowledged. */
  readonly inflightMessages: number
  readonly retainedMessages: number
  readonly retainedBytes: number
  /** Memory of messages and wills that wait in sessions, and of packets that have come in part, in bytes. */
  readonly queuedBytes: number
  /** What of queuedBytes is wills. */
  readonly willBytes: number
  readonly partialBytes: number
  /** Memory of subscriptions, in bytes. */
  readonly subscriptionBytes: number
  /** Copies of what clients have been sent and their transports have not taken, in bytes. */
  readonly outboundBytes: number
  /** Network connections to any listener, whatever became of them. */
  readonly sockets: number
  readonly connectionsOpened: number
  /** CONNECT packets, whatever became of them. */
  readonly connectsReceived: number
  readonly connectsAccepted: number
  readonly connectsRefused: number
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly publishReceived: number
  readonly publishSent: number
  /** Copies that were not delivered as the client's output or queue, or the memory, was full. */
  readonly publishDropped: number
  /** Of payloads. */
  readonly publishBytesReceived: number
  readonly publishBytesSent: number
  readonly publishersPaused: number
  readonly publishersRationed: number
  readonly retainedRefused: number
  readonly willsPublished: number
  readonly sessionsDisplaced: number
  readonly sessionsExpired: number
  readonly handshakes: number
  /** TLS handshakes under way, those that wait for their turn, and what the latter have sent, in bytes. */
  readonly handshakesPending: number
  readonly handshakesWaiting: number
  readonly handshakeWaitingBytes: number
  /** Exceptions inside the broker, each of which ended one connection at most. */
  readonly faults: number
  readonly heapBytes: number
  /** Messages not delivered, by reason. */
  readonly dropped: Readonly<Record<string, number>>
  /** Connections that ended badly, by reason. */
  readonly disconnects: Readonly<Record<string, number>>
  /** TLS handshakes that failed, by reason. */
  readonly handshakeFailures: Readonly<Record<string, number>>
  /** Those that succeeded, by what was agreed on; all of them, by what was offered; and how long they took. */
  readonly tlsAgreed: readonly AgreedCount[]
  readonly tlsOffered: readonly OfferedCount[]
  readonly handshakeTimes: readonly HandshakeTimes[]
  readonly timings: TimingStats
  readonly certificates: readonly CertificateStats[]
  readonly process: ProcessStats
  /** Undefined: it is in memory. */
  readonly store: StoreNumbers | undefined
  readonly build: BuildStats
  /** What became of logins, by who decided and how: `password denied`. */
  readonly logins: Readonly<Record<string, number>>
  /** Events for webhooks, by what became of them. */
  readonly webhookEvents: Readonly<Record<string, number>>
  /** To other brokers. */
  readonly bridges: readonly BridgeView[]
  /** Undefined: it is no node of one. */
  readonly cluster: ClusterNumbers | undefined
}

/** What is known of the process, as far as its host tells. */
export interface ProcessStats {
  /** Of processor time. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** Seconds since 1970. */
  readonly startTimeSeconds: number
  readonly openDescriptors: number | undefined
  readonly maximumDescriptors: number | undefined
}

/** When the certificate of a listener expires, or one that it stands on. */
export interface CertificateStats {
  readonly listener: string
  /** Seconds since 1970. */
  readonly expirySeconds: number
}

/** What is not the core's. */
export interface Sources {
  readonly tls: HandshakeCounts
  readonly load: HandshakeLoad
  readonly timings: TimingStats
  readonly process: ProcessStats
  readonly heapBytes: number
  readonly store: StoreNumbers | undefined
  readonly certificates: readonly CertificateStats[]
  readonly build: BuildStats
  readonly logins: Readonly<Record<string, number>>
  readonly webhookEvents: Readonly<Record<string, number>>
  readonly bridges: readonly BridgeView[]
  readonly cluster: ClusterNumbers | undefined
  /** Milliseconds, of one clock: when the broker was made, and now. */
  readonly startedAt: number
  readonly now: number
}

export interface BuildStats {
  readonly version: string
  /** Such as "node". */
  readonly runtime: string
  readonly runtimeVersion: string
}

export function snapshot(broker: Inspect, sources: Sources): Stats {
  const { tls, load, startedAt, now, heapBytes } = sources
  const { counters, sharedSubscriptionCount, stored } = broker
  const { dropped } = counters
  let handshakesFailed = 0
  for (const count of tls.failures.values()) handshakesFailed += count
  return {
    uptimeSeconds: Math.max(0, Math.floor((now - startedAt) / 1000)),
    connections: broker.connectionCount,
    clientsConnected: broker.connectedCount,
    clientsMaximum: broker.connectedMost,
    sessions: broker.sessionCount,
    subscriptions: broker.subscriptionCount,
    sharedSubscriptions: sharedSubscriptionCount,
    storedMessages: stored.messages,
    storedBytes: stored.payloads,
    inflightMessages: stored.inflight,
    retainedMessages: broker.retained.size,
    retainedBytes: broker.retained.bytes,
    queuedBytes: broker.memory.queued,
    willBytes: broker.memory.wills,
    partialBytes: broker.memory.partial,
    subscriptionBytes: broker.memory.subscriptions,
    outboundBytes: broker.memory.outbound,
    // Each is counted when it has come through TLS, or has failed there.
    sockets: counters.connectionsOpened + counters.connectionsRefused + load.pending + load.waiting + handshakesFailed,
    connectionsOpened: counters.connectionsOpened,
    connectsReceived: counters.connectsReceived,
    connectsAccepted: counters.connectsAccepted,
    connectsRefused: counters.connectsRefused,
    packetsReceived: counters.packetsReceived,
    packetsSent: counters.publishSent + counters.othersSent,
    bytesReceived: counters.bytesReceived,
    bytesSent: counters.bytesSent,
    publishReceived: counters.publishReceived,
    publishSent: counters.publishSent,
    publishDropped: dropped["output full"] + dropped["queue full"] + dropped["memory full"],
    publishBytesReceived: counters.publishBytesReceived,
    publishBytesSent: counters.publishBytesSent,
    publishersPaused: counters.publishersPaused,
    publishersRationed: counters.publishersRationed,
    retainedRefused: counters.retainedRefused,
    willsPublished: counters.willsPublished,
    sessionsDisplaced: counters.sessionsDisplaced,
    sessionsExpired: counters.sessionsExpired,
    handshakes: tls.handshakes,
    handshakesPending: load.pending,
    handshakesWaiting: load.waiting,
    handshakeWaitingBytes: load.waitingBytes,
    faults: broker.faults.total,
    heapBytes,
    dropped: { ...dropped },
    disconnects: Object.fromEntries(counters.disconnects),
    handshakeFailures: Object.fromEntries(tls.failures),
    tlsAgreed: tls.agreed,
    tlsOffered: tls.offered,
    handshakeTimes: tls.times,
    timings: sources.timings,
    certificates: sources.certificates,
    process: sources.process,
    store: sources.store,
    build: sources.build,
    logins: { ...sources.logins },
    webhookEvents: { ...sources.webhookEvents },
    bridges: sources.bridges,
    cluster: sources.cluster,
  }
}
