// Other limits for a running broker: what it takes of them, and a line of the log about that.

import type { Limits } from "../session/limits.ts"
import type { Reread } from "./reread.ts"
import { limitOptions, namesOf } from "./schema/limits.ts"

/** Those that hold after a reload: the new ones, but for what is taken at the next start only. */
export function limitsAfter(before: Limits, next: Limits): Limits {
  const after: { -readonly [Name in keyof Limits]: number } = { ...next }
  for (const name of namesOf(after)) if (limitOptions[name]?.reload === undefined) after[name] = before[name]
  return after
}

/** Nothing, or `limits: maximumConnections 100000 -> 5000, receiveMaximum 10000 -> 20 for new connections`. */
export function rereadLimits(before: Limits, after: Limits): Reread[] {
  const changes = namesOf(after).flatMap((name) => {
    if (before[name] === after[name]) return []
    const whom = limitOptions[name]?.reload === "new connections" ? " for new connections" : ""
    return [`${name} ${before[name]} -> ${after[name]}${whom}`]
  })
  return changes.length === 0 ? [] : [{ text: `limits: ${changes.join(", ")}`, changed: true }]
}
