// From what the client processes told to the figures of a run.

import { distributionOf, rounded } from "../../measure/distribution.ts"
import { histogramOf } from "../../measure/histogram.ts"
import { quantile } from "../../measure/quantiles.ts"
import type { Cpu, DirectionBytes, Failure, Run, ServerCpu, Slice, Wire } from "../../measure/report.ts"
import { limitOf } from "./limit.ts"
import { machineLoad } from "./machine.ts"
import { notesOf } from "./notes.ts"
import { type Load, nameOfScenario, nameOfSubject, type Plan, type Scenario, type Subject } from "./plan.ts"
import { busiestThread, commandOfProcess, cpusAllowed, statOf } from "./processes.ts"
import type { RawRun } from "./run-load.ts"
import { type Sample, samplesOf } from "./samples.ts"

export interface RunContext {
  readonly plan: Plan
  readonly scenario: Scenario
  readonly subject: Subject
  readonly target: { readonly host: string; readonly address: string; readonly port: number }
  readonly pid: number | undefined
  readonly repetition: number
  readonly provider: string
  readonly offered: Readonly<Record<string, string | null>>
}

/** What a run looks like in a report, and its samples, for `--samples`. */
export function summarize(raw: RawRun, context: RunContext): Run {
  const { plan, scenario, subject } = context
  const { load } = plan
  const from = 1000 * load.warmUp
  const all = [...samplesOf(raw.workers)]
  const until = load.seconds === undefined ? lastOf(all, from) : from + 1000 * load.seconds
  const seconds = Math.max(0.001, (until - from) / 1000)
  const measured = all.filter(({ due }) => due >= from && due < until + (load.seconds === undefined ? 1 : 0))
  const good = measured.filter(({ failure }) => failure === undefined)
  const completedIn = (start: number, end: number) => (sample: Sample) =>
    sample.failure === undefined && sample.done >= start && sample.done <= end
  // With --count as many as were asked for: one that began in the warm-up may have ended after it.
  const completed = load.seconds === undefined ? good.length : all.filter(completedIn(from, until)).length
  const latencies = good.map(({ due, done }) => done - due)
  const failures = failuresOf(measured)
  const client = clientCpu(raw, completed)
  const server = serverCpu(raw, context.pid, all.filter(completedIn(raw.first.at, raw.last.at)).length)
  const machine = machineLoad(raw.first.machine, raw.last.machine)
  const sum = (what: "notBegun" | "notClosedByServer") => raw.sums.reduce((total, each) => total + each[what], 0)
  const partial = {
    name: nameOfScenario(scenario, load),
    scenario: {
      mode: scenario.mode,
      engine: plan.engine,
      provider: plan.engine === "node" ? null : context.provider,
      ...context.offered,
      "round-trip time added (ms)": load.rtt,
      "segments lost (%)": Number((100 * load.loss).toPrecision(6)),
      ...(plan.abrupt && { abrupt: true }),
      ...(load.loss > 0 && { seed: load.seed }),
    },
    repetition: context.repetition,
    target: {
      ...context.target,
      name: subject.kind === "own" ? nameOfSubject(subject) : (subject.name ?? null),
      own: subject.kind === "own",
    },
    loop: loopOf(load),
    workers: load.workers,
    warmUpSeconds: load.warmUp,
    seconds: rounded(seconds),
    counts: {
      completed,
      failed: failures.reduce((total, { count }) => total + count, 0),
      warmUp: all.filter(({ failure, done }) => failure === undefined && done < from).length,
      notBegun: sum("notBegun"),
      priming: raw.primings,
      notClosedByServer: sum("notClosedByServer"),
    },
    rate: completed / seconds,
    latency: distributionOf(latencies),
    histogram: histogramOf(latencies).toJSON(),
    parts: partsOf(good, load),
    slices: slicesOf(all, measured, from, seconds),
    failures,
    wire: wireOf(raw),
    agreed: raw.look.agreed,
    authenticated: authenticatedOf(raw.look.unverified),
    client,
    server,
    machine: machine && { busy: rounded(machine.busy), steal: rounded(machine.steal) },
    ports: raw.timeWait
      ? { timeWaitBefore: raw.timeWait.before, timeWaitAfter: raw.timeWait.after, sources: raw.sources }
      : null,
  } as const
  const limit = limitOf(partial, raw.cpus)
  return { ...partial, limit, notes: notesOf({ ...partial, limit }, raw.timersLate) }
}

function lastOf(all: readonly Sample[], from: number): number {
  return all.reduce((last, { ended, done }) => Math.max(last, Number.isNaN(done) ? ended : done), from)
}

function loopOf({ rate, concurrency }: Load): Run["loop"] {
  return rate === undefined ? { kind: "closed", concurrency } : { kind: "open", rate, concurrency }
}

function failuresOf(measured: readonly Sample[]): Failure[] {
  const counts = new Map<string, number>()
  for (const { failure } of measured) if (failure !== undefined) counts.set(failure, (counts.get(failure) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count)
}

/** Where the time went. They add up to the latency, but for `behind`, which is a part of `wait`. */
function partsOf(good: readonly Sample[], load: Load): Run["parts"] {
  const seen = good.filter(({ own }) => !Number.isNaN(own))
  return {
    ...(load.rate !== undefined && { late: distributionOf(good.map(({ due, began }) => Math.max(0, began - due))) }),
    connect: distributionOf(good.map(({ began, reached }) => reached - began)),
    client: distributionOf(seen.map(({ own }) => own)),
    wait: distributionOf(good.map(({ reached, done, own }) => done - reached - (Number.isNaN(own) ? 0 : own))),
    behind: distributionOf(seen.map(({ behind }) => behind)),
    close: distributionOf(good.map(({ done, ended }) => ended - done)),
  }
}

/* ---------------------------------------------------------------- over time */

/** About 40, each of at least 0.1 s. */
export function slicesOf(all: readonly Sample[], measured: readonly Sample[], from: number, seconds: number): Slice[] {
  const count = Math.max(1, Math.min(40, Math.floor(seconds / 0.1)))
  const length = (1000 * seconds) / count
  const indexOf = (time: number) => Math.min(count - 1, Math.floor((time - from) / length))
  const slices = Array.from({ length: count }, () => ({ completed: 0, failed: 0, latencies: [] as number[] }))
  for (const { failure, done } of all) {
    if (failure === undefined && done >= from && done <= from + 1000 * seconds) slices[indexOf(done)]!.completed++
  }
  for (const { due, done, failure } of measured) {
    const slice = slices[Math.max(0, indexOf(due))]!
    if (failure === undefined) slice.latencies.push(done - due)
    else slice.failed++
  }
  return slices.map(({ completed, failed, latencies }, i) => {
    const sorted = Float64Array.from(latencies).sort()
    const at = (share: number) => rounded(quantile(sorted, share))
    const latency = sorted.length === 0 ? null : ([at(0), at(0.25), at(0.5), at(0.75), at(0.99), at(1)] as const)
    return { at: rounded((i * length) / 1000), seconds: rounded(length / 1000), completed, failed, latency }
  })
}

/* ---------------------------------------------------------------- CPU */

function clientCpu({ cpus }: RawRun, completed: number): Cpu {
  const user = cpus.reduce((sum, each) => sum + each.user, 0)
  const system = cpus.reduce((sum, each) => sum + each.system, 0)
  const cores = cpus.reduce((sum, each) => sum + (each.user + each.system) / each.elapsed, 0)
  const busiest = Math.max(...cpus.map((each) => Math.min(1, (each.user + each.system) / each.elapsed)))
  return cpuOf(user, system, cores, busiest, completed)
}

function serverCpu({ first, last }: RawRun, pid: number | undefined, operations: number): ServerCpu | null {
  if (pid === undefined || first.server === undefined || last.server === undefined) return null
  const [before, after] = [first.server, last.server]
  const elapsed = Math.max(0.001, (last.at - first.at) / 1000)
  const [user, system] = [after.user - before.user, after.system - before.system]
  const busiest = Math.min(1, busiestThread(before, after) / elapsed)
  return {
    ...cpuOf(user, system, (user + system) / elapsed, busiest, operations),
    pid,
    program: (commandOfProcess(pid) ?? statOf(pid)?.program ?? "unknown").slice(0, 200),
    processes: after.processes,
    threads: after.threads.size,
    cpusAllowed: cpusAllowed(pid),
    operations,
  }
}

function cpuOf(user: number, system: number, cores: number, busiest: number, operations: number): Cpu {
  const seconds = user + system
  return {
    seconds: rounded(seconds),
    user: rounded(user),
    system: rounded(system),
    cores: rounded(cores),
    busiest: rounded(busiest),
    perOperation: operations === 0 ? null : rounded((1000 * seconds) / operations),
  }
}

/* ---------------------------------------------------------------- bytes, and whom */

/** Of every handshake; of the one before the measurement, where the others went past us. */
function wireOf({ sums, look }: RawRun): Wire | null {
  const seen = sums.reduce((total, { wire }) => total + wire.seen, 0)
  if (seen === 0) return look.wire === undefined ? null : wireOfOne(look.wire)
  const mean = (of: (wire: RawRun["sums"][number]["wire"]) => number) =>
    rounded(sums.reduce((total, { wire }) => total + of(wire), 0) / seen)
  const direction = (name: "sent" | "received"): DirectionBytes => ({
    bytes: mean((wire) => wire[name].bytes),
    records: mean((wire) => wire[name].records),
    flights: mean((wire) => wire[name].flights),
  })
  const after = { sent: mean((wire) => wire.after.sent), received: mean((wire) => wire.after.received) }
  return { sent: direction("sent"), received: direction("received"), after, seen }
}

function wireOfOne({ handshake, all }: NonNullable<RawRun["look"]["wire"]>): Wire {
  const after = (name: "sent" | "received") => all[name].bytes - handshake[name].bytes
  return { ...handshake, after: { sent: after("sent"), received: after("received") }, seen: 1 }
}

function authenticatedOf(unverified: string | undefined): Run["authenticated"] {
  if (unverified === undefined) return { verified: true, words: "the server's certificate was verified" }
  return { verified: false, words: `the server was NOT verified (--insecure): ${unverified}` }
}
