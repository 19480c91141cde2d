// `npm run hostile [-- options]`: what a hostile or merely busy world does to a started broker and to `tls13 serve`.

import { execFileSync } from "node:child_process"
import { parseArgs } from "node:util"
import { isMainThread, parentPort } from "node:worker_threads"
import type { Case, Group } from "./case.ts"
import { groups } from "./cases/index.ts"
import { beNeighbour } from "./neighbour.ts"
import { type Findings, Scene } from "./scene.ts"
import { type Result, Table } from "./table.ts"

const help = `What a hostile or merely busy world does to \`puremq start\` and \`tls13 serve\`, with all limits at their defaults
and a heap of 512 MiB. Each row starts its own programs and ends them.

  npm run hostile [-- options]

  --only TEXT     only rows with TEXT in their name or their group's; may be repeated
  --ci            only rows that are quick; none begins after three minutes
  --verbose       show what the programs of a row that fell printed
  --list          the names of the rows
  --help          this text

Columns: whether the program lives and answers a new client; the most memory it took (Linux only); the longest that a
well-behaved client, which asks every 20 ms, waited for an answer; how long the row took. The exit status is 0 when no
row fell.`

/** After this no further row begins with --ci. */
const ciMinutes = 3

if (isMainThread) process.exitCode = await main()
else await beNeighbour((message) => parentPort?.postMessage(message))

async function main(): Promise<number> {
  let values: { only: string[]; ci: boolean; verbose: boolean; list: boolean; help: boolean }
  try {
    values = parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        ci: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        list: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}; see --help`)
    return 2
  }
  if (values.help) {
    console.log(help)
    return 0
  }
  const chosen = groups
    .map((group) => ({ ...group, cases: group.cases.filter((each) => isAsked(group, each, values.only)) }))
    .filter(({ cases }) => cases.length > 0)
  if (chosen.length === 0) {
    console.error(`no row has ${values.only.map((text) => JSON.stringify(text)).join(" or ")} in its name; see --list`)
    return 2
  }
  if (values.list) {
    for (const { title, cases } of chosen) {
      console.log(title)
      for (const each of cases) console.log(`  ${each.name}`)
    }
    return 0
  }
  return runAll(chosen, values)
}

function isAsked(group: Group, { name }: Case, only: readonly string[]): boolean {
  const text = `${group.title} ${name}`.toLowerCase()
  return only.length === 0 || only.some((each) => text.includes(each.toLowerCase()))
}

interface RunOptions {
  readonly ci: boolean
  readonly verbose: boolean
}

async function runAll(chosen: readonly Group[], { ci, verbose }: RunOptions): Promise<number> {
  const colour = process.stdout.isTTY === true && !process.env["NO_COLOR"]
  const table = new Table(console.log, colour)
  const results: Result[] = []
  table.head()
  const end = performance.now() + ciMinutes * 60_000
  for (const { title, cases } of chosen) {
    table.group(title)
    for (const each of cases) {
      const why = whySkip(each, ci) ?? (ci && performance.now() > end ? `${ciMinutes} minutes are over` : undefined)
      const result = why === undefined ? await runCase(each, verbose) : skipped(each, why)
      results.push(result)
      table.row(result)
    }
  }
  return table.sum(results).failed > 0 ? 1 : 0
}

function whySkip(each: Case, ci: boolean): string | undefined {
  if (ci && !each.ci) return "left out with --ci"
  if (each.needs === undefined) return undefined
  try {
    execFileSync(each.needs, ["version"], { stdio: "ignore", timeout: 10_000 })
    return undefined
  } catch {
    return `there is no ${each.needs}`
  }
}

function skipped(each: Case, reason: string): Result {
  return { case: each, outcome: "skipped", findings: undefined, reason, seconds: 0 }
}

let current: Scene | undefined
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  if (isMainThread) process.once(signal, () => void Promise.resolve(current?.finish()).finally(() => process.exit(130)))
}

/** Runs a row; it cannot hang, and leaves nothing behind. */
async function runCase(each: Case, verbose: boolean): Promise<Result> {
  const began = performance.now()
  const scene = new Scene()
  current = scene
  const seconds = each.seconds ?? 60
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${seconds} s`)), seconds * 1000)
  })
  const work = each.run(scene)
  // What still goes on after its time is over ends with the scene.
  work.catch(() => undefined)
  try {
    await Promise.race([work, late])
  } catch (error) {
    scene.fell(error instanceof Error ? error.message : String(error))
  } finally {
    clearTimeout(timer)
  }
  const findings = await scene.judge()
  if (verbose && findings.problems.length > 0) for (const text of scene.printed()) console.log(text)
  await scene.finish()
  current = undefined
  return { case: each, ...verdict(findings), findings, seconds: (performance.now() - began) / 1000 }
}

function verdict({ problems }: Findings): Pick<Result, "outcome" | "reason"> {
  const words = problems.slice(0, 3).join("; ").replace(/\s+/g, " ")
  return problems.length === 0 ? { outcome: "held", reason: "" } : { outcome: "fell", reason: words }
}
