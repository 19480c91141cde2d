// `npm run hostile [-- options]`: what a hostile or merely busy world does to a started broker and to `tls13 serve`.

import { execFileSync } from "node:child_process"
import { parseArgs } from "node:util"
import { isMainThread, parentPort } from "node:worker_threads"
import { type Host, hostNames, hostOf } from "../hosts/hosts.ts"
import type { Case, Group } from "./case.ts"
import { groups } from "./cases/index.ts"
import { beNeighbour } from "./neighbour.ts"
import { type Findings, Scene } from "./scene.ts"
import { type Result, Table } from "./table.ts"
import { each } from "./wire/client.ts"

/** After this no further row begins with --ci. */
const ciMinutes = 2
/** Rows at a time that measure nothing. */
const width = 3

const help = `What a hostile or merely busy world does to \`puremq start\` and \`tls13 serve\`, with all limits at their defaults
and a heap of 512 MiB, where a row says no other. Each row starts its own programs and ends them.

  npm run hostile [-- options]

  --only TEXT     only rows with TEXT in their name or their group's; may be repeated
  --ci            those rows first that are dearest to lose, in any case; then what begins within ${ciMinutes} minutes
  --on HOST       what the broker runs on: one of \`npm run hosts -- --help\`; default: this Node.js
  --verbose       show what the programs of a row that fell printed
  --list          the names of the rows
  --help          this text

Columns: whether the program lives and answers a new client; the most memory it took (Linux only); the longest that a
well-behaved client, which asks every 20 ms, waited for an answer, less what the program waited for a processor
meanwhile (Linux only); how long the row took. The exit status is 0 when no row fell.`

/** Rows under way. */
const current = new Set<Scene>()
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  const finish = () => Promise.allSettled([...current].map((scene) => scene.finish()))
  if (isMainThread) process.once(signal, () => void finish().finally(() => process.exit(130)))
}

if (isMainThread) process.exitCode = await main()
else await beNeighbour((message) => parentPort?.postMessage(message))

async function main(): Promise<number> {
  let values: { only: string[]; on: string; ci: boolean; verbose: boolean; list: boolean; help: boolean }
  try {
    values = parseArgs({
      options: {
        only: { type: "string", multiple: true, default: [] },
        on: { type: "string", default: "node" },
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
  if (!["node", ...hostNames].includes(values.on)) {
    console.error(`there is no host ${values.on}; one of: node, ${hostNames.join(", ")}`)
    return 2
  }
  const host = await hostOf(values.on)
  if ("refused" in host) {
    console.error(host.refused)
    return 1
  }
  return runAll(chosen, { ...values, host })
}

function isAsked(group: Group, { name }: Case, only: readonly string[]): boolean {
  const text = `${group.title} ${name}`.toLowerCase()
  return only.length === 0 || only.some((each) => text.includes(each.toLowerCase()))
}

interface RunOptions {
  readonly host: Host
  readonly ci: boolean
  readonly verbose: boolean
}

async function runAll(chosen: readonly Group[], { host, ci, verbose }: RunOptions): Promise<number> {
  const colour = process.stdout.isTTY === true && !process.env["NO_COLOR"]
  const table = new Table(console.log, colour)
  const results: Result[] = []
  table.head()
  const end = ci ? performance.now() + ciMinutes * 60_000 : Number.POSITIVE_INFINITY
  const runOne = async (one: Case) => {
    // Those that are dear to lose run in any case, so that every group has its rows.
    const over = performance.now() > end && one.when !== "first"
    const why = over ? `${ciMinutes} minutes were over before its turn` : whatLacks(one)
    const result = why === undefined ? await runCase(one, host, verbose) : skipped(one, why)
    results.push(result)
    table.row(result)
  }
  for (const { title, cases } of ci ? dearestFirst(chosen) : chosen) {
    table.group(title)
    for (const one of cases) if (!one.beside) await runOne(one)
    const besides = cases.filter(({ beside }) => beside)
    await each(besides, width, runOne)
  }
  return table.sum(results).failed > 0 ? 1 : 0
}

/** What is dear to lose of every group, then what runs three at a time, then the rest of every group, then what takes long. */
function dearestFirst(groups: readonly Group[]): Group[] {
  const part = (more: string, wants: (one: Case) => boolean): Group[] =>
    groups
      .map(({ title, cases }) => ({ title: title + more, cases: cases.filter(wants) }))
      .filter(({ cases }) => cases.length > 0)
  const beside = part("", ({ when, beside }) => when === undefined && beside === true).flatMap(({ cases }) => cases)
  return [
    ...part("", ({ when }) => when === "first"),
    ...(beside.length === 0 ? [] : [{ title: `Of all of them, ${width} at a time`, cases: beside }]),
    ...part(", the rest", ({ when, beside }) => when === undefined && beside !== true),
    ...part(", what takes long", ({ when }) => when === "last"),
  ]
}

function whatLacks({ needs, addresses }: Case): string | undefined {
  if (addresses && process.platform !== "linux") return "only Linux has all of 127.0.0.0/8"
  if (needs === undefined) return undefined
  try {
    execFileSync(needs, ["version"], { stdio: "ignore", timeout: 10_000 })
    return undefined
  } catch {
    return `there is no ${needs}`
  }
}

function skipped(each: Case, reason: string): Result {
  return { case: each, outcome: "skipped", findings: undefined, reason, seconds: 0 }
}

/** Runs a row; it cannot hang, and leaves nothing behind. */
async function runCase(each: Case, host: Host, verbose: boolean): Promise<Result> {
  const began = performance.now()
  const scene = new Scene(host)
  current.add(scene)
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
  current.delete(scene)
  return { case: each, ...verdict(findings), findings, seconds: (performance.now() - began) / 1000 }
}

function verdict({ problems }: Findings): Pick<Result, "outcome" | "reason"> {
  const words = problems.slice(0, 3).join("; ").replace(/\s+/g, " ")
  return problems.length === 0 ? { outcome: "held", reason: "" } : { outcome: "fell", reason: words }
}
