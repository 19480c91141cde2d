// `npm run bench`: PureMQ and its peers side by side, in one run. `npm run bench -- WORD ...` runs the named parts only, and
// `--check` what is wanted of this version.

import { mkdirSync, writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { absentAsMarkdown, measureAbsent } from "./absent.ts"
import { checkGroups, runCheck } from "./check/check.ts"
import { sumText, tableMarkdown, verdictOn } from "./check/row.ts"
import { compareClients } from "./clients.ts"
import type { Pems } from "./contestants.ts"
import { otherClients } from "./engine/client-handshakes.ts"
import { compareInMemory, handshakeScenarios, hashScenarios, recordScenarios, secondsOf } from "./engine/scenarios.ts"
import { type SubjectName, subjectNames } from "./engine/subjects.ts"
import { parseWork } from "./engine/work.ts"
import { compareHandshakes, usualHandshakePlan } from "./handshakes.ts"
import { compareIdle, idleAsMarkdown } from "./idle.ts"
import { asMarkdown, type Comparison } from "./measure.ts"
import { compareMemory, memoryAsMarkdown } from "./memory.ts"
import { compareBrokers } from "./messages.ts"
import { type Options, parseOptions, UsageError } from "./options.ts"
import { beginProgress, durationText, planProgress, progress } from "./progress.ts"
import { measureRestart, restartAsMarkdown } from "./restart.ts"
import { runOn, runtimeNames, thisRuntime } from "./runtimes.ts"
import { selfTest } from "./self-test.ts"
import { measureStalled, stalledAsMarkdown } from "./stalled.ts"
import { compareStores } from "./stores.ts"
import { compareTransfers, usualTransferPlan } from "./transfer.ts"
import { compareValidation, validationAsMarkdown } from "./x509.ts"

const rounds = 7

/** What it is, for --help, and what runs it: the sections of the report. */
interface Part {
  readonly help: string
  /** About, on a machine of two cores with nothing else to do. */
  readonly seconds: number
  run(pems: Pems): Promise<readonly string[]>
}

/** Scenarios in memory, with all subjects. */
function inMemory(help: string, scenarios: readonly string[]): Part {
  const works = scenarios.map(parseWork)
  return {
    help,
    seconds: works.reduce((sum, work) => sum + secondsOf(work), 0),
    async run() {
      const sections: string[] = []
      for (const work of works) sections.push(asMarkdown(await compareInMemory(work)))
      return sections
    },
  }
}

const parts: Readonly<Record<string, Part>> = {
  engine: inMemory("handshakes in memory, both sides, by CPU, beside node:tls", handshakeScenarios),
  records: inMemory("one record sealed or opened in memory, beside node:crypto", recordScenarios),
  digests: inMemory("SHA-256 and SHA-384 in memory, beside node:crypto", hashScenarios),
  clients: {
    seconds: 60,
    help: "full handshakes of a client by its CPU, beside node:tls, subtls, @reclaimprotocol/tls and lemon-tls",
    run: async (pems) => [asMarkdown(await compareClients(pems))],
  },
  handshakes: {
    seconds: 60,
    help: "handshakes of a server over sockets, by its CPU, beside node:tls",
    run: async (pems) => (await compareHandshakes(pems, { ...usualHandshakePlan, rounds })).map(asMarkdown),
  },
  transfer: {
    seconds: 90,
    help: "data into a server over sockets, by its CPU, beside node:tls",
    run: async (pems) => (await compareTransfers(pems, { ...usualTransferPlan, rounds })).map(asMarkdown),
  },
  messages: {
    seconds: 15,
    help: "MQTT messages a second over TLS, beside aedes",
    run: async (pems) => (await compareBrokers(pems, rounds)).map(asMarkdown),
  },
  stores: {
    seconds: 60,
    help: "QoS 1 with the store in files, beside the one in memory",
    run: async (pems) => (await compareStores(pems, rounds)).map(asMarkdown),
  },
  absent: {
    seconds: 60,
    help: "one message to 10,000 sessions that are away: hold-up and heap",
    run: async () => [absentAsMarkdown(await measureAbsent())],
  },
  restart: {
    seconds: 90,
    help: "a start with 1,000,000 queued messages: seconds and memory",
    run: async () => [restartAsMarkdown(await measureRestart())],
  },
  memory: {
    seconds: 20,
    help: "memory of 1,000 idle TLS clients, beside node:tls",
    run: async (pems) => [memoryAsMarkdown(await compareMemory(pems))],
  },
  idle: {
    seconds: 90,
    help: "memory of 5,000 idle MQTT clients over TLS, beside aedes and Mosquitto",
    run: async (pems) => [idleAsMarkdown(await compareIdle(pems))],
  },
  stalled: {
    seconds: 180,
    help: "100 subscribers beside one that stops reading for a minute",
    run: async (pems) => [stalledAsMarkdown(await measureStalled(pems))],
  },
  x509: {
    seconds: 30,
    help: "parsing and validating a chain of certificates",
    run: async () => [validationAsMarkdown(compareValidation(rounds))],
  },
}
const names = Object.keys(parts)
const groupNames = checkGroups.map(({ name }) => name)

const help = `PureMQ and its peers side by side, in one run; the report goes to bench-results/report.md, progress to stderr.

  npm run bench [-- PART...]
  npm run bench -- --check [--quick] [GROUP...]
  npm run bench -- --scenario SCENARIO [--subjects A,B,...]

  PART (default: all of them)
${names.map((name) => `    ${name.padEnd(12)}${parts[name]!.help}`).join("\n")}

  --check       what is wanted of this version: a row each, with its target; GROUP: of these alone
${checkGroups.map(({ name, help: text }) => `    ${name.padEnd(12)}${text}`).join("\n")}
    --quick     a subset with fewer rounds, 4 minutes; a target that is missed is told and fails nothing (as without it)

  --scenario S  one scenario in memory: full,group=secp256r1,chain=2 or "seal 64 TLS_AES_128_GCM_SHA256", say; may be repeated
  --subjects L  of these: ${subjectNames.join(", ")}; the first is what the others are compared to
  --on R        on other runtimes, which are installed under .peers/: ${runtimeNames.join(", ")}; several with commas
  --json FILE   the figures, of each round, too
  --list        scenarios, subjects, runtimes, and how long each part takes
  --self-test   shows that the same subject twice gives 1, and that a cost that was added is seen
  --help        this text

The exit status is 1 when a measurement breaks, whatever the figures are.`

try {
  process.exitCode = await main(parseOptions(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 2
}

/** @returns the exit status */
async function main(options: Options): Promise<number> {
  if (options.help) return say(help)
  if (options.list) return say(listText())
  checkWords(options)
  if (options.on.length > 0) return onOthers(options)
  if (options.selfTest) return (await selfTest()) ? 0 : 1
  if (options.check) return check(options)
  if (options.scenarios.length > 0) return scenarios(options)
  const chosen = names.filter((name) => options.words.length === 0 || options.words.includes(name))
  planProgress(chosen.reduce((sum, name) => sum + parts[name]!.seconds, 0))
  const [pems, sections] = [developmentPems(), [] as string[]]
  for (const name of chosen) {
    beginProgress(parts[name]!.seconds)
    progress(name)
    sections.push(...(await parts[name]!.run(pems)))
  }
  report("report.md", "PureMQ and its peers, in one run", sections)
  if (options.json !== undefined) writeJson(options.json, { sections })
  return 0
}

function say(text: string): number {
  console.log(text)
  return 0
}

/** @throws UsageError */
function checkWords({ check: isCheck, words, scenarios: given, subjects }: Options): void {
  const [known, what] = isCheck ? [groupNames, "group"] : [names, "part"]
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

/** The same command on each; one that cannot be had here is told, and skipped. */
async function onOthers({ on, json }: Options): Promise<number> {
  const args = process.argv.slice(2)
  args.splice(args.indexOf("--on"), 2)
  let worst = 0
  for (const name of on) {
    // Each writes a file of its own.
    const own = args.map((argument, i) =>
      json !== undefined && args[i - 1] === "--json" ? fileFor(argument, name) : argument,
    )
    try {
      worst = Math.max(worst, await runOn(name, own))
    } catch (error) {
      console.log(`skipped  all on ${name}: ${(error as Error).message}`)
    }
  }
  return worst
}

function fileFor(file: string, name: string): string {
  return file.replace(/(\.json)?$/, `-${name}$1`)
}

async function check({ quick, words, json }: Options): Promise<number> {
  console.log(`${thisRuntime()}, ${machineText()}\n`)
  const groups = checkGroups.filter(({ name }) => words.length === 0 || words.includes(name))
  const { rows, broken } = await runCheck(groups, { pems: developmentPems(), quick })
  report("check.md", "What is wanted of this version", [tableMarkdown(rows), `${sumText(rows)}\n`])
  if (json !== undefined) {
    const judged = rows.map((row) => ("skipped" in row ? row : { ...row, verdict: verdictOn(row) }))
    writeJson(json, { rows: judged, broken })
  }
  console.log(`\nbench --check: ${sumText(rows)}${broken.length > 0 ? `; ${broken.length} broken` : ""}`)
  return broken.length > 0 ? 1 : 0
}

async function scenarios({ scenarios: given, subjects, json }: Options): Promise<number> {
  const works = given.map(parseWork)
  planProgress(works.reduce((sum, work) => sum + secondsOf(work), 0))
  const comparisons: Comparison[] = []
  for (const work of works) {
    beginProgress(secondsOf(work))
    comparisons.push(await compareInMemory(work, subjects.length > 0 ? (subjects as SubjectName[]) : subjectNames))
  }
  if (json !== undefined) writeJson(json, { comparisons })
  return 0
}

function listText(): string {
  const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join("\n")
  const groups = checkGroups.map(
    ({ name, seconds }) =>
      `${name.padEnd(12)}${durationText(seconds.whole).padStart(7)}, quick ${durationText(seconds.quick)}`,
  )
  return [
    "scenarios in memory",
    indented([...handshakeScenarios, ...recordScenarios, ...hashScenarios]),
    "subjects in memory",
    indented(subjectNames),
    "peers over sockets, where they are installed",
    indented([
      "node:tls (OpenSSL)",
      "aedes on node:tls",
      "mosquitto",
      ...Object.values(otherClients).map(({ package: name }) => name),
    ]),
    "runtimes (--on)",
    indented(runtimeNames),
    "parts, and how long each takes",
    indented(names.map((name) => `${name.padEnd(12)}${durationText(parts[name]!.seconds).padStart(7)}`)),
    "groups of --check, and how long each takes",
    indented(groups),
  ].join("\n")
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

function machineText(): string {
  return `${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}, load ${loadavg()[0]!.toFixed(1)}`
}

function report(file: string, title: string, sections: readonly string[]): void {
  const head = [
    `# ${title}`,
    "",
    `${thisRuntime()}, ${machineText()}.`,
    "Ratios are within a round, to the first line of each table; quartiles over the rounds. Where the unit is a rate, higher is faster; where it is a time (µs CPU), lower is.",
    "",
  ]
  mkdirSync("bench-results", { recursive: true })
  writeFileSync(`bench-results/${file}`, [...head, ...sections].join("\n"))
  console.log(`\nreport: bench-results/${file}`)
}

function writeJson(file: string, figures: object): void {
  const data = { runtime: thisRuntime(), machine: machineText(), at: new Date().toISOString(), ...figures }
  writeFileSync(file, `${JSON.stringify(data, null, 2)}\n`)
}
