// The few statistics that the bench needs: order statistics of samples, and ratios pair by pair.

import { ascending, quantile } from "@puremq/tls13/measure"

/** Lower quartile, median, upper quartile. */
export type Spread = readonly [low: number, median: number, high: number]

/** By nearest rank, so that the quartiles of three quartiles are these. @param values at least one */
export function quartiles(values: readonly number[]): Spread {
  const sorted = ascending(values)
  return [quantile(sorted, 0.25), quantile(sorted, 0.5), quantile(sorted, 0.75)]
}

export function median(values: readonly number[]): number {
  return quartiles(values)[1]
}

/** Of values of the same round: `values[i] / others[i]`. */
export function ratios(values: readonly number[], others: readonly number[]): number[] {
  if (values.length !== others.length) throw new RangeError(`${values.length} samples beside ${others.length}`)
  return values.map((value, round) => value / others[round]!)
}

/** Half of the window of `drift`. */
const window = 3

/**
 * How much the last three samples differ from the three before them: 0.02 is 2% more. Medians, so that one sample which met a
 * stall of the machine says nothing. undefined: too few samples.
 */
export function drift(samples: readonly number[]): number | undefined {
  if (samples.length < 2 * window) return undefined
  return median(samples.slice(-window)) / median(samples.slice(-2 * window, -window)) - 1
}
