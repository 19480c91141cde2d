// The samples that client processes tell while they work, and how far they are.

import { column, type WorkerSamples, width } from "./samples.ts"

export interface Progress {
  /** Seconds since the start of the load. */
  readonly at: number
  readonly completed: number
  readonly failed: number
  /** Completed a second, of late. */
  readonly rate: number
}

/** Keeps the samples that come, and counts them for who waits. */
export class SampleCollector {
  readonly workers: readonly (WorkerSamples & { readonly rows: Float64Array[]; readonly reasons: string[] })[]
  readonly #counted: number[]
  readonly #recent: RecentRate
  #completed = 0
  #failed = 0

  constructor(workers: number, onProgress: (progress: Progress) => void) {
    this.workers = Array.from({ length: workers }, (_, worker) => ({ worker, rows: [], reasons: [] }))
    this.#counted = this.workers.map(() => 0)
    this.#recent = new RecentRate(onProgress)
  }

  add(worker: number, told: { readonly rows: Float64Array; readonly reasons: readonly string[] }): void {
    const { rows, reasons } = this.workers[worker]!
    rows.push(told.rows)
    reasons.splice(0, reasons.length, ...told.reasons)
  }

  tick(at: number): void {
    for (const { worker, rows } of this.workers) {
      for (const part of rows.slice(this.#counted[worker])) this.#count(part)
      this.#counted[worker] = rows.length
    }
    this.#recent.tick(at, this.#completed, this.#failed)
  }

  #count(part: Float64Array): void {
    for (let at = 0; at < part.length; at += width) {
      if (part[at + column.failure]! < 0) this.#completed++
      else this.#failed++
    }
  }
}

/** What is completed a second, of late. */
export class RecentRate {
  readonly #onProgress: (progress: Progress) => void
  #ticks = 0
  #before = { completed: 0, at: 0 }

  constructor(onProgress: (progress: Progress) => void) {
    this.#onProgress = onProgress
  }

  /** @param at seconds */
  tick(at: number, completed: number, failed: number): void {
    this.#ticks++
    const elapsed = at - this.#before.at
    const rate = elapsed > 0 ? (completed - this.#before.completed) / elapsed : 0
    if (this.#ticks % 4 === 0) this.#before = { completed, at }
    this.#onProgress({ at, completed, failed, rate })
  }
}
