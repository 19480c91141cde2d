// Executes targets for a number of executions, watches time and memory, and keeps what is new.

import { toHex } from "../src/bytes/hex.ts"
import { type Comparison, compareSteps } from "../tests/steps.ts"
import { seeded } from "./random.ts"
import type { Target } from "./target.ts"

export interface Crash {
  readonly target: string
  /** `--seed` and `--only` bring it back. */
  readonly seed: number
  readonly execution: number
  readonly error: Error
}

export interface Report {
  readonly target: string
  readonly executions: number
  readonly crashes: readonly Crash[]
  /** Different outcomes: how much of the stack's behaviour was reached. */
  readonly outcomes: ReadonlyMap<string, string>
  /** Of processor time, of one execution. */
  readonly longestMilliseconds: number
  /** Growth of the buffers of the process over the run, at its highest: an execution leaves nothing behind. */
  readonly retainedBytes: number
  readonly milliseconds: number
  /** Of a target with a state machine: what was walked of its table, and beside it. */
  readonly steps: (Comparison & { readonly rows: number }) | undefined
}

export interface RunOptions {
  readonly target: Target
  readonly executions: number
  readonly seed: number
  /** This execution alone. */
  readonly only?: number | undefined
  readonly now: () => number
  /** Milliseconds of processor time: what an execution takes, whatever else the machine does. */
  readonly processorTime: () => number
  /** Bytes of buffers that the process holds, after a garbage collection when there is one. */
  readonly bufferBytes: () => number
  readonly progress?: (executions: number) => void
}

/** Executions between two looks at the memory. */
const memoryInterval = 20_000
const mostCrashes = 20

export function run(options: RunOptions): Report {
  const { target, executions, seed, only, now, processorTime, bufferBytes } = options
  const crashes: Crash[] = []
  const outcomes = new Map<string, string>()
  const began = now()
  let [longestMilliseconds, retainedBytes] = [0, 0]
  let before: number | undefined
  const [from, to] = only === undefined ? [0, executions] : [only, only + 1]
  let execution = from
  for (; execution < to && crashes.length < mostCrashes; execution++) {
    const start = processorTime()
    try {
      const { words, input } = target.run(seeded(seed, execution))
      if (!outcomes.has(words)) outcomes.set(words, input ? toHex(input) : `${seed}:${execution}`)
    } catch (error) {
      crashes.push({
        target: target.name,
        seed,
        execution,
        error: error instanceof Error ? error : new Error(String(error)),
      })
    }
    longestMilliseconds = Math.max(longestMilliseconds, processorTime() - start)
    if (execution % memoryInterval === 1000) {
      const bytes = bufferBytes()
      before ??= bytes
      retainedBytes = Math.max(retainedBytes, bytes - before)
      options.progress?.(execution)
    }
  }
  return {
    target: target.name,
    executions: execution - from,
    crashes,
    outcomes,
    longestMilliseconds,
    retainedBytes,
    milliseconds: now() - began,
    steps: target.steps && { ...compareSteps(target.steps.walked, target.steps.rows), rows: target.steps.rows.length },
  }
}
