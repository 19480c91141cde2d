// The metrics of one moment, as far as the dashboard and `puremq top` show them, and what happened between two moments.

import { percentile } from "../histogram.ts"
import type { MetricsModel } from "../http/model.ts"
import { type Counts, countsBetween } from "./counts.ts"

const plain = [
  ...["connections", "clientsConnected", "clientsMaximum", "sockets", "connectionsOpened", "connectsReceived"],
  ...["connectsAccepted", "connectsRefused", "bytesReceived", "bytesSent", "publishReceived", "publishSent"],
  ...["publishDropped", "queuedBytes", "outboundBytes", "storedMessages", "inflightMessages", "retainedMessages"],
  ...["retainedBytes", "handshakes", "handshakesPending", "handshakesWaiting", "faults", "heapBytes"],
] as const

type Plain = (typeof plain)[number] & string

export interface Numbers {
  /** Milliseconds of the page's clock. */
  readonly at: number
  readonly uptimeSeconds: number
  readonly plain: Readonly<Record<string, number>>
  readonly handshakeFailures: Readonly<Record<string, number>>
  readonly dropped: Readonly<Record<string, number>>
  readonly residentBytes: number | undefined
  readonly cpuSeconds: number | undefined
  /** Handshakes that succeeded: all, and those of them that resumed a session, or agreed on a post-quantum group. */
  readonly agreed: { readonly all: number; readonly resumed: number; readonly postQuantum: number }
  readonly handshakeTimes: readonly Counts[]
  readonly delivery: readonly Counts[]
  readonly commit: readonly Counts[]
  readonly eventLoopDelay: readonly Counts[]
}

export function numbersOf(model: MetricsModel, at: number): Numbers {
  const timings = objectOf(model["timings"])
  const times = Array.isArray(model["handshakeTimes"]) ? model["handshakeTimes"] : []
  return {
    at,
    uptimeSeconds: numberOf(model["uptimeSeconds"]),
    plain: Object.fromEntries(plain.map((name) => [name, numberOf(model[name])])),
    handshakeFailures: countsByReason(model["handshakeFailures"]),
    dropped: countsByReason(model["dropped"]),
    residentBytes: numberOrNone(objectOf(model["process"])["residentBytes"]),
    cpuSeconds: numberOrNone(objectOf(model["process"])["cpuSeconds"]),
    agreed: agreedOf(model["tlsAgreed"]),
    handshakeTimes: times.flatMap((one: unknown) => {
      const { mode, times } = objectOf(one)
      return mode === "unfinished" ? [] : histogramIn(times)
    }),
    delivery: histogramIn(timings["delivery"]),
    commit: histogramIn(timings["commit"]),
    eventLoopDelay: histogramIn(timings["eventLoopDelay"]),
  }
}

/** One moment of the charts: rates are of a second, times in seconds; null: it is not known. */
export interface Point {
  readonly at: number
  readonly values: Readonly<Record<string, number | null>>
}

const rates: readonly Plain[] = ["publishReceived", "publishSent", "bytesReceived", "bytesSent", "handshakes"]
const levels: readonly Plain[] = ["clientsConnected", "connections", "queuedBytes", "outboundBytes", "heapBytes"]
const otherLevels: readonly Plain[] = ["storedMessages", "inflightMessages", "handshakesPending", "handshakesWaiting"]

export function pointOf(now: Numbers, before: Numbers): Point {
  const seconds = Math.max(0.001, (now.at - before.at) / 1000)
  const values: Record<string, number | null> = {}
  const since = (name: Plain) => Math.max(0, (now.plain[name] ?? 0) - (before.plain[name] ?? 0))
  for (const name of rates) values[name] = since(name) / seconds
  for (const name of [...levels, ...otherLevels]) values[name] = now.plain[name] ?? null
  values["waiting"] = waitingOf(now)
  values["residentBytes"] = now.residentBytes ?? null
  values["dropped"] = since("publishDropped") / seconds
  const cpu = (now.cpuSeconds ?? Number.NaN) - (before.cpuSeconds ?? Number.NaN)
  values["cpu"] = Number.isNaN(cpu) ? null : Math.max(0, cpu) / seconds
  values["connectsRefused"] = since("connectsRefused") / seconds
  values["handshakeFailures"] = (sum(now.handshakeFailures) - sum(before.handshakeFailures)) / seconds
  for (const name of ["handshakeTimes", "delivery", "commit", "eventLoopDelay"] as const) {
    const counts = countsBetween(now[name], before[name])
    for (const share of [50, 99]) {
      values[`${name}${share}`] = counts === undefined ? null : (percentile(counts, share / 100) ?? null)
    }
  }
  return { at: now.at, values }
}

/** Messages that wait for sessions, or for acknowledgements; retained ones are stored, and do not wait. */
export function waitingOf({ plain }: Numbers): number {
  return Math.max(0, (plain["storedMessages"] ?? 0) - (plain["retainedMessages"] ?? 0))
}

/** What grew since, by reason, the most first. */
export function grownSince(
  now: Readonly<Record<string, number>>,
  before: Readonly<Record<string, number>>,
): readonly (readonly [reason: string, count: number])[] {
  return Object.entries(now)
    .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}

function numberOf(value: unknown): number {
  return typeof value === "number" ? value : 0
}

function numberOrNone(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

function countsByReason(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(objectOf(value)).map(([reason, count]) => [reason, numberOf(count)]))
}

function agreedOf(value: unknown): Numbers["agreed"] {
  const all = Array.isArray(value) ? value.map(objectOf) : []
  const sumOf = (some: typeof all) => some.reduce((sum, { count }) => sum + numberOf(count), 0)
  return {
    all: sumOf(all),
    resumed: sumOf(all.filter(({ resumed }) => resumed === true)),
    postQuantum: sumOf(all.filter(({ postQuantum }) => postQuantum === true)),
  }
}

function histogramIn(value: unknown): readonly Counts[] {
  const { bounds, counts } = objectOf(value)
  return Array.isArray(bounds) && Array.isArray(counts) ? [{ bounds, counts }] : []
}
