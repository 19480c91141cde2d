// `npm run limbo [-- FILE...] [--provider host|noble] [--verbose] [--only TEXT] [--runtimes]`: runs x509-limbo cases (.json or .json.gz) and
// counts the verdicts that are as the suite expects.

import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gunzipSync } from "node:zlib"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { type Evaluation, evaluate } from "./evaluate.ts"
import { isLimbo, type Testcase } from "./schema.ts"

/** What this validator leaves out; a case with one of these features is not run. */
const unsupported: readonly string[] = []

const help = `Runs x509-limbo cases against the X.509 validator.

  npm run limbo [-- FILE...] [options]

  FILE               a file of the limbo schema, .json or .json.gz (default: the suite in test-vectors/x509-limbo)
  --provider NAME    host (node:crypto, the default) or noble
  --only TEXT        only cases whose id contains TEXT
  --runtimes         run them on Node.js, Deno and Bun, and say whether every verdict is the same
  --verbose          list the cases whose verdict is not the expected one, and why
  --help             this text

The exit status is 0 unless a file cannot be read, a case ends in an exception, or runtimes disagree.`

interface Options {
  readonly files: string[]
  provider: string
  verbose: boolean
  only: string
  /** Ends with a hash of all verdicts, for a comparison of runtimes. */
  hash: boolean
}

const options: Options = { files: [], provider: "host", verbose: false, only: "", hash: false }
const args = process.argv.slice(2)
while (args.length > 0) {
  const arg = args.shift()!
  if (arg === "--help") stop(help, 0)
  else if (arg === "--verbose") options.verbose = true
  else if (arg === "--hash") options.hash = true
  else if (arg === "--runtimes") onRuntimes(process.argv.slice(2).filter((each) => each !== "--runtimes"))
  else if (arg === "--provider") options.provider = args.shift() ?? ""
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
const total = { expected: 0, wronglyAccepted: 0, wronglyRejected: 0, skipped: 0 }
let slowest = { id: "", ms: 0 }
const verdicts = createHash("sha256")
const began = performance.now()
const clock = Date.now()
for (const file of options.files) {
  for (const testcase of casesOf(file)) if (testcase.id.includes(options.only)) count(testcase)
}
const seconds = (performance.now() - began) / 1000
const cases = total.expected + total.wronglyAccepted + total.wronglyRejected + total.skipped
if (options.verbose) {
  console.log(
    `${cases} cases in ${seconds.toFixed(1)} s with the provider ${provider.name}; the slowest, ${slowest.id}, took ${slowest.ms.toFixed(0)} ms`,
  )
}
console.log(
  `limbo: ${total.expected} as expected, ${total.wronglyAccepted} wrongly accepted, ${total.wronglyRejected} wrongly rejected, ${total.skipped} skipped by feature`,
)
if (options.hash) console.log(verdicts.digest("hex"))

function count(testcase: Testcase): void {
  const feature = testcase.features?.find((each) => unsupported.includes(each))
  if (feature !== undefined) {
    total.skipped++
    return
  }
  const from = performance.now()
  const { accepted, why } = verdictOn(testcase)
  const ms = performance.now() - from
  if (ms > slowest.ms) slowest = { id: testcase.id, ms }
  verdicts.update(`${testcase.id} ${accepted}\n`)
  if (accepted === (testcase.expected_result === "SUCCESS")) {
    total.expected++
    return
  }
  if (accepted) total.wronglyAccepted++
  else total.wronglyRejected++
  if (options.verbose) {
    const features = testcase.features?.length ? ` [${testcase.features.join(", ")}]` : ""
    console.log(
      `${accepted ? "wrongly accepted" : "wrongly rejected"}: ${testcase.id}${features}${why ? `\n  ${why}` : ""}`,
    )
  }
}

/** An exception is a defect: it is told, the others are run, and the exit status is 1. */
function verdictOn(testcase: Testcase): Evaluation {
  try {
    return evaluate(testcase, provider, clock)
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
