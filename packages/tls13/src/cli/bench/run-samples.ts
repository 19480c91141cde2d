// The samples of a run, as its figures want them: which count, and what they come to over time. They are gone through again for each
// figure and never made into objects that stay, as there may be millions.

import { rounded } from "../../measure/distribution.ts"
import { quantile } from "../../measure/quantiles.ts"
import type { Slice } from "../../measure/report.ts"
import { type Sample, samplesOf, type WorkerSamples } from "./samples.ts"

export class RunSamples {
  /** Milliseconds since the load began, between which the measurement was. */
  readonly from: number
  readonly until: number
  readonly #workers: readonly WorkerSamples[]
  readonly #lastDue: number

  /** @param until undefined: the measurement was over when its last operation was */
  constructor(workers: readonly WorkerSamples[], from: number, until: number | undefined) {
    this.#workers = workers
    this.from = from
    this.until = until ?? this.#lastEnd(from)
    this.#lastDue = until ?? Number.POSITIVE_INFINITY
  }

  all(): Iterable<Sample> {
    return samplesOf(this.#workers)
  }

  /** Those that were due in the measurement, however they ended, and when. */
  *measured(): Generator<Sample> {
    for (const sample of this.all()) if (sample.due >= this.from && sample.due < this.#lastDue) yield sample
  }

  /** A value of each of those that were due in the measurement and succeeded; what is no number is left out. */
  *good(value: (sample: Sample) => number): Generator<number> {
    for (const sample of this.measured()) {
      const of = sample.failure === undefined ? value(sample) : Number.NaN
      if (!Number.isNaN(of)) yield of
    }
  }

  countGood(): number {
    let count = 0
    for (const _ of this.good(() => 1)) count++
    return count
  }

  /** Those that succeeded in a time, whenever they were due; at its end: not. */
  countCompleted(from: number, until: number): number {
    let count = 0
    for (const { failure, done } of this.all()) if (failure === undefined && done >= from && done < until) count++
    return count
  }

  #lastEnd(from: number): number {
    let last = from
    for (const { ended, done } of samplesOf(this.#workers)) last = Math.max(last, Number.isNaN(done) ? ended : done)
    return last
  }
}

/** About 40, each of at least 0.1 s. Completed by when they were done, latencies by when they were due. */
export function slicesOf(samples: RunSamples): Slice[] {
  const { from, until } = samples
  const count = Math.max(1, Math.min(40, Math.floor((until - from) / 100)))
  const length = Math.max(1, until - from) / count
  const slices = Array.from({ length: count }, () => ({ completed: 0, failed: 0, latencies: [] as number[] }))
  const sliceAt = (time: number) => slices[Math.max(0, Math.min(count - 1, Math.floor((time - from) / length)))]!
  for (const { failure, done } of samples.all()) {
    if (failure === undefined && done >= from && done <= until) sliceAt(done).completed++
  }
  for (const { due, done, failure } of samples.measured()) {
    const slice = sliceAt(due)
    if (failure === undefined) slice.latencies.push(done - due)
    else slice.failed++
  }
  return slices.map(({ completed, failed, latencies }, i) => {
    const sorted = Float64Array.from(latencies).sort()
    const at = (share: number) => rounded(quantile(sorted, share))
    const latency = sorted.length === 0 ? null : ([at(0), at(0.25), at(0.5), at(0.75), at(0.99), at(1)] as const)
    return { at: rounded((i * length) / 1000), seconds: rounded(length / 1000), completed, failed, latency }
  })
}
