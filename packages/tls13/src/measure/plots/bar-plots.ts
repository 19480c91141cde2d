// Where the time of an operation went, and how sides compare: bars and intervals, one below the other.

import { figure } from "../text-table.ts"
import { px, size, svg, textAt } from "./frame.ts"
import { linearScale, logScale, tickText } from "./scale.ts"

export interface Stack {
  readonly name: string
  readonly parts: readonly { readonly name: string; readonly value: number; readonly colour: number }[]
}

const rowHeight = 40
const [left, right] = [8, size.width - 16]

/** @param unit of the values */
export function stacksPlot(stacks: readonly Stack[], unit: string): string {
  const sums = stacks.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0))
  const x = linearScale(Math.max(...sums, 0.001), { from: left, to: right })
  const bottom = 8 + rowHeight * stacks.length
  const rows = stacks.map(({ name, parts }, row) => {
    const top = 8 + rowHeight * row
    let at = 0
    const rects = parts.map((part) => {
      const start = x.at(at)
      at += part.value
      const told = `${part.name}: ${figure(part.value)} ${unit}`
      return `<rect class="fill s${part.colour}" x="${px(start)}" width="${px(Math.max(0, x.at(at) - start))}" y="${top + 16}" height="16"><title>${told}</title></rect>`
    })
    return textAt(left, top + 11, `${name}: ${figure(sums[row])} ${unit}`, "start", "note") + rects.join("")
  })
  const axis = x.ticks.map(
    (tick) =>
      `<line class="grid" x1="${px(x.at(tick))}" x2="${px(x.at(tick))}" y1="8" y2="${bottom}"/>${textAt(x.at(tick), bottom + 14, tickText(tick), tick === 0 ? "start" : "middle")}`,
  )
  const title = textAt(right, bottom + 32, `mean ${unit}`, "end", "title")
  return svg("Where the time of an operation went", axis.join("") + rows.join("") + title, bottom + 38)
}

export interface Interval {
  readonly name: string
  readonly value: number
  readonly low: number
  readonly high: number
  /** Whether it can be told from 1. */
  readonly differs: boolean
}

/** Ratios with their intervals, around the line of 1 where both sides are alike. */
export function intervalsPlot(intervals: readonly Interval[], colour: number): string {
  const values = intervals.flatMap(({ low, high, value }) => [low, high, value]).filter((each) => each > 0)
  const reach = Math.max(1.25, ...values.map((value) => Math.max(value, 1 / value))) * 1.05
  const from = 190
  const x = logScale(1 / reach, reach, { from, to: right })
  const height = 26
  const bottom = 10 + height * intervals.length
  const rows = intervals.map(({ name, value, low, high, differs }, row) => {
    const y = 10 + height * (row + 0.5)
    const told = `${name}: ${value.toFixed(3)} (${low.toFixed(3)} to ${high.toFixed(3)})`
    return [
      textAt(from - 12, y + 4, name, "end", "note"),
      `<g class="interval s${colour}"><title>${told}</title>`,
      `<line x1="${px(x.at(low))}" x2="${px(x.at(high))}" y1="${px(y)}" y2="${px(y)}"/>`,
      `<circle class="${differs ? "solid" : "hollow"}" cx="${px(x.at(value))}" cy="${px(y)}" r="4.5"/></g>`,
    ].join("")
  })
  const ticks = [...new Set([...x.ticks, 1])].map(
    (tick) =>
      `<line class="${tick === 1 ? "axis" : "grid"}" x1="${px(x.at(tick))}" x2="${px(x.at(tick))}" y1="6" y2="${bottom}"/>${textAt(x.at(tick), bottom + 15, tickText(tick), "middle")}`,
  )
  const title = textAt(right, bottom + 33, "ratio, on a logarithmic axis", "end", "title")
  return svg("Ratios with their 95% intervals", ticks.join("") + rows.join("") + title, bottom + 40)
}
