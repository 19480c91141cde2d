// What is counted of TLS handshakes. Names in labels are the listener's and those that RFCs and this stack know: a client chooses
// among them, and makes up none.

import type { HandshakeDetail, HandshakeFailed, HandshakeSucceeded } from "../ports/events.ts"
import { Histogram, type HistogramCounts } from "./histogram.ts"

/** TLS handshakes of one kind, which succeeded. */
export interface AgreedCount {
  readonly listener: string
  readonly version: string
  readonly suite: string
  /** "none": resumed without a key exchange. */
  readonly group: string
  readonly postQuantum: boolean
  readonly resumed: boolean
  readonly count: number
}

export interface OfferedCount {
  readonly listener: string
  /** The newest version that the client offered; "none" where it sent no ClientHello. */
  readonly version: string
  readonly count: number
}

/** How long handshakes took, in seconds. */
export interface HandshakeTimes {
  readonly listener: string
  /** "unfinished" of those that failed. */
  readonly mode: "full" | "resumed" | "unfinished"
  /** "success", or whose fault it was. */
  readonly result: "success" | HandshakeFailed["fault"]
  readonly times: HistogramCounts
}

/** Seconds. */
const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

/** Series of one kind at most; what is beyond has "other" in its labels. */
const mostSeries = 500

const versions: readonly string[] = ["TLSv1.3", "TLSv1.2", "TLSv1.1", "TLSv1", "SSLv3"]

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

export class HandshakeCounts {
  handshakes = 0
  /** By reason. */
  readonly failures: Map<string, number> = new Map()
  readonly #agreed: Map<string, Mutable<AgreedCount>> = new Map()
  readonly #offered: Map<string, Mutable<OfferedCount>> = new Map()
  readonly #times: Map<string, Omit<HandshakeTimes, "times"> & { readonly histogram: Histogram }> = new Map()

  count(event: HandshakeSucceeded | HandshakeFailed, detail: HandshakeDetail): void {
    if (event.event === "tls handshake") this.#succeeded(event, detail)
    else this.#failed(event, detail)
  }

  #succeeded(event: HandshakeSucceeded, detail: HandshakeDetail): void {
    this.handshakes++
    const { listener, resumed = false } = event
    const version = label(event.agreed ?? "unknown")
    const suite = label(event.suite ?? "unknown")
    const group = label(event.group ?? "none")
    const key = [listener, version, suite, group, resumed].join("\n")
    let counted = this.#agreed.get(key)
    if (counted === undefined) {
      const full = this.#agreed.size >= mostSeries
      const labels = full ? { version: "other", suite: "other", group: "other" } : { version, suite, group }
      const place = full ? `${listener}\nother\n${resumed}` : key
      counted = this.#agreed.get(place)
      counted ??= { listener, ...labels, postQuantum: group.includes("MLKEM"), resumed, count: 0 }
      this.#agreed.set(place, counted)
    }
    counted.count++
    this.#offer(listener, detail)
    this.#time(listener, resumed ? "resumed" : "full", "success", detail)
  }

  #failed(event: HandshakeFailed, detail: HandshakeDetail): void {
    const reason = failureLabel(event)
    this.failures.set(reason, (this.failures.get(reason) ?? 0) + 1)
    // It was turned away before its handshake began.
    if (event.limit === true) return
    this.#offer(event.listener, detail)
    this.#time(event.listener, "unfinished", event.fault, detail)
  }

  #offer(listener: string, { offered }: HandshakeDetail): void {
    const all = offered?.split(", ") ?? []
    const version = versions.find((one) => all.includes(one)) ?? "none"
    const key = `${listener}\n${version}`
    const counted = this.#offered.get(key) ?? { listener, version, count: 0 }
    counted.count++
    this.#offered.set(key, counted)
  }

  #time(
    listener: string,
    mode: HandshakeTimes["mode"],
    result: HandshakeTimes["result"],
    { milliseconds }: HandshakeDetail,
  ): void {
    const key = `${listener}\n${mode}\n${result}`
    let known = this.#times.get(key)
    if (known === undefined) {
      known = { listener, mode, result, histogram: new Histogram(bounds, 0.001) }
      this.#times.set(key, known)
    }
    known.histogram.observe(milliseconds)
  }

  get agreed(): readonly AgreedCount[] {
    return [...this.#agreed.values()].map((one) => ({ ...one }))
  }

  get offered(): readonly OfferedCount[] {
    return [...this.#offered.values()].map((one) => ({ ...one }))
  }

  get times(): readonly HandshakeTimes[] {
    return [...this.#times.values()].map(({ histogram, ...labels }) => ({ ...labels, times: histogram.read() }))
  }
}

/**
 * What a failed handshake is counted as. A client chooses among names that RFCs know and nothing else: an alert that has none
 * is `other`, and what it says in words is for the log.
 */
export function failureLabel({
  alert,
  limit,
  fault,
  reason,
}: Pick<HandshakeFailed, "alert" | "limit" | "fault" | "reason">): string {
  if (alert !== undefined) return /^[a-z_]{1,40}$/.test(alert) ? alert : "other"
  // Of a limit the words are ours.
  if (limit === true) return reason
  return fault === "network" ? "network" : "closed without an alert"
}

/** Names of this stack are short words. */
function label(name: string): string {
  return /^[\w.]{1,40}$/.test(name) ? name : "other"
}
