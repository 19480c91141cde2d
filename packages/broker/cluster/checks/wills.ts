// A will is published once: by whichever node, when its client is lost and not back in time; and not when it has said good-bye.

import type { History, Will } from "../history.ts"
import { type Check, grouped, several } from "./check.ts"
import { matches, seconds, type Words } from "./words.ts"

/** Milliseconds after the end of a connection in which a fault leaves open what the broker heard. */
const margin = 1000

type Fate = "must" | "may" | "never"

export const wills: Check = function* (history, words) {
  const got = grouped(history.got, (one) => (one.taken && one.count === undefined ? one.clientId : undefined))
  for (const { clientId, filters } of history.subscriptions) {
    const theirs = history.wills.filter(({ topic }) => filters.some((filter) => matches(filter, topic)))
    const times = grouped(got.get(clientId) ?? [], ({ payload }) => payload)
    const of = (will: Will) => times.get(will.payload) ?? []
    const tell = (will: Will) => described(will, words)
    const missing = theirs.filter((will) => fateOf(will, history) === "must" && of(will).length === 0)
    yield* several(`${clientId} did not get wills`, missing, tell)
    const wrong = theirs.filter((will) => fateOf(will, history) === "never" && of(will).length > 0)
    yield* several(`${clientId} got wills that must not be published`, wrong, (will) => {
      return `${tell(will)}; it came ${words.got(of(will)[0]!)}`
    })
    const twice = theirs.filter((will) => will.qos === 2 && of(will).length > 1)
    yield* several(`${clientId} got wills more than once`, twice, (will) => {
      const at = of(will).map((one) => words.got(one))
      return `${tell(will)}; it came ${at.join(" and ")}`
    })
  }
  for (const { node, found } of history.retained) {
    const wanted = history.wills.filter((will) => will.retain && fateOf(will, history) === "must")
    const gone = wanted.filter(({ topic, payload }) => found.get(topic) !== payload)
    yield* several(`${node} does not have retained wills`, gone, (will) => described(will, words))
    const none = history.wills.filter(({ topic, retain }) => !retain && found.has(topic))
    yield* several(`${node} retains wills that are not to be`, none, (will) => described(will, words))
  }
}

export function fateOf(will: Will, history: History): Fate {
  const { connectedAt, end, backAt, delay, node } = will
  if (connectedAt === undefined || end === undefined) return "may"
  if (end.how === "good-bye") {
    const theirs = history.faults.filter(({ nodes }) => nodes.length === 0 || nodes.includes(node))
    const near = theirs.some(({ from, to }) => from - margin <= end.at && end.at <= (to ?? Infinity))
    return near ? "may" : "never"
  }
  if (backAt === undefined) return "must"
  if (backAt > end.at + delay) return "may"
  // A node that is cut off, or stands still, may have lost its client for the others before the client knew it.
  const hidden = history.faults.filter(({ nodes, what }) => nodes.includes(node) && !/killed|stopped/.test(what))
  return hidden.some(({ from, to }) => from <= backAt && connectedAt <= (to ?? Infinity)) ? "may" : "never"
}

function described({ payload, node, connectedAt, end, backAt, delay }: Will, words: Words): string {
  const delayed = delay > 0 ? `, delay ${seconds(delay)}` : ""
  const ended = end === undefined ? "" : `, ${end.how} at ${seconds(end.at)}`
  const back = backAt === undefined ? "" : `, back at ${seconds(backAt)}`
  return `"${payload}"${delayed}, of a client of ${node} from ${seconds(connectedAt ?? 0)}${ended}${back}${words.faults(end?.at ?? 0)}`
}
