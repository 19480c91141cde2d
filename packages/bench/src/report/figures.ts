// Drawings of comparisons, each with its caption, the command that makes it, and its data.

import {
  barRowsPlot,
  boxRowsPlot,
  type Curve,
  captioned,
  dataLink,
  escapeText,
  figure,
  growthPlot,
  htmlTable,
  legendOf,
  type PlotRow,
} from "@puremq/tls13/measure"
import { figure as digits } from "../check/row.ts"
import { commandLine } from "../command-line.ts"
import { parseWork } from "../engine/work.ts"
import { type Comparison, lessIsBetter, settledText } from "../measure.ts"
import { quartiles } from "../statistics.ts"
import type { Bars } from "../tables.ts"
import { coloursOf } from "./subjects.ts"

/** The same figure of one runtime, or of several. */
export interface Shown {
  readonly part: string
  readonly command: string
  readonly title: string
  readonly all: readonly { readonly runtime: string; readonly comparison: Comparison }[]
}

/** What stands below a drawing, or a table. */
export function madeBy(command: string, title: string, data: unknown): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 40)
  const file = `${name.replace(/^-|-$/g, "")}.json`
  return `<div class="made"><code>${escapeText(command)}</code> ${dataLink(file, data)}</div>`
}

/** Box plots, or bars of what was measured once. Empty: there is nothing to be drawn. */
export function comparisonFigure(shown: Shown): string {
  const several = shown.all.length > 1
  const rows = shown.all.flatMap(({ runtime, comparison }) => rowsOf(comparison, several ? `, ${runtime}` : ""))
  const [first] = shown.all
  if (rows.length === 0 || first === undefined) return ""
  const { unit, rounds } = first.comparison
  const axis = `${unit}; ${lessIsBetter(unit) ? "less" : "more"} is better`
  const isSampled = rows.some(({ values }) => values.length > 1)
  const draw = isSampled ? boxRowsPlot : barRowsPlot
  // Things that are no subjects have one colour.
  const drawn = isSampled ? rows : rows.map((row) => ({ ...row, colour: 0, told: figure(row.values[0]!) }))
  const plot = draw(drawn, { label: `${shown.title}: ${unit}`, axis })
  const more = isSampled ? `${unit}, ${rounds} rounds` : unit
  const below = notesOf(shown) + madeBy(shown.command, shown.title, shown.all)
  return captioned(shown.title, more, plot, "", below)
}

/** Of what is one figure each. Empty: there is nothing to be drawn. */
export function barsFigure(title: string, { axis, values }: Bars): string {
  if (values.length === 0) return ""
  const chosen = coloursOf(values.map(({ name }) => name))
  const rows = values.map(({ name, value }) => {
    return { name, colour: chosen.get(name)!, values: [value], told: figure(value) }
  })
  const plot = barRowsPlot(rows, { label: `${title}: ${axis}`, axis: `${axis}; less is better` })
  return captioned(title, axis, plot)
}

function rowsOf({ rows }: Comparison, suffix: string): PlotRow[] {
  const chosen = coloursOf(rows.map(({ name }) => name))
  return rows.map(({ name, samples, median, ratio }, i) => ({
    name: `${name}${suffix}`,
    colour: chosen.get(name)!,
    values: samples,
    told: `${figure(median)}${i === 0 ? "" : `, ${digits(ratio[1])} x`}`,
  }))
}

/** What could not be measured, and what had not settled. */
function notesOf({ all }: Shown): string {
  const several = all.length > 1
  const lines = all.flatMap(({ runtime, comparison }) => {
    const where = several ? `, ${runtime}` : ""
    const moving = comparison.rows.flatMap(({ name }, i) => {
      const text = settledText(comparison, i)
      return text?.startsWith("not") ? [`${name}${where}: ${text} when the rounds began`] : []
    })
    return [...moving, ...(comparison.absent ?? []).map(({ name, why }) => `${name}${where}: skipped: ${why}`)]
  })
  return lines.length === 0
    ? ""
    : `<ul class="notes soft">${lines.map((line) => `<li>${escapeText(line)}</li>`).join("")}</ul>`
}

/** All that is known of them, as a table. */
export function comparisonsTable(all: readonly Shown[]): string {
  const several = all.some((shown) => shown.all.length > 1)
  const rows = all.flatMap((shown) =>
    shown.all.flatMap(({ runtime, comparison }) =>
      comparison.rows.map(({ name, samples, median, ratio }, i) => {
        const [low, , high] = quartiles(samples)
        return [
          escapeText(i === 0 ? `${shown.title}${several ? `, ${runtime}` : ""}` : ""),
          escapeText(name),
          `<span class="big">${figure(median)}</span> ${escapeText(comparison.unit)}`,
          samples.length > 1 ? `${figure(low)} to ${figure(high)}` : "-",
          i === 0 ? "1" : `${ratio[1].toFixed(2)} (${ratio[0].toFixed(2)} to ${ratio[2].toFixed(2)})`,
          escapeText(settledText(comparison, i) ?? "-"),
        ]
      }),
    ),
  )
  const head = ["", "subject", "median", "quartiles", "ratio", "engine"]
  return `<details><summary>All figures of these</summary>${htmlTable(head, rows)}</details>`
}

/* ---------------------------------------------------------------- growth */

interface Place {
  readonly series: string
  readonly x: number
  readonly of: "bytes" | "certificates"
}

/** Which curve a comparison is a point of. */
function placeOf({ scenario }: Comparison): Place | undefined {
  if (scenario === undefined) return undefined
  const work = parseWork(scenario)
  if (work.type === "hash") return { series: `hash, ${work.hash}`, x: work.bytes, of: "bytes" }
  if (work.type !== "handshake") return { series: `${work.type}, ${work.suite}`, x: work.bytes, of: "bytes" }
  const chains = scenario.replace(/,chain=\d/, "")
  return chains === "full"
    ? { series: "full handshake by length of the chain", x: work.chain, of: "certificates" }
    : undefined
}

/** A drawing for each series of three points or more, and each runtime. */
export function growthFigures(all: readonly Shown[]): string[] {
  const runtimes = [...new Set(all.flatMap((shown) => shown.all.map(({ runtime }) => runtime)))]
  return runtimes.flatMap((runtime) => {
    const points = all.flatMap((shown) =>
      shown.all.flatMap((each) => {
        const place = placeOf(each.comparison)
        return each.runtime !== runtime || place === undefined ? [] : [{ ...each, place }]
      }),
    )
    const series = [...new Set(points.map(({ place }) => place.series))]
    return series.flatMap((name) => {
      const own = points.filter(({ place }) => place.series === name).sort((a, b) => a.place.x - b.place.x)
      return own.length < 3 ? [] : [growthFigure(runtimes.length > 1 ? `${name}, ${runtime}` : name, own)]
    })
  })
}

function growthFigure(title: string, points: readonly { comparison: Comparison; place: Place }[]): string {
  const names = [...new Set(points.flatMap(({ comparison }) => comparison.rows.map((row) => row.name)))]
  const chosen = coloursOf(names)
  const isRate = points[0]!.place.of === "bytes"
  const curves = names.map((name): Curve => {
    const own = points.flatMap(({ comparison, place: { x } }) => {
      const samples = comparison.rows.find((row) => row.name === name)?.samples
      // Bytes a microsecond are megabytes a second.
      return samples === undefined ? [] : [{ x, values: isRate ? samples.map((value) => x / value) : samples }]
    })
    return { name, colour: chosen.get(name)!, points: own }
  })
  const y = isRate ? "MB/CPU s" : "µs CPU"
  const plot = growthPlot(curves, { label: title, x: isRate ? "bytes, on a logarithmic axis" : "certificates sent", y })
  const command = commandLine(points.flatMap(({ comparison }) => ["--scenario", comparison.scenario!]))
  const legend = legendOf(names.map((name) => ({ name, colour: chosen.get(name)! })))
  return captioned(title, "medians with quartiles", plot, legend, madeBy(command, title, points))
}
