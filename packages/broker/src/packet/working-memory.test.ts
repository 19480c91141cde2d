import { expect, it } from "vitest"
import { workingMemory } from "./working-memory.ts"

it("what the broker works with takes an eighth of the heap, whatever its size", () => {
  const sizes = [16, 64, 512, 4096].map((mebibytes) => mebibytes * 1_048_576)
  for (const heap of sizes) {
    const { routes, topics, changes, changeBytes, walkPlaces, collected } = workingMemory(heap)
    const bytes = routes + 1600 * topics + 100 * changes + changeBytes + 2 * 8 * walkPlaces + collected
    expect(bytes / heap).toBeGreaterThan(0.1)
    expect(bytes / heap).toBeLessThan(0.15)
  }
  expect(workingMemory()).toEqual(workingMemory(512 * 1_048_576))
})
