// Quantiles of values that are all there: exact, by nearest rank. Where they are not, histogram.ts has them approximately.

/** Ascending. A copy. */
export function ascending(values: Iterable<number>): Float64Array {
  return Float64Array.from(values).sort()
}

/**
 * The smallest of the values that at least this share of them does not exceed (nearest rank): always one that was measured.
 * @param sorted ascending. @param share 0 to 1. @returns NaN when there are none
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const { length } = sorted
  if (length === 0) return Number.NaN
  // 0.999 * 1000 is 999.0000000000001 or so: what is a whole number stays one.
  const rank = Math.ceil(share * length - 1e-9)
  return sorted[Math.min(length, Math.max(1, rank)) - 1]!
}

/** NaN when there are none. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]!
  return sum / values.length
}

/** The middle one, or the mean of the two in the middle. NaN when there are none. */
export function median(values: Iterable<number>): number {
  const sorted = ascending(values)
  const middle = sorted.length / 2
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? Number.NaN) + sorted[middle]!) / 2 : sorted[middle - 0.5]!
}

/** What a box plot shows: Tukey's whiskers end at the outermost values within 1.5 times the box's height of it. */
export interface Box {
  readonly low: number
  readonly q1: number
  readonly median: number
  readonly q3: number
  readonly high: number
  /** Values outside of the whiskers. */
  readonly outside: number
}

/** undefined when there are no values. */
export function boxOf(values: Iterable<number>): Box | undefined {
  const sorted = ascending(values)
  if (sorted.length === 0) return undefined
  const [q1, middle, q3] = [0.25, 0.5, 0.75].map((share) => quantile(sorted, share)) as [number, number, number]
  const reach = 1.5 * (q3 - q1)
  const inside = sorted.filter((value) => value >= q1 - reach && value <= q3 + reach)
  const [low, high] = [inside[0] ?? q1, inside[inside.length - 1] ?? q3]
  return { low, q1, median: middle, q3, high, outside: sorted.length - inside.length }
}
