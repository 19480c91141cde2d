// Values that are too many to be kept: their histogram, and what is exact without them. Recorders of several processes are added up.

import { rounded } from "./distribution.ts"
import { Histogram, type HistogramData } from "./histogram.ts"
import type { Distribution } from "./report.ts"

export interface RecorderData {
  readonly histogram: HistogramData
  readonly sum: number
  readonly min: number
  readonly max: number
}

export class Recorder {
  readonly #histogram = new Histogram()
  #sum = 0
  #min = Number.POSITIVE_INFINITY
  #max = Number.NEGATIVE_INFINITY

  get count(): number {
    return this.#histogram.total
  }

  record(value: number): void {
    this.#histogram.record(value)
    this.#sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  merge({ histogram, sum, min, max }: RecorderData): void {
    const before = this.count
    this.#histogram.merge(histogram)
    // One that is empty has no least and no most.
    if (this.count === before) return
    this.#sum += sum
    this.#min = Math.min(this.#min, min)
    this.#max = Math.max(this.#max, max)
  }

  /** Within 0.6%, and never outside of what was recorded; the least and the most are exact. NaN when there are none. */
  quantile(share: number): number {
    if (share <= 0) return this.count === 0 ? Number.NaN : this.#min
    if (share >= 1) return this.count === 0 ? Number.NaN : this.#max
    return Math.min(this.#max, Math.max(this.#min, this.#histogram.quantile(share)))
  }

  /** null: there are no values. */
  distribution(): Distribution | null {
    const { count } = this
    if (count === 0) return null
    const at = (share: number) => rounded(this.quantile(share))
    return {
      count,
      mean: rounded(this.#sum / count),
      min: at(0),
      p50: at(0.5),
      p90: at(0.9),
      p99: at(0.99),
      p999: at(0.999),
      max: at(1),
    }
  }

  toJSON(): RecorderData {
    return { histogram: this.#histogram.toJSON(), sum: this.#sum, min: this.#min, max: this.#max }
  }
}
