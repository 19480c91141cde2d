// A row of `--check`: something measured in rounds, beside what is wanted of it.

import { quartiles, type Spread } from "../statistics.ts"
import { gridMarkdown } from "../tables.ts"

/** What is wanted of the median: at most, or at least, so much, or both. Without one the row is printed and not judged. */
export type Target =
  | { readonly most: number; readonly least?: undefined }
  | { readonly least: number; readonly most?: number }
  | undefined

export interface MeasuredRow {
  readonly name: string
  readonly unit: Unit
  /** One of each round; of rows that are kept, their quartiles alone. */
  readonly values: readonly number[]
  /** Default: as many as there are values. */
  readonly rounds?: number
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
  const { least = Number.NEGATIVE_INFINITY, most = Number.POSITIVE_INFINITY } = target
  const side = (value: number) => (value < least ? "below" : value > most ? "above" : "within")
  const [low, middle, high] = quartiles(values)
  if (side(low) !== side(high)) return "near"
  return side(middle) === "within" ? "met" : "not met"
}

export function rowText(row: CheckRow): string {
  if ("skipped" in row) return `${"skipped".padEnd(9)}${row.name}: ${row.skipped}`
  const { name, unit, values, target, note } = row
  const wanted = target === undefined ? "no target" : targetText(target, unit)
  const count = row.rounds ?? values.length
  const rounds = `${count} ${count === 1 ? "round" : "rounds"}`
  const spread = spreadText(quartiles(values), unit)
  return `${verdictOn(row).padEnd(9)}${name}: ${spread}; ${wanted}; ${rounds}${note === undefined ? "" : `; ${note}`}`
}

function spreadText([low, middle, high]: Spread, unit: Unit): string {
  const quartilesText = low === middle && middle === high ? "" : ` (${figure(low)} to ${figure(high)})`
  return `${figure(middle)} ${unit}${quartilesText}`
}

export function targetText(target: NonNullable<Target>, unit: Unit): string {
  const { least, most } = target
  if (least === undefined) return `at most ${figure(most)} ${unit}`
  return most === undefined ? `at least ${figure(least)} ${unit}` : `${figure(least)} to ${figure(most)} ${unit}`
}

/** Three digits that count. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  return Math.abs(value) >= 100 ? Math.round(value).toString() : String(Number(value.toPrecision(3)))
}

export function tableMarkdown(rows: readonly CheckRow[]): string {
  const cells = rows.map((row) => {
    if ("skipped" in row) return [row.name, "", "", `skipped: ${row.skipped}`, ""]
    const { name, unit, values, target, rounds = values.length } = row
    const wanted = target === undefined ? "" : targetText(target, unit)
    const verdict = row.note === undefined ? verdictOn(row) : `${verdictOn(row)} (${row.note})`
    return [name, spreadText(quartiles(values), unit), wanted, verdict, `${rounds}`]
  })
  return `${gridMarkdown(["row", "measured (quartiles)", "target", "", "rounds"], cells)}\n`
}

/** The last line of a run. */
export function sumText(rows: readonly CheckRow[]): string {
  const count = (verdict: Verdict) => rows.filter((row) => !("skipped" in row) && verdictOn(row) === verdict).length
  const skipped = rows.filter((row) => "skipped" in row).length
  return `${count("met")} met, ${count("near")} near, ${count("not met")} not met, ${count("printed")} printed, ${skipped} skipped`
}
