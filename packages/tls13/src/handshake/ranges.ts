// Numbers of a configuration, and what they may be.

import { Misuse } from "../bytes/errors.ts"

export type Range = readonly [least: number, most: number]

/** @throws Misuse */
export function checkRange(value: unknown, [least, most]: Range, what: string): void {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new Misuse(`${what} is ${value}; it must be a whole number from ${least} to ${most}`)
  }
}

/** The options that have a range are in it. @throws Misuse */
export function checkRanges(options: object, ranges: Readonly<Record<string, Range>>): void {
  for (const [name, value] of Object.entries(options)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined
    if (range !== undefined && value !== undefined) checkRange(value, range, name)
  }
}
