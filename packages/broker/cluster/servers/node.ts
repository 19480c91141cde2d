// A node of the cluster: a broker that is started again and again, with links of its own to each server.

import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { StartedBroker } from "../../crash/broker.ts"
import { puremq } from "../../hostile/programs.ts"
import type { Recorder } from "../clients/recorder.ts"
import { Front, type Plant } from "../planted/front.ts"
import { type Cut, Link } from "./link.ts"
import type { NatsServer } from "./nats-server.ts"

/** Messages that may wait for a client that is away: it misses none. */
const mostQueued = 500_000
/** Partitions and copies of each. */
const partitions = 3
const replicas = 3

/** Lines of the log that are as they should be while something is broken: what failed, and that it is tried again. */
const expected = / (store failed|warning) /

export class Node {
  readonly name: string
  /** What it and its lives said and did that they must not. */
  readonly findings: string[] = []
  readonly #folder: string
  readonly #links: readonly Link[]
  readonly #data: string
  readonly #recorder: Recorder
  #broker: StartedBroker | undefined
  #port: number | undefined
  #lives = 0

  readonly #front: Front | undefined

  private constructor(name: string, folder: string, links: readonly Link[], recorder: Recorder, front?: Front) {
    this.name = name
    this.#front = front
    this.#recorder = recorder
    this.#folder = folder
    this.#data = join(folder, `store-${name}`)
    this.#links = links
  }

  /**
   * @param servers none: it is a broker alone, which keeps what it has in files
   * @param plant it stands before the node, and meddles
   */
  static async create(
    name: string,
    folder: string,
    servers: readonly NatsServer[],
    recorder: Recorder,
    plant?: Plant,
  ): Promise<Node> {
    const links = await Promise.all(servers.map(({ port }) => Link.open(port)))
    return new Node(name, folder, links, recorder, plant && (await Front.open(plant)))
  }

  /** Where it listens; undefined: it does not. */
  get port(): number | undefined {
    return this.#broker === undefined || this.#broker.isOver ? undefined : this.#port
  }

  /** @returns whether it listens */
  async start(): Promise<boolean> {
    this.#lives++
    const store = this.#links.length === 0 ? ["--data", this.#data] : this.#cluster()
    const args = ["--max-queued", String(mostQueued), ...store]
    const broker = new StartedBroker({ file: puremq, args, expected })
    this.#broker = broker
    const port = await broker.port()
    if (broker !== this.#broker) return false
    if (this.#front !== undefined) this.#front.to = port
    this.#port = port && (this.#front?.port ?? port)
    if (port !== undefined) this.#recorder.listens(this.name, this.#port ?? port)
    if (port === undefined && broker.program.alive) this.findings.push(`${this.name} does not listen`)
    else if (port === undefined) await this.kill()
    return port !== undefined
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#end((broker) => broker.kill())
  }

  /** As its owner ends it. */
  async stop(): Promise<void> {
    await this.#end((broker) => broker.stop())
  }

  async #end(how: (broker: StartedBroker) => Promise<void>): Promise<void> {
    const broker = this.#broker
    if (broker === undefined) return
    this.#port = undefined
    if (this.#front !== undefined) this.#front.to = undefined
    await how(broker)
    this.#broker = undefined
    this.#told(broker)
  }

  /** SIGSTOP: it stands still until `goOn`, and has its connections. */
  standStill(): void {
    this.#broker?.program.child.kill("SIGSTOP")
  }

  goOn(): void {
    this.#broker?.program.child.kill("SIGCONT")
  }

  cut(how: Cut): void {
    for (const link of this.#links) link.cut(how)
  }

  heal(): void {
    for (const link of this.#links) link.heal()
  }

  /** It has ended by itself; then it is started again. */
  async lookAfter(): Promise<void> {
    const broker = this.#broker
    if (broker === undefined || broker.program.alive) return
    this.#broker = undefined
    this.#told(broker)
    await this.start()
  }

  async close(): Promise<void> {
    await this.kill()
    this.#front?.close()
    for (const link of this.#links) link.close()
  }

  /** Writes what the life that has ended said, and keeps what is wrong in it. */
  #told(broker: StartedBroker): void {
    writeFileSync(join(this.#folder, `${this.name}-${this.#lives}.log`), broker.program.log)
    for (const line of broker.findings()) this.findings.push(`${this.name}, life ${this.#lives}: ${line}`)
  }

  #cluster(): readonly string[] {
    const servers = this.#links.map(({ port }) => `nats://127.0.0.1:${port}`)
    return [
      ...["--set", `cluster.nats=${servers.join(",")}`, "--set", "cluster.name=chaos"],
      ...["--set", `cluster.partitions=${partitions}`, "--set", `cluster.replicas=${replicas}`],
    ]
  }
}
