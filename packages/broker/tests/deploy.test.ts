// What is in deploy/ fits the broker: metrics that a dashboard or an alert asks for are there, and Prometheus' own tool takes them.

import { spawnSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { connect } from "@puremq/tls13/node"
import mqtt from "mqtt"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { formatEvent } from "../src/admin/log.ts"
import { type Metric, metrics } from "../src/admin/metric-table.ts"
import { createBroker, type PureMqBroker } from "../src/index.ts"

const deploy = fileURLToPath(new URL("../../../deploy", import.meta.url))
const textOf = (path: string) => readFileSync(join(deploy, path), "utf8")

/** Of the Debian package `prometheus`. */
const hasPromtool = spawnSync("promtool", ["--version"]).status === 0

function promtool(args: readonly string[], input?: string): string {
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input,
    encoding: "utf8",
    cwd: join(deploy, "prometheus"),
  })
  return status === 0 ? "" : `status ${status}\n${stdout}\n${stderr}`
}

interface Target {
  readonly expr: string
  readonly datasource: { readonly uid: string }
}
interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly Target[]
}
interface Dashboard {
  readonly uid: string
  readonly id: null
  readonly schemaVersion: number
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[]
  }
}

const dashboard: Dashboard = JSON.parse(textOf("grafana/puremq.json"))
const targets = dashboard.panels.flatMap(({ targets = [] }) => targets)
const alertTexts = [...textOf("prometheus/alerts.yml").matchAll(/^ {8}expr: (.+(?:\n {10,}.+)*)/gm)].map(
  (found) => found[1]!,
)

/** What Prometheus itself has. */
const ofPrometheus: ReadonlySet<string> = new Set(["up", "ALERTS"])

const named: ReadonlyMap<string, Metric> = new Map(
  metrics.flatMap((metric): [string, Metric][] =>
    metric.type === "histogram"
      ? ["_bucket", "_sum", "_count"].map((end) => [metric.name + end, metric])
      : [[metric.name, metric]],
  ),
)

/** What is wrong with the metrics and labels of an expression. */
function problemsOf(expression: string): string[] {
  const names = [...expression.matchAll(/\b((?:puremq|process|up|ALERTS)\w*)(?:\{([^}]*)\})?/g)]
  if (names.length === 0) return [`no metric in ${expression}`]
  return names.flatMap(([, name = "", selector = ""]) => {
    const metric = named.get(name)
    if (metric === undefined) return ofPrometheus.has(name) ? [] : [`there is no metric ${name}`]
    const labels = ["job", "instance", "le", ...metric.labels]
    const asked = [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)/g)].map((found) => found[1]!)
    return asked.filter((label) => !labels.includes(label)).map((label) => `${name} has no label ${label}`)
  })
}

describe("the dashboard for Grafana", () => {
  it("has a name of its own that stays, no id of a server, and asks the data source that is chosen", () => {
    expect(dashboard).toMatchObject({ uid: "puremq-broker", id: null, schemaVersion: 39 })
    const [source, ...others] = dashboard.templating.list
    expect(source).toMatchObject({ name: "datasource", type: "datasource" })
    expect(others.map(({ name }) => name)).toEqual(["job", "instance"])
    for (const { datasource } of targets) expect(datasource.uid).toBe("$" + "{datasource}")
    expect(JSON.stringify(dashboard)).not.toContain("__inputs")
  })

  it("has each panel once, beside the others", () => {
    const { panels } = dashboard
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const taken = new Set<string>()
    for (const { gridPos, title } of panels) {
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        expect(x, title).toBeLessThan(24)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false)
          taken.add(`${x} ${y}`)
        }
      }
    }
  })

  it("asks for metrics and labels that there are", () => {
    expect(targets.length).toBeGreaterThan(60)
    const variables = dashboard.templating.list.flatMap(({ definition = [] }) => definition)
    for (const expression of [...targets.map(({ expr }) => expr), ...variables])
      expect(problemsOf(expression)).toEqual([])
  })

  it("shows all that there is", () => {
    const asked = targets.map(({ expr }) => expr).join("\n")
    expect(metrics.filter(({ name }) => !asked.includes(name)).map(({ name }) => name)).toEqual([])
  })

  it.skipIf(!hasPromtool)("Prometheus understands its questions", () => {
    const rules = targets.map(({ expr }, i) => {
      const expression = expr.replaceAll("$__rate_interval", "5m").replaceAll("$job", "x").replaceAll("$instance", "x")
      return `      - record: "question:${i}"\n        expr: ${JSON.stringify(expression)}`
    })
    const folder = mkdtempSync(join(tmpdir(), "puremq-rules-"))
    try {
      const file = join(folder, "rules.yml")
      writeFileSync(file, `groups:\n  - name: dashboard\n    rules:\n${rules.join("\n")}\n`)
      expect(promtool(["check", "rules", file])).toBe("")
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("the rules for Prometheus", () => {
  it("ask for metrics and labels that there are", () => {
    expect(alertTexts.length).toBe([...textOf("prometheus/alerts.yml").matchAll(/- alert:/g)].length)
    for (const text of alertTexts) expect(problemsOf(text)).toEqual([])
  })

  it("each has a test that lets it fire", () => {
    const names = [...textOf("prometheus/alerts.yml").matchAll(/- alert: (\w+)/g)].map((found) => found[1]!)
    const test = textOf("prometheus/alerts.test.yml")
    expect(names.filter((name) => !test.includes(name))).toEqual([])
  })

  it.skipIf(!hasPromtool)("promtool takes them, and their tests pass", () => {
    expect(promtool(["check", "config", "prometheus.yml"])).toBe("")
    expect(promtool(["check", "rules", "alerts.yml"])).toBe("")
    expect(promtool(["test", "rules", "alerts.test.yml"])).toBe("")
  })
})

describe("a broker that has something to tell", () => {
  const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  let broker: PureMqBroker
  let url = ""
  const folder = mkdtempSync(join(tmpdir(), "puremq-metrics-"))

  beforeAll(async () => {
    const tls = { cert: made.serverCert, key: made.serverKey, port: 0 } as const
    broker = createBroker({
      listeners: [
        { type: "tls", ...tls },
        { type: "tls", ...tls },
        { type: "tcp", port: 0 },
      ],
      store: { directory: folder },
      metrics: { port: 0 },
    })
    const [first, second, tcp, endpoint] = await broker.listen()
    url = `http://127.0.0.1:${endpoint?.port}/metrics`
    const optionsOf = (clientId: string) => ({ reconnectPeriod: 0, protocolVersion: 5, clientId }) as const
    const overTls = (port: number) =>
      new mqtt.MqttClient(
        () => connect({ host: "localhost", port, ca: made.caCert, ALPNProtocols: ["mqtt"] }),
        optionsOf("sub"),
      )
    const sub = overTls(first!.port)
    await new Promise((resolve) => sub.once("connect", resolve))
    await sub.subscribeAsync("t", { qos: 1 })
    const pub = await mqtt.connectAsync(`mqtt://127.0.0.1:${tcp?.port}`, optionsOf("pub"))
    for (const qos of [0, 1, 2] as const) await pub.publishAsync("t", "x", { qos, retain: qos === 1 })
    // One that does not trust the certificate.
    const stranger = connect({
      host: "localhost",
      port: second!.port,
      ca: createDevelopmentCertificates({ names: ["x"], now: Date.now() }).caCert,
    })
    await new Promise((resolve) => stranger.on("error", resolve))
    await Promise.all([sub.endAsync(), pub.endAsync()])
  })
  afterAll(async () => {
    await broker.close()
    rmSync(folder, { recursive: true })
  })

  it.skipIf(!hasPromtool)("promtool finds nothing wrong with its metrics", async () => {
    expect(promtool(["check", "metrics"], await (await fetch(url)).text())).toBe("")
  })

  it("tells all of them, of what really happened", async () => {
    await expect.poll(() => broker.stats().handshakeFailures).toMatchObject({ bad_certificate: 1 })
    const text = await (await fetch(url)).text()
    for (const { name } of metrics) {
      // These are of Linux.
      if (process.platform !== "linux" && name.endsWith("_fds")) continue
      expect(text, name).toContain(`# TYPE ${name} `)
    }
    for (const line of [
      /^puremq_tls_handshakes_total\{listener="tls",version="TLSv1.3",suite="\w+",group="\w+",post_quantum="(true|false)",resumed="false"\} 1$/m,
      /^puremq_tls_handshake_failures_total\{reason="bad_certificate"\} 1$/m,
      /^puremq_tls_handshake_duration_seconds_count\{listener="tls-2",mode="unfinished",result="client"\} 1$/m,
      /^puremq_tls_offers_total\{listener="tls-2",version="TLSv1.3"\} 1$/m,
      /^puremq_tls_certificate_expiry_timestamp_seconds\{listener="tls-2"\} 1\d{9}$/m,
      /^puremq_delivery_duration_seconds_count [1-9]/m,
      /^puremq_commit_duration_seconds_count [1-9]/m,
      /^puremq_store_bytes [1-9]/m,
      /^process_cpu_seconds_total 0?\.?\d/m,
      /^process_resident_memory_bytes [1-9]\d{6}/m,
    ])
      expect(text).toMatch(line)
  })
})

describe("the configuration of the OpenTelemetry Collector", () => {
  it("moves or removes each part of a line, and names none that there is not", () => {
    const line = formatEvent({ event: "started", text: "x" }, "otel", 0)
    const parts = Object.keys(JSON.parse(line)).sort()
    const asked = [...textOf("otel/collector.yaml").matchAll(/^ {8}(?:from|field): attributes\.(\w+)$/gm)]
    expect(asked.map((found) => found[1]!).sort()).toEqual(parts)
  })
})
