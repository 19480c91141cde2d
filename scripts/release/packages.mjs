// What is published, and what is refused before anything is tried.

import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root, run, Skipped } from "./run.mjs"

const read = (path) => readFileSync(join(root, path), "utf8")
const describe = (folder) => ({ folder, ...JSON.parse(read(`${folder}/package.json`)) })

/** In the order in which they are published: each needs those before it. */
export const packages = [describe("packages/tls13"), describe("packages/broker")]

/** Checks of the tree, by what they want. */
export const refusals = [
  ["no change in the tree that is not committed", refuseChanges],
  ["one version for all", refuseOtherVersions],
  ["an entry in CHANGELOG.md", () => void changesOf(packages[0].version)],
]

async function refuseChanges() {
  if (!existsSync(join(root, ".git"))) throw new Skipped("this is no checkout of git")
  const status = await run("git", ["status", "--porcelain"]).catch((error) => {
    throw new Skipped(error.message.split("\n").slice(0, 2).join(" "))
  })
  const changes = status.split("\n").filter((line) => line !== "")
  if (changes.length === 0) return
  const names = changes.map((line) => line.slice(3))
  const more = names.length > 3 ? ` and ${names.length - 3} more` : ""
  throw new Error(`${names.slice(0, 3).join(", ")}${more} not committed: commit or put away what is changed`)
}

function refuseOtherVersions() {
  const [{ version }] = packages
  const places = packages.flatMap(({ folder, version, dependencies }) => [
    [`${folder}/package.json`, version],
    ...packages
      .filter(({ name }) => dependencies[name] !== undefined)
      .map(({ name }) => [`${folder}/package.json, ${name}`, dependencies[name]]),
  ])
  for (const { folder } of packages) places.push([`${folder}/jsr.json`, JSON.parse(read(`${folder}/jsr.json`)).version])
  const other = places.find((each) => each[1] !== version)
  if (other !== undefined) throw new Error(`${other[0]} has ${other[1]}, ${places[0][0]} has ${version}`)
}

/** The entry of a version. @throws Error */
export function changesOf(version) {
  const entries = read("CHANGELOG.md").split(/^(?=## )/m)
  const entry = entries.find((each) => each.startsWith(`## [${version}]`))
  if (entry === undefined) throw new Error(`CHANGELOG.md has no entry "## [${version}] - DATE": say there what is new`)
  return entry.trim()
}

/** @throws Error for what a dry run can do without */
export function unfit() {
  const [title] = changesOf(packages[0].version).split("\n")
  if (!/ - \d{4}-\d\d-\d\d$/.test(title)) throw new Error(`CHANGELOG.md: "${title}" has no date`)
  for (const { folder, repository, publishConfig } of packages) {
    // npm compares it with where the program runs that publishes.
    if (repository?.url === undefined)
      throw new Error(`${folder}/package.json has no "repository": provenance needs it`)
    if (publishConfig?.provenance !== true)
      throw new Error(`${folder}/package.json: "publishConfig" asks for no provenance`)
  }
}
