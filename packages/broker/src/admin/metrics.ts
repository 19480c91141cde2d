// The broker's numbers: one snapshot, three faces ($SYS topics, Prometheus text, the stats of the public API).

import type { Broker } from "../broker.ts"
import type { HandshakeFailed } from "./log.ts"
import { visible } from "./visible.ts"

export interface Stats {
  readonly uptimeSeconds: number
  readonly connections: number
  readonly clientsConnected: number
  readonly sessions: number
  readonly subscriptions: number
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
  readonly connectionsOpened: number
  readonly connectsAccepted: number
  readonly connectsRefused: number
  readonly packetsReceived: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly publishReceived: number
  readonly publishSent: number
  readonly publishersPaused: number
  readonly retainedRefused: number
  readonly willsPublished: number
  readonly sessionsDisplaced: number
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

/** TLS handshakes of this moment, of one listener or of all. */
export interface HandshakeLoad {
  readonly pending: number
  readonly waiting: number
  readonly waitingBytes: number
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
  broker: Broker,
  tls: HandshakeCounters & HandshakeLoad,
  startedAt: number,
  now: number,
  heapBytes: number,
): Stats {
  const { counters } = broker
  return {
    uptimeSeconds: Math.max(0, Math.floor((now - startedAt) / 1000)),
    connections: broker.connectionCount,
    clientsConnected: broker.connectedCount,
    sessions: broker.sessionCount,
    subscriptions: broker.subscriptionCount,
    retainedMessages: broker.retained.size,
    retainedBytes: broker.retained.bytes,
    queuedBytes: broker.memory.queued,
    willBytes: broker.memory.wills,
    partialBytes: broker.memory.partial,
    subscriptionBytes: broker.memory.subscriptions,
    outboundBytes: broker.memory.outbound,
    connectionsOpened: counters.connectionsOpened,
    connectsAccepted: counters.connectsAccepted,
    connectsRefused: counters.connectsRefused,
    packetsReceived: counters.packetsReceived,
    bytesReceived: counters.bytesReceived,
    bytesSent: counters.bytesSent,
    publishReceived: counters.publishReceived,
    publishSent: counters.publishSent,
    publishersPaused: counters.publishersPaused,
    retainedRefused: counters.retainedRefused,
    willsPublished: counters.willsPublished,
    sessionsDisplaced: counters.sessionsDisplaced,
    handshakes: tls.handshakes,
    handshakesPending: tls.pending,
    handshakesWaiting: tls.waiting,
    handshakeWaitingBytes: tls.waitingBytes,
    faults: broker.faults.total,
    heapBytes,
    dropped: { ...counters.dropped },
    disconnects: Object.fromEntries(counters.disconnects),
    handshakeFailures: Object.fromEntries(tls.failures),
  }
}

/** Which numbers can go down. */
const gauges: ReadonlySet<string> = new Set([
  "uptimeSeconds",
  "connections",
  "clientsConnected",
  "sessions",
  "subscriptions",
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

/** Topic and text of each $SYS message. */
export function toSysTopics(stats: Stats, version: string): [string, string][] {
  const topics: [string, string][] = [["$SYS/broker/version", `PureMQ ${version}`]]
  for (const [key, value] of Object.entries(stats)) {
    if (typeof value === "number") topics.push([`$SYS/broker/${snake(key).replaceAll("_", "-")}`, String(value)])
  }
  for (const key of ["dropped", "disconnects", "handshakeFailures"] as const) {
    for (const [reason, value] of Object.entries(stats[key])) {
      topics.push([`$SYS/broker/${snake(key).replaceAll("_", "-")}/${slug(reason)}`, String(value)])
    }
  }
  return topics
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/** A reason as one topic level. */
function slug(reason: string): string {
  return reason
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "")
}
