import type { Change } from "../packet/change.ts"
import type { Pause } from "../ports/pause.ts"
import type { Committed, Restored, Store } from "../ports/store.ts"

/** A store that is opened after the broker is made, and before it is used. */
export class LateStore implements Store {
  #store: Store | undefined

  /** From here on it is that one. */
  open(store: Store): void {
    this.#store = store
  }

  get lasting(): boolean {
    return this.#store?.lasting ?? false
  }

  get largest(): number | undefined {
    return this.#store?.largest
  }

  get isOpen(): boolean {
    return this.#store !== undefined
  }

  restore(visit: (change: Change) => void): Restored | Pause<Restored> {
    return this.#store?.restore(visit) ?? { failed: "the store is not open" }
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    return this.#store?.commit(turn) ?? { failed: "the store is not open" }
  }

  full(more?: number): string | undefined {
    return this.#store?.full(more)
  }

  mayGrow(bytes: number): boolean {
    return this.#store?.mayGrow?.(bytes) ?? true
  }

  close(): void | Pause<void> {
    return this.#store?.close()
  }
}
