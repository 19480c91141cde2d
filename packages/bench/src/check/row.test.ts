import { describe, expect, it } from "vitest"
import { type CheckRow, figure, type MeasuredRow, rowText, sumText, tableMarkdown, verdictOn } from "./row.ts"

const row = (values: readonly number[], target: MeasuredRow["target"]): MeasuredRow => ({
  name: "seal",
  unit: "x",
  values,
  target,
})

describe("rows of --check", () => {
  it("are met when the quartiles are on the right side of the target", () => {
    expect(verdictOn(row([0.1, 0.11, 0.12], { most: 0.12 }))).toBe("met")
    expect(verdictOn(row([0.13, 0.14, 0.15], { most: 0.12 }))).toBe("not met")
    expect(verdictOn(row([3, 3.1, 3.2], { least: 3 }))).toBe("met")
    expect(verdictOn(row([2, 2.1, 2.2], { least: 3 }))).toBe("not met")
  })

  it("are near when the spread crosses the target: one round of many that is off does not matter", () => {
    expect(verdictOn(row([0.1, 0.11, 0.14], { most: 0.12 }))).toBe("near")
    expect(verdictOn(row([2.9, 2.9, 3.1, 3.1], { least: 3 }))).toBe("near")
    expect(verdictOn(row([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 9], { most: 0.12 }))).toBe("met")
  })

  it("may have a target on both sides", () => {
    const both = { least: 0.9, most: 1.1 }
    expect(verdictOn(row([0.95, 1, 1.05], both))).toBe("met")
    expect(verdictOn(row([0.5, 0.6, 0.7], both))).toBe("not met")
    expect(verdictOn(row([1.2, 1.3, 1.4], both))).toBe("not met")
    expect(verdictOn(row([0.5, 1, 1.5], both))).toBe("near")
    expect(rowText(row([1], both))).toBe("met      seal: 1 x; 0.9 to 1.1 x; 1 round")
  })

  it("without a target are printed", () => {
    expect(verdictOn(row([1], undefined))).toBe("printed")
  })

  it("say measured value, spread, target and rounds", () => {
    expect(rowText(row([1, 2, 2.5, 3, 4], { least: 2 }))).toBe("met      seal: 2.5 x (2 to 3); at least 2 x; 5 rounds")
    expect(rowText({ ...row([27.428], { most: 20 }), unit: "KB", note: "one suite" })).toBe(
      "not met  seal: 27.4 KB; at most 20 KB; 1 round; one suite",
    )
    expect(rowText({ name: "workers", skipped: "there are none" })).toBe("skipped  workers: there are none")
  })

  it("are counted, skips too", () => {
    const rows: CheckRow[] = [
      row([1], { most: 2 }),
      row([3], { most: 2 }),
      row([1, 2, 3], { most: 2.5 }),
      row([1], undefined),
      { name: "workers", skipped: "there are none" },
    ]
    expect(sumText(rows)).toBe("1 met, 1 near, 1 not met, 1 printed, 1 skipped")
    const table = tableMarkdown(rows).split("\n")
    expect(table).toContain("| workers | | | skipped: there are none | |")
    expect(table).toContain("| seal | 3 x | at most 2 x | not met | 1 |")
  })

  it("have three digits that count", () => {
    expect([0.05267, 1, 2.499, 27.43, 1234.6].map(figure)).toEqual(["0.0527", "1", "2.5", "27.4", "1235"])
  })
})
