// The first moments of a process: imports, and the first handshake, beside node:tls. Each start is a process of its own.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Pems } from "./contestants.ts"
import { asText, type Comparison } from "./measure.ts"
import { startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { quartiles, ratios } from "./statistics.ts"

const program = fileURLToPath(new URL("./cold-child.js", import.meta.url))

/** What a process is told to do first. */
const firsts = ["node", "core", "core-noble", "node-handshake", "our-handshake"] as const
export type First = (typeof firsts)[number]

export interface ColdTask {
  readonly first: First
  readonly port: number
  readonly ca: string
}

/** Milliseconds of processor time, of each round. */
export type ColdTimes = Record<First, number[]>

export async function measureColdStarts(pems: Pems, rounds: number): Promise<ColdTimes> {
  progress("cold start")
  const times: ColdTimes = { node: [], core: [], "core-noble": [], "node-handshake": [], "our-handshake": [] }
  const peer = await startPeer({ kind: "sink", stack: "node:tls", pems })
  try {
    for (let round = -1; round < rounds; round++) {
      for (const first of firsts) {
        const time = start({ first, port: peer.port, ca: pems.ca })
        // The first round brings files into the system's memory.
        if (round >= 0) times[first].push(time)
      }
    }
  } finally {
    peer.stop()
  }
  return times
}

/** Milliseconds of the new process's own processor time. */
function start(task: ColdTask): number {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], {
    encoding: "utf8",
    env: { ...process.env, PUREMQ_BENCH_TASK: JSON.stringify(task) },
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(`a start with ${task.first} failed: ${stderr.trim()}`)
  return Number(stdout)
}

/** The part `cold-start`. */
export async function compareColdStarts(pems: Pems): Promise<readonly Comparison[]> {
  const times = await measureColdStarts(pems, 15)
  const comparison = (title: string, named: readonly (readonly [string, First])[]): Comparison => {
    const first = times[named[0]![1]]
    const rows = named.map(([name, which]) => {
      const samples = times[which]
      return { name, samples, median: quartiles(samples)[1], ratio: quartiles(ratios(samples, first)) }
    })
    const made = { title, unit: "ms CPU", rounds: first.length, rows, drifts: [] }
    console.log(asText(made))
    return made
  }
  return [
    comparison("Cold start: import", [
      ["node:tls", "node"],
      ["PureMQ, core", "core"],
      ["PureMQ, core and noble", "core-noble"],
    ]),
    comparison("Cold start: import and first handshake of a client", [
      ["node:tls", "node-handshake"],
      ["PureMQ, fast", "our-handshake"],
    ]),
  ]
}
