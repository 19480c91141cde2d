import { mean, quantile } from "./quantiles.ts"
import type { Distribution } from "./report.ts"

/** null: there are no values. */
export function distributionOf(values: Iterable<number>): Distribution | null {
  const sorted = Float64Array.from(values).sort()
  if (sorted.length === 0) return null
  const at = (share: number) => rounded(quantile(sorted, share))
  return {
    count: sorted.length,
    mean: rounded(mean(sorted)),
    min: at(0),
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  }
}

/** To a tenth of a microsecond, of milliseconds: what is beyond it is noise, and a long line in a file. */
export function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10_000) / 10_000
}
