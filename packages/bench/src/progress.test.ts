import { describe, expect, it } from "vitest"
import { barText, durationText } from "./progress.ts"

describe("progress of the bench", () => {
  it("has a bar as full as its share", () => {
    expect(barText(0, 240)).toBe("[................] 4 min left;")
    expect(barText(0.5, 118)).toBe("[########........] 2 min left;")
    expect(barText(1, 0)).toBe("[################] 0 s left;")
  })

  it("rounds what is left up to 5 seconds, and tells minutes from two on", () => {
    expect([1, 5, 6, 114, 116, 150, 600].map(durationText)).toEqual([
      "5 s",
      "5 s",
      "10 s",
      "115 s",
      "2 min",
      "3 min",
      "10 min",
    ])
  })
})
