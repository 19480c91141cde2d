import { seeded } from "@puremq/tls13/measure"
import { describe, expect, it } from "vitest"
import { DeliveryCheck } from "./delivery-check.ts"

function seen(sequences: readonly number[], stream: number = 1): DeliveryCheck {
  const check = new DeliveryCheck()
  for (const sequence of sequences) check.see(stream, sequence)
  return check
}

function counts(check: DeliveryCheck, sent: number) {
  const { delivered, doubled, outOfOrder } = check
  return { delivered, doubled, outOfOrder, lost: check.missing(1, sent) }
}

describe("what a receiver has of a stream", () => {
  it.each([
    ["all", [0, 1, 2, 3], { delivered: 4, doubled: 0, outOfOrder: 0, lost: 0 }],
    ["nothing", [], { delivered: 0, doubled: 0, outOfOrder: 0, lost: 4 }],
    ["no first", [1, 2, 3], { delivered: 3, doubled: 0, outOfOrder: 0, lost: 1 }],
    ["no last", [0, 1, 2], { delivered: 3, doubled: 0, outOfOrder: 0, lost: 1 }],
    ["one twice", [0, 1, 1, 2, 3], { delivered: 4, doubled: 1, outOfOrder: 0, lost: 0 }],
    ["an old one twice", [0, 1, 2, 3, 0], { delivered: 4, doubled: 1, outOfOrder: 0, lost: 0 }],
    ["two that changed places", [0, 2, 1, 3], { delivered: 4, doubled: 0, outOfOrder: 1, lost: 0 }],
    ["a late one, twice", [0, 2, 3, 1, 1], { delivered: 4, doubled: 1, outOfOrder: 1, lost: 0 }],
    ["backwards", [3, 2, 1, 0], { delivered: 4, doubled: 0, outOfOrder: 3, lost: 0 }],
    ["some of each", [3, 1, 3], { delivered: 2, doubled: 1, outOfOrder: 1, lost: 2 }],
  ] as const)("%s", (_, sequences, expected) => {
    expect(counts(seen(sequences), 4)).toEqual(expected)
  })

  it("is told apart by stream", () => {
    const check = seen([0, 1, 2])
    check.see(2, 0)
    check.see(2, 2)
    expect([check.missing(1, 3), check.missing(2, 3), check.missing(3, 3)]).toEqual([0, 1, 3])
    expect([check.delivered, check.doubled]).toEqual([5, 0])
  })

  it("agrees with a list of all that came, in any order, with losses and doubles", () => {
    const uniform = seeded(5)
    for (let round = 0; round < 200; round++) {
      const sent = 1 + Math.floor(60 * uniform())
      const came = Array.from({ length: Math.floor(2 * sent * uniform()) }, () => Math.floor(sent * uniform()))
      const different = new Set(came)
      let [highest, late] = [-1, 0]
      const known = new Set<number>()
      for (const sequence of came) {
        if (!known.has(sequence) && sequence < highest) late++
        known.add(sequence)
        highest = Math.max(highest, sequence)
      }
      expect(counts(seen(came), sent)).toEqual({
        delivered: different.size,
        doubled: came.length - different.size,
        outOfOrder: late,
        lost: sent - different.size,
      })
    }
  })

  it("loses none of its counts when more gaps are open than it keeps", () => {
    // Every other one of 20,000: 10,000 gaps.
    const even = Array.from({ length: 10_000 }, (_, i) => 2 * i + 1)
    const check = seen(even)
    expect(counts(check, 20_000)).toEqual({ delivered: 10_000, doubled: 0, outOfOrder: 0, lost: 10_000 })
    check.see(1, 19_998)
    expect(counts(check, 20_000)).toEqual({ delivered: 10_001, doubled: 0, outOfOrder: 1, lost: 9999 })
    // It is one of a gap that was given up: still lost, and seen twice.
    check.see(1, 0)
    expect(counts(check, 20_000)).toEqual({ delivered: 10_001, doubled: 1, outOfOrder: 1, lost: 9999 })
  })
})
