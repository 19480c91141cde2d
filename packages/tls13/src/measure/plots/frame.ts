// What all plots share: size, axes, grid, legend. SVG without a size of its own, coloured by the classes of the page it stands in.

import { escapeText } from "../page/html.ts"
import { type Extent, type Scale, tickText } from "./scale.ts"

export const size = { width: 560, height: 280 } as const
const margin = { left: 52, right: 16, top: 30, bottom: 42 } as const

export const plotX: Extent = { from: margin.left, to: size.width - margin.right }
/** Upwards. */
export const plotY: Extent = { from: size.height - margin.bottom, to: margin.top }

export interface Axis {
  readonly scale: Scale
  readonly title: string
  /** Instead of the number. */
  readonly text?: (value: number) => string
}

export interface Frame {
  /** What it shows, for who does not see it. */
  readonly label: string
  readonly x: Axis
  readonly y: Axis
  /** The marks. */
  readonly body: string
}

export function framed({ label, x, y, body }: Frame): string {
  const grid = y.scale.ticks
    .map(
      (tick) =>
        `<line class="grid" x1="${plotX.from}" x2="${plotX.to}" y1="${px(y.scale.at(tick))}" y2="${px(y.scale.at(tick))}"/>`,
    )
    .join("")
  const yText = y.scale.ticks
    .map((tick) => textAt(plotX.from - 8, y.scale.at(tick) + 4, (y.text ?? tickText)(tick), "end"))
    .join("")
  const xText = x.scale.ticks
    .map(
      (tick) =>
        `<line class="tick" x1="${px(x.scale.at(tick))}" x2="${px(x.scale.at(tick))}" y1="${plotY.from}" y2="${plotY.from + 4}"/>${textAt(x.scale.at(tick), plotY.from + 17, (x.text ?? tickText)(tick), "middle")}`,
    )
    .join("")
  return svg(
    label,
    [
      grid,
      yText,
      xText,
      `<line class="axis" x1="${plotX.from}" x2="${plotX.to}" y1="${plotY.from}" y2="${plotY.from}"/>`,
      textAt(plotX.from - 40, 16, y.title, "start", "title"),
      textAt(plotX.to, size.height - 6, x.title, "end", "title"),
      body,
    ].join(""),
  )
}

export function svg(label: string, body: string, height: number = size.height): string {
  return `<svg role="img" aria-label="${escapeText(label)}" viewBox="0 0 ${size.width} ${height}">${body}</svg>`
}

export function textAt(
  x: number,
  y: number,
  text: string,
  anchor: "start" | "middle" | "end",
  kind: string = "label",
): string {
  return `<text class="${kind}" x="${px(x)}" y="${px(y)}" text-anchor="${anchor}">${escapeText(text)}</text>`
}

/** A place in a drawing, to a tenth. */
export function px(value: number): string {
  return String(Math.round(value * 10) / 10)
}

export function path(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${px(x)} ${px(y)}`).join("")
}
