// A histogram whose buckets are all equally wide in proportion: the exponential histogram of OpenTelemetry, here with 64 buckets
// for each doubling, so that a value is known to within 1.1% whatever its size. Histograms of several runs can be added up.

/** Buckets of each doubling: 2^scale. */
const scale = 6
const perDoubling = 2 ** scale

/** As it is kept in files. `counts[i]` are the values in (2^((offset+i)/2^scale), 2^((offset+i+1)/2^scale)]. */
export interface HistogramData {
  readonly scale: number
  /** Values that are not above 0. */
  readonly zeros: number
  readonly offset: number
  readonly counts: readonly number[]
}

export interface Bucket {
  /** Excluded. */
  readonly from: number
  /** Included. */
  readonly to: number
  readonly count: number
}

export class Histogram {
  readonly #counts = new Map<number, number>()
  #zeros = 0
  #total = 0

  get total(): number {
    return this.#total
  }

  record(value: number, count: number = 1): void {
    this.#total += count
    if (value > 0) this.#add(bucketOf(value), count)
    else this.#zeros += count
  }

  merge(other: HistogramData): void {
    if (other.scale !== scale) throw new RangeError(`a histogram of scale ${other.scale}: ours have ${scale}`)
    this.#zeros += other.zeros
    this.#total += other.zeros
    other.counts.forEach((count, i) => {
      this.#total += count
      if (count > 0) this.#add(other.offset + i, count)
    })
  }

  /** The middle (in proportion) of the bucket that has it, so within 0.6%. NaN when nothing was recorded. */
  quantile(share: number): number {
    if (this.#total === 0) return Number.NaN
    let left = Math.max(1, Math.ceil(share * this.#total - 1e-9)) - this.#zeros
    if (left <= 0) return 0
    for (const index of this.#indexes()) {
      left -= this.#counts.get(index)!
      if (left <= 0) return 2 ** ((index + 0.5) / perDoubling)
    }
    return Number.NaN
  }

  /** Those that are not empty, ascending; without the values that are not above 0. */
  buckets(): Bucket[] {
    return this.#indexes().map((index) => ({
      from: 2 ** (index / perDoubling),
      to: 2 ** ((index + 1) / perDoubling),
      count: this.#counts.get(index)!,
    }))
  }

  toJSON(): HistogramData {
    const indexes = this.#indexes()
    const [offset = 0, last = -1] = [indexes[0], indexes[indexes.length - 1]]
    const counts = Array.from({ length: Math.max(0, last - offset + 1) }, (_, i) => this.#counts.get(offset + i) ?? 0)
    return { scale, zeros: this.#zeros, offset, counts }
  }

  #add(index: number, count: number): void {
    this.#counts.set(index, (this.#counts.get(index) ?? 0) + count)
  }

  #indexes(): number[] {
    return [...this.#counts.keys()].sort((one, other) => one - other)
  }
}

export function histogramOf(values: Iterable<number>): Histogram {
  const histogram = new Histogram()
  for (const value of values) histogram.record(value)
  return histogram
}

/** Powers of two are the upper ends of their buckets; a logarithm that is off in its last bit does not change that. */
function bucketOf(value: number): number {
  return Math.ceil(Math.log2(value) * perDoubling - 1e-9) - 1
}
