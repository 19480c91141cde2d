// Which options there are, by their paths: `limits.maximumConnections`, `listeners.*.cert`.

import { options } from "../schema/options.ts"
import { type Below, stepTo, topOf } from "../schema/paths.ts"

export function knownPath(path: string): boolean {
  let below: Below = topOf(options)
  for (const name of path.split(".")) {
    const step = stepTo(below, name)
    if (step === undefined) return false
    below = step.below
  }
  return true
}
