import { describe, expect, it } from "vitest"
import { exampleReport, exampleRun } from "../../tests/tools/example-report.ts"
import { compareSides, differencesOf, sidesOf } from "./compare-runs.ts"
import { reportPage } from "./page/report-page.ts"
import { linearScale, logScale, tickText } from "./plots/scale.ts"
import { boxesPlot } from "./plots/time-plots.ts"
import { reportSchema, schemaProblem } from "./report-schema.ts"

const two = exampleReport([exampleRun("one", 10, 1), exampleRun("two", 20, 2)])

/** Changed at a path such as `runs.0.rate`; undefined: left out. */
function changed(path: string, value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(two))
  const names = path.split(".")
  const last = names.pop()!
  const place = names.reduce((at, name) => at[name], copy)
  if (value === undefined) delete place[last]
  else place[last] = value
  return copy
}

describe("the schema of a report", () => {
  it("takes one, also out of a file, and with what later versions add", () => {
    expect(schemaProblem(two, reportSchema)).toBeUndefined()
    expect(schemaProblem(JSON.parse(JSON.stringify(two)), reportSchema)).toBeUndefined()
    expect(schemaProblem(changed("runs.0.later", 1), reportSchema)).toBeUndefined()
    expect(schemaProblem(changed("runs.0.latency", null), reportSchema)).toBeUndefined()
  })

  it.each([
    ["format", "puremq-bench/9", 'format: it must be "puremq-bench/1"'],
    ["runs", undefined, "runs: it is missing"],
    ["runs.0.rate", "12", "runs[0].rate: it must be number"],
    ["runs.1.rate", -1, "runs[1].rate: it is -1, below 0"],
    ["runs.1.counts.failed", 1.5, "runs[1].counts.failed: it must be integer"],
    ["runs.0.limit.side", "nobody", "runs[0].limit.side: it must be one of client, "],
    ["runs.0.loop.kind", "half", 'runs[0].loop.kind: it must be "closed"'],
    ["runs.0.histogram.counts", [1, null], "runs[0].histogram.counts[1]: it must be integer"],
    ["runs.0.slices.3.latency", [1, "2"], "runs[0].slices[3].latency[1]: it must be number"],
    ["machine.turbo", "on", "machine.turbo: it must be boolean or null"],
  ])("%s: %j is not taken", (path, value, problem) => {
    expect(schemaProblem(changed(path, value), reportSchema)).toContain(problem)
  })

  it("is told from what is no report at all", () => {
    for (const value of [null, 1, "x", [], {}]) expect(schemaProblem(value, reportSchema)).toBeDefined()
  })

  it("names every property that a run has", () => {
    const { properties = {} } = reportSchema.$defs!["run"]!
    expect(Object.keys(properties).sort()).toEqual(Object.keys(two.runs[0]!).sort())
  })
})

describe("comparing runs", () => {
  it("finds the ratio of each figure that both have, in the right direction", () => {
    const [base, other] = sidesOf(two.runs)
    const compared = compareSides(base!, other!, true, "handshake")
    expect(compared.map(({ figure }) => figure)).toEqual([
      "handshakes/s",
      "latency p50 (ms)",
      "latency p99 (ms)",
      "server CPU (ms)",
      "client CPU (ms)",
    ])
    const ratios = Object.fromEntries(compared.map(({ figure, ratio }) => [figure, ratio.ratio]))
    expect(ratios["handshakes/s"]).toBeCloseTo(0.5, 1)
    expect(ratios["latency p50 (ms)"]).toBeCloseTo(2, 0)
    expect(ratios["server CPU (ms)"]).toBeCloseTo(2, 5)
    expect(compared[3]!.verdict).toMatch(/^one figure a side/)
  })

  it("leaves out what one side has not, and scenarios that only one has", () => {
    const [base, other] = [
      { name: "a", runs: [exampleRun("one", 10, 1, { server: null }), exampleRun("one", 1, 1, { name: "mtls" })] },
      { name: "b", runs: [exampleRun("two", 10, 2), exampleRun("two", 1, 1, { name: "hrr" })] },
    ]
    const compared = compareSides(base!, other!, false, "handshake")
    expect(new Set(compared.map(({ scenario }) => scenario))).toEqual(new Set(["full"]))
    expect(compared.map(({ figure }) => figure)).not.toContain("server CPU (ms)")
  })

  it("says what else differs", () => {
    const other = exampleRun("two", 10, 2, { workers: 4, agreed: { "cipher suite": "TLS_AES_256_GCM_SHA384" } })
    const notes = differencesOf({ name: "a", runs: [two.runs[0]!] }, { name: "b", runs: [other] })
    expect(notes).toContain("note: the sides differ in workers: 1 / 4")
    expect(notes).toContain("note: the sides differ in cipher suite: TLS_AES_128_GCM_SHA256 / TLS_AES_256_GCM_SHA384")
  })
})

describe("scales", () => {
  it("have round ticks that hold all values", () => {
    const range = { from: 0, to: 100 }
    for (const most of [0.003, 1, 7.3, 99, 100, 101, 12_345]) {
      const { ticks, at } = linearScale(most, range)
      expect(ticks[0]).toBe(0)
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most)
      expect(ticks.length).toBeLessThanOrEqual(8)
      expect([at(0), at(ticks.at(-1)!)]).toEqual([0, 100])
    }
    const log = logScale(0.5, 800, range)
    expect(log.ticks).toEqual([1, 10, 100])
    expect([log.at(0.5), log.at(800)]).toEqual([expect.closeTo(0, 9), expect.closeTo(100, 9)])
    expect([0, 0.25, 1500, 20_000].map(tickText)).toEqual(["0", "0.25", "1,500", "20,000"])
  })
})

/** Each element is closed, in order. */
function isWellFormed(html: string): boolean {
  const open: string[] = []
  for (const [, end, name = "", rest = ""] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:[^>"]|"[^"]*")*)>/g)) {
    if (["meta", "br"].includes(name) || rest.endsWith("/")) continue
    if (end === "") open.push(name)
    else if (open.pop() !== name) return false
  }
  return open.length === 0
}

describe("the page", () => {
  const failing = exampleRun('<b>&"evil', 10, 3, {
    failures: [{ reason: "<script>alert(1)</script>", count: 3 }],
    counts: { completed: 10, failed: 3, warmUp: 0, notBegun: 4, priming: 0, notClosedByServer: 0 },
    authenticated: { verified: false, words: "NOT verified" },
    limit: { side: "client", words: "the client" },
    latency: null,
    histogram: { scale: 6, zeros: 0, offset: 0, counts: [] },
    parts: { connect: null },
    slices: [{ at: 0, seconds: 2, completed: 0, failed: 3, latency: null }],
    server: null,
    machine: null,
    ports: null,
    wire: null,
  })
  const pages = [two, exampleReport([exampleRun("one", 10, 1)]), exampleReport([]), exampleReport([failing])].map(
    reportPage,
  )

  it("is well-formed, has every plot, and needs no network and no script", () => {
    for (const page of pages) {
      expect(isWellFormed(page)).toBe(true)
      expect(page).not.toMatch(/<script|<link|<img|@import|src=|url\(/)
      expect(page).not.toMatch(/NaN|undefined|Infinity/)
      expect(page.replace(/href="data:[^"]*"/, "")).not.toMatch(/https?:/)
      expect(page).toContain("prefers-color-scheme:dark")
    }
    for (const caption of [
      "Throughput over time",
      "Latency by percentile",
      "Latency histogram",
      "Latency over time",
      "Ratios",
    ])
      expect(pages[0]).toContain(caption)
    expect(pages[0]!.match(/<svg /g)).toHaveLength(8)
  })

  it("says loudly what nobody should read past", () => {
    for (const words of ["Not verified", "3 operations failed", "the client was the limit", "not begun at the end"])
      expect(pages[3]).toContain(words)
    expect(pages[0]).not.toContain('class="warn"')
  })

  it("shows what others named as text", () => {
    expect(pages[3]).not.toMatch(/<script|<b>&"/)
    expect(pages[3]).toContain("&lt;script&gt;alert(1)")
  })

  it("has its own data in it", () => {
    const [, data = ""] = /href="data:application\/json;charset=utf-8,([^"]*)"/.exec(pages[0]!) ?? []
    expect(JSON.parse(decodeURIComponent(data))).toEqual(JSON.parse(JSON.stringify(two)))
  })

  it("has the machine, the command line and the time", () => {
    for (const words of [
      "a processor",
      "tls13 bench localhost:4433",
      "2030-01-02 03:04:05 UTC",
      "not known",
      "virtual machine",
    ])
      expect(pages[0]).toContain(words)
  })

  it("a slice without operations has no box", () => {
    const slices = [{ at: 0, seconds: 1, completed: 0, failed: 0, latency: null }, two.runs[0]!.slices[1]!]
    expect(boxesPlot({ name: "x", colour: 0, slices }).match(/class="box /g)).toHaveLength(1)
  })
})
