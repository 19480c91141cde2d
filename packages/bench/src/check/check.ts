// `--check`: what is wanted of this version, each as a row with its target, all measured in one run.

import { beginProgress, planProgress } from "../progress.ts"
import { isNode, thisRuntime } from "../runtimes.ts"
import { broker } from "./broker.ts"
import { bundles } from "./bundles.ts"
import { coldStart } from "./cold-start.ts"
import { benchCommand } from "./command.ts"
import type { CheckContext, CheckGroup } from "./group.ts"
import { digests, handshakesInMemory, records } from "./in-memory.ts"
import { type CheckRow, rowText } from "./row.ts"
import { bulk, idleConnections, servers } from "./sockets.ts"
import { watched } from "./watched.ts"
import { workers } from "./workers.ts"

export const checkGroups: readonly CheckGroup[] = [
  handshakesInMemory,
  records,
  digests,
  servers,
  workers,
  bulk,
  idleConnections,
  broker,
  watched,
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
