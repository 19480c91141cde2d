// A store whose disk is full: what it has said that it kept it keeps, what it cannot keep it refuses, and it lives.

import type { StartedBroker } from "./broker.ts"
import { Probe } from "./probe.ts"
import type { Room } from "./room.ts"
import { Round, type RoundOptions } from "./round.ts"
import { pause } from "./world.ts"

/** Bytes of a payload, at least. */
const size = 200
/** Milliseconds until the disk is full, at most; and until a broker that has room again goes on. */
const patience = 60_000
/** Milliseconds in which what was on its way comes. */
const settling = 250
/** Messages after which the disk is filled, at most. */
const mostMessages = 600

/** How a life on a full disk ends. */
type End = "killed" | "killed, started on the full disk, and killed" | "there is room, and then killed"

export class FullDiskRound extends Round {
  readonly #room: Room

  constructor(options: RoundOptions, room: Room) {
    super(options, size)
    this.#room = room
    this.world.mayBeRefused = true
  }

  protected get directory(): string {
    return this.#room.directory
  }

  #start(): StartedBroker {
    const { args, under } = this.#room
    return this.broker({ args, ...(under && { under }), expected: / (store failed|warning text="cannot fold) / })
  }

  protected async live(number: number): Promise<void> {
    const room = this.#room
    const end = this.#end(number)
    room.little()
    for (const publisher of this.world.publishers) publisher.press(false)
    const broker = this.#start()
    const port = await this.started(broker)
    if (port === undefined) return
    await this.#fill(number, broker, port, end)
    await this.ended(broker)
    if (end === "killed, started on the full disk, and killed" && this.findings.length === 0) await this.#startFull()
    room.plenty()
  }

  /** By turns. */
  #end(number: number): End {
    const ends: End[] = ["killed", "killed, started on the full disk, and killed"]
    if (this.#room.live) ends.push("there is room, and then killed")
    return ends[(number + this.options.seed) % ends.length]!
  }

  /** The subscriber that is away stays so, and what it has to get fills the disk. */
  async #fill(number: number, broker: StartedBroker, port: number, end: End): Promise<void> {
    const { world } = this
    const room = this.#room
    const isOver = () => broker.isOver
    const probe = await Probe.connect(port, number)
    if (number === 0) await world.begin(port, isOver)
    world.away.leave()
    await world.enter(port, false)
    const visiting = world.visit({
      ...{ number, port, startedAt: broker.startedAt, isOver },
      acknowledged: () => world.acknowledged,
    })
    const begun = world.acknowledged
    const most = this.random.integer(mostMessages)
    await until(() => world.acknowledged >= begun + most || isOver())
    room.fill()
    if (!(await until(() => this.#isFull(broker) || isOver()))) this.findings.push("the disk does not become full")
    else if (!isOver()) await this.#whileFull(broker, port, probe)
    if (end === "there is room, and then killed" && this.findings.length === 0) await this.#makeRoom(broker, probe)
    await broker.kill()
    probe.leave()
    await visiting
  }

  /** Nothing is acknowledged, what needs no store goes on, and what needs it is refused or waits. */
  async #whileFull(broker: StartedBroker, port: number, probe: Probe): Promise<void> {
    const { world } = this
    await this.#settled(broker)
    const before = world.acknowledged
    // What is refused now is told behind what was not answered before [MQTT-4.6.0-2].
    for (const publisher of world.publishers) publisher.press(true)
    this.findings.push(...(await probe.whileFull(port, this.#room.strict)))
    await pause(this.random.integer(800))
    if (this.#room.strict && world.acknowledged > before)
      this.findings.push(`${world.acknowledged - before} messages were acknowledged while the disk was full`)
    if (!broker.program.alive) return
    if (this.#room.strict && !this.#isFull(broker)) this.findings.push("a full disk had room")
    for (const client of [...world.publishers, world.there])
      if (!client.connected) this.findings.push(`${client.id} lost its connection while the disk was full`)
  }

  /** The log says it once, until there is room. */
  #isFull({ program }: StartedBroker): boolean {
    const times = (event: string) => program.output.match(new RegExp(`^\\S+ ${event}\\b`, "gm"))?.length ?? 0
    const [failed, recovered] = [times("store failed"), times("store recovered")]
    if (failed > recovered + 1) this.findings.push(`the log says ${failed} times that nothing can be kept`)
    return failed > recovered
  }

  /** What was on its way has come, and folding that was under way has ended. */
  async #settled(broker: StartedBroker): Promise<void> {
    const { world } = this
    for (let last = -1; last !== world.acknowledged && this.#room.strict && !broker.isOver; ) {
      last = world.acknowledged
      await pause(settling)
      if (!this.#isFull(broker)) last = -1
    }
  }

  async #startFull(): Promise<void> {
    const broker = this.#start()
    const port = await this.started(broker)
    if (port === undefined) return
    const entering = this.world.enter(port, false)
    await pause(this.random.integer(500))
    await broker.kill()
    await entering
    await this.ended(broker)
  }

  /** The same broker goes on. */
  async #makeRoom(broker: StartedBroker, probe: Probe): Promise<void> {
    const { world } = this
    this.#room.plenty()
    if ((await broker.program.prints(/ store recovered/, patience)) === undefined) {
      this.findings.push("the broker does not see that there is room")
      return
    }
    this.findings.push(...(await probe.recovered()))
    for (const publisher of world.publishers) {
      const { id, version, total } = publisher
      await until(() => publisher.total >= total + 100 || broker.isOver)
      if (publisher.total < total + 100) this.findings.push(`${id} is not served again when there is room`)
      else if (publisher.refusals > 0 !== (version === 5))
        this.findings.push(`${id}, of version ${version}, was refused ${publisher.refusals} times`)
    }
    await pause(this.random.integer(400))
  }
}

/** @returns whether it was so in time */
async function until(condition: () => boolean): Promise<boolean> {
  const end = performance.now() + patience
  while (!condition()) {
    if (performance.now() > end) return false
    await pause(5)
  }
  return true
}
