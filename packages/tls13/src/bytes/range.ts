import { Misuse } from "./errors.ts"

export type Range = readonly [least: number, most: number]

/** @throws Misuse for what is no whole number of the range, ends included */
export function checkRange(value: unknown, [least, most]: Range, what: string): void {
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
    throw new Misuse(`${what} is ${value}; it must be a whole number from ${least} to ${most}`)
  }
}
