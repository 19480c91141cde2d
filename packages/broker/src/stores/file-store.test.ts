import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { storeContract } from "../../tests/stores/contract.ts"
import { anyTurns, folded, orderlyTurns, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, handOver, restored } from "../../tests/stores/small-hub.ts"
import { ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import { type FileStore, type FileStoreOptions, openStoreIn } from "./file-store.ts"
import type { Pace } from "./folder.ts"
import { openFileStore } from "./node-files.ts"

const inFolder = (options: FileStoreOptions) => () => {
  const directory = mkdtempSync(join(tmpdir(), "puremq-store-"))
  return {
    open: () => openFileStore({ directory, ...options }),
    remove: () => rmSync(directory, { recursive: true }),
  }
}
storeContract("files, durable past the process", inFolder({}))
storeContract("files, durable past the power", inFolder({ durability: "power" }))
storeContract("files, collected for 3 ms", inFolder({ flushInterval: 3 }))
storeContract("files, collected for 3 ms, durable past the power", inFolder({ flushInterval: 3, durability: "power" }))
storeContract("files, folded all the time", inFolder({ foldAfter: 200 }))
storeContract("files, folded all the time, durable past the power", inFolder({ foldAfter: 200, durability: "power" }))

const openIn = (folder: ToyFolder, options: FileStoreOptions = {}, pace: Pace = toyPace): Promise<FileStore> =>
  openStoreIn(folder, pace, options, async () => {})

/** What is collected is written in the next turn of the loop: as many writes on a busy machine as on any. */
const evenPace: Pace = {
  ...toyPace,
  after(_milliseconds, work) {
    const next = setImmediate(work)
    return () => clearImmediate(next)
  },
}

/** What a store in `folder` has, and what it says about it. */
async function contentOf(folder: ToyFolder): Promise<{ changes: Change[]; notes: string[] }> {
  const notes: string[] = []
  const store = await openIn(folder, { onNote: (line) => line.includes("references") || notes.push(line) })
  const changes = await restored(store)
  await answerOf(store.close())
  return { changes, notes }
}

/** A folder with what `turns` make, in a few files. */
async function written(turns: readonly Change[][], options: FileStoreOptions = {}): Promise<ToyFolder> {
  const folder = new ToyFolder()
  const store = await openIn(folder, options)
  await restored(store)
  await handOver(store, turns)
  await answerOf(store.close())
  return folder
}

const journal = (number: number) => `journal-000000000${number}`
const snapshot = (number: number) => `snapshot-000000000${number}`

function contentIn(folder: ToyFolder, name: string): Uint8Array {
  const inode = folder.entries.get(name)
  if (inode === undefined) throw new Error(`${name} is none of ${[...folder.entries.keys()]}`)
  return inode.content
}

function resize(folder: ToyFolder, name: string, length: number): void {
  folder.entries.get(name)?.resize(length)
}

describe("the end of a journal", () => {
  it("cut off at any byte of the last turn is cut off with it, and said; all before it is there", async () => {
    const turns = anyTurns(new Seeded(11), 20)
    turns.at(-1)?.push({ type: "clock", now: 1, wall: 2, until: 3 }) // its last byte is none of the zeros that follow
    const before = contentIn(await written(turns.slice(0, -1)), journal(1)).length
    const whole = contentIn(await written(turns), journal(1)).length
    for (let length = before; length < whole; length++) {
      for (const blank of [0, 40]) {
        const folder = await written(turns)
        resize(folder, journal(1), length)
        resize(folder, journal(1), length + blank)
        const { changes, notes } = await contentOf(folder)
        expect(changes).toEqual(folded(turns.slice(0, -1)))
        const bytes = length + blank - before
        const said = `FOLDER/${journal(1)}: ${bytes} bytes of a turn that was not finished are cut off at offset ${before}`
        expect(notes).toEqual(bytes === 0 ? [] : [said])
        expect(contentIn(folder, journal(1)).length).toBe(before)
      }
    }
  })

  it("that is zeros from where a sector begins was never written, however few they are", async () => {
    const turn = (bytes: number): Change[] => [
      {
        ...{ type: "message", sequence: 1, topic: "t", qos: 1, retain: true, expiresAt: 9 },
        ...{ properties: new Uint8Array(0), payload: new Uint8Array(bytes).fill(0x55) },
      },
      { type: "retained", topic: "t", sequence: 1 },
    ]
    const most = contentIn(await written([turn(600)]), journal(1)).length - 600
    for (const after of [1, 5, 15]) {
      for (const zeros of [after, after - 1]) {
        const folder = await written([turn(1024 + after - most)])
        const content = contentIn(folder, journal(1))
        expect(content.length).toBe(1024 + after)
        content[600]! = 0x54
        content.fill(0, content.length - zeros)
        content.fill(0x55, 1024, content.length - zeros)
        if (zeros === after) expect((await contentOf(folder)).changes).toEqual([])
        else await expect(openIn(folder)).rejects.toThrow(/is damaged at offset 36: a record is damaged/)
      }
    }
  })

  it("may be in its head: then it has no turns yet", async () => {
    for (const length of [0, 1, 23, 24, 35]) {
      const folder = await written([])
      resize(folder, journal(1), length)
      expect((await contentOf(folder)).changes).toEqual([])
      expect(contentIn(folder, journal(1)).length).toBe(36)
    }
  })
})

it("a snapshot of many records is as good as one", async () => {
  const turns = orderlyTurns(new Seeded(6), 4000)
  const folder = await written(turns)
  const store = await openIn(folder)
  await store.compact()
  await answerOf(store.close())
  expect(contentIn(folder, snapshot(1)).length).toBeGreaterThan(3 * 10_000)
  const { changes } = await contentOf(folder)
  expect(changes).toEqual(folded(turns))
  expect(changes.length).toBeGreaterThan(1500)
})

describe("damage", () => {
  it("of any byte before the last turn is told with file and offset, and nothing is written", async () => {
    const turns = anyTurns(new Seeded(12), 12)
    for (const compact of [false, true]) {
      const folder = await written(turns)
      if (compact) {
        const store = await openIn(folder)
        await store.compact()
        await answerOf(store.close())
      }
      const name = compact ? snapshot(1) : journal(1)
      const whole = contentIn(folder, name)
      const last = compact ? whole.length : contentIn(await written(turns.slice(0, -1)), name).length
      for (let at = 0; at < last; at++) {
        for (const bits of [0xff, 0x01]) {
          whole[at]! ^= bits
          const copy = folder.afterDeath()
          await expect(openIn(copy)).rejects.toThrow(
            new RegExp(
              `^(FOLDER/${name} is damaged at offset \\d+: [^\\n]+; nothing was changed: |cannot use FOLDER/${name}: )`,
            ),
          )
          expect(copy.steps).toBe(0)
          whole[at]! ^= bits
        }
      }
    }
  })

  it("a missing journal, and a snapshot or an older journal that is cut off", async () => {
    const folder = await written(anyTurns(new Seeded(1), 20))
    const store = await openIn(folder)
    await store.compact()
    await handOver(store, anyTurns(new Seeded(2), 5))
    await answerOf(store.close())
    const broken = async (change: (folder: ToyFolder) => void, message: RegExp) => {
      const copy = folder.afterDeath()
      change(copy)
      await expect(openIn(copy)).rejects.toThrow(message)
      expect(copy.steps).toBe(0)
    }
    expect([...folder.entries.keys()].sort()).toEqual([journal(2), snapshot(1)])
    await broken((copy) => copy.entries.delete(snapshot(1)), /journal-0000000001 is missing, and later files are there/)
    const short = contentIn(folder, snapshot(1)).length - 1
    await broken((copy) => resize(copy, snapshot(1), short), /snapshot-0000000001 is damaged at offset \d+/)
    await broken(
      (copy) => resize(copy, snapshot(1), short - 11),
      /snapshot-0000000001 is damaged at offset \d+: its end is missing/,
    )
    const later = (copy: ToyFolder) => {
      const inode = copy.entries.get(journal(2))
      if (inode !== undefined) copy.entries.set(journal(3), inode)
    }
    await broken(later, /journal-0000000003 is damaged at offset 0: its head/)
  })

  it("of the last turn is told too, unless it is what a crash leaves", async () => {
    const folder = await written(anyTurns(new Seeded(12), 12))
    const whole = contentIn(folder, journal(1))
    whole[whole.length - 1]! ^= 0x10
    await expect(openIn(folder)).rejects.toThrow(
      /is damaged at offset \d+: a record is damaged: its checksum does not fit/,
    )
  })

  it("a file of a later version of the broker is refused", async () => {
    const folder = await written([])
    const { RecordFormat } = await import("./records.ts")
    contentIn(folder, journal(1)).set(new RecordFormat().head("journal", 1, 0, 3))
    await expect(openIn(folder)).rejects.toThrow(
      /^cannot use FOLDER\/journal-0000000001: it is of version 3, and this broker reads up to 2; use a newer version of the broker, or another folder$/,
    )
  })
})

describe("files of version 1", () => {
  /** A journal as the version before wrote it: one turn with a retained message and a sign of life. */
  async function old(): Promise<ToyFolder> {
    const { RecordFormat } = await import("./records.ts")
    const format = new RecordFormat()
    const turn = [
      ...[1, 3], // version and Changes
      ...[0, 7, 1 | 4, 0, 1, 0x72, 0, 1, 0x78], // message 7, QoS 1, retained, on the topic r: x
      ...[13, 1, 0x72, 7], // retained
      ...[18, 2 + 100], // the time is 100
    ]
    const bytes = new Uint8Array(24 + 12 + turn.length)
    bytes.set(format.head("journal", 1, 0, 1))
    bytes.set(turn, 36)
    format.seal(bytes, 24, bytes.length)
    const folder = new ToyFolder()
    const file = await folder.create(journal(1))
    file.write(bytes, 0)
    return folder
  }
  const message = { type: "message", sequence: 7, topic: "r", qos: 1, retain: true, payload: Uint8Array.of(0x78) }
  const signOfLife = { type: "clock", now: 100, wall: 100, until: 60_100 }
  const expected = [
    { ...message, expiresAt: Number.POSITIVE_INFINITY, properties: new Uint8Array(0) },
    { type: "retained", topic: "r", sequence: 7 },
    signOfLife,
  ]

  it("are read: the message counts for nobody, and signs of life came once a minute", async () => {
    expect((await contentOf(await old())).changes).toEqual(expected)
  })

  it("are not written on: what comes goes to a file of this version, and both are read", async () => {
    const folder = await old()
    const before = Uint8Array.from(contentIn(folder, journal(1)))
    const store = await openIn(folder)
    await restored(store)
    const later = { type: "clock", now: 200, wall: 5, until: 1000 } as const
    await handOver(store, [[later]])
    await answerOf(store.close())
    expect(contentIn(folder, journal(1))).toEqual(before)
    expect([before[10], contentIn(folder, journal(2))[10]]).toEqual([1, 2])
    expect((await contentOf(folder)).changes).toEqual([...expected.slice(0, 2), later])
    // And once more, to the same file.
    await contentOf(folder)
    expect([...folder.entries.keys()].sort()).toEqual([journal(1), journal(2)])
  })

  it("become one of this version when they are folded", async () => {
    const folder = await old()
    const store = await openIn(folder)
    await restored(store)
    await store.compact()
    await answerOf(store.close())
    expect([...folder.entries.keys()].sort()).toEqual([journal(3), snapshot(2)])
    expect(contentIn(folder, snapshot(2))[10]).toBe(2)
    expect((await contentOf(folder)).changes).toEqual(expected)
  })
})

/** The number of turns, from `least` on, that make what is there; -1 when none does. */
function prefixOf(changes: readonly Change[], turns: readonly Change[][], least: number): number {
  for (let count = least; count <= turns.length; count++) {
    if (bytesOf(folded(turns.slice(0, count))) === bytesOf(changes)) return count
  }
  return -1
}

function bytesOf(changes: readonly Change[]): string {
  const writer = new TurnWriter()
  encodeTurn(changes, writer)
  return Buffer.from(writer.bytes.subarray(0, writer.length)).toString("latin1")
}

describe("whatever step fails", () => {
  const turns = anyTurns(new Seeded(21), 40)
  const all = folded(turns)
  const modes: [string, FileStoreOptions, number][] = [
    ["process", { foldAfter: 300 }, 1],
    ["collected", { foldAfter: 300, flushInterval: 1 }, 4],
    ["power", { foldAfter: 300, durability: "power" }, 4],
  ]

  it.each(modes)(
    "%s: turns are handed over again, and nothing is lost or there twice",
    async (_name, options, ahead) => {
      let failed = 0
      let folds = 0
      for (let at = 1; ; at++) {
        const folder = new ToyFolder()
        const store = await openIn(folder, options, evenPace)
        await restored(store)
        folder.steps = 0
        folder.trouble = { at, kind: "once", code: at % 2 === 0 ? "ENOSPC" : "EIO" }
        const handed = await handOver(store, turns, ahead)
        expect(handed.committed).toBe(turns.length)
        for (const line of handed.failures)
          expect(line).toMatch(/^cannot write FOLDER\/journal-\d+: the disk (is full|fails)[^\n]+$/)
        failed += handed.failures.length
        await answerOf(store.close())
        if (folder.entries.has(journal(1)) === false) folds++
        folder.trouble = undefined
        expect((await contentOf(folder)).changes).toEqual(all)
        if (folder.steps < at) break
      }
      expect(failed).toBeGreaterThan(20)
      expect(folds).toBeGreaterThan(20)
    },
  )

  it.each(modes)("%s: what was committed is there when the process dies at it", async (_name, options, ahead) => {
    const random = new Seeded(8)
    let folds = 0
    for (let at = 1; ; at++) {
      const folder = new ToyFolder()
      const store = await openIn(folder, options)
      await restored(store)
      folder.steps = 0
      folder.trouble = { at, kind: "death" }
      const { committed } = await handOver(store, turns, ahead, 1)
      if (committed === turns.length && folder.steps < at) break
      const left = options.durability === "power" ? folder.afterPowerLoss(random) : folder.afterDeath()
      if ([...left.entries.keys()].some((name) => name.startsWith("snapshot"))) folds++
      const { changes } = await contentOf(left)
      expect(prefixOf(changes, turns, committed)).not.toBe(-1)
      // Where no power loss was to be outlived, it is some turns less, and they are found all the same.
      const less = await contentOf(folder.afterPowerLoss(random))
      expect(prefixOf(less.changes, turns, 0)).not.toBe(-1)
      // And it goes on from there, without what was left behind.
      expect([...left.entries.keys()].filter((name) => name.endsWith(".new"))).toEqual([])
      expect((await contentOf(left)).changes).toEqual(changes)
    }
    expect(folds).toBeGreaterThan(3)
  })
})
