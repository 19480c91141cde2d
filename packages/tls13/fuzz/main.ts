// `npm run fuzz -- TARGET [--executions N] [--seed N]`: runs a fuzz target for long. Each target is a file of this folder.

import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { fuzzCorpus } from "../tests/x509/fuzz-corpus.ts"
import { seeded } from "./random.ts"
import { fuzzOnce, type Tally } from "./x509.ts"

const help = `Feeds changed inputs to the parsers.

  npm run fuzz -- x509 [--executions N] [--seed N]

  x509            certificates, revocation lists, OCSP responses, keys, PEM; and the verifier
  --executions N  how many (default 2000000)
  --seed N        equal seeds give equal runs (default 1)

Ends with one line of counts; the status is 1 when an input made something else than a refusal.`

const targets: Readonly<Record<string, (executions: number, seed: number) => Tally>> = { x509: fuzzX509 }

const args = process.argv.slice(2)
let target = ""
let executions = 2_000_000
let seed = 1
while (args.length > 0) {
  const arg = args.shift()!
  if (arg === "--help") end(help, 0)
  else if (arg === "--executions") executions = Number(args.shift())
  else if (arg === "--seed") seed = Number(args.shift())
  else target = arg
}
const run = targets[target]
if (run === undefined || !Number.isInteger(executions) || !Number.isInteger(seed)) end(help, 2)

const began = performance.now()
const tally = run(executions, seed)
const seconds = (performance.now() - began) / 1000
for (const { target: where, input, problem } of tally.findings.slice(0, 20)) {
  console.log(`${where}: ${problem}\n  input ${Buffer.from(input).toString("hex")}`)
}
end(
  `fuzz ${target}: ${tally.executions} executions of seed ${seed} in ${seconds.toFixed(0)} s, ${tally.parsed} inputs accepted, the slowest took ${tally.slowest.toFixed(0)} ms, ${tally.findings.length} findings`,
  tally.findings.length > 0 ? 1 : 0,
)

function fuzzX509(count: number, from: number): Tally {
  const tally: Tally = { executions: 0, parsed: 0, slowest: 0, findings: [] }
  // The bundle lies in dist/.
  const file = fileURLToPath(new URL("../../tests/x509/openssl.json", import.meta.url))
  const corpus = fuzzCorpus(JSON.parse(readFileSync(file, "utf8")))
  const random = seeded(from)
  while (tally.executions < count && tally.findings.length < 20)
    fuzzOnce(corpus, random, tally, () => performance.now())
  return tally
}

function end(message: string, status: number): never {
  console.log(message)
  process.exit(status)
}
