// npm run release -- --dry-run: all that is looked at before the packages go to the registries, and what would go there. With
// --publish it goes. Plain JavaScript, as scripts/run.mjs, which builds before.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runExamples } from "./examples.mjs"
import { assembleForJsr, tryJsrSources } from "./jsr.mjs"
import { changesOf, packages, refusals, unfit } from "./packages.mjs"
import { installTarballs, pack } from "./project.mjs"
import { Skipped } from "./run.mjs"
import { runtimes, tool } from "./tools.mjs"
import { compileAsStranger } from "./types.mjs"

const help = `Tries the packages as a stranger would have them, and publishes them.

  npm run release -- --dry-run    tries all, and prints what would be published
  npm run release -- --publish    tries all, and publishes when nothing failed and nothing was skipped
  --help                          this text

A tree with changes, a version without an entry in CHANGELOG.md and versions that differ are refused. What cannot be installed
here (publint, knip, a runtime ...) is skipped, and counted. The exit status is 1 when a check fails.`

const known = ["--dry-run", "--publish", "--help"]
const given = process.argv.slice(2)
const unknown = given.find((each) => !known.includes(each))
if (unknown !== undefined)
  stop(`unknown ${unknown.startsWith("-") ? "option" : "word"} ${unknown}; see "npm run release -- --help"`)
if (given.includes("--help")) {
  console.log(help)
  process.exit(0)
}
const publishes = given.includes("--publish")
if (publishes === given.includes("--dry-run")) stop('one of --dry-run and --publish; see "npm run release -- --help"')

const count = { passed: 0, failed: 0, skipped: 0 }
const folder = mkdtempSync(join(tmpdir(), "puremq-release-"))
try {
  await release()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ""
console.log(`\nrelease: ${count.passed} passed, ${count.failed} failed${skipped}`)
process.exitCode = count.failed > 0 ? 1 : 0

async function release() {
  for (const [title, find] of refusals) await step(title, find)
  if (publishes) await step("what a registry wants of a package", unfit)
  // What is tried below would not be what is published.
  if (count.failed > 0) return

  const tarballs = []
  for (const each of packages) await step(`npm pack ${each.name}`, async () => tarballs.push(await pack(each, folder)))
  if (count.failed > 0) return
  await Promise.all([look(tarballs), tryOut(tarballs)])
  await publish(tarballs)
}

/** Where a package is assembled for JSR. */
function jsrFolder(name) {
  return join(folder, "jsr", name.split("/").at(-1))
}

/** What is in them. */
async function look(tarballs) {
  for (const { name, file } of tarballs) {
    await step(`publint ${name}`, () => tool("publint", ["run", file, "--strict"]))
    await step(`attw ${name}`, () => tool("attw", [file, "--profile", "esm-only", "--format", "ascii"]))
  }
  await step("knip: nothing that nobody uses", () => tool("knip", ["--reporter", "compact"]))
}

/** What they do. */
async function tryOut(tarballs) {
  const project = join(folder, "project")
  const isInstalled = await step("npm install, into an empty project", () => installTarballs(tarballs, project))
  if (isInstalled) {
    await compileAsStranger(project, step)
    for (const runtime of await runtimes()) await runExamples(runtime, project, step)
  }
  for (const { name, folder: described } of packages) {
    const tarball = tarballs.find((each) => each.name === name)
    const title = `deno publish --dry-run ${name}, without slow types`
    if (!(await step(title, () => assembleForJsr(tarball, described, jsrFolder(name))))) continue
    await step(`an example of ${name} on the sources for JSR, by Deno`, () => tryJsrSources(jsrFolder(name)))
  }
}

/** Runs a check, which throws why it fails. Resolves with whether it passed. */
async function step(title, check) {
  const begin = performance.now()
  try {
    await check()
    count.passed++
    console.log(`  ok  ${title} (${((performance.now() - begin) / 1000).toFixed(1)} s)`)
    return true
  } catch (error) {
    if (error instanceof Skipped) {
      count.skipped++
      console.log(`  skipped  ${title}: ${error.message}`)
    } else {
      count.failed++
      console.log(`FAILED  ${title}: ${error instanceof Error ? error.message : error}`)
    }
    return false
  }
}

async function publish(tarballs) {
  const commands = [
    ...tarballs.map(({ file }) => ["npm", ["publish", file, "--provenance", "--access", "public"], folder]),
    ...tarballs.map(({ name }) => ["deno", ["publish"], jsrFolder(name)]),
  ]
  const title = publishes ? "\n== published" : "\n== this would be published"
  console.log(title)
  for (const { name, version, files, bytes } of tarballs)
    console.log(`  ${name} ${version}: ${files} files, ${bytes} bytes`)
  if (publishes && count.failed + count.skipped > 0) {
    await step("publishing", () => {
      throw new Error("nothing is published: some checks have failed or were skipped")
    })
    return
  }
  for (const [program, args, cwd] of commands) {
    const where = cwd === folder ? "" : `, in ${cwd}`
    const line = `${program} ${args.join(" ")}${where}`.replaceAll(`${folder}/`, "")
    if (!publishes) console.log(`  ${line}`)
    // What follows needs what went before.
    else if (!(await step(line, () => tool(program, args, { cwd })))) return
  }
  console.log(`\n${changesOf(tarballs[0].version)}`)
}

function stop(message) {
  console.error(`release: ${message}`)
  process.exit(2)
}
