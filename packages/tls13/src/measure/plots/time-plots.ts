// What happened over the time of a run: operations a second, and latency as box plots.

import type { Slice } from "../report.ts"
import { figure } from "../text-table.ts"
import { framed, path, plotX, plotY, px } from "./frame.ts"
import { linearScale, logScale } from "./scale.ts"

export interface TimeSeries {
  readonly name: string
  readonly colour: number
  readonly slices: readonly Slice[]
}

/** @param operation what is counted, such as handshake */
export function throughputPlot(all: readonly TimeSeries[], operation: string): string {
  const ends = all.flatMap(({ slices }) => slices.map(({ at, seconds }) => at + seconds))
  const rates = all.flatMap(({ slices }) => slices.map(rateOf))
  const x = linearScale(Math.max(...ends, 0.1), plotX)
  const y = linearScale(Math.max(...rates, 1), plotY)
  const lines = all.map(({ name, colour, slices }) => {
    const points = slices.map((slice) => [x.at(slice.at + slice.seconds / 2), y.at(rateOf(slice))] as const)
    const dots = slices.map((slice, i) => {
      const told = `${name}, ${figure(slice.at)} s: ${figure(rateOf(slice))}/s${slice.failed > 0 ? `, ${slice.failed} failed` : ""}`
      const [cx, cy] = points[i]!
      const kind = slice.failed > 0 ? "failed" : `dot s${colour}`
      return `<circle class="${kind}" cx="${px(cx)}" cy="${px(cy)}" r="${slice.failed > 0 ? 4 : 2.2}"><title>${told.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</title></circle>`
    })
    return `<path class="line s${colour}" d="${path(points)}"/>${dots.join("")}`
  })
  return framed({
    label: `${operation}s a second over the time of the run`,
    x: { scale: x, title: "seconds since the measurement began" },
    y: { scale: y, title: `${operation}s a second` },
    body: lines.join(""),
  })
}

function rateOf({ completed, seconds }: Slice): number {
  return seconds > 0 ? completed / seconds : 0
}

/** Boxes are the quartiles with the median in them, whiskers reach to the least and to p99, a dot is the most. */
export function boxesPlot({ name, colour, slices }: TimeSeries): string {
  const known = slices.filter(({ latency }) => latency !== null)
  const values = known.flatMap(({ latency }) => latency!)
  const [least, most] = [Math.min(...values.filter((value) => value > 0)), Math.max(...values)]
  const last = slices[slices.length - 1]
  const x = linearScale(last === undefined ? 1 : last.at + last.seconds, plotX)
  const isWide = Number.isFinite(least) && most / least > 20
  const y = isWide ? logScale(least / 1.1, most * 1.1, plotY) : linearScale(Number.isFinite(most) ? most : 1, plotY)
  const boxes = known.map(({ at, seconds, latency }) => {
    const [min, q1, p50, q3, p99, max] = latency!
    const [left, right] = [x.at(at), x.at(at + seconds)]
    const gap = Math.min(2.5, (right - left) * 0.2)
    const middle = (left + right) / 2
    const up = (value: number) => px(y.at(value))
    const told = `${figure(at)} s: least ${figure(min)}, quartiles ${figure(q1)} ${figure(p50)} ${figure(q3)}, p99 ${figure(p99)}, most ${figure(max)} ms`
    return [
      `<g class="box s${colour}"><title>${told}</title>`,
      `<line x1="${px(middle)}" x2="${px(middle)}" y1="${up(min)}" y2="${up(p99)}"/>`,
      `<rect x="${px(left + gap)}" width="${px(right - left - 2 * gap)}" y="${up(q3)}" height="${px(Math.max(0.5, y.at(q1) - y.at(q3)))}"/>`,
      `<line class="middle" x1="${px(left + gap)}" x2="${px(right - gap)}" y1="${up(p50)}" y2="${up(p50)}"/>`,
      `<circle cx="${px(middle)}" cy="${up(max)}" r="1.7"/></g>`,
    ].join("")
  })
  return framed({
    label: `Latency over the time of the run, ${name}`,
    x: { scale: x, title: "seconds since the measurement began" },
    y: { scale: y, title: isWide ? "milliseconds, on a logarithmic axis" : "milliseconds" },
    body: boxes.join(""),
  })
}
