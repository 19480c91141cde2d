// `npm run bench`: PureMQ and its peers side by side, in one run. `npm run bench -- WORD ...` runs the named parts only.

import { mkdirSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { absentAsMarkdown, measureAbsent } from "./absent.ts"
import type { Pems } from "./contestants.ts"
import { compareHandshakes, usualHandshakePlan } from "./handshakes.ts"
import { compareIdle, idleAsMarkdown } from "./idle.ts"
import { asMarkdown } from "./measure.ts"
import { compareMemory, memoryAsMarkdown } from "./memory.ts"
import { compareBrokers } from "./messages.ts"
import { progress } from "./progress.ts"
import { measureRestart, restartAsMarkdown } from "./restart.ts"
import { measureStalled, stalledAsMarkdown } from "./stalled.ts"
import { compareStores } from "./stores.ts"
import { compareTransfers, usualTransferPlan } from "./transfer.ts"
import { compareValidation, validationAsMarkdown } from "./x509.ts"

const rounds = 7

/** What it is, for --help, and what runs it: the sections of the report. */
interface Part {
  readonly help: string
  run(pems: Pems): Promise<readonly string[]>
}

const parts: Readonly<Record<string, Part>> = {
  handshakes: {
    help: "TLS handshakes a second, beside node:tls",
    run: async (pems) => (await compareHandshakes(pems, { ...usualHandshakePlan, rounds })).map(asMarkdown),
  },
  transfer: {
    help: "TLS records, beside node:tls",
    run: async (pems) => (await compareTransfers(pems, { ...usualTransferPlan, rounds })).map(asMarkdown),
  },
  messages: {
    help: "MQTT messages a second over TLS, beside aedes",
    run: async (pems) => (await compareBrokers(pems, rounds)).map(asMarkdown),
  },
  stores: {
    help: "QoS 1 with the store in files, beside the one in memory",
    run: async (pems) => (await compareStores(pems, rounds)).map(asMarkdown),
  },
  absent: {
    help: "one message to 10,000 sessions that are away: hold-up and heap",
    run: async () => [absentAsMarkdown(await measureAbsent())],
  },
  restart: {
    help: "a start with 1,000,000 queued messages: seconds and memory",
    run: async () => [restartAsMarkdown(await measureRestart())],
  },
  memory: {
    help: "memory of 1,000 idle TLS clients, beside node:tls",
    run: async (pems) => [memoryAsMarkdown(await compareMemory(pems))],
  },
  idle: {
    help: "memory of 5,000 idle MQTT clients over TLS, beside aedes and Mosquitto",
    run: async (pems) => [idleAsMarkdown(await compareIdle(pems))],
  },
  stalled: {
    help: "100 subscribers beside one that stops reading for a minute",
    run: async (pems) => [stalledAsMarkdown(await measureStalled(pems))],
  },
  x509: {
    help: "parsing and validating a chain of certificates",
    run: async () => [validationAsMarkdown(compareValidation(rounds))],
  },
}
const names = Object.keys(parts)

const help = `PureMQ and its peers side by side, in one run; the report goes to bench-results/report.md, progress to stderr.

  npm run bench [-- PART...]

  PART (default: all of them)
${names.map((name) => `    ${name.padEnd(12)}${parts[name]!.help}`).join("\n")}
  --help        this text`

const wanted = process.argv.slice(2)
if (wanted.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const unknown = wanted.find((word) => !names.includes(word))
if (unknown !== undefined) {
  const what = unknown.startsWith("-") ? `unknown option ${unknown}` : `no part ${JSON.stringify(unknown)}`
  console.error(`bench: ${what}; the parts are ${names.join(", ")}`)
  process.exit(2)
}

const pems = developmentPems()
report(await run(names.filter((name) => wanted.length === 0 || wanted.includes(name))))

async function run(chosen: readonly string[]): Promise<readonly string[]> {
  const sections: string[] = []
  for (const name of chosen) {
    progress(name)
    sections.push(...(await parts[name]!.run(pems)))
  }
  return sections
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

function report(sections: readonly string[]): void {
  const head = [
    "# PureMQ and its peers, in one run",
    "",
    `Node.js ${process.version} (OpenSSL ${process.versions.openssl}), ${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}.`,
    "Ratios are within a round, to the first line of each table; quartiles over the rounds. Higher is faster.",
    "",
  ]
  mkdirSync("bench-results", { recursive: true })
  writeFileSync("bench-results/report.md", [...head, ...sections].join("\n"))
  console.log("\nreport: bench-results/report.md")
}
