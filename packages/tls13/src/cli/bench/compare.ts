// `tls13 bench --compare`: what differs between sides, by how much, and whether chance would do that too.

import { mean } from "../../measure/quantiles.ts"
import { type Ratio, type RunValues, ratioOf, verdictOn } from "../../measure/ratio.ts"
import type { Report, Run } from "../../measure/report.ts"
import { reportSchema, schemaProblem } from "../../measure/report-schema.ts"
import { figure, textTable } from "../../measure/text-table.ts"
import { CommandError, readTextFile } from "../arguments.ts"

/** Reports that belong together: the same server, measured several times. */
export interface Side {
  readonly name: string
  readonly runs: readonly Run[]
}

export interface Compared {
  readonly scenario: string
  readonly figure: string
  readonly base: number
  readonly other: number
  readonly ratio: Ratio
  readonly verdict: string
  readonly runs: readonly [number, number]
}

/** What is compared, and whether more of it is better. A value is of a slice where a slice has one, else of the run. */
const figures: readonly {
  readonly name: string
  /** undefined: the run has no such figure. */
  readonly of: (run: Run) => RunValues | undefined
}[] = [
  { name: "handshakes/s", of: (run) => run.slices.map(({ completed, seconds }) => completed / seconds) },
  { name: "latency p50 (ms)", of: (run) => ofSlices(run, 2) },
  { name: "latency p99 (ms)", of: (run) => ofSlices(run, 4) },
  { name: "server CPU (ms)", of: (run) => one(run.server?.perOperation) },
  { name: "client CPU (ms)", of: (run) => one(run.client.perOperation) },
]

function ofSlices(run: Run, index: 2 | 4): RunValues | undefined {
  const values = run.slices.map(({ latency }) => latency?.[index]).filter((value) => value !== undefined)
  return values.length === 0 ? undefined : values
}

function one(value: number | null | undefined): RunValues | undefined {
  return value === null || value === undefined ? undefined : [value]
}

/** Whom a run measured, for people. */
export function subjectOf({ target }: Pick<Run, "target">): string {
  return target.own ?? `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`
}

/** @param files paths separated by commas. @throws CommandError for what is no report */
export function readSide(files: string): Side & { readonly reports: readonly Report[] } {
  const reports = files
    .split(",")
    .filter((path) => path !== "")
    .map(readReport)
  return { name: files, runs: reports.flatMap(({ runs }) => runs), reports }
}

function readReport(path: string): Report {
  const wanted = "wanted is a file that tls13 bench --json made"
  let value: unknown
  try {
    value = JSON.parse(readTextFile(path, wanted))
  } catch (error) {
    if (error instanceof SyntaxError) throw new CommandError(`${path}: it is no JSON; ${wanted}`)
    throw error
  }
  const problem = schemaProblem(value, reportSchema)
  if (problem !== undefined) throw new CommandError(`${path}: ${problem}; ${wanted}`)
  return value as Report
}

/** Of each scenario that both sides have: the figures that both have. */
export function compareSides(base: Side, other: Side): Compared[] {
  const names = [...new Set(base.runs.map(({ name }) => name))].filter((name) =>
    other.runs.some((run) => run.name === name),
  )
  return names.flatMap((scenario) =>
    figures.flatMap((each): Compared[] => {
      const [a, b] = [base, other].map(({ runs }) =>
        runs
          .filter(({ name }) => name === scenario)
          .map(each.of)
          .filter((values) => values !== undefined),
      ) as [RunValues[], RunValues[]]
      if (a.length === 0 || b.length === 0) return []
      const ratio = ratioOf(a, b)
      const middle = (runs: readonly RunValues[]) => mean(runs.map(mean))
      const counts = [a.length, b.length] as const
      // A single number has no spread of its own: nothing can be said of chance.
      const verdict =
        Math.min(...counts) < 2 && [...a, ...b].some(({ length }) => length < 2)
          ? "one figure a side: how much of it is chance nobody can tell; take several runs"
          : verdictOn(ratio, counts)
      return [{ scenario, figure: each.name, base: middle(a), other: middle(b), ratio, verdict, runs: counts }]
    }),
  )
}

/** @throws CommandError when there is nothing that both have */
export function comparisonText(base: Side, other: Side): string[] {
  const compared = compareSides(base, other)
  if (compared.length === 0)
    throw new CommandError(
      `${base.name} and ${other.name} have no run of one name: ${namesOf(base)} / ${namesOf(other)}`,
    )
  const scenarios = [...new Set(compared.map(({ scenario }) => scenario))]
  const lines = scenarios.flatMap((scenario) => {
    const rows = compared.filter((each) => each.scenario === scenario)
    const table = rows.map(({ figure: name, base: a, other: b, ratio: { ratio, low, high }, verdict, runs }) => [
      name,
      figure(a),
      figure(b),
      ratio.toFixed(3),
      Math.min(...runs) < 2 && low === high ? "-" : `${low.toFixed(3)} to ${high.toFixed(3)}`,
      `  ${verdict}`,
    ])
    const [a = 0, b = 0] = rows[0]?.runs ?? []
    const aligned = textTable([["", "A", "B", "B / A", "95% interval"], ...table.map((row) => row.slice(0, 5))], "  ")
    const told = aligned.map((line, i) => (i === 0 ? line : `${line}  ${table[i - 1]![5]!.trim()}`))
    return [`${scenario} (${a} run${a === 1 ? "" : "s"} of A, ${b} of B)`, ...told, ""]
  })
  return [`A: ${base.name}`, `B: ${other.name}`, "", ...lines, ...differencesOf(base, other)]
}

function namesOf({ runs }: Side): string {
  return [...new Set(runs.map(({ name }) => name))].join(", ")
}

/** What else differs than the server: then the figures may differ for that. */
function differencesOf(base: Side, other: Side): string[] {
  const conditions = (run: Run): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(run.scenario).map(([name, value]) => [name, String(value ?? "-")])),
    ...run.agreed,
    loop: JSON.stringify(run.loop),
    workers: String(run.workers),
    "which side was the limit": run.limit.side,
    verified: String(run.authenticated.verified),
  })
  const [a, b] = [base, other].map(({ runs }) => runs.map(conditions)) as [
    Record<string, string>[],
    Record<string, string>[],
  ]
  const valuesOf = (all: readonly Record<string, string>[], name: string) =>
    [...new Set(all.map((each) => each[name] ?? "-"))].sort().join(" | ")
  const names = [...new Set([...a, ...b].flatMap((each) => Object.keys(each)))]
  return names
    .filter((name) => valuesOf(a, name) !== valuesOf(b, name))
    .map((name) => `note: the sides differ in ${name}: ${valuesOf(a, name)} / ${valuesOf(b, name)}`)
}
