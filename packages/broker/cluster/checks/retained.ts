// The last retained message of each topic, on every node; what was taken away is gone.

import type { Said } from "../history.ts"
import { type Check, grouped, several } from "./check.ts"

/** How the payload of a message is written. */
type Text = (said: Said) => string

export function retainedCheck(textOf: Text): Check {
  return function* (history, words) {
    const topics = grouped(history.said, ({ retain, topic }) => (retain ? topic : undefined))
    for (const { node, found } of history.retained) {
      const wrong = [...topics].filter(([topic, said]) => !allowed(said, textOf).has(found.get(topic)))
      yield* several(`${node} does not have the last retained message`, wrong, ([topic, said]) => {
        const last = lastKept(said)
        const has = found.get(topic)
        const wanted = last === undefined ? "nothing was acknowledged" : words.said(last)
        const what = last?.removal ? "takes it away" : "is the last"
        return `${topic}: ${has === undefined ? "there is none" : `"${has}"`}, and ${wanted} ${what}${words.faults(last?.at ?? 0)}`
      })
      const none = [...found.keys()].filter((topic) => topic.startsWith("retained/") && !topics.has(topic))
      yield* several(`${node} retains what nobody has said`, none, (topic) => `${topic}: "${found.get(topic)}"`)
    }
  }
}

/** What may be there: the last that was acknowledged, or what was said after it and never answered. */
function allowed(said: readonly Said[], textOf: Text): ReadonlySet<string | undefined> {
  const last = lastKept(said)
  const open = said.filter(({ count, refused }) => count > (last?.count ?? 0) && !refused)
  const texts = [last, ...open].map((one) => (one === undefined || one.removal ? undefined : textOf(one)))
  return new Set(texts)
}

function lastKept(said: readonly Said[]): Said | undefined {
  return said.filter(({ acknowledgedAt }) => acknowledgedAt !== undefined).reduce<Said | undefined>(later, undefined)
}

function later(a: Said | undefined, b: Said): Said {
  return a !== undefined && a.count > b.count ? a : b
}
