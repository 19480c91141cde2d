// Rows of `tls13 bench` itself: the server's CPU a handshake that it tells, beside what the system counts for the same server while
// `openssl s_time` loads it. scripts/bench-cpu.mjs measures both in turns.

import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { endedWithUs } from "../ending.ts"
import { progress } from "../progress.ts"
import { median } from "../statistics.ts"
import type { CheckGroup } from "./group.ts"
import type { CheckRow } from "./row.ts"

const script = fileURLToPath(new URL("../../../../scripts/bench-cpu.mjs", import.meta.url))

const servers = { openssl: "openssl s_server", node: "node:tls", ours: "ours", rustls: "rustls" } as const

/** What the script gives as JSON; null: a server that cannot be had here. */
type Counted = { readonly skipped: string } | { readonly servers: Readonly<Record<string, readonly Round[] | null>> }

interface Round {
  /** What tls13 bench tells, to what the system counts in the same run, and to what it counts under s_time. */
  readonly same: number
  readonly beside: number
}

export const benchCommand: CheckGroup = {
  name: "command",
  help: "the server's CPU that tls13 bench tells, beside openssl s_time: of s_server, node:tls, ours and rustls",
  seconds: { quick: 40, whole: 200 },
  nodeOnly: true,
  async run({ quick, tell }) {
    progress("tls13 bench beside openssl s_time")
    const counted = await count(quick ? { seconds: 1, rounds: 3 } : { seconds: 3, rounds: 7 })
    for (const row of commandRows(counted)) tell(row)
  },
}

export function commandRows(counted: Counted): CheckRow[] {
  return Object.entries(servers).map(([server, title]): CheckRow => {
    const name = `server's CPU a handshake of ${title} by tls13 bench, x what the system counts under openssl s_time`
    if ("skipped" in counted) return { name, skipped: counted.skipped }
    const rounds = counted.servers[server] ?? []
    if (rounds.length === 0) {
      return { name, skipped: server === "rustls" ? "npm run interop has not built it here" : "it does not start" }
    }
    const same = median(rounds.map((round) => round.same))
    const values = rounds.map(({ beside }) => beside)
    const note = `beside what the system counts in the same run ${same.toFixed(2)} x`
    return { name, unit: "x", values, target: { least: 0.9, most: 1.1 }, note }
  })
}

async function count({ seconds, rounds }: Record<"seconds" | "rounds", number>): Promise<Counted> {
  const options = ["--json", "--abrupt", "--seconds", `${seconds}`, "--rounds", `${rounds}`]
  // Whatever it counts, the row says what is wanted of it.
  const args = [script, ...options, "--same", "0-9999", "--beside", "0-9999", ...Object.keys(servers)]
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] })
  child.once(
    "exit",
    endedWithUs(() => child.kill()),
  )
  let text = ""
  child.stdout.on("data", (data) => (text += data))
  const [status] = (await once(child, "close")) as [number]
  if (status !== 0) throw new Error(`scripts/bench-cpu.mjs ended with status ${status}`)
  return JSON.parse(text) as Counted
}
