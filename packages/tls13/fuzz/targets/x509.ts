// Certificates, revocation lists, OCSP responses, keys, PEM and the verifier, as one target.

import { readFileSync } from "node:fs"
import { fuzzCorpus } from "../../tests/x509/fuzz-corpus.ts"
import { type Target, Violation } from "../target.ts"
import { fuzzOnce, type Tally } from "../x509.ts"

export function x509(corpusFile: URL): Target {
  const corpus = fuzzCorpus(JSON.parse(readFileSync(corpusFile, "utf8")))
  return {
    name: "x509",
    run(random) {
      const tally: Tally = { executions: 0, parsed: 0, slowest: 0, findings: [] }
      fuzzOnce(corpus, random, tally, () => process.cpuUsage().user / 1000)
      const finding = tally.findings[0]
      if (finding !== undefined) {
        throw new Violation(
          `${finding.target}: ${finding.problem}\ninput ${Buffer.from(finding.input).toString("hex")}`,
        )
      }
      return { words: tally.parsed > 0 ? "taken" : "refused" }
    },
  }
}
