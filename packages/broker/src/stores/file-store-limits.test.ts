// Room: the disk's, the folder's limit; and when turns are written.

import { describe, expect, it } from "vitest"
import { folded, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, handOver, restored } from "../../tests/stores/small-hub.ts"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import { type FileStore, type FileStoreOptions, openStoreIn } from "./file-store.ts"
import { recordHeadLength } from "./records.ts"

const openIn = async (folder: ToyFolder, options: FileStoreOptions = {}): Promise<FileStore> => {
  const store = await openStoreIn(folder, toyPace, options, async () => {})
  await restored(store)
  return store
}

async function contentOf(folder: ToyFolder): Promise<Change[]> {
  const store = await openStoreIn(folder, toyPace, {}, async () => {})
  const changes = await restored(store)
  await answerOf(store.close())
  return changes
}

const opened: Change = {
  ...{ type: "opened", clientId: "a", expiryInterval: 60 },
  owner: { user: "u", source: "password", account: "user u" },
}
const publish = (sequence: number, bytes = 100): Change[] => [
  {
    ...{ type: "message", sequence, topic: "t", qos: 1, retain: false, expiresAt: Number.POSITIVE_INFINITY },
    ...{ properties: new Uint8Array(0), payload: new Uint8Array(bytes).fill(sequence) },
  },
  {
    ...{ type: "queued", clientId: "a", place: sequence, sequence, qos: 1, retain: false, identifiers: [] },
    share: undefined,
  },
]
const done = (place: number): Change => ({ type: "done", clientId: "a", place })
/** Bytes of a turn in a journal. */
function sizeOf(turn: readonly Change[]): number {
  const writer = new TurnWriter()
  encodeTurn(turn, writer)
  return recordHeadLength + writer.length
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 20))

describe("the folder's limit", () => {
  it("three quarters of it are for turns that leave no room to fold: one that fits to the byte goes in, one byte more does not", async () => {
    const folder = new ToyFolder()
    let store = await openIn(folder)
    await handOver(store, [[opened]])
    await store.compact() // one before the turn would make no room
    await answerOf(store.close())
    const before = folder.size
    // Such a number that three quarters of it are whole.
    const [size, maximumBytes] = [1200, 1600]
    const payload = size - before - sizeOf(publish(1, 900)) + 900
    store = await openIn(folder, { maximumBytes })
    expect(await answerOf(store.commit(publish(1, payload + 1)))).toEqual({
      failed: `the store is full: 1201 bytes are more than three quarters of the 1600 that FOLDER may have; raise the limit`,
    })
    expect(folder.size).toBe(before)
    const answer = answerOf(store.commit(publish(1, payload)))
    const least = new Set<number>()
    for (let n = 0; n < 20; n++) {
      least.add(folder.size) // and then it begins to fold
      await Promise.resolve()
    }
    expect(least).toContain(size)
    expect(await answer).toBe("committed")
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual(folded([[opened], publish(1, payload)]))
  })

  it("what is done makes room when it is folded, and the folder never has more", async () => {
    const folder = new ToyFolder()
    const maximumBytes = 20_000
    const store = await openIn(folder, { maximumBytes })
    const turns: Change[][] = [[opened]]
    await handOver(store, turns)
    let sequence = 0
    let most = 0
    const commit = async (turn: Change[]) => {
      for (let attempt = 0; ; attempt++) {
        const answer = await answerOf(store.commit(turn))
        most = Math.max(most, folder.size)
        if (answer === "committed") {
          turns.push(turn)
          return
        }
        expect(attempt).toBeLessThan(200)
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    for (let n = 0; n < 500; n++) {
      await commit(publish(++sequence))
      await commit([done(sequence)])
      if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    await answerOf(store.close())
    expect(most).toBeGreaterThan(maximumBytes / 10)
    expect(most).toBeLessThanOrEqual(maximumBytes)
    expect(await contentOf(folder)).toEqual([opened])
  })

  it("folds that fail leave one journal behind, not one each", async () => {
    const folder = new ToyFolder()
    const store = await openIn(folder, { maximumBytes: 40_000 })
    await handOver(store, [[opened], publish(1)])
    folder.refused = /snapshot/
    for (let n = 0; n < 5; n++) await expect(store.compact()).rejects.toThrow("cannot fold")
    expect(folder.list().map(({ name }) => name)).toEqual(["journal-0000000001", "journal-0000000002"])
    await handOver(store, [publish(2)])
    await expect(store.compact()).rejects.toThrow("cannot fold")
    folder.refused = undefined
    await store.compact()
    expect(folder.list().map(({ name }) => name)).toEqual(["journal-0000000003", "snapshot-0000000002"])
    await handOver(store, [publish(3)])
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual(folded([[opened], publish(1), publish(2), publish(3)]))
  })

  it("it says that it is about to be full while what ends messages still goes in", async () => {
    const folder = new ToyFolder()
    const store = await openIn(folder, { maximumBytes: 40_000 })
    await handOver(store, [[opened]])
    let sequence = 0
    while (store.full() === undefined) {
      expect(await answerOf(store.commit(publish(++sequence)))).toBe("committed")
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(store.full()).toMatch(
      /^FOLDER has 16[23]\d\d bytes of the 40000 that it may have, and the rest is for folding it; raise the limit, or let clients take what waits$/,
    )
    expect(sequence).toBeGreaterThan(80)
    for (let place = 1; place <= sequence; place++) {
      expect(await answerOf(store.commit([done(place)]))).toBe("committed")
      await new Promise((resolve) => setImmediate(resolve))
    }
    await settled()
    expect(store.full()).toBeUndefined()
    expect(store.size).toBe(folder.size)
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual([opened])
  })
})

describe("a full folder has room again when what it has is done with, and nothing else comes", () => {
  const maximumBytes = 40_000
  const isFull = async (store: FileStore) => {
    if (store.full() === undefined) return false
    await settled() // a fold makes turns shorter
    return store.full() !== undefined
  }
  const openFull = async (sizes: (n: number) => number, durability: "process" | "power") => {
    const folder = new ToyFolder()
    const time = { now: 0 }
    const pace = { ...toyPace, now: () => time.now }
    const open = async () => {
      const store = await openStoreIn(folder, pace, { maximumBytes, durability }, async () => {})
      await restored(store)
      return store
    }
    const store = await open()
    await handOver(store, [[opened]])
    let sequence = 0
    while (!(await isFull(store))) {
      expect(await answerOf(store.commit(publish(++sequence, sizes(sequence))))).toBe("committed")
      await new Promise((resolve) => setImmediate(resolve))
    }
    return { folder, time, store, sequence, open }
  }
  const takeAll = async (store: FileStore, sequence: number, from = 1) => {
    for (let place = from; place <= sequence; place++)
      expect(await answerOf(store.commit([done(place)]))).toBe("committed")
  }
  const random = new Seeded(9)
  const sizes: [string, (n: number) => number][] = [
    ["50 bytes", () => 50],
    ["1,000 bytes", () => 1000],
    ["2,000 bytes", () => 2000],
    ["8,000 bytes", () => 8000],
    ["any number of bytes", () => random.below(random.below(4000) + 1)],
  ]
  for (const durability of ["process", "power"] as const) {
    it.each(sizes)(`messages of %s, durability ${durability}`, async (_what, size) => {
      const { folder, store, sequence, time } = await openFull(size, durability)
      await takeAll(store, sequence)
      // The broker asks once a second. One that could not be made is tried anew after ten.
      for (; store.full() !== undefined && time.now < 12_000; time.now += 1000) await settled()
      expect(store.full()).toBeUndefined()
      await answerOf(store.close())
      expect(await contentOf(folder)).toEqual([opened])
    })
  }

  it("also when the broker was killed before it could fold", async () => {
    const { folder, store, sequence, open } = await openFull(() => 3000, "process")
    await store.compact()
    expect(store.full()).toBeDefined() // and all of it is in the snapshot
    folder.refused = /snapshot/
    await takeAll(store, sequence)
    await settled()
    folder.refused = undefined
    const again = await open()
    await expect.poll(() => again.full()).toBeUndefined()
    await expect.poll(() => folder.size).toBeLessThan(1000)
    await answerOf(again.close())
  })

  it("a large message is most of it, and nobody knows that: it is folded after a while, and then less and less often", async () => {
    const { folder, store, time, sequence } = await openFull((n) => (n === 1 ? 12_000 : 50), "process")
    const snapshots = () =>
      folder
        .list()
        .filter(({ name }) => name.startsWith("snapshot"))
        .map(({ name }) => name)
    const before = snapshots()
    expect(await answerOf(store.commit([done(1)]))).toBe("committed")
    for (; time.now < 9000; time.now += 1000) expect(store.full()).toBeDefined()
    await settled()
    expect(snapshots()).toEqual(before)
    for (; store.full() !== undefined && time.now < 25_000; time.now += 1000) await settled()
    expect(store.full()).toBeUndefined()
    let place = sequence
    while (!(await isFull(store))) await answerOf(store.commit(publish(++place, 50)))
    const seen = new Set(snapshots())
    for (let n = 2; n < 60; n++) {
      time.now += 10_000
      await answerOf(store.commit([done(n), ...publish(++place, 50)]))
      store.full()
      await settled()
      for (const name of snapshots()) seen.add(name)
      expect(folder.size).toBeLessThanOrEqual(maximumBytes)
    }
    expect(seen.size).toBeGreaterThan(2)
    expect(seen.size).toBeLessThan(12)
    await answerOf(store.close())
  })
})

describe("a full disk", () => {
  it("is told in a line; what was written in part is cut off, and the same turn goes in when there is room", async () => {
    const folder = new ToyFolder()
    const store = await openIn(folder)
    await handOver(store, [[opened]])
    const before = folder.size
    const size = sizeOf(publish(1))
    for (const room of [0, 1, 11, 12, 50, size - 1]) {
      folder.capacity = before + room
      expect(await answerOf(store.commit(publish(1)))).toEqual({
        failed: "cannot write FOLDER/journal-0000000001: the disk is full; make room on it (ENOSPC)",
      })
      expect(folder.size).toBe(before)
      expect(await contentOf(folder.afterDeath())).toEqual([opened])
    }
    folder.capacity = before + size
    expect(await answerOf(store.commit(publish(1)))).toBe("committed")
    expect(folder.size).toBe(folder.capacity)
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual(folded([[opened], publish(1)]))
  })

  it("is none where all is done with: it is folded before that fills a small one", async () => {
    const folder = new ToyFolder()
    folder.capacity = 100_000
    const store = await openIn(folder)
    await handOver(store, [[opened]])
    for (let n = 1; n <= 300; n++) {
      expect(await handOver(store, [publish(n, 1000), [done(n)]])).toEqual({ committed: 2, failures: [] })
      await new Promise((resolve) => setImmediate(resolve))
    }
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual([opened])
  })

  it("lets a broker start that has died in a fold, before the new journal had its head", async () => {
    const folder = new ToyFolder()
    const store = await openIn(folder)
    await handOver(store, [[opened], publish(1)])
    await answerOf(store.close())
    for (const torn of [0, 5]) {
      const left = folder.afterDeath()
      await left.create("journal-0000000002")
      left.entries.get("journal-0000000002")?.resize(torn)
      left.capacity = left.size
      const again = await openIn(left)
      await settled() // a fold begins, and finds no room
      expect(left.list().map(({ name }) => name)).toEqual(["journal-0000000001"])
      expect(await answerOf(again.commit(publish(2)))).toEqual({ failed: expect.stringMatching(/the disk is full/) })
      left.capacity += 1000
      expect(await answerOf(again.commit(publish(2)))).toBe("committed")
      await answerOf(again.close())
      expect(await contentOf(left)).toEqual(folded([[opened], publish(1), publish(2)]))
    }
  })

  it("that others fill is seen in time: what is done is folded then", async () => {
    const folder = new ToyFolder()
    let now = 0
    const store = await openStoreIn(folder, { ...toyPace, now: () => now }, {}, async () => {})
    await restored(store)
    await handOver(store, [[opened]])
    const some = async (from: number): Promise<void> => {
      for (let n = from; n < from + 40; n++) {
        await handOver(store, [publish(n, 1000), [done(n)]])
        await settled()
      }
    }
    await some(1)
    expect(folder.list()).toHaveLength(1)
    folder.capacity = folder.size + 50_000
    now += 10_000
    await some(41)
    expect(folder.list().some(({ name }) => name.startsWith("snapshot-"))).toBe(true)
    await answerOf(store.close())
  })

  it("is said to be one while it has room for what ends messages, which makes room", async () => {
    const folder = new ToyFolder()
    let now = 0
    const store = await openStoreIn(folder, { ...toyPace, now: () => now }, {}, async () => {})
    await restored(store)
    await handOver(store, [[opened]])
    let sequence = 0
    const publishOn = async () => {
      expect(await answerOf(store.commit(publish(++sequence, 1000)))).toBe("committed")
    }
    // A snapshot that takes more of the disk than half.
    while (sequence < 100) await publishOn()
    await store.compact()
    folder.capacity = folder.size + 60_000
    now += 10_000
    await publishOn()
    await settled()
    while (store.full() === undefined) await publishOn()
    expect(store.full()).toBe(
      "FOLDER is on a disk that is almost full; make room on it, or let clients take what waits",
    )
    expect(folder.capacity - folder.size).toBeGreaterThan(10_000)
    for (let place = 1; place <= sequence; place++) {
      expect(await answerOf(store.commit([done(place)]))).toBe("committed")
      if (place % 10 === 0) {
        now += 60_000
        await settled()
      }
    }
    await settled()
    expect(store.full()).toBeUndefined()
    expect(folder.size).toBeLessThan(folder.capacity / 2)
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual([opened])
  })

  it("that leaves no room for another snapshot is not read again and again", async () => {
    const folder = new ToyFolder()
    const notes: string[] = []
    let store = await openIn(folder)
    await handOver(store, [[opened], ...Array.from({ length: 50 }, (_, i) => publish(i + 1, 1000))])
    await store.compact()
    await answerOf(store.close())
    const { size } = folder
    folder.capacity = size + 30_000
    store = await openIn(folder, { onNote: (line) => notes.push(line) })
    for (let n = 51; n <= 70; n++) await handOver(store, [publish(n, 1000)])
    await settled()
    expect([folder.list().length, notes]).toEqual([2, []])
    await answerOf(store.close())
  })

  it("that leaves no room to fold is told once, and turns go on", async () => {
    const folder = new ToyFolder()
    const notes: string[] = []
    const store = await openIn(folder, { foldAfter: 3000, onNote: (line) => notes.push(line) })
    const turns = [[opened], ...Array.from({ length: 100 }, (_, i) => publish(i + 1))]
    folder.capacity = 101 * 150
    expect((await handOver(store, turns)).failures).toEqual([])
    await settled()
    expect(notes).toEqual(["cannot fold the journals of FOLDER: the disk is full; make room on it (ENOSPC)"])
    await answerOf(store.close())
    expect([...folder.entries.keys()].filter((name) => name.endsWith(".new"))).toEqual([])
    expect(await contentOf(folder)).toEqual(folded(turns))
  })
})

it("journals with damage are not folded: it is told, nothing is removed, and turns go on", async () => {
  const folder = new ToyFolder()
  const notes: string[] = []
  const store = await openIn(folder, { foldAfter: 5000, onNote: (line) => notes.push(line) })
  await handOver(store, [[opened], publish(1)])
  const journal = folder.entries.get("journal-0000000001")
  if (journal !== undefined) journal.content[100]! ^= 1
  await handOver(
    store,
    Array.from({ length: 60 }, (_, i) => publish(i + 2)),
  )
  await settled()
  expect(notes).toEqual([
    expect.stringMatching(/^cannot fold the journals of FOLDER: FOLDER\/journal-0000000001 is damaged at/),
  ])
  await answerOf(store.close())
  expect([...folder.entries.keys()]).toEqual(["journal-0000000001", "journal-0000000002"])
})

describe("turns that are collected", () => {
  it("are written at once when the time is over, and all of them are answered then", async () => {
    const folder = new ToyFolder()
    let flush = () => {}
    const after = (_milliseconds: number, work: () => void) => {
      flush = work
      return () => {}
    }
    const pace = { ...toyPace, after }
    const store = await openStoreIn(folder, pace, { flushInterval: 1000 }, async () => {})
    await restored(store)
    const steps = folder.steps
    const answers: string[] = []
    const turns = [[opened], publish(1), publish(2)]
    for (const turn of turns) void answerOf(store.commit(turn)).then((answer) => answers.push(JSON.stringify(answer)))
    await settled()
    expect([answers, folder.steps]).toEqual([[], steps])
    expect(await contentOf(folder.afterDeath())).toEqual([])
    flush()
    await settled()
    expect([answers, folder.steps]).toEqual([turns.map(() => '"committed"'), steps + 1])
    await answerOf(store.close())
    expect(await contentOf(folder)).toEqual(folded(turns))
  })

  it("are written before it when there is much of them", async () => {
    const folder = new ToyFolder()
    const store = await openIn(folder, { flushInterval: 60_000 })
    const answers = Array.from({ length: 3 }, (_, i) => answerOf(store.commit(publish(i + 1, 400_000))))
    expect(await Promise.all(answers)).toEqual(["committed", "committed", "committed"])
    await answerOf(store.close())
  })
})

it("turns that come while the disk is at work wait for the next time together", async () => {
  const folder = new ToyFolder()
  const store = await openIn(folder, { durability: "power" })
  const steps = folder.steps
  const turns = [[opened], ...Array.from({ length: 20 }, (_, i) => publish(i + 1))]
  expect(await handOver(store, turns, 21)).toEqual({ committed: 21, failures: [] })
  // One write each; the first goes to the disk alone, the others together.
  expect(folder.steps - steps).toBe(21 + 2)
  await answerOf(store.close())
})

it("what the disk did not take for certain is cut off with what came meanwhile, and all of it fails", async () => {
  const folder = new ToyFolder()
  const store = await openIn(folder, { durability: "power" })
  await handOver(store, [[opened]])
  const before = folder.size
  // The first turn's write, the second's, and then the first's way to the disk.
  folder.trouble = { at: folder.steps + 3, kind: "once" }
  const answers = await Promise.all([1, 2].map((n) => answerOf(store.commit(publish(n)))))
  const failed = "cannot write FOLDER/journal-0000000001: the disk fails; look at the system's log (EIO)"
  expect(answers).toEqual([{ failed }, { failed }])
  expect(folder.size).toBe(before)
  expect(await handOver(store, [publish(1), publish(2)], 2)).toEqual({ committed: 2, failures: [] })
  await answerOf(store.close())
  expect(await contentOf(folder)).toEqual(folded([[opened], publish(1), publish(2)]))
})
