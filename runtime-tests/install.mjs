// Other runtimes, installed from npm beside the project: each in a folder of its own under .peers/, which git ignores.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const here = dirname(fileURLToPath(import.meta.url))
const peers = join(here, "../.peers/runtimes")
/** Of each runtime the packages that it is, in their versions. */
const packages = JSON.parse(readFileSync(join(here, "versions.json"), "utf8"))

/** The version of a runtime that is installed: that of its last package. */
export const versionOf = (name) => Object.values(packages[name]).at(-1)

/** Where a runtime is installed. */
export const folderOf = (name) =>
  join(peers, Object.entries(packages[name]).at(-1).join("-").replaceAll("/", "-").replace("@", ""))

/** The command of a runtime that is installed. @param command its name, where it is not the runtime's */
export const commandOf = (name, command = name) => join(folderOf(name), "node_modules/.bin", command)

/** Installs a runtime that is missing. Resolves with why that was impossible, or undefined. */
export async function installRuntime(name) {
  const folder = folderOf(name)
  if (existsSync(folder)) return undefined
  console.log(`installing ${name} ${versionOf(name)} under .peers/`)
  // What was begun and not finished is begun anew.
  const half = `${folder}.half`
  rmSync(half, { recursive: true, force: true })
  mkdirSync(half, { recursive: true })
  writeFileSync(join(half, "package.json"), `${JSON.stringify({ private: true, dependencies: packages[name] })}\n`)
  const refused = await npm(["install"], half)
  if (refused === undefined) renameSync(half, folder)
  return refused
}

/** Runs npm in a folder. Resolves with why it failed, or undefined. */
export async function npm(args, folder) {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
  const child = spawn("npm", [...args, ...quiet], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 240_000,
  })
  let said = ""
  child.stderr.on("data", (data) => {
    said += data
  })
  const [status] = await once(child, "close").catch((error) => [error.message])
  if (status === 0) return undefined
  const line = said.split("\n").find((each) => each.trim() !== "")
  return `npm ${args[0]} failed: ${line ?? `status ${status}`}`
}

/**
 * The program of a runtime, which is installed when it is missing; of the Node.js that runs this, that one.
 * @returns {Promise<{ program: string } | { refused: string }>} `refused`: why that was impossible
 */
export async function programOf(name) {
  const major = /^node(\d+)$/.exec(name)?.[1]
  const isThis = process.versions.bun === undefined && process.versions.node.split(".")[0] === major
  if (isThis) return { program: process.execPath }
  const refused = await installRuntime(name)
  return refused === undefined ? { program: commandOf(name, major === undefined ? name : "node") } : { refused }
}
