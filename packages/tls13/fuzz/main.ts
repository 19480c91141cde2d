// `npm run fuzz [-- options]`: structure-aware fuzzing of the TLS stack. The same seed gives the same run.

import { writeFileSync } from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import {
  type BrokerTarget,
  brokerTargets,
  fuzzBroker,
  printBrokerReport,
  saveFindings,
} from "../../broker/fuzz/live.ts"
import { type Report, run } from "./run.ts"
import { corpusFile, makeTarget, readCorpus, type TargetName, targetNames } from "./targets.ts"

const help = `Fuzzes the TLS stack: no input of a peer may make it throw, answer internal_error, hang, or keep memory; nor may a
capture or a saved trace that strangers give. And a running broker: no sequence of packets and frames may end it, make it
print an error, count a fault of its own, or leave a well-behaved client without an answer.

  npm run fuzz [-- TARGET...] [options]

  TARGET              the same as --target TARGET
  --target NAME       one of ${targetNames.join(", ")},
                      broker (a running one: 92 % of the sequences over TCP, the rest over TLS and WebSocket), or
                      ${brokerTargets.slice(1).join(", ")}; may be repeated (default: the first ${targetNames.length} and broker)
  --list              the targets
  --executions N      for each target (default: 100000). One of a broker is a sequence on a connection of its own
  --seed S            a whole number (default: 1)
  --only N            execution N alone, to bring a crash back: with its --target and --seed
  --save              adds inputs with new outcomes to the corpus; of a broker: sequences that were found
  --help              this text

The exit status is 1 when there was a crash or a finding, a step of a state machine that is no row of its table, an execution
of more than a second, or growth of more than 1 MiB.`

const allTargets = [...targetNames, ...brokerTargets]
const list = allTargets.join("\n")

interface Options {
  readonly targets: (TargetName | BrokerTarget)[]
  executions: number
  seed: number
  only: number | undefined
  save: boolean
}

const longestAllowed = 1000
const mostRetained = 2 ** 20

process.exitCode = await main(process.argv.slice(2))

async function main(args: string[]): Promise<number> {
  const options = parse(args)
  if (typeof options === "string") {
    const asked = options === help || options === list
    if (asked) console.log(options)
    else console.error(options)
    return asked ? 0 : 2
  }
  setFlagsFromString("--expose-gc")
  const collectGarbage = runInNewContext("gc") as () => void
  const inProcess = options.targets.filter((name) => !isBrokerTarget(name))
  const reports = inProcess.map((name) => {
    const report = run({
      target: makeTarget(name),
      executions: options.executions,
      seed: options.seed,
      only: options.only,
      now: () => performance.now(),
      processorTime: () => process.cpuUsage().user / 1000,
      bufferBytes: () => {
        // Buffers are given back a little after their arrays are.
        for (let i = 0; i < 3; i++) collectGarbage()
        return process.memoryUsage().arrayBuffers
      },
    })
    print(report)
    if (options.save) save(name, report)
    return report
  })
  let total = reports.reduce((sum, { executions }) => sum + executions, 0)
  let crashes = reports.reduce((sum, report) => sum + report.crashes.length, 0)
  for (const target of options.targets.filter(isBrokerTarget)) {
    const { executions, seed, only } = options
    const report = await fuzzBroker({ target, executions, seed, only, say: console.log })
    printBrokerReport(report, console.log)
    if (options.save) saveFindings(report)
    total += report.executions
    crashes += report.findings.length
  }
  console.log(`${total.toLocaleString("en")} executions, ${crashes} crashes`)
  return crashes === 0 && reports.every(isFine) ? 0 : 1
}

function isBrokerTarget(name: TargetName | BrokerTarget): name is BrokerTarget {
  return brokerTargets.some((each) => each === name)
}

function isFine({ crashes, longestMilliseconds, retainedBytes, steps }: Report): boolean {
  const isClean = crashes.length === 0 && (steps === undefined || steps.foreign.length === 0)
  return isClean && longestMilliseconds <= longestAllowed && retainedBytes <= mostRetained
}

function print(report: Report): void {
  const { target, executions, crashes, outcomes, longestMilliseconds, retainedBytes, milliseconds, steps } = report
  const rate = Math.round(executions / (milliseconds / 1000)).toLocaleString("en")
  console.log(
    `${target}: ${executions.toLocaleString("en")} executions (${rate} a second), ${crashes.length} crashes, ` +
      `${outcomes.size} outcomes, longest ${longestMilliseconds.toFixed(1)} ms, retained ${retainedBytes} bytes`,
  )
  if (steps !== undefined) {
    console.log(`  ${steps.rows - steps.missing.length} of ${steps.rows} rows of handshake/transitions.ts were walked`)
    for (const row of steps.missing) console.log(`  not walked:    ${row}`)
    for (const step of steps.foreign) console.log(`  no row allows: ${step}`)
  }
  for (const { seed, execution, error } of crashes) {
    console.log(
      `  crash: --target ${target} --seed ${seed} --only ${execution}\n    ${error.stack?.replace(/\n/g, "\n    ")}`,
    )
  }
}

/** Short inputs only: a long one says no more. */
function save(name: TargetName, { outcomes }: Report): void {
  const found = [...outcomes].filter(([, input]) => input.length <= 2 * 1024)
  const corpus = { ...Object.fromEntries(found), ...readCorpus(name) }
  const sorted = Object.fromEntries(Object.entries(corpus).sort(([a], [b]) => (a < b ? -1 : 1)))
  writeFileSync(corpusFile(name), `${JSON.stringify(sorted, null, 1)}\n`)
}

/** @returns what to print when the arguments make no sense, or ask for help */
function parse(args: string[]): Options | string {
  const options: Options = { targets: [], executions: 100_000, seed: 1, only: undefined, save: false }
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    if (arg === "--help") return help
    if (arg === "--list") return list
    if (arg === "--save") {
      options.save = true
      continue
    }
    const named = allTargets.find((each) => each === arg)
    if (named !== undefined) {
      options.targets.push(named)
      continue
    }
    const value = args.shift()
    const number = Number(value)
    const isCount = value !== undefined && Number.isSafeInteger(number) && number >= 0
    if (arg === "--target") {
      const name = allTargets.find((each) => each === value)
      if (name === undefined) return `--target is one of ${allTargets.join(", ")}, not ${value ?? "nothing"}`
      options.targets.push(name)
    } else if (arg === "--executions" && isCount) options.executions = number
    else if (arg === "--seed" && isCount) options.seed = number
    else if (arg === "--only" && isCount) options.only = number
    else return `unknown option ${arg}${value === undefined ? "" : ` ${value}`}; see --help`
  }
  if (options.targets.length === 0) options.targets.push(...targetNames, "broker")
  return options
}
