// The broker in workerd has no configuration file and no commands: rows of its own.

import { execFileSync } from "node:child_process"
import { WorkerdBroker } from "./workerd-broker.ts"
import { type WorkerdRow, workerdRows } from "./workerd-rows.ts"

/** @param attempt runs a row, and says how it was; false when it failed */
export async function runWorkerd(
  root: string,
  program: string,
  attempt: (name: string, work: () => Promise<string | undefined>, row?: WorkerdRow) => Promise<boolean>,
): Promise<void> {
  console.log(`\n== workerd (${execFileSync(program, ["--version"], { encoding: "utf8" }).trim()})`)
  const broker = new WorkerdBroker(program)
  try {
    const started = await attempt("starts with an empty storage", async () => {
      await broker.prepare(root)
      await broker.start()
      return broker.mebibytes === undefined ? undefined : `${broker.mebibytes} MiB`
    })
    if (started) for (const row of workerdRows) await attempt(row.name, () => row.run(broker), row)
  } finally {
    await broker.end()
  }
}
