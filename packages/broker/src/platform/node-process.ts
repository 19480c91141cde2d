// What the process takes, as far as its host tells.

import { readdirSync, readFileSync, statSync } from "node:fs"
import { hostname } from "node:os"
import type { BuildStats, ProcessStats } from "../admin/metrics.ts"
import { version } from "../admin/version.ts"

const descriptors = "/proc/self/fd"

/** Names of more would have to be read one by one, while nobody is served. */
const mostNames = 4096

/** @param connections that are open: about as many descriptors are, at least */
export function processStats(connections: number): ProcessStats {
  const { user, system } = process.cpuUsage()
  return {
    cpuSeconds: (user + system) / 1_000_000,
    residentBytes: process.memoryUsage().rss,
    startTimeSeconds: performance.timeOrigin / 1000,
    openDescriptors: openDescriptors(connections),
    maximumDescriptors: maximumDescriptors(),
  }
}

export function buildStats(): BuildStats {
  const { bun, deno, node = "unknown" } = process.versions
  if (bun !== undefined) return { version, runtime: "bun", runtimeVersion: bun }
  if (deno !== undefined) return { version, runtime: "deno", runtimeVersion: deno }
  return { version, runtime: "node", runtimeVersion: node }
}

/** "": the host does not tell. */
export function machineName(): string {
  try {
    return hostname()
  } catch {
    return "" // Deno asks for leave first
  }
}

/** Linux says how many there are as the size of the folder (6.2 and later), or by their names. */
function openDescriptors(connections: number): number | undefined {
  try {
    const { size } = statSync(descriptors)
    if (size > 0) return size
    return connections < mostNames ? readdirSync(descriptors).length : undefined
  } catch {
    return undefined // another system, or a process that may not look
  }
}

function maximumDescriptors(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "latin1"))
    return found === null ? undefined : Number(found[1])
  } catch {
    return undefined
  }
}
