// `npm run bench`: PureMQ and its peers side by side, in one run. `npm run bench -- WORD ...` runs the named parts only, and
// `--check` what is wanted of this version.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { checkGroups, runCheck } from "./check/check.ts"
import { tableMarkdown as checkMarkdown, sumText } from "./check/row.ts"
import { commandLine, withoutOutputs } from "./command-line.ts"
import type { Pems } from "./contestants.ts"
import { endOnSignals } from "./ending.ts"
import { compareInMemory, secondsOf } from "./engine/scenarios.ts"
import { type SubjectName, subjectNames } from "./engine/subjects.ts"
import { parseWork } from "./engine/work.ts"
import { helpText, listText } from "./help.ts"
import { type Options, parseOptions, UsageError } from "./options.ts"
import { commandOf, partNames, parts } from "./parts.ts"
import { figuresMarkdown, machineText } from "./performance/markdown.ts"
import { measurePerformance } from "./performance/performance.ts"
import { performanceRuns } from "./performance/runs.ts"
import { beginProgress, planProgress, progress } from "./progress.ts"
import { comparisonsPage } from "./report/page.ts"
import { beginResults, type Finding, type Measured, type Results, readResults, resultsText } from "./results.ts"
import { runOn, thisRuntime } from "./runtimes.ts"
import { selfTest } from "./self-test.ts"

endOnSignals()
try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 2
}

/** @returns the exit status */
async function main(options: Options): Promise<number> {
  if (options.help) return say(helpText)
  if (options.list) return say(listText())
  checkWords(options)
  if (options.from.length > 0) return writePage(options.report!, options.from.map(readResults))
  if (options.performance) return measurePerformance(options.words)
  if (options.on.length > 0) return onOthers(options)
  if (options.selfTest) return (await selfTest()) ? 0 : 1
  const finish = await beginResults(commandLine(process.argv.slice(2)))
  const measured = await (options.check
    ? check(options)
    : options.scenarios.length > 0
      ? scenarios(options)
      : all(options))
  const results = finish(measured)
  writeMarkdown(options.check ? "check.md" : "report.md", results)
  if (options.json !== undefined) writeInto(options.json, resultsText(results))
  if (options.report !== undefined) writePage(options.report, [results])
  if (options.check) console.log(`\nbench --check: ${sumText(results.rows)}${brokenText(results)}`)
  return results.broken.length > 0 ? 1 : 0
}

function brokenText({ broken }: Results): string {
  return broken.length > 0 ? `; ${broken.length} broken` : ""
}

function say(text: string): number {
  console.log(text)
  return 0
}

/** @throws UsageError */
function checkWords({ check: isCheck, performance: isPerformance, words, scenarios: given, subjects }: Options): void {
  const [known, what] = isCheck
    ? [checkGroups.map(({ name }) => name), "group"]
    : isPerformance
      ? [performanceRuns.map(({ name }) => name), "run"]
      : [partNames, "part"]
  const unknown = words.find((word) => !known.includes(word))
  if (unknown !== undefined)
    throw new UsageError(`no ${what} ${JSON.stringify(unknown)}; the ${what}s are ${known.join(", ")}`)
  const stranger = subjects.find((name) => !subjectNames.some((subject) => subject === name))
  if (stranger !== undefined) {
    throw new UsageError(`no subject ${JSON.stringify(stranger)}; they are ${subjectNames.join(", ")}`)
  }
  for (const scenario of given) {
    try {
      parseWork(scenario)
    } catch (error) {
      throw new UsageError((error as Error).message)
    }
  }
}

/* ---------------------------------------------------------------- what is measured */

async function all({ words }: Options): Promise<Partial<Measured>> {
  const chosen = partNames.filter((name) => words.length === 0 || words.includes(name))
  planProgress(chosen.reduce((sum, name) => sum + parts[name]!.seconds, 0))
  const pems = developmentPems()
  const findings: Finding[] = []
  const broken: string[] = []
  for (const name of chosen) {
    beginProgress(parts[name]!.seconds)
    progress(name)
    try {
      const figures = await parts[name]!.run(pems)
      findings.push(...figures.map((figure) => ({ part: name, command: commandOf(name, figure), figure })))
    } catch (error) {
      broken.push(`${name}: ${(error as Error).message}`)
      console.error(`bench: BROKEN ${broken.at(-1)}`)
    }
  }
  return { findings, broken }
}

async function scenarios({ scenarios: given, subjects }: Options): Promise<Partial<Measured>> {
  const works = given.map(parseWork)
  planProgress(works.reduce((sum, work) => sum + secondsOf(work), 0))
  const findings: Finding[] = []
  for (const work of works) {
    beginProgress(secondsOf(work))
    const figure = await compareInMemory(work, subjects.length > 0 ? (subjects as SubjectName[]) : subjectNames)
    const part = work.type === "handshake" ? "engine" : work.type === "hash" ? "digests" : "records"
    findings.push({ part, command: commandOf(part, figure), figure })
  }
  return { findings }
}

async function check({ quick, words }: Options): Promise<Partial<Measured>> {
  console.log(`${thisRuntime()}\n`)
  const groups = checkGroups.filter(({ name }) => words.length === 0 || words.includes(name))
  return runCheck(groups, { pems: developmentPems(), quick })
}

/** The same command on each; one that cannot be had here is told, and skipped. */
async function onOthers({ on, json, report }: Options): Promise<number> {
  const args = withoutOutputs(process.argv.slice(2))
  args.splice(args.indexOf("--on"), 2)
  const folder = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const results: Results[] = []
  let worst = 0
  try {
    for (const name of on) {
      const file = json === undefined ? join(folder, `${name}.json`) : fileFor(json, name)
      try {
        worst = Math.max(worst, await runOn(name, [...args, "--json", file]))
        if (report !== undefined) results.push(readResults(file))
      } catch (error) {
        console.log(`skipped  all on ${name}: ${(error as Error).message}`)
      }
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  if (report !== undefined && results.length > 0) writePage(report, results)
  return worst
}

function fileFor(file: string, name: string): string {
  return file.replace(/(\.json)?$/, `-${name}$1`)
}

function developmentPems(): Pems {
  const provider = createNobleProvider()
  const made = createDevelopmentCertificates({
    keyType: "p256",
    names: ["localhost", "127.0.0.1"],
    now: Date.now(),
    provider,
  })
  return { ca: made.caCert, cert: made.serverCert, key: made.serverKey }
}

/* ---------------------------------------------------------------- what is left of it */

function writeMarkdown(file: string, results: Results): void {
  const head = [
    `# ${results.rows.length > 0 ? "What is wanted of this version" : "PureMQ and its peers, in one run"}`,
    "",
    `${machineText(results)}.`,
    "Ratios are within a round, to the first line of each table; quartiles over the rounds. Where the unit is a rate, higher is faster; where it is a time (µs CPU), lower is.",
    "",
  ]
  const rows = results.rows.length > 0 ? [checkMarkdown(results.rows), `${sumText(results.rows)}\n`] : []
  writeInto(`bench-results/${file}`, [...head, ...rows, ...figuresMarkdown(results)].join("\n"))
  console.log(`\nreport: bench-results/${file}`)
}

function writePage(file: string, results: readonly Results[]): number {
  writeInto(file, comparisonsPage(results))
  console.log(`page: ${file}`)
  return 0
}

function writeInto(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
