// What a benchmark's command does around its measurement: files are tried before it and written after it, Ctrl-C ends it early, and
// files of earlier ones are compared.

import type { Report } from "../../measure/report.ts"
import { CommandError } from "../arguments.ts"
import { type Arguments, UsageError } from "../command-line.ts"
import type { Terminal } from "../connect.ts"
import { comparisonText, pairsOf, readSide } from "./compare.ts"
import { type Column, csvOf, SampleFile, writeText } from "./files.ts"
import { describeMachine } from "./machine.ts"

/** As shells tell of a program that SIGINT has ended. */
const interruptedStatus = 130

/** Gives the exit status: 1 when nothing succeeded. @throws UsageError, CommandError */
export async function reporting(
  read: Arguments,
  terminal: Terminal,
  columns: readonly Column[],
  sampleColumns: readonly string[],
  measure: (file: SampleFile | undefined, interruption: AbortSignal) => Promise<Report>,
): Promise<number> {
  const samples = read.text("samples")
  // What cannot be written is found out now, not after the measurement.
  const outputs = ["json", "csv", "html"].map((name) => read.text(name)).filter((path) => path !== undefined)
  for (const path of outputs) writeText(path, "")
  const file = samples === undefined ? undefined : new SampleFile(samples, sampleColumns)
  // Ctrl-C ends the measurement, and what there is is told; a second one ends the program.
  const interruption = new AbortController()
  const interrupt = () => interruption.abort()
  process.once("SIGINT", interrupt)
  try {
    const report = await measure(file, interruption.signal)
    await writeReports(report, read, columns, terminal)
    if (interruption.signal.aborted) return interruptedStatus
    return report.runs.some(({ counts }) => counts.completed > 0) ? 0 : 1
  } finally {
    process.off("SIGINT", interrupt)
    file?.close()
  }
}

/** What a report says of the time before its first run. */
export function beginning(): Pick<Report, "started" | "machine"> {
  return { started: new Date().toISOString(), machine: describeMachine() }
}

async function writeReports(
  report: Report,
  read: Arguments,
  columns: readonly Column[],
  terminal: Terminal,
): Promise<void> {
  const say = (path: string) => terminal.output.write(`written: ${path}\n`)
  const [json, csv, html] = [read.text("json"), read.text("csv"), read.text("html")]
  if (json !== undefined) writeText(json, `${JSON.stringify(report, null, 1)}\n`)
  if (csv !== undefined) writeText(csv, csvOf(report, columns))
  if (html !== undefined) writeText(html, (await import("../../measure/page/report-page.ts")).reportPage(report))
  terminal.output.write("\n")
  for (const path of [json, csv, read.text("samples"), html]) if (path !== undefined) say(path)
}

export function headOf({ machine, command, started }: Report): string[] {
  const { cpu, cpus, kernel, governor, runtime, cpusAllowed, loadBefore, virtual } = machine
  return [
    command,
    `${started}, ${cpus} x ${cpu}${virtual ? " (virtual machine)" : ""}, ${kernel}, governor ${governor ?? "unknown"}, CPUs allowed ${cpusAllowed ?? "unknown"}, load ${loadBefore?.toFixed(2) ?? "unknown"}`,
    runtime,
  ]
}

/** Gives the exit status. @param command in whose name, such as `tls13 bench`. @throws UsageError, CommandError */
export function compareFiles(command: string, base: string, others: readonly string[], { output }: Terminal): number {
  if (others.length === 0)
    throw new UsageError(`--compare A.json needs a file to compare with; see "${command} --help"`)
  const side = readSide(base, command)
  for (const other of others) {
    const against = readSide(other, command)
    if (against.operation !== side.operation)
      throw new CommandError(
        `${base} is of ${side.operation}s and ${other} of ${against.operation}s: they cannot be compared`,
      )
    for (const [one, two] of pairsOf(side, against))
      output.write(`${comparisonText(one, two, false, side.operation).join("\n")}\n`)
  }
  return 0
}

/** The words of a command line, as a shell would have to be given them. */
export function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(" ")
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
