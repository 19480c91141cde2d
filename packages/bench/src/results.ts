// What a run leaves behind, as `--json` keeps it, `--report` shows it and docs/performance has it: on which machine, with what, when,
// and each figure with the command that makes it.

import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import type { Machine } from "@puremq/tls13/measure"
import { type CheckRow, verdictOn } from "./check/row.ts"
import type { Comparison } from "./measure.ts"
import { UsageError } from "./options.ts"
import { thisRuntime } from "./runtimes.ts"
import { quartiles } from "./statistics.ts"
import type { TextTable } from "./tables.ts"

export type Figure = Comparison | TextTable

export interface Finding {
  /** The part of `npm run bench` that it belongs to. */
  readonly part: string
  readonly command: string
  readonly figure: Figure
}

/** Changes when a reader of the old form would misunderstand the new one. */
const resultsFormat = "puremq-comparisons/1"

export interface Results {
  readonly format: typeof resultsFormat
  /** The command line. */
  readonly command: string
  /** ISO 8601, UTC. */
  readonly started: string
  readonly seconds: number
  readonly runtime: string
  readonly machine: Machine
  /** Shares of all CPU time of the machine in the run, 0 to 1; null: the system does not say. */
  readonly during: { readonly busy: number; readonly steal: number } | null
  /** Of what is compared, by name. */
  readonly versions: Readonly<Record<string, string>>
  readonly findings: readonly Finding[]
  /** Of `--check`. */
  readonly rows: readonly CheckRow[]
  /** Measurements that broke: one line each. */
  readonly broken: readonly string[]
}

export type Measured = Pick<Results, "findings" | "rows" | "broken">

/** At the start of a run: what makes its results when it is over. */
export async function beginResults(command: string): Promise<(measured: Partial<Measured>) => Results> {
  const { describeMachine, machineLoad, machineTicks } = await import("@puremq/tls13/bench")
  const [began, before, runtime] = [Date.now(), machineTicks(), thisRuntime()]
  const machine = { ...describeMachine(), runtime }
  return (measured) => ({
    format: resultsFormat,
    command,
    started: new Date(began).toISOString(),
    seconds: Math.round((Date.now() - began) / 1000),
    runtime,
    machine,
    during: machineLoad(before, machineTicks()),
    versions: versions(),
    findings: [],
    rows: [],
    broken: [],
    ...measured,
  })
}

/** Of what is measured and of its packages; of programs that may be installed, what they say of themselves. */
function versions(): Record<string, string> {
  const said = (program: string, args: readonly string[], pattern: RegExp, otherwise = "not installed"): string => {
    const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", timeout: 5000, cwd: here })
    return pattern.exec(`${stdout ?? ""}${stderr ?? ""}`)?.[1] ?? otherwise
  }
  const ours = manifest(fileURLToPath(import.meta.resolve("@puremq/tls13/package.json")))
  return {
    PureMQ: `${ours.version}, commit ${said("git", ["describe", "--always", "--dirty"], /^(\S+)\s*$/, "not known")}`,
    ...ours.dependencies,
    ...manifest(join(here, "../package.json")).devDependencies,
    mosquitto: said("mosquitto", ["-h"], /mosquitto version (\S+)/),
    openssl: said("openssl", ["version"], /OpenSSL (\S+)/),
    nginx: said("nginx", ["-v"], /nginx\/(\S+)/),
  }
}

const here = fileURLToPath(new URL(".", import.meta.url))

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

function manifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, "utf8"))
}

/** As it is written: of each row what became of it, too. */
export function resultsText(results: Results): string {
  const rows = results.rows.map((row) => ("skipped" in row ? row : { ...row, verdict: verdictOn(row) }))
  return `${JSON.stringify({ ...results, rows }, rounded, 1)}\n`
}

/** Six digits of a figure are more than any of them is good for. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value
}

/** @throws UsageError */
export function readResults(file: string): Results {
  let read: Partial<Results> | null
  try {
    read = JSON.parse(readFileSync(file, "utf8"))
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`)
  }
  const lists = [read?.findings, read?.rows, read?.broken]
  if (read?.format !== resultsFormat || !lists.every(Array.isArray) || read.machine === undefined) {
    throw new UsageError(`${file} has no results of npm run bench (--json), or those of another version of it`)
  }
  return read as Results
}

/** Of the values of each round their quartiles alone, so that it is small: what is told of them stays the same. */
export function condensed(results: Results): Results {
  const few = (values: readonly number[]) => (values.length > 3 ? quartiles(values) : values)
  const figures = results.findings.map((finding): Finding => {
    const { figure } = finding
    if (isTable(figure)) return finding
    const rows = figure.rows.map((row) => ({ ...row, samples: few(row.samples) }))
    return { ...finding, figure: { ...figure, rows } }
  })
  const rows = results.rows.map((row): CheckRow => {
    if ("skipped" in row) return row
    return { ...row, values: few(row.values), rounds: row.rounds ?? row.values.length }
  })
  return { ...results, findings: figures, rows }
}

export function isTable(figure: Figure): figure is TextTable {
  return "cells" in figure
}
