// A leg: an empty cluster, some rounds in each of which something is broken, and in the end what clients saw is judged.

import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import { pause } from "../crash/world.ts"
import { type CheckName, checked } from "./checks/checks.ts"
import { handedOver } from "./checks/shared.ts"
import { Words } from "./checks/words.ts"
import { Recorder } from "./clients/recorder.ts"
import { drawn, type FaultName } from "./faults.ts"
import type { Plant } from "./planted/front.ts"
import { Stage } from "./servers/stage.ts"
import { World } from "./world.ts"

export interface LegOptions {
  readonly seed: number
  /** Number of its first round, from 1, and how many there are. */
  readonly first: number
  readonly rounds: number
  /** An empty one; logs are in it. */
  readonly folder: string
  /** The program of nats-server; undefined: one broker alone. */
  readonly nats: string | undefined
  readonly faults: readonly FaultName[]
  readonly checks: readonly CheckName[]
  readonly without: ReadonlySet<CheckName>
  readonly say: (line: string) => void
  /** It stands before each node, and is to be found. */
  readonly plant?: Plant
  /** Milliseconds that everything has to come home, at most; default 60,000. */
  readonly patience?: number
}

export class Leg {
  readonly findings: string[] = []
  /** Checks that found something. */
  readonly found: Set<CheckName> = new Set()
  passed = 0
  failed = 0
  readonly recorder: Recorder = new Recorder()
  readonly #options: LegOptions
  readonly #stage: Stage
  readonly #random: Random
  #world: World | undefined

  constructor(options: LegOptions) {
    this.#options = options
    this.#stage = new Stage(options.folder, options.nats, this.recorder, options.plant)
    this.#random = seeded(options.seed)
  }

  /** Starts the cluster, and runs all rounds. */
  async run(): Promise<void> {
    try {
      if (!this.#judge("the beginning", await this.#stage.start())) return
      const { seed, without, first, rounds } = this.#options
      const world = new World(this.recorder, this.#stage.nodes, seed, without)
      this.#world = world
      if (!this.#judge("the beginning", await world.begin())) return
      for (let round = first; round < first + rounds; round++) if (!(await this.#round(round, world))) break
      await this.#end(world)
    } finally {
      this.#world?.end()
      await this.#stage.close()
    }
  }

  async #round(round: number, world: World): Promise<boolean> {
    const { faults, say } = this.#options
    const random = this.#random
    const fault = drawn(this.#stage, faults, random)
    const [calm, before] = [500 + random.integer(2500), world.acknowledged]
    await pause(calm)
    const over = this.recorder.fault({ round, what: fault.what, nodes: fault.nodes })
    const stirring = world.stir(fault.duration, round)
    await fault.breaks()
    await pause(fault.duration)
    await fault.heals()
    await this.#stage.lookAfter()
    await stirring
    const whole = performance.now()
    const wrong = await world.served()
    over()
    const waited = ((performance.now() - whole) / 1000).toFixed(1)
    const [seconds, acknowledged] = [(fault.duration / 1000).toFixed(1), world.acknowledged - before]
    say(`  round ${round}: ${fault.what} for ${seconds} s; all served ${waited} s later; ${acknowledged} acknowledged`)
    return this.#judge(`round ${round}, ${fault.what}`, [...wrong, ...this.#seen()])
  }

  /** Everything comes home, and is judged. */
  async #end(world: World): Promise<void> {
    const { checks, say, patience = 60_000 } = this.#options
    const wrong = await world.home(patience)
    const { history } = this.recorder
    // Connections are judged as they are now.
    const found = checked(history, checks)
    world.end()
    await this.#stage.stop()
    this.#judge("in the end", [...wrong, ...this.#seen()])
    for (const [name, lines] of found) if (!this.#judge(name, lines)) this.found.add(name)
    const [words, { said, got, wills, faults }] = [new Words(history), history]
    const also = handedOver(history, words)
    const twice = also === 0 ? "" : `, ${also} of QoS 1 done by a second member when the first lost its broker`
    say(
      `  ${faults.length} faults, ${said.length} said, ${world.acknowledged} acknowledged, ${got.length} came${twice}`,
    )
    if (world.retainedLate > 0)
      say(`  the last retained messages were on all nodes ${(world.retainedLate / 1000).toFixed(1)} s later`)
    say(
      `  ${world.moves} moves, ${history.connections.length} connections, ${wills.length} wills, ${world.refusals} refused`,
    )
  }

  *#seen(): Generator<string> {
    yield* this.#stage.found()
    if (this.#world !== undefined) yield* this.#world.findings()
  }

  /** @returns whether nothing is wrong */
  #judge(where: string, wrong: readonly string[]): boolean {
    if (wrong.length === 0) this.passed++
    else this.failed++
    this.findings.push(...wrong.map((line) => `${where}: ${line}`))
    return wrong.length === 0
  }
}
