import type { LatencySeries } from "../plots/latency-plots.ts"
import type { Run } from "../report.ts"

/** A run, and how it is told from the others of the page. */
export interface ShownRun {
  readonly run: Run
  readonly title: string
  readonly colour: number
  readonly series: LatencySeries
}
