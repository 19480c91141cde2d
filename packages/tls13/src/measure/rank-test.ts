// The test of Mann and Whitney (Wilcoxon's rank sum): whether the values of one side tend to be larger than those of the other.
// It asks nothing of how they are distributed.

export interface RankTest {
  /** Pairs (one, other) in which one's value is the larger; ties count half. */
  readonly u: number
  /** Two-sided: how often chance alone would give a difference of that size. 1 when a side has no values. */
  readonly p: number
}

export function rankTest(one: readonly number[], other: readonly number[]): RankTest {
  const [m, n] = [one.length, other.length]
  if (m === 0 || n === 0) return { u: 0, p: 1 }
  let u = 0
  for (const a of one) for (const b of other) u += a > b ? 1 : a === b ? 0.5 : 0
  const all = [...one, ...other].sort((a, b) => a - b)
  const ties = tieSizes(all)
  const p = ties.length === 0 && m + n <= 40 ? exactP(u, m, n) : normalP(u, m, n, ties)
  return { u, p: Math.min(1, p) }
}

/** Of an ascending list: how many are equal, where more than one is. */
function tieSizes(sorted: readonly number[]): number[] {
  const sizes: number[] = []
  for (let i = 0, end = 0; i < sorted.length; i = end) {
    for (end = i + 1; end < sorted.length && sorted[end] === sorted[i]; ) end++
    if (end - i > 1) sizes.push(end - i)
  }
  return sizes
}

/** By counting: in how many of the orders that m and n values can have is U as far from its mean? */
function exactP(u: number, m: number, n: number): number {
  // ways[i][s]: orders of i of the one side among the others so far in which U is s.
  let ways = Array.from({ length: m + 1 }, (_, i) => [i === 0 ? 1 : 0])
  for (let k = 1; k <= m + n; k++) {
    const next = ways.map((counts) => [...counts])
    for (let i = 1; i <= Math.min(k, m); i++) {
      // The k-th value belongs to the one side: above it has k - i of the other.
      const shift = k - i
      if (shift > n) continue
      ways[i - 1]!.forEach((count, s) => {
        next[i]![s + shift] = (next[i]![s + shift] ?? 0) + count
      })
    }
    ways = next
  }
  const counts = Array.from(ways[m]!, (count) => count ?? 0)
  const total = counts.reduce((sum, count) => sum + count, 0)
  const tail = Math.min(u, m * n - u)
  const below = counts.reduce((sum, count, s) => sum + (s <= tail ? count : 0), 0)
  return (2 * below) / total
}

/** By the normal distribution, with the corrections for ties and continuity. */
function normalP(u: number, m: number, n: number, ties: readonly number[]): number {
  const size = m + n
  const tied = ties.reduce((sum, t) => sum + t ** 3 - t, 0)
  const variance = ((m * n) / 12) * (size + 1 - tied / (size * (size - 1)))
  if (variance <= 0) return 1
  const z = Math.max(0, Math.abs(u - (m * n) / 2) - 0.5) / Math.sqrt(variance)
  return 2 * upperTail(z)
}

/** The share of the standard normal distribution above z >= 0. Abramowitz and Stegun 26.2.17: within 7.5e-8. */
export function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const sum = series.reduceRight((rest, coefficient) => t * (coefficient + rest), 0)
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
