// Observations counted in fixed buckets, as Prometheus' histograms are. To observe one allocates nothing and takes some nanoseconds;
// what they say is within a bucket.

import type { Observer } from "../ports/timings.ts"

/** What was counted until now. */
export interface HistogramCounts {
  /** Upper ends of the buckets, each belonging to its bucket, ascending. One more bucket has no end. */
  readonly bounds: readonly number[]
  /** Observations of each bucket alone; one more than there are bounds. */
  readonly counts: readonly number[]
  /** Of all observations. */
  readonly sum: number
  readonly count: number
}

export class Histogram implements Observer {
  readonly #bounds: Float64Array
  readonly #counts: Float64Array
  /** The sum: a field of its own would be a new number on the heap each time. */
  readonly #sum = new Float64Array(1)
  readonly #scale: number

  /**
   * @param bounds upper ends of the buckets, ascending
   * @param scale what an observation is multiplied with: 0.001 of milliseconds, where the bounds are seconds
   * @throws RangeError for bounds that do not ascend
   */
  constructor(bounds: readonly number[], scale: number = 1) {
    for (const [i, bound] of bounds.entries()) {
      if (!Number.isFinite(bound) || bound <= (bounds[i - 1] ?? Number.NEGATIVE_INFINITY))
        throw new RangeError(`bounds of a histogram ascend, and ${bound} does not`)
    }
    this.#bounds = Float64Array.from(bounds)
    this.#counts = new Float64Array(bounds.length + 1)
    this.#scale = scale
  }

  /** What is no number, or less than 0, counts as 0: a clock was set. */
  observe(value: number): void {
    const scaled = value > 0 ? value * this.#scale : 0
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && scaled > bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum[0]! += scaled
  }

  read(): HistogramCounts {
    const counts = Array.from(this.#counts)
    return { bounds: Array.from(this.#bounds), counts, sum: this.#sum[0]!, count: sumOf(counts) }
  }
}

/** What came between two readings of one histogram. */
export function countsSince(after: HistogramCounts, before: HistogramCounts): HistogramCounts {
  const counts = after.counts.map((count, i) => count - (before.counts[i] ?? 0))
  return { bounds: after.bounds, counts, sum: after.sum - before.sum, count: sumOf(counts) }
}

/**
 * The value that a share of the observations does not pass: 0.99 for the 99th percentile. Within a bucket they count as evenly
 * spread, as PromQL's histogram_quantile does; past the last bound it is that bound. Undefined where there is none.
 */
export function percentile({ bounds, counts, count }: HistogramCounts, share: number): number | undefined {
  if (count === 0) return undefined
  const rank = Math.min(1, Math.max(0, share)) * count
  let below = 0
  for (const [i, bound] of bounds.entries()) {
    const inside = counts[i] ?? 0
    if (inside > 0 && below + inside >= rank) {
      const from = bounds[i - 1] ?? 0
      return from + ((bound - from) * Math.max(0, rank - below)) / inside
    }
    below += inside
  }
  return bounds.at(-1)
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0)
}
