import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { documentFile, keptRuns, withFigures } from "./document.ts"
import type { KeptRun } from "./markdown.ts"
import { performanceRuns } from "./runs.ts"

const example: KeptRun = {
  command: "npm run bench -- clients",
  runtime: "Node.js v20.20.2 (OpenSSL 3.0.19)",
  day: "2026-11-04",
  machine: "Linux x64, 2 x CPU",
  load: 1.26,
  steal: 0.021,
  findings: [
    {
      part: "clients",
      command: "npm run bench -- clients",
      figure: {
        title: "Full handshakes",
        unit: "µs CPU",
        rounds: 10,
        rows: [
          { name: "node:tls", samples: [90, 100, 110], median: 100, ratio: [1, 1, 1] },
          { name: "ours", samples: [190, 200, 210], median: 200, ratio: [1.9, 2, 2.1] },
        ],
        drifts: [0.01, -0.2],
        absent: [{ name: "nginx", why: "it is not installed" }],
      },
    },
  ],
  rows: [],
}

describe("docs/performance.md", () => {
  it("has the tables that are made of the figures in docs/performance: `npm run bench -- --performance`, or vitest -u", async () => {
    await expect(withFigures(readFileSync(documentFile, "utf8"), keptRuns())).toMatchFileSnapshot(documentFile)
  })

  it("has figures of each run, and of no other", () => {
    expect([...keptRuns().keys()].sort()).toEqual(performanceRuns.map(({ name }) => name).sort())
  })

  it("takes less than 25 minutes", () => {
    expect(performanceRuns.reduce((sum, { seconds }) => sum + seconds, 0)).toBeLessThan(25 * 60)
  })
})

describe("a document with figures", () => {
  const text = "# T\n\n<!-- figures: clients -->\nold\n<!-- end of figures -->\n\nwords\n"

  it("says when, on what, and with which command, and keeps the words around", () => {
    const made = withFigures(text, new Map([["clients", example]]))
    expect(made).toContain(
      "4 November 2026: Node.js v20.20.2 (OpenSSL 3.0.19), Linux x64, 2 x CPU, load 1.3, 2% of the time stolen. `npm run bench -- clients`",
    )
    expect(made).toContain("| ours | 200 | 2.00 (1.90 to 2.10) | not settled (-20.0%) |")
    expect(made).toContain("| nginx | skipped: it is not installed | | |")
    expect(made).not.toContain("old")
    expect(made.startsWith("# T\n\n<!-- figures: clients -->\n")).toBe(true)
    expect(made.endsWith("<!-- end of figures -->\n\nwords\n")).toBe(true)
    // Made again it stays as it is.
    expect(withFigures(made, new Map([["clients", example]]))).toBe(made)
  })

  it("is not made without a place for a run, or a run for a place", () => {
    expect(() => withFigures(text, new Map())).toThrow("figures of clients, and there is no such run")
    const two = new Map([
      ["clients", example],
      ["idle", example],
    ])
    expect(() => withFigures(text, two)).toThrow("no place for idle")
  })
})
