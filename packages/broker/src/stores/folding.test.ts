// Folding on a disk that is late: a sync takes ten seconds, on a clock of the test's own.

import { describe, expect, it } from "vitest"
import { folded } from "../../tests/stores/random-changes.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import type { Change } from "../packet/change.ts"
import { type FileStore, type FileStoreOptions, openStoreIn } from "./file-store.ts"
import type { Pace } from "./folder.ts"

const syncTakes = 10_000

class Clock implements Pace {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly work: () => void }>()

  now(): number {
    return this.#now
  }

  after(milliseconds: number, work: () => void): () => void {
    const timer = { at: this.#now + milliseconds, work }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  breathe(): Promise<void> {
    return toyPace.breathe()
  }

  /** Time goes on, and all that is due is done. */
  async pass(milliseconds: number): Promise<void> {
    this.#now += milliseconds
    for (const timer of [...this.#timers]) if (timer.at <= this.#now && this.#timers.delete(timer)) timer.work()
    for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve))
  }
}

async function lateStore(options: FileStoreOptions): Promise<{ folder: ToyFolder; store: FileStore; clock: Clock }> {
  const folder = new ToyFolder()
  const clock = new Clock()
  const store = await openStoreIn(folder, clock, { foldAfter: 3000, ...options }, async () => {})
  await restored(store)
  folder.late = () => new Promise((resolve) => clock.after(syncTakes, resolve))
  return { folder, store, clock }
}

const topics = 7
const retained = (sequence: number): Change[] => [
  {
    ...{ type: "message", sequence, topic: `t/${sequence % topics}`, qos: 1, retain: true },
    ...{ expiresAt: Number.POSITIVE_INFINITY, properties: new Uint8Array(0), payload: new Uint8Array(80) },
  },
  { type: "retained", topic: `t/${sequence % topics}`, sequence },
]
const turns = Array.from({ length: 500 }, (_, i) => retained(i + 1))

async function closed(store: FileStore, clock: Clock): Promise<void> {
  let open = true
  void answerOf(store.close()).then(() => (open = false))
  while (open) await clock.pass(syncTakes)
}

async function contentOf(folder: ToyFolder): Promise<Change[]> {
  const store = await openStoreIn(folder.afterDeath(), toyPace, {}, async () => {})
  const changes = await restored(store)
  await answerOf(store.close())
  return changes
}

describe("a sync that takes ten seconds", () => {
  it.each([0, 200])("process: holds no commit, in all of a fold (collected for %d ms)", async (flushInterval) => {
    const { folder, store, clock } = await lateStore({ flushInterval })
    const snapshots = new Set<string>()
    let meanwhile = 0
    for (const turn of turns) {
      const answer = store.commit(turn)
      if (flushInterval === 0) expect(answer).toBe("committed")
      let answered = false
      void answerOf(answer).then((answer) => (answered = answer === "committed"))
      if (folder.syncing > 0) meanwhile++
      await clock.pass(200)
      expect(answered).toBe(true)
      for (const name of folder.entries.keys()) if (/^snapshot-\d+$/.test(name)) snapshots.add(name)
    }
    expect(snapshots.size).toBeGreaterThanOrEqual(2)
    expect(meanwhile).toBeGreaterThan(300)
    // One at a time: the system's few threads for files are for others too.
    expect(folder.mostSyncing).toBe(1)
    await closed(store, clock)
    expect(await contentOf(folder)).toEqual(folded(turns))
  })

  it("power: a commit waits for the one under way and for its own, and no longer for a fold", async () => {
    const { folder, store, clock } = await lateStore({ durability: "power" })
    const waits: number[] = []
    const snapshots = new Set<string>()
    for (const turn of turns) {
      const from = clock.now()
      void answerOf(store.commit(turn)).then((answer) => {
        expect(answer).toBe("committed")
        waits.push(clock.now() - from)
      })
      await clock.pass(200)
      for (const name of folder.entries.keys()) if (/^snapshot-\d+$/.test(name)) snapshots.add(name)
    }
    for (let n = 0; n < 3; n++) await clock.pass(syncTakes)
    expect(waits.length).toBe(turns.length)
    expect(Math.max(...waits)).toBeLessThanOrEqual(2 * syncTakes + 200)
    expect(Math.max(...waits)).toBeGreaterThan(syncTakes)
    expect(snapshots.size).toBeGreaterThanOrEqual(1)
    expect(folder.mostSyncing).toBe(2)
    await closed(store, clock)
    expect(await contentOf(folder)).toEqual(folded(turns))
  })
})
