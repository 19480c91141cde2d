import { describe, expect, it } from "vitest"
import { parseOptions, UsageError } from "./options.ts"

describe("the command line of npm run bench", () => {
  it("takes parts, groups and options in any order", () => {
    const options = parseOptions(["--check", "broker", "--quick", "--json", "out.json", "--on", "node26,bun"])
    expect(options).toMatchObject({
      check: true,
      quick: true,
      json: "out.json",
      on: ["node26", "bun"],
      words: ["broker"],
    })
    expect(parseOptions(["--scenario", "full", "--scenario", "seal 64 X", "--subjects", "node,fast"])).toMatchObject({
      scenarios: ["full", "seal 64 X"],
      subjects: ["node", "fast"],
    })
    expect(parseOptions([])).toMatchObject({ help: false, list: false, check: false, words: [], on: [] })
    expect(parseOptions(["--performance", "clients"])).toMatchObject({ performance: true, words: ["clients"] })
  })

  it("takes a page, with and without its name", () => {
    expect(parseOptions(["--report", "out.html", "engine"])).toMatchObject({ report: "out.html", words: ["engine"] })
    const usual = parseOptions(["--report", "engine"])
    expect(usual).toMatchObject({ report: expect.stringMatching(/\.html$/), words: ["engine"] })
    expect(parseOptions(["--check", "--report"])).toMatchObject({ check: true, report: usual.report })
    expect(parseOptions(["--report", "--from", "a.json,b.json", "--from", "c.json"])).toMatchObject({
      report: usual.report,
      from: ["a.json", "b.json", "c.json"],
    })
  })

  it.each([
    [["--no-such"], "unknown option --no-such"],
    [["--json"], "--json needs a value"],
    [["--on", "--check"], "--on needs a value"],
    [["--on", "node18"], 'no runtime "node18"; they are node20'],
    [["--quick"], "--quick goes with --check"],
    [["--subjects", "fast"], "--subjects goes with --scenario"],
    [["--check", "--scenario", "full"], "leave --scenario out"],
    [["--from", "a.json"], "--from goes with --report"],
    [["--report", "--from", "a.json", "engine"], "--from shows what was measured"],
    [["--report", "--from", "a.json", "--json", "b.json"], "--from shows what was measured"],
    [["--performance", "--check"], "--performance has runs of its own"],
    [["--performance", "--on", "node26"], "--performance has runs of its own"],
    [["--self-test", "--report"], "leave --report out"],
  ])("%j is refused in one line", (args, line) => {
    expect(() => parseOptions(args)).toThrow(UsageError)
    expect(() => parseOptions(args)).toThrow(line)
  })
})
