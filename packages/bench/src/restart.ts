// A broker with much in its files is killed and started anew: how long until it listens, and what memory it takes then.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Amounts, type Memory, type Started, startPeer } from "./peers.ts"
import { progress } from "./progress.ts"

const amounts: Amounts = { sessions: 100_000, retained: 100_000, queued: 1_000_000 }
/** MiB that the processes may have for it. */
const heap = 4096

export interface RestartRow {
  readonly started: Started
  readonly memory: Memory
}

export async function measureRestart(): Promise<RestartRow> {
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const nodeOptions = [`--max-old-space-size=${heap}`]
  try {
    progress(`restart: filling a store with ${said}, about a minute`)
    await (await startPeer({ kind: "filler", directory, amounts }, nodeOptions)).kill()
    progress("restart: killed, starting anew")
    const peer = await startPeer({ kind: "puremq", store: "process", directory }, nodeOptions)
    const row = { started: peer.started, memory: await peer.ask("memory") }
    const found = await peer.ask("counts")
    await peer.kill()
    for (const what of ["sessions", "retained", "queued"] as const) {
      if (found[what] !== amounts[what]) throw new Error(`${found[what]} of ${amounts[what]} ${what} are there`)
    }
    console.log(restartAsMarkdown(row))
    return row
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const said = `${amounts.sessions} sessions, ${amounts.retained} retained messages and ${amounts.queued} queued ones`

export function restartAsMarkdown({ started, memory }: RestartRow): string {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  return [
    `### Start after a kill, with ${said} of 100 bytes`,
    "",
    "| until it listens, s | processor time of it, s | heap, MiB | buffers, MiB | RSS, MiB |",
    "|---|---|---|---|---|",
    `| ${seconds(started.elapsed)} | ${seconds(started.busy)} | ${mib(memory.heap)} | ${mib(memory.buffers)} | ${mib(memory.rss)} |`,
    "",
  ].join("\n")
}
