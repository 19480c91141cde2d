// Histograms as the metrics have them, and what came between two readings of several of them.

import { countsSince, type HistogramCounts } from "../histogram.ts"

/** What of a histogram is read: upper ends of buckets, and the observations of each bucket alone. */
export type Counts = Pick<HistogramCounts, "bounds" | "counts">

/** What came between two readings, of several histograms of the same buckets together; undefined: there is none. */
export function countsBetween(after: readonly Counts[], before: readonly Counts[]): HistogramCounts | undefined {
  const [first] = after
  return first && countsSince(together(after, first), together(before, first))
}

function together(all: readonly Counts[], { bounds, counts }: Counts): HistogramCounts {
  const sums = counts.map((_, at) => all.reduce((sum, each) => sum + (each.counts[at] ?? 0), 0))
  return { bounds, counts: sums, sum: 0, count: sums.reduce((sum, count) => sum + count, 0) }
}
