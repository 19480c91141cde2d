// The numbers, and what is made of the table of metrics: Prometheus' text, OpenMetrics' and JSON.

import { describe, expect, it } from "vitest"
import { TestBroker } from "../../tests/harness.ts"
import { metricSources } from "../../tests/metric-sources.ts"
import { HandshakeCounts } from "./handshake-counts.ts"
import { metrics } from "./metric-table.ts"
import { formatFor, toJson, toOpenMetrics, toPrometheus } from "./metric-text.ts"
import { type Stats, snapshot } from "./metrics.ts"
import { Timings } from "./timings.ts"

const succeeded = {
  event: "tls handshake",
  peer: "127.0.0.1:5",
  listener: "tls",
  offered: "TLSv1.3, TLSv1.2",
  agreed: "TLSv1.3",
  suite: "TLS_AES_128_GCM_SHA256",
  group: "X25519MLKEM768",
  resumed: false,
  identity: undefined,
  milliseconds: 3,
} as const
const failed = {
  event: "tls failure",
  peer: "127.0.0.1:5",
  listener: "tls",
  fault: "client",
  alert: 'bad "one"\\',
  reason: "x",
  milliseconds: 1,
} as const

function numbers(): Stats {
  const test = new TestBroker()
  const sub = test.connect({ clientId: "sub" })
  sub.subscribe("t")
  const pub = test.connect({ clientId: "pub" })
  pub.publish("t", "x", { qos: 1, retain: true })
  pub.send([0xf0, 0])
  test.open().send([0])
  const will = { topic: "w", payload: new Uint8Array(98), qos: 0, retain: false, delayInterval: 0 } as const
  test.connect({ clientId: "mortal", will })
  const tls = new HandshakeCounts()
  const detail = { milliseconds: 3.2, offered: "TLSv1.3, TLSv1.2" }
  for (const resumed of [false, true]) tls.count({ ...succeeded, resumed }, detail)
  tls.count({ ...failed, alert: "protocol_version" }, { milliseconds: 0.4, offered: "TLSv1.2, TLSv1.1" })
  tls.count({ ...failed, fault: "network", alert: undefined }, { milliseconds: 20_000, offered: undefined })
  tls.failures.set('bad "one"\\', 1)
  const timings = new Timings()
  timings.observers.delivered?.observe(0.2)
  timings.observers.delivered?.observe(30)
  timings.observers.queued?.observe(3)
  const load = { pending: 3, waiting: 4, waitingBytes: 500 }
  return snapshot(test.broker, metricSources({ tls, load, timings: timings.read() }))
}

const stats = numbers

describe("numbers", () => {
  it("count what happened", () => {
    expect(stats()).toMatchObject({
      uptimeSeconds: 5,
      connections: 2,
      clientsConnected: 2,
      sessions: 2,
      subscriptions: 1,
      retainedMessages: 1,
      connectionsOpened: 4,
      // What came instead of a CONNECT was refused, too.
      connectsReceived: 3,
      connectsAccepted: 3,
      connectsRefused: 1,
      publishReceived: 1,
      publishSent: 1,
      willBytes: 500,
      handshakes: 2,
      handshakesPending: 3,
      handshakesWaiting: 4,
      handshakeWaitingBytes: 500,
      disconnects: { "protocol error": 2 },
      handshakeFailures: { protocol_version: 1, network: 1 },
    })
  })

  it("of TLS: by what was agreed on, by the newest version that was offered, and how long it took", () => {
    const { tlsAgreed, tlsOffered, handshakeTimes } = stats()
    const kind = { listener: "tls", version: "TLSv1.3", suite: "TLS_AES_128_GCM_SHA256", group: "X25519MLKEM768" }
    expect(tlsAgreed).toEqual([
      { ...kind, postQuantum: true, resumed: false, count: 1 },
      { ...kind, postQuantum: true, resumed: true, count: 1 },
    ])
    expect(tlsOffered).toEqual([
      { listener: "tls", version: "TLSv1.3", count: 2 },
      { listener: "tls", version: "TLSv1.2", count: 1 },
      { listener: "tls", version: "none", count: 1 },
    ])
    expect(handshakeTimes.map(({ mode, result, times }) => [mode, result, times.count])).toEqual([
      ["full", "success", 1],
      ["resumed", "success", 1],
      ["unfinished", "client", 1],
      ["unfinished", "network", 1],
    ])
  })

  it("whatever a client does, there are so many series and no more", () => {
    const tls = new HandshakeCounts()
    const detail = { milliseconds: 1, offered: 'TLSv1.9, "x"\n' }
    for (let i = 0; i < 2000; i++) {
      tls.count({ ...succeeded, suite: `S${i}`, group: `a "name"\n${i}` }, detail)
      tls.count({ ...failed, alert: `alert(${i})` }, detail)
    }
    expect(tls.agreed).toHaveLength(501)
    expect(tls.agreed.at(-1)).toMatchObject({ suite: "other", group: "other", count: 1500 })
    expect(tls.offered).toEqual([{ listener: "tls", version: "none", count: 4000 }])
    expect([...tls.failures]).toEqual([["other", 2000]])
    expect(tls.times).toHaveLength(2)
  })

  it("a connection that a limit has turned away is a failure, and no handshake that took no time", () => {
    const tls = new HandshakeCounts()
    const limit = { ...failed, alert: undefined, reason: "too many", limit: true }
    tls.count(limit, { milliseconds: 0, offered: undefined })
    expect([...tls.failures]).toEqual([["too many", 1]])
    expect([tls.offered, tls.times]).toEqual([[], []])
  })
})

describe("the table of metrics", () => {
  it("names each once, by Prometheus' conventions", () => {
    const names = metrics.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { name, type, unit, help, labels } of metrics) {
      expect(name).toMatch(/^(puremq|process)(_[a-z][a-z0-9]*)+$/)
      expect(name.endsWith("_total"), name).toBe(type === "counter")
      expect(name.endsWith("_info"), name).toBe(type === "info")
      expect(name).not.toMatch(/_(milliseconds|ms|kib|kb|mb|minutes|hours|count|sum|bucket)(_|$)/)
      if (unit !== undefined) expect(name.replace(/_total$/, "")).toMatch(new RegExp(`_${unit}$`))
      expect(help).toMatch(/^[A-Z][^\n]*[^.\s]$/)
      for (const label of labels) expect(label).toMatch(/^[a-z_]+$/)
      expect(labels).not.toContain("le")
    }
  })

  it("has everything that is a number in stats(), but for sums of others", () => {
    const from = new Set<string>(metrics.map((one) => one.from))
    const missing = Object.keys(stats()).filter((key) => !from.has(key))
    // handshakes: the sum of tlsAgreed; publishDropped: of three of `dropped`, as Mosquitto has it.
    expect(missing).toEqual(["publishDropped", "handshakes"])
  })

  it("series have the labels that are announced", () => {
    for (const { name, labels, series } of metrics)
      for (const one of series(stats())) expect(Object.keys(one.labels), name).toEqual(labels)
  })
})

describe("Prometheus' text", () => {
  const lines = () => toPrometheus(stats()).split("\n")

  it("has HELP and TYPE of each metric, and lines of nothing else", () => {
    const all = lines()
    let current = ""
    const seen = new Set<string>()
    for (const line of all.slice(0, -1)) {
      const [, kind, name] = /^# (HELP|TYPE) (\w+) ./.exec(line) ?? []
      if (kind === "HELP") {
        expect(seen.has(name!), line).toBe(false)
        current = name!
        seen.add(current)
      } else if (kind === "TYPE") {
        expect(name).toBe(current)
        expect(line).toMatch(/ (counter|gauge|histogram)$/)
      } else {
        expect(line).toMatch(/^\w+(\{(\w+="([^"\\\n]|\\.)*",?)+\})? -?[\d.]+(e[+-]\d+)?$/)
        expect(line.startsWith(current), line).toBe(true)
      }
    }
    expect(seen.size).toBe(metrics.length)
    expect(all.at(-1)).toBe("")
  })

  it("says what there is", () => {
    for (const line of [
      "# HELP puremq_clients_connected Clients whose CONNECT was accepted and that are connected",
      "# TYPE puremq_clients_connected gauge",
      "puremq_clients_connected 2",
      "puremq_will_bytes 500",
      "puremq_tls_handshakes_waiting 4",
      "# TYPE puremq_publish_received_total counter",
      "puremq_publish_received_total 1",
      'puremq_disconnects_total{reason="protocol error"} 2',
      'puremq_logins_total{means="password",result="denied"} 3',
      'puremq_webhook_events_total{result="delivered"} 7',
      'puremq_tls_handshake_failures_total{reason="bad \\"one\\"\\\\"} 1',
      "# TYPE puremq_build_info gauge",
      'puremq_build_info{version="9.9",runtime="node",runtime_version="20.19.0"} 1',
      "# TYPE puremq_tls_handshake_duration_seconds histogram",
      'puremq_tls_handshake_duration_seconds_bucket{listener="tls",mode="full",result="success",le="0.0025"} 0',
      'puremq_tls_handshake_duration_seconds_bucket{listener="tls",mode="full",result="success",le="0.005"} 1',
      'puremq_tls_handshake_duration_seconds_bucket{listener="tls",mode="unfinished",result="network",le="10"} 0',
      'puremq_tls_handshake_duration_seconds_bucket{listener="tls",mode="unfinished",result="network",le="+Inf"} 1',
      'puremq_tls_handshake_duration_seconds_count{listener="tls",mode="unfinished",result="network"} 1',
      'puremq_delivery_duration_seconds_bucket{le="0.00025"} 1',
      'puremq_delivery_duration_seconds_bucket{le="0.05"} 2',
      "puremq_delivery_duration_seconds_count 2",
      'puremq_queue_depth_messages_bucket{le="5"} 1',
      'puremq_tls_certificate_expiry_timestamp_seconds{listener="tls"} 1800000000',
      "process_open_fds 20",
      "puremq_store_disk_free_bytes 1000000000",
    ])
      expect(lines()).toContain(line)
  })

  it("says nothing of what the host does not tell, but what it would be", () => {
    const process = { ...stats().process, openDescriptors: undefined }
    const text = toPrometheus({ ...stats(), process, store: undefined })
    expect(text).not.toMatch(/^(process_open_fds|puremq_store_\w+) /m)
    expect(text).toMatch(/^process_max_fds 1024$/m)
    expect(text).toMatch(/^# TYPE process_open_fds gauge$/m)
  })
})

describe("OpenMetrics' text", () => {
  it("names families without what their type adds, with their units, and ends", () => {
    const text = toOpenMetrics(stats())
    const lines = text.split("\n")
    for (const line of [
      "# TYPE puremq_received_bytes counter",
      "# UNIT puremq_received_bytes bytes",
      "# HELP puremq_received_bytes Bytes of MQTT from clients, without TLS and WebSocket",
      "# TYPE puremq_build info",
      'puremq_build_info{version="9.9",runtime="node",runtime_version="20.19.0"} 1',
      "# TYPE puremq_delivery_duration_seconds histogram",
      "# UNIT puremq_delivery_duration_seconds seconds",
      'puremq_delivery_duration_seconds_bucket{le="10.0"} 2',
      'puremq_delivery_duration_seconds_bucket{le="+Inf"} 2',
    ])
      expect(lines).toContain(line)
    expect(lines).toContainEqual(expect.stringMatching(/^puremq_received_bytes_total \d+$/))
    expect(text.endsWith("\n# EOF\n")).toBe(true)
    for (const line of lines) expect(line).not.toMatch(/^# \w+ \w+_total /)
  })

  it.each([
    [undefined, "prometheus"],
    ["*/*", "prometheus"],
    ["text/plain", "prometheus"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text; version=1.0.0; charset=utf-8", "openmetrics"],
    // What Prometheus 2 and 3 send.
    [
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      "openmetrics",
    ],
    [
      "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
      "openmetrics",
    ],
    ["application/openmetrics-text;version=0.0.1", "prometheus"],
    ["application/openmetrics-text;q=0.3,text/plain;q=0.9", "prometheus"],
    ["application/openmetrics-text;q=0", "prometheus"],
    ["application/openmetrics-text;q=nonsense", "prometheus"],
    [`${",;=".repeat(5000)}`, "prometheus"],
  ] as const)("Accept: %s is %s", (accept, format) => {
    expect(formatFor(accept)).toBe(format)
  })
})

describe("JSON", () => {
  it("has each metric, with its series, and percentiles of histograms", () => {
    const json = toJson(stats())
    expect(json.map(({ name }) => name)).toEqual(metrics.map(({ name }) => name))
    expect(JSON.parse(JSON.stringify(json))).toEqual(json)
    const named = (name: string) => json.find((one) => one.name === name)
    expect(named("puremq_received_bytes_total")).toMatchObject({ type: "counter", unit: "bytes" })
    expect(named("puremq_clients_connected")?.series).toEqual([{ labels: {}, value: 2 }])
    const [delivery] = named("puremq_delivery_duration_seconds")?.series ?? []
    expect(delivery).toMatchObject({ count: 2, p50: 0.00025, p99: expect.any(Number) })
    const [commit] = named("puremq_commit_duration_seconds")?.series ?? []
    expect(commit).toMatchObject({ count: 0, p50: null, p95: null, p99: null })
  })
})
