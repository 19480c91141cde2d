// The broker's numbers: one snapshot, three faces ($SYS topics, see sys-topics.ts, Prometheus text, the stats of the public API).

import type { Inspect } from "../hub/inspect.ts"
import type { HandshakeFailed, HandshakeLoad } from "../ports/events.ts"
import { visible } from "./visible.ts"

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
}

/** TLS numbers, which the listeners keep. */
export interface HandshakeCounters {
  handshakes: number
  readonly failures: Map<string, number>
}

/**
 * What a failed handshake is counted as. A client chooses among names that RFCs know and nothing else: an alert that has none
 * is `other`, and what it says in words is for the log.
 */
export function failureLabel({ alert, limit, fault, reason }: HandshakeFailed): string {
  if (alert !== undefined) return /^[a-z_]{1,40}$/.test(alert) ? alert : "other"
  // Of a limit the words are ours.
  if (limit === true) return reason
  return fault === "network" ? "network" : "closed without an alert"
}

export function snapshot(
  broker: Inspect,
  tls: HandshakeCounters & HandshakeLoad,
  startedAt: number,
  now: number,
  heapBytes: number,
): Stats {
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
    sockets: counters.connectionsOpened + counters.connectionsRefused + tls.pending + tls.waiting + handshakesFailed,
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
    handshakesPending: tls.pending,
    handshakesWaiting: tls.waiting,
    handshakeWaitingBytes: tls.waitingBytes,
    faults: broker.faults.total,
    heapBytes,
    dropped: { ...dropped },
    disconnects: Object.fromEntries(counters.disconnects),
    handshakeFailures: Object.fromEntries(tls.failures),
  }
}

/** Which numbers can go down. */
const gauges: ReadonlySet<string> = new Set([
  "uptimeSeconds",
  "connections",
  "clientsConnected",
  "clientsMaximum",
  "sessions",
  "subscriptions",
  "sharedSubscriptions",
  "storedMessages",
  "storedBytes",
  "inflightMessages",
  "retainedMessages",
  "retainedBytes",
  "queuedBytes",
  "willBytes",
  "partialBytes",
  "subscriptionBytes",
  "outboundBytes",
  "handshakesPending",
  "handshakesWaiting",
  "handshakeWaitingBytes",
  "heapBytes",
])

const byReason = {
  dropped: ["puremq_messages_dropped_total", "Messages not delivered to a session, by reason"],
  disconnects: ["puremq_disconnects_total", "Connections that ended badly, by reason"],
  handshakeFailures: ["puremq_tls_handshake_failures_total", "TLS handshakes that failed, by reason"],
} as const

/** Prometheus text exposition format, version 0.0.4. */
export function toPrometheus(stats: Stats): string {
  const lines: string[] = []
  for (const [key, value] of Object.entries(stats)) {
    if (typeof value !== "number") continue
    const gauge = gauges.has(key)
    const name = `puremq_${snake(key)}${gauge ? "" : "_total"}`
    lines.push(`# TYPE ${name} ${gauge ? "gauge" : "counter"}`, `${name} ${value}`)
  }
  for (const key of ["dropped", "disconnects", "handshakeFailures"] as const) {
    const [name, help] = byReason[key]
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`)
    for (const [reason, value] of Object.entries(stats[key])) {
      lines.push(`${name}{reason="${visible(reason).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"} ${value}`)
    }
  }
  return `${lines.join("\n")}\n`
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
