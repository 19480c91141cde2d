// From what the client processes told to the figures of a run.

import { distributionOf, rounded } from "../../measure/distribution.ts"
import { histogramOf } from "../../measure/histogram.ts"
import type { DirectionBytes, Failure, Run, Wire } from "../../measure/report.ts"
import { conditionsOf } from "./conditions.ts"
import { limitOf } from "./limit.ts"
import { notesOf } from "./notes.ts"
import { type Load, nameOfScenario, nameOfSubject, type Plan, type Scenario, type Subject } from "./plan.ts"
import type { RawRun } from "./run-load.ts"
import { RunSamples, slicesOf } from "./run-samples.ts"
import type { Sample } from "./samples.ts"

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
  const planned = load.seconds === undefined ? undefined : from + 1000 * load.seconds
  const samples = new RunSamples(raw.workers, from, raw.interruptedAt ?? planned)
  const seconds = Math.max(0.001, (samples.until - from) / 1000)
  // With --count as many as were asked for: one that began in the warm-up may have ended after it.
  const completed = planned === undefined ? samples.countGood() : samples.countCompleted(from, samples.until)
  const histogram = histogramOf(samples.good(({ due, done }) => done - due))
  const failures = failuresOf(samples)
  const conditions = conditionsOf(raw, completed, context.pid, samples.countCompleted(raw.first.at, raw.last.at))
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
      warmUp: samples.countCompleted(Number.NEGATIVE_INFINITY, from),
      notBegun: sum("notBegun"),
      priming: raw.primings,
      notClosedByServer: sum("notClosedByServer"),
    },
    rate: completed / seconds,
    latency: distributionOf(samples.good(({ due, done }) => done - due)),
    histogram: histogram.toJSON(),
    parts: partsOf(samples, load),
    slices: slicesOf(samples),
    failures,
    wire: wireOf(raw),
    agreed: raw.look.agreed,
    authenticated: authenticatedOf(raw.look.unverified),
    ...conditions,
  } as const
  const limit = limitOf(partial, raw.cpus)
  const notes = notesOf({ ...partial, limit }, raw.timersLate, "handshake", raw.interruptedAt !== undefined)
  return { ...partial, limit, notes }
}

export function loopOf({ rate, concurrency }: Load): Run["loop"] {
  return rate === undefined ? { kind: "closed", concurrency } : { kind: "open", rate, concurrency }
}

export function failuresOf(samples: RunSamples): Failure[] {
  const counts = new Map<string, number>()
  for (const { failure } of samples.measured())
    if (failure !== undefined) counts.set(failure, (counts.get(failure) ?? 0) + 1)
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count)
}

/** Where the time went. They add up to the latency, but for `behind`, which is a part of `wait`. */
function partsOf(samples: RunSamples, load: Load): Run["parts"] {
  const of = (value: (sample: Sample) => number) => distributionOf(samples.good(value))
  return {
    ...(load.rate !== undefined && { late: of(({ due, began }) => Math.max(0, began - due)) }),
    connect: of(({ began, reached }) => reached - began),
    client: of(({ own }) => own),
    wait: of(({ reached, done, own }) => done - reached - (Number.isNaN(own) ? 0 : own)),
    behind: of(({ behind }) => behind),
    close: of(({ done, ended }) => ended - done),
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
