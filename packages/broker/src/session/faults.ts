// Exceptions of the broker's own, or of a store, bus, login or transport that was given to it: what no rule of MQTT asks
// for. Each ends one connection at most. All are counted; a place that throws is told once with its stack, and again each
// time its number has grown tenfold, so that whoever can cause one cannot fill the log with it.

import type { BrokerFault } from "../ports/events.ts"

/** Places of the code that are told apart; what throws elsewhere after that is only counted. */
const maximumPlaces = 100
const maximumStackLength = 4096

/** Whose work it was, where it was one connection's. */
export interface FaultContext {
  /** Its address. */
  readonly peer?: string | undefined
  readonly clientId?: string | undefined
}

export class Faults {
  /** How many there were. */
  total = 0
  readonly #tell: (fault: BrokerFault) => void
  readonly #places: Map<string, number> = new Map()

  constructor(tell: (fault: BrokerFault) => void) {
    this.#tell = tell
  }

  report(error: unknown, context: FaultContext = {}): void {
    this.total++
    const stack = stackOf(error)
    // The message may differ each time, and may hold what a client sent: the frames are the place.
    const at = stack.indexOf("\n    at ")
    const place = at < 0 ? stack : stack.slice(at)
    const times = (this.#places.get(place) ?? 0) + 1
    if (times === 1 && this.#places.size >= maximumPlaces) return
    this.#places.set(place, times)
    if (!isPowerOfTen(times)) return
    const { peer, clientId } = context
    this.#tell({ event: "fault", peer, clientId, times, stack: stack.slice(0, maximumStackLength) })
  }

  /** Does the work; false, and reported, when it throws. For steps that happen whatever becomes of the others. */
  attempt(work: () => void, context?: FaultContext): boolean {
    try {
      work()
      return true
    } catch (error) {
      this.report(error, context)
      return false
    }
  }
}

/** Never throws, whatever was thrown. */
function stackOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `thrown: ${String(error)}`
    return typeof error.stack === "string" ? error.stack : `${error.name}: ${error.message}`
  } catch {
    return "thrown: something that cannot be shown"
  }
}

function isPowerOfTen(count: number): boolean {
  let rest = count
  while (rest % 10 === 0) rest /= 10
  return rest === 1
}
