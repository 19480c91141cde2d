// Other versions of Node.js, installed from npm beside the project: under .peers/, which git ignores.

import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const versions = { 20: "20.20.2", 26: "26.10.0" }
const peers = fileURLToPath(new URL("../../../.peers/", import.meta.url))

/**
 * The program of Node.js with that major version: this one, or one that is installed when it is missing.
 * @returns {{ program: string } | { refused: string }} `refused`: why that was impossible
 */
export function nodeOf(major) {
  if (process.versions.bun === undefined && process.versions.node.split(".")[0] === String(major)) {
    return { program: process.execPath }
  }
  const folder = join(peers, `node-${major}`)
  const program = join(folder, "node_modules/node/bin", process.platform === "win32" ? "node.exe" : "node")
  if (existsSync(program)) return { program }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n')
  console.log(`installing Node.js ${versions[major]} under .peers/`)
  const args = ["install", "--no-audit", "--no-fund", "--loglevel=error", `node@${versions[major]}`]
  const { status, stderr, error } = spawnSync("npm", args, {
    cwd: folder,
    encoding: "utf8",
    stdio: ["ignore", "ignore", "pipe"],
  })
  if (status === 0 && existsSync(program)) return { program }
  const said = (error?.message ?? stderr).split("\n").find((line) => line.trim() !== "")
  return { refused: `Node.js ${versions[major]} could not be installed: ${said ?? `npm ended with status ${status}`}` }
}
