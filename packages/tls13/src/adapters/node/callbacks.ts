// What the application's own callbacks and listeners throw is the application's: it is neither taken for a defect of ours nor
// swallowed.

import type { Taken } from "../driver.ts"

/** Calls back into Node's stream machinery, and by it the application's callbacks of `write` and `end`. */
export function tell(done: Taken | undefined, error?: Error | null): void {
  try {
    done?.(error)
  } catch (thrown) {
    throwLater(thrown)
  }
}

/** The application's own exception: uncaught, as it would be had Node called the listener. */
export function throwLater(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
