// `puremq bench`: measures brokers.

import { existsSync, readFileSync } from "node:fs"
import { isIP } from "node:net"
import {
  addressOf as addressOfHost,
  beginning,
  CommandError,
  commandLine,
  compareFiles,
  comparisonText,
  headOf,
  ProgressLine,
  reporting,
  type SampleFile,
  sampleColumns,
  sampleRows,
  samplesOf,
  statOf,
  type Terminal,
  toldOf,
} from "@puremq/tls13/bench"
import type { Arguments } from "@puremq/tls13/command-line"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { type Report, type Run, reportFormat, sidesOf } from "@puremq/tls13/measure"
import { version } from "../../admin/version.ts"
import type { Place } from "../../platform/dial.ts"
import { ClientError } from "../client/errors.ts"
import { beBenchChild } from "./child.ts"
import { arrivalRows, columnsOf } from "./columns.ts"
import { arrivalColumns } from "./message-record.ts"
import { childFlag, type OwnPlace } from "./messages.ts"
import {
  commonRequest,
  nameOfScenario,
  nameOfSubject,
  type Plan,
  readBenchArguments,
  readPlan,
  type Scenario,
  type Subject,
} from "./plan.ts"
import { type BenchChild, runMessages, runStorm, startChild } from "./run.ts"
import { summarizeMessages, summarizeStorm } from "./summarize.ts"
import { ownTerminal } from "./terminal.ts"

/** Gives the exit status: 1 when nothing was delivered. @throws UsageError, ClientError */
export async function bench(args: readonly string[], terminal: Terminal = ownTerminal()): Promise<number> {
  if (process.send !== undefined && args[0] === childFlag) {
    await beBenchChild()
    return 0
  }
  try {
    return await measureOrCompare(args, terminal)
  } catch (error) {
    throw error instanceof CommandError ? new ClientError(error.message) : error
  }
}

async function measureOrCompare(args: readonly string[], terminal: Terminal): Promise<number> {
  const read = readBenchArguments(args)
  const base = read.text("compare")
  if (base !== undefined) return compareFiles("puremq bench", base, read.positionals, terminal)
  const plan = readPlan(read)
  checkOpenFiles(plan)
  const operation = read.flag("connect-storm") ? "connection" : "message"
  const columns = operation === "message" ? arrivalColumns : sampleColumns
  return reporting(read, terminal, columnsOf(operation), columns, (file, interruption) =>
    new Measuring(args, read, plan, operation, terminal, file, interruption).report(),
  )
}

/** A broker that is measured. */
interface Served {
  readonly subject: Subject
  readonly place: Place
  readonly address: string
  readonly pid: number | undefined
  readonly own: OwnPlace | undefined
  readonly child: BenchChild | undefined
}

class Measuring {
  readonly #args: readonly string[]
  readonly #read: Arguments
  readonly #plan: Plan
  readonly #operation: "message" | "connection"
  readonly #terminal: Terminal
  readonly #file: SampleFile | undefined
  readonly #interruption: AbortSignal

  constructor(
    args: readonly string[],
    read: Arguments,
    plan: Plan,
    operation: "message" | "connection",
    terminal: Terminal,
    file: SampleFile | undefined,
    interruption: AbortSignal,
  ) {
    this.#args = args
    this.#read = read
    this.#plan = plan
    this.#operation = operation
    this.#terminal = terminal
    this.#file = file
    this.#interruption = interruption
  }

  async report(): Promise<Report> {
    const head = beginning()
    const brokers = await startBrokers(this.#read, this.#plan)
    const runs: Run[] = []
    const report: Report = {
      format: reportFormat,
      tool: { name: "puremq bench", version },
      command: commandLine(["puremq", "bench", ...withoutPassword(this.#args)]),
      ...head,
      operation: this.#operation,
      runs,
    }
    this.#tell(headOf(report))
    try {
      const rounds = Array.from({ length: this.#plan.repeat }, (_, i) => i + 1)
      const all = rounds.flatMap((repetition) =>
        this.#plan.scenarios.flatMap((scenario) => brokers.map((broker) => ({ repetition, scenario, broker }))),
      )
      for (const [i, { repetition, scenario, broker }] of all.entries()) {
        if (this.#interruption.aborted) break
        const run = await this.#run(`${i + 1}/${all.length}`, broker, scenario, repetition).catch((error: unknown) => {
          // One that is interrupted before it began is none; those before it are told.
          if (error instanceof CommandError && this.#interruption.aborted && runs.length > 0) return undefined
          throw error
        })
        if (run === undefined) break
        runs.push(run)
        this.#tell(toldOf(report, run, this.#plan.repeat))
      }
      const sides = sidesOf(runs)
      for (const side of sides.slice(1)) this.#tell(["", ...comparisonText(sides[0]!, side, true, this.#operation)])
      return report
    } finally {
      await Promise.all(brokers.map(({ child }) => child?.stop()))
    }
  }

  async #run(number: string, broker: Served, scenario: Scenario, repetition: number): Promise<Run> {
    const { subject, place, address, pid, own } = broker
    const title = `${nameOfSubject(subject)}, ${nameOfScenario(scenario, this.#plan)}`
    const quiet = { ...this.#terminal, say: () => undefined, status: undefined }
    const terminal = this.#read.flag("quiet") ? quiet : this.#terminal
    const progress = new ProgressLine(`${number} ${title}`, this.#plan.load, this.#operation, terminal)
    const word = subject.kind === "given" ? subject.word : undefined
    const run = Math.floor(Math.random() * 2 ** 32)
    const name = nameOfScenario(scenario, this.#plan)
    const target = { host: place.host, port: place.port, address, name: nameOfSubject(subject), own: own !== undefined }
    const setup = {
      plan: this.#plan,
      task: { role: "client", args: this.#args, word, own, address, scenario, run, samples: this.#file !== undefined },
      port: place.port,
      pid,
      interruption: this.#interruption,
      onProgress: (at: Parameters<ProgressLine["update"]>[0]) => progress.update(at),
      onArrivals: (rows: Float64Array) => this.#file?.add({ target, name, repetition }, arrivalRows(rows)),
    } as const
    const context = {
      plan: this.#plan,
      scenario,
      place,
      address,
      name: subject.kind === "given" ? subject.name : undefined,
      own: own !== undefined,
      pid,
      repetition,
    }
    try {
      if (scenario !== undefined) return summarizeMessages(await runMessages(setup), context)
      const raw = await runStorm(setup)
      const summary = summarizeStorm(raw, context)
      this.#file?.add(summary, sampleRows(summary, samplesOf(raw.workers)))
      return summary
    } catch (error) {
      throw error instanceof CommandError ? new CommandError(`${title}: ${error.message}`) : error
    } finally {
      progress.end()
    }
  }

  #tell(lines: readonly string[]): void {
    this.#terminal.output.write(`${lines.join("\n")}\n`)
  }
}

/* ---------------------------------------------------------------- brokers */

async function startBrokers(read: Arguments, plan: Plan): Promise<readonly Served[]> {
  const served: Served[] = []
  try {
    for (const subject of plan.subjects)
      served.push(subject.kind === "own" ? await startOwn(subject) : await given(read, subject))
    return served
  } catch (error) {
    await Promise.all(served.map(({ child }) => child?.stop()))
    throw error
  }
}

async function startOwn(subject: Extract<Subject, { kind: "own" }>): Promise<Served> {
  const { transport } = subject
  const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
  const child = startChild({ role: "broker", transport, cert: made.serverCert, key: made.serverKey }, "the broker")
  try {
    const { port } = await child.next("listening")
    const place = { transport, host: "localhost", port, path: "/mqtt" }
    return { subject, place, address: "127.0.0.1", pid: child.pid, own: { place, trusted: made.caCert }, child }
  } catch (error) {
    await child.stop()
    throw error
  }
}

async function given(read: Arguments, subject: Extract<Subject, { kind: "given" }>): Promise<Served> {
  const { address, pid } = subject
  const { place } = address
  commonRequest(read, address)
  if (pid !== undefined && statOf(pid) === undefined)
    throw new CommandError(`--pid ${pid}: there is no such process here, or this system has no /proc`)
  const ip = isIP(place.host) !== 0 ? place.host : await addressOfHost(place.host, place.port)
  return { subject, place, address: ip, pid, own: undefined, child: undefined }
}

/* ---------------------------------------------------------------- limits */

/** Files that a process has open besides its connections, about. */
const otherFiles = 40

/** @throws CommandError when a process may not have as many connections as it is to make */
function checkOpenFiles({ shape, load, scenarios }: Plan): void {
  const clients = scenarios[0] === undefined ? load.concurrency : shape.publishers + shape.subscribers
  const inOne = shape.share === undefined ? Math.ceil(clients / load.workers) : clients
  const path = "/proc/self/limits"
  const most = /^Max open files\s+(\d+)/m.exec(existsSync(path) ? readFileSync(path, "utf8") : "")?.[1]
  if (most === undefined || inOne + otherFiles <= Number(most)) return
  throw new CommandError(
    `${inOne} connections of one process are more than its ${most} open files allow: raise ulimit -n, or use more --workers`,
  )
}

/** The command line is in the report, which is for others to read. */
function withoutPassword(args: readonly string[]): readonly string[] {
  return args.map((arg, i) => {
    // Short options may stand together: -rP, -rPsecret.
    if (/^(-[A-Za-z]*P|--pw|--password)$/.test(args[i - 1] ?? "")) return "..."
    return arg
      .replace(/^(--(?:pw|password)=|-[A-Za-z]*P(?=.)).*$/s, "$1...")
      .replace(/(\/\/[^@/:]*):[^@/]*@/, "$1:...@")
  })
}
