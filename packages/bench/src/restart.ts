// A broker with much in its files is killed and started anew: how long until it listens, and what memory it takes then.

import { mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Amounts, type Memory, type Peer, type Started, startPeer } from "./peers.ts"
import { progress } from "./progress.ts"
import { type TextTable, tableMarkdown } from "./tables.ts"

const amounts: Amounts = { sessions: 100_000, retained: 100_000, queued: 1_000_000 }
/** MiB that the processes may have for it. */
const heap = 4096

export interface RestartRow {
  readonly started: Started
  /** As soon as it listens: it begins to fold its files then, for which it reads them again. */
  readonly listening: Memory
  readonly settled: Memory
}

export async function measureRestart(): Promise<RestartRow> {
  const directory = mkdtempSync(join(tmpdir(), "puremq-bench-"))
  const nodeOptions = [`--max-old-space-size=${heap}`]
  try {
    progress(`restart: filling a store with ${said}, about a minute`)
    await (await startPeer({ kind: "filler", directory, amounts }, nodeOptions)).kill()
    progress("restart: killed, starting anew")
    const peer = await startPeer({ kind: "puremq", store: "process", directory }, nodeOptions)
    const listening = await peer.ask("memory")
    const row = { started: peer.started, listening, settled: await settled(peer, directory, listening) }
    const found = await peer.ask("counts")
    await peer.kill()
    for (const what of ["sessions", "retained", "queued"] as const) {
      if (found[what] !== amounts[what]) throw new Error(`${found[what]} of ${amounts[what]} ${what} are there`)
    }
    console.log(tableMarkdown(restartTable(row)))
    return row
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Once its files are folded, and are one snapshot and one journal, and its memory stays the same. */
async function settled(peer: Peer, directory: string, before: Memory): Promise<Memory> {
  progress("restart: waiting until its files are folded and its memory stays the same")
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const files = readdirSync(directory).filter((name) => /^(snapshot|journal)/.test(name))
  const now = await peer.ask("memory")
  const calm = files.length === 2 && Math.abs(now.heap - before.heap) < now.heap / 200
  return calm ? now : settled(peer, directory, now)
}

const said = `${amounts.sessions} sessions, ${amounts.retained} retained messages and ${amounts.queued} queued ones`

export function restartTable({ started, listening, settled }: RestartRow): TextTable {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1)
  const mib = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  const line = (when: string, { heap, buffers, rss }: Memory) => [when, mib(heap), mib(buffers), mib(rss)]
  return {
    title: `Start after a kill, with ${said} of 100 bytes`,
    lead: `It listens ${seconds(started.elapsed)} s after the start of its process, ${seconds(started.busy)} s of processor time.`,
    head: ["", "heap, MiB", "buffers, MiB", "RSS, MiB"],
    cells: [line("when it listens", listening), line("when it has folded its files", settled)],
  }
}
