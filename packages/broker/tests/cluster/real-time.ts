// Waiting, where time passes by itself.

import type { Pause } from "../../src/ports/pause.ts"

export function answer<Answer>(pause: Pause<Answer>): Promise<Answer> {
  return new Promise((resolve) => pause.onAnswer(resolve))
}

/** @param time milliseconds */
export function pass(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time))
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = performance.now() + 30_000; !holds(); await pass(3)) {
    if (performance.now() > end) throw new Error(`${what}: not after 30 s`)
  }
}
