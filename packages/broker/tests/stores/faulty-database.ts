// A database that fails at a chosen statement, commit or sync, as one does whose disk is full, or whose host is put away.

import type { SqlDatabase } from "../../src/stores/sql-folder.ts"
import { WasmDatabase } from "./wasm-database.ts"

export interface DatabaseTrouble {
  /** Counted from 1. */
  readonly at: number
  /** "once": this step fails; "full": what would add something fails from it on, until it is over; "death": all from it on. */
  readonly kind: "once" | "full" | "death"
}

export class FaultyDatabase implements SqlDatabase {
  readonly name = "DATABASE"
  readonly remedy = "REMEDY"
  readonly instead = "ANOTHER"
  readonly below: WasmDatabase
  steps = 0
  trouble: DatabaseTrouble | undefined

  /** @param below what it fails in the place of */
  constructor(below: WasmDatabase = new WasmDatabase()) {
    this.below = below
  }

  run(...given: Parameters<WasmDatabase["run"]>): ReturnType<WasmDatabase["run"]> {
    this.#step(/^(INSERT|UPDATE)/.test(given[0]))
    return this.below.run(...given)
  }

  together(work: () => void): void {
    this.below.together(() => {
      work()
      this.#step(true)
    })
  }

  async sync(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#step(false)
  }

  #step(adds: boolean): void {
    this.steps++
    if (this.trouble === undefined || this.steps < this.trouble.at) return
    const { at, kind } = this.trouble
    if (kind === "full" ? adds : kind === "death" || this.steps === at)
      throw new Error("database or disk is full: SQLITE_FULL")
  }
}
