// `--performance`: measures what docs/performance.md has, keeps the figures in docs/performance, and writes the tables anew.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { commandLine } from "../command-line.ts"
import { durationText, progress } from "../progress.ts"
import { readResults } from "../results.ts"
import { runHere, runOn } from "../runtimes.ts"
import { documentFile, keptFile, keptRuns, withFigures } from "./document.ts"
import { kept } from "./markdown.ts"
import { type PerformanceRun, performanceRuns } from "./runs.ts"

/** @param names of runs; none: all. @returns the exit status: of a run that breaks the last figures stay, and it is 1 */
export async function measurePerformance(names: readonly string[]): Promise<number> {
  const runs = performanceRuns.filter(({ name }) => names.length === 0 || names.includes(name))
  const folder = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  let left = runs.reduce((sum, { seconds }) => sum + seconds, 0)
  const broken: string[] = []
  try {
    for (const run of runs) {
      progress(`${run.name}; all that is left takes about ${durationText(left)}`)
      const why = await measure(run, join(folder, `${run.name}.json`))
      if (why !== undefined) broken.push(`${run.name}: ${why}; its last figures stay`)
      // Each time, so that a run that is called off leaves what was measured and what is told of it alike.
      else writeFileSync(documentFile, withFigures(readFileSync(documentFile, "utf8"), keptRuns()))
      left -= run.seconds
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  for (const line of broken) console.error(`bench: BROKEN ${line}`)
  console.log(`\n${runs.length - broken.length} of ${runs.length} runs: docs/performance.md and docs/performance`)
  return broken.length > 0 ? 1 : 0
}

/** @returns why there are no figures of it */
async function measure({ name, args, on }: PerformanceRun, file: string): Promise<string | undefined> {
  try {
    const all = [...args, "--json", file]
    const status = await (on === undefined ? runHere(all) : runOn(on, all))
    if (status !== 0) return `the run ended with status ${status}`
    // As somebody types it who wants these figures.
    const command = commandLine([...args, ...(on === undefined ? [] : ["--on", on])])
    const run = { ...kept(readResults(file)), command }
    mkdirSync(dirname(keptFile(name)), { recursive: true })
    writeFileSync(keptFile(name), keptText(run))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function keptText(run: object): string {
  const digits = (_: string, value: unknown) =>
    typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value
  return `${JSON.stringify(run, digits, 1)}\n`
}
