// `tls13 bench`: measures the handshakes of servers.

import { createRequire } from "node:module"
import { isIP } from "node:net"
import { sidesOf } from "../../measure/compare-runs.ts"
import { type Report, type Run, reportFormat } from "../../measure/report.ts"
import { CommandError } from "../arguments.ts"
import type { Arguments } from "../command-line.ts"
import type { Terminal } from "../connect.ts"
import { addressOf } from "./addresses.ts"
import { comparisonText } from "./compare.ts"
import type { OwnCertificates, Target } from "./engine-options.ts"
import { handshakeColumns, sampleColumns, sampleRows } from "./files.ts"
import { makeOwnCertificates } from "./own-certificates.ts"
import { type OwnChild, startChild } from "./own-child.ts"
import {
  nameOfScenario,
  nameOfSubject,
  type Plan,
  readBenchArguments,
  readPlan,
  type Scenario,
  type Subject,
} from "./plan.ts"
import { statOf } from "./processes.ts"
import { ProgressLine } from "./progress.ts"
import { beginning, commandLine, compareFiles, headOf, reporting } from "./reporting.ts"
import { type RawRun, runLoad } from "./run-load.ts"
import { samplesOf } from "./samples.ts"
import { summarize } from "./summarize.ts"
import { toldOf } from "./told.ts"

/** Gives the exit status: 1 when no handshake succeeded. @throws UsageError, CommandError */
export async function bench(args: readonly string[], terminal: Terminal): Promise<number> {
  const read = readBenchArguments(args)
  const base = read.text("compare")
  if (base !== undefined) return compareFiles("tls13 bench", base, read.positionals, terminal)
  const plan = readPlan(read)
  return reporting(read, terminal, handshakeColumns, sampleColumns, (file, interruption) =>
    measure(
      args,
      read,
      plan,
      terminal,
      (run, { workers }) => file?.add(run, sampleRows(run, samplesOf(workers))),
      interruption,
    ),
  )
}

async function measure(
  args: readonly string[],
  read: Arguments,
  plan: Plan,
  terminal: Terminal,
  onRun: (run: Run, raw: RawRun) => void,
  interruption: AbortSignal,
): Promise<Report> {
  const head = beginning()
  const servers = await startServers(args, read, plan)
  const runs: Run[] = []
  const report: Report = {
    format: reportFormat,
    tool: { name: "tls13 bench", version: versionOfPackage() },
    command: commandLine(["tls13", "bench", ...args]),
    ...head,
    operation: "handshake",
    runs,
  }
  const tell = (lines: readonly string[]) => terminal.output.write(`${lines.join("\n")}\n`)
  tell(headOf(report))
  try {
    const rounds = Array.from({ length: plan.repeat }, (_, i) => i + 1)
    const all = rounds.flatMap((repetition) =>
      plan.scenarios.flatMap((scenario) => servers.map((server) => ({ repetition, scenario, server }))),
    )
    for (const [i, { repetition, scenario, server }] of all.entries()) {
      if (interruption.aborted) break
      const target = scenario.mode === "mtls" ? server.mtlsTarget : server.target
      const title = `${i + 1}/${all.length} ${nameOfSubject(server.subject)} ${nameOfScenario(scenario, plan.load)}`
      const progress = new ProgressLine(
        title,
        plan.load,
        "handshake",
        read.flag("quiet") ? { ...terminal, say: () => undefined, status: undefined } : terminal,
      )
      const setup = { args, plan, scenario, target, own: server.certificates }
      const context = {
        plan,
        scenario,
        subject: server.subject,
        target,
        pid: server.pid,
        repetition,
        provider: read.text("provider") ?? "fast",
        offered: offeredOf(read, scenario),
      }
      try {
        const raw = await runLoad(setup, server.pid, (at) => progress.update(at), interruption)
        progress.end()
        const run = summarize(raw, context)
        runs.push(run)
        onRun(run, raw)
        tell(toldOf(report, run, plan.repeat))
      } catch (error) {
        progress.end()
        if (!(error instanceof CommandError)) throw error
        // One that is interrupted before it began is none; those before it are told.
        if (interruption.aborted && runs.length > 0) break
        throw new CommandError(
          `${nameOfSubject(server.subject)}, ${nameOfScenario(scenario, plan.load)}: ${error.message}`,
        )
      }
    }
    const sides = sidesOf(runs)
    for (const side of sides.slice(1)) tell(["", ...comparisonText(sides[0]!, side, true, report.operation)])
    return report
  } finally {
    await Promise.all(servers.map(({ child }) => child?.stop()))
  }
}

/* ---------------------------------------------------------------- servers */

interface Served {
  readonly subject: Subject
  readonly target: Target
  /** Where client certificates are asked for. */
  readonly mtlsTarget: Target
  readonly pid: number | undefined
  readonly certificates: OwnCertificates | undefined
  readonly child: OwnChild | undefined
}

async function startServers(args: readonly string[], read: Arguments, plan: Plan): Promise<readonly Served[]> {
  const isOwn = plan.subjects.some(({ kind }) => kind === "own")
  const made = isOwn ? makeOwnCertificates(read.list("sigalgs") ?? [], Date.now()) : undefined
  const served: Served[] = []
  try {
    for (const subject of plan.subjects) {
      served.push(subject.kind === "own" ? await startOwn(args, subject, made!) : await given(subject))
    }
    return served
  } catch (error) {
    await Promise.all(served.map(({ child }) => child?.stop()))
    throw error
  }
}

async function startOwn(
  args: readonly string[],
  subject: Extract<Subject, { kind: "own" }>,
  certificates: OwnCertificates,
): Promise<Served> {
  const child = startChild({ role: "server", args, server: subject.server, certificates }, `server ${subject.server}`)
  try {
    const { port, mtlsPort } = await child.next("listening")
    const target = { host: "localhost", address: "127.0.0.1", port }
    return { subject, target, mtlsTarget: { ...target, port: mtlsPort }, pid: child.pid, certificates, child }
  } catch (error) {
    await child.stop()
    throw error
  }
}

async function given(subject: Extract<Subject, { kind: "given" }>): Promise<Served> {
  const { host, port, pid } = subject
  if (pid !== undefined && statOf(pid) === undefined)
    throw new CommandError(`--pid ${pid}: there is no such process here, or this system has no /proc`)
  const address = isIP(host) !== 0 ? host : await addressOf(host, port)
  const target = { host, address, port }
  return { subject, target, mtlsTarget: target, pid, certificates: undefined, child: undefined }
}

/** What the client was told to offer: names, or null where it offers all that it has. */
function offeredOf(read: Arguments, { group, cipher, sigalg }: Scenario): Readonly<Record<string, string | null>> {
  const list = (name: string) => read.list(name)?.join(",") ?? null
  return {
    "groups offered": group ?? list("groups"),
    "ciphers offered": cipher ?? list("ciphers"),
    "sigalgs offered": sigalg ?? list("sigalgs"),
  }
}

function versionOfPackage(): string {
  const { version } = createRequire(import.meta.url)("../../../package.json") as { readonly version: string }
  return version
}
