// One run: the client processes make their load together, and what they tell is put together.

import { fileURLToPath } from "node:url"
import {
  Child,
  type ClientCpu,
  type LoadMaker,
  type Progress,
  type Readings,
  RecentRate,
  runTogether,
  SampleCollector,
  sourceAddresses,
  type WorkerSamples,
} from "@puremq/tls13/bench"
import { type ClientTask, childFlag, type Look, type MessageFigures, type Task, type Told } from "./messages.ts"
import type { Plan } from "./plan.ts"
import { countStreams } from "./shape.ts"

/** Beside dist/ and src/ alike. A program of its own would tear the files that all commands share into more of them. */
const program = fileURLToPath(new URL("../../../bin/puremq.js", import.meta.url))

export type BenchChild = Child<Told>

/** @param what it is, for people */
export function startChild(task: Task, what: string): BenchChild {
  return new Child(program, task, what, ["bench", childFlag])
}

interface Raw extends Readings {
  readonly look: Look
  readonly cpus: readonly ClientCpu[]
  /** How many local addresses were used in turn; 0: the system's choice. */
  readonly sources: number
}

export interface RawMessages extends Raw {
  readonly figures: readonly MessageFigures[]
  /** Messages that were written, and those of them that the broker refused. */
  readonly sent: number
  readonly refused: number
}

export interface RawStorm extends Raw {
  readonly workers: readonly WorkerSamples[]
  readonly sums: readonly LoadMaker["sums"][]
}

export interface RunSetup {
  readonly plan: Plan
  readonly task: Omit<ClientTask, "worker" | "sources">
  readonly port: number
  readonly pid: number | undefined
  readonly interruption: AbortSignal
  readonly onProgress: (progress: Progress) => void
  /** Rows of arrivalColumns. */
  readonly onArrivals: ((rows: Float64Array) => void) | undefined
}

/** @throws CommandError, UsageError: what fails before the load begins */
export async function runMessages(setup: RunSetup): Promise<RawMessages> {
  const { shape } = setup.plan
  const counted = new Counter(setup)
  const sent = new Float64Array(countStreams(shape))
  const refused = new Float64Array(countStreams(shape))
  let done = 0
  let everybody = () => {}
  const barrier = new Promise<void>((resolve) => (everybody = resolve))
  const raw = await withChildren(
    setup,
    async (child, worker) => {
      child.on("progress", ({ completed, failed }) => counted.set(worker, completed, failed))
      child.on("arrivals", ({ rows }) => setup.onArrivals?.(rows))
      const told = await child.next("sent")
      for (const each of told.sent) {
        sent[each.stream]! += each.sent
        refused[each.stream]! += each.refused
      }
      if (++done === setup.plan.load.workers) everybody()
      // Nobody knows what is to come before all have said what they sent.
      await barrier
      child.order({ order: "finish", sent, refused })
      return child.next("messages")
    },
    (at) => counted.tick(at),
    async (child) => {
      child.order({ order: "end" })
      await child.next("ended")
    },
  )
  return {
    ...raw.common,
    figures: raw.done.map(({ figures }) => figures),
    cpus: raw.done.map(({ cpu }) => cpu),
    sent: sum(sent),
    refused: sum(refused),
  }
}

/** @throws CommandError, UsageError: what fails before the load begins */
export async function runStorm(setup: RunSetup): Promise<RawStorm> {
  const collector = new SampleCollector(setup.plan.load.workers, setup.onProgress)
  const raw = await withChildren(
    setup,
    (child, worker) => {
      child.on("samples", (told) => collector.add(worker, told))
      return child.next("connections")
    },
    (at) => collector.tick(at),
  )
  return {
    ...raw.common,
    workers: collector.workers,
    sums: raw.done.map(({ sums }) => sums),
    cpus: raw.done.map(({ cpu }) => cpu),
  }
}

/** @param end what each does when all have told what they counted; the readings of CPU are made by then */
async function withChildren<Done>(
  { plan, task, port, pid, interruption }: RunSetup,
  done: (child: BenchChild, worker: number) => Promise<Done>,
  onTick: (at: number) => void,
  end: (child: BenchChild) => Promise<void> = async () => undefined,
): Promise<{ readonly common: Readings & Pick<Raw, "look" | "sources">; readonly done: readonly Done[] }> {
  const { warmUp, seconds, workers: count } = plan.load
  const sources = sourceAddresses(task.address)
  const children = Array.from({ length: count }, (_, worker) =>
    startChild({ ...task, worker, sources }, `client process ${worker + 1}`),
  )
  const workers = children.map((child, worker) => ({
    ready: () => child.next("ready"),
    done: () => done(child, worker),
    start: (t0: number) => child.order({ order: "start", t0 }),
    halt: () => child.order({ order: "stop" }),
  }))
  try {
    const target = { address: task.address, port }
    const result = await runTogether(workers, { warmUp, seconds, target, pid, interruption, onTick })
    await Promise.all(children.map(end))
    const look = result.ready[0]!.look!
    return { common: { ...result.readings, look, sources: sources.length }, done: result.done }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}

/** Adds up what the processes say of how far they are. */
class Counter {
  readonly #of: { completed: number; failed: number }[]
  readonly #recent: RecentRate

  constructor({ plan, onProgress }: RunSetup) {
    this.#of = Array.from({ length: plan.load.workers }, () => ({ completed: 0, failed: 0 }))
    this.#recent = new RecentRate(onProgress)
  }

  set(worker: number, completed: number, failed: number): void {
    this.#of[worker] = { completed, failed }
  }

  tick(at: number): void {
    const all = (name: "completed" | "failed") => this.#of.reduce((total, each) => total + each[name], 0)
    this.#recent.tick(at, all("completed"), all("failed"))
  }
}
