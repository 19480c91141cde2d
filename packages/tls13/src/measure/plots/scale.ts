// From values to places in a drawing.

export interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

/** From `from` to `to`, which may be the larger one, as y grows downwards. */
export interface Extent {
  readonly from: number
  readonly to: number
}

/** From 0 (or `least`) to a round number at or above `most`. */
export function linearScale(most: number, range: Extent, count: number = 5, least: number = 0): Scale {
  const step = roundStep((most - least) / count)
  const first = Math.floor(least / step) * step
  const last = Math.max(first + step, Math.ceil(most / step - 1e-9) * step)
  const ticks = Array.from({ length: Math.round((last - first) / step) + 1 }, (_, i) => first + i * step)
  return { at: (value) => place((value - first) / (last - first), range), ticks }
}

/** Both above 0. Ticks are at 1, 2 and 5 of each power of ten, at the powers alone when there are many. */
export function logScale(least: number, most: number, range: Extent): Scale {
  const [low, high] = [Math.log10(least), Math.log10(Math.max(most, least * 1.01))]
  const steps = high - low > 2.5 ? [1] : high - low > 0.9 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8]
  const powers = Array.from({ length: Math.ceil(high) - Math.floor(low) + 1 }, (_, i) => Math.floor(low) + i)
  const ticks = powers
    .flatMap((power) => steps.map((step) => Number((step * 10 ** power).toPrecision(3))))
    .filter((tick) => tick >= least * 0.999 && tick <= most * 1.001)
  return { at: (value) => place((Math.log10(value) - low) / (high - low), range), ticks }
}

function place(share: number, { from, to }: Extent): number {
  return from + share * (to - from)
}

/** 1, 2 or 5 times a power of ten, at or above a step. */
function roundStep(step: number): number {
  if (!(step > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(step))
  const factor = [1, 2, 5, 10].find((each) => each * power >= step * 0.999) ?? 10
  return factor * power
}

/** As an axis has it: no more digits than it takes. */
export function tickText(value: number): string {
  if (value === 0) return "0"
  const text = String(Number(value.toPrecision(3)))
  return Math.abs(value) >= 1000 ? text.replace(/\B(?=(\d{3})+$)/g, ",") : text
}
