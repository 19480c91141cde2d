// Plays a scenario from beginning to end. Equal inputs give equal steps: to go back is to look at an earlier one, and an address that
// names scenario, seed and step leads everybody to the same bytes.

import type { CryptoProvider } from "@puremq/tls13"
import { withoutCheck } from "../recording/cut.ts"
import { breakOf } from "./breaks.ts"
import { castOf, now } from "./cast.ts"
import type { Meddling } from "./meddling.ts"
import { scenarioOf } from "./scenarios.ts"
import { Stage } from "./stage.ts"
import type { Cost, Step, Timeline } from "./step.ts"

export interface RunOptions {
  readonly scenario: string
  readonly provider: CryptoProvider
  /** 0 to 2^32-1. */
  readonly seed: number
  /** The id of a break of the table. */
  readonly breaks?: string | undefined
  /** Beside those of the break. */
  readonly meddlings?: readonly Meddling[]
  /** A check that is left out: that of the break. */
  readonly without?: string | undefined
  /** Microseconds, for what a step costs; default: nothing costs anything. */
  readonly clock?: () => number
}

/** Never throws for what the ends do to each other. @throws RangeError for a scenario or break that there is not */
export function play(options: RunOptions): Timeline {
  const { breaks: id, meddlings = [], without } = options
  if (id === undefined) return playOnce(options, meddlings)
  const broken = breakOf(id)
  const clean = broken.meddle && playOnce({ ...options, breaks: undefined }, [])
  const all = [...(clean ? broken.meddle!(clean) : []), ...meddlings]
  return withoutCheck(without, () => playOnce(options, all))
}

function playOnce(
  { scenario, provider, seed, breaks, clock = () => 0 }: RunOptions,
  meddlings: readonly Meddling[],
): Timeline {
  const steps: Step[] = []
  const costs: Cost[] = []
  const cast = castOf(provider, seed)
  const change = (breaks === undefined ? undefined : breakOf(breaks).change?.(cast)) ?? {}
  let connection = 0
  let last: Stage | undefined
  const stage = (later = 0) => {
    last = new Stage({
      steps,
      costs,
      connection: connection++,
      meddlings,
      now: now + later + (change.later ?? 0),
      clock,
      firstId: last?.nextId ?? 0,
    })
    return last
  }
  scenarioOf(scenario).play({ cast, stage, change })
  return { steps, costs }
}
