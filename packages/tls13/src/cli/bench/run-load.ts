// One run of handshakes: the client processes, and the samples that they tell.

import type { ClientCpu } from "./child-side.ts"
import type { EngineSetup } from "./engine-options.ts"
import type { LoadSums } from "./load.ts"
import type { Look } from "./messages.ts"
import { startChild } from "./own-child.ts"
import { sourceAddresses } from "./ports.ts"
import { type Progress, SampleCollector } from "./sample-collector.ts"
import type { WorkerSamples } from "./samples.ts"
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
