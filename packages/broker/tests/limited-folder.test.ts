// A broker whose folder has a limit: what follows by itself of what it has taken has room, or is told, and never stops the store.

import { expect, it } from "vitest"
import { Pause } from "../src/ports/pause.ts"
import { type FileStore, openStoreIn } from "../src/stores/file-store.ts"
import { publishBytes, TestBroker, type TestClient } from "./harness.ts"
import { answerOf } from "./stores/small-hub.ts"
import { ToyFolder, toyPace } from "./stores/toy-folder.ts"

const limit = 1_048_576
const persistent = { cleanStart: false, sessionExpiryInterval: 100_000 } as const

class Limited {
  folder = new ToyFolder()
  store!: FileStore
  test!: TestBroker
  readonly #durability: "process" | "power"

  constructor(durability: "process" | "power" = "process") {
    this.#durability = durability
  }

  async start(): Promise<this> {
    const { wall, now = 0 } = this.test ?? {}
    this.store = await openStoreIn(
      this.folder,
      toyPace,
      { maximumBytes: limit, durability: this.#durability },
      async () => {},
    )
    this.test = new TestBroker({ store: this.store })
    if (wall !== undefined) this.test.now = now
    const restoring = this.test.broker.restore(this.test.now)
    if (restoring instanceof Pause) expect(await answerOf(restoring)).toBe("restored")
    return this
  }

  /** kill -9, and a start. */
  async again(): Promise<void> {
    this.folder = this.folder.afterDeath()
    await this.start()
    await this.rest()
  }

  async rest(): Promise<void> {
    for (let n = 0; n < 40; n++) {
      await new Promise((resolve) => setImmediate(resolve))
      this.test.settle()
      expect(this.test.broker.recorder.broken).toBe(false)
      expect(this.folder.size).toBeLessThanOrEqual(limit)
    }
  }

  /** Messages of so many bytes, until there is no room or there are so many; returns how many. */
  async fill(bytes: number, most: number): Promise<number> {
    const pub = this.test.connect({ clientId: "pub" })
    for (let n = 1; n <= most; n++) {
      pub.send(publishBytes(5, "jobs", new Uint8Array(bytes), { qos: 1, packetId: n }))
      await this.rest()
      if (pub.acks().at(-1)?.reasonCode !== 0) return n - 1
    }
    return most
  }

  worker(clientId: string, session: object): TestClient {
    const client = this.test.connect({ clientId, ...session })
    client.subscribe("$share/g/jobs", { qos: 1 })
    return client
  }

  get lost(): number {
    const told = this.test.events.flatMap((event) => (event.event === "shared messages lost" ? [event.messages] : []))
    return told.reduce((sum, messages) => sum + messages, 0)
  }
}

it("shared messages that fill the folder go on to another when their session ends, and are not written again", async () => {
  const limited = await new Limited().start()
  limited.worker("a", persistent).cut()
  const taken = await limited.fill(60_000, 50)
  expect(taken).toBe(7)
  limited.worker("b", persistent).cut()
  await limited.rest()
  limited.test.connect({ clientId: "a", cleanStart: true })
  await limited.rest()
  expect(limited.lost).toBe(0)
  await limited.again()
  const b = limited.test.connect({ clientId: "b", ...persistent })
  await limited.rest()
  expect(b.take()).toHaveLength(taken)
})

it("shared messages that only were in memory go on as far as there is room, and the rest is told", async () => {
  const limited = await new Limited().start()
  const a = limited.worker("a", { receiveMaximum: 1 })
  expect(await limited.fill(60_000, 20)).toBe(20)
  expect(limited.folder.size).toBeLessThan(10_000)
  limited.worker("b", persistent).cut()
  await limited.rest()
  a.cut()
  await limited.rest()
  const { lost } = limited
  expect(lost).toBeGreaterThan(0)
  expect(lost).toBeLessThan(20)
  await limited.again()
  const b = limited.test.connect({ clientId: "b", ...persistent })
  await limited.rest()
  expect(b.take()).toHaveLength(20 - lost)
})

it("shared messages of clients with long names go on in turns that have room", async () => {
  const limited = await new Limited().start()
  const [a, b] = ["a".padEnd(256, "a"), "b".padEnd(256, "b")]
  for (const name of [a, b]) limited.worker(name, persistent).cut()
  const pub = limited.test.connect({ clientId: "pub" })
  let taken = 0
  for (; taken === pub.acks().filter(({ reasonCode }) => reasonCode === 0).length; taken++) {
    pub.send(publishBytes(5, "jobs", "x", { qos: 1, packetId: taken + 1 }))
    if (taken % 250 === 0) await limited.rest()
  }
  taken--
  expect(taken).toBeGreaterThan(1000)
  limited.test.connect({ clientId: a, cleanStart: true })
  for (let n = 0; n < 10; n++) await limited.rest()
  await limited.again()
  const waiting = [...limited.test.broker.sessions()].map(({ clientId, queuedMessages }) => [
    clientId[0],
    queuedMessages,
  ])
  expect(waiting).toEqual([["b", taken]])
})

it("a broker that closes while shared messages wait to go on leaves them to the next one", async () => {
  const limited = await new Limited("power").start()
  const workers = ["a", "b"].map((clientId) => limited.worker(clientId, persistent))
  await limited.rest()
  for (const worker of workers) worker.cut()
  const taken = await limited.fill(100, 30)
  limited.test.connect({ clientId: "c", ...persistent }) // a turn that waits for the disk
  limited.test.connect({ clientId: "a", cleanStart: true })
  const closing = limited.test.broker.close(limited.test.now)
  await limited.rest()
  if (closing instanceof Pause) await answerOf(closing)
  expect(limited.test.events.filter(({ event }) => event === "store failed")).toEqual([])
  await limited.again()
  const waiting = [...limited.test.broker.sessions()].reduce((sum, { queuedMessages }) => sum + queuedMessages, 0)
  expect(waiting).toBe(taken)
})

it("wills that wait, and nearly fill the folder, are there after a restart, and after one more", async () => {
  const limited = await new Limited().start()
  const payload = new Uint8Array(40_000)
  const will = {
    topic: "w",
    payload,
    qos: 1,
    retain: false,
    delayInterval: 5000,
  } as const
  let wills = 0
  for (; wills < 50; wills++) {
    const client = limited.test.connect({
      ...{ clientId: `c${wills}`, ...persistent },
      will,
    })
    await limited.rest()
    if (client.connack.reasonCode !== 0) break
  }
  expect(wills).toBeGreaterThan(8)
  await limited.again()
  await limited.again()
  const sub = limited.test.connect({ clientId: "sub" })
  sub.subscribe("w", { qos: 0 })
  limited.test.pass(5100)
  expect(sub.take()).toHaveLength(wills)
})
