// `tls13 bench --compare`: what differs between sides, by how much, and whether chance would do that too.

import { compareSides, differencesOf, type Side, sidesOf } from "../../measure/compare-runs.ts"
import type { Report } from "../../measure/report.ts"
import { reportSchema, schemaProblem } from "../../measure/report-schema.ts"
import { figure, textTable } from "../../measure/text-table.ts"
import { CommandError, readTextFile } from "../arguments.ts"

/**
 * @param files paths separated by commas. @param command that makes such files
 * @throws CommandError for what is no report, or when they are of different operations
 */
export function readSide(files: string, command: string): Side & { readonly operation: string } {
  const reports = files
    .split(",")
    .filter((path) => path !== "")
    .map((path) => readReport(path, command))
  const [operation = "", ...others] = new Set(reports.map((report) => report.operation))
  if (others.length > 0)
    throw new CommandError(`${files}: one is of ${operation}s and another of ${others[0]}s: they are no one side`)
  return { name: files, runs: reports.flatMap(({ runs }) => runs), operation }
}

function readReport(path: string, command: string): Report {
  const wanted = `wanted is a file that ${command} --json made`
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

/**
 * Servers are not mixed: where a side has several, each is compared with the one of the same name.
 * @throws CommandError when there is none
 */
export function pairsOf(base: Side, other: Side): readonly (readonly [Side, Side])[] {
  const [ones, twos] = [sidesOf(base.runs), sidesOf(other.runs)]
  const named = (file: string, { name, runs }: Side) => ({ name: `${file} (${name})`, runs })
  if (ones.length === 1 && twos.length === 1) return [[named(base.name, ones[0]!), named(other.name, twos[0]!)]]
  const pairs = ones.flatMap((one) => {
    const two = twos.find(({ name }) => name === one.name)
    return two === undefined ? [] : [[named(base.name, one), named(other.name, two)] as const]
  })
  if (pairs.length > 0) return pairs
  const list = (sides: readonly Side[]) => sides.map(({ name }) => name).join(", ")
  throw new CommandError(
    `${base.name} (${list(ones)}) and ${other.name} (${list(twos)}) have no server in common, and more than one on a side`,
  )
}

/** @throws CommandError when there is nothing that both have */
export function comparisonText(base: Side, other: Side, inTurns: boolean, operation: string): string[] {
  const compared = compareSides(base, other, inTurns, operation)
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
    return [`${scenario} (${a} run${a === 1 ? "" : "s"} of A, ${b} of B${inTurns ? ", in turns" : ""})`, ...told, ""]
  })
  return [`A: ${base.name}`, `B: ${other.name}`, "", ...lines, ...differencesOf(base, other)]
}

function namesOf({ runs }: Side): string {
  return [...new Set(runs.map(({ name }) => name))].join(", ")
}
