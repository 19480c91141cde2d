// Results as Markdown: for bench-results, and for docs/performance.md.

import { tableMarkdown as checkMarkdown, sumText } from "../check/row.ts"
import { asMarkdown } from "../measure.ts"
import { condensed, type Figure, isTable, type Results } from "../results.ts"
import { tableMarkdown } from "../tables.ts"

/** What docs/performance keeps of a run. */
export interface KeptRun extends Pick<Results, "command" | "runtime" | "findings" | "rows"> {
  /** The day, as in 2026-11-29. */
  readonly day: string
  readonly machine: string
  /** Processes that wanted to run before it, one minute's average; null: not known. */
  readonly load: number | null
  /** Share of all CPU time that the machine's host took for others, 0 to 1; null: not known. */
  readonly steal: number | null
}

export function kept(results: Results): KeptRun {
  const { command, runtime, findings, rows } = condensed(results)
  return {
    command,
    day: results.started.slice(0, 10),
    runtime,
    machine: hardwareText(results),
    load: results.machine.loadBefore,
    steal: results.during?.steal ?? null,
    findings,
    rows,
  }
}

function hardwareText({ machine: { architecture, cpus, cpu, kernel } }: Results): string {
  return `${kernel.split(" ")[0]} ${architecture}, ${cpus} x ${cpu}`
}

export function machineText(results: Results): string {
  return `${results.runtime}, ${hardwareText(results)}, load ${results.machine.loadBefore?.toFixed(1) ?? "not known"}`
}

/** A section for each figure. */
export function figuresMarkdown({ findings }: Pick<Results, "findings">): string[] {
  return findings.map(({ figure }) => figureMarkdown(figure))
}

function figureMarkdown(figure: Figure): string {
  return isTable(figure) ? tableMarkdown(figure) : asMarkdown(figure)
}

const months = "January February March April May June July August September October November December".split(" ")

/** What stands in the document of a run: where it comes from, and its tables. */
export function keptMarkdown(run: KeptRun): string {
  const { day, runtime, machine, load, steal, command, rows } = run
  const [year, month, date] = day.split("-").map(Number)
  const circumstances = [
    runtime,
    machine,
    ...(load === null ? [] : [`load ${load.toFixed(1)}`]),
    ...(steal !== null && steal >= 0.005 ? [`${(100 * steal).toFixed(0)}% of the time stolen`] : []),
  ]
  const head = `${date} ${months[month! - 1]} ${year}: ${circumstances.join(", ")}. \`${command}\``
  const checked = rows.length === 0 ? [] : [`${checkMarkdown(rows)}`, `${sumText(rows)}\n`]
  return [head, "", ...checked, ...figuresMarkdown(run)].join("\n").trimEnd()
}
