import { afterEach, expect, it, vi } from "vitest"
import { growingPercent, letSmallHeapGrow } from "./node-collections.ts"

const mebibyte = 1_048_576
const heap = vi.hoisted(() => ({ used: 0, flags: [] as string[] }))

vi.mock("node:v8", () => ({
  getHeapStatistics: () => ({ used_heap_size: heap.used, heap_size_limit: 4096 * 1_048_576 }),
  setFlagsFromString: (flag: string) => heap.flags.push(flag),
}))

afterEach(() => vi.useRealTimers())

it.each([
  [16, 4096, 300],
  [47, 256, 300],
  [48, 4096, 0],
  [16, 255, 0],
])("%i MiB of %i: %i percent", (used, limit, percent) => {
  expect(growingPercent(used * mebibyte, limit * mebibyte)).toBe(percent)
})

it("V8 is told at once, and when the heap has become large or small again", () => {
  vi.useFakeTimers()
  heap.used = 16 * mebibyte
  letSmallHeapGrow()
  expect(heap.flags).toEqual(["--heap-growing-percent=300"])
  vi.advanceTimersByTime(5000)
  expect(heap.flags.length).toBe(1)
  heap.used = 500 * mebibyte
  vi.advanceTimersByTime(1000)
  heap.used = 20 * mebibyte
  vi.advanceTimersByTime(1000)
  expect(heap.flags.slice(1)).toEqual(["--heap-growing-percent=0", "--heap-growing-percent=300"])
})
