// A row of `--check`: something measured in rounds, beside what is wanted of it.

import { quartiles, type Spread } from "../statistics.ts"

/** What is wanted of the median: at most, or at least, so much. Without one the row is printed and not judged. */
export type Target = { readonly most: number } | { readonly least: number } | undefined

export interface MeasuredRow {
  readonly name: string
  readonly unit: Unit
  /** One of each round. */
  readonly values: readonly number[]
  readonly target: Target
  /** What else has to be known, in a few words. */
  readonly note?: string
}

/** `x`: a ratio. */
export type Unit = "x" | "KiB" | "KB" | "ms"

/** Its subject is not there. */
export interface SkippedRow {
  readonly name: string
  readonly skipped: string
}

export type CheckRow = MeasuredRow | SkippedRow

export type Verdict = "met" | "not met" | "near" | "printed"

/** `near`: the median is on one side of the target and a quartile on the other, so that another run may say otherwise. */
export function verdictOn({ values, target }: MeasuredRow): Verdict {
  if (target === undefined) return "printed"
  const meets = (value: number) => ("most" in target ? value <= target.most : value >= target.least)
  const [low, middle, high] = quartiles(values)
  if (meets(low) !== meets(high)) return "near"
  return meets(middle) ? "met" : "not met"
}

export function rowText(row: CheckRow): string {
  if ("skipped" in row) return `${"skipped".padEnd(9)}${row.name}: ${row.skipped}`
  const { name, unit, values, target, note } = row
  const wanted = target === undefined ? "no target" : targetText(target, unit)
  const rounds = `${values.length} ${values.length === 1 ? "round" : "rounds"}`
  const spread = spreadText(quartiles(values), unit)
  return `${verdictOn(row).padEnd(9)}${name}: ${spread}; ${wanted}; ${rounds}${note === undefined ? "" : `; ${note}`}`
}

function spreadText([low, middle, high]: Spread, unit: Unit): string {
  const quartilesText = low === middle && middle === high ? "" : ` (${figure(low)} to ${figure(high)})`
  return `${figure(middle)} ${unit}${quartilesText}`
}

function targetText(target: NonNullable<Target>, unit: Unit): string {
  return "most" in target ? `at most ${figure(target.most)} ${unit}` : `at least ${figure(target.least)} ${unit}`
}

/** Three digits that count. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 100 ? Math.round(value).toString() : String(Number(value.toPrecision(3)))
}

export function tableMarkdown(rows: readonly CheckRow[]): string {
  const lines = rows.map((row) => {
    if ("skipped" in row) return `| ${row.name} | | | skipped: ${row.skipped} | |`
    const { name, unit, values, target } = row
    const wanted = target === undefined ? "" : targetText(target, unit)
    return `| ${name} | ${spreadText(quartiles(values), unit)} | ${wanted} | ${verdictOn(row)} | ${values.length} |`
  })
  return ["| row | measured (quartiles) | target | | rounds |", "|---|---|---|---|---|", ...lines, ""].join("\n")
}

/** The last line of a run. */
export function sumText(rows: readonly CheckRow[]): string {
  const count = (verdict: Verdict) => rows.filter((row) => !("skipped" in row) && verdictOn(row) === verdict).length
  const skipped = rows.filter((row) => "skipped" in row).length
  return `${count("met")} met, ${count("near")} near, ${count("not met")} not met, ${count("printed")} printed, ${skipped} skipped`
}
