// Who outlives the broker: publishers, subscribers, wills. In the end everything comes home, and is compared.

import type { Random } from "../../tls13/fuzz/random.ts"
import { Client } from "../hostile/wire/client.ts"
import { packetType, readPublish } from "../hostile/wire/mqtt.ts"
import { payloadOf } from "./clients.ts"
import { Publisher } from "./publisher.ts"
import { Subscriber } from "./subscriber.ts"
import { type Life, Wills } from "./wills.ts"

/** Milliseconds that the last life has to bring everything home. */
const patience = 120_000
/** Milliseconds without a message after which none is taken to come. */
const quiet = 700

export class World {
  readonly publishers: readonly Publisher[]
  readonly there: Subscriber = new Subscriber("there", 5)
  /** It is there now and then. */
  readonly away: Subscriber = new Subscriber("away", 4)
  readonly #wills: Wills

  /** @param size bytes of a payload, at least */
  constructor(random: Random, size: number) {
    this.publishers = ([5, 4, 5] as const).map((version, i) => new Publisher(`p${i + 1}`, version, size))
    this.#wills = new Wills(random)
  }

  get subscribers(): readonly Subscriber[] {
    return [this.there, this.away]
  }

  get clients(): readonly (Publisher | Subscriber)[] {
    return [...this.publishers, ...this.subscribers]
  }

  get acknowledged(): number {
    return this.publishers.reduce((sum, { total }) => sum + total, 0)
  }

  get refusals(): number {
    return this.publishers.reduce((sum, { refusals }) => sum + refusals, 0)
  }

  get wills(): number {
    return this.#wills.left
  }

  /** Everybody has a session and the subscriptions before the first message. */
  async begin(port: number, isOver: () => boolean): Promise<void> {
    for (const subscriber of this.subscribers) {
      await subscriber.connect(port)
      while (!subscriber.subscribed && !isOver()) await pause(5)
    }
    for (const publisher of this.publishers) await publisher.connect(port)
  }

  /** Those come who are not there; nobody minds when the broker is killed meanwhile. */
  async enter(port: number, withAway: boolean): Promise<void> {
    const coming = this.clients.filter((client) => !client.connected && (withAway || client !== this.away))
    await Promise.all(coming.map((client) => client.connect(port).catch(() => undefined)))
  }

  /** Resolves when the broker has ended. */
  visit(life: Life): Promise<void> {
    return this.#wills.visit(life)
  }

  /** The broker may say that nothing can be kept. */
  set mayBeRefused(may: boolean) {
    for (const client of this.clients) client.mayBeRefused = may
    this.#wills.mayBeRefused = may
  }

  leave(): void {
    for (const client of this.clients) client.leave()
  }

  /** What clients saw since they were asked. */
  *findings(): Generator<string> {
    for (const { wrong } of this.clients) yield* wrong.splice(0)
    yield* this.#wills.wrong.splice(0)
  }

  /** Nobody is killed any more: what is missing when everything has come. */
  async home(port: number, isOver: () => boolean): Promise<readonly string[]> {
    for (const publisher of this.publishers) publisher.stopped = true
    this.mayBeRefused = false
    await this.enter(port, true)
    const end = performance.now() + patience
    const silent = () => performance.now() - Math.max(...this.subscribers.map(({ lastAt }) => lastAt)) > quiet
    const done = () => this.publishers.every(({ idle }) => idle) && this.#wills.complete(this.subscribers) && silent()
    while (!done() && performance.now() < end && !isOver()) await pause(50)
    const missing = this.publishers
      .filter(({ idle }) => !idle)
      .map(({ id }) => `${id}: the broker does not answer all of its messages`)
    for (const subscriber of this.subscribers) {
      for (const publisher of this.publishers) missing.push(...subscriber.missed(publisher))
      missing.push(...this.#wills.missed(subscriber))
    }
    try {
      missing.push(...this.#missedOf(await retainedBy(port)))
    } catch (error) {
      missing.push(`a new client: ${error instanceof Error ? error.message : error}`)
    }
    return missing
  }

  *#missedOf(found: ReadonlyMap<string, string>): Generator<string> {
    const wanted = new Map(this.publishers.flatMap(({ retained }) => [...retained]))
    for (const [topic, text] of wanted) {
      const has = found.get(topic) ?? "lost"
      if (has !== text) yield `the retained message of ${topic} is ${has}, and "${text}" was acknowledged`
    }
    for (const [topic, text] of found) {
      if (topic.startsWith("retained/") && !wanted.has(topic))
        yield `${topic} still has "${text}", which was taken away`
    }
    yield* this.#wills.missedOf(found)
  }
}

/** What is retained, by topic. */
export async function retainedBy(port: number): Promise<ReadonlyMap<string, string>> {
  const client = await Client.connect("tcp", port, { clientId: "looks" })
  const found = new Map<string, string>()
  let lastAt = performance.now()
  client.onPacket = (packet) => {
    // RETAIN is 0 in what is published meanwhile.
    if (packet.type !== packetType.publish || (packet.flags & 1) === 0) return
    lastAt = performance.now()
    found.set(readPublish(packet).topic, payloadOf(packet, 5).trim())
  }
  await client.subscribe(["retained/#", "wills/#"])
  while (performance.now() - lastAt < quiet && !client.wire.isClosed) await client.ping().then(() => pause(50))
  client.wire.destroy()
  return found
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
