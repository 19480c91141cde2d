import { readFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { seeded } from "../../fuzz/random.ts"
import { fuzzOnce, type Tally } from "../../fuzz/x509.ts"
import { fuzzCorpus } from "./fuzz-corpus.ts"

describe("changed certificates, lists, responses and keys", () => {
  it("are read or refused, and nothing else: 30,000 executions of a fixed seed", () => {
    const tally: Tally = { executions: 0, parsed: 0, slowest: 0, findings: [] }
    const corpus = fuzzCorpus(JSON.parse(readFileSync(new URL("openssl.json", import.meta.url), "utf8")))
    const random = seeded(20260601)
    while (tally.executions < 30_000) fuzzOnce(corpus, random, tally, () => process.cpuUsage().user / 1000)
    expect(
      tally.findings.map((each) => `${each.target} ${Buffer.from(each.input).toString("hex")}: ${each.problem}`),
    ).toEqual([])
    // The changes are not all caught at the first byte.
    expect(tally.parsed).toBeGreaterThan(500)
  })
})
