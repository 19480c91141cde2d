// Numbers of a configuration, and what they may be.

import { checkRange, type Range } from "../bytes/range.ts"

/** The options that have a range are in it. @throws Misuse */
export function checkRanges(options: object, ranges: Readonly<Record<string, Range>>): void {
  for (const [name, value] of Object.entries(options)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined
    if (range !== undefined && value !== undefined) checkRange(value, range, name)
  }
}
