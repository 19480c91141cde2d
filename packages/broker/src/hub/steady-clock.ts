// The clock of a broker: it begins with what the machine's clock says, and from then on counts what has passed. Setting the
// machine's clock, which a device without a battery does after each start, changes nothing of it.

import type { Clock } from "../packet/change.ts"
import { resumedAt } from "./timeline.ts"

export class SteadyClock {
  readonly #passed: () => number
  readonly #wall: () => number
  /** What it said when `passed` said 0. */
  #origin: number

  /** @param passed milliseconds since some time, that never jump; @param wall what the machine's clock says, since 1970 */
  constructor(passed: () => number, wall: () => number) {
    this.#passed = passed
    this.#wall = wall
    this.#origin = wall() - passed()
  }

  /** Milliseconds: those since 1970 where the machine's clock was right at first. */
  now(): number {
    return this.#origin + this.#passed()
  }

  /** What the machine's clock says, in milliseconds since 1970. */
  wall(): number {
    return this.#wall()
  }

  /** Goes on where the broker before this one was, with the time that has passed since where that is known. Returns that. */
  resume(last: Clock | undefined): number {
    const at = last === undefined ? this.now() : resumedAt(last, this.#wall())
    this.#origin = at - this.#passed()
    return at
  }
}
