// All checks by name, and what they find in a history.

import { textOf } from "../../crash/said.ts"
import type { History } from "../history.ts"
import type { Check } from "./check.ts"
import { doubled, foreign, lost, order } from "./delivered.ts"
import { retainedCheck } from "./retained.ts"
import { served, sessions } from "./served.ts"
import { shared } from "./shared.ts"
import { wills } from "./wills.ts"
import { Words } from "./words.ts"

/** In the order in which they are told. */
export const checks = {
  lost,
  doubled,
  order,
  foreign,
  sessions,
  served,
  shared,
  wills,
  retained: retainedCheck(textOf),
} as const satisfies Record<string, Check>

export type CheckName = keyof typeof checks
export const checkNames: readonly CheckName[] = Object.keys(checks) as CheckName[]

/** Findings by the name of their check; an empty list where all is well. */
export function checked(
  history: History,
  names: readonly CheckName[] = checkNames,
): ReadonlyMap<CheckName, readonly string[]> {
  const words = new Words(history)
  return new Map(names.map((name) => [name, [...checks[name](history, words)]]))
}
