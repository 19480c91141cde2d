// How a figure grows with a size: a curve a subject, with the quartiles of each point.

import { escapeText } from "../page/html.ts"
import { boxOf } from "../quantiles.ts"
import { figure } from "../text-table.ts"
import { framed, path, plotX, plotY, px } from "./frame.ts"
import { linearScale, logScale, type Scale } from "./scale.ts"

export interface Curve {
  readonly name: string
  /** 0, 1, ...: which of the page's colours. */
  readonly colour: number
  /** By `x`, ascending; `values` at least one. */
  readonly points: readonly { readonly x: number; readonly values: readonly number[] }[]
}

export interface GrowthPlot {
  /** What it shows, for who does not see it. */
  readonly label: string
  readonly x: string
  readonly y: string
  /** Instead of the number. */
  readonly xText?: (value: number) => string
}

/** Axes are logarithmic where values are more than a power of ten apart. Ticks of `x` are at its points. */
export function growthPlot(curves: readonly Curve[], { label, x: xTitle, y: yTitle, xText }: GrowthPlot): string {
  const places = [...new Set(curves.flatMap(({ points }) => points.map(({ x }) => x)))].sort((a, b) => a - b)
  const values = curves.flatMap(({ points }) => points.flatMap((point) => point.values))
  if (places.length === 0) return ""
  const x = axisAt(places)
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const isWide = least > 0 && most / least > 12
  const y = isWide ? logScale(least / 1.2, most * 1.2, plotY) : linearScale(most, plotY)
  return framed({
    label,
    x: { scale: x, title: xTitle, text: xText ?? figure },
    y: { scale: y, title: isWide ? `${yTitle}, on a logarithmic axis` : yTitle },
    body: curves.map((curve) => curveMarks(curve, x, y)).join(""),
  })
}

function axisAt(places: readonly number[]): Scale {
  const [first, last] = [places[0]!, places[places.length - 1]!]
  const inner = { from: plotX.from + 14, to: plotX.to - 14 }
  if (first > 0 && last / first > 12) return { ...logScale(first, last, inner), ticks: places }
  const share = (value: number) => (last === first ? 0.5 : (value - first) / (last - first))
  return { at: (value) => inner.from + share(value) * (inner.to - inner.from), ticks: places }
}

function curveMarks({ name, colour, points }: Curve, x: Scale, y: Scale): string {
  const boxes = points.map(({ x: place, values }) => ({ place, box: boxOf(values)! }))
  const line = path(boxes.map(({ place, box }) => [x.at(place), y.at(box.median)] as const))
  const marks = boxes.map(({ place, box }) => {
    const [at, told] = [px(x.at(place)), `${name}, ${figure(place)}: ${figure(box.median)}`]
    const spread = `<line class="quartiles" x1="${at}" x2="${at}" y1="${px(y.at(box.q1))}" y2="${px(y.at(box.q3))}"/>`
    const dot = `<circle class="dot" cx="${at}" cy="${px(y.at(box.median))}" r="3"/>`
    return `<g><title>${escapeText(told)}</title>${spread}${dot}</g>`
  })
  return `<g class="curve s${colour}"><path class="line" d="${line}"/>${marks.join("")}</g>`
}
