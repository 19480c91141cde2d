// Whether the measurements can be believed: the same subject twice has to give a ratio of 1, and a cost that was added has to be
// seen. `npm run bench -- --self-test`.

import { type Contender, driftText, takeTurns } from "./engine/processes.ts"
import { usualHandshake } from "./engine/work.ts"
import { progress } from "./progress.ts"
import { median, quartiles, ratios, type Spread } from "./statistics.ts"

/** Microseconds. */
const added = 500

export async function selfTest(): Promise<boolean> {
  const fast = { subject: "fast", work: usualHandshake } as const
  const contenders: readonly Contender[] = [
    { ...fast, name: "fast" },
    { ...fast, name: "fast again" },
    { ...fast, name: "with more", added },
    { ...fast, name: "timed", timed: true },
    { ...fast, name: "timed, with more", timed: true, added },
  ]
  progress("the same handshake five times: as it is, again, and with 500 µs more; and what of it is not in primitives")
  const plan = { generations: 2, rounds: 9, slice: 100, warmUp: [1500, 5000] } as const
  const { measured } = await takeTurns(contenders, plan)
  progress(driftText(measured))
  const [once, again, more, timed, timedMore] = measured.map(({ samples }) => samples)
  const cpu = (samples: typeof once) => samples!.map((sample) => sample.cpu)
  const outside = (samples: typeof once) => samples!.map((sample) => sample.outside! * sample.wall)
  const differences = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!)
  const base = median(cpu(once))
  return [
    told("the same twice, ratio", quartiles(ratios(cpu(again), cpu(once))), 1, 0.1),
    told(`${added} µs more, ratio`, quartiles(ratios(cpu(more), cpu(once))), 1 + added / base, 0.12),
    told("primitives timed, ratio", quartiles(ratios(cpu(timed), cpu(once))), 1, 0.12),
    told(
      `${added} µs more, seen outside of primitives, µs`,
      quartiles(differences(outside(timedMore), outside(timed))),
      added,
      0.3 * added,
    ),
  ].every((passed) => passed)
}

function told(what: string, [low, middle, high]: Spread, wanted: number, tolerance: number): boolean {
  const passed = Math.abs(middle - wanted) <= tolerance
  const digits = wanted > 10 ? 0 : 2
  const [text, spread] = [middle.toFixed(digits), `${low.toFixed(digits)} to ${high.toFixed(digits)}`]
  console.log(
    `${passed ? "as it should be" : "WRONG"}: ${what}: ${text} (${spread}), ${wanted.toFixed(digits)} expected`,
  )
  return passed
}
