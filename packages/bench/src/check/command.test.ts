import { describe, expect, it } from "vitest"
import { commandRows } from "./command.ts"
import { rowText, sumText } from "./row.ts"

describe("rows of tls13 bench beside openssl s_time", () => {
  it("are met within a tenth on both sides, and skipped with a line for a server that is not here", () => {
    const rounds = (...beside: number[]) => beside.map((each) => ({ same: 1.01, beside: each }))
    const rows = commandRows({
      servers: {
        openssl: rounds(1.05, 0.95, 1),
        node: rounds(1.3, 1.25, 1.4),
        ours: rounds(0.5, 0.6, 0.7),
        rustls: null,
      },
    })
    expect(rows.map((row) => rowText(row).slice(0, 8).trim())).toEqual(["met", "not met", "not met", "skipped"])
    expect(rowText(rows[0]!)).toContain("of openssl s_server by tls13 bench")
    expect(rowText(rows[0]!)).toContain(
      "1 x (0.95 to 1.05); 0.9 to 1.1 x; 3 rounds; beside what the system counts in the same run 1.01 x",
    )
    expect(rows[3]).toMatchObject({ skipped: "npm run interop has not built it here" })
    expect(sumText(rows)).toBe("1 met, 0 near, 2 not met, 0 printed, 1 skipped")
  })

  it("are all skipped where nothing can be counted", () => {
    const rows = commandRows({ skipped: "it needs openssl" })
    expect(rows).toHaveLength(4)
    expect(rows.every((row) => "skipped" in row && row.skipped === "it needs openssl")).toBe(true)
  })
})
