// Histograms as the metrics have them, and what share of the observations between two readings was below what.

/** Upper ends of buckets, ascending, and the observations of each bucket alone; one more bucket has no end. */
export interface Counts {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

/** What came between two readings; of several histograms of the same buckets together. */
export function countsBetween(after: readonly Counts[], before: readonly Counts[]): Counts | undefined {
  const [first] = after
  if (first === undefined) return undefined
  const counts = first.counts.map((_, at) => sumAt(after, at) - sumAt(before, at))
  return { bounds: first.bounds, counts }
}

function sumAt(all: readonly Counts[], at: number): number {
  return all.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0)
}

/** As PromQL's histogram_quantile: even within a bucket; past the last bound that bound. Undefined: there were none. */
export function percentile({ bounds, counts }: Counts, share: number): number | undefined {
  const all = counts.reduce((sum, count) => sum + count, 0)
  if (all <= 0) return undefined
  const rank = share * all
  let below = 0
  for (const [at, bound] of bounds.entries()) {
    const inside = counts[at] ?? 0
    if (inside > 0 && below + inside >= rank) {
      const from = bounds[at - 1] ?? 0
      return from + ((bound - from) * Math.max(0, rank - below)) / inside
    }
    below += inside
  }
  return bounds.at(-1)
}
