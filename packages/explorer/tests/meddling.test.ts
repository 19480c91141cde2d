// What anybody can do on the way: it has words and an address, and the two ends notice it.

import { beforeAll, expect, it } from "vitest"
import type * as Engine from "../src/engine.ts"
import type { Meddling } from "../src/run/meddling.ts"
import { engineTime, loadEngine } from "./engine.ts"

let engine: typeof Engine
beforeAll(async () => {
  engine = await loadEngine()
}, engineTime)

const all: readonly Meddling[] = [
  { kind: "flip", record: 3, bit: 120 },
  { kind: "drop", record: 4 },
  { kind: "repeat", record: 5 },
  { kind: "delay", record: 6 },
  { kind: "cut", record: 7, bytes: 12 },
  { kind: "inject", record: 5, bytes: Uint8Array.of(0x16, 3, 3, 0, 1, 1) },
]

it("is the same when it comes back from an address", () => {
  expect(engine.meddlingsOf(engine.textOfMeddlings(all))).toEqual(all)
  for (const nonsense of ["", "flip.3", "flip.x.1", "drop.1.2", "inject.1.xyz", "other.1", "cut.1.", "flip.-1.2"]) {
    expect({ nonsense, read: engine.meddlingsOf(nonsense) }).toEqual({ nonsense, read: [] })
  }
  // At the limits of what an address holds, and one past them.
  expect(engine.meddlingsOf(`inject.1.${"ab".repeat(512)}`)).toHaveLength(1)
  expect(engine.meddlingsOf(`inject.1.${"ab".repeat(513)}`)).toEqual([])
  expect(engine.meddlingsOf(Array(16).fill("drop.1").join(","))).toHaveLength(16)
  expect(engine.meddlingsOf(Array(17).fill("drop.1").join(","))).toHaveLength(16)
})

it("is noticed, whatever bit of whatever record it is: nobody gets what was not sent", { timeout: 120_000 }, () => {
  const provider = engine.fast()
  const clean = engine.play({ scenario: "full", provider, seed: 2 })
  const dataOf = ({ steps }: typeof clean) =>
    steps.flatMap(({ end, happening }) => (happening.type === "data" ? [`${end} ${happening.data}`] : []))
  const sent = dataOf(clean)
  const records = clean.steps.flatMap(({ happening }) => (happening.type === "wire" ? [happening.record] : []))
  let tried = 0
  for (const { id, sent: bytes } of records) {
    for (let bit = (id * 13) % 7; bit < 8 * bytes.length; bit += Math.max(37, Math.floor(bytes.length / 2))) {
      const run = engine.play({ scenario: "full", provider, seed: 2, meddlings: [{ kind: "flip", record: id, bit }] })
      const got = dataOf(run)
      // Whatever arrives was sent; less of it may arrive.
      const others = got.filter((each) => !sent.includes(each))
      expect({ id, bit, others }).toEqual({ id, bit, others: [] })
      const failed = run.steps.some(({ happening }) => happening.type === "failed")
      // Of a record in the clear some bits mean nothing: those of legacy_record_version, say.
      if (bytes[0] === 23 && bit >= 40) expect({ id, bit, failed }).toEqual({ id, bit, failed: true })
      tried++
    }
  }
  expect(tried).toBeGreaterThan(100)
})

it("has words that say what is done", () => {
  expect(all.map(engine.meddlingWords)).toEqual([
    "bit 0 (0x80) of byte 15 of record 4 is flipped",
    "record 5 is dropped",
    "record 6 is sent twice",
    "record 7 comes after the next one",
    "record 8 is cut after 12 bytes, and nothing follows",
    "6 bytes are slipped in ahead of record 6",
  ])
})

it("tells what hits nothing from what means nothing", () => {
  const played = (meddling: Meddling, scenario = "full") =>
    engine.play({ scenario, provider: engine.fast(), seed: 2, meddlings: [meddling] })
  const miss = (meddling: Meddling, scenario?: string) => engine.missOf(played(meddling, scenario), meddling)
  for (const meddling of [...all.filter(({ kind }) => kind !== "delay"), { kind: "delay", record: 1 } as const]) {
    expect({ meddling, miss: miss(meddling) }).toEqual({ meddling, miss: undefined })
  }
  const { length } = engine.recordsSent(played({ kind: "drop", record: 99 }))
  const bits = 8 * engine.recordsSent(played({ kind: "drop", record: 99 }))[3]!.record.sent.length
  expect(miss({ kind: "drop", record: length })).toBe(
    `there is no record ${length + 1} in this run, which has ${length}`,
  )
  expect(miss({ kind: "drop", record: length - 1 })).toBeUndefined()
  expect(miss({ kind: "flip", record: 3, bit: bits - 1 })).toBeUndefined()
  expect(miss({ kind: "flip", record: 3, bit: bits })).toMatch(/^record 4 has [\d,]+ bytes only$/)
  expect(miss({ kind: "delay", record: length - 1 })).toBe(`nothing was on its way behind record ${length}`)
  // Nobody has sent what is replayed in somebody's name: there is nothing of his to change.
  const replayed = played({ kind: "drop", record: 9_999 }, "0-rtt-replayed").steps.flatMap(({ happening: of }) =>
    of.type === "wire" && of.record.fate === "injected" ? [of.record.id] : [],
  )
  expect(replayed.length).toBeGreaterThan(0)
  for (const record of replayed) expect(miss({ kind: "drop", record }, "0-rtt-replayed")).toMatch(/^there is no record/)
})

it("ends no scenario otherwise than by what the two ends say", { timeout: 120_000 }, () => {
  const provider = engine.fast()
  for (const { id: scenario } of engine.scenarios) {
    const clean = engine.play({ scenario, provider, seed: 2 })
    const ids = clean.steps.flatMap(({ happening }) => (happening.type === "wire" ? [happening.record.id] : []))
    for (const record of new Set(ids)) {
      for (const meddling of [
        { kind: "drop", record },
        { kind: "cut", record, bytes: 7 },
      ] as const) {
        const run = engine.play({ scenario, provider, seed: 2, meddlings: [meddling] })
        expect(run.steps.length).toBeGreaterThan(3)
      }
    }
  }
})
