// A store in memory that answers late, fails for a while, and at a crash loses what it has not committed.

import type { Change } from "../src/packet/change.ts"
import { Pause } from "../src/ports/pause.ts"
import type { Committed, Restored, Store } from "../src/ports/store.ts"
import { KeepingStore } from "../tests/keeping-store.ts"
import type { Counted } from "./counts.ts"

export class SimulatedStore implements Store {
  readonly lasting = true
  readonly kept: KeepingStore = new KeepingStore()
  late = false
  failing = false
  /** Turns that it was given, and the last of them that it has committed. */
  begun = 0
  committed = 0
  /** Milliseconds: the last time at which it was not as fast as can be. */
  lastTrouble = Number.NEGATIVE_INFINITY
  readonly #now: () => number
  readonly #count: (what: Counted) => void
  #last: readonly Change[] | undefined
  #waiting: { readonly turn: readonly Change[]; readonly number: number; readonly pause: Pause<Committed> } | undefined

  constructor(now: () => number, count: (what: Counted) => void) {
    this.#now = now
    this.#count = count
  }

  restore(visit: (change: Change) => void): Restored {
    return this.kept.restore(visit) instanceof Pause ? { failed: "late" } : "restored"
  }

  full(): string | undefined {
    return undefined
  }

  commit(turn: readonly Change[]): Committed | Pause<Committed> {
    if (this.#waiting !== undefined) throw new Error("a turn comes before the one before is answered")
    // A turn that failed comes again as it was.
    if (turn !== this.#last) this.begun++
    this.#last = turn
    if (this.late || this.failing) this.lastTrouble = this.#now()
    if (this.late) {
      this.#count("turns that the store keeps late")
      const pause = new Pause<Committed>()
      this.#waiting = { turn, number: this.begun, pause }
      return pause
    }
    if (this.failing) {
      this.#count("turns that the store fails to keep")
      return { failed: "it fails" }
    }
    this.#keep(turn, this.begun)
    return "committed"
  }

  get waits(): boolean {
    return this.#waiting !== undefined
  }

  answer(): void {
    const waiting = this.#waiting
    if (waiting === undefined) return
    this.#waiting = undefined
    this.lastTrouble = this.#now()
    if (this.failing) {
      this.#count("turns that the store fails to keep")
      waiting.pause.answer({ failed: "it fails" })
      return
    }
    this.#keep(waiting.turn, waiting.number)
    waiting.pause.answer("committed")
  }

  /** The process ends; what it was given last is committed, or not. */
  crash(keeps: boolean): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting !== undefined && keeps) this.#keep(waiting.turn, waiting.number)
  }

  close(): void {}

  #keep(turn: readonly Change[], number: number): void {
    this.kept.commit(turn)
    this.committed = number
  }
}
