// Rows of the first moments of a process: imports, and the first handshake, beside node:tls. Each start is a process of its own.

import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Pems } from "../contestants.ts"
import { startPeer } from "../peers.ts"
import { progress } from "../progress.ts"
import { ratios } from "../statistics.ts"
import type { CheckGroup } from "./group.ts"

const program = fileURLToPath(new URL("../cold-child.js", import.meta.url))

/** What a process is told to do first. */
export const firsts = ["node", "core", "core-noble", "node-handshake", "our-handshake"] as const
export type First = (typeof firsts)[number]

export interface ColdTask {
  readonly first: First
  readonly port: number
  readonly ca: string
}

export const coldStart: CheckGroup = {
  name: "cold-start",
  help: "imports and the first handshake of a process, beside node:tls",
  seconds: { quick: 8, whole: 20 },
  nodeOnly: true,
  async run({ pems, quick, tell }) {
    progress("cold start")
    const times = await measure(pems, quick ? 7 : 15)
    const beyond = (first: First): number[] => times[first].map((time, round) => time - times.node[round]!)
    tell({
      name: 'import of the core, beyond import("node:tls")',
      unit: "ms",
      values: beyond("core"),
      target: { most: 15 },
      note: "CPU",
    })
    tell({
      name: 'import of the core and noble, beyond import("node:tls")',
      unit: "ms",
      values: beyond("core-noble"),
      target: { most: 50 },
      note: "CPU",
    })
    tell({
      name: "import and first handshake of the Node adapter, x node:tls",
      unit: "x",
      values: ratios(times["our-handshake"], times["node-handshake"]),
      target: undefined,
    })
  },
}

async function measure(pems: Pems, rounds: number): Promise<Record<First, number[]>> {
  const times: Record<First, number[]> = {
    node: [],
    core: [],
    "core-noble": [],
    "node-handshake": [],
    "our-handshake": [],
  }
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
