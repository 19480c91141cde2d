// What this program has started ends with it, however it ends: a server that is killed with nobody there to stop it would run on.

import { constants } from "node:os"

/** Calls `end` when this process ends, unless the result has been called before, which does it now. It must do all at once. */
export function endedWithUs(end: () => void): () => void {
  process.on("exit", end)
  return () => {
    process.off("exit", end)
    end()
  }
}

/** A signal ends this process by way of what `endedWithUs` was given, with the status that a shell gives it. */
export function endOnSignals(): void {
  // One for each program that runs.
  process.setMaxListeners(200)
  for (const signal of ["SIGHUP", "SIGINT", "SIGTERM"] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]))
}
