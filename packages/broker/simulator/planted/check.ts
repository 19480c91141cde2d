// Bundles the simulator with one fault planted into the core, in memory, and runs it until the fault is found: by what clients
// see, and not by what the house looks at beside. No source is changed.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import { build } from "esbuild"
import type { Outcome } from "../simulate.ts"
import { type Planted, planted } from "./planted.ts"

/** A fault that is not found within so many schedules is not found. */
const most = 10_000
/** One of a cluster takes longer. */
const mostInCluster = 2000

/**
 * @param broker the folder packages/broker
 * @param chosen the numbers of those that are planted, from 1
 */
export async function checkPlanted(broker: string, chosen: readonly number[]): Promise<number> {
  let [found, missed] = [0, 0]
  for (const number of chosen) {
    const one = planted[number - 1]
    if (one === undefined) throw new Error(`there is no planted fault ${number}; there are ${planted.length}`)
    const begin = performance.now()
    const simulate = await plant(broker, one)
    let seed = 1
    let { broken } = simulate(seed, false)
    const tried = one.cluster ? mostInCluster : most
    while (broken === undefined && seed < tried) broken = simulate(++seed, false).broken
    const what = `${number} ${one.kind}: ${one.fault}`
    if (broken === undefined) {
      missed++
      console.log(`FAILED ${what}: not found in ${tried} schedules`)
      continue
    }
    found++
    const seconds = ((performance.now() - begin) / 1000).toFixed(1)
    console.log(`${what}\n  found at seed ${seed}, ${seconds} s: ${broken.split("\n")[0]}`)
  }
  console.log(`simulate: ${found} passed, ${missed} failed`)
  return missed > 0 || found === 0 ? 1 : 0
}

/** The source with the fault in it. Throws when its text is not there exactly once: then the patch has to be written anew. */
export function withFault(broker: string, { file, fault, from, to }: Planted): { path: string; contents: string } {
  const path = join(broker, "src", file)
  const parts = readFileSync(path, "utf8").split(from)
  if (parts.length !== 2) {
    const times = parts.length - 1
    throw new Error(`planted.ts, "${fault}": src/${file} has this text ${times} times, not once; adapt it:\n${from}`)
  }
  return { path, contents: parts.join(to) }
}

async function plant(broker: string, fault: Planted): Promise<(seed: number, house: boolean) => Outcome> {
  const { path, contents } = withFault(broker, fault)
  const { outputFiles } = await build({
    entryPoints: [join(broker, fault.cluster ? "simulator/cluster/simulate.ts" : "simulator/simulate.ts")],
    bundle: true,
    write: false,
    platform: "node",
    format: "cjs",
    packages: "external",
    plugins: [
      {
        name: "planted",
        setup(setup) {
          setup.onLoad({ filter: /\.ts$/ }, (args) => (args.path === path ? { contents, loader: "ts" } : undefined))
        },
      },
    ],
  })
  type Simulate = (seed: number, house: boolean) => Outcome
  const made: { exports: { simulate?: Simulate; simulateCluster?: Simulate } } = { exports: {} }
  const run = new Function("module", "exports", "require", outputFiles[0]!.text)
  run(made, made.exports, createRequire(path))
  const simulate = made.exports.simulate ?? made.exports.simulateCluster
  if (simulate === undefined) throw new Error(`${fault.fault}: the bundle has no simulate`)
  return simulate
}
