// One folder, many lives of a broker on it, and clients that outlive them all.

import { join } from "node:path"
import { Program, puremq } from "../hostile/programs.ts"
import { Client } from "../hostile/wire/client.ts"
import { connect, packetType } from "../hostile/wire/mqtt.ts"
import { openWire } from "../hostile/wire/wire.ts"
import { Publisher, Subscriber } from "./clients.ts"

/** Milliseconds of a life, at most. */
const longestLife = 400
/** Milliseconds that the last life has to bring everything home. */
const patience = 60_000

export class Crash {
  readonly #folder: string
  readonly #durability: string
  readonly #publishers = ["p1", "p2", "p3"].map((id) => new Publisher(id, 20))
  readonly #there = new Subscriber("there")
  readonly #away = new Subscriber("away")
  readonly #wrong: string[] = []
  /** Payloads of wills whose clients had their CONNACK. */
  readonly #wills: string[] = []
  #state: number

  constructor(folder: string, seed: number, durability: string) {
    this.#folder = folder
    this.#state = seed
    this.#durability = durability
  }

  async run(runs: number): Promise<number> {
    const begun = performance.now()
    console.log(`killing a broker ${runs} times (--seed ${this.#state}, durability ${this.#durability})`)
    for (let life = 0; life < runs && this.#wrong.length === 0; life++) {
      await this.#live(life)
      if ((life + 1) % 25 === 0) console.log(`  ${life + 1} lives, ${this.#acknowledged} messages acknowledged`)
    }
    if (this.#wrong.length === 0) await this.#last()
    const seconds = Math.round((performance.now() - begun) / 1000)
    for (const line of this.#wrong.slice(0, 20)) console.log(`WRONG ${line}`)
    const [passed, failed] = this.#wrong.length === 0 ? [1, 0] : [0, 1]
    console.log(
      `${runs} times killed, ${this.#acknowledged} messages acknowledged, ${this.#wills.length} wills, ${seconds} s`,
    )
    console.log(`crash: ${passed} passed, ${failed} failed`)
    return failed
  }

  get #acknowledged(): number {
    return this.#publishers.reduce((sum, { acknowledged }) => sum + acknowledged[1]!.size + acknowledged[2]!.size, 0)
  }

  #random(below: number): number {
    this.#state = (Math.imul(this.#state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return (this.#state >>> 8) % below
  }

  async #start(): Promise<{ readonly program: Program; readonly port: number } | undefined> {
    const program = new Program(puremq, [
      ...["start", "--tcp", "127.0.0.1:0", "--no-tls", "--data", join(this.#folder, "store")],
      ...["--durability", this.#durability],
    ])
    const match = await program.prints(/listening.*tcp on 127\.0\.0\.1:(\d+)/, patience)
    if (match !== undefined) return { program, port: Number(match[1]) }
    this.#wrong.push(`a start failed: ${program.end ?? "it does not listen"}: ${program.log.slice(-500)}`)
    return undefined
  }

  async #live(life: number): Promise<void> {
    const broker = await this.#start()
    if (broker === undefined) return
    const { program, port } = broker
    const clients = [...this.#publishers, this.#there, ...(life % 2 === 0 ? [this.#away] : [])]
    // Everybody has a session and the subscriptions before the first message.
    if (life === 0) {
      for (const subscriber of [this.#there, this.#away]) {
        await subscriber.connect(port)
        while (!subscriber.subscribed) await pause(5)
      }
      for (const publisher of this.#publishers) await publisher.connect(port)
    }
    const longest = 20 + this.#random(longestLife)
    const connecting = clients
      .filter(({ connected }) => !connected)
      .map((client) => client.connect(port).catch(() => undefined))
    const will = this.#connectWithWill(life, port)
    await pause(longest)
    program.child.kill("SIGKILL")
    await program.ended
    await Promise.all(connecting)
    await will
    for (const client of [...this.#publishers, this.#there, this.#away]) client.leave()
    this.#look(program)
  }

  /** A clean session: all that is kept of it is its will. */
  async #connectWithWill(life: number, port: number): Promise<void> {
    if (this.#random(3) !== 0) return
    try {
      const wire = await openWire("tcp", port)
      const payload = `will of life ${life}`
      const will = { topic: `wills/${life}`, payload, qos: 1 as const }
      wire.onBytes = (bytes) => {
        if (bytes[0] === packetType.connack << 4) this.#wills.push(payload)
      }
      wire.send(connect({ clientId: `will-${life}`, will }))
      await wire.closed
    } catch {
      // It was killed before.
    }
  }

  /** Nobody is killed any more: everything comes home. */
  async #last(): Promise<void> {
    const broker = await this.#start()
    if (broker === undefined) return
    const { program, port } = broker
    for (const publisher of this.#publishers) publisher.stopped = true
    for (const client of [...this.#publishers, this.#there, this.#away]) await client.connect(port)
    const end = performance.now() + patience
    const quiet = () => performance.now() - Math.max(this.#there.lastAt, this.#away.lastAt) > 1000
    while (performance.now() < end && !(this.#publishers.every(({ idle }) => idle) && quiet())) await pause(50)
    for (const publisher of this.#publishers) {
      if (!publisher.idle) this.#wrong.push(`${publisher.id}: the broker does not answer all of its messages`)
    }
    for (const subscriber of [this.#there, this.#away]) this.#compare(subscriber)
    await this.#compareRetained(port)
    program.child.kill("SIGTERM")
    await program.ended
    if (program.status !== 0) this.#wrong.push(`the last broker ended with status ${program.status}`)
    this.#look(program)
  }

  /** What a program said, and clients saw. */
  #look(program: Program): void {
    const fault = /^.* fault .*$/m.exec(program.log)?.[0] ?? (program.errors === "" ? undefined : program.errors)
    if (fault !== undefined) this.#wrong.push(`the broker says: ${fault.slice(0, 500)}`)
    for (const { wrong } of [...this.#publishers, this.#there, this.#away]) this.#wrong.push(...wrong.splice(0))
  }

  #compare(subscriber: Subscriber): void {
    for (const { id, acknowledged } of this.#publishers) {
      for (const qos of [1, 2]) {
        const got = subscriber.got.get(`${id} ${qos}`) ?? []
        const first = [...new Set(got)]
        const lost = [...acknowledged[qos]!].filter((count) => !isRetained(count) && !first.includes(count))
        const what = `${subscriber.id}: QoS ${qos} of ${id}`
        if (lost.length > 0) this.#wrong.push(`${what}: ${lost.length} acknowledged and lost, the first is ${lost[0]}`)
        if (qos === 2 && first.length !== got.length) this.#wrong.push(`${what}: ${got.length - first.length} doubled`)
        const back = first.findIndex((count, index) => index > 0 && count < first[index - 1]!)
        if (back > 0) this.#wrong.push(`${what}: ${first[back]} came after ${first[back - 1]}`)
      }
    }
    const lost = this.#wills.filter((payload) => !subscriber.others.includes(payload))
    if (lost.length > 0) this.#wrong.push(`${subscriber.id}: ${lost.length} wills lost, the first is the ${lost[0]}`)
  }

  async #compareRetained(port: number): Promise<void> {
    const client = await Client.connect("tcp", port, { clientId: "looks" })
    const found = new Map<string, number>()
    client.onPacket = ({ type, body }) => {
      if (type !== packetType.publish) return
      const [, by = "", , count] = /retained\/\S*?\W*(p\d) (\d) (\d+)$/.exec(Buffer.from(body).toString("latin1")) ?? []
      found.set(by, Number(count))
    }
    await client.subscribe(["retained/#"], 0)
    await client.ping()
    await pause(200)
    client.wire.destroy()
    for (const { id, lastRetained } of this.#publishers) {
      const count = found.get(id)
      if (lastRetained > 0 && (count === undefined || count < lastRetained))
        this.#wrong.push(`the retained message of ${id} is ${count ?? "lost"}, ${lastRetained} was acknowledged`)
    }
  }
}

/** These go to a topic of their own. */
function isRetained(count: number): boolean {
  return count % 20 === 1
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
