// Whether the measurements can be believed: the same subject twice has to give a ratio of 1, and a cost that was added has to be
// seen. `npm run bench -- --self-test`.

import { type Contender, driftText, takeTurns } from "./engine/processes.ts"
import { usualHandshake } from "./engine/work.ts"
import { progress } from "./progress.ts"
import { median, quartiles, ratios } from "./statistics.ts"

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
  const plan = { generations: 2, rounds: 9, slice: 150, warmUp: [1500, 5000] } as const
  const { measured } = await takeTurns(contenders, plan)
  progress(driftText(measured))
  const [once, again, more, timed, timedMore] = measured.map(({ samples }) => samples)
  const cpu = (samples: typeof once) => samples!.map((sample) => sample.cpu)
  const outside = (samples: typeof once) => samples!.map((sample) => sample.outside! * sample.cpu)
  const differences = (a: readonly number[], b: readonly number[]) => a.map((value, i) => value - b[i]!)
  const base = median(cpu(once))
  return [
    told("the same twice, ratio", ratios(cpu(again), cpu(once)), 1),
    told(`${added} µs more, ratio`, ratios(cpu(more), cpu(once)), 1 + added / base),
    told("primitives timed, ratio", ratios(cpu(timed), cpu(once)), 1),
    // Whatever a busy machine made of those microseconds: they are outside of primitives, and nothing else is.
    told(
      "what was added and is seen outside of primitives, ratio to what was added",
      ratios(differences(outside(timedMore), outside(timed)), differences(cpu(timedMore), cpu(timed))),
      1,
    ),
  ].every((passed) => passed)
}

/** What two samples of a busy machine may differ by beyond their quartiles. */
const tolerance = 0.05

function told(what: string, values: readonly number[], wanted: number): boolean {
  const [low, middle, high] = quartiles(values)
  const passed = low - tolerance <= wanted && wanted <= high + tolerance
  const spread = `${low.toFixed(2)} to ${high.toFixed(2)}`
  console.log(
    `${passed ? "as it should be" : "WRONG"}: ${what}: ${middle.toFixed(2)} (${spread}), ${wanted.toFixed(2)} expected`,
  )
  return passed
}
