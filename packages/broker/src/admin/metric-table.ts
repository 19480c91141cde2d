// Every metric: its name, its type, what it says and where it is from. Prometheus' and OpenMetrics' text, the JSON and docs/metrics.md
// are made of the rows. Names follow Prometheus' conventions: base units, the unit at the end, `_total` of what only grows. Labels
// have values of ours, or such as a configuration names, and none that a client chooses freely.

import type { BridgeView } from "../ports/bridges.ts"
import type { HistogramCounts } from "./histogram.ts"
import type { Stats } from "./metrics.ts"

export type MetricType = "counter" | "gauge" | "histogram" | "info"

/** One line of a metric, or, of a histogram, what its lines are made of. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number | HistogramCounts
}

export interface Metric {
  /** As Prometheus' text has it; of a histogram without `_bucket`, `_sum` and `_count`. */
  readonly name: string
  readonly type: MetricType
  readonly unit?: "seconds" | "bytes"
  /** A sentence without its full stop. */
  readonly help: string
  readonly labels: readonly string[]
  /** The part of `stats()` that it is from. */
  readonly from: keyof Stats
  /** None: the host does not tell. */
  readonly series: (stats: Stats) => readonly Series[]
}

/** What of `Stats` is one number. */
type Plain = { [Key in keyof Stats]: Stats[Key] extends number ? Key : never }[keyof Stats]

/** What of `Stats` is numbers by reason. */
type ByReason = "dropped" | "disconnects" | "handshakeFailures" | "logins" | "webhookEvents"

/** What of `Stats` is counted apart for each set of labels. */
type Counted = "tlsAgreed" | "tlsOffered"

const counter = (name: string, from: Plain, help: string): Metric => plain("counter", name, from, help)
const gauge = (name: string, from: Plain, help: string): Metric => plain("gauge", name, from, help)

function plain(type: "counter" | "gauge", name: string, from: Plain, help: string): Metric {
  return row(type, name, from, help, [], (stats) => [{ labels: {}, value: stats[from] }])
}

const byReason = (name: string, from: ByReason, help: string): Metric => byWords(name, from, help, ["reason"])

/** @param labels one for each word of the key; the last has all words that are left */
function byWords(name: string, from: ByReason, help: string, labels: readonly string[]): Metric {
  return row("counter", name, from, help, labels, (stats) =>
    Object.entries(stats[from]).map(([key, value]) => {
      const words = key.split(" ")
      const last = labels.length - 1
      const wordAt = (at: number) => (at === last ? words.slice(at).join(" ") : (words[at] ?? ""))
      return { labels: Object.fromEntries(labels.map((label, at) => [label, wordAt(at)])), value }
    }),
  )
}

function counted<From extends Counted>(
  name: string,
  from: From,
  help: string,
  labelsOf: Readonly<Record<string, (one: Stats[From][number]) => string>>,
): Metric {
  return row("counter", name, from, help, Object.keys(labelsOf), (stats) => {
    const all: readonly Stats[From][number][] = stats[from]
    return all.map((one) => ({
      labels: Object.fromEntries(Object.entries(labelsOf).map(([label, of]) => [label, of(one)])),
      value: one.count,
    }))
  })
}

/** One line, where the host tells. */
function told(
  type: "counter" | "gauge",
  name: string,
  from: "process" | "store" | "cluster",
  help: string,
  of: (stats: Stats) => number | undefined,
): Metric {
  return row(type, name, from, help, [], (stats) => {
    const value = of(stats)
    return value === undefined ? [] : [{ labels: {}, value }]
  })
}

/** Of each bridge. */
function ofBridges(
  type: "counter" | "gauge",
  name: string,
  help: string,
  labels: readonly string[],
  of: (bridge: BridgeView) => readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[],
): Metric {
  return row(type, name, "bridges", help, ["bridge", ...labels], ({ bridges }) =>
    bridges.flatMap((one) => of(one).map(([own, value]) => ({ labels: { bridge: one.name, ...own }, value }))),
  )
}

const directions = ["out", "in"] as const

function timing(name: string, key: keyof Stats["timings"], help: string): Metric {
  return row("histogram", name, "timings", help, [], ({ timings }) => [{ labels: {}, value: timings[key] }])
}

function row(
  type: MetricType,
  name: string,
  from: keyof Stats,
  help: string,
  labels: readonly string[],
  series: Metric["series"],
): Metric {
  const unit = (["seconds", "bytes"] as const).find((one) => name.replace(/_total$/, "").endsWith(`_${one}`))
  return { name, type, help, labels, from, series, ...(unit !== undefined && { unit }) }
}

export const metrics: readonly Metric[] = [
  row(
    "info",
    "puremq_build_info",
    "build",
    "The version of the broker and the runtime that it is on; always 1",
    ["version", "runtime", "runtime_version"],
    ({ build }) => [
      { labels: { version: build.version, runtime: build.runtime, runtime_version: build.runtimeVersion }, value: 1 },
    ],
  ),
  gauge("puremq_uptime_seconds", "uptimeSeconds", "Time since the broker was made"),

  gauge(
    "puremq_connections",
    "connections",
    "Network connections that are open and have come through TLS, where there is TLS",
  ),
  gauge("puremq_clients_connected", "clientsConnected", "Clients whose CONNECT was accepted and that are connected"),
  gauge("puremq_clients_maximum", "clientsMaximum", "The most clients that were connected at the same time"),
  counter("puremq_sockets_total", "sockets", "Network connections to any listener, whatever became of them"),
  counter(
    "puremq_connections_opened_total",
    "connectionsOpened",
    "Network connections that have come through TLS, where there is TLS",
  ),
  counter(
    "puremq_connects_received_total",
    "connectsReceived",
    "CONNECT packets, and what else came first and was refused",
  ),
  counter("puremq_connects_accepted_total", "connectsAccepted", "CONNECT packets that were accepted"),
  counter(
    "puremq_connects_refused_total",
    "connectsRefused",
    "CONNECT packets that were refused, and what else came first",
  ),
  byReason(
    "puremq_disconnects_total",
    "disconnects",
    "Connections that ended otherwise than by their client's DISCONNECT",
  ),

  gauge("puremq_sessions", "sessions", "Sessions, those of connected clients included"),
  counter(
    "puremq_sessions_expired_total",
    "sessionsExpired",
    "Sessions that ended as their client had not come again in their Session Expiry Interval",
  ),
  counter(
    "puremq_sessions_displaced_total",
    "sessionsDisplaced",
    "Sessions that ended before their time as others needed the room",
  ),
  gauge("puremq_subscriptions", "subscriptions", "Subscriptions, shared ones included"),
  gauge("puremq_shared_subscriptions", "sharedSubscriptions", "Shared Subscriptions"),
  gauge("puremq_subscription_bytes", "subscriptionBytes", "Memory of subscriptions"),

  counter("puremq_packets_received_total", "packetsReceived", "MQTT packets of all types from clients"),
  counter("puremq_packets_sent_total", "packetsSent", "MQTT packets of all types to clients"),
  counter("puremq_received_bytes_total", "bytesReceived", "Bytes of MQTT from clients, without TLS and WebSocket"),
  counter("puremq_sent_bytes_total", "bytesSent", "Bytes of MQTT to clients, without TLS and WebSocket"),
  counter("puremq_publish_received_total", "publishReceived", "PUBLISH packets from clients"),
  counter("puremq_publish_sent_total", "publishSent", "PUBLISH packets to clients"),
  counter("puremq_publish_received_bytes_total", "publishBytesReceived", "Bytes of payloads from clients"),
  counter("puremq_publish_sent_bytes_total", "publishBytesSent", "Bytes of payloads to clients"),
  byReason("puremq_messages_dropped_total", "dropped", "Copies of messages that were not delivered to a session"),
  timing(
    "puremq_delivery_duration_seconds",
    "delivery",
    "Time from a PUBLISH to the moment when a copy of it was handed to a subscriber's transport, of a sample",
  ),
  counter(
    "puremq_publishers_paused_total",
    "publishersPaused",
    "Times that a publisher was not read from for a subscriber that does not keep up",
  ),
  counter(
    "puremq_publishers_rationed_total",
    "publishersRationed",
    "Times that a connection was not read from as it had published faster than it may",
  ),
  counter("puremq_wills_published_total", "willsPublished", "Will Messages that were published"),

  gauge(
    "puremq_stored_messages",
    "storedMessages",
    "Messages that are retained, or wait for sessions or for their acknowledgements",
  ),
  gauge("puremq_stored_bytes", "storedBytes", "Bytes of payloads of these messages"),
  gauge(
    "puremq_inflight_messages",
    "inflightMessages",
    "PUBLISH packets at QoS 1 and 2 that were sent and are not completely acknowledged",
  ),
  timing(
    "puremq_queue_depth_messages",
    "queueDepth",
    "Messages that waited for a session, counted when one more had come to wait",
  ),
  gauge(
    "puremq_queued_bytes",
    "queuedBytes",
    "Memory of what waits in sessions: messages, wills, Topic Aliases, identifiers of QoS 2",
  ),
  gauge("puremq_will_bytes", "willBytes", "What of puremq_queued_bytes is wills"),
  gauge(
    "puremq_partial_bytes",
    "partialBytes",
    "Memory of packets that have come in part, and of CONNECT packets whose login is being decided",
  ),
  gauge(
    "puremq_outbound_bytes",
    "outboundBytes",
    "Memory of what was written for clients and is not taken by their transports",
  ),
  gauge("puremq_retained_messages", "retainedMessages", "Retained messages"),
  gauge("puremq_retained_bytes", "retainedBytes", "Memory of retained messages"),
  counter(
    "puremq_retained_refused_total",
    "retainedRefused",
    "Retained messages that were not kept, for want of room or past a quota",
  ),

  counted("puremq_tls_handshakes_total", "tlsAgreed", "TLS handshakes that succeeded, by what was agreed on", {
    listener: ({ listener }) => listener,
    version: ({ version }) => version,
    suite: ({ suite }) => suite,
    group: ({ group }) => group,
    post_quantum: ({ postQuantum }) => `${postQuantum}`,
    resumed: ({ resumed }) => `${resumed}`,
  }),
  counted(
    "puremq_tls_offers_total",
    "tlsOffered",
    "TLS handshakes that succeeded or failed, by the newest version that the client offered",
    {
      listener: ({ listener }) => listener,
      version: ({ version }) => version,
    },
  ),
  byReason("puremq_tls_handshake_failures_total", "handshakeFailures", "TLS handshakes that failed"),
  byWords("puremq_logins_total", "logins", "Logins, by who has decided about them and how", ["means", "result"]),
  byWords("puremq_webhook_events_total", "webhookEvents", "Events for webhooks, by what became of them", ["result"]),

  ofBridges(
    "gauge",
    "puremq_bridge_connected",
    "Whether a bridge and the other broker have let each other in",
    [],
    (one) => [[{}, Number(one.connected)]],
  ),
  ofBridges(
    "counter",
    "puremq_bridge_failures_total",
    "Connections of a bridge that have ended, or did not come about",
    [],
    ({ failures }) => [[{}, failures]],
  ),
  ofBridges(
    "counter",
    "puremq_bridge_messages_total",
    "Messages over a bridge that the receiving broker has taken",
    ["direction"],
    ({ handedOn }) => directions.map((direction) => [{ direction }, handedOn[direction]]),
  ),
  ofBridges(
    "counter",
    "puremq_bridge_messages_dropped_total",
    "Messages of a bridge that were not handed on and will not be",
    ["direction", "reason"],
    ({ dropped }) =>
      directions.flatMap((direction) =>
        Object.entries(dropped[direction]).map(([reason, value]) => [{ direction, reason }, value] as const),
      ),
  ),
  ofBridges(
    "gauge",
    "puremq_bridge_waiting_messages",
    "Messages of QoS 1 and 2 that the other broker of a bridge has not acknowledged",
    [],
    ({ waiting }) => [[{}, waiting]],
  ),
  told(
    "gauge",
    "puremq_cluster_nodes",
    "cluster",
    "Nodes of the cluster that can be heard, this one included",
    ({ cluster }) => cluster?.nodes,
  ),
  told(
    "gauge",
    "puremq_cluster_clients",
    "cluster",
    "Clients that are connected to these nodes",
    ({ cluster }) => cluster?.clients,
  ),
  told(
    "gauge",
    "puremq_cluster_reachable",
    "cluster",
    "Whether the servers of the cluster can be reached",
    ({ cluster }) => cluster && Number(cluster.reachable),
  ),
  row(
    "histogram",
    "puremq_tls_handshake_duration_seconds",
    "handshakeTimes",
    "Time from the accepted connection to the end of its TLS handshake; result is success, or whose fault it was that it failed",
    ["listener", "mode", "result"],
    ({ handshakeTimes }) =>
      handshakeTimes.map(({ listener, mode, result, times }) => ({ labels: { listener, mode, result }, value: times })),
  ),
  gauge("puremq_tls_handshakes_pending", "handshakesPending", "TLS handshakes under way"),
  gauge("puremq_tls_handshakes_waiting", "handshakesWaiting", "Connections that wait for their TLS handshake to begin"),
  gauge("puremq_tls_handshake_waiting_bytes", "handshakeWaitingBytes", "Bytes that these have sent"),
  row(
    "gauge",
    "puremq_tls_certificate_expiry_timestamp_seconds",
    "certificates",
    "When the certificate of a listener expires, or one of its chain; since 1970",
    ["listener"],
    ({ certificates }) =>
      certificates.map(({ listener, expirySeconds }) => ({ labels: { listener }, value: expirySeconds })),
  ),

  timing(
    "puremq_commit_duration_seconds",
    "commit",
    "Time from giving the changes of a turn to the store until it had kept them",
  ),
  told("gauge", "puremq_store_bytes", "store", "Bytes of the store's files", ({ store }) => store?.bytes),
  told(
    "gauge",
    "puremq_store_disk_free_bytes",
    "store",
    "Bytes that the disk of the store has left",
    ({ store }) => store?.diskFree,
  ),
  told(
    "counter",
    "puremq_store_folds_total",
    "store",
    "Times that journals of the store were folded into a snapshot",
    ({ store }) => store?.folds,
  ),
  told(
    "counter",
    "puremq_store_fold_failures_total",
    "store",
    "Times that this went wrong; the log says why",
    ({ store }) => store?.foldsFailed,
  ),

  timing(
    "puremq_event_loop_delay_seconds",
    "eventLoopDelay",
    "How late timers of the process were: for so long nobody was served",
  ),
  counter("puremq_faults_total", "faults", "Defects in the broker that ended a connection, or less"),
  gauge("puremq_heap_bytes", "heapBytes", "Bytes of JavaScript heap in use"),
  told(
    "counter",
    "process_cpu_seconds_total",
    "process",
    "Processor time of the process, user and system",
    ({ process }) => process.cpuSeconds,
  ),
  told(
    "gauge",
    "process_resident_memory_bytes",
    "process",
    "Resident memory of the process",
    ({ process }) => process.residentBytes,
  ),
  told(
    "gauge",
    "process_start_time_seconds",
    "process",
    "When the process was started; since 1970",
    ({ process }) => process.startTimeSeconds,
  ),
  told(
    "gauge",
    "process_open_fds",
    "process",
    "File descriptors that are open, where the host tells",
    ({ process }) => process.openDescriptors,
  ),
  told(
    "gauge",
    "process_max_fds",
    "process",
    "File descriptors that the process may have open, where the host tells",
    ({ process }) => process.maximumDescriptors,
  ),
]
