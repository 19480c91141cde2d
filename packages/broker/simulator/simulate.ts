import type { Counts } from "./counts.ts"
import { end } from "./ending.ts"
import { Broken } from "./promises.ts"
import { Schedule } from "./schedule.ts"
import { World } from "./world.ts"

export interface Outcome {
  /** The promise that was broken, and how; undefined: none was. */
  readonly broken: string | undefined
  /** Of all bytes that were sent, by anybody. */
  readonly hash: number
  /** The last things that happened, in order. */
  readonly told: readonly string[]
  readonly counts: Counts
}

/** Runs the schedule of a seed. @param house whether promises of the house are judged beside those of MQTT */
export function simulate(seed: number, house = true): Outcome {
  const world = new World(seed, house)
  const { counts, told } = world
  let broken: string | undefined
  try {
    const schedule = new Schedule(world)
    schedule.begin()
    schedule.steps()
    end(world, house)
  } catch (error) {
    broken = error instanceof Broken ? error.message : `threw: ${error instanceof Error ? error.stack : error}`
  }
  return { broken, hash: world.hash, told, counts }
}
