// The screen: what is known and how it is looked at in, lines of exactly the terminal's width out. Nothing here reads a clock, a
// terminal or a socket.

import { clock, count } from "../../../admin/words/format.ts"
import { nodesText, stateWords } from "../../../admin/words/nodes.ts"
import { type Verdict, verdictOf } from "../../../admin/words/verdict.ts"
import { clientLines } from "./clients.ts"
import { failureLines } from "./failures.ts"
import { fitted, type Line, type Span, span } from "./line.ts"
import { panelLines } from "./panels.ts"
import type { TopState, View } from "./state.ts"
import { asciiOf, cellsOf, told } from "./text.ts"

/** As many lines as the view has rows, at most. */
export function screenOf(state: TopState, view: View): readonly Line[] {
  const { columns, rows, unicode } = view
  const top = headLines(state, view)
  const foot = view.keys ? [footLine(view)] : []
  const room = Math.max(0, rows - foot.length)
  const body = view.help ? helpLines : bodyLines(state, view, room - top.length)
  const lines = [...top, ...body].slice(0, room)
  // The keys stay at the lower end.
  const filled = foot.length === 0 ? lines : [...lines, ...Array.from({ length: room - lines.length }, () => [])]
  return [...filled, ...foot].map((line) =>
    fitted(
      line.map((each) => plainGlyphs(each, unicode)),
      columns,
      unicode,
    ),
  )
}

/** Our own words have thin spaces and such, too. */
function plainGlyphs({ text, style }: Span, unicode: boolean): Span {
  return { text: unicode ? text.replaceAll("\u202f", " ") : asciiOf(text), style }
}

/* ---------------------------------------------------------------- head and foot */

function headLines(state: TopState, view: View): Line[] {
  const { broker, place, now, interval } = state
  const left = [
    span("PureMQ", "bold"),
    span(` ${told(broker?.version ?? "", 20, view.unicode)}`),
    span(`  ${place}`, "dim"),
  ]
  const right = view.paused ? [span(" PAUSED ", "warn")] : [span(`every ${interval} s  `, "dim"), span(clock(now))]
  return [spread(left, right, view.columns), ...verdictLines(state, view), ...nodeLines(state, view)]
}

/** One, where the broker is not alone. */
function nodeLines({ nodes, link }: TopState, { unicode }: View): Line[] {
  if (nodes.length < 2 || link.state === "lost") return []
  const each = nodes.flatMap(({ name, state, clients }, at): Line => {
    const isThere = state === "this" || state === "there"
    const what = isThere ? count(clients) : stateWords[state]
    const text = `${told(name, 64, unicode)}${state === "this" ? " (this one)" : ""} ${what}`
    return [span(at === 0 ? "  " : ", ", "dim"), span(text, isThere ? "plain" : "look")]
  })
  return [[span("CLUSTER", "bold"), span(`  ${nodesText(nodes)}:`, "dim"), ...each]]
}

function spread(left: Line, right: Line, columns: number): Line {
  const used = [...left, ...right].reduce((sum, { text }) => sum + cellsOf(text), 0)
  if (used + 1 > columns) {
    const own = right.reduce((sum, { text }) => sum + cellsOf(text), 0)
    return [...fitted(left, Math.max(0, columns - own - 1), true), span(" "), ...right]
  }
  return [...left, span(" ".repeat(columns - used)), ...right]
}

function verdictLines(state: TopState, view: View): Line[] {
  const { link, broker, bridges, nodes, numbers, earlier, points, certificates, failures, refusals, now } = state
  if (link.state === "lost") return lostLines(link, state, view)
  if (broker === undefined) return [[span(" ... ", "warn"), span(` asking ${state.place}`)]]
  const lastPoint = points.at(-1)
  const verdict = verdictOf({
    broker,
    bridges,
    nodes,
    numbers,
    earlier,
    lastPoint,
    certificates,
    failures,
    refusals,
    now,
  })
  const [word, style] = tags[verdict.tone]
  const most = view.rows >= 36 ? 5 : view.rows >= 28 ? 3 : 1
  return [
    [span(` ${word} `, style), span(` ${told(verdict.sentence, 400, view.unicode)}`)],
    ...reasonLines(verdict, most, view.unicode),
  ]
}

const tags = { good: ["WELL", "well"], look: ["LOOK", "warn"], bad: ["BAD", "alarm"] } as const

function reasonLines({ reasons }: Verdict, most: number, unicode: boolean): Line[] {
  const lines = reasons
    .slice(0, most)
    .map(({ tone, text }): Line => [span(tone === "bad" ? " !! " : "  ! ", tone), span(told(text, 600, unicode), tone)])
  const left = reasons.length - lines.length
  if (left <= 0) return lines
  return [...lines.slice(0, -1), [...(lines.at(-1) ?? []), span(`  (and ${left} more)`, "dim")]]
}

function lostLines(link: TopState["link"] & { readonly state: "lost" }, state: TopState, view: View): Line[] {
  const seconds = Math.max(0, Math.round((link.again - state.now) / 1000))
  const again = seconds === 0 ? "asking again" : `asking again in ${seconds} s`
  const since = `since ${clock(link.since)}`
  return [
    [span(" AWAY ", "alarm"), span(` no answer ${since}, ${again}`, "bad")],
    ...wrapped(told(`${link.why}.`, 400, view.unicode), view.columns - 4).map(
      (line): Line => [span("    "), span(line)],
    ),
  ]
}

/** In lines of so many cells at most. */
function wrapped(text: string, cells: number): string[] {
  const lines: string[] = []
  let line = ""
  for (const word of text.split(" ")) {
    if (line !== "" && cellsOf(line) + 1 + cellsOf(word) > cells) {
      lines.push(line)
      line = word
    } else line = line === "" ? word : `${line} ${word}`
  }
  return [...lines, line].slice(0, 3)
}

function footLine({ sort, columns }: View): Line {
  const keys: readonly (readonly [key: string, what: string])[] = [
    ["q", "quit"],
    ["s", `sort (${sort})`],
    ["p", "pause"],
    ["up/down", "scroll"],
    ["?", "help"],
  ]
  const gap = columns < 70 ? " " : "   "
  return keys.flatMap(([key, what]) => [span(key, "bold"), span(` ${what}${gap}`, "dim")])
}

const helpLines: readonly Line[] = [
  [],
  ...[
    ["q, Ctrl-C", "quit"],
    ["s, S", "sort clients by the next column, the one before"],
    ["p, space", "pause, and go on"],
    ["up, down, k, j", "scroll the clients; PgUp and PgDn by ten; g to the top"],
    ["?, h", "this, and back"],
  ].map(([key = "", what = ""]): Line => [span(`  ${key.padEnd(16)}`, "bold"), span(what)]),
  [],
  ...[
    "waiting     messages at QoS 1 and 2 that wait for a client, or its acknowledgement",
    "queued      their memory",
    "unsent      bytes that were written for a client and that it has not taken",
    "in flight   sent at QoS 1 or 2, and not completely acknowledged",
    "loop delay  how late timers of the process were: for so long nobody was served (99 %)",
    "delivery    from a PUBLISH to the transport of a subscriber (99 % of a sample)",
    "TLS         1.3; with pq when it has a post-quantum group",
  ].map((text): Line => [span(`  ${text}`)]),
]

/* ---------------------------------------------------------------- body */

function bodyLines(state: TopState, view: View, room: number): Line[] {
  if (state.numbers === undefined) return []
  // Where there is room, parts stand apart.
  const gap: Line[] = view.rows >= 32 ? [[]] : []
  const panels = [...gap, ...panelLines(state, view, room - 3 * gap.length)]
  const left = room - panels.length
  const failures = apart(failureLines(state, view, left - gap.length), gap)
  const clients = apart(clientLines(state, view, left - failures.length - gap.length), gap)
  const lines = [...panels, ...failures, ...clients]
  return state.link.state === "lost" ? lines.map((line) => line.map(({ text }) => span(text, "dim"))) : lines
}

function apart(lines: readonly Line[], gap: readonly Line[]): readonly Line[] {
  return lines.length === 0 ? [] : [...gap, ...lines]
}
