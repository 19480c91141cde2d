// One run: the client processes make their load together, and the CPU of the server and of the machine is read when the measurement
// begins and when it ends.

import { CommandError } from "../arguments.ts"
import { Child } from "./children.ts"
import { sharedNow } from "./clock.ts"
import type { EngineSetup } from "./engine-options.ts"
import type { LoadSums } from "./load.ts"
import { type MachineTicks, machineTicks } from "./machine.ts"
import type { ClientCpu, Look } from "./messages.ts"
import { countTimeWait, sourceAddresses } from "./ports.ts"
import { type TreeCpu, treeCpu } from "./processes.ts"
import { column, type WorkerSamples, width } from "./samples.ts"

/** Milliseconds between the order to start and the start. */
const lead = 100

export interface Reading {
  /** Milliseconds since t0. */
  readonly at: number
  readonly server: TreeCpu | undefined
  readonly machine: MachineTicks | undefined
}

export interface RawRun {
  readonly look: Look
  readonly workers: readonly WorkerSamples[]
  readonly sums: readonly LoadSums[]
  readonly cpus: readonly ClientCpu[]
  readonly primings: number
  readonly timersLate: number | null
  readonly first: Reading
  readonly last: Reading
  readonly timeWait: { readonly before: number; readonly after: number } | undefined
  readonly sources: number
  /** Milliseconds since t0, when somebody did not want to wait for the rest; undefined: it came to its end. */
  readonly interruptedAt: number | undefined
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
  const { address, port } = setup.target
  const sources = sourceAddresses(address)
  const children = Array.from(
    { length: load.workers },
    (_, worker) => new Child({ role: "client", setup, worker, sources }, `client process ${worker + 1}`),
  )
  try {
    // All of them: a failure of the second is not to be nobody's.
    const looks = await Promise.all(children.map((child) => child.next("ready")))
    const timeWaitBefore = countTimeWait(address, port)
    const t0 = sharedNow() + lead
    const workers = children.map((child, worker) => {
      const rows: Float64Array[] = []
      const reasons: string[] = []
      child.onSamples((told) => {
        rows.push(told.rows)
        reasons.splice(0, reasons.length, ...told.reasons)
      })
      return { worker, rows, reasons }
    })
    const read = (): Reading => ({
      server: pid === undefined ? undefined : treeCpu(pid),
      machine: machineTicks(),
      at: sharedNow() - t0,
    })
    const finished = Promise.all(children.map((child) => child.next("done")))
    for (const child of children) child.order({ order: "start", t0 })
    const ticker = new Ticker(workers, t0, onProgress)
    const from = waitUntil(t0 + 1000 * load.warmUp).then(read)
    const until =
      load.seconds === undefined ? undefined : waitUntil(t0 + 1000 * (load.warmUp + load.seconds)).then(read)
    let interrupted: Reading | undefined
    const stop = () => {
      interrupted = read()
      for (const child of children) child.order({ order: "stop" })
    }
    if (interruption.aborted) stop()
    else interruption.addEventListener("abort", stop)
    try {
      const told = await finished
      if (interrupted !== undefined && interrupted.at < 1000 * load.warmUp)
        throw new CommandError("interrupted before the measurement began")
      const [first, last] = [await from, interrupted ?? (until === undefined ? read() : await until)]
      const after = countTimeWait(address, port)
      const lates = told.map(({ timersLate }) => timersLate).filter((late) => late !== null)
      return {
        look: looks[0]!.look,
        workers,
        sums: told.map(({ sums }) => sums),
        cpus: told.map(({ cpu }) => cpu),
        primings: told.reduce((sum, { primings }) => sum + primings, 0),
        timersLate: lates.length === 0 ? null : Math.max(...lates),
        first,
        last,
        timeWait: timeWaitBefore === undefined || after === undefined ? undefined : { before: timeWaitBefore, after },
        sources: sources.length,
        interruptedAt: interrupted?.at,
      }
    } finally {
      interruption.removeEventListener("abort", stop)
      ticker.stop()
    }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
}

/** Counts what has come, for who waits. */
class Ticker {
  readonly #timer: NodeJS.Timeout
  #parts = 0
  #completed = 0
  #failed = 0
  #before = { completed: 0, at: 0 }

  constructor(workers: readonly WorkerSamples[], t0: number, onProgress: (progress: Progress) => void) {
    const counted = workers.map(() => 0)
    this.#timer = setInterval(() => {
      workers.forEach(({ rows }, worker) => {
        for (const part of rows.slice(counted[worker])) this.#count(part)
        counted[worker] = rows.length
      })
      this.#parts++
      const at = Math.max(0, (sharedNow() - t0) / 1000)
      const elapsed = at - this.#before.at
      const rate = elapsed > 0 ? (this.#completed - this.#before.completed) / elapsed : 0
      if (this.#parts % 4 === 0) this.#before = { completed: this.#completed, at }
      onProgress({ at, completed: this.#completed, failed: this.#failed, rate })
    }, 250)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #count(part: Float64Array): void {
    for (let at = 0; at < part.length; at += width) {
      if (part[at + column.failure]! < 0) this.#completed++
      else this.#failed++
    }
  }
}

/** Holds up the end of the program for nobody: the clients do, while they run. */
function waitUntil(at: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, at - sharedNow())).unref()
  })
}
