// `npm run crash [-- options]`: a broker that is killed at random moments under load, and what it has to remember.

import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs } from "node:util"
import { Crash } from "./crash.ts"

const help = `Kills a broker at random moments under load (kill -9), starts it again on the same folder, and checks in the end that no
acknowledged message is lost, none of QoS 2 doubled, none of a publisher and QoS out of order, no retained message old, no will
lost, and every start clean. Three publishers with 20 messages under way each, two subscribers with kept sessions, one of them
away in every other life of the broker.

  npm run crash [-- options]

  --runs N         how often the broker is killed; default 1000
  --seed N         the choices of a run; default 1
  --durability W   process or power, as of puremq start
  --help           this text

The exit status is 0 when nothing was lost.`

process.exitCode = await main()

async function main(): Promise<number> {
  let values: { runs: string; seed: string; durability: string; help: boolean }
  try {
    values = parseArgs({
      options: {
        runs: { type: "string", default: "1000" },
        seed: { type: "string", default: "1" },
        durability: { type: "string", default: "process" },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}; see --help`)
    return 2
  }
  if (values.help) {
    console.log(help)
    return 0
  }
  const [runs, seed] = [Number(values.runs), Number(values.seed)]
  if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed)) {
    console.error("--runs and --seed are whole numbers; see --help")
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), "puremq-crash-"))
  try {
    return await new Crash(folder, seed, values.durability).run(runs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
