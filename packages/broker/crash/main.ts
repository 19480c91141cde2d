// `npm run crash [-- options]`: a broker that is killed at random moments under load, and what it has to remember.

import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { build } from "esbuild"
import { crash } from "./crash.ts"

const help = `Kills a broker at random moments under load (kill -9), starts it again on the same folder, and checks that no
acknowledged message is lost, none of QoS 2 doubled, none of a publisher and QoS out of order, no retained message old or back
again, no will lost, doubled or sent in spite of its client, and every start and the store at the end clean. Three publishers of
MQTT 5.0 and 3.1.1 with 20 messages under way each, QoS 1 and 2, retained ones among them; two subscribers with kept sessions,
one of them away in every other life of the broker; and clients that leave wills, with a delay and without.

  npm run crash [-- options]

  --runs N         how often the broker is killed; default 1000
  --seed N         the choices of the first round; default 1
  --disk-full      the folder has room for little more: while it is full nothing is acknowledged, QoS 1 and 2 are refused
                   with 0x97 (MQTT 3.1.1: not read), QoS 0 goes on, and the broker lives; when there is room again
                   everything that was acknowledged is there
  --late-store     the store takes a turn, and answers, late
  --durability W   process or power, as of puremq start; default process
  --keep           the folder of a round that fails is left (what is in a tmpfs goes)
  --help           this text

Each 25 kills (3 with --disk-full) are a round with an empty folder and a seed of its own, one more than the one before. Who
does what, for how long, and when the broker is killed follows from it; when what arrives is the machine's. A round that fails
says how to run it once more. Rounds with --disk-full take turns: a tmpfs of 1 MiB (as root on Linux), \`ulimit -f\`, and
--store-size of the broker; what is not possible here is skipped and counted.

The exit status is 0 when nothing is wrong.`

process.exitCode = await main()

async function main(): Promise<number> {
  // What is mounted and started goes at the exit.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130))
  try {
    const { values } = parseArgs({
      options: {
        runs: { type: "string", default: "1000" },
        seed: { type: "string", default: "1" },
        "disk-full": { type: "boolean", default: false },
        "late-store": { type: "boolean", default: false },
        durability: { type: "string", default: "process" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    })
    if (values.help) {
      console.log(help)
      return 0
    }
    const { durability, keep } = values
    if (durability !== "process" && durability !== "power") throw new Error("--durability is process or power")
    const [runs, seed] = [whole("runs", values.runs), whole("seed", values.seed)]
    const lateBroker = values["late-store"] ? await bundled("late-broker") : undefined
    return await crash({ runs, seed, durability, keep, lateBroker, diskFull: values["disk-full"] })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '([^']+)'/.exec(message)?.[1]
    console.error(`crash: ${unknown === undefined ? message : `unknown option ${unknown}`}; see --help`)
    return 2
  }
}

function whole(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${name} is a whole number from 1 on, not ${value}`)
  return number
}

/** A program beside this one, which is itself bundled to dist/main.mjs. */
async function bundled(name: string): Promise<string> {
  const outfile = fileURLToPath(new URL(`${name}.mjs`, import.meta.url))
  await build({
    entryPoints: [fileURLToPath(new URL(`../${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    target: "node20",
    format: "esm",
    packages: "external",
    logLevel: "warning",
  })
  return outfile
}
