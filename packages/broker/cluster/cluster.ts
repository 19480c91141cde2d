// Legs and rows, one after the other, and what they come to.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { checkNames } from "./checks/checks.ts"
import { Recorder } from "./clients/recorder.ts"
import { faultNames } from "./faults.ts"
import type { History } from "./history.ts"
import { Leg } from "./leg.ts"
import { names, type PartName } from "./parts.ts"
import { plants } from "./planted/plants.ts"
import { type RowName, rowNames, rows } from "./rows/rows.ts"
import { howToGetOne, natsServerProgram } from "./servers/nats-server.ts"
import { Stage } from "./servers/stage.ts"

/** Rounds of a leg. */
const legLength = 10
/** Rounds in which a planted fault has to be found; and milliseconds that everything has then to come home. */
const plantedRounds = 4
const plantedPatience = 12_000
/** Findings of a leg that are told. */
const most = 30

export interface ClusterOptions {
  readonly rounds: number
  readonly seed: number
  readonly without: ReadonlySet<PartName>
  /** One broker, without nats-server. */
  readonly alone: boolean
  /** Milliseconds. */
  readonly away: number
  readonly keep: boolean
  /** A file. */
  readonly report: string | undefined
}

/** @returns the exit status */
export async function cluster(options: ClusterOptions): Promise<number> {
  const { seed, rounds, alone, without } = options
  const sum = { passed: 0, failed: 0, skipped: 0 }
  const nats = alone ? undefined : natsServerProgram()
  if (!alone && nats === undefined) {
    console.log(`skipped: ${howToGetOne}`)
    console.log("cluster: 0 passed, 0 failed, 1 skipped")
    return 0
  }
  console.log(`${alone ? "one broker alone" : `three brokers on three of ${nats}`}, ${rounds} rounds (--seed ${seed})`)
  const out = names.filter((name) => without.has(name) || (alone && isOfCluster(name)))
  if (out.length > 0) console.log(`skipped: ${out.join(", ")}`)
  sum.skipped += out.length
  const folder = mkdtempSync(join(tmpdir(), "puremq-cluster-"))
  const run = new Run(options, folder, nats, new Set(out), sum)
  const clear = () => {
    if (sum.failed > 0 || options.keep) console.log(`logs: ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
  try {
    for (const name of rowNames) if (!out.includes(name)) await run.row(name)
    // With `--only away`, say, there is nothing to break.
    const last = faultNames.every((name) => out.includes(name)) ? 0 : rounds
    for (let first = 1, i = 0; first <= last; first += legLength, i++)
      await run.leg(seed + i, first, Math.min(legLength, last - first + 1))
  } finally {
    clear()
  }
  const skipped = sum.skipped > 0 ? `, ${sum.skipped} skipped` : ""
  console.log(`cluster: ${sum.passed} passed, ${sum.failed} failed${skipped}`)
  return sum.failed > 0 ? 1 : 0
}

/** Faults are planted before one broker: each has to be found. @returns the exit status */
export async function planted({ seed, keep }: ClusterOptions, only: readonly number[]): Promise<number> {
  const wanted = plants
    .map((plant, i) => ({ ...plant, number: i + 1 }))
    .filter(({ number }) => only.length === 0 || only.includes(number))
  const sum = { passed: 0, failed: 0 }
  const folder = mkdtempSync(join(tmpdir(), "puremq-cluster-"))
  for (const { name, by, make, number, rounds = plantedRounds } of wanted) {
    const begun = performance.now()
    const leg = new Leg({
      ...{ seed, first: 1, rounds, nats: undefined, folder: join(folder, `planted-${number}`) },
      ...{ faults: ["killed"], checks: checkNames, without: new Set(), say: () => undefined, plant: make() },
      patience: plantedPatience,
    })
    await leg.run()
    const isFound = leg.found.has(by)
    sum[isFound ? "passed" : "failed"]++
    const line = leg.findings.find((finding) => finding.startsWith(`${by}: `)) ?? leg.findings[0]
    console.log(
      `${isFound ? "  found" : "WRONG not found"} ${number}, ${name}: ${(line ?? "nothing").slice(0, 300)}, ${since(begun)}`,
    )
  }
  if (!keep) rmSync(folder, { recursive: true, force: true })
  console.log(`cluster: ${sum.passed} passed, ${sum.failed} failed`)
  return sum.failed > 0 ? 1 : 0
}

/** A broker alone has no other node, and no servers. */
function isOfCluster(name: PartName): boolean {
  return name === "cut" || name === "nats" || name === "together" || name === "away"
}

class Run {
  readonly #options: ClusterOptions
  readonly #folder: string
  readonly #nats: string | undefined
  readonly #without: ReadonlySet<PartName>
  readonly #sum: { passed: number; failed: number }

  constructor(
    options: ClusterOptions,
    folder: string,
    nats: string | undefined,
    without: ReadonlySet<PartName>,
    sum: { passed: number; failed: number },
  ) {
    this.#options = options
    this.#folder = folder
    this.#nats = nats
    this.#without = without
    this.#sum = sum
  }

  async row(name: RowName): Promise<void> {
    const { seed, away, keep } = this.#options
    const { title, run } = rows[name]
    const begun = performance.now()
    const stage = new Stage(join(this.#folder, name), this.#nats, new Recorder())
    const wrong = [...(await stage.start())]
    let seen = ""
    try {
      if (wrong.length === 0) {
        const outcome = await run({ nodes: stage.nodes, servers: stage.servers, seed, away })
        seen = outcome.seen
        wrong.push(...outcome.wrong)
      }
      await stage.stop()
    } catch (error) {
      wrong.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
    } finally {
      await stage.close()
    }
    wrong.push(...stage.found())
    for (const line of wrong) console.log(`WRONG ${title}: ${line}`)
    this.#sum[wrong.length === 0 ? "passed" : "failed"]++
    if (wrong.length === 0) console.log(`  ${title}: ${seen}, ${since(begun)}`)
    this.#clear(stage.folder, wrong.length === 0 && !keep)
  }

  async leg(seed: number, first: number, rounds: number): Promise<void> {
    const { alone, report, keep } = this.#options
    const without = this.#without
    const begun = performance.now()
    const leg = new Leg({
      ...{ seed, first, rounds, nats: this.#nats, folder: join(this.#folder, `leg-${seed}`) },
      faults: faultNames.filter((name) => !without.has(name)),
      checks: checkNames.filter((name) => !without.has(name)),
      without: new Set(checkNames.filter((name) => without.has(name))),
      say: (line) => console.log(line),
    })
    await leg.run()
    for (const line of leg.findings.slice(0, most)) console.log(`WRONG seed ${seed}, ${line}`)
    const failed = leg.findings.length > 0
    const left = [...this.#without].length > 0 && !alone ? ` --without ${[...this.#without].join(",")}` : ""
    if (failed)
      console.log(`  once more: npm run cluster -- --seed ${seed} --rounds ${rounds}${left}${alone ? " --alone" : ""}`)
    console.log(`  seed ${seed}: ${rounds} rounds, ${since(begun)}`)
    if (report !== undefined) writeFileSync(report, written(leg.recorder.history))
    this.#sum.passed += leg.passed
    this.#sum.failed += leg.failed
    this.#clear(join(this.#folder, `leg-${seed}`), !failed && !keep)
  }

  #clear(folder: string, wanted: boolean): void {
    if (wanted) rmSync(folder, { recursive: true, force: true })
  }
}

function since(begun: number): string {
  return `${((performance.now() - begun) / 1000).toFixed(1)} s`
}

function written(history: History): string {
  return JSON.stringify(history, (_, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value))
}
