// A network of its own for servers that cannot bind one address: there only its own loopback exists.

import { spawnSync } from "node:child_process"
import type { Run } from "./program.ts"
import { Absent } from "./table.ts"

let made = 0
let permitted: string | undefined

/** @throws Absent when this user may not make one */
export function requireNamespaces(): void {
  permitted ??= trial()
  if (permitted !== "") throw new Absent(`it binds every address, and no network namespace can be made: ${permitted}`)
}

function trial(): string {
  const name = nextName()
  const problem = ip("netns", "add", name)
  if (problem === "") ip("netns", "delete", name)
  return problem
}

/** What this run starts from now on is in a network namespace of its own. */
export function enterNamespace(run: Run): void {
  const name = nextName()
  const problem = ip("netns", "add", name) || ip("-n", name, "link", "set", "lo", "up")
  if (problem !== "") throw new Error(`ip netns: ${problem}`)
  run.behind(["ip", "netns", "exec", name])
  run.atEnd(() => {
    ip("netns", "delete", name)
  })
}

function nextName(): string {
  return `interop-${process.pid}-${made++}`
}

/** Empty when it worked, else why not. */
function ip(...args: readonly string[]): string {
  const { status, error, stderr } = spawnSync("ip", args, { encoding: "utf8" })
  if (error) return error.message
  return status === 0 ? "" : stderr.trim() || `ip ended with status ${status}`
}
