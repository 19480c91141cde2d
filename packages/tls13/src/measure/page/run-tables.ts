// The tables of one run.

import type { Distribution, Run } from "../report.ts"
import { countOf, figure, percent } from "../text-table.ts"
import { agreedWords, partName, talliesWords } from "../words.ts"
import { htmlTable, escapeText as text } from "./html.ts"
import type { ShownRun } from "./shown-run.ts"

/** @param isOneOfMany its title is shown, and what is long is folded away */
export function runTables({ run, title, colour }: ShownRun, operation: string, isOneOfMany: boolean): string {
  const { counts } = run
  const heading = isOneOfMany ? `<h3><span class="key s${colour}"></span>${text(title)}</h3>` : ""
  const told = [
    heading,
    `<p><span class="big">${figure(run.rate)} ${text(operation)}s a second</span>: ${figure(counts.completed)} completed, ${figure(counts.failed)} failed${counts.notBegun > 0 ? `, ${figure(counts.notBegun)} due but not begun` : ""}. Limit: ${text(run.limit.words)}.</p>`,
    failuresOf(run),
    notesOf(run),
  ].join("\n")
  const tables = [timeTable(run, operation), factsTable(run, operation)].join("\n")
  return isOneOfMany
    ? `${told}\n<details><summary>All figures of this run</summary>${tables}</details>`
    : `${told}\n${tables}`
}

function failuresOf({ failures }: Run): string {
  if (failures.length === 0) return ""
  const rows = failures.map(({ reason, count }) => [text(reason), figure(count)])
  return htmlTable(["failed, because", "times"], rows)
}

function notesOf({ notes }: Run): string {
  return notes.length === 0 ? "" : `<ul class="notes">${notes.map((note) => `<li>${text(note)}</li>`).join("")}</ul>`
}

function timeTable({ latency, parts }: Run, operation: string): string {
  const cells = (name: string, d: Distribution | null) => [
    name,
    ...(d === null ? [] : [d.min, d.p50, d.p90, d.p99, d.p999, d.max, d.mean].map(figure)),
  ]
  const rows = [
    cells(`<span class="big">${text(operation)}</span>`, latency),
    ...Object.entries(parts)
      .filter(([, d]) => d !== null)
      .map(([name, d]) => cells(text(partName(name)).replace(/^ +/, "&emsp;"), d)),
  ]
  return htmlTable(["milliseconds", "min", "p50", "p90", "p99", "p99.9", "max", "mean"], rows)
}

function factsTable(run: Run, operation: string): string {
  const { client, server, wire, machine, ports, scenario, workers } = run
  const cpu = (of: NonNullable<typeof server> | typeof client) =>
    `${figure(of.perOperation)} ms a ${operation} (user ${percent(of.user / Math.max(1e-9, of.seconds))}), ${of.cores.toFixed(2)} CPUs, busiest ${of.busiest === null ? "not known" : percent(of.busiest)}`
  const rows: (readonly [string, string])[] = [
    ["agreed", agreedWords(run)],
    ["verified", run.authenticated.words],
    ["client CPU", cpu(client)],
    [
      "server CPU",
      server === null
        ? "not read (--pid)"
        : `${cpu(server)}; ${countOf(server.processes, "process")}, ${countOf(server.threads, "thread")}, CPUs allowed ${server.cpusAllowed ?? "not known"}: ${server.program}`,
    ],
  ]
  const tallied = talliesWords(run)
  if (tallied !== "") rows.push(["in all, warm-up too", tallied])
  if (wire !== null) {
    const way = (name: "sent" | "received") =>
      `${figure(wire[name].bytes)} bytes, ${countOf(wire[name].records, "record")}, ${countOf(wire[name].flights, "flight")}; ${figure(wire.after[name])} bytes afterwards`
    rows.push(["sent", way("sent")], ["received", way("received")])
  }
  if (machine !== null) rows.push(["machine", `${percent(machine.busy)} busy, ${percent(machine.steal)} stolen`])
  if (ports !== null)
    rows.push([
      "ports in TIME_WAIT",
      `${figure(ports.timeWaitBefore)} before, ${figure(ports.timeWaitAfter)} after${ports.sources > 0 ? `; ${ports.sources} local addresses in turn` : ""}`,
    ])
  const settings = Object.entries(scenario).filter(([, value]) => value !== null)
  rows.push([
    "client",
    `${countOf(workers, "process")}; ${settings.map(([name, value]) => `${name}: ${value}`).join(", ")}`,
  ])
  return htmlTable(
    [],
    rows.map((row) => row.map(text)),
    "facts",
  )
}
