import { describe, expect, it } from "vitest"
import { Circuit } from "./circuit.ts"

function world() {
  const clock = { now: 1000 }
  return {
    clock,
    circuit: new Circuit(
      () => clock.now,
      () => 1,
    ),
  }
}

describe("whether a server is there", () => {
  it("is doubted after five calls in a row that did not reach it; then one tries, after pauses that double up to 30 s", () => {
    const { circuit, clock } = world()
    for (let i = 0; i < 4; i++) expect([circuit.enter(), circuit.missed()]).toEqual([true, false])
    expect([circuit.enter(), circuit.missed()]).toEqual([true, true])
    for (const pause of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      expect([circuit.enter(), circuit.pause]).toEqual([false, pause])
      clock.now += pause - 1
      expect(circuit.enter()).toBe(false)
      clock.now += 1
      expect([circuit.enter(), circuit.enter()]).toEqual([true, false]) // one alone
      expect(circuit.missed()).toBe(false)
    }
    clock.now += 30_000
    expect([circuit.enter(), circuit.reached(), circuit.reached(), circuit.enter()]).toEqual([true, true, false, true])
  })

  it("calls that were under way when it was doubted make the pause no longer", () => {
    const { circuit } = world()
    for (let i = 0; i < 50; i++) circuit.enter()
    for (let i = 0; i < 50; i++) circuit.missed()
    expect(circuit.pause).toBe(1000)
  })

  it("is believed again after one that was reached between", () => {
    const { circuit } = world()
    for (let i = 0; i < 20; i++) {
      circuit.enter()
      if (i % 4 === 3) circuit.reached()
      else circuit.missed()
      expect(circuit.isOpen).toBe(false)
    }
  })
})
