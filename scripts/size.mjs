// What each entry point of @puremq/tls13 costs a program that imports all of it: bundled and minified by esbuild, then gzip.
// Fails when one is over its budget in size-budget.json (bytes of gzip). `npm run size -- --update` sets the budgets anew,
// 5% above what is measured: a change of that file shows in review what a change of the code costs.

import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"

const packageFolder = fileURLToPath(new URL("../packages/tls13", import.meta.url))
const budgetFile = fileURLToPath(new URL("size-budget.json", import.meta.url))

const client = 'export { ClientConnection, createClientConfig } from "."'
/** Programs of devices, that take one suite and one group at most: each is a module's text. */
const programs = {
  "client core without a provider": client,
  "PSK client with noble": `${client}
    export { TLS_CHACHA20_POLY1305_SHA256, x25519 } from "./crypto/noble"`,
  "certificate client without a provider": `${client}
    export { createCertificateVerifier, trustStoreFromPem } from "./x509"`,
}

const help = `What each entry point of @puremq/tls13 costs a program, against the budgets of scripts/size-budget.json.

  npm run size [-- --update | --json]

  --update    set the budgets anew, 5% above what is measured
  --json      the figures as JSON
  --help      this text

The exit status is 1 when an entry point is over its budget.`

if (process.argv.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const update = process.argv.includes("--update")
const json = process.argv.includes("--json")
const unknown = process.argv.slice(2).find((argument) => argument !== "--update" && argument !== "--json")
if (unknown !== undefined) {
  console.error(`size: unknown option ${unknown}; see --help`)
  process.exit(2)
}

const budgets = JSON.parse(readFileSync(budgetFile, "utf8"))
const problems = []
const entries = entryTargets()
const sizes = await measureAll()
const programSizes = await measurePrograms()
if (!update) compare(sizes)
if (json)
  console.log(JSON.stringify({ entries: Object.fromEntries(sizes), programs: Object.fromEntries(programSizes) }))
else print(sizes)
if (update) writeFileSync(budgetFile, `${JSON.stringify(newBudgets(sizes), null, 2)}\n`)
for (const problem of problems) console.error(`size: ${problem}`)
if (problems.length > 0) process.exitCode = 1

/** Built file by entry. */
function entryTargets() {
  const { exports } = JSON.parse(readFileSync(`${packageFolder}/package.json`, "utf8"))
  return Object.entries(exports).flatMap(([entry, target]) =>
    typeof target === "object" ? [[entry, target.default]] : [],
  )
}

async function measureAll() {
  const sizes = new Map()
  for (const [entry, file] of entries) {
    if (existsSync(`${packageFolder}/${file}`)) sizes.set(entry, await measure({ entryPoints: [file] }))
    else problems.push(`${entry} leads to ${file}, which the build did not make`)
  }
  return sizes
}

async function measurePrograms() {
  const files = new Map(entries)
  const sizes = new Map()
  for (const [name, text] of Object.entries(programs)) {
    const contents = text.replace(/from "(.*?)"/g, (_, entry) => `from "${files.get(entry)}"`)
    sizes.set(name, await measure({ stdin: { contents, resolveDir: packageFolder } }))
  }
  return sizes
}

async function measure(what) {
  const { outputFiles } = await build({
    absWorkingDir: packageFolder,
    ...what,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["node:*", "cloudflare:*", "bun", "bun:*"],
    write: false,
    logLevel: "warning",
  })
  const bytes = outputFiles[0].contents
  return { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

function compare(sizes) {
  for (const [entry, { gzip }] of sizes) {
    const budget = budgets[entry]
    if (budget === undefined) problems.push(`${entry} has no budget: run npm run size -- --update`)
    else if (gzip > budget) problems.push(`${entry} has ${gzip} bytes, ${gzip - budget} over its budget of ${budget}`)
  }
  for (const entry of Object.keys(budgets)) {
    if (!sizes.has(entry)) problems.push(`${entry} has a budget but is no entry point`)
  }
}

function newBudgets(sizes) {
  return Object.fromEntries([...sizes].map(([entry, { gzip }]) => [entry, Math.ceil((gzip * 1.05) / 100) * 100]))
}

function print(sizes) {
  const row = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(10))).join(""))
  row("entry point", "minified", "gzip", "budget")
  for (const [entry, { minified, gzip }] of sizes) {
    row(entry, String(minified), String(gzip), String((update ? newBudgets(sizes) : budgets)[entry] ?? "none"))
  }
  console.log("")
  for (const [name, { minified, gzip }] of programSizes) {
    console.log(`${name.padEnd(40)}${String(minified).padStart(10)}${String(gzip).padStart(10)}`)
  }
}
