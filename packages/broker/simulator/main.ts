// `npm run simulate [-- options]`: schedules of clients, links, a store and crashes against the broker's core, by seeds.

import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { tellScale } from "./cluster/scale/scale.ts"
import { simulateCluster } from "./cluster/simulate.ts"
import { type Counted, counted, countedInCluster } from "./counts.ts"
import { checkPlanted } from "./planted/check.ts"
import { planted } from "./planted/planted.ts"
import { promises } from "./promises.ts"
import { simulate } from "./simulate.ts"

const help = `Runs the broker's core without sockets, clock or disk on schedules that follow from a seed: clients of both versions
that publish, subscribe, lose their connections, take over and say good-bye; links that stall and deliver in any pieces; a
store that is late, fails, and loses at a crash what it has not committed. A model of what MQTT promises judges what clients see.

  npm run simulate [-- options]

  --seeds N    schedules; default 1000
  --from S     the first seed; default 1
  --cluster    several nodes, and servers between them that can be away
  --scale      what a cluster costs as it grows, in tables: a message, a subscription, a reconnect, a node that goes; takes minutes
  --sessions N with --scale: sessions that are away at most; default 10000
  --verbose    all that happened in a schedule that fails, not only the last of it
  --promises   what is judged, and where it stands
  --planted    plants faults into the core, one by one, and says at which seed each is found; 10000 are tried
  --only N,... of those only these, by their numbers
  --help       this text

The exit status is 0 when no promise was broken, or, with --planted, when each fault was found.`

// This is bundled to simulator/dist/main.mjs.
const broker = fileURLToPath(new URL("../..", import.meta.url))

process.exitCode = await main()

async function main(): Promise<number> {
  try {
    const { values } = parseArgs({
      options: {
        seeds: { type: "string", default: "1000" },
        from: { type: "string", default: "1" },
        cluster: { type: "boolean", default: false },
        scale: { type: "boolean", default: false },
        sessions: { type: "string", default: "10000" },
        verbose: { type: "boolean", default: false },
        promises: { type: "boolean", default: false },
        planted: { type: "boolean", default: false },
        only: { type: "string" },
        help: { type: "boolean", default: false },
      },
    })
    if (values.help) console.log(help)
    else if (values.scale) tellScale(whole("sessions", values.sessions))
    else if (values.promises) tellPromises()
    else if (values.planted) return await checkPlanted(broker, chosen(values.only))
    else return run(values.cluster, whole("from", values.from), whole("seeds", values.seeds), values.verbose)
    return 0
  } catch (error) {
    console.error(`simulate: ${error instanceof Error ? error.message : error}; see --help`)
    return 2
  }
}

function whole(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number from 1 on, not ${value}`)
  return number
}

/** The numbers of the faults to plant. */
function chosen(only: string | undefined): readonly number[] {
  if (only === undefined) return planted.map((_, i) => i + 1)
  return only.split(",").map((number) => whole("only", number))
}

function tellPromises(): void {
  for (const [name, { statement, says }] of Object.entries(promises))
    console.log(`${statement.padEnd(13)} ${name}: ${says}`)
}

function run(cluster: boolean, from: number, seeds: number, verbose: boolean): number {
  let failed = 0
  const sums = new Map<Counted, number>((cluster ? countedInCluster : counted).map((what) => [what, 0]))
  for (let i = 0; i < seeds; i++) {
    const seed = from + i
    const { broken, counts, told } = (cluster ? simulateCluster : simulate)(seed)
    for (const [what, count] of counts) sums.set(what, (sums.get(what) ?? 0) + count)
    if (broken !== undefined) {
      failed++
      console.log(`FAILED seed ${seed}: ${broken}`)
      for (const line of verbose ? told : told.slice(-20)) console.log(`  ${line}`)
    }
    if ((i + 1) % 1000 === 0) console.log(`${i + 1} of ${seeds}, ${failed} failed`)
  }
  console.log(`in ${seeds} schedules: ${[...sums].map(([what, count]) => `${count} ${what}`).join(", ")}`)
  console.log(`simulate: ${seeds - failed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}
