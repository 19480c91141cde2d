// `npm run hosts [-- options]`: the same configuration file starts the broker on each runtime, and the same things hold there.

import { spawnSync } from "node:child_process"
import { type Host, hostNames, hostOf, root, runtimeProgram, versionOf } from "./hosts.ts"
import type { Row } from "./row.ts"
import { rows } from "./rows.ts"
import { runWorkerd } from "./workerd/run-workerd.ts"
import { World } from "./world.ts"

const help = `The broker on each host, by the same configuration file in a folder that was empty.

  npm run hosts [-- HOST...]

  HOST      one of ${hostNames.join(", ")} (default: all of them)
  --help    this text

The runtimes are installed from npm under .peers/, the single files are those of \`npm run bundle\`, and mosquitto_pub and
mosquitto_sub are those of this machine. What is missing is a row that is skipped. The exit status is 1 when a row fails.`

/** Milliseconds that a row may take. */
const patience = 90_000

const counts = { passed: 0, failed: 0, skipped: 0 }

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(help)
    return 0
  }
  const unknown = args.find((name) => !hostNames.includes(name))
  if (unknown !== undefined) {
    const what = unknown.startsWith("-") ? "option" : "host"
    console.error(`hosts: unknown ${what} ${unknown}; the hosts are ${hostNames.join(", ")}`)
    return 2
  }
  for (const name of args.length > 0 ? args : hostNames) {
    if (name === "workerd") {
      await runInWorkerd()
      continue
    }
    const host = await hostOf(name)
    if ("refused" in host) tell("skipped", name, host.refused)
    else await runHost(host)
  }
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""
  console.log(`\nhosts: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
  return counts.failed > 0 ? 1 : 0
}

function tell(outcome: keyof typeof counts, name: string, why?: string): void {
  counts[outcome]++
  const words = { passed: "ok", failed: "FAILED", skipped: "skipped" }[outcome]
  console.log(`  ${words.padEnd(8)}${name}${why === undefined ? "" : `: ${why}`}`)
}

async function runHost(host: Host): Promise<void> {
  console.log(`\n== ${host.name} (${versionOf(host)})`)
  const world = new World(host)
  try {
    const started = await attempt("makes certificates and a user, and starts in an empty folder", async () => {
      await world.prepare()
      await world.start()
      return `in ${(world.startTime / 1000).toFixed(2)} s, ${world.mebibytes ?? "?"} MiB`
    })
    if (started) for (const row of rows) await runRow(world, row)
  } finally {
    await world.end()
  }
}

async function runInWorkerd(): Promise<void> {
  const workerd = await runtimeProgram("workerd")
  if ("refused" in workerd) return tell("skipped", "workerd", workerd.refused)
  await runWorkerd(root, workerd.program, async (name, work, row) => {
    const lack = row && whatLacks(row)
    if (lack === undefined) return attempt(name, work)
    tell("skipped", name, lack)
    return true
  })
}

async function runRow(world: World, row: Row): Promise<void> {
  const lack = whatLacks(row)
  if (lack !== undefined) {
    tell("skipped", row.name, lack)
    return
  }
  await attempt(row.name, async () => {
    if (!world.isRunning) await world.start()
    return row.run(world)
  })
  await world.tidy()
}

async function attempt(name: string, work: () => Promise<string | undefined>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${patience / 1000} s`)), patience)
  })
  try {
    tell("passed", name, await Promise.race([work(), late]))
    return true
  } catch (error) {
    tell("failed", name, error instanceof Error ? error.message.trim() : String(error))
    return false
  } finally {
    clearTimeout(timer)
  }
}

function whatLacks({ needs, needsSignals, lacks }: Omit<Row, "name" | "run">): string | undefined {
  if (needsSignals && process.platform === "win32") return "Windows has no such signal"
  if (needs !== undefined && spawnSync(needs, ["--help"]).error !== undefined)
    return `there is no ${needs} on this machine`
  return lacks?.()
}
