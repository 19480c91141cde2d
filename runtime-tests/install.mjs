// Other runtimes, installed from npm beside the project: under .peers/, which git ignores.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export const versions = { deno: "2.9.6", bun: "1.4.5", workerd: "1.20261117.1" }
export const peers = join(dirname(fileURLToPath(import.meta.url)), "../.peers/runtimes")

/** The command of a runtime that is installed. */
export const commandOf = (name) => join(peers, "node_modules/.bin", name)

/** Installs those of `names` that are missing. Returns why that was impossible, or undefined. */
export function installRuntimes(names) {
  const missing = names.filter((name) => !existsSync(join(peers, "node_modules", name)))
  if (missing.length === 0) return undefined
  mkdirSync(peers, { recursive: true })
  if (!existsSync(join(peers, "package.json"))) writeFileSync(join(peers, "package.json"), '{ "private": true }\n')
  console.log(`installing ${missing.join(", ")} under .peers/`)
  const packages = missing.map((name) => `${name}@${versions[name]}`)
  const { status, stderr, error } = spawnSync(
    "npm",
    ["install", "--no-audit", "--no-fund", "--loglevel=error", ...packages],
    { cwd: peers, encoding: "utf8", stdio: ["ignore", "inherit", "pipe"] },
  )
  if (status === 0) return undefined
  const said = (error?.message ?? stderr).split("\n").find((line) => line.trim() !== "")
  return `npm install failed: ${said ?? `status ${status}`}`
}
