// Runs of two sides beside each other: what differs, by how much, and whether chance would do that too.

import { mean } from "./quantiles.ts"
import { pairedRatioOf, type Ratio, type RunValues, ratioOf, verdictOn } from "./ratio.ts"
import type { Run } from "./report.ts"
import { subjectOf } from "./words.ts"

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
interface Figure {
  readonly name: string
  /** undefined: the run has no such figure. */
  readonly of: (run: Run) => RunValues | undefined
}

const figuresOf = (operation: string): readonly Figure[] => [
  { name: `${operation}s/s`, of: (run) => run.slices.map(({ completed, seconds }) => completed / seconds) },
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

/**
 * Of each scenario that both sides have: the figures that both have.
 * @param operation what the rate is of, such as `handshake`
 * @param inTurns both are of one report, so run i of the one was taken beside run i of the other
 */
export function compareSides(base: Side, other: Side, inTurns: boolean, operation: string): Compared[] {
  return commonNames(base, other).flatMap((scenario) =>
    figuresOf(operation).flatMap((each): Compared[] => {
      const [a, b] = [base, other].map(({ runs }) =>
        runs
          .filter(({ name }) => name === scenario)
          .map(each.of)
          .filter((values) => values !== undefined),
      ) as [RunValues[], RunValues[]]
      if (a.length === 0 || b.length === 0) return []
      const ratio = inTurns && a.length === b.length ? pairedRatioOf(a, b) : ratioOf(a, b)
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

function commonNames(base: Side, other: Side): readonly string[] {
  const names = [...new Set(base.runs.map(({ name }) => name))]
  return names.filter((name) => other.runs.some((run) => run.name === name))
}

/** What else differs than the server: then the figures may differ for that. */
export function differencesOf(base: Side, other: Side): string[] {
  const conditions = (run: Run): Record<string, string> => ({
    ...Object.fromEntries(Object.entries(run.scenario).map(([name, value]) => [name, String(value ?? "-")])),
    ...run.agreed,
    loop: JSON.stringify(run.loop),
    workers: String(run.workers),
    "which side was the limit": run.limit.side,
    verified: String(run.authenticated.verified),
  })
  const common = commonNames(base, other)
  const compared = ({ runs }: Side) => runs.filter(({ name }) => common.includes(name)).map(conditions)
  const [a, b] = [compared(base), compared(other)] as [Record<string, string>[], Record<string, string>[]]
  const valuesOf = (all: readonly Record<string, string>[], name: string) =>
    [...new Set(all.map((each) => each[name] ?? "-"))].sort().join(" | ")
  const names = [...new Set([...a, ...b].flatMap((each) => Object.keys(each)))]
  return names
    .filter((name) => valuesOf(a, name) !== valuesOf(b, name))
    .map((name) => `note: the sides differ in ${name}: ${valuesOf(a, name)} / ${valuesOf(b, name)}`)
}

/** The servers of one report, as sides to compare; the first is the base. */
export function sidesOf(runs: readonly Run[]): readonly Side[] {
  const names = [...new Set(runs.map(subjectOf))]
  return names.map((name) => ({ name, runs: runs.filter((run) => subjectOf(run) === name) }))
}
