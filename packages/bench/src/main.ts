// `npm run bench`: PureMQ and its peers side by side, in one run. `npm run bench -- WORD ...` runs the named parts only.

import { mkdirSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import type { Pems } from "./contestants.ts"
import { compareHandshakes } from "./handshakes.ts"
import { asMarkdown, type Comparison } from "./measure.ts"
import { compareMemory, memoryAsMarkdown } from "./memory.ts"
import { compareBrokers, compareStores } from "./messages.ts"
import { compareTransfers } from "./transfer.ts"
import { compareValidation, validationAsMarkdown } from "./x509.ts"

const rounds = 7
const parts = ["handshakes", "transfer", "messages", "stores", "memory", "x509"]

const help = `PureMQ and its peers side by side, in one run; the report goes to bench-results/report.md.

  npm run bench [-- PART...]

  PART      one of ${parts.join(", ")} (default: all of them)
  --help    this text`

const wanted = process.argv.slice(2)
if (wanted.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const unknown = wanted.find((word) => !parts.includes(word))
if (unknown !== undefined) {
  const what = unknown.startsWith("-") ? `unknown option ${unknown}` : `no part ${JSON.stringify(unknown)}`
  console.error(`bench: ${what}; the parts are ${parts.join(", ")}`)
  process.exit(2)
}
const runs = (part: string) => wanted.length === 0 || wanted.includes(part)

const pems = developmentPems()
const comparisons: readonly Comparison[] = [
  ...(runs("handshakes") ? await compareHandshakes(pems, rounds) : []),
  ...(runs("transfer") ? await compareTransfers(pems, rounds) : []),
  ...(runs("messages") ? await compareBrokers(pems, rounds) : []),
  ...(runs("stores") ? [await compareStores(pems, rounds)] : []),
]
const memory = runs("memory") ? await compareMemory(pems) : []
const validation = runs("x509") ? compareValidation(rounds) : []
report()

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

function report(): void {
  const head = [
    "# PureMQ and its peers, in one run",
    "",
    `Node.js ${process.version} (OpenSSL ${process.versions.openssl}), ${process.platform} ${process.arch}, ${cpus().length} x ${cpus()[0]?.model ?? "?"}.`,
    "Ratios are within a round, to the first line of each table; quartiles over the rounds. Higher is faster.",
    "",
  ]
  mkdirSync("bench-results", { recursive: true })
  const text = [
    ...head,
    ...comparisons.map(asMarkdown),
    ...(memory.length > 0 ? [memoryAsMarkdown(memory)] : []),
    ...(validation.length > 0 ? [validationAsMarkdown(validation)] : []),
  ].join("\n")
  writeFileSync("bench-results/report.md", text)
  console.log("\nreport: bench-results/report.md")
}
