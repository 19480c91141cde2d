// x509-limbo in the everyday tests: all native cases, and each 20th of BetterTLS. `npm run limbo` runs all.

import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"
import { evaluate, type Rules } from "../../limbo/evaluate.ts"
import { isLimbo, type Testcase } from "../../limbo/schema.ts"
import { createHostProvider } from "../../src/crypto/host/index.ts"

const provider = createHostProvider()

function cases(file: string): readonly Testcase[] {
  const bytes = readFileSync(new URL(`../../../../test-vectors/x509-limbo/${file}`, import.meta.url))
  const limbo: unknown = JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8"))
  if (!isLimbo(limbo)) throw new Error(`${file} is not of the limbo schema`)
  return limbo.testcases
}

function unexpected(testcases: readonly Testcase[], rules: Rules = "book"): string[] {
  return testcases.flatMap((testcase) => {
    const { accepted, why } = evaluate(testcase, provider, Date.now(), rules)
    return accepted === (testcase.expected_result === "SUCCESS")
      ? []
      : [`${testcase.id}: ${accepted ? "accepted" : why}`]
  })
}

describe("x509-limbo", () => {
  it("native cases have the expected verdicts", () => {
    const all = cases("limbo.json")
    expect(all.length).toBe(155)
    expect(unexpected(all)).toEqual([])
  })

  it("a client below its host's authorities takes nothing by default that is to be refused, but for what roots are like", () => {
    const accepted = unexpected(cases("limbo.json"), "host").filter((verdict) => verdict.endsWith(": accepted"))
    // The host trusts its roots as they are. The third is a duty that the CA/Browser Forum lifts.
    expect(accepted.map((verdict) => verdict.replace(/: accepted$/, ""))).toEqual([
      "rfc5280::aki::critical-aki",
      "rfc5280::nc::permitted-dns-match-noncritical",
      "rfc5280::ski::critical-ski",
      "rfc5280::ski::root-missing-ski",
      "rfc5280::root-non-critical-basic-constraints",
      "webpki::aki::root-with-aki-authoritycertissuer",
      "webpki::aki::root-with-aki-authoritycertserialnumber",
      "webpki::aki::root-with-aki-all-fields",
      "webpki::aki::root-with-aki-ski-mismatch",
      "webpki::eku::root-has-eku",
      "webpki::forbidden-rsa-not-divisible-by-8-in-root",
    ])
  })

  it("a twentieth of BetterTLS has the expected verdicts", () => {
    const some = cases("bettertls.json.gz").filter((_, i) => i % 20 === 0)
    expect(some.length).toBe(359)
    expect(unexpected(some)).toEqual([])
  })
})
