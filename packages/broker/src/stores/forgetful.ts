import type { Store } from "../ports/store.ts"

/** A store that keeps nothing: what outlives connections is in memory, and ends with the process. */
export function createMemoryStore(): Store {
  return {
    lasting: false,
    restore: () => "restored",
    commit: () => "committed",
    full: () => undefined,
    close() {},
  }
}
