// What a row is, and what rows look with.

import { pause } from "../hostile/wire/client.ts"
import type { World } from "./world.ts"

export interface Row {
  readonly name: string
  /** A program that it needs beside the host. */
  readonly needs?: string
  readonly needsSignals?: boolean
  /** Why it cannot be tried on this machine; undefined: it can. */
  readonly lacks?: () => string | undefined
  readonly run: (world: World) => Promise<string | undefined>
}

/** @throws Error with the problem, where it does not hold */
export function check(holds: boolean, problem: string): asserts holds {
  if (!holds) throw new Error(problem)
}

/** Milliseconds. */
export const soon = 10_000

/** Looks until it is done. @throws Error with the problem, when time is over */
export async function until(
  done: () => boolean | Promise<boolean>,
  problem: () => string,
  milliseconds = soon,
): Promise<void> {
  const end = performance.now() + milliseconds
  while (!(await done())) {
    check(performance.now() < end, problem())
    await pause(20)
  }
}
