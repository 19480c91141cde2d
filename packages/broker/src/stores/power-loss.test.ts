// Power is lost between any two steps of a fold, and any of what the disk did not have for certain is lost with it.

import { describe, expect, it } from "vitest"
import { anyTurns, folded, Seeded } from "../../tests/stores/random-changes.ts"
import { answerOf, restored } from "../../tests/stores/small-hub.ts"
import { type Inode, ToyFolder, toyPace } from "../../tests/stores/toy-folder.ts"
import type { Change } from "../packet/change.ts"
import { encodeTurn } from "../packet/change-encoding.ts"
import { TurnWriter } from "../packet/turn-fields.ts"
import { type FileStore, type FileStoreOptions, openStoreIn } from "./file-store.ts"
import { RecordFormat } from "./records.ts"
import { readStoreIn } from "./whole.ts"

const turns = anyTurns(new Seeded(33), 14)
/** What the first turns make, by their number. */
const prefixes = Array.from({ length: turns.length + 1 }, (_, count) => bytesOf(folded(turns.slice(0, count))))

function bytesOf(changes: readonly Change[]): string {
  const writer = new TurnWriter()
  encodeTurn(changes, writer)
  return Buffer.from(writer.bytes.subarray(0, writer.length)).toString("latin1")
}

const openIn = (folder: ToyFolder, options: FileStoreOptions = {}): Promise<FileStore> =>
  openStoreIn(folder, toyPace, options, async () => {})

async function contentOf(folder: ToyFolder): Promise<{ bytes: string; notes: string[] }> {
  const notes: string[] = []
  const store = await openIn(folder, { onNote: (line) => line.includes("references") || notes.push(line) })
  const bytes = bytesOf(await restored(store))
  await answerOf(store.close())
  return { bytes, notes }
}

/** Whether at least `least` turns, and then some more of them in their order, make these bytes. */
const isPrefix = (bytes: string, least: number) => prefixes.includes(bytes, least)

const journal = (number: number) => `journal-000000000${number}`

const immediate = () => new Promise((resolve) => setImmediate(resolve))

/** Where a turn ends. */
interface End {
  readonly inode: Inode
  readonly at: number
}

class Life {
  readonly folder = new ToyFolder()
  readonly ends: End[] = []
  #store: FileStore | undefined
  #given = 0
  #earlier = 0
  #answers: Promise<boolean>[] = []

  /** Folds while turns come, and dies at step `at` of that; so many `earlier` folds fail. Whether it is over before. */
  async until(at: number, options: FileStoreOptions, earlier: number): Promise<boolean> {
    const store = await openIn(this.folder, options)
    this.#store = store
    this.#earlier = earlier
    await restored(store)
    for (let n = 0; n < 3; n++) this.#commit()
    for (let fold = 0; fold < earlier; fold++) {
      const power = options.durability === "power"
      if (power) this.folder.refused = /snapshot/
      else this.folder.failing = true
      await expect(store.compact()).rejects.toThrow(power ? "permission denied" : "the disk fails")
      this.folder.refused = undefined
      this.folder.failing = false
      this.#commit()
    }
    await Promise.all(this.#answers)
    this.folder.steps = 0
    this.folder.trouble = { at, kind: "death" }
    let folding = true
    void store.compact().then(
      () => (folding = false),
      () => (folding = false),
    )
    while (folding) {
      if (this.#given < turns.length) this.#commit()
      await immediate()
    }
    await Promise.all(this.#answers)
    return this.folder.steps < at
  }

  #commit(): void {
    const turn = turns[this.#given++]
    const answer = turn === undefined ? undefined : this.#store?.commit(turn)
    if (answer === undefined) return
    this.#answers.push(answerOf(answer).then((answer) => answer === "committed"))
    const last = [...this.folder.entries].filter(([name, { content }]) => /^journal/.test(name) && content.length > 0)
    const inode = last.sort(([a], [b]) => (a < b ? -1 : 1)).at(-1)?.[1]
    if (inode !== undefined) this.ends.push({ inode, at: inode.content.length })
  }

  async committed(): Promise<number> {
    const answers = await Promise.all(this.#answers)
    const count = answers.indexOf(false)
    return count < 0 ? answers.length : count
  }

  /** How many turns there are in a row that the disk has for certain. */
  synced(): number {
    const count = this.ends.findIndex(({ inode, at }) => inode.durable.length < at)
    return count < 0 ? this.ends.length : count
  }

  /** What may be left of a file: any of what was not synced, or zeros in its place. */
  cuts(inode: Inode, name: string): Uint8Array[] {
    const { content, durable } = inode
    if (content.length <= durable.length) return [durable]
    if (name.endsWith(".new")) return [durable, content]
    const [from, to] = [durable.length, content.length]
    const ends = this.ends.filter((end) => end.inode === inode && end.at > from && end.at < to).map(({ at }) => at)
    const [first = from] = ends
    // One of two journals is cut at fewer places than a single one.
    const some = this.#earlier > 0 ? [first] : ends
    const lengths = new Set([from, from + 1, ...some, first + 13, to - 1, to].filter((length) => length <= to))
    const blank = [from, first + 13].filter((length) => to - length >= 16)
    return [
      ...[...lengths].map((length) => new Uint8Array(content.subarray(0, length))),
      ...blank.map((length) => new Uint8Array(content).fill(0, length)),
    ]
  }
}

const powers: [string, FileStoreOptions, number][] = [
  ["process", {}, 0],
  ["process, and a fold failed before", {}, 1],
  ["power", { durability: "power" }, 0],
  ["power, and a fold failed before", { durability: "power" }, 1],
]

describe("power that is lost in a fold", () => {
  it.each(powers)(
    "%s: leaves what was committed up to some turn, and all that the disk had for certain",
    async (_name, options, earlier) => {
      let [opened, said, folds, most] = [0, 0, 0, 0]
      for (let at = 1; ; at++) {
        const life = new Life()
        const over = await life.until(at, options, earlier)
        const least = options.durability === "power" ? await life.committed() : life.synced()
        most = Math.max(most, least)
        for (const left of life.folder.powerLosses((inode, name) => life.cuts(inode, name))) {
          const before = left.afterDeath()
          const { bytes, notes } = await contentOf(left)
          if (!isPrefix(bytes, least)) {
            const files = [...before.entries].map(([name, { content }]) => `${name} ${content.length}`)
            expect.fail(`step ${at}: ${files}: ${prefixes.indexOf(bytes)} turns of at least ${least}: ${notes}`)
          }
          if (notes.some((line) => line.startsWith("power was lost"))) said++
          if ([...left.entries.keys()].some((name) => name.startsWith("snapshot"))) folds++
          if (++opened % 16 > 0) continue
          // It was looked at before without a change, is the same from now on, and nothing is left to be said.
          expect((await readStoreIn(before, toyPace, false)).lost === undefined).toBe(
            !notes.some((line) => line.startsWith("power was lost")),
          )
          expect(before.steps).toBe(0)
          expect(await contentOf(left)).toEqual({ bytes, notes: [] })
        }
        if (over) break
      }
      // Those before the fold, and with "power" those that came meanwhile too.
      expect(most).toBeGreaterThanOrEqual(options.durability === "power" ? 8 : 3 + earlier)
      expect(folds).toBeGreaterThan(20)
      if (options.durability !== "power") expect(said).toBeGreaterThan(20)
    },
    600_000,
  )

  it("after the store was closed costs nothing, though a fold had failed, or a process died in one", async () => {
    for (const died of [false, true]) {
      const life = new Life()
      let folder = life.folder
      if (died) {
        await life.until(6, {}, 1)
        folder = folder.afterKill()
      }
      const store = await openIn(folder)
      await restored(store)
      const first = await life.committed()
      for (const turn of turns.slice(first, first + 3)) await answerOf(store.commit(turn))
      if (!died) {
        folder.failing = true
        await expect(store.compact()).rejects.toThrow("the disk fails")
        folder.failing = false
      }
      for (const turn of turns.slice(first + 3)) await answerOf(store.commit(turn))
      await answerOf(store.close())
      expect([...folder.entries.keys()].filter((name) => name.startsWith("journal")).length).toBeGreaterThan(1)
      for (const left of folder.powerLosses((inode, name) => life.cuts(inode, name)))
        expect((await contentOf(left)).bytes).toBe(prefixes.at(-1))
    }
  })

  it("and whatever the process before it left to the system's memory: commits with power stand on it", async () => {
    for (let at = 1; ; at++) {
      const life = new Life()
      const over = await life.until(at, {}, 1)
      const next = await life.committed()
      const turn = turns[next]
      const after = life.folder.afterKill()
      const store = await openIn(after, { durability: "power" })
      await restored(store)
      if (turn !== undefined) expect(await answerOf(store.commit(turn))).toBe("committed")
      for (const left of after.powerLosses((inode, name) => life.cuts(inode, name)))
        expect(isPrefix((await contentOf(left)).bytes, turn === undefined ? next : next + 1)).toBe(true)
      if (over) break
    }
  })
})

/** Journals 1 to 3 with all that they had: three turns, and one in each of the others. Also where the first turns end. */
async function three(): Promise<{ folder: ToyFolder; ends: readonly number[] }> {
  const folder = new ToyFolder()
  const store = await openIn(folder)
  await restored(store)
  const ends: number[] = []
  folder.refused = /snapshot/
  for (const [index, turn] of turns.slice(0, 5).entries()) {
    if (index > 2) await expect(store.compact()).rejects.toThrow("permission denied")
    await answerOf(store.commit(turn))
    ends.push(contentIn(folder, 1).length)
  }
  await answerOf(store.close())
  return { folder: folder.afterDeath(), ends }
}

function contentIn(folder: ToyFolder, number: number): Uint8Array {
  return folder.entries.get(journal(number))?.content ?? new Uint8Array(0)
}

describe("what a journal had when it was left", () => {
  it("and has no more is where power was lost: it is said, and what came later is removed from its end", async () => {
    const { folder, ends } = await three()
    const sizes = [1, 2, 3].map((number) => contentIn(folder, number).length)
    const [, second = 0] = ends
    folder.entries.get(journal(1))?.resize(second + 5)
    const bytes = (sizes[0] ?? 0) - second
    const lost =
      "power was lost before the disk had all that was acknowledged: " +
      `FOLDER/${journal(1)} lacks ${bytes} bytes from offset ${second} on, so what came after them is lost too, in ` +
      `${journal(2)} (${sizes[1]} bytes), ${journal(3)} (${sizes[2]} bytes); durability "power" prevents that`
    expect(await readStoreIn(folder, toyPace, false)).toMatchObject({ files: 1, torn: 0, lost })
    for (let at = 1; ; at++) {
      const copy = folder.afterDeath()
      copy.trouble = { at, kind: "death" }
      const notes: string[] = []
      const opening = openIn(copy, { onNote: (line) => notes.push(line) })
      const died = await opening.then(
        () => false,
        () => true,
      )
      expect(notes).toEqual([`${lost}; they are removed`])
      for (const left of copy.powerLosses(({ content, durable }) => [durable, content]))
        expect((await contentOf(left)).bytes).toBe(prefixes[2])
      if (died) continue
      expect([...copy.entries.keys()]).toEqual([journal(1)])
      expect(contentIn(copy, 1).length).toBe(second)
      break
    }
  })

  it("and beyond that is of a turn that failed: it does not count, and is cut off", async () => {
    const { folder } = await three()
    const { bytes } = await contentOf(folder.afterDeath())
    const size = contentIn(folder, 1).length
    folder.entries.get(journal(1))?.resize(size + 7)
    contentIn(folder, 1).fill(0x55, size)
    expect((await readStoreIn(folder, toyPace, false)).torn).toBe(7)
    const said = `FOLDER/${journal(1)}: 7 bytes of a turn that was not finished are cut off at offset ${size}`
    expect(await contentOf(folder)).toEqual({ bytes, notes: [said] })
    expect(contentIn(folder, 1).length).toBe(size)
  })

  it("is refused when any of it is damaged, whatever comes later", async () => {
    const { folder } = await three()
    for (const number of [1, 2]) {
      for (let at = 0; at < contentIn(folder, number).length; at++) {
        const copy = folder.afterDeath()
        contentIn(copy, number)[at]! ^= 0x40
        await expect(openIn(copy)).rejects.toThrow(
          new RegExp(`FOLDER/${journal(number)}( is damaged at offset|: it is)`),
        )
        expect(copy.steps).toBe(0)
      }
    }
  })

  it("is not nothing: a head that says so comes from elsewhere", async () => {
    const { folder } = await three()
    contentIn(folder, 2).set(new RecordFormat().head("journal", 2, 0))
    await expect(openIn(folder)).rejects.toThrow(
      `FOLDER/${journal(2)} is damaged at offset 0: its head says that no journal is before it; nothing was changed`,
    )
    expect(folder.steps).toBe(0)
  })
})
