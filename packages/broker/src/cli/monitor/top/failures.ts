// Which handshakes and logins fail, and why: counted by reason, with the last one in words.

import { failureLabel } from "../../../admin/handshake-counts.ts"
import type { HandshakeFailureModel, RefusalModel } from "../../../admin/http/model.ts"
import { explain } from "../../../admin/words/failures.ts"
import { clock, count, withoutPort } from "../../../admin/words/format.ts"
import { lately } from "../../../admin/words/history.ts"
import { grownSince } from "../../../admin/words/numbers.ts"
import { type Line, span } from "./line.ts"
import type { TopState, View } from "./state.ts"
import { clipped, padded, told } from "./text.ts"

interface Reason {
  readonly times: number
  readonly name: string
  readonly at: number | undefined
  readonly text: string
}

export function failureLines(state: TopState, view: View, room: number): Line[] {
  if (room < 4 || state.numbers === undefined) return []
  const reasons = [...failedHandshakes(state, view), ...refusedLogins(state, view)].sort((a, b) => b.times - a.times)
  // Half of what is left is the clients'.
  const most = Math.max(1, Math.min(8, Math.floor((room - 2) / 3)))
  const lines = reasons.slice(0, reasons.length > most ? most - 1 : most).map((reason) => reasonLine(reason, view))
  const left = reasons.slice(lines.length)
  const others = left.reduce((sum, { times }) => sum + times, 0)
  const rest: Line[] =
    left.length === 0 ? [] : [[span(padded(count(others), 6, "right"), "dim"), span("  for other reasons", "dim")]]
  return [titleLine(state), ...lines, ...rest]
}

function titleLine(state: TopState): Line {
  const { numbers, earlier } = state
  const agreed = numbers?.agreed ?? { all: 0, resumed: 0, postQuantum: 0 }
  const before = earlier?.agreed ?? agreed
  const all = agreed.all - before.all
  const share = (name: "resumed" | "postQuantum") => `${Math.round((100 * (agreed[name] - before[name])) / all)} %`
  const minutes = numbers === undefined || earlier === undefined ? 0 : Math.round((numbers.at - earlier.at) / 60_000)
  const since = `in ${Math.max(1, minutes)} min`
  const failures = failedByReason(state).reduce((sum, { times }) => sum + times, 0)
  const how = all > 0 ? `, ${share("postQuantum")} post-quantum, ${share("resumed")} resumed` : ""
  const failed = `  ${count(failures)} failed in 5 min`
  return [
    span("HANDSHAKES", "head"),
    span(failed, failures > 0 ? "look" : "dim"),
    span(`; ${count(all)} ok ${since}${how}`, "dim"),
  ]
}

interface Failed {
  readonly name: string
  readonly times: number
  readonly last: HandshakeFailureModel | undefined
}

/** By the metrics all are counted, but since it was begun to look; the API has the last ones, of before too. */
function failedByReason({ numbers, earlier, failures, now }: TopState): readonly Failed[] {
  const grown = new Map(grownSince(numbers?.handshakeFailures ?? {}, earlier?.handshakeFailures ?? {}))
  const listed = failures.filter(({ at }) => now - Date.parse(at) < lately)
  const names = new Set([...grown.keys(), ...listed.map(labelOf)])
  return [...names].map((name) => {
    const own = listed.filter((failure) => labelOf(failure) === name)
    return { name, times: Math.max(own.length, grown.get(name) ?? 0), last: own[0] }
  })
}

function failedHandshakes(state: TopState, { unicode }: View): Reason[] {
  return failedByReason(state).map(({ name, times, last }) => {
    const text = last === undefined ? "" : told(explain(last).what, 300, unicode)
    return { times, name: told(name, 40, unicode), at: last && Date.parse(last.at), text }
  })
}

/** As the metrics count it. */
function labelOf({ alert, turnedAway: limit, fault, reason }: HandshakeFailureModel): string {
  return failureLabel({ alert, limit, fault, reason })
}

function refusedLogins({ refusals, now }: TopState, { unicode }: View): Reason[] {
  const logins = refusals.filter(({ kind, at }) => kind === "login" && now - Date.parse(at) < lately)
  const byReason = new Map<string, RefusalModel[]>()
  for (const login of logins) byReason.set(login.reason, [...(byReason.get(login.reason) ?? []), login])
  return [...byReason.values()].flatMap((all) => {
    const [last] = all
    if (last === undefined) return []
    const { peer, clientId, user, reason, at } = last
    const as = user === undefined || user === "" ? "" : ` as ${told(user, 40, unicode)}`
    const who = clientId === "" ? "" : ` (${told(clientId, 40, unicode)})`
    // Without the number of the sentence of MQTT that it is from.
    const why = told(reason.replace(/ *\[[^\]]*\]$/, ""), 160, unicode)
    const text = `${told(withoutPort(peer), 50, unicode)}${as}${who}: ${why}`
    return [{ times: all.length, name: "login refused", at: Date.parse(at), text }]
  })
}

function reasonLine({ times, name, at, text }: Reason, { columns, unicode }: View): Line {
  const nameCells = columns < 80 ? 18 : 24
  const time = columns < 80 ? "" : at === undefined || Number.isNaN(at) ? " ".repeat(10) : `${clock(at)}  `
  return [
    span(padded(count(times), 6, "right"), "look"),
    span(`  ${padded(clipped(name, nameCells, unicode), nameCells)}  `),
    span(time, "dim"),
    span(text),
  ]
}
