// `--check`: what is wanted of this version, each as a row with its target, all measured in one run.

import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { beginProgress, planProgress } from "../progress.ts"
import { isNode, thisRuntime } from "../runtimes.ts"
import { broker } from "./broker.ts"
import { bundles } from "./bundles.ts"
import { coldStart } from "./cold-start.ts"
import type { CheckContext, CheckGroup } from "./group.ts"
import { digests, handshakesInMemory, records } from "./in-memory.ts"
import { type CheckRow, rowText } from "./row.ts"
import { bulk, idleConnections, servers } from "./sockets.ts"
import { workers } from "./workers.ts"

/** Measured by the command itself, against what the system counts for the server under `openssl s_time`. */
const benchCommand: CheckGroup = {
  name: "command",
  help: "tls13 bench, beside openssl s_time",
  seconds: { quick: 0, whole: 0 },
  async run({ tell }) {
    const isThere = existsSync(fileURLToPath(new URL("cli/bench/child.js", import.meta.resolve("@puremq/tls13"))))
    const skipped = isThere ? "it is not compared here" : "there is no tls13 bench yet"
    tell({ name: "server's CPU a handshake by tls13 bench, x what the system counts under openssl s_time", skipped })
  },
}

export const checkGroups: readonly CheckGroup[] = [
  handshakesInMemory,
  records,
  digests,
  servers,
  workers,
  bulk,
  idleConnections,
  broker,
  bundles,
  coldStart,
  benchCommand,
]

export interface Checked {
  readonly rows: readonly CheckRow[]
  /** Of groups that broke: one line each. Noise breaks none. */
  readonly broken: readonly string[]
}

export async function runCheck(
  groups: readonly CheckGroup[],
  { pems, quick }: Pick<CheckContext, "pems" | "quick">,
): Promise<Checked> {
  const rows: CheckRow[] = []
  const broken: string[] = []
  const tell = (row: CheckRow) => {
    rows.push(row)
    console.log(rowText(row))
  }
  const seconds = (group: CheckGroup) => group.seconds[quick ? "quick" : "whole"]
  planProgress(groups.reduce((sum, group) => sum + seconds(group), 0))
  for (const group of groups) {
    beginProgress(seconds(group))
    if (group.nodeOnly && !isNode()) {
      tell({ name: group.help, skipped: `it is measured on Node, and this is ${thisRuntime()}` })
      continue
    }
    try {
      await group.run({ pems, quick, tell })
    } catch (error) {
      const line = `${group.name}: ${(error as Error).message}`
      broken.push(line)
      console.error(`bench: BROKEN ${line}`)
    }
  }
  return { rows, broken }
}
