import { Broken } from "../promises.ts"
import type { Outcome } from "../simulate.ts"
import { end } from "./ending.ts"
import { ClusterSchedule } from "./schedule.ts"
import { ClusterWorld } from "./world.ts"

/** Runs the schedule of a seed in a cluster. @param house whether promises of the house are judged beside those of MQTT */
export function simulateCluster(seed: number, house = true): Outcome {
  const world = new ClusterWorld(seed, house)
  const { counts, told } = world
  let broken: string | undefined
  try {
    const schedule = new ClusterSchedule(world)
    schedule.begin()
    schedule.steps()
    end(world, house)
  } catch (error) {
    broken = error instanceof Broken ? error.message : `threw: ${error instanceof Error ? error.stack : error}`
  }
  return { broken, hash: world.hash, told, counts }
}
