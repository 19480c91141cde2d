// One run of handshakes: the client processes, and the samples that they tell.

import type { ClientCpu } from "./child-side.ts"
import type { EngineSetup } from "./engine-options.ts"
import type { LoadSums } from "./load.ts"
import type { Look } from "./messages.ts"
import { startChild } from "./own-child.ts"
import { sourceAddresses } from "./ports.ts"
import { column, type WorkerSamples, width } from "./samples.ts"
import { type Readings, runTogether } from "./together.ts"

export interface RawRun extends Readings {
  readonly look: Look
  readonly workers: readonly WorkerSamples[]
  readonly sums: readonly LoadSums[]
  readonly cpus: readonly ClientCpu[]
  readonly primings: number
  readonly timersLate: number | null
  readonly sources: number
}

export interface Progress {
  /** Seconds since the start of the load. */
  readonly at: number
  readonly completed: number
  readonly failed: number
  /** Completed a second, of late. */
  readonly rate: number
}

/** @throws CommandError, UsageError: what fails before the load begins */
export async function runLoad(
  setup: Omit<EngineSetup, "worse">,
  pid: number | undefined,
  onProgress: (progress: Progress) => void,
  interruption: AbortSignal,
): Promise<RawRun> {
  const { load } = setup.plan
  const { target } = setup
  const sources = sourceAddresses(target.address)
  const children = Array.from({ length: load.workers }, (_, worker) =>
    startChild({ role: "client", setup, worker, sources }, `client process ${worker + 1}`),
  )
  const collector = new SampleCollector(load.workers, onProgress)
  children.forEach((child, worker) => {
    child.on("samples", (told) => collector.add(worker, told))
  })
  const workers = children.map((child) => ({
    ready: () => child.next("ready"),
    done: () => child.next("done"),
    start: (t0: number) => child.order({ order: "start", t0 }),
    halt: () => child.order({ order: "stop" }),
  }))
  try {
    const { warmUp, seconds } = load
    const onTick = (at: number) => collector.tick(at)
    const together = { warmUp, seconds, target, pid, interruption, onTick }
    const { ready, done, readings } = await runTogether(workers, together)
    const lates = done.map(({ timersLate }) => timersLate).filter((late) => late !== null)
    return {
      ...readings,
      look: ready[0]!.look,
      workers: collector.workers,
      sums: done.map(({ sums }) => sums),
      cpus: done.map(({ cpu }) => cpu),
      primings: done.reduce((sum, { primings }) => sum + primings, 0),
      timersLate: lates.length === 0 ? null : Math.max(...lates),
      sources: sources.length,
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
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
