// What was completed in each part of a measurement, and the latencies of what was due in it. The parts grow with the time, so that
// a long run takes no more memory than a short one.

import { Recorder, type RecorderData, rounded, type Slice } from "@puremq/tls13/measure"

/** Milliseconds of a part at first. */
const firstWidth = 100
const mostParts = 400
/** Slices of a report, about. */
const wanted = 40

interface Part {
  completed: number
  readonly latency: Recorder
}

export interface TimelineData {
  /** Milliseconds. */
  readonly width: number
  readonly parts: readonly { readonly completed: number; readonly latency: RecorderData }[]
}

export class Timeline {
  #width = firstWidth
  #parts: Part[] = []

  /** @param at milliseconds since the measurement began */
  complete(at: number): void {
    this.#at(at).completed++
  }

  /** @param due as `at` */
  latency(due: number, milliseconds: number): void {
    this.#at(due).latency.record(milliseconds)
  }

  merge({ width, parts }: TimelineData): void {
    while (this.#width < width) this.#widen()
    parts.forEach(({ completed, latency }, i) => {
      const part = this.#at(i * width)
      part.completed += completed
      part.latency.merge(latency)
    })
  }

  /** @param length of the measurement, in milliseconds */
  slices(length: number): Slice[] {
    const count = Math.max(1, Math.ceil(length / this.#width - 1e-9))
    const each = Math.ceil(count / wanted)
    return Array.from({ length: Math.ceil(count / each) }, (_, i) => {
      const sum = joined(this.#parts.slice(i * each, (i + 1) * each))
      const at = i * each * this.#width
      const seconds = Math.min(length - at, each * this.#width) / 1000
      const quantile = (share: number) => rounded(sum.latency.quantile(share))
      const latency =
        sum.latency.count === 0
          ? null
          : ([quantile(0), quantile(0.25), quantile(0.5), quantile(0.75), quantile(0.99), quantile(1)] as const)
      return {
        at: rounded(at / 1000),
        seconds: rounded(Math.max(0.001, seconds)),
        completed: sum.completed,
        failed: 0,
        latency,
      }
    })
  }

  toJSON(): TimelineData {
    const parts = this.#parts.map(({ completed, latency }) => ({ completed, latency: latency.toJSON() }))
    return { width: this.#width, parts }
  }

  #at(time: number): Part {
    let index = Math.max(0, Math.floor(time / this.#width))
    while (index >= mostParts) {
      this.#widen()
      index = Math.floor(time / this.#width)
    }
    while (this.#parts.length <= index) this.#parts.push({ completed: 0, latency: new Recorder() })
    return this.#parts[index]!
  }

  #widen(): void {
    const pairs = Math.ceil(this.#parts.length / 2)
    this.#parts = Array.from({ length: pairs }, (_, i) => joined(this.#parts.slice(2 * i, 2 * i + 2)))
    this.#width *= 2
  }
}

function joined(parts: readonly Part[]): Part {
  const sum = { completed: 0, latency: new Recorder() }
  for (const { completed, latency } of parts) {
    sum.completed += completed
    sum.latency.merge(latency.toJSON())
  }
  return sum
}
