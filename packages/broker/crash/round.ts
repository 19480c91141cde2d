// One folder, some lives of a broker on it, and clients that outlive them all.

import { type Random, seeded } from "../../tls13/fuzz/random.ts"
import { puremq } from "../hostile/programs.ts"
import { type BrokerOptions, checkStore, StartedBroker } from "./broker.ts"
import { pause, World } from "./world.ts"

/** Milliseconds of a life that is ended by the clock, at most. */
const longestLife = 400
/** Messages that are acknowledged in one that is ended by them, at most; of one with a store that answers late. */
const mostMessages = 3000
const mostLateMessages = 400
/** Milliseconds that it may take for them. */
const patience = 20_000
/** Messages that may wait for the subscriber that is away: it misses none. */
const mostQueued = 500_000
/** Bytes of a small folder: journals are folded each eighth of it. */
const smallFolder = 32 * 1024 * 1024

/** Findings that are told. */
const most = 20

export interface RoundOptions {
  /** All choices follow from it. */
  readonly seed: number
  /** How often the broker is killed. */
  readonly kills: number
  /** An empty one. */
  readonly folder: string
  readonly durability: string
  /** The program of a broker whose store answers late. */
  readonly lateBroker?: string | undefined
}

export abstract class Round {
  findings: string[] = []
  readonly world: World
  protected readonly options: RoundOptions
  protected readonly random: Random

  /** @param size bytes of a payload, at least */
  constructor(options: RoundOptions, size: number) {
    this.options = options
    this.random = seeded(options.seed)
    this.world = new World(seeded(options.seed, 1), size)
  }

  /** The folder of the store. */
  protected abstract get directory(): string

  /** One life, which ends with kill -9. */
  protected abstract live(number: number): Promise<void>

  async run(): Promise<void> {
    for (let number = 0; number < this.options.kills && this.findings.length === 0; number++) {
      await this.live(number)
      this.#place(`life ${number + 1}`)
    }
    if (this.findings.length > 0) return
    await this.#last()
    this.#place("in the end")
  }

  /** Findings are told with where they were found. */
  #place(where: string): void {
    this.findings = this.findings.slice(0, most).map((line) => `${where}: ${line}`)
  }

  protected broker(options: Partial<BrokerOptions> = {}): StartedBroker {
    const { lateBroker, durability } = this.options
    const args = ["--data", this.directory, "--durability", durability, "--max-queued", String(mostQueued)]
    const { file = lateBroker ?? puremq, args: more = [] } = options
    const env = lateBroker === undefined ? {} : { PUREMQ_LATE_SEED: String(this.random.integer(2 ** 31)) }
    return new StartedBroker({ ...options, file, args: [...args, ...more], env })
  }

  /** The port of a broker that has started; undefined, and a finding, when it has not. */
  protected async started(broker: StartedBroker): Promise<number | undefined> {
    const port = await broker.port()
    if (port === undefined) {
      if (broker.program.alive) this.findings.push("a start failed: the broker does not listen")
      await this.ended(broker)
    }
    return port
  }

  /** Kills it, if it has not ended, and looks at what it and the clients have to tell. */
  protected async ended(broker: StartedBroker): Promise<void> {
    await broker.kill()
    this.world.leave()
    this.findings.push(...broker.findings(), ...this.world.findings())
  }

  /** Nobody is killed any more: everything comes home. */
  async #last(): Promise<void> {
    const broker = this.broker()
    const port = await this.started(broker)
    if (port === undefined) return
    this.findings.push(...(await this.world.home(port, () => broker.isOver)))
    this.world.leave()
    await broker.stop()
    if (broker.program.status !== 0) this.findings.push(`the last broker ended with status ${broker.program.status}`)
    await this.ended(broker)
    const bad = await checkStore(this.directory)
    if (bad !== undefined) this.findings.push(bad)
  }
}

/** Killed at random moments under load, and now and then while it starts. */
export class KillingRound extends Round {
  readonly #small: boolean
  readonly #mostMessages: number
  /** Milliseconds of the last start. */
  #startTime = 200

  constructor(options: RoundOptions) {
    super(options, 0)
    this.#small = this.random.oneIn(2)
    this.#mostMessages = options.lateBroker === undefined ? mostMessages : mostLateMessages
  }

  protected get directory(): string {
    return `${this.options.folder}/store`
  }

  protected async live(number: number): Promise<void> {
    const { random, world } = this
    const killedInStart = random.oneIn(8) && number > 0
    const byClock = random.oneIn(3)
    const [moment, delay] = [random.integer(1000) / 1000, random.integer(20)]
    const broker = this.broker(this.#small ? { args: ["--store-size", String(smallFolder)] } : {})
    if (killedInStart) {
      await pause(moment * this.#startTime)
      return this.ended(broker)
    }
    const port = await this.started(broker)
    if (port === undefined) return
    this.#startTime = performance.now() - broker.startedAt
    const isOver = () => broker.isOver
    if (number === 0) await world.begin(port, isOver)
    const entering = world.enter(port, number % 2 === 0)
    const acknowledged = () => world.acknowledged
    const visiting = world.visit({ number, port, startedAt: broker.startedAt, isOver, acknowledged })
    if (byClock) await pause(moment * longestLife)
    else await this.#acknowledged(moment * this.#mostMessages, broker)
    await pause(delay)
    await broker.kill()
    await Promise.all([entering, visiting])
    await this.ended(broker)
  }

  /** Waits until so many more messages are acknowledged: so much happens on a busy machine, too. */
  async #acknowledged(messages: number, broker: StartedBroker): Promise<void> {
    const { world } = this
    const most = world.acknowledged + messages
    const end = performance.now() + patience
    while (world.acknowledged < most && !broker.isOver && performance.now() < end) await pause(1)
  }
}
