// A report as one HTML page, which has its own data in it.

import { compareSides, differencesOf, type Side, sidesOf } from "../compare-runs.ts"
import { latencyExtent } from "../plots/latency-plots.ts"
import type { Report, Run } from "../report.ts"
import { figure } from "../text-table.ts"
import { agreedWords, loopWords, subjectOf } from "../words.ts"
import { htmlTable, escapeText as text } from "./html.ts"
import { colours, dataLink, machineTable, momentText, wholePage } from "./page.ts"
import { comparisonPlots, scenarioPlots } from "./report-plots.ts"
import { runTables } from "./run-tables.ts"
import type { ShownRun } from "./shown-run.ts"

export function reportPage(report: Report): string {
  const sides = sidesOf(report.runs)
  const shown = report.runs.map((run) => showing(run, report.runs, sides))
  const scenarios = [...new Set(report.runs.map(({ name }) => name))]
  const title = `${capital(report.operation)}s of ${sides.map(({ name }) => name).join(" and ")}`
  return wholePage(title, [
    `<p class="soft">${text(momentText(report.started))} on ${text(report.machine.host)}, by ${text(report.tool.name)} ${text(report.tool.version)}</p>`,
    `<pre>${text(report.command)}</pre>`,
    ...warnings(report),
    overview(report, shown),
    ...sides.slice(1).map((side) => comparison(sides[0]!, side, report)),
    ...scenarios.map((name) =>
      scenarioSection(
        name,
        shown.filter(({ run }) => run.name === name),
        report,
      ),
    ),
    `<h2>Machine of the client</h2>\n${machineTable(report.machine)}`,
    readingSection(),
    footer(report),
  ])
}

function showing(run: Run, all: readonly Run[], sides: readonly Side[]): ShownRun {
  const alike = all.filter(({ name }) => name === run.name)
  const repeated = alike.some(({ repetition }) => repetition > 1)
  const title = `${subjectOf(run)}${repeated ? `, run ${run.repetition}` : ""}`
  const colour = sides.findIndex(({ name }) => name === subjectOf(run))
  const shown = { run, title, colour: colour % colours }
  return { ...shown, series: { name: title, colour: shown.colour, histogram: run.histogram } }
}

/** What nobody should read past. */
function warnings({ runs }: Report): string[] {
  const unverified = [...new Set(runs.filter(({ authenticated }) => !authenticated.verified).map(subjectOf))]
  const failed = runs.reduce((sum, { counts }) => sum + counts.failed, 0)
  const ofClient = runs.filter(({ limit }) => limit.side === "client").length
  const ofMachine = runs.filter(({ limit }) => limit.side === "machine").length
  const behind = runs.filter(({ counts }) => counts.notBegun > 0).length
  const say = (words: string) => `<p class="warn">${text(words)}</p>`
  const share = (count: number) => `${count} of ${runs.length} run${runs.length === 1 ? "" : "s"}`
  return [
    ...(unverified.length > 0 ? [say(`Not verified: ${unverified.join(", ")}. Who answered is anybody's guess.`)] : []),
    ...(failed > 0 ? [say(`${figure(failed)} operations failed; the reasons are with each run.`)] : []),
    ...(ofClient > 0
      ? [
          say(
            `In ${share(ofClient)} the client was the limit: operations a second are then those of the client. The server's CPU per operation still holds.`,
          ),
        ]
      : []),
    ...(ofMachine > 0
      ? [
          say(
            `In ${share(ofMachine)} this machine had no CPU left: rates and latencies are then those of the machine, with all that ran on it.`,
          ),
        ]
      : []),
    ...(behind > 0
      ? [
          say(
            `In ${share(behind)} operations were due and not begun at the end: the real percentiles are higher than those shown.`,
          ),
        ]
      : []),
  ]
}

function overview({ operation }: Report, shown: readonly ShownRun[]): string {
  const several = new Set(shown.map(({ run }) => run.name)).size > 1
  const order = [...new Set(shown.map(({ run }) => run.name))]
  const sorted = [...shown].sort(
    (one, other) => order.indexOf(one.run.name) - order.indexOf(other.run.name) || one.colour - other.colour,
  )
  const rows = sorted.map(({ run, title, colour }) => [
    `<span class="key s${colour}"></span>${text(title)}`,
    ...(several ? [text(run.name)] : []),
    `<span class="big">${figure(run.rate)}</span>`,
    ...[run.latency?.p50, run.latency?.p99, run.latency?.p999].map(figure),
    figure(run.server?.perOperation),
    figure(run.client.perOperation),
    figure(run.counts.failed),
    text(run.limit.side),
  ])
  const head = [
    "server",
    ...(several ? ["run"] : []),
    `${operation}s/s`,
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "server CPU ms",
    "client CPU ms",
    "failed",
    "limit",
  ]
  return htmlTable(head, rows)
}

function comparison(base: Side, other: Side, report: Report): string {
  const compared = compareSides(base, other, true, report.operation)
  if (compared.length === 0) return ""
  const several = new Set(compared.map(({ scenario }) => scenario)).size > 1
  const rows = compared.map(({ scenario, figure: name, base: a, other: b, ratio: { ratio, low, high }, verdict }) => [
    text(several ? `${scenario}: ${name}` : name),
    figure(a),
    figure(b),
    `<span class="big">${ratio.toFixed(3)}</span>`,
    low === high ? "-" : `${low.toFixed(3)} to ${high.toFixed(3)}`,
    text(verdict),
  ])
  const notes = differencesOf(base, other).map((note) => `<li>${text(note.replace(/^note: /, ""))}</li>`)
  return [
    `<h2>${text(other.name)} beside ${text(base.name)}</h2>`,
    comparisonPlots(compared, report, other),
    htmlTable(
      ["", text(base.name), text(other.name), "ratio", "95% interval", "what can be said"],
      rows,
      "figures words",
    ),
    notes.length > 0 ? `<ul class="notes soft">${notes.join("")}</ul>` : "",
  ].join("\n")
}

function scenarioSection(name: string, shown: readonly ShownRun[], report: Report): string {
  const [first] = shown
  if (first === undefined) return ""
  const extent = latencyExtent(shown.map(({ series }) => series))
  return [
    `<h2>${text(capital(name))}</h2>`,
    `<p class="soft">${text(loopWords(first.run))}; ${figure(first.run.seconds)} s after ${figure(first.run.warmUpSeconds)} s of warm-up; ${text(agreedWords(first.run))}</p>`,
    scenarioPlots(shown, extent, report.operation),
    ...shown.map((each) => runTables(each, report.operation, shown.length > 1)),
  ].join("\n")
}

function readingSection(): string {
  const words = [
    "Latency runs from the start of an operation, in an open loop from when it was due, to its end; of handshakes and connections TCP is a part. Of those that began in the measurement all count, however late they ended.",
    "In a closed loop a stalled server is asked less, so few operations see the stall and high percentiles come out too low (coordinated omission). An open loop has no such fault.",
    "CPU is user and system time of all threads and children between the ends of the measurement, divided by the operations completed in it.",
    "Intervals come from a bootstrap over time slices and, where there are several, over runs. What differs from one start of a server to the next is seen only with several runs.",
    "Histograms have 64 buckets for each doubling, joined for the drawing; percentiles in tables are exact, but those of messages, which are within 0.6%.",
  ]
  return `<h2>How to read this</h2>\n<ul class="notes">${words.map((each) => `<li>${text(each)}</li>`).join("")}</ul>`
}

function footer(report: Report): string {
  return `<footer>All figures of this page: ${dataLink("report.json", report)} (${text(report.format)}). To compare with other runs: <code>${text(report.tool.name)} --compare A.json B.json</code></footer>`
}

function capital(words: string): string {
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}
