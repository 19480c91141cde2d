// What rows of `--check` are measured together.

import type { Pems } from "../contestants.ts"
import type { CheckRow } from "./row.ts"

export interface CheckContext {
  readonly pems: Pems
  /** The subset for CI: fewer rows, rounds and generations. */
  readonly quick: boolean
  /** A row is there. */
  tell(row: CheckRow): void
}

export interface CheckGroup {
  readonly name: string
  readonly help: string
  /** About so long, on a machine of two cores with nothing else to do. */
  readonly seconds: { readonly quick: number; readonly whole: number }
  /** On Node alone: what it measures is of Node, or of programs that run there. */
  readonly nodeOnly?: boolean
  run(context: CheckContext): Promise<void>
}
