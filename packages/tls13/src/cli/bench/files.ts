// What is written for programs: CSV of the runs, and of the single handshakes.

import { closeSync, openSync, writeFileSync, writeSync } from "node:fs"
import type { Report, Run } from "../../measure/report.ts"
import { csvCell } from "../../measure/text-table.ts"
import { subjectOf } from "../../measure/words.ts"
import { CommandError, reasonOf } from "../arguments.ts"
import type { Sample } from "./samples.ts"

/** @throws CommandError */
export function writeText(path: string, text: string): void {
  within(path, () => writeFileSync(path, text))
}

export type Cell = string | number | boolean | null | undefined

/** A column of the lines that tell of runs: its name, and the cell of a run. */
export type Column = readonly [name: string, of: (run: Run, report: Report) => Cell]

/** Columns are only ever added, at the end. Times are milliseconds. */
export const handshakeColumns: readonly Column[] = [
  ["started", (_, report) => report.started],
  ["server", (run) => subjectOf(run)],
  ["run", (run) => run.name],
  ["repetition", (run) => run.repetition],
  ["mode", (run) => run.scenario["mode"]],
  ["cipher_suite", (run) => run.agreed["cipher suite"]],
  ["group", (run) => run.agreed["key exchange"]],
  ["signature", (run) => run.agreed["signature"]],
  ["engine", (run) => run.scenario["engine"]],
  ["provider", (run) => run.scenario["provider"]],
  ["loop", (run) => run.loop.kind],
  ["concurrency", (run) => run.loop.concurrency],
  ["rate_due", (run) => (run.loop.kind === "open" ? run.loop.rate : null)],
  ["workers", (run) => run.workers],
  ["warm_up_s", (run) => run.warmUpSeconds],
  ["duration_s", (run) => run.seconds],
  ["completed", (run) => run.counts.completed],
  ["failed", (run) => run.counts.failed],
  ["not_begun", (run) => run.counts.notBegun],
  ["handshakes_per_s", (run) => run.rate],
  ["latency_mean_ms", (run) => run.latency?.mean],
  ["latency_min_ms", (run) => run.latency?.min],
  ["latency_p50_ms", (run) => run.latency?.p50],
  ["latency_p90_ms", (run) => run.latency?.p90],
  ["latency_p99_ms", (run) => run.latency?.p99],
  ["latency_p999_ms", (run) => run.latency?.p999],
  ["latency_max_ms", (run) => run.latency?.max],
  ["connect_p50_ms", (run) => run.parts["connect"]?.p50],
  ["client_p50_ms", (run) => run.parts["client"]?.p50],
  ["wait_p50_ms", (run) => run.parts["wait"]?.p50],
  ["bytes_sent", (run) => run.wire?.sent.bytes],
  ["bytes_received", (run) => run.wire?.received.bytes],
  ["records_sent", (run) => run.wire?.sent.records],
  ["records_received", (run) => run.wire?.received.records],
  ["flights_sent", (run) => run.wire?.sent.flights],
  ["flights_received", (run) => run.wire?.received.flights],
  ["client_cpu_ms", (run) => run.client.perOperation],
  ["client_cpus", (run) => run.client.cores],
  ["server_cpu_ms", (run) => run.server?.perOperation],
  ["server_cpus", (run) => run.server?.cores],
  ["machine_busy", (run) => run.machine?.busy],
  ["machine_steal", (run) => run.machine?.steal],
  ["limit", (run) => run.limit.side],
  ["verified", (run) => run.authenticated.verified],
]

export function csvOf(report: Report, columns: readonly Column[]): string {
  const lines = report.runs.map((run) => columns.map(([, of]) => csvCell(of(run, report))).join(","))
  return `${[columns.map(([name]) => name).join(","), ...lines].join("\n")}\n`
}

/** Raw samples, as they come: a run's are not kept for longer than it lasts. */
export class SampleFile {
  readonly #path: string
  readonly #file: number

  /** @param columns those of the line's own come after the server, the run and its repetition. @throws CommandError */
  constructor(path: string, columns: readonly string[]) {
    this.#path = path
    this.#file = within(path, () => openSync(path, "w"))
    this.#write(`${["server", "run", "repetition", ...columns].join(",")}\n`)
  }

  add(run: Pick<Run, "target" | "name" | "repetition">, rows: Iterable<readonly Cell[]>): void {
    const head = [subjectOf(run), run.name, run.repetition].map(csvCell).join(",")
    let lines: string[] = []
    for (const cells of rows) {
      lines.push(`${head},${cells.map(csvCell).join(",")}\n`)
      if (lines.length < 10_000) continue
      this.#write(lines.join(""))
      lines = []
    }
    this.#write(lines.join(""))
  }

  close(): void {
    closeSync(this.#file)
  }

  #write(text: string): void {
    within(this.#path, () => writeSync(this.#file, text))
  }
}

/** Times are milliseconds since the run's load began; `phase` says whether it counts. */
export const sampleColumns = [
  "worker",
  "phase",
  "due_ms",
  "began_ms",
  "reached_ms",
  "done_ms",
  "ended_ms",
  "client_ms",
  "behind_ms",
  "failure",
] as const

export function* sampleRows(
  { warmUpSeconds, seconds }: Pick<Run, "warmUpSeconds" | "seconds">,
  samples: Iterable<Sample>,
): Generator<readonly Cell[]> {
  const [from, until] = [1000 * warmUpSeconds, 1000 * (warmUpSeconds + seconds)]
  for (const { worker, due, began, reached, done, ended, own, behind, failure } of samples) {
    const phase = due < from ? "warm-up" : due <= until ? "measured" : "after"
    const times = [due, began, reached, done, ended, own, behind].map((time) => Math.round(time * 1e4) / 1e4)
    yield [worker, phase, ...times, failure]
  }
}

function within<Value>(path: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw new CommandError(`${path} cannot be written: ${reasonOf(error)}`)
  }
}
