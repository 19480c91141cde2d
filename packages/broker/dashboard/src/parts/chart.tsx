// A chart of the last minutes. The lines are drawn by uPlot; names and values stand beside them as text.

import type { Signal } from "@preact/signals"
import { signal } from "@preact/signals"
import type { JSX } from "preact"
import { useEffect, useRef } from "preact/hooks"
import uPlot from "uplot"
import { clock } from "../../../src/admin/words/format.ts"
import type { Point } from "../../../src/admin/words/numbers.ts"
import { points } from "../live/broker.ts"
import { theme } from "../page/theme.ts"

export type Hue = "in" | "out" | "third" | "good" | "bad" | "look" | "soft"

export interface Line {
  /** In the values of a point. */
  readonly name: string
  readonly label: string
  readonly hue: Hue
}

interface Props {
  readonly title: string
  readonly lines: readonly Line[]
  readonly format: (value: number) => string
  /** What is drawn at least, so that next to nothing does not look like a lot. */
  readonly least: number
}

/** Milliseconds that charts show. */
export const span: Signal<number> = signal(300_000)
const leastSpan = 60_000
/** The moment that is pointed at, in all charts. */
const pointed: Signal<number | undefined> = signal(undefined)

export function Chart({ title, lines, format, least }: Props): JSX.Element {
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot | undefined>(undefined)
  const shown = points.value
  const milliseconds = span.value
  useEffect(() => {
    const element = place.current
    if (element === null) return undefined
    const made = new uPlot(optionsOf(element, lines, format, least), dataOf(points.peek(), lines), element)
    plot.current = made
    const sized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: element.clientHeight }))
    sized.observe(element)
    return () => {
      sized.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // The colours are read when it is made.
  }, [theme.value])
  useEffect(() => {
    const { current } = plot
    if (current === undefined) return
    const end = shown.at(-1)?.at ?? Date.now()
    current.setData(dataOf(shown, lines), false)
    // What has just begun fills the chart, too.
    const begin = Math.max(end - milliseconds, Math.min(shown[0]?.at ?? end, end - leastSpan))
    current.setScale("x", { min: begin / 1000, max: end / 1000 })
  }, [shown, milliseconds, theme.value])
  const at = pointed.value
  const told = at === undefined ? shown.at(-1) : shown[at]
  const texts = lines.map(({ name }) => textOf(told?.values[name], format))
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="legend">
          {lines.map(({ name, label, hue }, index) => (
            <li key={name}>
              <i class={`hue-${hue}`} aria-hidden="true" />
              <span>{label}</span> <b>{texts[index]}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div
        class="plot"
        ref={place}
        role="img"
        aria-label={`${title}, the last minutes as lines; the values of now stand above`}
      />
    </figure>
  )
}

function textOf(value: number | null | undefined, format: (value: number) => string): string {
  return value === undefined || value === null ? "–" : format(value)
}

function dataOf(all: readonly Point[], lines: readonly Line[]): uPlot.AlignedData {
  const times = all.map(({ at }) => at / 1000)
  return [times, ...lines.map(({ name }) => all.map(({ values }) => values[name] ?? null))]
}

function optionsOf(
  element: HTMLElement,
  lines: readonly Line[],
  format: (value: number) => string,
  least: number,
): uPlot.Options {
  const style = getComputedStyle(element)
  const colour = (name: string) => resolved(element, name)
  const font = `11px ${style.fontFamily}`
  const axis = { stroke: colour("soft"), font, ticks: { show: false } }
  const grid = { stroke: colour("grid"), width: 1 }
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    // To the right the last time of the axis has half of itself.
    padding: [6, 26, 0, 0],
    legend: { show: false },
    cursor: {
      sync: { key: "charts" },
      drag: { x: false, y: false },
      y: false,
      points: { size: 6 },
    },
    hooks: {
      setCursor: [
        ({ cursor: { idx } }) => {
          pointed.value = idx ?? undefined
        },
      ],
    },
    scales: {
      x: { time: true, auto: false },
      y: { range: (_, __, max) => [0, Math.max(least, (max ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 22,
        space: 78,
        values: ({ scales }, splits) => {
          const seconds = (scales["x"]?.max ?? 0) - (scales["x"]?.min ?? 0)
          return splits.map((at) => clock(at * 1000).slice(0, seconds < 200 ? 8 : 5))
        },
      },
      { ...axis, grid, size: 56, gap: 4, space: 36, values: (_, splits) => splits.map((value) => format(value)) },
    ],
    series: [
      {},
      ...lines.map(({ hue, label }) => ({
        label,
        stroke: colour(hue),
        width: 1.75,
        points: { show: false },
        spanGaps: false,
      })),
    ],
  }
}

/** A colour of the style sheet as one that a canvas takes. */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement("i")
  probe.style.color = `var(--${name})`
  element.append(probe)
  const { color } = getComputedStyle(probe)
  probe.remove()
  return color
}
