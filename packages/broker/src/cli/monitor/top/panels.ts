// Numbers in boxes beside each other: what each is now, and how it went.

import { bytes, count, duration, short } from "../../../admin/words/format.ts"
import { type Point, waitingOf } from "../../../admin/words/numbers.ts"
import { fitted, type Line, type Span, span } from "./line.ts"
import type { TopState, View } from "./state.ts"
import { padded } from "./text.ts"

interface Row {
  readonly label: string
  /** Undefined: not known yet. */
  readonly value: string | undefined
  /** Which value of the points its line is drawn of; undefined: none. */
  readonly series: string | undefined
  readonly style: Span["style"]
}

interface Panel {
  readonly title: string
  readonly rows: readonly Row[]
}

export function panelLines(state: TopState, view: View, room: number): Line[] {
  const { columns } = view
  const across = columns >= 132 ? 4 : columns >= 56 ? 2 : 1
  const all = panelsOf(state)
  const down = Math.ceil(all.length / across)
  // At least a few clients have their place, too.
  const most = Math.floor((room - (room >= 16 ? 7 : 3)) / down) - 1
  const rows = Math.max(1, Math.min(5, most))
  const gap = 2
  const width = Math.floor((columns - gap * (across - 1)) / across)
  const lines: Line[] = []
  for (let first = 0; first < all.length; first += across) {
    const beside = all.slice(first, first + across)
    lines.push(joined(beside.map(({ title }) => [span(title, "head")])))
    for (let row = 0; row < rows; row++) lines.push(joined(beside.map((panel) => rowLine(panel.rows[row], width))))
  }
  return lines

  function joined(parts: readonly Line[]): Line {
    return parts.flatMap((part, i) => [
      ...(i === 0 ? [] : [span(" ".repeat(gap))]),
      ...fitted(part, width, view.unicode),
    ])
  }

  function rowLine(row: Row | undefined, cells: number): Line {
    if (row === undefined) return []
    const { label, value = "-", series, style } = row
    const spark = Math.max(0, Math.min(60, cells - labelCells - valueCells - 2))
    const drawn = series === undefined ? "" : sparkline(state.points, series, spark, view.unicode)
    return [
      span(padded(` ${label}`, labelCells), "dim"),
      span(padded(value, valueCells, "right"), style),
      span(` ${drawn}`, style === "plain" ? "good" : style),
    ]
  }
}

const labelCells = 12
const valueCells = 10

function panelsOf({ numbers, points }: TopState): readonly Panel[] {
  const last = points.at(-1)?.values ?? {}
  const plain = numbers?.plain ?? {}
  const of = (name: string, write: (value: number) => string) => {
    const value = last[name]
    return value === undefined || value === null ? undefined : write(value)
  }
  const rate = (label: string, series: string, style: Span["style"] = "plain"): Row => ({
    label,
    series,
    value: of(series, (value) => `${short(value)}/s`),
    style: (last[series] ?? 0) > 0 ? style : "plain",
  })
  const level = (label: string, name: string, write: (value: number) => string): Row => ({
    label,
    series: last[name] === undefined ? undefined : name,
    value: plain[name] === undefined ? undefined : write(plain[name]),
    style: "plain",
  })
  const time = (label: string, series: string, bad: number): Row => ({
    label,
    series,
    value: of(series, duration),
    style: (last[series] ?? 0) >= bad ? "look" : "plain",
  })
  const waiting = numbers === undefined ? undefined : short(waitingOf(numbers))
  const resident = numbers?.residentBytes
  return [
    {
      title: "TRAFFIC",
      rows: [
        rate("msgs in", "publishReceived"),
        rate("msgs out", "publishSent"),
        { ...rate("bytes in", "bytesReceived"), value: of("bytesReceived", (value) => `${bytes(value)}/s`) },
        { ...rate("bytes out", "bytesSent"), value: of("bytesSent", (value) => `${bytes(value)}/s`) },
        rate("dropped", "dropped", "look"),
      ],
    },
    {
      title: "CONNECTIONS",
      rows: [
        level("clients", "clientsConnected", count),
        rate("TLS ok", "handshakes"),
        rate("TLS failed", "handshakeFailures", "look"),
        rate("refused", "connectsRefused", "look"),
        level("pending", "handshakesPending", count),
      ],
    },
    {
      title: "QUEUES",
      rows: [
        { label: "waiting", value: waiting, series: "waiting", style: "plain" },
        level("queued", "queuedBytes", bytes),
        level("in flight", "inflightMessages", short),
        level("unsent", "outboundBytes", bytes),
        level("retained", "retainedMessages", count),
      ],
    },
    {
      title: "PROCESS",
      rows: [
        time("loop delay", "eventLoopDelay99", 0.25),
        {
          label: "CPU",
          value: of("cpu", (value) => `${count(Math.round(value * 100))} %`),
          series: "cpu",
          style: "plain",
        },
        {
          label: "resident",
          value: resident === undefined ? undefined : bytes(resident),
          series: "residentBytes",
          style: "plain",
        },
        level("heap", "heapBytes", bytes),
        time("delivery", "delivery99", 1),
      ],
    },
  ]
}

const blocks = ["\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"] as const
const ascii = ["_", ".", ":", "-", "=", "+", "*", "#"] as const

/** The last points, the newest at the right, from 0 to the largest of them; a gap where nothing was seen. */
export function sparkline(points: readonly Point[], series: string, cells: number, unicode: boolean): string {
  if (cells < 1) return ""
  const values = points.slice(-cells).map(({ values }) => values[series] ?? undefined)
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  const glyphs = unicode ? blocks : ascii
  const drawn = values.map((value) => {
    if (value === undefined) return " "
    return glyphs[most === 0 ? 0 : Math.min(7, Math.round((value / most) * 7))] ?? " "
  })
  return drawn.join("").padStart(cells)
}
