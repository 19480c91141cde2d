// Processes that are compared by their processor time have one processor, the same for all of them, in turns. The system leaves a
// process where it was, and on a machine whose host has others one processor may be half as fast as its neighbour for seconds, of
// which no time that was stolen tells: which of two had that one then decided their ratio.

import { spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { progress } from "./progress.ts"

/** `0-3,8`: 8. Undefined where there is one alone, or none is told. */
export function lastProcessor(list: string): number | undefined {
  const parts = list.trim().split(/[-,]/)
  const last = Number(parts.at(-1))
  return parts.length > 1 && Number.isInteger(last) ? last : undefined
}

/** It is told once. */
const notice = { told: false }

/** All threads of the process; what it starts later inherits it. Where the system has no `taskset`, which Linux has, that is told. */
export function onOneProcessor(pid: number | undefined): void {
  const processor = lastProcessor(allowed())
  if (pid === undefined || processor === undefined) return
  const { error, status } = spawnSync("taskset", ["-acp", String(processor), String(pid)], { stdio: "ignore" })
  if ((error === undefined && status === 0) || notice.told) return
  notice.told = true
  progress("what is compared has no processor of its own, as there is no taskset: ratios differ more from run to run")
}

/** Of this process; empty where the system does not say. */
function allowed(): string {
  try {
    return /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1] ?? ""
  } catch {
    return ""
  }
}
