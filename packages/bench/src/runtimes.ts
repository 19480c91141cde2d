// Other runtimes, installed from npm on demand: under .peers/, which git ignores. The bench runs on them as it does on this one.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { endedWithUs } from "./ending.ts"
import { installPeers } from "./npm-peers.ts"

/** The package with its exact version, and its program within node_modules. */
const runtimes = {
  node20: { package: "node@20.20.2", program: "node/bin/node", args: [] },
  node26: { package: "node@26.10.0", program: "node/bin/node", args: [] },
  bun: { package: "bun@1.4.5", program: ".bin/bun", args: ["run"] },
  deno: { package: "deno@2.9.6", program: ".bin/deno", args: ["run", "--allow-all"] },
} as const
export type RuntimeName = keyof typeof runtimes
export const runtimeNames = Object.keys(runtimes) as RuntimeName[]

const onVariable = "PUREMQ_BENCH_ON"

/** The name that was given with `--on`; undefined: it was not. */
export function startedOn(): string | undefined {
  return process.env[onVariable]
}

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

const main = fileURLToPath(new URL("./main.js", import.meta.url))

/** Runs this program on another runtime, with its output as ours. @returns the exit status */
export async function runOn(name: RuntimeName, args: readonly string[]): Promise<number> {
  return run(install(name), [...runtimes[name].args, main, ...args], { ...process.env, [onVariable]: name })
}

/** Runs this program in a process of its own, with its output as ours. @returns the exit status */
export async function runHere(args: readonly string[]): Promise<number> {
  return run(process.execPath, [main, ...args])
}

async function run(program: string, args: readonly string[], env = process.env): Promise<number> {
  const child = spawn(program, args, { stdio: "inherit", env })
  const ended = endedWithUs(() => child.kill())
  child.once("exit", ended)
  const [status, signal] = (await once(child, "exit")) as [number | null, string | null]
  return status ?? (signal === null ? 1 : 128)
}

/** The program. @throws when it cannot be installed */
function install(name: RuntimeName): string {
  const { package: wanted, program } = runtimes[name]
  return installPeers(`bench-runtimes/${name}`, [wanted], program)
}
