// The plots of a report page, each with its caption.

import type { Compared, Side } from "../compare-runs.ts"
import { Histogram } from "../histogram.ts"
import { type Interval, intervalsPlot, stacksPlot } from "../plots/bar-plots.ts"
import { histogramPlot, type LatencySeries, percentilePlot } from "../plots/latency-plots.ts"
import { boxesPlot, throughputPlot } from "../plots/time-plots.ts"
import type { Report } from "../report.ts"
import { partName, subjectOf } from "../words.ts"
import { captioned, colours, legendOf } from "./page.ts"
import type { ShownRun } from "./shown-run.ts"

/** Parts that add up to an operation, in the order of time. */
const stacked = ["late", "connect", "handshake", "client", "wait"]

/** All that is drawn of the runs of a scenario. @param extent of the axes of latency, in milliseconds */
export function scenarioPlots(
  shown: readonly ShownRun[],
  extent: readonly [number, number],
  operation: string,
): string {
  return `<div class="plots">${[...sharedPlots(shown, operation), ...runPlots(shown, extent)].join("\n")}</div>`
}

/** All runs in one drawing. */
function sharedPlots(shown: readonly ShownRun[], operation: string): string[] {
  const known = shown.filter(({ run }) => run.latency !== null)
  const distinct = [
    ...new Map(
      shown.map(({ colour, title, run }) => [colour, { colour, name: nameFor(shown, colour, title, subjectOf(run)) }]),
    ).values(),
  ]
  const legend = shown.length > 1 ? legendOf(distinct) : ""
  const time = shown.map(({ run, title, colour }) => ({ name: title, colour, slices: run.slices }))
  const plots = [captioned("Throughput over time", "", throughputPlot(time, operation), legend)]
  if (known.length > 0) {
    plots.push(
      captioned("Latency by percentile", "", percentilePlot(known.map(({ series }) => series)), legend),
      captioned(
        "Where the time went",
        "means; they add up",
        stacksPlot(known.map(stackOf), "ms"),
        legendOf(usedParts(known)),
      ),
    )
  }
  return plots
}

/** Runs of one server share its colour: then the legend names the server. */
function nameFor(shown: readonly ShownRun[], colour: number, title: string, subject: string): string {
  return shown.filter((each) => each.colour === colour).length > 1 ? subject : title
}

function usedParts(shown: readonly ShownRun[]): { name: string; colour: number }[] {
  return stacked.flatMap((part, colour) =>
    shown.some(({ run }) => run.parts[part]) ? [{ name: partName(part), colour: partColour(colour) }] : [],
  )
}

/** Not those of the first runs: colours of parts are not those of servers. */
function partColour(index: number): number {
  return [5, 4, 1, 2, 3][index] ?? 5
}

function stackOf({ run, title }: ShownRun) {
  const parts = stacked.flatMap((name, i) => {
    const mean = run.parts[name]?.mean
    return mean === undefined ? [] : [{ name: partName(name), value: mean, colour: partColour(i) }]
  })
  return { name: title, parts }
}

/** The histogram of each server, of all its runs together, and the boxes of each run, all on one axis of latency. */
function runPlots(shown: readonly ShownRun[], extent: readonly [number, number]): string[] {
  const known = shown.filter(({ run }) => run.latency !== null)
  const name = ({ title }: ShownRun) => (shown.length > 1 ? title : "")
  const histograms = seriesOfServers(known).map((series) =>
    captioned("Latency histogram", known.length > 1 ? series.name : "", histogramPlot(series, extent)),
  )
  const boxes = known.map((each) =>
    captioned(
      "Latency over time",
      `${name(each) === "" ? "" : `${name(each)}; `}quartiles, least to p99, dot: most`,
      boxesPlot({ name: each.title, colour: each.colour, slices: each.run.slices }),
    ),
  )
  return [...histograms, ...boxes]
}

/** Runs that have one colour are of one server, or there is one of each. */
function seriesOfServers(shown: readonly ShownRun[]): LatencySeries[] {
  const colours = [...new Set(shown.map(({ colour }) => colour))]
  return colours.map((colour) => {
    const alike = shown.filter((each) => each.colour === colour)
    const histogram = new Histogram()
    for (const { run } of alike) histogram.merge(run.histogram)
    const [first] = alike
    const name = alike.length > 1 ? `${subjectOf(first!.run)}, ${alike.length} runs` : first!.title
    return { name, colour, histogram: histogram.toJSON() }
  })
}

export function comparisonPlots(compared: readonly Compared[], report: Report, other: Side): string {
  const several = new Set(compared.map(({ scenario }) => scenario)).size > 1
  const intervals = compared.map(({ scenario, figure, ratio: { ratio, low, high } }): Interval => {
    const name = several ? `${scenario}: ${figure}` : figure
    return { name, value: ratio, low, high, differs: low > 1 || high < 1 }
  })
  const index = [...new Set(report.runs.map(subjectOf))].indexOf(other.name)
  return `<div class="plots">${captioned(
    "Ratios",
    "with 95% intervals; hollow: cannot be told from 1",
    intervalsPlot(
      intervals.filter(({ value }) => value > 0),
      index % colours,
    ),
  )}</div>`
}
