// A folder with a limit never locks: whatever was taken while it had room can be ended, and what was ended makes room, however
// often the broker dies on the way. What is taken here is asked for before, as the hub does.

import { expect, it } from "vitest"
import { Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import type { Change, Owner } from "../packet/change.ts"
import { changeBytes } from "../packet/change-size.ts"
import { type FileStore, openStoreIn } from "./file-store.ts"

const owner: Owner = { user: "u", source: "password", account: "user u" }

interface Client {
  readonly clientId: string
  readonly waiting: { readonly place: number; sent: boolean }[]
  places: number
}

class Player {
  readonly #random: Seeded
  readonly #maximumBytes: number
  readonly #durability: "process" | "power"
  #folder = new ToyFolder()
  #store!: FileStore
  readonly #time = { now: 0 }
  readonly clients: Map<string, Client> = new Map()
  readonly retained: Set<string> = new Set()
  #sequence = 0
  /** Of the folder, bytes at most. */
  most = 0
  refused = 0
  readonly notes: string[] = []

  constructor(seed: number, maximumBytes: number, durability: "process" | "power") {
    this.#random = new Seeded(seed)
    this.#maximumBytes = maximumBytes
    this.#durability = durability
  }

  async open(): Promise<Change[]> {
    const { now } = this.#time
    const pace = { ...toyPace, now: () => this.#time.now }
    const options = { maximumBytes: this.#maximumBytes, durability: this.#durability, foldAfter: 1e9 }
    const onNote = (line: string) => this.notes.push(line)
    this.#store = await openStoreIn(this.#folder, pace, { ...options, onNote }, async () => {})
    this.#time.now = now
    return restored(this.#store)
  }

  get size(): number {
    return this.#store.size
  }

  get full(): boolean {
    return this.#store.full() !== undefined
  }

  pass(milliseconds: number): void {
    this.#time.now += milliseconds
  }

  async again(): Promise<Change[]> {
    if (this.#random.chance(0.5)) await answerOf(this.#store.close())
    this.#folder = this.#folder.afterDeath()
    return this.open()
  }

  async commit(turn: readonly Change[]): Promise<void> {
    if (turn.length === 0) return
    const answer = answerOf(this.#store.commit(turn))
    for (let done = false; !done; ) {
      this.most = Math.max(this.most, this.#folder.size)
      const tick = new Promise<false>((resolve) => setImmediate(() => resolve(false)))
      done = (await Promise.race([answer.then(() => true as const), tick])) as boolean
    }
    this.most = Math.max(this.most, this.#folder.size)
    expect(await answer).toBe("committed")
  }

  /** What is new, if there is room for it. */
  async #take(turn: readonly Change[], taken: () => void): Promise<void> {
    const bytes = turn.reduce((sum, change) => sum + changeBytes(change), 0)
    const largest = turn.some((change) => change.type === "message" && change.payload.length > this.#store.largest!)
    if (largest || this.#store.full(bytes) !== undefined) {
      this.refused++
      return
    }
    taken()
    await this.commit(turn)
  }

  get #any(): Client | undefined {
    return this.clients.size === 0 ? undefined : this.#random.pick([...this.clients.values()])
  }

  readonly steps: Readonly<Record<string, () => Promise<void>>> = {
    open: async () => {
      const clientId = `${this.clients.size}${"x".repeat(this.#random.below(this.#random.chance(0.2) ? 250 : 20))}`
      if (this.clients.has(clientId) || this.clients.size > 300) return
      await this.#take(
        [
          { type: "opened", clientId, owner, expiryInterval: 60 },
          {
            ...{ type: "subscribed", clientId, filter: "all/#", qos: 2 },
            noLocal: false,
            retainAsPublished: false,
            identifier: undefined,
          },
        ],
        () => this.clients.set(clientId, { clientId, waiting: [], places: 0 }),
      )
    },
    publish: async () => {
      const random = this.#random
      const largest = this.#store.largest!
      const sequence = this.#sequence + 1
      const retained = random.chance(0.3) ? `r/${random.below(20)}` : undefined
      const to = [...this.clients.values()].filter(() => random.chance(0.5))
      if (random.chance(0.5)) to.splice(1)
      if (retained === undefined && to.length === 0) return
      const size = random.pick([10, 100, random.below(largest), largest - random.below(300)])
      const message: Change = {
        ...{ type: "message", sequence, topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY },
        ...{ properties: new Uint8Array(0), payload: new Uint8Array(Math.max(0, size)) },
      }
      const queued = to.map(
        ({ clientId, places }): Change => ({
          ...{ type: "queued", clientId, place: places + 1, sequence, qos: 1, retain: false, identifiers: [] },
          share: undefined,
        }),
      )
      const kept: Change[] = retained === undefined ? [] : [{ type: "retained", topic: retained, sequence }]
      await this.#take([message, ...kept, ...queued], () => {
        this.#sequence = sequence
        if (retained !== undefined) this.retained.add(retained)
        for (const client of to) client.waiting.push({ place: ++client.places, sent: false })
      })
    },
    send: async () => {
      const turn: Change[] = []
      for (const { clientId, waiting } of this.clients.values()) {
        for (const one of waiting.slice(0, 20)) {
          if (one.sent || this.#random.chance(0.3)) continue
          one.sent = true
          turn.push({ type: "sent", clientId, place: one.place, packetId: (one.place % 65_535) + 1 })
        }
      }
      await this.commit(turn)
    },
    acknowledge: async () => {
      const client = this.#any
      if (client === undefined) return
      const { clientId, waiting } = client
      const done = waiting.splice(0, this.#random.below(4))
      await this.commit(done.map(({ place }) => ({ type: "done", clientId, place })))
    },
    churn: async () => {
      const clientId = this.#any?.clientId
      if (clientId === undefined) return
      for (let n = this.#random.below(60); n > 0; n--) {
        await this.commit([{ type: "attended", clientId, expiryInterval: 60 }])
        await this.commit([{ type: "left", clientId, endsAt: 1_795_910_400_000 + n }])
      }
    },
    "all leave at once": async () => {
      if (!this.#random.chance(0.1)) return
      await this.commit(
        [...this.clients.keys()].map((clientId) => ({ type: "left", clientId, endsAt: 1_795_910_400_000 })),
      )
    },
    end: async () => {
      const clientId = this.#any?.clientId
      if (clientId === undefined || !this.#random.chance(0.1)) return
      this.clients.delete(clientId)
      await this.commit([{ type: "ended", clientId }])
    },
    forget: async () => {
      const [topic] = this.retained
      if (topic === undefined || !this.#random.chance(0.2)) return
      this.retained.delete(topic)
      await this.commit([{ type: "retained", topic, sequence: 0 }])
    },
    restart: async () => {
      if (this.#random.chance(0.1)) await this.again()
    },
  }

  async play(count: number): Promise<void> {
    const names = Object.keys(this.steps)
    for (let n = 0; n < count; n++) {
      // Mostly what fills it, until it is full.
      const name =
        this.full || this.#random.chance(0.3) ? this.#random.pick(names) : this.#random.pick(["open", "publish"])
      await this.steps[name]?.()
      this.pass(this.#random.below(300))
    }
  }

  /** Everything is acknowledged, as a client does it: sent, then done, one after the other, with a connection each time. */
  async drain(): Promise<void> {
    for (const { clientId, waiting } of this.clients.values()) {
      await this.commit([{ type: "attended", clientId, expiryInterval: 60 }])
      for (const { place, sent } of waiting) {
        if (!sent) await this.commit([{ type: "sent", clientId, place, packetId: (place % 65_535) + 1 }])
        await this.commit([{ type: "done", clientId, place }])
      }
      await this.commit([{ type: "left", clientId, endsAt: 1_795_910_400_000 }])
      waiting.length = 0
      if (this.#random.chance(0.02)) await this.again()
    }
    for (const topic of this.retained) await this.commit([{ type: "retained", topic, sequence: 0 }])
    this.retained.clear()
  }
}

const limits = [40_000, 100_000, 1_048_576]
const games = limits.flatMap((limit) => [1, 2, 3, 4].map((seed) => [limit, seed] as const))

it.each(games)("what was taken can be ended: a limit of %i bytes, seed %i", async (limit, seed) => {
  const player = new Player(seed, limit, seed % 2 === 0 ? "power" : "process")
  await player.open()
  await player.play(limit > 500_000 ? 600 : 300)
  expect(player.refused).toBeGreaterThan(10)
  await player.drain()
  for (let n = 0; n < 100 && player.full; n++) {
    player.pass(1000)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  expect(player.full).toBe(false)
  for (const clientId of player.clients.keys()) await player.commit([{ type: "ended", clientId }])
  expect(player.notes.filter((note) => /fold/.test(note))).toEqual([])
  expect(player.most).toBeGreaterThan(limit / 2)
  expect(player.most).toBeLessThanOrEqual(limit)
  expect((await player.again()).filter(({ type }) => type !== "clock")).toEqual([])
})

/** A folder of 100,000 bytes in which so many sessions wait for as many messages as there is room for. */
async function crowded(sessions: number, nameLength: number) {
  const notes: string[] = []
  const folder = new ToyFolder()
  const store = await openStoreIn(
    folder,
    toyPace,
    { maximumBytes: 100_000, onNote: (line) => notes.push(line) },
    async () => {},
  )
  await restored(store)
  const names = Array.from({ length: sessions }, (_, n) => `${n}`.padEnd(nameLength, "x"))
  const commit = async (turn: readonly Change[]) => {
    expect(await answerOf(store.commit(turn))).toBe("committed")
    expect(folder.size).toBeLessThanOrEqual(100_000)
  }
  await commit(names.map((clientId) => ({ type: "opened", clientId, owner, expiryInterval: 60 })))
  let places = 0
  for (;;) {
    const place = places + 1
    const turn: Change[] = [
      {
        ...{ type: "message", sequence: place, topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY },
        ...{ properties: new Uint8Array(0), payload: new Uint8Array(10) },
      },
      ...names.map((clientId): Change => {
        const message = { place, sequence: place, qos: 1, retain: false, identifiers: [], share: undefined } as const
        return { type: "queued", clientId, ...message }
      }),
    ]
    if (store.full(turn.reduce((sum, change) => sum + changeBytes(change), 0)) !== undefined) break
    places = place
    await commit(turn)
    await new Promise((resolve) => setTimeout(resolve, 5)) // folds
  }
  expect(places).toBeGreaterThan(0)
  return { store, folder, names, places, commit, notes }
}

it("what is small when it waits is longer when it was sent: that has room, too", async () => {
  const { store, names, places, commit, notes } = await crowded(150, 6)
  for (let place = 1; place <= places; place++)
    for (const clientId of names) await commit([{ type: "sent", clientId, place, packetId: 60_000 }])
  await store.compact()
  for (let place = 1; place <= places; place++)
    await commit(names.map((clientId) => ({ type: "done", clientId, place })))
  await store.compact()
  expect(notes).toEqual([])
  await answerOf(store.close())
})

it("a turn that ends more than there is room for goes in in parts, with folds between them", async () => {
  const { store, folder, names, commit, notes } = await crowded(80, 200)
  await store.compact()
  const turn: Change[] = []
  for (let n = 0; n < 5; n++) for (const clientId of names) turn.push({ type: "left", clientId, endsAt: 1e12 + n })
  expect(turn.reduce((sum, change) => sum + changeBytes(change), 0)).toBeGreaterThan(80_000)
  await commit(turn)
  expect(notes).toEqual([])
  await answerOf(store.close())
  const again = await openStoreIn(folder.afterDeath(), toyPace, {}, async () => {})
  const left = (await restored(again)).filter((change) => change.type === "left" && change.endsAt === 1e12 + 4)
  expect(left).toHaveLength(80)
})
