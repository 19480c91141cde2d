// Subjects one below the other: box plots of what was measured several times, bars of what was measured once, and a single bar
// beside what is wanted of it.

import { escapeText } from "../page/html.ts"
import { boxOf, median } from "../quantiles.ts"
import { figure } from "../text-table.ts"
import { px, size, svg, textAt } from "./frame.ts"
import { linearScale, logScale, type Scale, tickText } from "./scale.ts"

export interface PlotRow {
  readonly name: string
  /** 0, 1, ...: which of the page's colours. */
  readonly colour: number
  /** At least one. */
  readonly values: readonly number[]
  /** What is written beside its name; default: its median. */
  readonly told?: string
}

export interface RowPlot {
  /** What it shows, for who does not see it. */
  readonly label: string
  /** Of the axis: what is measured, in what unit. */
  readonly axis: string
}

const rowHeight = 38
const [left, right] = [8, size.width - 16]

/** Boxes have the quartiles with the median in them, whiskers reach to the outermost value within 1.5 box lengths; each value is a dot. */
export function boxRowsPlot(rows: readonly PlotRow[], plot: RowPlot): string {
  const values = rows.flatMap((row) => row.values)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const isWide = least > 0 && most / least > 12
  const range = { from: left, to: right }
  const x = isWide ? logScale(least / 1.15, most * 1.15, range) : linearScale(Math.max(most, 1e-9), range)
  const axis = isWide ? `${plot.axis}, on a logarithmic axis` : plot.axis
  return rowsPlot(rows, { ...plot, axis }, x, (row, y) => boxMarks(row, x, y))
}

export function barRowsPlot(rows: readonly PlotRow[], plot: RowPlot): string {
  const x = linearScale(Math.max(...rows.map(({ values }) => median(values)), 1e-9), { from: left, to: right })
  return rowsPlot(rows, plot, x, ({ colour, values }, y) => {
    const width = Math.max(1, x.at(median(values)) - left)
    return `<rect class="fill s${colour}" x="${left}" width="${px(width)}" y="${px(y - 7)}" height="14"/>`
  })
}

function boxMarks({ colour, values }: PlotRow, x: Scale, y: number): string {
  const box = boxOf(values)!
  const at = (value: number) => px(x.at(value))
  const line = (from: number, to: number, kind = "") =>
    `<line${kind} x1="${at(from)}" x2="${at(to)}" y1="${px(y)}" y2="${px(y)}"/>`
  const across = (value: number, half: number, kind = "") =>
    `<line${kind} x1="${at(value)}" x2="${at(value)}" y1="${px(y - half)}" y2="${px(y + half)}"/>`
  const width = Math.max(1, x.at(box.q3) - x.at(box.q1))
  return [
    `<g class="box s${colour}">`,
    line(box.low, box.q1),
    line(box.q3, box.high),
    across(box.low, 4),
    across(box.high, 4),
    `<rect x="${at(box.q1)}" width="${px(width)}" y="${px(y - 8)}" height="16"/>`,
    across(box.median, 8, ' class="middle"'),
    ...values.map((value) => `<circle cx="${at(value)}" cy="${px(y)}" r="1.5"/>`),
    "</g>",
  ].join("")
}

function rowsPlot(
  rows: readonly PlotRow[],
  { label, axis }: RowPlot,
  x: Scale,
  marks: (row: PlotRow, y: number) => string,
): string {
  const bottom = 6 + rowHeight * rows.length
  const ticks = x.ticks.map((tick) => {
    const at = x.at(tick)
    const anchor = at < left + 12 ? "start" : at > right - 12 ? "end" : "middle"
    return `<line class="grid" x1="${px(at)}" x2="${px(at)}" y1="6" y2="${bottom}"/>${textAt(at, bottom + 15, tickText(tick), anchor)}`
  })
  const drawn = rows.map((row, i) => {
    const top = 6 + rowHeight * i
    const told = row.told ?? figure(median(row.values))
    const name = textAt(left, top + 12, row.name, "start", "note")
    const value = textAt(right, top + 12, told, "end", "note")
    return `<g><title>${escapeText(`${row.name}: ${told}`)}</title>${name}${value}${marks(row, top + 25)}</g>`
  })
  const title = textAt(right, bottom + 33, axis, "end", "title")
  return svg(label, ticks.join("") + drawn.join("") + title, bottom + 40)
}

export interface WantedBar {
  /** Lower quartile, median, upper quartile. */
  readonly spread: readonly [low: number, median: number, high: number]
  readonly least?: number | undefined
  readonly most?: number | undefined
}

const wanted = { width: 150, height: 20, from: 3, to: 147 } as const

/** As times of what is wanted, from a quarter to four times on a logarithmic axis; the side that is wanted is tinted. */
export function wantedPlot({ spread, least, most }: WantedBar): string {
  const goal = least ?? most
  if (goal === undefined) return ""
  const x = logScale(0.25, 4, { from: wanted.from, to: wanted.to })
  const at = (value: number) => x.at(Math.min(4, Math.max(0.25, value / goal)))
  const [low, middle, high] = spread.map(at) as [number, number, number]
  const [good, end] = [least === undefined ? wanted.from : at(least), most === undefined ? wanted.to : at(most)]
  const y = wanted.height / 2
  const marks = [
    `<rect class="good" x="${px(good)}" width="${px(end - good)}" y="2" height="${wanted.height - 4}"/>`,
    ...[least, most].flatMap((edge) =>
      edge === undefined
        ? []
        : [`<line class="goal" x1="${px(at(edge))}" x2="${px(at(edge))}" y1="1" y2="${wanted.height - 1}"/>`],
    ),
    `<line class="spread" x1="${px(low)}" x2="${px(Math.max(high, low + 1))}" y1="${y}" y2="${y}"/>`,
    `<circle class="at" cx="${px(middle)}" cy="${y}" r="4"/>`,
  ].join("")
  const label = `${figure(spread[1])}, of ${least === undefined ? "at most" : "at least"} ${figure(goal)} wanted`
  return `<svg class="wanted" role="img" aria-label="${escapeText(label)}" viewBox="0 0 ${wanted.width} ${wanted.height}">${marks}</svg>`
}
