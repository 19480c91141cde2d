// Rows of `--check` as a table: each with where it is beside what is wanted of it.

import { escapeText, htmlTable, wantedPlot } from "@puremq/tls13/measure"
import { type CheckRow, spreadText, sumText, targetText, type Verdict, verdictOn } from "../check/row.ts"
import type { Results } from "../results.ts"
import { quartiles } from "../statistics.ts"
import { madeBy } from "./figures.ts"

const classes: Readonly<Record<Verdict | "skipped", string>> = {
  met: "met",
  near: "near",
  "not met": "missed",
  printed: "quiet",
  skipped: "quiet",
}
const verdicts = Object.keys(classes) as (keyof typeof classes)[]

export function checkSection(results: Results, title: string): string {
  const { rows, command } = results
  return [
    `<h2 id="check">${escapeText(title)}</h2>`,
    tally(rows),
    `<p class="soft">The dot is the median of the rounds, the bar its quartiles, as times of the target on a logarithmic axis from a quarter to four times; the tinted side is what is wanted. <i>Near</i>: the quartiles are on both sides of it.</p>`,
    htmlTable(
      ["what is measured", "median (quartiles)", "wanted", "", "", "rounds"],
      rows.map(cellsOf),
      "figures checks",
    ),
    `<p class="soft">${escapeText(sumText(rows))}.</p>`,
    madeBy(command, "check", rows),
  ].join("\n")
}

function tally(rows: readonly CheckRow[]): string {
  const verdict = (row: CheckRow) => ("skipped" in row ? "skipped" : verdictOn(row))
  const count = (wanted: keyof typeof classes) => rows.filter((row) => verdict(row) === wanted).length
  const each = verdicts.map((name) => `<div><b class="${classes[name]}">${count(name)}</b>${name}</div>`)
  return `<div class="tally">${each.join("")}</div>`
}

function cellsOf(row: CheckRow): string[] {
  const told = (verdict: keyof typeof classes, words: string = verdict) =>
    `<span class="${classes[verdict]}">${escapeText(words)}</span>`
  if ("skipped" in row) return [escapeText(row.name), "", "", "", told("skipped", `skipped: ${row.skipped}`), ""]
  const { name, unit, values, target, note, rounds = values.length } = row
  const verdict = verdictOn(row)
  const bar =
    target === undefined
      ? ""
      : `<span class="${classes[verdict]}">${wantedPlot({ spread: quartiles(values), ...target })}</span>`
  return [
    `${escapeText(name)}${note === undefined ? "" : ` <span class="soft">(${escapeText(note)})</span>`}`,
    escapeText(spreadText(quartiles(values), unit)),
    target === undefined ? "" : escapeText(targetText(target, unit)),
    bar,
    told(verdict),
    String(rounds),
  ]
}
