// The flights of a connection in time, down the page: TCP first, then the handshake, and the first data.

import type { JSX } from "preact"
import { type ConnectionCost, type WaterfallRow, waterfallOf } from "../knowledge/cost.ts"
import { bytesText } from "../words/names.ts"

interface Props {
  readonly cost: ConnectionCost
  readonly title: string
  /** Milliseconds. */
  readonly roundTrip: number
}

/** Flights that are drawn. */
const flightsShown = 5
/** Of the drawing: where the ends stand, and half a round trip. */
const client = 44
const server = 316
const half = 36
const top = 14

export function Waterfall({ cost, title, roundTrip }: Props): JSX.Element {
  const rows = waterfallOf(cost, roundTrip).slice(0, flightsShown + 1)
  const halves = Math.max(...rows.map(halfOf)) + 1
  const bottom = top + half * halves
  return (
    <figure class="waterfall">
      <figcaption>{title}</figcaption>
      <svg viewBox={`0 0 360 ${bottom + 12}`} aria-hidden="true">
        <line class="of-client life" x1={client} y1={top - 6} x2={client} y2={bottom + 6} />
        <line class="of-server life" x1={server} y1={top - 6} x2={server} y2={bottom + 6} />
        {rows.map((row) => (
          <Flight key={`${row.flight} ${row.from}`} row={row} roundTrip={roundTrip} />
        ))}
      </svg>
      <ol class="sr">
        {rows.map((row) => (
          <li key={`${row.flight} ${row.from}`}>
            {row.titles.join(", ")}: leaves after {row.leaves} ms, arrives after {row.arrives} ms,{" "}
            {bytesText(row.bytes)}
          </li>
        ))}
      </ol>
    </figure>
  )
}

/** Half round trips after the client began; TCP takes two of them, and counts by its second. */
function halfOf({ flight }: WaterfallRow): number {
  return flight === undefined ? 1 : flight + 2
}

function Flight({ row, roundTrip }: { readonly row: WaterfallRow; readonly roundTrip: number }): JSX.Element {
  const { flight, from, titles, bytes, arrives } = row
  if (flight === undefined) {
    return (
      <g class="of-wire">
        <path class="flight" d={`M${client} ${top}L${server} ${top + half}L${client} ${top + 2 * half}`} />
        <Along begin={top} isBack={false} text="TCP: one round trip" />
        <Time isAtServer={false} y={top} milliseconds={0} />
        <Time isAtServer={false} y={top + 2 * half} milliseconds={roundTrip} />
      </g>
    )
  }
  const begin = top + halfOf(row) * half
  const isBack = from === "server"
  const [x1, x2] = isBack ? [server, client] : [client, server]
  const named = titles.filter((name) => name !== "change_cipher_spec")
  const text = `${named.slice(0, 2).join(", ")}${named.length > 2 ? " …" : ""} · ${bytes.toLocaleString("en")} B`
  return (
    <g class={`of-${from}`}>
      <path class="flight" d={`M${x1} ${begin}L${x2} ${begin + half}`} />
      <Along begin={begin} isBack={isBack} text={text} />
      <Time isAtServer={!isBack} y={begin + half} milliseconds={arrives} />
    </g>
  )
}

/** A text above its line, as steep as the line. */
function Along({
  begin,
  isBack,
  text,
}: {
  readonly begin: number
  readonly isBack: boolean
  readonly text: string
}): JSX.Element {
  const angle = (Math.atan2(half, server - client) * 180) / Math.PI
  const [x, y] = [(client + server) / 2, begin + half / 2]
  return (
    <text x={x} y={y - 4} text-anchor="middle" transform={`rotate(${isBack ? -angle : angle} ${x} ${y})`}>
      {text}
    </text>
  )
}

interface TimeProps {
  readonly isAtServer: boolean
  readonly y: number
  readonly milliseconds: number
}

function Time({ isAtServer, y, milliseconds }: TimeProps): JSX.Element {
  return (
    <text class="time" x={isAtServer ? server + 6 : client - 6} y={y + 3} text-anchor={isAtServer ? "start" : "end"}>
      {milliseconds} ms
    </text>
  )
}
