// What a client process tells of its handshakes: rows of numbers, as there may be millions.

/** Columns of a row. Milliseconds since the load began (`t0`), or of duration; NaN: there is none. */
export const column = {
  /** When it was to begin: with --rate by the schedule, else when its place was free. */
  due: 0,
  began: 1,
  reached: 2,
  done: 3,
  ended: 4,
  own: 5,
  behind: 6,
  /** Index in the list of reasons; -1: it succeeded. */
  failure: 7,
} as const
export const width = 8

export class SampleWriter {
  #rows: Float64Array = new Float64Array(width * 256)
  #used = 0

  add(row: Readonly<Record<keyof typeof column, number>>): void {
    if (this.#used === this.#rows.length) {
      const larger = new Float64Array(2 * this.#rows.length)
      larger.set(this.#rows)
      this.#rows = larger
    }
    for (const name of Object.keys(column) as (keyof typeof column)[]) this.#rows[this.#used + column[name]] = row[name]
    this.#used += width
  }

  /** The rows since the last call. */
  take(): Float64Array {
    const rows = this.#rows.slice(0, this.#used)
    this.#used = 0
    return rows
  }
}

/** Rows of a worker, with its own list of reasons. */
export interface WorkerSamples {
  readonly worker: number
  readonly rows: readonly Float64Array[]
  readonly reasons: readonly string[]
}

export interface Sample {
  readonly worker: number
  readonly due: number
  readonly began: number
  readonly reached: number
  readonly done: number
  readonly ended: number
  readonly own: number
  readonly behind: number
  readonly failure: string | undefined
}

/** In no particular order. */
export function* samplesOf(workers: readonly WorkerSamples[]): Generator<Sample> {
  for (const { worker, rows, reasons } of workers) {
    for (const part of rows) {
      for (let at = 0; at < part.length; at += width) {
        const value = (name: keyof typeof column) => part[at + column[name]]!
        yield {
          worker,
          due: value("due"),
          began: value("began"),
          reached: value("reached"),
          done: value("done"),
          ended: value("ended"),
          own: value("own"),
          behind: value("behind"),
          failure: reasons[value("failure")],
        }
      }
    }
  }
}
