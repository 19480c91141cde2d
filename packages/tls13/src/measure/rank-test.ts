// Tests that look at the order of values only, and ask nothing of how they are distributed: that of Mann and Whitney (Wilcoxon's
// rank sum) for two sides, and Wilcoxon's signed ranks for pairs.

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
  const counts = Array.from(ways[m]!, (count: number | undefined) => count ?? 0)
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

/**
 * Wilcoxon's signed ranks, of differences within pairs: how often chance alone would put so much on one side. Zeros are left out.
 * @returns the two-sided share, exact for up to 25 differences that are not tied
 */
export function signedRankTest(differences: readonly number[]): number {
  const values = differences.filter((value) => value !== 0)
  const n = values.length
  if (n === 0) return 1
  const sizes = values.map(Math.abs).sort((a, b) => a - b)
  const rankOf = (size: number) => (sizes.indexOf(size) + sizes.lastIndexOf(size)) / 2 + 1
  const positive = values.reduce((sum, value) => sum + (value > 0 ? rankOf(Math.abs(value)) : 0), 0)
  const most = (n * (n + 1)) / 2
  const tail = Math.min(positive, most - positive)
  const ties = tieSizes(sizes)
  if (n > 25 || ties.length > 0) {
    const tied = ties.reduce((sum, t) => sum + t ** 3 - t, 0)
    const variance = (n * (n + 1) * (2 * n + 1)) / 24 - tied / 48
    return Math.min(1, 2 * upperTail(Math.max(0, most / 2 - tail - 0.5) / Math.sqrt(variance)))
  }
  // ways[s]: choices of signs with which the ranks of the positive ones add up to s.
  const ways = new Array<number>(most + 1).fill(0)
  ways[0] = 1
  for (let rank = 1; rank <= n; rank++)
    for (let sum = most; sum >= rank; sum--) ways[sum] = ways[sum]! + ways[sum - rank]!
  const below = ways.slice(0, tail + 1).reduce((sum, count) => sum + count, 0)
  return Math.min(1, (2 * below) / 2 ** n)
}

/** The share of the standard normal distribution above z >= 0. Abramowitz and Stegun 26.2.17: within 7.5e-8. */
export function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
  const sum = series.reduceRight((rest, coefficient) => t * (coefficient + rest), 0)
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum
}
