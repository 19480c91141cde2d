// The metrics as text for Prometheus and what understands it, and as JSON.

import { type HistogramCounts, percentile } from "./histogram.ts"
import { type Metric, type MetricType, metrics, type Series } from "./metric-table.ts"
import type { Stats } from "./metrics.ts"
import { visible } from "./visible.ts"

export type TextFormat = "prometheus" | "openmetrics"

/** What the answer to a scrape says that it is. */
export const contentTypes: Readonly<Record<TextFormat, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}

/** Prometheus' text exposition format, version 0.0.4. */
export function toPrometheus(stats: Stats): string {
  const lines: string[] = []
  for (const metric of metrics) {
    const type = metric.type === "info" ? "gauge" : metric.type
    lines.push(`# HELP ${metric.name} ${escaped(metric.help, false)}`, `# TYPE ${metric.name} ${type}`)
    for (const one of metric.series(stats)) addSamples(lines, metric, one, plainNumber)
  }
  return `${lines.join("\n")}\n`
}

/** OpenMetrics' text format, version 1.0. */
export function toOpenMetrics(stats: Stats): string {
  const lines: string[] = []
  for (const metric of metrics) {
    // A family has the name of its samples without what its type adds.
    const family = metric.name.replace(/_total$|_info$/, "")
    lines.push(`# TYPE ${family} ${metric.type}`)
    if (metric.unit !== undefined) lines.push(`# UNIT ${family} ${metric.unit}`)
    lines.push(`# HELP ${family} ${escaped(metric.help, true)}`)
    for (const one of metric.series(stats)) addSamples(lines, metric, one, canonicalNumber)
  }
  return `${lines.join("\n")}\n# EOF\n`
}

/** @param boundText how the end of a bucket is written */
function addSamples(
  lines: string[],
  { name }: Metric,
  { labels, value }: Series,
  boundText: (n: number) => string,
): void {
  if (typeof value === "number") {
    lines.push(`${name}${labelText(labels)} ${plainNumber(value)}`)
    return
  }
  for (const { le, count } of buckets(value)) {
    const bound = le === Number.POSITIVE_INFINITY ? "+Inf" : boundText(le)
    lines.push(`${name}_bucket${labelText({ ...labels, le: bound })} ${count}`)
  }
  lines.push(`${name}_sum${labelText(labels)} ${plainNumber(value.sum)}`)
  lines.push(`${name}_count${labelText(labels)} ${value.count}`)
}

/** Each with all that came before it. */
function buckets({ bounds, counts }: HistogramCounts): { readonly le: number; readonly count: number }[] {
  let sum = 0
  return counts.map((count, i) => {
    sum += count
    return { le: bounds[i] ?? Number.POSITIVE_INFINITY, count: sum }
  })
}

function labelText(labels: Series["labels"]): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(visible(value), true)}"`)
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

function escaped(text: string, quotes: boolean): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
  return quotes ? plain.replaceAll('"', '\\"') : plain
}

function plainNumber(value: number): string {
  return `${value}`
}

/** With a point, as OpenMetrics writes numbers that may have a fraction: one bucket has one name, whoever exposes it. */
function canonicalNumber(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : `${value}`
}

/**
 * Which text is wanted, by the Accept header of a scrape: OpenMetrics 1.0 where it is named and nothing else is preferred to it, as
 * Prometheus itself asks.
 */
export function formatFor(accept: string | undefined): TextFormat {
  let [open, plain] = [0, 0]
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.split(";").map((part) => part.trim().toLowerCase())
    const given = new Map(parameters.map((one) => [one.slice(0, one.indexOf("=")), one.slice(one.indexOf("=") + 1)]))
    const quality = Number(given.get("q") ?? 1)
    if (!(quality > 0 && quality <= 1)) continue
    const version = given.get("version") ?? "1.0.0"
    if (type === "application/openmetrics-text" && version === "1.0.0") open = Math.max(open, quality)
    if (type === "text/plain" || type === "text/*" || type === "*/*") plain = Math.max(plain, quality)
  }
  return open > 0 && open >= plain ? "openmetrics" : "prometheus"
}

export interface JsonMetric {
  readonly name: string
  readonly type: MetricType
  readonly unit?: "seconds" | "bytes"
  readonly help: string
  readonly series: readonly (JsonValue | JsonHistogram)[]
}

export interface JsonValue {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface JsonHistogram {
  readonly labels: Readonly<Record<string, string>>
  readonly count: number
  readonly sum: number
  /** Each with all that came before it; the last, which has no end, is `count`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[]
  /** Since the start; null where nothing was observed. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

/** Everything, for programs that are no Prometheus. */
export function toJson(stats: Stats): readonly JsonMetric[] {
  return metrics.map(({ name, type, unit, help, series }) => ({
    name,
    type,
    ...(unit !== undefined && { unit }),
    help,
    series: series(stats).map(({ labels, value }) => {
      if (typeof value === "number") return { labels, value }
      const [p50 = null, p95 = null, p99 = null] = [0.5, 0.95, 0.99].map((share) => percentile(value, share))
      const ends = buckets(value).slice(0, -1)
      return { labels, count: value.count, sum: value.sum, buckets: ends, p50, p95, p99 }
    }),
  }))
}
