// From what the client processes told to the figures of a run.

import { conditionsOf, failuresOf, limitOf, loopOf, notesOf, RunSamples, slicesOf } from "@puremq/tls13/bench"
import { distributionOf, type Failure, histogramOf, Recorder, type Run, rounded } from "@puremq/tls13/measure"
import type { Place } from "../../platform/dial.ts"
import { deliveryNotes } from "./notes.ts"
import { nameOfScenario, type Plan, type Scenario, windowOf } from "./plan.ts"
import type { RawMessages, RawStorm } from "./run.ts"
import { Timeline } from "./timeline.ts"

export interface RunContext {
  readonly plan: Plan
  readonly scenario: Scenario
  readonly place: Place
  readonly address: string
  /** What it is called; undefined: by its host and port. */
  readonly name: string | undefined
  readonly own: boolean
  readonly pid: number | undefined
  readonly repetition: number
}

export function summarizeMessages(raw: RawMessages, context: RunContext): Run {
  const { plan, scenario, pid } = context
  const { load, shape } = plan
  const { figures } = raw
  const from = 1000 * load.warmUp
  const planned =
    load.seconds === undefined ? Math.max(...figures.map(({ lastAt }) => lastAt)) : from + 1000 * load.seconds
  const length = Math.max(1, Math.min(planned, raw.interruptedAt ?? planned) - from)
  const sum = (of: (figure: RawMessages["figures"][number]) => number) =>
    figures.reduce((total, each) => total + of(each), 0)
  const completed = sum((each) => each.completed)
  const latency = merged(figures.map((each) => each.latency))
  const timeline = new Timeline()
  for (const each of figures) timeline.merge(each.timeline)
  const failures = failuresOfAll(figures.map((each) => each.failures))
  const tally = (name: keyof RawMessages["figures"][number]["tallies"]) => sum(({ tallies }) => tallies[name])
  const tallies = {
    sent: raw.sent,
    ...(raw.refused > 0 && { refused: raw.refused }),
    ...(shape.subscribers > 0 && {
      delivered: tally("delivered"),
      lost: tally("lost"),
      doubled: tally("doubled"),
      ...(shape.share === undefined && { "out of order": tally("outOfOrder") }),
    }),
    ...(tally("foreign") > 0 && { "of others": tally("foreign") }),
  }
  const qos = scenario?.qos ?? 0
  const window = windowOf(plan, qos, raw.look.version, raw.look.receiveMaximum)
  const names = [...new Set(figures.flatMap(({ parts }) => Object.keys(parts)))]
  const order = ["late", "wait", "connack", "suback", "puback", "pubcomp", "pingresp"]
  const parts = order
    .filter((name) => names.includes(name) && (name !== "late" || load.rate !== undefined))
    .map((name) => [name, merged(figures.flatMap(({ parts: all }) => all[name] ?? [])).distribution()] as const)
  return finished(raw, context, "message", completed, pid, {
    scenario: {
      publishers: shape.publishers,
      subscribers: shape.subscribers,
      topic: shape.topic,
      topics: shape.topics,
      filter: shape.subscribers === 0 ? null : shape.filter,
      share: shape.share ?? null,
      qos,
      "payload (bytes)": scenario?.size ?? 0,
      retain: plan.retain,
      inflight: window ?? null,
    },
    loop: loopOf({ ...load, concurrency: shape.publishers * (window ?? 0) }),
    seconds: length / 1000,
    counts: {
      completed,
      failed: failures.reduce((total, { count }) => total + count, 0),
      warmUp: sum((each) => each.warmUp),
      notBegun: sum((each) => each.notBegun),
      priming: 0,
      notClosedByServer: 0,
    },
    tallies,
    latency: latency.distribution(),
    histogram: latency.toJSON().histogram,
    parts: Object.fromEntries(parts),
    slices: timeline.slices(length),
    failures,
  })
}

export function summarizeStorm(raw: RawStorm, context: RunContext): Run {
  const { plan, pid } = context
  const { load } = plan
  const from = 1000 * load.warmUp
  const planned = load.seconds === undefined ? undefined : from + 1000 * load.seconds
  const samples = new RunSamples(raw.workers, from, raw.interruptedAt ?? planned)
  const completed = planned === undefined ? samples.countGood() : samples.countCompleted(from, samples.until)
  const failures = failuresOf(samples)
  const total = (what: "notBegun" | "notClosedByServer") => raw.sums.reduce((sum, each) => sum + each[what], 0)
  const taken = () => samples.good(({ due, done }) => done - due)
  const operations = samples.countCompleted(raw.first.at, raw.last.at)
  return finished(raw, context, "connection", operations, pid, {
    scenario: {},
    loop: loopOf(load),
    seconds: Math.max(0.001, (samples.until - from) / 1000),
    counts: {
      completed,
      failed: failures.reduce((sum, { count }) => sum + count, 0),
      warmUp: samples.countCompleted(Number.NEGATIVE_INFINITY, from),
      notBegun: total("notBegun"),
      priming: 0,
      notClosedByServer: total("notClosedByServer"),
    },
    latency: distributionOf(taken()),
    histogram: histogramOf(taken()).toJSON(),
    parts: {
      ...(load.rate !== undefined && {
        late: distributionOf(samples.good(({ due, began }) => Math.max(0, began - due))),
      }),
      connect: distributionOf(samples.good(({ began, reached }) => reached - began)),
      handshake: distributionOf(samples.good(({ own }) => own)),
      wait: distributionOf(samples.good(({ reached, own, done }) => done - reached - own)),
      close: distributionOf(samples.good(({ done, ended }) => ended - done)),
    },
    slices: slicesOf(samples),
    failures,
  })
}

/** What both kinds have. @param operations that were completed between the two readings of the broker's CPU */
function finished(
  raw: RawMessages | RawStorm,
  { plan, scenario, place, address, name, own, repetition }: RunContext,
  operation: string,
  operations: number,
  pid: number | undefined,
  figures: Pick<
    Run,
    "scenario" | "loop" | "seconds" | "counts" | "tallies" | "latency" | "histogram" | "parts" | "slices" | "failures"
  >,
): Run {
  const { completed } = figures.counts
  const partial = {
    name: nameOfScenario(scenario, plan),
    ...figures,
    scenario: {
      ...figures.scenario,
      engine: plan.engine === "node" ? "puremq over node:tls" : "puremq",
      transport: place.transport,
      protocol: raw.look.agreed["protocol"] ?? null,
    },
    repetition,
    target: { host: place.host, port: place.port, address, name: own ? "puremq" : (name ?? null), own },
    workers: plan.load.workers,
    warmUpSeconds: plan.load.warmUp,
    seconds: rounded(figures.seconds),
    rate: completed / figures.seconds,
    wire: null,
    agreed: raw.look.agreed,
    authenticated: raw.look.authenticated,
    ...conditionsOf(raw, completed, pid, operations),
  }
  const limit = limitOf(perPublished(partial, plan), raw.cpus)
  const run = { ...partial, limit }
  const notes = notesOf(run, null, operation, raw.interruptedAt !== undefined)
  return { ...run, notes: operation === "message" ? [...deliveryNotes(run), ...notes] : notes }
}

/** A rate that was asked for is one of messages that are published: whether it was followed is seen of those. */
function perPublished<Figures extends Pick<Run, "loop" | "rate" | "counts" | "tallies">>(
  run: Figures,
  { load }: Plan,
): Figures {
  const { sent, delivered } = run.tallies ?? {}
  if (load.rate === undefined || sent === undefined || delivered === undefined || delivered === 0) return run
  return { ...run, rate: (run.rate * sent) / delivered }
}

function merged(all: readonly Parameters<Recorder["merge"]>[0][]): Recorder {
  const sum = new Recorder()
  for (const each of all) sum.merge(each)
  return sum
}

function failuresOfAll(all: readonly (readonly (readonly [string, number])[])[]): Failure[] {
  const counts = new Map<string, number>()
  for (const [reason, count] of all.flat()) counts.set(reason, (counts.get(reason) ?? 0) + count)
  return [...counts].map(([reason, count]) => ({ reason, count })).sort((one, other) => other.count - one.count)
}
