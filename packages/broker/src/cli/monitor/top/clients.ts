// The clients for which most waits. What a client chooses itself stands at the end of a line: a name that is written from right to left
// turns no number around.

import { bytes, count, duration, several, short, withoutPort } from "../../../admin/words/format.ts"
import { type Line, span } from "./line.ts"
import type { ClientRow, Sort, TopState, View } from "./state.ts"
import { clipped, padded, told } from "./text.ts"

interface Column {
  readonly title: string
  readonly cells: number
  readonly side: "left" | "right"
  readonly write: (client: ClientRow, now: number, unicode: boolean) => string
  /** Whose sign it has. */
  readonly sort?: Sort
  /** From this width of the terminal on. */
  readonly from: number
}

const columns: readonly Column[] = [
  { title: "WAITING", cells: 8, side: "right", from: 0, sort: "waiting", write: (one) => short(one.queuedMessages) },
  { title: "QUEUED", cells: 9, side: "right", from: 0, write: (one) => bytes(one.queuedBytes) },
  { title: "UNSENT", cells: 9, side: "right", from: 50, sort: "unsent", write: (one) => bytes(one.outboundBytes) },
  { title: "FLIGHT", cells: 8, side: "right", from: 72, sort: "in flight", write: (one) => short(one.inflight) },
  { title: "SUBS", cells: 7, side: "right", from: 84, sort: "subscriptions", write: (one) => short(one.subscriptions) },
  { title: "SINCE", cells: 9, side: "right", from: 92, sort: "since", write: (one, now) => sinceOf(one, now) },
  { title: "TLS", cells: 6, side: "left", from: 100, write: (one, _, unicode) => told(one.tls, 6, unicode) },
  {
    title: "ADDRESS",
    cells: 16,
    side: "left",
    from: 64,
    write: (one, _, unicode) => told(withoutPort(one.address), 50, unicode),
  },
  { title: "USER", cells: 14, side: "left", from: 116, write: (one, _, unicode) => told(one.user, 50, unicode) },
]
const last: Pick<Column, "title" | "sort"> = { title: "CLIENT", sort: "client" }

function sinceOf({ since }: ClientRow, now: number): string {
  const seconds = Math.floor((now - since) / 1000)
  // A clock that is a little behind says the same as one that is right.
  return Number.isNaN(seconds) ? "" : seconds < 1 ? "now" : duration(seconds)
}

export function clientLines(state: TopState, view: View, room: number): Line[] {
  if (room < 2) return []
  const { clients, now, broker } = state
  const { unicode } = view
  const seen = columns.filter(({ from }) => view.columns >= from)
  const sorted = sortedClients(clients, view.sort)
  const first = Math.max(0, Math.min(view.offset, sorted.length - (room - 2)))
  const head = [...seen, { ...last, cells: 0, side: "left" as const }].flatMap(({ title, cells, side, sort }) => {
    const isSorted = sort === view.sort
    const text = isSorted ? `${title}${unicode ? "\u25be" : "*"}` : title
    return [span(gapOf(side)), span(padded(text, cells, side), isSorted ? "bold" : "dim")]
  })
  const lines = sorted.slice(first, first + room - 2).map((client): Line => {
    const cells = seen.map(({ cells, side, write }) =>
      span(gapOf(side) + padded(clipped(write(client, now, unicode), cells, unicode), cells, side)),
    )
    return [...cells, span(`  ${told(client.clientId, 300, unicode)}`, "bold")]
  })
  const all = broker?.clients ?? sorted.length
  const of = clients.length < all ? `${count(clients.length)} of ${count(all)} looked at` : several(all, "client")
  const from = first === 0 ? "" : `, from the ${count(first + 1)}. on`
  const none = sorted.length === 0 ? [[span("  no client is connected", "dim")]] : lines
  return [[span("CLIENTS", "head"), span(`  ${of}, by ${view.sort}${from}`, "dim")], head, ...none]
}

/** Left ones need more room before them, as they follow right ones. */
function gapOf(side: "left" | "right"): string {
  return side === "left" ? "  " : ""
}

const keyOf: Readonly<Record<Exclude<Sort, "client">, (client: ClientRow) => number>> = {
  waiting: ({ queuedBytes, queuedMessages }) => queuedBytes + queuedMessages,
  unsent: ({ outboundBytes }) => outboundBytes,
  "in flight": ({ inflight }) => inflight,
  subscriptions: ({ subscriptions }) => subscriptions,
  since: ({ since }) => since,
}

export function sortedClients(clients: readonly ClientRow[], sort: Sort): readonly ClientRow[] {
  const byName = (a: ClientRow, b: ClientRow) => (a.clientId < b.clientId ? -1 : Number(a.clientId > b.clientId))
  if (sort === "client") return [...clients].sort(byName)
  const key = keyOf[sort]
  return [...clients].sort((a, b) => key(b) - key(a) || byName(a, b))
}
