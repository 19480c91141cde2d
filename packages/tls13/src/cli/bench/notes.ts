// What a reader of a run must know to believe its figures, in sentences: each says what was seen and what to do.

import { cpus } from "node:os"
import { median } from "../../measure/quantiles.ts"
import type { Run } from "../../measure/report.ts"
import { figure, percent } from "../../measure/text-table.ts"
import { clientPorts } from "./ports.ts"

/**
 * @param timersLate milliseconds that delayed bytes came late, on average; null: none were delayed
 * @param operation one of them, such as `handshake`. @param interrupted somebody did not want to wait for the end
 */
export function notesOf(
  run: Omit<Run, "notes">,
  timersLate: number | null,
  operation: string,
  interrupted: boolean,
): readonly string[] {
  return [
    ...(interrupted ? [`interrupted: the measurement was to last longer than ${figure(run.seconds)} s`] : []),
    ...trustNotes(run),
    ...omissionNotes(run, operation),
    ...failureNotes(run, operation),
    ...steadinessNotes(run, operation),
    ...machineNotes(run),
    ...clientNotes(run, timersLate),
  ]
}

function trustNotes({ authenticated }: Omit<Run, "notes">): string[] {
  return authenticated.verified ? [] : [`${authenticated.words}: who answered is anybody's guess`]
}

function omissionNotes({ loop, counts, latency }: Omit<Run, "notes">, operation: string): string[] {
  const notes: string[] = []
  if (loop.kind === "closed")
    notes.push(
      `closed loop: while the server stalls nothing new is asked of it, so few ${operation}s see the stall and high percentiles come out too low (coordinated omission); measure latency with --rate`,
    )
  if (counts.notBegun > 0)
    notes.push(
      `${figure(counts.notBegun)} ${operation}s were due and not begun at the end, as the server (or the client) could not follow; the percentiles are of those that were, so the real ones are higher`,
    )
  if (latency !== null && latency.count < 1000)
    notes.push(`${figure(latency.count)} ${operation}s are too few for a p99.9: it is about their maximum`)
  return notes
}

function failureNotes({ counts, failures, agreed, scenario }: Omit<Run, "notes">, operation: string): string[] {
  const all = counts.completed + counts.failed
  const notes: string[] = []
  if (counts.failed > 0)
    notes.push(
      `${percent(counts.failed / all)} of the ${operation}s failed (mostly: ${failures[0]?.reason}); they are not in the latencies, but the CPU that they took is in that of both sides`,
    )
  if (counts.notClosedByServer > 0)
    notes.push(
      `${figure(counts.notClosedByServer)} connections were not closed by the server within a second after the client's close_notify; each held its place so long`,
    )
  if (counts.priming > 0)
    notes.push(
      `${figure(counts.priming)} full handshakes were made in the measurement for their tickets, as the server gave too few; they are in the CPU of both sides, not in the other figures`,
    )
  if (scenario["abrupt"] === true)
    notes.push(
      "connections were closed abruptly, as by openssl s_time: what a server does at a regular end is not in its CPU",
    )
  if (agreed["tickets"] !== undefined)
    notes.push(
      "the server gives no new ticket on resumption, so one ticket was used again and again, as by openssl s_time",
    )
  return notes
}

/** Shares by which the last third of a run may differ from its first and still be called settled. */
const steady = 0.1

function steadinessNotes({ slices, loop }: Omit<Run, "notes">, operation: string): string[] {
  const third = Math.floor(slices.length / 3)
  if (third < 3 || loop.kind === "open") return []
  const rate = (part: Run["slices"]) => median(part.map(({ completed, seconds }) => completed / seconds))
  const change = rate(slices.slice(-third)) / rate(slices.slice(0, third)) - 1
  if (!(Math.abs(change) > steady)) return []
  return [
    `not settled: the last third of the measurement had ${percent(Math.abs(change))} ${change > 0 ? "more" : "fewer"} ${operation}s a second than the first; warm up or measure for longer, and look at what else the machine does`,
  ]
}

function machineNotes({ machine, client, server, target }: Omit<Run, "notes">): string[] {
  const notes: string[] = []
  const count = cpus().length
  if (machine !== null && machine.steal > 0.01)
    notes.push(`${percent(machine.steal)} of the CPU time was stolen by other virtual machines: repeat it elsewhere`)
  const isHere = server !== null || target.own
  if (machine !== null && (isHere || !/^(127\.|::1$)/.test(target.address))) {
    const others = machine.busy * count - client.cores - (server?.cores ?? 0)
    if (others > 0.15 * count)
      notes.push(
        `other programs (and the kernel's share of the network) used ${others.toFixed(1)} of the ${count} CPUs: the figures would be others on a quiet machine`,
      )
  }
  if (server !== null && server.seconds > 0 && 0.02 / server.seconds > 0.05)
    notes.push(
      `the server's CPU time is read in steps of 10 ms and was only ${figure(server.seconds)} s: that is within ${percent(0.02 / server.seconds)}; measure for longer`,
    )
  return notes
}

function clientNotes({ scenario, ports, wire }: Omit<Run, "notes">, timersLate: number | null): string[] {
  const notes: string[] = []
  if (scenario["engine"] === "node")
    notes.push(
      `with --engine node the client's own time is part of the wait, and bytes, records and flights are those of ${wire === null ? "no" : "one"} handshake before the measurement`,
    )
  if (ports !== null && ports.timeWaitAfter > 0) {
    const all = (clientPorts() ?? 28_232) * Math.max(1, ports.sources)
    const share = ports.timeWaitAfter / all
    if (share > 0.3)
      notes.push(
        `${figure(ports.timeWaitAfter)} connections with this server are in TIME_WAIT, ${percent(share)} of the ports that there are: soon none is left; wait a minute between runs`,
      )
  }
  if (timersLate !== null)
    notes.push(
      `the added delay came ${figure(timersLate)} ms late on average (timers have whole milliseconds), in each direction that was delayed`,
    )
  return notes
}
