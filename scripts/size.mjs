// What each entry point of @puremq/tls13 costs a program that imports all of it, what the programs of scripts/size cost, which
// import what they use, and what the explorer's page costs: bundled and minified by esbuild, then gzip. Fails when one is over its
// budget in size-budget.json (bytes of gzip). `npm run size -- --update` sets the budgets anew, 5% above what is measured, but for
// those that are goals: a change of that file shows in review what a change of the code costs.

import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { build } from "esbuild"
import { bundlePage } from "../packages/explorer/build/bundle.mjs"

const packageFolder = fileURLToPath(new URL("../packages/tls13", import.meta.url))
const programFolder = fileURLToPath(new URL("size", import.meta.url))
const budgetFile = fileURLToPath(new URL("size-budget.json", import.meta.url))

/**
 * 1% above what a client had before there were Encrypted Client Hello, post-quantum certificates, delegated credentials, timestamps
 * of logs and the curves of crypto/more: who does not use them does not carry them. Bytes of gzip.
 */
const onePercentAbove = (bytes) => Math.floor(bytes * 1.01)

/** Programs of scripts/size; a goal, in bytes of gzip, stays whatever is measured. */
const programs = {
  "client core without a provider": { file: "client-core.mjs", goal: 20_000 },
  "server core without a provider": { file: "server-core.mjs" },
  "PSK client with noble": { file: "psk-client.mjs", goal: onePercentAbove(31_232) },
  "certificate client without a provider": { file: "path-client-core.mjs", goal: onePercentAbove(46_237) },
  "client with noble that knows its server's key": { file: "certificate-client.mjs", goal: onePercentAbove(42_251) },
  "certificate client with noble": { file: "path-client.mjs", goal: onePercentAbove(65_985) },
  "small client": { file: "small-client.mjs", goal: onePercentAbove(32_113) },
  "MQTT broker for any engine": { file: "broker-core.mjs" },
  "MQTT client for any engine": { file: "mqtt-client.mjs" },
}

const help = `What each entry point of @puremq/tls13 and some programs cost, against the budgets of scripts/size-budget.json.

  npm run size [-- --update | --json]

  --update    set the budgets anew, 5% above what is measured; goals stay
  --json      the figures as JSON
  --help      this text

The exit status is 1 when one is over its budget.`

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

/** The page of packages/explorer, all of its files: under this many bytes of gzip, whatever is measured. */
const pageBudget = 400_000

const budgets = JSON.parse(readFileSync(budgetFile, "utf8"))
const problems = []
const sizes = await measureAll()
if (!update) compare(sizes)
if (json) console.log(JSON.stringify(asData(sizes)))
else {
  print(sizes)
  await printSmall()
}
if (update) writeFileSync(budgetFile, `${JSON.stringify(newBudgets(sizes), null, 2)}\n`)
for (const problem of problems) console.error(`size: ${problem}`)
if (problems.length > 0) process.exitCode = 1

async function measureAll() {
  const { exports } = JSON.parse(readFileSync(`${packageFolder}/package.json`, "utf8"))
  const sizes = new Map()
  for (const [entry, target] of Object.entries(exports)) {
    if (typeof target !== "object") continue
    if (existsSync(`${packageFolder}/${target.default}`)) sizes.set(entry, await measure(target.default))
    else problems.push(`${entry} leads to ${target.default}, which the build did not make`)
  }
  for (const [name, { file }] of Object.entries(programs)) sizes.set(name, await measure(join(programFolder, file)))
  sizes.set("explorer page", await measurePage())
  return sizes
}

/** As `npm run explorer -- --build` leaves it: each file as a server sends it. */
async function measurePage() {
  const folder = mkdtempSync(join(tmpdir(), "puremq-page-"))
  try {
    await bundlePage(folder)
    const files = readdirSync(folder).map((name) => readFileSync(join(folder, name)))
    const sum = (size) => files.reduce((total, file) => total + size(file), 0)
    return { minified: sum((file) => file.length), gzip: sum((file) => gzipSync(file, { level: 9 }).length) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function bundle(file) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: packageFolder,
    metafile: true,
    entryPoints: [file],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    external: ["node:*", "cloudflare:*", "bun", "bun:*"],
    write: false,
    logLevel: "warning",
  })
  const [output] = Object.values(metafile.outputs)
  const carries = (part) =>
    Object.entries(output.inputs).some(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes(part))
  return { bytes: outputFiles[0].contents, carriesFast: carries("parts/fast.js") }
}

async function measure(file) {
  const { bytes, carriesFast } = await bundle(file)
  // The kernels are for who imports `fast`.
  if (carriesFast && file.startsWith(programFolder)) problems.push(`${file} carries crypto/fast`)
  return { minified: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

/** What the small client needs in the long run: told, not judged. */
async function smallFigures() {
  const folder = mkdtempSync(join(tmpdir(), "puremq-size-"))
  try {
    const file = join(folder, "small-client.mjs")
    writeFileSync(file, (await bundle(join(programFolder, "small-client.mjs"))).bytes)
    const args = ["--expose-gc", join(programFolder, "run-small.mjs"), file]
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: "utf8" })
    if (status !== 0) throw new Error(`the small client fails: ${stderr}`)
    return JSON.parse(stdout)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function compare(sizes) {
  for (const [entry, { gzip }] of sizes) {
    const budget = budgets[entry]
    if (budget === undefined) problems.push(`${entry} has no budget: run npm run size -- --update`)
    else if (gzip > budget) problems.push(`${entry} has ${gzip} bytes, ${gzip - budget} over its budget of ${budget}`)
  }
  for (const entry of Object.keys(budgets)) {
    if (!sizes.has(entry)) problems.push(`${entry} has a budget but is no entry point and no program`)
  }
}

function newBudgets(sizes) {
  const goal = (entry) => (entry === "explorer page" ? pageBudget : programs[entry]?.goal)
  const budget = (entry, gzip) => goal(entry) ?? Math.ceil((gzip * 1.05) / 100) * 100
  return Object.fromEntries([...sizes].map(([entry, { gzip }]) => [entry, budget(entry, gzip)]))
}

function print(sizes) {
  const row = (...cells) =>
    console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(48) : cell.padStart(10))).join(""))
  row("entry point, program", "minified", "gzip", "budget")
  for (const [entry, { minified, gzip }] of sizes) {
    row(entry, String(minified), String(gzip), String((update ? newBudgets(sizes) : budgets)[entry] ?? "none"))
  }
}

async function printSmall() {
  const { first, median, retained } = await smallFigures()
  const times = `first handshake ${first.toFixed(1)} ms of CPU time, then ${median.toFixed(1)} ms`
  console.log(`small client: ${times}; ${Math.round(retained)} bytes of heap a connection`)
}

function asData(sizes) {
  const isProgram = (name) => Object.hasOwn(programs, name) || name === "explorer page"
  const some = (wanted) => Object.fromEntries([...sizes].filter(([name]) => isProgram(name) === wanted))
  return { entries: some(false), programs: some(true) }
}
