// `npm run paho -- --suite DIR [options]`: Eclipse Paho's interoperability suite against a started broker.

import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { each } from "../hostile/wire/client.ts"
import { natsServer, withoutNats } from "../tests/cluster/nats-server.ts"
import { killAll, listTests, runTest, type Test, type Verdict } from "./suite.ts"

/** Tests at a time: most of their time they wait. */
const width = 2

const help = `Runs Eclipse Paho's interoperability suite (client_test.py for MQTT 3.1.1, client_test5.py for 5.0) against
\`puremq start\`. The suite is not part of this project: check out https://github.com/eclipse/paho.mqtt.testing beside it.
It needs python3, 3.8 or newer.

  npm run paho -- --suite DIR [options]

  --suite DIR   the checkout
  --only TEXT   only tests with TEXT in their name or file; one that is left out is run when TEXT is all of its name
  --cluster     against two brokers of one cluster, to which its connections go by turns; it needs nats-server
  --jobs N      tests at a time, each with a broker of its own; default ${width}
  --verbose     show what a test that failed printed, and its broker
  --help        this text

A line for each test. The last line counts; the exit status is 0 when none failed.`

/** Left out by name, and why. */
const leftOut: ReadonlyMap<string, string> = new Map([
  // It publishes more than Receive Maximum allows, and then answers each PUBREC before it looks for the DISCONNECT.
  ["test_flow_control2", "it goes on writing on the connection whose end it waits for"],
])

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    killAll()
    process.exit(130)
  })
}

process.exitCode = await main()

async function main(): Promise<number> {
  let values: {
    suite?: string | undefined
    only: string
    cluster: boolean
    jobs: string
    verbose: boolean
    help: boolean
  }
  try {
    values = parseArgs({
      options: {
        suite: { type: "string" },
        only: { type: "string", default: "" },
        cluster: { type: "boolean", default: false },
        jobs: { type: "string", default: `${width}` },
        verbose: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '([^']+)'/.exec(message)?.[1]
    return refuse(unknown === undefined ? message : `unknown option ${unknown}`)
  }
  if (values.help) {
    console.log(help)
    return 0
  }
  const jobs = Number(values.jobs)
  if (!Number.isSafeInteger(jobs) || jobs < 1) return refuse("--jobs needs a number from 1 on")
  if (values.suite === undefined) return refuse("--suite DIR is missing: a checkout of eclipse/paho.mqtt.testing")
  const suite = resolve(process.env["INIT_CWD"] ?? ".", values.suite)
  const folder = join(suite, "interoperability")
  if (!existsSync(join(folder, "client_test5.py")))
    return refuse(`${suite} is not a checkout of eclipse/paho.mqtt.testing: no interoperability/client_test5.py in it`)
  if (!hasPython()) return refuse("python3 cannot be started: Python 3.8 or newer must be on the path")
  if (values.cluster && natsServer === undefined) return refuse(withoutNats)
  const chosen = listTests(folder).filter(({ file, name }) => `${file} ${name}`.includes(values.only))
  if (chosen.length === 0) return refuse(`no test has ${JSON.stringify(values.only)} in its name`)
  const { only, cluster, verbose } = values
  return runAll(chosen, { folder, jobs, only, cluster, verbose })
}

function refuse(problem: string): number {
  console.error(`paho: ${problem}; see --help`)
  return 2
}

function hasPython(): boolean {
  try {
    execFileSync("python3", ["-c", "import sys; assert sys.version_info >= (3, 8)"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
}

interface RunOptions {
  readonly folder: string
  readonly jobs: number
  readonly only: string
  readonly cluster: boolean
  readonly verbose: boolean
}

async function runAll(tests: readonly Test[], { folder, jobs, only, cluster, verbose }: RunOptions): Promise<number> {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  await each(tests, jobs, async (test) => {
    const why = only === test.name ? undefined : leftOut.get(test.name)
    const verdict: Verdict =
      why === undefined ? await runTest(folder, test, cluster) : { outcome: "skipped", words: why }
    counts[verdict.outcome]++
    const seconds = verdict.seconds === undefined ? "" : ` (${verdict.seconds.toFixed(1)} s)`
    const words = verdict.words === undefined ? "" : `: ${verdict.words}`
    const outcome = verdict.outcome === "failed" ? "FAILED " : verdict.outcome
    console.log(`${outcome}  ${test.version.padEnd(5)}  ${test.name}${seconds}${words}`)
    if (verbose && verdict.outcome === "failed") console.log(verdict.printed)
  })
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ""
  console.log(`paho: ${counts.passed} passed, ${counts.failed} failed${skipped}`)
  return counts.failed > 0 ? 1 : 0
}
