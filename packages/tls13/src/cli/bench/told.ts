// What people read of a run, as text.

import type { Cpu, Distribution, Report, Run } from "../../measure/report.ts"
import { countOf, figure, percent, textTable } from "../../measure/text-table.ts"
import { agreedWords, loopWords, partName, subjectOf, talliesWords } from "../../measure/words.ts"

/** Lines. */
export function toldOf(report: Report, run: Run, of: number): string[] {
  const { counts } = run
  const again = of > 1 ? ` (${run.repetition} of ${of})` : ""
  return [
    "",
    `${subjectOf(run)}: ${run.name}${again}`,
    ...(run.authenticated.verified ? [] : [`  WARNING: ${run.authenticated.words}`]),
    `  ${loopWords(run)}, ${countOf(run.workers, "client process")} (${[run.scenario["engine"], run.scenario["provider"]].filter(Boolean).join(", ")}), ${figure(run.seconds)} s after ${figure(run.warmUpSeconds)} s of warm-up`,
    `  agreed: ${agreedWords(run)}`,
    "",
    `  ${figure(run.rate)} ${report.operation}s/s   ${figure(counts.completed)} completed, ${figure(counts.failed)} failed${counts.notBegun > 0 ? `, ${figure(counts.notBegun)} due but not begun` : ""}`,
    ...run.failures.map(({ reason, count }) => `    ${figure(count)} failed: ${reason}`),
    "",
    ...textTable(timeRows(run, report.operation), "  "),
    "",
    ...[...wireRows(run), ...tallyRows(run), ...cpuRows(run, report.operation), ["limit", run.limit.words]].map(
      ([name = "", text]) => `  ${name.padEnd(10)}  ${text}`,
    ),
    ...run.notes.map((note) => `  note: ${note}`),
  ]
}

function timeRows({ latency, parts }: Run, operation: string): string[][] {
  const cells = (name: string, d: Distribution | null) => [
    name,
    ...(d === null ? ["-"] : [d.p50, d.p90, d.p99, d.p999, d.max, d.mean].map(figure)),
  ]
  return [
    ["milliseconds", "p50", "p90", "p99", "p99.9", "max", "mean"],
    cells(operation === "message" ? operation : `${operation}, TCP included`, latency),
    ...Object.entries(parts)
      .filter(([, d]) => d !== null)
      .map(([name, d]) => cells(`  ${partName(name)}`, d)),
  ]
}

function wireRows({ wire }: Run): string[][] {
  if (wire === null) return []
  const row = (
    name: string,
    { bytes, records, flights }: { bytes: number; records: number; flights: number },
    after: number,
  ) => [
    name,
    `${figure(bytes)} bytes, ${countOf(records, "record")}, ${countOf(flights, "flight")}; afterwards ${figure(after)} bytes`,
  ]
  return [row("sent", wire.sent, wire.after.sent), row("received", wire.received, wire.after.received)]
}

function tallyRows(run: Run): string[][] {
  const words = talliesWords(run)
  return words === "" ? [] : [["in all", `${words} (warm-up too)`]]
}

function cpuRows({ client, server, machine, ports }: Run, operation: string): string[][] {
  const row = (name: string, cpu: Cpu, more: string) => [
    name,
    `${figure(cpu.perOperation)} ms a ${operation} (user ${percent(cpu.user / Math.max(1e-9, cpu.seconds))}), ${cpu.cores.toFixed(2)} CPUs${more}`,
  ]
  return [
    row("client CPU", client, ""),
    ...(server === null
      ? []
      : [
          row(
            "server CPU",
            server,
            `, pid ${server.pid}: ${countOf(server.processes, "process")}, ${countOf(server.threads, "thread")}`,
          ),
        ]),
    ...(machine === null ? [] : [["machine", `${percent(machine.busy)} busy, ${percent(machine.steal)} stolen`]]),
    ...(ports === null
      ? []
      : [["TIME_WAIT", `${figure(ports.timeWaitBefore)} before, ${figure(ports.timeWaitAfter)} after`]]),
  ]
}
