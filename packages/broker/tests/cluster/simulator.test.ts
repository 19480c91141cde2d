// The simulator of a cluster: it repeats, its schedules contain what they are there for, and no promise is broken. That it finds
// faults: `npm run simulate -- --planted`.

import { expect, it } from "vitest"
import { simulateCluster } from "../../simulator/cluster/simulate.ts"
import { countedInCluster } from "../../simulator/counts.ts"

it("a seed is a schedule: run twice, the same happens and the same bytes are sent", () => {
  const [once, twice, other] = [simulateCluster(7), simulateCluster(7), simulateCluster(8)]
  expect(once.told.length).toBeGreaterThan(100)
  expect(twice).toEqual(once)
  expect(other.hash).not.toBe(once.hash)
})

it("schedules contain what they are there for, and no promise is broken", { timeout: 120_000 }, () => {
  const missing = new Set<string>(countedInCluster)
  for (let seed = 1; seed <= 40; seed++) {
    const { broken, counts } = simulateCluster(seed)
    expect(broken, `seed ${seed}`).toBeUndefined()
    for (const what of counts.keys()) missing.delete(what)
  }
  expect([...missing]).toEqual([])
})

// Each of these has found something once.
it.each([2, 4, 25, 44, 53, 70, 88, 106, 144, 306, 334, 457, 5003, 5046, 5207, 6266, 6900])("seed %i", (seed) => {
  expect(simulateCluster(seed).broken).toBeUndefined()
})
