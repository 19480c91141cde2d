// The histograms of a broker, in seconds where they are of time.

import type { Observers } from "../ports/timings.ts"
import { Histogram, type HistogramCounts } from "./histogram.ts"

/** What they say, to be read. */
export interface TimingStats {
  /** From a PUBLISH to the moment when a copy of it was handed to a transport, of a sample; seconds. */
  readonly delivery: HistogramCounts
  /** From giving a turn to the store until it was committed; seconds. */
  readonly commit: HistogramCounts
  /** How late timers were; seconds. */
  readonly eventLoopDelay: HistogramCounts
  /** Messages that waited for a session, when one more had come to wait. */
  readonly queueDepth: HistogramCounts
}

const short = [0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const depths = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 100_000]

export class Timings {
  readonly #delivery = new Histogram(short, 0.001)
  readonly #commit = new Histogram(short, 0.001)
  readonly #queueDepth = new Histogram(depths)
  /** Takes milliseconds, as the others do that are of time. */
  readonly eventLoopDelay: Histogram = new Histogram(short.slice(4), 0.001)

  /** For the core. */
  get observers(): Observers {
    return { delivered: this.#delivery, committed: this.#commit, queued: this.#queueDepth }
  }

  read(): TimingStats {
    return {
      delivery: this.#delivery.read(),
      commit: this.#commit.read(),
      eventLoopDelay: this.eventLoopDelay.read(),
      queueDepth: this.#queueDepth.read(),
    }
  }
}
