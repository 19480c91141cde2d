import { expect, it } from "vitest"
import { ConfigError } from "../config/config.ts"
import { clientsOf, factsOf, type HeapFacts, heapShares } from "./node-heap.ts"

const mebibyte = 1_048_576

function shares(facts: Omit<HeapFacts, "limit">, limit: number) {
  const { old, clients } = heapShares({ limit: limit * mebibyte, ...facts })
  return [old / mebibyte, clients / mebibyte]
}

it("the young generation is in the engine's limit and in no share", () => {
  // As Node 20 says it with --max-old-space-size: 48 MiB more.
  expect(shares({ options: ["--max-old-space-size=96"] }, 144)).toEqual([96, 64])
  expect(shares({ options: ["--max_old_space_size=50", "--max-old-space-size=512"] }, 560)).toEqual([512, 480])
  expect(shares({ options: ["--max-old-space-size=64", "--max-semi-space-size=4"] }, 76)).toEqual([64, 44])
})

it("without an option for it the old generation is the rest, and two thirds at least", () => {
  expect(shares({ options: [] }, 4144)).toEqual([4096, 4064])
  expect(shares({ options: ["", "--inspect"] }, 96)).toEqual([64, 32])
  expect(shares({ options: ["--max-semi-space-size=1"] }, 515)).toEqual([512, 495])
})

it("a worker has its own", () => {
  expect(shares({ options: ["--max-old-space-size=512"], worker: { old: 128, young: 12 } }, 140)).toEqual([128, 108])
})

it("a heap that leaves less than 16 MiB for clients is refused, in one line that says what to do", () => {
  const clients = (old: number) => () =>
    clientsOf({ limit: (old + 48) * mebibyte, options: [`--max-old-space-size=${old}`] })
  expect(clients(48)()).toBe(16 * mebibyte)
  const line = "a heap of 47 MiB is too small for a broker; start node with --max-old-space-size=48 or more"
  expect(clients(47)).toThrow(new ConfigError(line))
})

it("Deno shows no options but those of its variable: where none is seen, the young generation is the largest it may be", () => {
  const deno = (env: Record<string, string>, limit: number) =>
    heapShares({ ...factsOf({ deno: "2.9.6" }, env), limit: limit * mebibyte }).old / mebibyte
  expect(deno({}, 296)).toBe(200) // --v8-flags=--max-old-space-size=200
  expect(deno({ DENO_V8_FLAGS: "--stack-size=900,--max-old-space-size=200" }, 296)).toBe(200)
  expect(deno({ DENO_V8_FLAGS: "--max-semi-space-size=4" }, 212)).toBe(200)
  const small = { ...factsOf({ deno: "2.9.6" }, {}), limit: 140 * mebibyte }
  expect(() => clientsOf(small)).toThrow("start deno with --v8-flags=--max-old-space-size=48 or more")
})

it("Bun's engine has no limit: what was asked for counts, and otherwise a part of the machine's memory", () => {
  const asked = factsOf({ bun: "1.4.5" }, { NODE_OPTIONS: "--max-old-space-size=200" })
  expect(heapShares(asked).old).toBe(200 * mebibyte)
  const { limit } = factsOf({ bun: "1.4.5" }, {})
  expect(limit).toBeGreaterThan(0)
  expect(limit).toBeLessThanOrEqual(4096 * mebibyte)
  const small = factsOf({ bun: "1.4.5" }, { NODE_OPTIONS: "--max-old-space-size=47" })
  expect(() => clientsOf(small)).toThrow("start bun with --max-old-space-size=48 or more")
})
