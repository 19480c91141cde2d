// Subjects in processes of their own, which take turns: in every round each does one slice of its work, in turning order, while
// the others stand still. So what else the machine does falls on all of them, and ratios are taken within a round. After some
// rounds all begin anew with fresh processes ("generations"), as engines do not compile the same program the same way twice.

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { endedWithUs } from "../ending.ts"
import { onOneProcessor } from "../one-processor.ts"
import { drift } from "../statistics.ts"
import { type Answer, mostDrift, type Request, type Sample, type Task, type WarmedUp } from "./protocol.ts"
import { Absent } from "./subjects.ts"

/** Milliseconds for an answer, on a machine that has much else to do; a subject that hangs is told of. */
const patience = 120_000

export interface Plan {
  readonly generations: number
  /** Of each generation. */
  readonly rounds: number
  /** Milliseconds of processor time that a subject has in each round. */
  readonly slice: number
  /** Milliseconds of processor time until an engine has settled, at least and at most. */
  readonly warmUp: readonly [least: number, most: number]
}

export interface Contender extends Task {
  readonly name: string
}

export interface Measured {
  readonly name: string
  /** Of each round. */
  readonly samples: readonly Sample[]
  /** Of the last slices before the rounds, in each generation; 0.02: 2% more than those before them. */
  readonly drifts: readonly number[]
}

export interface Measurement {
  readonly measured: readonly Measured[]
  readonly absent: readonly { readonly name: string; readonly why: string }[]
}

/** @throws when a subject breaks: that is no noise */
export async function takeTurns(contenders: readonly Contender[], plan: Plan): Promise<Measurement> {
  const absent = new Map<string, string>()
  const results = new Map<string, { samples: Sample[]; drifts: number[] }>()
  for (let generation = 0; generation < plan.generations; generation++) {
    const running: { name: string; child: SubjectProcess }[] = []
    try {
      for (const { name, ...task } of contenders) {
        if (absent.has(name)) continue
        const child = await SubjectProcess.start(task).catch((error: Error) => {
          if (!(error instanceof Absent)) throw new Error(`${name}: ${error.message}`)
          absent.set(name, error.message)
          return undefined
        })
        if (child !== undefined) running.push({ name, child })
      }
      for (const { name, child } of running) {
        const { slices } = await child.warmUp(plan)
        const result = results.get(name) ?? { samples: [], drifts: [] }
        result.drifts.push(drift(slices) ?? Number.NaN)
        results.set(name, result)
      }
      for (let round = 0; round < plan.rounds; round++) {
        for (let turn = 0; turn < running.length; turn++) {
          const { name, child } = running[(round + turn) % running.length]!
          results.get(name)!.samples.push(await child.slice(plan.slice))
        }
      }
    } finally {
      for (const { child } of running) child.stop()
    }
  }
  return {
    measured: [...results].map(([name, result]) => ({ name, ...result })),
    absent: [...absent].map(([name, why]) => ({ name, why })),
  }
}

/** In a sentence: how much each engine still drifted when the rounds began. */
export function driftText(measured: readonly Measured[]): string {
  return `drift at the end of warm-up: ${measured.map(driftOf).join(", ")}`
}

/** Those that had not settled; undefined: all had. */
export function unsettledText(measured: readonly Measured[]): string | undefined {
  const moving = measured.filter(({ drifts }) => !(Math.abs(worst(drifts)) <= mostDrift))
  return moving.length === 0 ? undefined : `not settled: ${moving.map(driftOf).join(", ")}`
}

function driftOf({ name, drifts }: Measured): string {
  const most = worst(drifts)
  return `${name} ${most < 0 ? "" : "+"}${(100 * most).toFixed(1)}%`
}

/** Not a number when one was not measured. */
function worst(drifts: readonly number[]): number {
  return drifts.reduce((a, b) => (Math.abs(b) > Math.abs(a) || Number.isNaN(b) ? b : a), 0)
}

class SubjectProcess {
  readonly #child: ChildProcess
  readonly #ended: Promise<never>

  private constructor(child: ChildProcess) {
    this.#child = child
    // A warm-up of seconds does not see that nobody is there any more.
    child.once(
      "exit",
      endedWithUs(() => child.kill("SIGKILL")),
    )
    this.#ended = once(child, "exit").then(([code, signal]) => {
      throw new Error(`its process has ended (${signal ?? code})`)
    })
    this.#ended.catch(() => undefined)
  }

  /** @throws Absent when the subject cannot do this */
  static async start(task: Task): Promise<SubjectProcess> {
    const child = fork(fileURLToPath(new URL("../subject-child.js", import.meta.url)), [], {
      env: { ...process.env, PUREMQ_BENCH_TASK: JSON.stringify(task) },
      execArgv: [],
    })
    onOneProcessor(child.pid)
    const subject = new SubjectProcess(child)
    try {
      const answer = await subject.#answer()
      if ("absent" in answer) throw new Absent(answer.absent)
    } catch (error) {
      subject.stop()
      throw error
    }
    return subject
  }

  async warmUp({ slice, warmUp: [least, most] }: Plan): Promise<WarmedUp> {
    const answer = await this.#ask({ warmUp: { slice, least, most } })
    if (!("warmedUp" in answer)) throw new Error("it gave no answer to a warm-up")
    return answer.warmedUp
  }

  async slice(length: number): Promise<Sample> {
    const answer = await this.#ask({ slice: length })
    if (!("sample" in answer)) throw new Error("it gave no sample")
    return answer.sample
  }

  stop(): void {
    this.#child.kill()
  }

  async #ask(request: Request): Promise<Answer> {
    this.#child.send(request)
    return this.#answer()
  }

  async #answer(): Promise<Answer> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it gave no answer in ${patience / 1000} s`)), patience)
    })
    const [answer] = (await Promise.race([once(this.#child, "message"), this.#ended, late]).finally(() =>
      clearTimeout(timer),
    )) as [Answer]
    if ("failed" in answer) throw new Error(answer.failed)
    return answer
  }
}
