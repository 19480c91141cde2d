// How many times as large one side's figure is as the other's, and within what bounds: the bootstrap, which draws the
// measurements again and again with replacement and looks at how far the ratio moves.

import { mean, quantile } from "./quantiles.ts"
import { rankTest, signedRankTest } from "./rank-test.ts"
import { seeded } from "./seeded.ts"

/** One run: its figure in each of its time slices, in the order of time; or a single figure. */
export type RunValues = readonly number[]

export interface Ratio {
  /** Of the means, or the (geometric) mean of the pairs' ratios: the second side's to the first's. */
  readonly ratio: number
  /** The interval that holds 95% of the ratios drawn. */
  readonly low: number
  readonly high: number
  /** Of whole runs, by their ranks: how often chance alone would do this. undefined when a side has fewer than two. */
  readonly p: number | undefined
  /** Whether runs of both sides were taken in turns, so that each has a partner under the same conditions. */
  readonly paired: boolean
}

const resamples = 2000

/**
 * With two runs or more on a side, runs are drawn, and slices within them: so what differs from run to run counts. Slices are
 * drawn in blocks of neighbours, as one is like the next (a burst of other work, a heating processor).
 * @param base runs, each with at least one value
 */
export function ratioOf(base: readonly RunValues[], other: readonly RunValues[], seed: number = 1): Ratio {
  const uniform = seeded(seed)
  const figure = (runs: readonly RunValues[]) => mean(runs.map(mean))
  const drawn = Array.from({ length: resamples }, () => figure(redraw(other, uniform)) / figure(redraw(base, uniform)))
  const sorted = Float64Array.from(drawn.filter((value) => Number.isFinite(value))).sort()
  const several = base.length > 1 && other.length > 1
  return {
    ratio: figure(other) / figure(base),
    low: quantile(sorted, 0.025),
    high: quantile(sorted, 0.975),
    p: several ? rankTest(other.map(mean), base.map(mean)).p : undefined,
    paired: false,
  }
}

/**
 * Of runs that were taken in turns: run i of both sides under the same conditions, as far as there are any. What changes from turn to
 * turn (what else the machine does, its temperature) falls on both, and drops out of the ratio.
 * @param base as many runs as `other`, one at least
 */
export function pairedRatioOf(base: readonly RunValues[], other: readonly RunValues[], seed: number = 1): Ratio {
  if (base.length < 2) return { ...ratioOf(base, other, seed), paired: true }
  const uniform = seeded(seed)
  const logs = base.map((values, i) => Math.log(mean(other[i]!) / mean(values)))
  const drawnLog = (): number => {
    const pairs = base.map(() => Math.floor(uniform() * base.length))
    const redrawn = (runs: readonly RunValues[], i: number) => mean(redrawBlocks(runs[i]!, uniform))
    return mean(pairs.map((i) => Math.log(redrawn(other, i) / redrawn(base, i))))
  }
  const sorted = Float64Array.from(Array.from({ length: resamples }, drawnLog).filter(Number.isFinite)).sort()
  return {
    ratio: Math.exp(mean(logs)),
    low: Math.exp(quantile(sorted, 0.025)),
    high: Math.exp(quantile(sorted, 0.975)),
    p: signedRankTest(logs),
    paired: true,
  }
}

function redraw(runs: readonly RunValues[], uniform: () => number): readonly RunValues[] {
  const chosen = runs.length === 1 ? runs : runs.map(() => runs[Math.floor(uniform() * runs.length)]!)
  return chosen.map((values) => redrawBlocks(values, uniform))
}

/** Blocks of about the square root of the number of slices; the last slice is followed by the first. */
function redrawBlocks(values: RunValues, uniform: () => number): RunValues {
  const { length } = values
  const block = Math.max(1, Math.round(Math.sqrt(length)))
  const result: number[] = []
  while (result.length < length) {
    const start = Math.floor(uniform() * length)
    for (let i = 0; i < block && result.length < length; i++) result.push(values[(start + i) % length]!)
  }
  return result
}

/** What a ratio allows to be said, in plain words: a clause without a full stop. */
export function verdictOn(
  { ratio, low, high, p = 1, paired }: Ratio,
  runs: readonly [base: number, other: number],
): string {
  if (!Number.isFinite(ratio) || !Number.isFinite(low) || !Number.isFinite(high)) return "cannot be compared"
  const differs = low > 1 || high < 1
  const fewest = Math.min(...runs)
  if (fewest < 2) {
    return differs
      ? "differs by more than chance within these runs; one run a side says nothing of what changes from run to run"
      : "no difference beyond chance within these runs"
  }
  // Below it, no order of the runs at all is rare enough for the rank tests.
  const enough = paired ? 6 : 4
  if (fewest < enough) {
    return differs
      ? `differs, as far as ${fewest} runs a side can tell; ${enough} or more would show it`
      : `no difference beyond chance, with only ${fewest} runs a side`
  }
  if (differs && p < 0.05) return `differs: chance alone would do this in ${shareText(p)} of cases (rank test)`
  return differs || p < 0.05
    ? "may differ: interval and rank test disagree; take more runs"
    : "no difference beyond chance"
}

function shareText(p: number): string {
  return p < 0.001 ? "less than 0.1%" : `${(100 * p).toPrecision(2)}%`
}
