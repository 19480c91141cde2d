// Rows of `--check` as a table: each with where it is beside what is wanted of it.

import { escapeText, htmlTable, wantedPlot } from "@puremq/tls13/measure"
import { type CheckRow, figure, sumText, targetText, type Verdict, verdictOn } from "../check/row.ts"
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
    htmlTable(["what is measured", "median, quartiles", "what is wanted", ""], rows.map(cellsOf), "checks"),
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
  const soft = (words: string) => `<div class="soft">${escapeText(words)}</div>`
  const told = (verdict: keyof typeof classes) => `<b class="${classes[verdict]}">${verdict}</b>`
  if ("skipped" in row) return [`${escapeText(row.name)}${soft(row.skipped)}`, "", "", told("skipped")]
  const { name, unit, values, target, note, rounds = values.length } = row
  const [verdict, spread] = [verdictOn(row), quartiles(values)]
  const bar = target === undefined ? "" : wantedPlot({ spread, ...target })
  return [
    `${escapeText(name)}${note === undefined ? "" : soft(note)}`,
    `<b>${figure(spread[1])}</b> ${escapeText(unit)}${spread[0] === spread[2] ? "" : soft(`${figure(spread[0])} to ${figure(spread[2])}`)}`,
    `<span class="${classes[verdict]}">${bar}</span>${target === undefined ? "" : soft(targetText(target, unit))}`,
    `${told(verdict)}${soft(`${rounds} round${rounds === 1 ? "" : "s"}`)}`,
  ]
}
