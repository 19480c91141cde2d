// `npm run cluster [-- options]`: brokers and nats-servers of a cluster that are killed at random, and what clients saw of it.

import { parseArgs } from "node:util"
import { cluster, planted } from "./cluster.ts"
import { names, partsIn } from "./parts.ts"

const help = `Kills, stops, cuts off and freezes brokers and nats-servers of a cluster of three and three under load, and checks what
clients saw: no acknowledged message lost, none of QoS 2 doubled, all in order, each shared message done by one member, wills
published once, retained messages the last on each node, no session lost, none served by two connections.

  npm run cluster [-- options]

  --rounds N      how often something is broken; default 200. Each 10 are a leg: an empty cluster with a seed of its own
  --seed N        the choices of the first leg; default 1, and one more with each leg
  --without LIST  parts that are left out, with commas between them; they are counted as skipped
  --only LIST     all other parts are
  --alone         one broker with its files, without nats-server
  --planted       faults between clients and one broker alone: each has to be found; --plants 2,5: these
  --away N        seconds without any nats-server, in the row for that; default 10
  --keep          the folder with the logs is left, as it is when something is wrong
  --report FILE   all that clients saw in the last leg, as JSON
  --help          this text

Parts: ${names.join(", ")}.

Who does what, and what is broken for how long, follows from the seed; when what arrives is the machine's. A leg that fails says
how to run it once more. nats-server is looked for by NATS_SERVER, on the path, and where go install puts it; without one all is
skipped.

The exit status is 0 when nothing is wrong.`

process.exitCode = await main()

async function main(): Promise<number> {
  // What is started goes at the exit.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  try {
    const { values } = parseArgs({
      options: {
        rounds: { type: "string", default: "200" },
        seed: { type: "string", default: "1" },
        without: { type: "string" },
        only: { type: "string" },
        alone: { type: "boolean", default: false },
        planted: { type: "boolean", default: false },
        plants: { type: "string" },
        away: { type: "string", default: "10" },
        keep: { type: "boolean", default: false },
        report: { type: "string" },
        help: { type: "boolean", default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return 0
    }
    const { alone, keep, report } = values
    const parts = partsIn("only", values.only)
    const without = new Set(partsIn("without", values.without))
    for (const name of names) if (parts.size > 0 && !parts.has(name)) without.add(name)
    const [rounds, seed, seconds] = [
      whole("rounds", values.rounds, 0),
      whole("seed", values.seed),
      whole("away", values.away),
    ]
    const options = { rounds, seed, without, alone, keep, report, away: seconds * 1000 }
    const only = (values.plants ?? "")
      .split(",")
      .filter(Boolean)
      .map((text) => whole("plants", text))
    return values.planted ? await planted(options, only) : await cluster(options)
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '([^']+)'/.exec(message)?.[1]
    console.error(`cluster: ${unknown === undefined ? message : `unknown option ${unknown}`}; see --help`)
    return 2
  }
}

function whole(name: string, value: string, least = 1): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < least)
    throw new Error(`--${name} is a whole number from ${least} on, not ${value}`)
  return number
}
