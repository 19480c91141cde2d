// The packed and installed packages in every runtime: one suite, unchanged, and what each runtime has of its own. `--help` tells more.

import { mkdirSync, rmSync } from "node:fs"
import { cpus } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"
import { chromium } from "./hosts/chromium.mjs"
import { programs } from "./hosts/programs.mjs"
import { engines } from "./hosts/quickjs.mjs"
import { workerd } from "./hosts/workerd.mjs"
import { installedVersion, installPacked } from "./packed.mjs"
import { startPeer } from "./peer.mjs"
import { asMarkdown, asText, tableOf, writeInto } from "./table.mjs"

const page = join(dirname(fileURLToPath(import.meta.url)), "../docs/runtimes.md")
const columns = [...programs, workerd, chromium, ...engines]
const names = columns.map(({ name }) => name)

const help = `The packed and installed packages in other runtimes, which are installed from npm under .peers/.

  npm run runtimes [-- RUNTIME... --write]

  RUNTIME   one of ${names.join(", ")} (default: all of them)
  --write   keep the table in docs/runtimes.md
  --help    this text

What is not installed and cannot be is skipped. The exit status is 1 when something fails.`

const options = process.argv.slice(2)
if (options.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const wanted = options.filter((each) => each !== "--write")
const unknown = wanted.find((each) => !names.includes(each))
if (unknown !== undefined) {
  const what = unknown.startsWith("-") ? "option" : "runtime"
  console.error(`runtimes: unknown ${what} ${unknown}; the runtimes are ${names.join(", ")}`)
  process.exit(2)
}
const chosen = wanted.length === 0 ? columns : columns.filter(({ name }) => wanted.includes(name))
if (options.includes("--write") && chosen !== columns) {
  console.error("runtimes: --write keeps the table of all runtimes: name none")
  process.exit(2)
}

try {
  process.exitCode = (await main()) > 0 ? 1 : 0
} catch (error) {
  console.error(`runtimes: ${error instanceof Error ? error.message : error}`)
  process.exitCode = 1
}

async function main() {
  const folder = await installPacked()
  const peer = await startPeer(folder)
  try {
    const { scenarios } = await import(pathToFileURL(join(folder, "suite/scenarios.js")).href)
    const scratch = join(folder, "scratch")
    mkdirSync(scratch)
    const world = { folder, scratch, setting: peer.setting }
    const suite = scenarios.map(({ name }) => name)
    const reasons = await Promise.all(chosen.map((column) => column.prepare()))
    const results = []
    const work = async (column) => {
      const at = chosen.indexOf(column)
      results[at] = await resultOf(column, reasons[at], world, suite)
      tell(results[at])
    }
    // Two at a time: the engines that interpret take as long as all the others.
    const slow = chosen.filter((column) => engines.includes(column))
    const quick = chosen.filter((column) => !engines.includes(column))
    await Promise.all(
      [slow, quick].map((line) => line.reduce((before, column) => before.then(() => work(column)), Promise.resolve())),
    )
    const rows = [...suite, ...new Set(chosen.flatMap(({ checks }) => Object.keys(checks)))]
    const table = tableOf(rows, results)
    console.log(`\n${asText(table)}\n`)
    if (options.includes("--write")) writeInto(page, pageText(table, results, folder))
    return summary(results)
  } finally {
    peer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The suite and the checks of a runtime. */
async function resultOf(column, why, world, suite) {
  const { title, version, checks } = column
  const cells = new Map()
  if (why !== undefined) return { title, version, why, cells, lines: [] }
  const lines = []
  let memory
  try {
    for (const result of await column.run(world, suite)) {
      if (result.memory === undefined) cells.set(result.name, result)
      else memory = result.memory
    }
    const missing = suite.filter((name) => !cells.has(name))
    for (const name of missing) cells.set(name, { error: "it did not run" })
  } catch (error) {
    for (const name of suite) cells.set(name, { error: error.message })
  }
  for (const [name, check] of Object.entries(checks)) {
    try {
      for (const line of await check(world)) lines.push({ name, line })
      cells.set(name, {})
    } catch (error) {
      cells.set(name, { error: error.message })
    }
  }
  return { title, version: column.version, memory, cells, lines }
}

function tell({ title, version, why, cells, lines }) {
  console.log(`\n== ${title} ${version ?? ""}`)
  if (why !== undefined) return console.log(`  skipped: ${why}`)
  const notes = new Set([...cells].filter(([, { note }]) => note).map(([name, { note }]) => `${name}: ${note}`))
  for (const note of notes) console.log(`  ${note}`)
  for (const { name, line } of lines) console.log(`  ${name}: ${line}`)
  for (const [name, { error }] of cells) if (error !== undefined) console.log(`  FAILED  ${name}: ${error}`)
}

/** @returns how many failed */
function summary(results) {
  const cells = results.flatMap((result) => [...result.cells.values()])
  const failed = cells.filter(({ error }) => error !== undefined).length
  const skipped = results.filter(({ why }) => why !== undefined).length
  const skips = skipped > 0 ? `, ${skipped} skipped` : ""
  console.log(`runtimes: ${cells.length - failed} passed, ${failed} failed${skips}`)
  return failed
}

function pageText(table, results, folder) {
  const packages = ["@puremq/tls13", "@puremq/broker"].map((name) => `\`${name}\` ${installedVersion(folder, name)}`)
  const machine = `${cpus().length} cores of ${cpus()[0]?.model.trim() ?? "an unknown processor"}`
  const small = results.flatMap(({ title, lines }) =>
    lines
      .filter(({ name }) => name === "small profile" || name === "sensor at a broker")
      .map(({ line }) => `- ${title}, ${line}.`),
  )
  return [
    `${packages.join(" and ")} on ${machine}.`,
    asMarkdown(table),
    ...(small.length > 0 ? [small.join("\n")] : []),
  ].join("\n\n")
}
