// How long operations took: as a histogram, and as a curve over the percentiles.

import { type Bucket, Histogram, type HistogramData } from "../histogram.ts"
import { figure } from "../text-table.ts"
import { framed, path, plotX, plotY, px, textAt } from "./frame.ts"
import { linearScale, logScale } from "./scale.ts"

export interface LatencySeries {
  readonly name: string
  /** 0, 1, ...: which of the page's colours. */
  readonly colour: number
  readonly histogram: HistogramData
}

const mostBars = 48

/** @param extent of the time axis in milliseconds, so that several can be compared; default: its own */
export function histogramPlot(
  series: LatencySeries,
  extent: readonly [number, number] = latencyExtent([series]),
): string {
  const histogram = restored(series.histogram)
  const bars = coarser(histogram.buckets(), extent)
  const x = logScale(extent[0], extent[1], plotX)
  const most = Math.max(...bars.map(({ count }) => count), 1)
  const share = (count: number) => (100 * count) / Math.max(1, histogram.total)
  // Room for what is written at the marks.
  const y = linearScale(1.12 * share(most), plotY, 4)
  const rects = bars.map(({ from, to, count }) => {
    const [left, right, top] = [x.at(Math.max(from, extent[0])), x.at(Math.min(to, extent[1])), y.at(share(count))]
    const told = `${figure(from)} to ${figure(to)} ms: ${figure(count)} (${figure(share(count))}%)`
    return `<rect class="fill s${series.colour}" x="${px(left + 0.5)}" width="${px(Math.max(0.8, right - left - 1))}" y="${px(top)}" height="${px(plotY.from - top)}"><title>${told}</title></rect>`
  })
  const marks = marksOf(histogram, x.at)
  return framed({
    label: `Histogram of the latencies of ${series.name}`,
    x: { scale: x, title: "milliseconds, on a logarithmic axis" },
    y: { scale: y, title: "% of operations" },
    body: rects.join("") + marks,
  })
}

/** Lines at p50, p99 and p99.9; a text that would lie on the one before is one line lower. */
function marksOf(histogram: Histogram, at: (value: number) => number): string {
  const shares = [
    ["p50", 0.5],
    ["p99", 0.99],
    ["p99.9", 0.999],
  ] as const
  const taken: { readonly line: number; readonly from: number; readonly to: number }[] = []
  return shares
    .filter(([, share]) => histogram.total * (1 - share) >= 1)
    .map(([name, share]) => {
      const value = histogram.quantile(share)
      const x = at(value)
      const text = `${name} ${figure(value)}`
      const isRight = x > plotX.to - 70
      const width = 6 * text.length + 8
      const [from, to] = isRight ? [x - width, x] : [x, x + width]
      const free = (line: number) => !taken.some((each) => each.line === line && each.from < to && from < each.to)
      const line = [0, 1, 2].find(free) ?? 3
      taken.push({ line, from, to })
      const y = plotY.to + 9 + 13 * line
      return `<line class="mark" x1="${px(x)}" x2="${px(x)}" y1="${plotY.to - 2}" y2="${plotY.from}"/>${textAt(x + (isRight ? -4 : 4), y, text, isRight ? "end" : "start", "note")}`
    })
    .join("")
}

/** The curve that HdrHistogram made usual: each "nine" is as wide as the one before. */
export function percentilePlot(all: readonly LatencySeries[]): string {
  const [least, most] = latencyExtent(all)
  const largest = Math.max(...all.map(({ histogram }) => restored(histogram).total))
  const nines = Math.max(2, Math.min(6, Math.ceil(Math.log10(Math.max(10, largest)))))
  const wanted = [0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999, 0.999999].filter(
    (share) => distance(share) <= nines + 1e-9,
  )
  const width = plotX.to - plotX.from
  const x = { at: (share: number) => plotX.from + (width * Math.min(nines, distance(share))) / nines, ticks: wanted }
  const isWide = most / least > 20
  const y = isWide ? logScale(least, most, plotY) : linearScale(most, plotY)
  const lines = all.map(({ histogram, colour, name }) => {
    const points = curveOf(restored(histogram), nines).map(([share, value]) => [x.at(share), y.at(value)] as const)
    return `<path class="line s${colour}" d="${path(points)}"><title>${name.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</title></path>`
  })
  return framed({
    label: `Latency by percentile of ${all.map(({ name }) => name).join(", ")}`,
    x: { scale: x, title: "percentile", text: (share) => `${Number((100 * share).toFixed(4))}` },
    y: { scale: y, title: isWide ? "milliseconds, on a logarithmic axis" : "milliseconds" },
    body: lines.join(""),
  })
}

function distance(share: number): number {
  return -Math.log10(1 - share)
}

/** Steps: a value holds up to the share of values that it does not exceed. The last one ends at the last "nine" that it can know. */
function curveOf(histogram: Histogram, nines: number): [share: number, value: number][] {
  const { total } = histogram
  const points: [number, number][] = []
  let below = total - histogram.buckets().reduce((sum, { count }) => sum + count, 0)
  for (const { from, to, count } of histogram.buckets()) {
    const value = Math.sqrt(from * to)
    const start = below / total
    below += count
    const end = Math.min(below / total, 1 - 10 ** -nines, 1 - 0.5 / total)
    points.push([Math.min(start, end), value], [end, value])
  }
  return points
}

/** In milliseconds: where all of them have values, and a little more. */
export function latencyExtent(all: readonly LatencySeries[]): [number, number] {
  const buckets = all.flatMap(({ histogram }) => restored(histogram).buckets())
  if (buckets.length === 0) return [0.1, 10]
  const [least, most] = [Math.min(...buckets.map(({ from }) => from)), Math.max(...buckets.map(({ to }) => to))]
  return [least / 1.05, Math.max(most * 1.05, least * 2)]
}

function restored(data: HistogramData): Histogram {
  const histogram = new Histogram()
  histogram.merge(data)
  return histogram
}

/** Neighbours joined until there are few enough for bars that can be seen. */
function coarser(buckets: readonly Bucket[], [least, most]: readonly [number, number]): readonly Bucket[] {
  const first = buckets[0]
  if (first === undefined) return []
  const ratio = first.to / first.from
  const span = Math.log(most / least) / Math.log(ratio)
  const joined = 2 ** Math.max(0, Math.ceil(Math.log2(span / mostBars)))
  const bars = new Map<number, { from: number; to: number; count: number }>()
  for (const { from, count } of buckets) {
    const index = Math.floor((Math.log(from) / Math.log(ratio) + 1e-6) / joined)
    const bar = bars.get(index) ?? { from: ratio ** (index * joined), to: ratio ** ((index + 1) * joined), count: 0 }
    bar.count += count
    bars.set(index, bar)
  }
  return [...bars.values()]
}
