// Other runtimes, installed from npm on demand: under .peers/, which git ignores. The bench runs on them as it does on this one.

import { spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { existsSync, mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { progress } from "./progress.ts"

/** The package with its exact version, and its program within node_modules. */
const runtimes = {
  node20: { package: "node@20.20.2", program: "node/bin/node", args: [] },
  node26: { package: "node@26.10.0", program: "node/bin/node", args: [] },
  bun: { package: "bun@1.4.5", program: ".bin/bun", args: ["run"] },
  deno: { package: "deno@2.9.6", program: ".bin/deno", args: ["run", "--allow-all"] },
} as const
export type RuntimeName = keyof typeof runtimes
export const runtimeNames = Object.keys(runtimes) as RuntimeName[]

const peers = fileURLToPath(new URL("../../../.peers/bench-runtimes", import.meta.url))

/** What this process runs on. */
export function thisRuntime(): string {
  const { bun, deno, node, openssl } = process.versions
  if (bun !== undefined) return `Bun ${bun}`
  if (deno !== undefined) return `Deno ${deno}`
  return `Node.js v${node} (OpenSSL ${openssl})`
}

export function isNode(): boolean {
  return process.versions["bun"] === undefined && process.versions["deno"] === undefined
}

/** Runs this program on another runtime, with its output as ours. @returns the exit status */
export async function runOn(name: RuntimeName, args: readonly string[]): Promise<number> {
  const program = install(name)
  const main = fileURLToPath(new URL("./main.js", import.meta.url))
  const child = spawn(program, [...runtimes[name].args, main, ...args], { stdio: "inherit" })
  const [status, signal] = (await once(child, "exit")) as [number | null, string | null]
  return status ?? (signal === null ? 1 : 128)
}

/** The program. @throws when it cannot be installed */
function install(name: RuntimeName): string {
  const { package: wanted, program } = runtimes[name]
  // One folder for each: two versions of a package do not fit into one.
  const folder = join(peers, name)
  const path = join(folder, "node_modules", program)
  if (existsSync(path)) return path
  progress(`installing ${wanted} under .peers/`)
  mkdirSync(folder, { recursive: true })
  const { status, stderr } = spawnSync(
    "npm",
    ["install", "--prefix", folder, "--no-audit", "--no-fund", "--loglevel=error", wanted],
    { encoding: "utf8", stdio: ["ignore", "ignore", "pipe"] },
  )
  if (status !== 0 || !existsSync(path)) throw new Error(`${wanted} could not be installed: ${stderr?.split("\n")[0]}`)
  return path
}
