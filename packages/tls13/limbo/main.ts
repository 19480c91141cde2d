// `npm run limbo [-- FILE...] [--provider host|noble] [--verbose] [--only TEXT] [--runtimes]`: runs x509-limbo cases (.json or .json.gz) and
// counts the verdicts that are as the suite expects.

import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { type Evaluation, evaluate, type Rules } from "./evaluate.ts"
import { isLimbo, type Testcase } from "./schema.ts"

/** What this validator leaves out; a case with one of these features is not run. */
const unsupported: readonly string[] = []

const help = `Runs x509-limbo cases against the X.509 validator.

  npm run limbo [-- FILE...] [options]

  FILE               a file of the limbo schema, .json or .json.gz (default: the suite in test-vectors/x509-limbo)
  --provider NAME    host (node:crypto, the default) or noble
  --profile NAME     only by these rules: path, rfc5280, webpki, host (what a client does by default whose authorities are
                     its host's), or book (each case by the book that it is about)
  --only TEXT        only cases whose id contains TEXT
  --runtimes         run them on Node.js, Deno and Bun, and say whether every verdict is the same
  --verbose          list the cases whose verdict is not the expected one, and why
  --help             this text

A line for each of the rules; the last one, by book, is the one that has to be without a fault.

The exit status is 0 unless a file cannot be read, a case ends in an exception, or runtimes disagree.`

interface Options {
  readonly files: string[]
  provider: string
  verbose: boolean
  only: string
  rules: readonly Rules[]
  /** Ends with a hash of all verdicts, for a comparison of runtimes. */
  hash: boolean
}

const allRules: readonly Rules[] = ["path", "rfc5280", "webpki", "host", "book"]
const options: Options = { files: [], provider: "host", verbose: false, only: "", rules: allRules, hash: false }
const args = process.argv.slice(2)
while (args.length > 0) {
  const arg = args.shift()!
  if (arg === "--help") stop(help, 0)
  else if (arg === "--verbose") options.verbose = true
  else if (arg === "--hash") options.hash = true
  else if (arg === "--runtimes") onRuntimes(process.argv.slice(2).filter((each) => each !== "--runtimes"))
  else if (arg === "--provider") options.provider = args.shift() ?? ""
  else if (arg === "--profile") options.rules = [rulesNamed(args.shift() ?? "")]
  else if (arg === "--only") options.only = args.shift() ?? ""
  else if (arg.startsWith("-")) stop(`limbo: unknown option ${arg}; see --help`, 2)
  else options.files.push(arg)
}
if (options.files.length === 0) {
  // The bundle is one folder deeper than this source, in dist/.
  const suite = (name: string): string =>
    fileURLToPath(new URL(`../../../../test-vectors/x509-limbo/${name}`, import.meta.url))
  options.files.push(suite("limbo.json"), suite("bettertls.json.gz"))
}

const provider = await createProvider(options.provider)
const suites = options.files.map(casesOf)
const verdicts = createHash("sha256")
const clock = Date.now()
for (const rules of options.rules) run(rules)
if (options.hash) console.log(verdicts.digest("hex"))

interface Totals {
  expected: number
  wronglyAccepted: number
  wronglyRejected: number
  skipped: number
  slowest: { readonly id: string; readonly ms: number }
}

function run(rules: Rules): void {
  const total: Totals = { expected: 0, wronglyAccepted: 0, wronglyRejected: 0, skipped: 0, slowest: { id: "", ms: 0 } }
  const began = performance.now()
  for (const suite of suites) {
    for (const testcase of suite) if (testcase.id.includes(options.only)) count(testcase, rules, total)
  }
  const seconds = (performance.now() - began) / 1000
  const { expected, wronglyAccepted, wronglyRejected, skipped, slowest } = total
  if (options.verbose) {
    const cases = expected + wronglyAccepted + wronglyRejected + skipped
    console.log(
      `${cases} cases in ${seconds.toFixed(1)} s with the provider ${provider.name}; the slowest, ${slowest.id}, took ${slowest.ms.toFixed(0)} ms`,
    )
  }
  const by = rules === "book" ? "limbo" : `limbo by ${rules}`
  console.log(
    `${by}: ${expected} as expected, ${wronglyAccepted} wrongly accepted, ${wronglyRejected} wrongly rejected, ${skipped} skipped by feature`,
  )
}

function rulesNamed(name: string): Rules {
  const found = allRules.find((each) => each === name)
  return found ?? stop(`limbo: there is no profile ${JSON.stringify(name)}; ${allRules.join(", ")} exist`, 2)
}

function count(testcase: Testcase, rules: Rules, total: Totals): void {
  const feature = testcase.features?.find((each) => unsupported.includes(each))
  if (feature !== undefined) {
    total.skipped++
    return
  }
  const from = performance.now()
  const { accepted, why } = verdictOn(testcase, rules)
  const ms = performance.now() - from
  if (ms > total.slowest.ms) total.slowest = { id: testcase.id, ms }
  verdicts.update(`${rules} ${testcase.id} ${accepted}\n`)
  if (accepted === (testcase.expected_result === "SUCCESS")) {
    total.expected++
    return
  }
  if (accepted) total.wronglyAccepted++
  else total.wronglyRejected++
  if (options.verbose) {
    const by = rules === "book" ? "" : ` by ${rules}`
    const features = testcase.features?.length ? ` [${testcase.features.join(", ")}]` : ""
    console.log(
      `${accepted ? "wrongly accepted" : "wrongly rejected"}${by}: ${testcase.id}${features}${why ? `\n  ${why}` : ""}`,
    )
  }
}

/** An exception is a defect: it is told, the others are run, and the exit status is 1. */
function verdictOn(testcase: Testcase, rules: Rules): Evaluation {
  try {
    return evaluate(testcase, provider, clock, rules)
  } catch (error) {
    process.exitCode = 1
    console.log(`exception: ${testcase.id}\n  ${error instanceof Error ? error.stack : String(error)}`)
    return { accepted: false, why: "exception" }
  }
}

function casesOf(file: string): readonly Testcase[] {
  try {
    const bytes = readFileSync(file)
    const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes
    const limbo: unknown = JSON.parse(text.toString("utf8"))
    if (isLimbo(limbo)) return limbo.testcases
    return stop(`limbo: ${file} is not of the limbo schema, version 1`, 1)
  } catch (error) {
    const why = error instanceof SyntaxError ? "it is not JSON" : error instanceof Error ? error.message : String(error)
    return stop(`limbo: ${file} cannot be read: ${why}`, 1)
  }
}

/** This bundle again, on each runtime. */
function onRuntimes(args: readonly string[]): never {
  const [program, bundle] = ["../runtimes.mjs", import.meta.url].map((each) =>
    fileURLToPath(new URL(each, import.meta.url)),
  )
  const { status } = spawnSync(process.execPath, [program!, bundle!, ...args], { stdio: "inherit" })
  process.exit(status ?? 1)
}

async function createProvider(name: string): Promise<CryptoProvider> {
  if (name === "host") return (await import("../src/crypto/host/index.ts")).createHostProvider()
  if (name === "noble") return (await import("../src/crypto/noble/index.ts")).createNobleProvider()
  return stop(`limbo: there is no provider ${JSON.stringify(name)}; host and noble exist`, 2)
}

function stop(message: string, status: number): never {
  console.log(message)
  process.exit(status)
}
